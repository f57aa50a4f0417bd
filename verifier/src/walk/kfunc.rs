//! Kernel functions that programs call by name.
//!
//! Which program types may call them depends on how a kernel registers them; those here are for all
//! types, apart from `bpf_throw`.

use bpf::insn::Reg;
use bpf::program_type::ProgramType;

use super::object::works_on_graphs;
use super::{Flow, Walker};
use crate::program::Program;
use crate::state::Register;
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

/// Ends the program from any depth of calls.
pub(crate) const THROW: &str = "bpf_throw";

impl Walker<'_> {
    pub(super) fn call_kernel(&mut self, name: &str) -> Check<Flow> {
        match name {
            THROW => return self.throw(),
            "bpf_rcu_read_lock" => {
                if self.state.rcu != 0 {
                    return gap("nested RCU sections");
                }
                self.state.rcu = 1;
            }
            "bpf_rcu_read_unlock" => {
                if self.state.rcu == 0 {
                    return refuse(
                        Rule::LockMissing,
                        format!("unmatched rcu read unlock (kernel function {name})"),
                    );
                }
                self.state.rcu -= 1;
            }
            "bpf_preempt_disable" => self.state.preempt += 1,
            "bpf_preempt_enable" => {
                if self.state.preempt == 0 {
                    return refuse(
                        Rule::LockMissing,
                        format!("unmatched attempt to enable preemption (kernel function {name})"),
                    );
                }
                self.state.preempt -= 1;
            }
            "bpf_iter_num_new" => return self.new_iterator(),
            "bpf_iter_num_next" => return self.next_of_iterator(),
            "bpf_iter_num_destroy" => return self.destroy_iterator(),
            "bpf_obj_new_impl" | "bpf_obj_drop_impl" => return self.call_on_objects(name),
            name if works_on_graphs(name) => return self.call_on_objects(name),
            name if name.starts_with("bpf_dynptr_") => return self.call_dynptr(name),
            _ => return gap(format!("kernel function {name}")),
        }
        self.clear_caller_saved();
        Ok(Flow::Next)
    }

    /// The register must hold a number.
    pub(super) fn check_number(&self, register: u8) -> Check {
        self.check_readable(Reg(register))?;
        if self.reg(register).is_scalar() {
            return Ok(());
        }
        refuse_register(
            Rule::ArgumentType,
            register,
            format!("R{register} is not a scalar"),
        )
    }

    pub(super) fn set_number_result(&mut self) {
        self.clear_caller_saved();
        self.set(0, Register::UNKNOWN);
    }

    fn throw(&mut self) -> Check<Flow> {
        use ProgramType::*;
        if !matches!(
            self.program.program_type,
            SchedCls | Xdp | Syscall | CgroupSkb | Tracing | StructOps
        ) {
            return gap("bpf_throw in this type of program");
        }
        self.check_number(1)?;
        if self.program.exception_callbacks.is_empty() && self.limits_return() {
            return gap("bpf_throw in programs whose result is limited");
        }
        self.check_nothing_held(THROW, true)?;
        Ok(Flow::End)
    }
}

/// Whether a slot calls `bpf_throw`.
#[must_use]
pub(crate) fn throws(program: &Program, slot: usize) -> bool {
    matches!(
        &program.ops[slot].meaning,
        crate::program::Meaning::Kfunc(name) if name == THROW
    )
}
