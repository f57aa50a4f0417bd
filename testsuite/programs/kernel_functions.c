/* Functions and variables of the kernel itself: a weak one that no kernel has, and ones that newer kernels have. */
#include "net.h"

struct dynamic_pointer {
	u64 opaque[2];
} __attribute__((aligned(8)));

extern int bpf_dynptr_from_xdp(struct xdp_md *context, u64 flags, struct dynamic_pointer *pointer) WEAK KSYM;
extern void *bpf_dynptr_slice(const struct dynamic_pointer *pointer, u32 offset, void *buffer, u32 size) WEAK KSYM;
extern int function_of_no_kernel(u32 argument) WEAK KSYM;
extern const void variable_of_no_kernel WEAK KSYM;

SECTION("xdp")
int slice(struct xdp_md *context)
{
	struct dynamic_pointer pointer;
	u8 buffer[14];
	struct ether *ether;

	if (!bpf_dynptr_slice || !bpf_dynptr_from_xdp)
		return XDP_PASS;
	if (bpf_dynptr_from_xdp(context, 0, &pointer))
		return XDP_ABORTED;
	ether = bpf_dynptr_slice(&pointer, 0, buffer, sizeof(buffer));
	if (!ether)
		return XDP_ABORTED;
	return ether->type == NET16(ETHER_IPV4) ? XDP_PASS : XDP_DROP;
}

SECTION("xdp")
int absent(struct xdp_md *context)
{
	if (function_of_no_kernel)
		return function_of_no_kernel(context->rx_queue_index);
	if (&variable_of_no_kernel)
		return XDP_DROP;
	return XDP_PASS;
}

LICENSE("Dual MIT/GPL");
