/* Values which the loader takes from the kernel's version and build configuration. */
#include "net.h"

extern u32 LINUX_KERNEL_VERSION KCONFIG;
extern u32 CONFIG_HZ KCONFIG WEAK;
extern _Bool CONFIG_NET KCONFIG WEAK;
extern char CONFIG_OF_NO_KERNEL KCONFIG WEAK;

MAP(answers, MAP_ARRAY, u32, u32, 4);

SECTION("xdp")
int configured(struct xdp_md *context)
{
	u32 zero = 0;
	u32 *answer = map_lookup(&answers, &zero);

	if (!answer)
		return XDP_ABORTED;
	*answer = LINUX_KERNEL_VERSION >= (5 << 16) ? CONFIG_HZ : 0;
	if (CONFIG_OF_NO_KERNEL)
		return XDP_DROP;
	return CONFIG_NET ? XDP_PASS : XDP_TX;
}

LICENSE("MIT");
