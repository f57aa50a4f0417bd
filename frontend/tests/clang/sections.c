// Named data sections, common symbols, struct_ops, a section name with a slash.
#include "bpf.h"
int common __attribute__((common)), aligned __attribute__((common, aligned(16)));
static int hidden[5];
int named[10] SEC(".data.custom") = {1, 2}, named_zero[4] SEC(".bss.custom");
const int named_constant[4] SEC(".rodata.custom") = {4, 3, 2, 1};
SEC("iter.s/task") int iterate(int *p) {
    hidden[p[0] & 3]++;
    common++;
    aligned--;
    return named[p[1] & 7] + named_constant[p[2] & 3] + named_zero[p[0] & 3];
}
SEC("struct_ops/start") void start(u64 *p) {
    if (p)
        p[0] = p[1];
}
struct operations { void (*start)(u64 *); int number; };
struct operations operations SEC(".struct_ops") = {.start = start, .number = 3};
