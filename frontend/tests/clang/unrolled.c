// Branches in both directions and comparisons of every kind.
#include "bpf.h"
SEC("socket") int compare(s64 *p) {
    int n = 0;
    if (p[0] < p[1]) n++;
    if (p[0] <= p[2]) n += 2;
    if ((u64)p[0] < (u64)p[3]) n += 4;
    if ((u64)p[1] >= (u64)p[3]) n += 8;
    if (p[4] & 0x10) n += 16;
    if ((s32)p[5] < (s32)p[6]) n += 32;
    if ((u32)p[5] > 100) n += 64;
    if (p[7] != 0x1234567812345678LL) n += 128;
#pragma clang loop unroll(disable)
    for (int i = 0; i < 10; i++)
        n += p[i] > i ? p[i + 1] : -p[i + 2];
    return n;
}
