/* Variables of every section that a loader turns into a map: .data, .rodata, .bss and named ones. */
#include "net.h"

const volatile u32 limit = 100;
const volatile u8 enabled = 1;
static const volatile u32 table[8] = { 3, 1, 4, 1, 5, 9, 2, 6 };
u64 seen;
u64 large;
static u32 histogram[16];
u32 next_id = 1000;
u16 recent_types[4] = { 1, 2, 3, 4 };
u64 named SECTION(".data.named") = 42;
u32 scratch[4] SECTION(".bss.scratch");
const volatile u32 fixed SECTION(".rodata.fixed") = 7;
u32 unused_by_programs = 5;

SECTION("xdp")
int observe(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	u32 length = cursor.end - cursor.at;
	struct ether *ether = take(&cursor, sizeof(*ether));
	u32 step = table[length & 7];

	if (!enabled)
		return XDP_PASS;
	if (!ether)
		return XDP_ABORTED;
	seen++;
	if (length > limit)
		__sync_fetch_and_add(&large, 1);
	histogram[(length >> 4) & 15] += step;
	recent_types[next_id & 3] = ether->type;
	next_id++;
	named = named * fixed + length;
	scratch[seen & 3] = length;
	return histogram[2] > step ? XDP_DROP : XDP_PASS;
}

LICENSE("MIT");
