/* Arithmetic of every width and sign on packet bytes, without maps: a hash, a division, shifts, byte order, a bounded loop. */
#include "net.h"

SECTION("xdp")
int digest(struct xdp_md *context)
{
	u8 *start = PACKET_START(context), *end = PACKET_END(context);
	u32 narrow = 0x811c9dc5;
	u64 wide = 0xcbf29ce484222325;
	s32 signed_sum = 0;

	for (u32 i = 0; i < 48; i++) {
		if (start + i + 1 > end)
			break;
		narrow = (narrow ^ start[i]) * 0x01000193;
		wide = (wide ^ start[i]) * 0x100000001b3;
		signed_sum += (s8)start[i] * (s32)(i - 24);
	}
	narrow ^= (u32)(wide >> 32);
	narrow = (narrow << 7) | (narrow >> 25);
	wide = wide / (narrow | 1) + wide % (narrow | 3);
	narrow += SWAP32((u32)wide) ^ (u32)(signed_sum >> 3);
	narrow += (u16)(signed_sum < 0 ? -signed_sum : signed_sum);
	return narrow % 4 + 1;
}

LICENSE("MIT");
