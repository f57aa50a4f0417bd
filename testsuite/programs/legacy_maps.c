/* The map section of old loaders, without BTF. Newer loaders refuse it; objects like this are still around. */
#include "net.h"

struct map_definition {
	u32 type;
	u32 key_size;
	u32 value_size;
	u32 max_entries;
	u32 flags;
};

struct map_definition counters SECTION("maps") = { MAP_ARRAY, sizeof(u32), sizeof(u64), 256, 0 };
struct map_definition addresses SECTION("maps") = { MAP_HASH, sizeof(be32), sizeof(u64), 1024, 0 };

SECTION("xdp")
int count_sources(struct xdp_md *context)
{
	struct cursor cursor = { PACKET_START(context), PACKET_END(context) };
	struct ether *ether = take(&cursor, sizeof(*ether));
	struct ipv4 *ip = ether ? take(&cursor, sizeof(*ip)) : NULL;
	u64 *counter, one = 1;
	u32 protocol;
	be32 source;

	if (!ip || ether->type != NET16(ETHER_IPV4))
		return XDP_PASS;
	protocol = ip->protocol;
	source = ip->source;
	counter = map_lookup(&counters, &protocol);
	if (counter)
		__sync_fetch_and_add(counter, 1);
	counter = map_lookup(&addresses, &source);
	if (counter)
		__sync_fetch_and_add(counter, 1);
	else
		map_update(&addresses, &source, &one, UPDATE_NEW);
	return XDP_PASS;
}

LICENSE("MIT");
