/* One of everything that a compiler puts into an object: programs in several sections, static
 * and global subprograms, legacy and BTF-defined maps, data sections with names of their own,
 * externs that the loader resolves, a callback, and CO-RE accesses. No headers are needed. */

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define EXTERN(name) __attribute__((section(name)))
#define noinline __attribute__((noinline))

static void *(*lookup)(void *map, const void *key) = (void *)1;
static u64 (*ktime_get_ns)(void) = (void *)5;
static long (*tail_call)(void *ctx, void *map, u32 index) = (void *)12;
static long (*loop)(u32 count, void *callback, void *ctx, u64 flags) = (void *)181;

struct packet_context { u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index; };

#ifdef LEGACY_MAPS
struct legacy_map { u32 type, key_size, value_size, max_entries, flags; };
struct legacy_map SEC("maps") counters = { 2, 4, 8, 16, 0 };
struct legacy_map SEC("maps") programs = { 3, 4, 4, 4, 0 };
#else
struct {
	int (*type)[2];
	int (*max_entries)[16];
	u32 *key;
	u64 *value;
} counters SEC(".maps");

struct {
	int (*type)[3];
	int (*max_entries)[4];
	int (*key_size)[4];
	int (*value_size)[4];
} programs SEC(".maps");
#endif

u64 written = 1;
u64 zeroed;
static volatile u64 local_zeroed;
const volatile u32 setting = 7;
static const char message[] = "message";
u32 named_data SEC(".data.named") = 3;
const volatile u32 named_constant SEC(".rodata.named") = 4;
u32 named_zero SEC(".bss.named");

#ifndef LEGACY_MAPS
extern int LINUX_KERNEL_VERSION EXTERN(".kconfig");
extern const void kernel_variable EXTERN(".ksyms");
extern u64 kernel_function(u64 number) EXTERN(".ksyms") __attribute__((weak));

struct task { int pid; struct task *parent; } __attribute__((preserve_access_index));
enum choice { FIRST, SECOND = 5 };
struct tagged { int member __attribute__((btf_decl_tag("member tag"))); };
struct tagged tagged_variable;
#endif

static noinline u64 add_static(u64 a, u64 b)
{
	local_zeroed += a;
	return a * 3 + b + local_zeroed;
}

noinline u64 add_global(u64 a, u64 b)
{
	return add_static(a, b) ^ b;
}

__attribute__((weak)) noinline u64 add_weak(u64 a)
{
	return a + setting;
}

static long each(u32 index, void *context)
{
	*(u64 *)context += index;
	return 0;
}

SEC("xdp") int first(struct packet_context *ctx)
{
	u32 key = ctx->rx_queue_index;
	u64 *value = lookup(&counters, &key);
	if (!value)
		return 1;
	__sync_fetch_and_add(value, 1);
	return add_static(*value, key) > add_global(key, 5) ? 2 : 1;
}

SEC("xdp") int second(struct packet_context *ctx)
{
	u64 sum = add_weak(ktime_get_ns());
	tail_call(ctx, &programs, 1);
	loop(8, each, &sum, 0);
	written += sum;
	zeroed = written + message[sum & 7];
	named_data += named_constant;
	named_zero = named_data;
	return 2;
}

#ifndef LEGACY_MAPS
SEC("tc") int third(struct packet_context *ctx)
{
	struct task *task = (void *)(long)ctx->data_meta;
	u64 sum = LINUX_KERNEL_VERSION;
	sum += (u64)&kernel_variable;
	if (kernel_function)
		sum += kernel_function(sum);
	sum += task->parent->pid;
	sum += __builtin_preserve_enum_value(*(enum choice *)SECOND, 1);
	tagged_variable.member = sum;
	return sum & 1;
}
#endif

char licence[] SEC("license") = "Dual MIT/GPL";
