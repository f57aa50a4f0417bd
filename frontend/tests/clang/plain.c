// Functions in .text only.
#include "bpf.h"
int least(int a, int b) { return a < b ? a : b; }
u64 divide(u64 a, u64 b) { return b ? a / b + a % b : 0; }
int branches(int *p) {
    if (*p > 5 || p[1] == -1)
        return least(p[2], p[3]);
    return 0;
}
