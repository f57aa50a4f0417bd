//! The loop over instructions, and the paths that wait.

use bpf::insn::{CallTarget, DecodeError, Insn};

use super::constant::replaced;
use super::{Flow, MAX_PENDING, MAX_PROCESSED, Pending, Walker};
use crate::program::prototype::{Argument, Signature};
use crate::state::{Frame, Kind, NO_INSN, Register, State};
use crate::stop::{Check, gap, refuse};
use crate::verdict::Rule;

/// Opcodes whose fields have messages of their own.
const MAY_GOTO: u8 = 0xe5;
const ATOMIC: u8 = 0xc3;

impl Walker<'_> {
    /// Walks the main function, then each global function that a walk called, each by itself.
    pub(crate) fn walk_all(&mut self) -> Check {
        self.walk_function(0)?;
        let mut done = vec![0];
        while let Some(function) = self.called.iter().copied().find(|one| !done.contains(one)) {
            self.walk_function(function)?;
            done.push(function);
        }
        Ok(())
    }

    fn walk_function(&mut self, function: usize) -> Check {
        let start = self.program.subprograms[function].start;
        let frame = Frame::new(0, function, None);
        self.state = State::entry(frame, start as u32, self.program.sleepable);
        self.pending.clear();
        self.kept.clear();
        self.ways.clear();
        self.loops.clear();
        self.seen.clear();
        self.history.clear();
        self.alive = 0;
        self.insn = start;
        self.previous = NO_INSN;
        if function == 0 {
            self.set(1, Register::pointer(Kind::Context));
        } else {
            self.set_arguments(function)?;
        }
        self.run()
    }

    /// Sets the arguments of a global function to anything of their types.
    fn set_arguments(&mut self, function: usize) -> Check {
        let arguments = match &self.program.subprograms[function].signature {
            Signature::Known(arguments) => {
                let handles = self.program.exception_callbacks.contains(&Some(function));
                if handles && arguments.as_slice() != [Argument::Number] {
                    return refuse(
                        Rule::FunctionType,
                        "exception cb only supports single integer argument",
                    );
                }
                arguments.clone()
            }
            Signature::Refused(message) => return refuse(Rule::FunctionType, message.clone()),
            Signature::Missing => return gap("global function without a type"),
        };
        for (number, argument) in (1..).zip(arguments) {
            let register = match argument {
                Argument::Number => Register::UNKNOWN,
                Argument::Context => Register::pointer(Kind::Context),
                Argument::Memory { size, nullable } => Register {
                    id: self.new_id(),
                    ..Register::pointer(Kind::Memory {
                        size,
                        nullable,
                        read_only: false,
                        ringbuf: false,
                    })
                },
                Argument::Other(what) => return gap(what),
            };
            self.set(number, register);
        }
        Ok(())
    }

    fn run(&mut self) -> Check {
        loop {
            self.entry_open = false;
            if self.insn >= self.program.ops.len() {
                return gap("control past the last instruction");
            }
            self.stats.processed += 1;
            self.visits[self.insn] += 1;
            if self.stats.processed > MAX_PROCESSED {
                let processed = self.stats.processed;
                return refuse(
                    Rule::TooComplex,
                    format!("BPF program is too large. Processed {processed} insn"),
                );
            }
            self.state.last_insn = self.previous;
            self.record_arrival();
            let flow = if self.shape.prune[self.insn] && self.is_covered()? {
                Flow::End
            } else {
                if self.shape.jump[self.insn] {
                    self.note_place();
                }
                self.previous = self.insn as u32;
                self.record_before();
                self.step()?
            };
            let next = match flow {
                Flow::Next => self.insn + self.program.ops[self.insn].slots(),
                Flow::To(insn) => insn,
                Flow::End => {
                    self.finish_path()?;
                    if self.resume() {
                        continue;
                    }
                    return Ok(());
                }
            };
            self.record_after(next);
            self.insn = next;
        }
    }

    /// Continues the path that waits last.
    fn resume(&mut self) -> bool {
        let Some(pending) = self.pending.pop() else {
            return false;
        };
        self.state = pending.state;
        self.record_resumed(pending.before.as_deref(), pending.insn);
        self.insn = pending.insn;
        self.previous = pending.previous;
        true
    }

    /// Lets a copy of the present state wait at an instruction, and returns it.
    fn push(&mut self, insn: usize) -> Check<&mut State> {
        if self.pending.len() + 1 > MAX_PENDING {
            return refuse(
                Rule::TooComplex,
                format!("The sequence of {} jumps is too complex.", MAX_PENDING + 1),
            );
        }
        let mut state = self.state.clone();
        // The entry of the present instruction belongs to the way to the copy, too.
        state.history.1 = self.state.history.1;
        if let Some(parent) = state.parent.and_then(|id| self.kept[id].as_mut()) {
            parent.branches += 1;
        }
        state.branches = 1;
        let previous = self.insn as u32;
        let index = self.pending.len();
        self.pending.push(Pending {
            state,
            insn,
            previous,
            before: self.recorded_before(),
        });
        self.count_peak();
        Ok(&mut self.pending[index].state)
    }

    /// [`Walker::push`] for other files of the walk.
    pub(super) fn push_branch(&mut self, insn: usize) -> Check<&mut State> {
        self.push(insn)
    }

    pub(super) fn push_state(&mut self, state: State, insn: usize) -> Check {
        if self.pending.len() + 1 > MAX_PENDING {
            return refuse(
                Rule::TooComplex,
                format!("The sequence of {} jumps is too complex.", MAX_PENDING + 1),
            );
        }
        let previous = self.insn as u32;
        self.pending.push(Pending {
            state,
            insn,
            previous,
            before: None,
        });
        Ok(())
    }

    pub(super) fn count_peak(&mut self) {
        let alive = self.alive + self.pending.len() as u32;
        self.stats.peak_states = self.stats.peak_states.max(alive);
    }

    fn step(&mut self) -> Check<Flow> {
        let program = self.program;
        let op = &program.ops[self.insn];
        let insn = match &op.insn {
            Ok(Some(insn)) => *insn,
            Ok(None) => return gap("control into the middle of an instruction"),
            Err(error) => return self.refuse_undecoded(error),
        };
        self.check_known(&insn)?;
        match insn {
            Insn::Alu { .. } | Insn::Neg { .. } | Insn::Movsx { .. } | Insn::Endian { .. } => {
                self.alu(insn)?;
                self.meet_relocation(op.relocation, replaced(&insn))?;
                Ok(Flow::Next)
            }
            Insn::AddrSpaceCast { .. } => gap("arenas"),
            Insn::LoadImm64 { dst, imm, .. } => {
                self.load_constant(dst, imm)?;
                self.meet_relocation(op.relocation, Some(dst))?;
                Ok(Flow::Next)
            }
            Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::LoadAcquire { .. }
            | Insn::StoreRelease { .. }
            | Insn::Atomic { .. } => {
                self.memory_instruction(insn)?;
                // Offsets in contexts are relocated too, which changes none of them.
                if self.options.loader_decides {
                    self.meet_relocation(op.relocation, None)?;
                }
                Ok(Flow::Next)
            }
            Insn::LoadAbs { .. } => self.packet_load(None),
            Insn::LoadInd { src, .. } => self.packet_load(Some(src)),
            Insn::Goto { offset, .. } => {
                self.jumps += 1;
                Ok(Flow::To(self.target(offset)))
            }
            Insn::MayGoto { .. } => {
                self.jumps += 1;
                self.may_goto()
            }
            Insn::Gotox { .. } => gap("indirect jumps"),
            Insn::Branch {
                width,
                cond,
                dst,
                src,
                offset,
            } => {
                self.jumps += 1;
                self.branch(width, cond, dst, src, offset)
            }
            Insn::Call { target } => {
                self.jumps += 1;
                self.call(target, &op.meaning)
            }
            Insn::Callx { .. } => refuse(
                Rule::UnknownInstruction,
                format!("unknown opcode {:02x}", op.slot.opcode),
            ),
            Insn::Exit => {
                self.jumps += 1;
                self.exit()
            }
        }
    }

    /// The instruction that a jump of this distance leads to.
    pub(super) fn target(&self, offset: i32) -> usize {
        let target = self.insn as i64 + 1 + i64::from(offset);
        usize::try_from(target).unwrap_or(usize::MAX)
    }

    fn refuse_undecoded(&self, error: &DecodeError) -> Check<Flow> {
        let opcode = self.program.ops[self.insn].slot.opcode;
        match error {
            DecodeError::UnknownOpcode { .. } => refuse(
                Rule::UnknownInstruction,
                format!("unknown opcode {opcode:02x}"),
            ),
            DecodeError::NoSuchRegister { value, .. } => {
                refuse(Rule::UninitialisedRegister, format!("R{value} is invalid"))
            }
            DecodeError::Truncated { .. } | DecodeError::Empty => {
                refuse(Rule::UnknownInstruction, "invalid bpf_ld_imm64 insn")
            }
            DecodeError::Reserved { .. } if opcode == MAY_GOTO => {
                let imm = self.program.ops[self.insn].slot.imm;
                refuse(Rule::ReservedField, format!("invalid may_goto imm {imm}"))
            }
            DecodeError::Meaningless { value, .. } if opcode & 0xe7 == ATOMIC => {
                let wide = matches!(opcode & 0x18, 0 | 0x18);
                let text = if wide {
                    format!("BPF_ATOMIC uses invalid atomic opcode {value:02x}")
                } else {
                    "invalid atomic operand size".to_owned()
                };
                refuse(Rule::ReservedField, text)
            }
            DecodeError::Reserved { .. } | DecodeError::Meaningless { .. } => {
                let class = match opcode & 7 {
                    0 if opcode == 0x18 => "BPF_LD_IMM64",
                    0 => "BPF_LD_[ABS|IND]",
                    1 => "BPF_LDX",
                    2 => "BPF_ST",
                    3 => "BPF_STX",
                    5 | 6 => match opcode & 0xf0 {
                        0x00 => "BPF_JA",
                        0x80 => "BPF_CALL",
                        0x90 => "BPF_EXIT",
                        _ => "BPF_JMP/JMP32",
                    },
                    _ => match opcode & 0xf0 {
                        0x80 => "BPF_NEG",
                        0xb0 => "BPF_MOV",
                        0xd0 => "BPF_END",
                        _ => "BPF_ALU",
                    },
                };
                refuse(Rule::ReservedField, format!("{class} uses reserved fields"))
            }
        }
    }

    /// Instructions that the asked kernel does not have.
    fn check_known(&self, insn: &Insn) -> Check {
        let kernel = self.options.kernel;
        let known = match insn {
            Insn::Movsx { .. } | Insn::Load { signed: true, .. } => kernel.knows_v4(),
            Insn::Goto { long: true, .. } => kernel.knows_v4(),
            Insn::MayGoto { .. } | Insn::AddrSpaceCast { .. } => kernel.knows_may_goto(),
            Insn::LoadAcquire { .. } | Insn::StoreRelease { .. } => kernel.knows_acquire_release(),
            Insn::Call {
                target: CallTarget::Kfunc(_),
            } => kernel != crate::version::Kernel::V5_10,
            _ => true,
        };
        if known {
            return Ok(());
        }
        let opcode = self.program.ops[self.insn].slot.opcode;
        refuse(
            Rule::UnknownInstruction,
            format!("unknown opcode {opcode:02x}"),
        )
    }
}
