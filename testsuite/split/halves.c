/*
 * Programs for both machines: two of three in one section can go to the card, with a function that only one of them calls
 * and one that a program of the host calls, too. Compiled by
 *
 *   clang-19 -target bpf -mcpu=v3 -O2 -g -I../programs/include -fdebug-prefix-map=$PWD=. -fno-ident -c halves.c -o halves.o
 *   llvm-strip-19 -g halves.o
 */
#include "net.h"

struct task_struct {
	int pid;
} RELOCATABLE;

MAP(protocols, MAP_HASH, u32, u64, 64);
MAP(sizes, MAP_HASH, u32, u64, 16);
MAP(times, MAP_HASH, u32, u64, 16);

static NOINLINE u32 fold(u32 value)
{
	value ^= value >> 16;
	return (value ^ value >> 8) & 0xff;
}

static NOINLINE u32 of_card(u32 value)
{
	return value % 7 + (value >> 5);
}

INLINE void add(void *map, u32 key, u64 by)
{
	u64 *count = map_lookup(map, &key);

	if (count)
		__sync_fetch_and_add(count, by);
}

SECTION("xdp")
int drop_some(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	u32 *word = take(&cursor, 2 * sizeof(*word));

	if (!word)
		return XDP_PASS;
	return of_card(fold(word[0])) > fold(word[1]) ? XDP_DROP : XDP_PASS;
}

SECTION("xdp")
int remember_time(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	u32 *word = take(&cursor, 2 * sizeof(*word));
	u64 now = time_nanoseconds();
	u32 key;

	if (!word)
		return XDP_PASS;
	key = fold(word[0]);
	map_update(&times, &key, &now, 0);
	add(&protocols, key, 1);
	return XDP_PASS;
}

SECTION("xdp")
int count_protocols(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	u8 *bytes = take(&cursor, 24);

	if (!bytes)
		return XDP_PASS;
	add(&protocols, bytes[23], 1);
	add(&sizes, bytes[16], 24);
	return XDP_PASS;
}

SECTION("raw_tp/sched_switch")
int switches(u64 *context)
{
	struct task_struct *task = (void *)context[1];
	u32 key = fold(__builtin_preserve_field_info(task->pid, 0));

	add(&protocols, key, 1);
	return 0;
}

LICENSE("GPL");
