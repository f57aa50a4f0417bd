//! Calls of the program's own functions.

use bpf::insn::{CallTarget, Reg};

use super::object::works_on_graphs;
use super::{Flow, Walker};
use crate::program::Meaning;
use crate::program::prototype::{Argument, Signature};
use crate::state::{Frame, Kind, Register};
use crate::stop::{Check, Stop, gap, refuse, refuse_register};
use crate::verdict::Rule;

/// Frames on one path.
const MAX_FRAMES: usize = 8;

const SPIN_UNLOCK: i32 = 94;

impl Walker<'_> {
    pub(super) fn call(&mut self, target: CallTarget, meaning: &Meaning) -> Check<Flow> {
        if self.state.lock.is_some() {
            let allowed = match target {
                CallTarget::Helper(id) => id == SPIN_UNLOCK,
                CallTarget::Subprogram(_) => !matches!(meaning, Meaning::Kfunc(_)),
                CallTarget::Kfunc(_) => false,
            };
            let on_graph = matches!(meaning, Meaning::Kfunc(name) if works_on_graphs(name));
            if !allowed && !on_graph && !matches!(meaning, Meaning::Function(_)) {
                return refuse(
                    Rule::CallWhileLocked,
                    "function calls are not allowed while holding a lock",
                );
            }
        }
        match (target, meaning) {
            (_, Meaning::Function(function)) => self.call_function(*function),
            (_, Meaning::Kfunc(name)) => self.call_kernel(name),
            (CallTarget::Helper(id), _) => self.call_helper(id),
            (CallTarget::Subprogram(_) | CallTarget::Kfunc(_), _) => {
                gap("a call whose target is not known")
            }
        }
    }

    fn call_function(&mut self, function: usize) -> Check<Flow> {
        if self.program.subprograms[function].global {
            return self.call_global(function);
        }
        self.enter(function, self.insn)?;
        let start = self.program.subprograms[function].start;
        Ok(Flow::To(start))
    }

    /// Adds a frame with the caller's arguments.
    fn enter(&mut self, function: usize, site: usize) -> Check {
        let number = self.state.frames.len();
        if number >= MAX_FRAMES {
            return refuse(
                Rule::CallDepth,
                format!("the call stack of {} frames is too deep", number + 1),
            );
        }
        let mut frame = Frame::new(number, function, Some(site));
        frame.registers[1..6].copy_from_slice(&self.state.frame().registers[1..6]);
        self.clear_caller_saved();
        self.state.frames.push(frame);
        Ok(())
    }

    /// A global function is walked by itself, so here only its arguments are checked.
    fn call_global(&mut self, function: usize) -> Check<Flow> {
        let subprogram = &self.program.subprograms[function];
        let name = subprogram.name.clone();
        let section = if self.state.lock.is_some() {
            Some("while holding a lock")
        } else {
            None
        };
        if let Some(section) = section {
            return refuse(
                Rule::CallWhileLocked,
                format!(
                    "global function calls are not allowed {section},\nuse static function instead"
                ),
            );
        }
        if self.state.sleepable && (self.state.rcu != 0 || self.state.preempt != 0) {
            return gap("global functions inside RCU or preemption sections of sleepable programs");
        }
        let signature = subprogram.signature.clone();
        let changes_packet = subprogram.changes_packet;
        let checked = match &signature {
            Signature::Known(arguments) => self.check_arguments(arguments),
            Signature::Refused(message) => refuse(Rule::FunctionType, message.clone()),
            Signature::Missing => gap("global function without a type"),
        };
        if let Err(Stop::Refused {
            text,
            registers,
            rule,
            ..
        }) = checked
        {
            return Err(Stop::Refused {
                rule,
                text: format!("{text}\nCaller passes invalid args into func#{function} ('{name}')"),
                registers,
                insn: None,
            });
        }
        checked?;
        if changes_packet {
            self.forget_packets();
        }
        self.called.insert(function);
        self.clear_caller_saved();
        self.set(0, Register::UNKNOWN);
        Ok(Flow::Next)
    }

    fn check_arguments(&mut self, arguments: &[Argument]) -> Check {
        for (index, argument) in arguments.iter().enumerate() {
            let number = index as u8 + 1;
            let register = *self.reg(number);
            match argument {
                Argument::Number => {
                    if !register.is_scalar() {
                        return refuse_register(
                            Rule::FunctionArgument,
                            number,
                            format!("R{number} is not a scalar"),
                        );
                    }
                }
                Argument::Context => {
                    if register.kind != Kind::Context {
                        return refuse_register(
                            Rule::FunctionArgument,
                            number,
                            format!("arg#{index} expects pointer to ctx"),
                        );
                    }
                    self.check_unmoved(&register, number, register.kind, false)?;
                }
                Argument::Memory { size, nullable } => {
                    self.check_readable(Reg(number))?;
                    self.check_argument_offset(number)?;
                    self.check_memory_argument(number, *size)?;
                    if !nullable && register.kind.is_nullable() {
                        return refuse_register(
                            Rule::FunctionArgument,
                            number,
                            format!("arg#{index} is expected to be non-NULL"),
                        );
                    }
                    if !nullable && register.is_null() {
                        return refuse_register(
                            Rule::FunctionArgument,
                            number,
                            format!("arg#{index} is expected to be non-NULL"),
                        );
                    }
                }
                Argument::Other(what) => return gap(*what),
            }
        }
        Ok(())
    }

    /// Memory that a global function may read and write.
    fn check_memory_argument(&mut self, number: u8, size: u32) -> Check {
        let register = *self.reg(number);
        if register.is_null() {
            return Ok(());
        }
        self.reg_mut(number).kind = register.kind.not_null();
        let mut result = Ok(());
        for write in [false, true] {
            result = result
                .and_then(|()| self.check_helper_memory(number, size.into(), write, true, None));
        }
        self.reg_mut(number).kind = register.kind;
        result
    }
}
