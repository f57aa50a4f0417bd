// Nearly optimised: each function lacks one fact that a pass needs.
#include "net.h"

MAP(table, MAP_ARRAY, u32, u64, 4);
MAP(hash, MAP_HASH, u32, u32, 4);

static u32 (*const random_number)(void) = (void *)7;

struct pair {
	u16 a, b;
};

// The packet is written at a variable distance between two halves of a copy.
SECTION("xdp/copies") int copies(struct xdp_md *context)
{
	struct pair *to = PACKET_START(context);
	struct pair *from = to + 1;
	u32 any = context->rx_queue_index & 1;

	if ((void *)(to + 4) > PACKET_END(context))
		return 2;
	to->a = from->a;
	to[any].b = 7;
	to->b = from->b;
	return 1;
}

// The first key is a number of the context's, the second one too large.
SECTION("xdp/looks_up") int looks_up(struct xdp_md *context)
{
	u32 key = context->rx_queue_index;
	u64 *value = map_lookup(&table, &key);

	if (!value)
		return 2;
	key = 9;
	value = map_lookup(&table, &key);
	return value ? 1 : 2;
}

// A call stands between stores to adjacent bytes.
SECTION("xdp/writes") int writes(struct xdp_md *context)
{
	u32 key = 1;
	volatile u32 *value = (void *)map_lookup(&table, &key);
	u32 any;

	if (!value)
		return 2;
	value[0] = 1;
	any = random_number();
	value[1] = 0;
	return any & 1;
}

// An element is deleted between two look-ups with its key.
SECTION("xdp/asks_again") int asks_again(struct xdp_md *context)
{
	u32 key = context->rx_queue_index;
	u32 *first = map_lookup(&hash, &key), *second;

	map_delete(&hash, &key);
	second = map_lookup(&hash, &key);
	return first && second ? 1 : 2;
}

LICENSE("GPL");
