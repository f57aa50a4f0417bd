/*
 * Fields whose places the loader finds in the running kernel's types. Each access is guarded by the question whether
 * the field exists, so that the programs load on kernels without it, and on kernels without type information.
 */
#include "kernel.h"

struct namespace_proxy {
	u32 unused;
} RELOCATABLE;

struct task_struct {
	int pid;
	int tgid;
	u64 start_time;
	struct task_struct *real_parent;
	char comm[16];
	unsigned flags : 3;
	unsigned sched_reset_on_fork : 1;
} RELOCATABLE;

enum kind { KIND_NONE, KIND_SOME = 5 };

struct own {
	u32 first;
	struct {
		u64 second[4];
	} inner;
} RELOCATABLE;

struct event {
	int pid;
	int parent;
	u64 started;
	char name[16];
};

MAP(events, MAP_HASH, u64, struct event, 256);

enum { INFO_BYTE_SIZE = 1, INFO_EXISTS = 2 };
enum { TYPE_EXISTS = 0, TYPE_SIZE = 1 };
enum { TYPE_ID_LOCAL = 0 };

#define EXISTS(access) __builtin_preserve_field_info(access, INFO_EXISTS)
#define READ(to, access) probe_read_kernel(&(to), sizeof(to), __builtin_preserve_access_index(&(access)))

SECTION("kprobe/do_exit")
int on_exit(void *registers)
{
	struct task_struct *task = current_task();
	struct task_struct *parent = NULL;
	struct event event = {};
	u64 key = current_pid_tgid();

	if (EXISTS(task->pid))
		READ(event.pid, task->pid);
	if (EXISTS(task->start_time))
		READ(event.started, task->start_time);
	if (EXISTS(task->real_parent)) {
		READ(parent, task->real_parent);
		if (EXISTS(parent->tgid))
			READ(event.parent, parent->tgid);
	}
	if (EXISTS(task->comm))
		READ(event.name, task->comm);
	map_update(&events, &key, &event, UPDATE_ANY);
	return 0;
}

SECTION("socket")
int local_types(struct __sk_buff *skb)
{
	u32 result = __builtin_btf_type_id(*(struct own *)0, TYPE_ID_LOCAL);

	result = result << 8 | __builtin_preserve_type_info(*(struct namespace_proxy *)0, TYPE_EXISTS);
	return result ? skb->len : 0;
}

LICENSE("Dual MIT/GPL");
