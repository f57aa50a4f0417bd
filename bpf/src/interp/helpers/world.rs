//! Time, random numbers, CPU, task, sockets, locks: the system around the program, all fixed.

use crate::interp::errno::{EFAULT, EINVAL, ENOENT};
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;

use super::Call;

/// Ticks a second of the imagined kernel.
const HZ: u64 = 250;
/// Process and thread.
const TASK: u64 = 1000;
/// Name of the task.
const COMM: &[u8] = b"task";
/// An address where the kernel would have its task: never mapped here.
const KERNEL_POINTER: u64 = 0xffff_8880_0000_0000;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "ktime_get_ns" | "ktime_get_boot_ns" | "ktime_get_coarse_ns" | "ktime_get_tai_ns" => {
            machine.options.clock
        }
        "jiffies64" => machine.options.clock / (1_000_000_000 / HZ),
        "get_prandom_u32" => random(machine) & 0xffff_ffff,
        "get_smp_processor_id" | "get_numa_node_id" => 0,
        "get_current_pid_tgid" => TASK << 32 | TASK,
        "get_ns_current_pid_tgid" => {
            let id = (TASK << 32 | TASK).to_le_bytes();
            if call.size(3) != 8 {
                return Ok(Some(EINVAL));
            }
            call.write(machine, 2, &id)?;
            0
        }
        "get_current_uid_gid" => 0,
        "get_current_comm" => {
            let size = usize::try_from(call.size(1)).unwrap_or(0).min(1 << 16);
            let mut name = COMM.to_vec();
            name.resize(size.max(1), 0);
            name.truncate(size);
            if let Some(last) = name.last_mut() {
                *last = 0;
            }
            call.write(machine, 0, &name)?;
            0
        }
        "get_current_task" | "get_current_task_btf" | "task_pt_regs" => KERNEL_POINTER,
        "get_current_cgroup_id"
        | "skb_cgroup_id"
        | "get_current_ancestor_cgroup_id"
        | "skb_ancestor_cgroup_id"
        | "sk_cgroup_id"
        | "sk_ancestor_cgroup_id"
        | "get_socket_cookie"
        | "get_netns_cookie" => 1,
        "get_cgroup_classid"
        | "skb_cgroup_classid"
        | "get_route_realm"
        | "get_socket_uid"
        | "skb_under_cgroup"
        | "current_task_under_cgroup"
        | "get_attach_cookie" => 0,
        "get_func_ip" => KERNEL_POINTER,
        // Nothing is there to measure, override or send to.
        "override_return"
        | "send_signal"
        | "send_signal_thread"
        | "set_retval"
        | "get_retval"
        | "setsockopt"
        | "sock_ops_cb_flags_set"
        | "bind"
        | "set_hash_invalid"
        | "skb_set_tstamp"
        | "probe_write_user"
        | "perf_event_read"
        | "msg_apply_bytes"
        | "msg_cork_bytes"
        | "sk_assign"
        | "bprm_opts_set"
        | "sys_close" => 0,
        "getsockopt" => {
            let size = usize::try_from(call.size(4)).unwrap_or(0);
            call.write(machine, 3, &vec![0; size.min(1 << 16)])?;
            0
        }
        "perf_event_read_value" => {
            let size = usize::try_from(call.size(3)).unwrap_or(0);
            call.write(machine, 2, &vec![0; size.min(1 << 16)])?;
            ENOENT
        }
        "perf_prog_read_value" => {
            let size = usize::try_from(call.size(2)).unwrap_or(0);
            call.write(machine, 1, &vec![0; size.min(1 << 16)])?;
            EINVAL
        }
        "get_stackid" => 1,
        "get_stack" | "get_task_stack" => EFAULT,
        // No sockets besides the packet's own.
        "sk_lookup_tcp"
        | "sk_lookup_udp"
        | "skc_lookup_tcp"
        | "tcp_sock"
        | "get_listener_sock"
        | "skc_to_tcp_timewait_sock"
        | "skc_to_tcp_request_sock"
        | "skc_to_mptcp_sock"
        | "skc_to_unix_sock"
        | "sock_from_file" => 0,
        "sk_fullsock" | "skc_to_tcp_sock" | "skc_to_tcp6_sock" | "skc_to_udp6_sock" => call.args[0],
        "sk_release" => 0,
        // One thread: a lock is always free.
        "spin_lock" | "spin_unlock" => 0,
        "timer_init" | "timer_set_callback" | "timer_start" | "timer_cancel" => 0,
        "per_cpu_ptr" | "this_cpu_ptr" => call.args[0],
        "kptr_xchg" => {
            let old = machine.memory.load(call.args[0], 8)?;
            machine.memory.store(call.args[0], 8, call.args[1])?;
            old
        }
        "fib_lookup" => 4,
        _ => return Ok(None),
    }))
}

/// Xorshift: short, and never zero from a seed that is not.
fn random(machine: &mut Machine) -> u64 {
    let mut value = machine.random.max(1);
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
    machine.random = value;
    value.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
}
