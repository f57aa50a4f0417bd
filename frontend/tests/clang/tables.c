// A lookup table, an inlined copy, weak and hidden functions, inline assembly with local labels.
#include "bpf.h"
NOINLINE u64 choose(u32 x) {
    switch (x) {
    case 0: return 5;
    case 1: return 99;
    case 2: return 3;
    case 3: return 77;
    case 4: return 12;
    case 6: return 0xdeadbeefcafeULL;
    default: return 9;
    }
}
SEC("tc") int atomics(u32 *p) {
    __sync_fetch_and_add(p, 1);
    __sync_fetch_and_add(p + 1, 2);
    return choose(p[3]);
}
SEC("classifier") int copies(u8 *p) {
    u8 bytes[48];
    __builtin_memcpy(bytes, p, 48);
    u32 sum = 0;
    for (int i = 0; i < 48; i++)
        sum += bytes[i];
    return sum;
}
SEC("cgroup/skb") int widths(u64 *p) {
    s64 a = p[0];
    u32 b = p[1];
    return (a >> 3) + ((s32)b >> 5) + (u16)a + __builtin_bswap32(b) + __builtin_bswap64(a) + (short)b + (signed char)a;
}
int weak(int x) __attribute__((weak));
NOINLINE int weak(int x) { return x + 1; }
int hidden(int x) __attribute__((visibility("hidden")));
NOINLINE int hidden(int x) { return x - 1; }
SEC("xdp") int calls(u32 *p) { return weak(p[0]) + hidden(p[1]); }
struct { int number; char name[12]; const char *text; } table[3] = {{1, "x", "hello"}, {2, "y", "world"}, {3, "z", "hello"}};
SEC("xdp") int lookup(u32 *p) { return table[p[0] % 3].text[p[1] & 3]; }
float single = 1.5;
double twice = 2.25;
u64 array[3] = {1, 2, 3};
SEC("xdp") int inline_assembly(u32 *p) {
    u64 r;
    asm volatile("%0 = 5 ll; if %0 == 0 goto 1f; %0 += 1; goto 2f; 1: %0 = 7; 2: %0 <<= 3" : "=r"(r));
    return r;
}
