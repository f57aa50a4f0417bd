/* A byte budget for everything that a control group sends, and a count of what it receives, under a lock. */
#include "net.h"

struct budget {
	struct bpf_spin_lock lock;
	u32 refused;
	u64 left;
	u64 received;
};

MAP(budgets, MAP_ARRAY, u32, struct budget, 1);

SECTION("cgroup_skb/egress")
int send(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct budget *budget = map_lookup(&budgets, &zero);
	int allowed = 1;

	if (!budget)
		return 1;
	spin_lock(&budget->lock);
	if (budget->left >= skb->len) {
		budget->left -= skb->len;
	} else {
		budget->refused++;
		allowed = 0;
	}
	spin_unlock(&budget->lock);
	return allowed;
}

SECTION("cgroup_skb/ingress")
int receive(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct budget *budget = map_lookup(&budgets, &zero);
	struct ipv4 ip;

	if (!budget)
		return 1;
	spin_lock(&budget->lock);
	budget->received += skb->len;
	spin_unlock(&budget->lock);
	if (skb_load_bytes(skb, 0, &ip, sizeof(ip)))
		return 1;
	return (ip.version_and_length >> 4) != 4 || ip.ttl > 1;
}

LICENSE("Dual MIT/GPL");
