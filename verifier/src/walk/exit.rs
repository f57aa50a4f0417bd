//! Ends: of a function, of the program, and what must be given back before.

use bpf::program_type::{AttachType, ProgramType};

use super::{Flow, Walker};
use crate::domain::Value;
use crate::forget;
use crate::state::{Kind, ReturnRange};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    pub(super) fn exit(&mut self) -> Check<Flow> {
        let outermost = self.state.current() == 0;
        self.check_nothing_held("BPF_EXIT instruction in main prog", outermost)?;
        if !outermost {
            return self.leave().map(Flow::To);
        }
        self.check_return_value()?;
        Ok(Flow::End)
    }

    /// Nothing may be held that `what` would lose.
    pub(super) fn check_nothing_held(&self, what: &str, locks: bool) -> Check {
        if locks && let Some(reference) = self.state.references.first() {
            return refuse(
                Rule::ReferenceLeak,
                format!(
                    "Unreleased reference id={} alloc_insn={}\n{what} would lead to reference leak",
                    reference.id, reference.insn
                ),
            );
        }
        if !locks {
            return Ok(());
        }
        let section = if self.state.lock.is_some() {
            "bpf_spin_lock-ed"
        } else if self.state.rcu != 0 {
            "bpf_rcu_read_lock-ed"
        } else if self.state.preempt != 0 {
            "bpf_preempt_disable-ed"
        } else {
            return Ok(());
        };
        refuse(
            Rule::LockHeld,
            format!("{what} cannot be used inside {section} region"),
        )
    }

    /// Returns from a function; gives the instruction that control goes on with.
    pub(super) fn leave(&mut self) -> Check<usize> {
        let Some(callee) = self.state.frames.last() else {
            return gap("no frame");
        };
        let result = callee.registers[0];
        let Some(site) = callee.call_site else {
            return gap("return from an entry");
        };
        if matches!(result.kind, Kind::Stack(_)) {
            return refuse_register(
                Rule::ReturnsPointer,
                0,
                "cannot return stack pointer to the caller",
            );
        }
        let callback = callee.callback;
        if let Some(range) = callback {
            if !result.is_scalar() {
                return refuse_register(Rule::ReturnValue, 0, "R0 not a scalar value");
            }
            self.mark_precise(0)?;
            let result = *self.reg(0);
            if !is_within(&result.value, range) {
                return refuse_return(&result.value, range, "At callback return");
            }
        }
        self.state.frames.pop();
        if callback.is_none() {
            // Nothing of the callee's stack is left to point to.
            self.set(0, result);
            return Ok(site + 1);
        }
        if let Some(old) = self
            .earlier_at(site, self.state.depth)
            .and_then(|id| self.kept[id].as_ref())
        {
            forget::widen(old, &mut self.state, self.last_id);
        }
        // The call is walked again: the callback may be called once more, or not.
        Ok(site)
    }

    fn check_return_value(&mut self) -> Check {
        let frame = &self.state.frames[0];
        let is_exception =
            self.program.exception_callbacks.first() == Some(&Some(frame.subprogram));
        let in_callback = frame.asynchronous;
        let is_subprogram = frame.subprogram != 0 && !is_exception;
        self.check_readable(bpf::insn::Reg(0))?;
        let result = *self.reg(0);
        if in_callback {
            return self.enforce_return((0, 0), "At async callback return");
        }
        if is_subprogram {
            if !result.is_scalar() {
                return refuse_register(
                    Rule::ReturnValue,
                    0,
                    format!(
                        "At subprogram exit the register R0 is not a scalar value ({})",
                        result.kind.name()
                    ),
                );
            }
            return Ok(());
        }
        match return_range(self.program.program_type, self.program.attach_type) {
            Some(range) => self.enforce_return(range, "At program exit"),
            None => Ok(()),
        }
    }

    /// Whether the program type limits what a program may return.
    pub(super) fn limits_return(&self) -> bool {
        return_range(self.program.program_type, self.program.attach_type).is_some()
    }

    fn enforce_return(&mut self, range: ReturnRange, place: &str) -> Check {
        let result = *self.reg(0);
        if !result.is_scalar() {
            return refuse_register(
                Rule::ReturnValue,
                0,
                format!(
                    "{place} the register R0 is not a known value ({})",
                    result.kind.name()
                ),
            );
        }
        self.mark_precise(0)?;
        if is_within(&result.value, range) {
            return Ok(());
        }
        refuse_return(&result.value, range, place)
    }
}

fn is_within(value: &Value, (min, max): ReturnRange) -> bool {
    min <= value.smin && value.smax <= max
}

fn refuse_return<T>(value: &Value, (min, max): ReturnRange, place: &str) -> Check<T> {
    let mut text = format!("{place} the register R0 has");
    if value.smin > i64::MIN {
        text += &format!(" smin={}", value.smin);
    }
    if value.smax < i64::MAX {
        text += &format!(" smax={}", value.smax);
    }
    if value.smin == i64::MIN && value.smax == i64::MAX {
        text += " unknown scalar value";
    }
    text += &format!(" should have been in [{min}, {max}]");
    refuse_register(Rule::ReturnValue, 0, text)
}

/// What a program of a type may return, if that is limited.
fn return_range(program_type: ProgramType, attach: Option<AttachType>) -> Option<ReturnRange> {
    use AttachType as At;
    use ProgramType::*;
    match program_type {
        CgroupSockAddr => Some(match attach {
            Some(
                At::CgroupUdp4Recvmsg
                | At::CgroupUdp6Recvmsg
                | At::CgroupUnixRecvmsg
                | At::CgroupInet4Getpeername
                | At::CgroupInet6Getpeername
                | At::CgroupUnixGetpeername
                | At::CgroupInet4Getsockname
                | At::CgroupInet6Getsockname
                | At::CgroupUnixGetsockname,
            ) => (1, 1),
            Some(At::CgroupInet4Bind | At::CgroupInet6Bind) => (0, 3),
            _ => (0, 1),
        }),
        CgroupSkb if attach == Some(At::CgroupInetEgress) => Some((0, 3)),
        CgroupSkb | CgroupSock | SockOps | CgroupDevice | CgroupSysctl | CgroupSockopt
        | SkLookup | Netfilter => Some((0, 1)),
        Kprobe if attach == Some(At::TraceKprobeSession) => Some((0, 1)),
        _ => None,
    }
}
