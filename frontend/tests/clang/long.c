// A long straight function with 64-bit constants.
#include "bpf.h"
SEC("lsm/x") int hash(u8 *p) {
    u64 sum = 0;
#pragma unroll
    for (int i = 0; i < 200; i++) {
        sum = sum * 31 + p[i];
        sum ^= sum >> 7;
        if (sum & 1)
            sum += i * 0x123456789ULL;
    }
    return sum;
}
