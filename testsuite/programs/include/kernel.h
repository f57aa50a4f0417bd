/* The little of the kernel's BPF interface that the example programs need, so that they compile with clang alone. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;

typedef u16 be16;
typedef u32 be32;

#define NULL ((void *)0)
#define SECTION(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define NOINLINE __attribute__((noinline))
#define PACKED __attribute__((packed))
#define KSYM __attribute__((section(".ksyms")))
#define KCONFIG __attribute__((section(".kconfig")))
#define RELOCATABLE __attribute__((preserve_access_index))
#define WEAK __attribute__((weak))
#define LICENSE(text) char license_text[] SECTION("license") = text

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A map is described by the types of a struct's members: a number is the length of an array, a type is a pointer to it. */
#define MAP_NUMBER(name, value) int(*name)[value]
#define MAP_TYPE(name, value) typeof(value) *name
#define MAP(name, kind, key_type, value_type, entries) \
	struct {                                       \
		MAP_NUMBER(type, kind);                \
		MAP_NUMBER(max_entries, entries);      \
		MAP_TYPE(key, key_type);               \
		MAP_TYPE(value, value_type);           \
	} name SECTION(".maps")

enum {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PROGRAM_ARRAY = 3,
	MAP_PERCPU_HASH = 5,
	MAP_PERCPU_ARRAY = 6,
	MAP_LRU_HASH = 9,
	MAP_PREFIX_TREE = 11,
	MAP_RING_BUFFER = 27,
};

enum { UPDATE_ANY = 0, UPDATE_NEW = 1, UPDATE_EXISTING = 2 };
enum { MAP_NO_PREALLOCATION = 1 };

enum xdp_action { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
enum tc_action { TC_OK = 0, TC_DROP = 2, TC_UNSPECIFIED = -1 };

struct xdp_md {
	u32 data;
	u32 data_end;
	u32 data_meta;
	u32 ingress_ifindex;
	u32 rx_queue_index;
	u32 egress_ifindex;
};

struct __sk_buff {
	u32 len;
	u32 pkt_type;
	u32 mark;
	u32 queue_mapping;
	u32 protocol;
	u32 vlan_present;
	u32 vlan_tci;
	u32 vlan_proto;
	u32 priority;
	u32 ingress_ifindex;
	u32 ifindex;
	u32 tc_index;
	u32 cb[5];
	u32 hash;
	u32 tc_classid;
	u32 data;
	u32 data_end;
};

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const map_delete)(void *map, const void *key) = (void *)3;
static u64 (*const time_nanoseconds)(void) = (void *)5;
static u32 (*const processor_id)(void) = (void *)8;
static long (*const skb_store_bytes)(struct __sk_buff *skb, u32 offset, const void *from, u32 length, u64 flags) = (void *)9;
static long (*const replace_l3_checksum)(struct __sk_buff *skb, u32 offset, u64 from, u64 to, u64 size) = (void *)10;
static long (*const replace_l4_checksum)(struct __sk_buff *skb, u32 offset, u64 from, u64 to, u64 flags) = (void *)11;
static long (*const tail_call)(void *context, void *programs, u32 index) = (void *)12;
static u64 (*const current_pid_tgid)(void) = (void *)14;
static long (*const skb_load_bytes)(const void *skb, u32 offset, void *to, u32 length) = (void *)26;
static s64 (*const checksum_difference)(be32 *from, u32 from_size, be32 *to, u32 to_size, u32 seed) = (void *)28;
static void *(*const current_task)(void) = (void *)35;
static long (*const xdp_adjust_head)(struct xdp_md *context, int delta) = (void *)44;
static long (*const probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static void *(*const ring_reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*const ring_submit)(void *data, u64 flags) = (void *)132;
static void (*const ring_discard)(void *data, u64 flags) = (void *)133;
static long (*const for_each_map_element)(void *map, void *callback, void *context, u64 flags) = (void *)164;
static long (*const loop)(u32 iterations, void *callback, void *context, u64 flags) = (void *)181;
struct bpf_spin_lock {
	u32 value;
};
static void (*const spin_lock)(struct bpf_spin_lock *lock) = (void *)93;
static void (*const spin_unlock)(struct bpf_spin_lock *lock) = (void *)94;
