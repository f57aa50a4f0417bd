/* Functions whose addresses are given to helpers: a loop's body, and a visitor of a map's elements. */
#include "net.h"

MAP(weights, MAP_ARRAY, u32, u32, 16);
MAP(names, MAP_HASH, u32, u64, 64);

struct walk {
	u64 sum;
	u32 visited;
	u32 limit;
};

static long add_square(u32 index, void *opaque)
{
	struct walk *walk = opaque;

	walk->sum += (u64)index * index;
	walk->visited++;
	return walk->visited >= walk->limit;
}

static long visit(void *map, const void *key, void *value, void *opaque)
{
	struct walk *walk = opaque;

	walk->sum += *(u32 *)value;
	*(u32 *)value += 1;
	walk->visited++;
	return 0;
}

static long visit_names(void *map, const void *key, void *value, void *opaque)
{
	struct walk *walk = opaque;

	walk->sum ^= *(const u32 *)key * *(u64 *)value;
	walk->visited++;
	return 0;
}

SECTION("xdp")
int run_loop(struct xdp_md *context)
{
	struct walk walk = { .limit = context->rx_queue_index + 20 };

	loop(64, add_square, &walk, 0);
	return walk.sum == 2470 ? XDP_PASS : XDP_DROP;
}

SECTION("tc")
int walk_maps(struct __sk_buff *skb)
{
	struct walk walk = {};
	u32 key = skb->len;

	for_each_map_element(&weights, visit, &walk, 0);
	map_update(&names, &key, &walk.sum, UPDATE_ANY);
	for_each_map_element(&names, visit_names, &walk, 0);
	skb->mark = walk.visited;
	return walk.sum & 1 ? TC_OK : TC_DROP;
}

LICENSE("Dual MIT/GPL");
