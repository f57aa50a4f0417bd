// One static subprogram called from several sections, two strings, a stack frame, a static lookup table.
#include "bpf.h"
struct block { u64 words[20]; };
static NOINLINE u32 add(u32 *p, int n) {
    u32 sum = 0;
#pragma clang loop unroll(disable)
    for (int i = 0; i < n; i++)
        sum += p[i];
    return sum;
}
static NOINLINE void fill(struct block *block, u64 value) {
    for (int i = 0; i < 20; i++)
        block->words[i] = value + i;
}
static NOINLINE u64 total(const struct block *block) {
    u64 sum = 0;
    for (int i = 0; i < 20; i++)
        sum += block->words[i];
    return sum;
}
SEC("xdp") int first(u32 *p) { return add(p, p[9] & 15); }
SEC("tc") int second(u32 *p) { return add(p + 1, p[8] & 15); }
SEC("xdp") int third(u32 *p) {
    printk("first %d", 9, p[0]);
    printk("second %d %d", 13, p[1], p[2]);
    return add(p + 2, 3);
}
SEC("perf_event") int frame(u64 *p) {
    struct block block;
    fill(&block, p[0]);
    return total(&block) > p[1];
}
SEC("sk_msg") int message(u64 *p) {
    static u64 last;
    static const u64 powers[4] = {1, 10, 100, 1000};
    u64 difference = p[0] - last;
    last = p[0];
    return difference * powers[p[1] & 3];
}
