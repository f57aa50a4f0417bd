// Data, .rodata, .bss, strings, a static subprogram and a kernel function.
#include "bpf.h"
struct {
    __uint(type, 2);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u64);
} map SEC(".maps");
int initialised = 5, zero;
static int hidden_counter;
const volatile int constant = 3;
extern int kernel_function(int) __attribute__((section(".ksyms")));
static NOINLINE int subprogram(int a) { return kernel_function(a) * 3 + hidden_counter++; }
NOINLINE int global_subprogram(int a) { return a * 3; }
SEC("xdp") int program(void *ctx) {
    u32 key = 0;
    u64 *value = map_lookup(&map, &key);
    if (value)
        (*value)++;
    const char text[] = "hello %d there";
    printk(text, sizeof text);
    printk("str%d", 6, 1);
    return subprogram(key) + initialised + constant + global_subprogram(initialised) + zero;
}
