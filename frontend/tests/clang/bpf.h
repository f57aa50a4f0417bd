// What the programs here share. They are compiled by the test, never loaded.
#define SEC(name) __attribute__((section(name), used))
#define NOINLINE __attribute__((noinline))
#define __uint(name, value) int (*name)[value]
#define __type(name, value) typeof(value) *name

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

static void *(*map_lookup)(void *, const void *) = (void *)1;
static long (*map_update)(void *, const void *, const void *, u64) = (void *)2;
static u64 (*ktime)(void) = (void *)5;
static int (*printk)(const char *, u32, ...) = (void *)6;
static long (*tail_call)(void *, void *, u32) = (void *)12;
static long (*probe_read)(void *, u32, const void *) = (void *)113;
static long (*loop)(u32, void *, void *, u64) = (void *)181;

char license_text[] SEC("license") = "GPL";
