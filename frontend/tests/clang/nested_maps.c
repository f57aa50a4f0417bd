// A map of maps: relocations in .maps.
#include "bpf.h"
struct inner { __uint(type, 2); __uint(max_entries, 1); __type(key, u32); __type(value, u32); } one SEC(".maps"), two SEC(".maps");
struct { __uint(type, 12); __uint(max_entries, 2); __type(key, u32); struct inner *values[]; } outer SEC(".maps") = {.values = {&one, &two}};
SEC("xdp") int program(int *p) {
    u32 key = p[0];
    void *inner = map_lookup(&outer, &key);
    if (!inner)
        return 0;
    u32 *value = map_lookup(inner, &key);
    if (!value)
        value = map_lookup(&two, &key);
    return value ? *value : 0;
}
