// CO-RE records, ksyms and kconfig externs, weak symbols.
#include "bpf.h"
struct task { int pid, tgid; struct task *parent; char name[16]; } __attribute__((preserve_access_index));
struct event { u32 pid, parent; char name[16]; u64 time; };
struct { __uint(type, 27); __uint(max_entries, 4096); } events SEC(".maps");
extern int kernel_function(u64) __attribute__((section(".ksyms")));
extern int CONFIG_HZ __attribute__((section(".kconfig"))) __attribute__((weak));
extern const void init_task __attribute__((section(".ksyms"), weak));
static NOINLINE int pid_of(struct task *task) {
    int pid;
    probe_read(&pid, 4, &task->pid);
    return pid;
}
NOINLINE int square(int x) { return x * x + 1; }
SEC("kprobe/do_exit") int probe(void *ctx) {
    struct task *task = ctx, *parent;
    struct event event = {};
    probe_read(&parent, 8, &task->parent);
    event.pid = pid_of(task);
    event.parent = pid_of(parent);
    probe_read(event.name, 16, &task->name);
    event.time = ktime();
    map_update(&events, &event, &event, 0);
    return kernel_function(event.time) + CONFIG_HZ + (long)&init_task + square(event.pid);
}
SEC("fentry/x") int entered(u64 *ctx) { return square(ctx[0]); }
