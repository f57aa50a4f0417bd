// Tail calls, a callback whose address is taken, pointers in data.
#include "bpf.h"
struct { __uint(type, 3); __uint(max_entries, 2); __uint(key_size, 4); __uint(value_size, 4); } programs SEC(".maps");
SEC("xdp/a") int entry(void *ctx) {
    tail_call(ctx, &programs, 1);
    return 2;
}
SEC("xdp/b") int second(void *ctx) { return 1; }
struct state { u64 sum; };
static long add(u32 index, struct state *state) {
    state->sum += index;
    return 0;
}
SEC("xdp") int looper(void *ctx) {
    struct state state = {0};
    loop(100, add, &state, 0);
    return state.sum & 3;
}
static const char names[4][8] = {"one", "two", "three", "four"};
static int counters[64];
int zero, seven = 7;
static int nine = 9;
const volatile u64 setting = 1;
static volatile const int hidden_setting = 2;
int *pointer = &seven;
static int *hidden_pointer = &nine;
SEC("socket") int reads(void *ctx) {
    u32 now = ktime();
    counters[now & 63]++;
    zero += seven;
    nine += hidden_setting;
    return names[now & 3][now & 7] + setting + *pointer + *hidden_pointer;
}
u32 version_number SEC("version") = 0x40000;
