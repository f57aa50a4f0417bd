//! The step loop over bytecode.
//!
//! Calls of subprograms keep their frames in a list; callbacks from helpers nest the loop itself,
//! and both together are at most eight deep, as in the kernel. Registers that a call destroys get
//! a pattern, so that a use of them shows when two runs are compared.

use crate::insn::{AtomicOp, CallTarget, Insn, MemWidth, Operand, Width};

use super::alu;
use super::fault::{Fault, FaultKind};
use super::image::{Code, Image, Step, pseudo};
use super::machine::{FRAME_SIZE, Machine, Outcome};
use super::memory::{Meaning, Memory, RegionId};

/// `MAX_CALL_FRAMES`
const DEPTH_LIMIT: usize = 8;
/// Rounds that `may_goto` allows a frame: `BPF_MAX_LOOPS`.
const MAY_GOTO_LIMIT: u32 = 8 << 20;
/// What a call leaves in the registers that it destroys.
const DESTROYED: u64 = 0xdead_beef_dead_beef;
/// Helper that the conformance vectors use to unwind (uBPF's convention).
const UNWIND: i32 = 5;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The result.
    pub r0: u64,
    /// Instructions executed.
    pub steps: u64,
}

/// An image decoded for running.
#[derive(Clone, Debug)]
pub struct Interpreter {
    programs: Vec<Code>,
    /// Whether helper 5 is the conformance vectors' unwinding function.
    pub(super) conformance: bool,
}

struct Frame {
    program: usize,
    return_to: usize,
    saved: [u64; 4],
    stack: RegionId,
    frame_pointer: u64,
    rounds: u32,
}

/// Counts shared by the loop and the loops nested in it.
struct Execution<'code> {
    interpreter: &'code Interpreter,
    steps: u64,
    limit: u64,
    depth: usize,
}

/// Where control goes after an instruction.
enum Next {
    Go(usize),
    Call(usize),
    Return,
    TailCall(u32),
    Unwind,
}

impl Interpreter {
    /// Decodes the programs of an image.
    #[must_use]
    pub fn new(image: &Image) -> Interpreter {
        let programs = image.programs.iter().map(Code::new).collect();
        Interpreter {
            programs,
            conformance: false,
        }
    }

    /// Runs a program by its place in the image on the machine's context.
    ///
    /// # Errors
    /// [`Fault`], with the place where it happened.
    pub fn run(&self, machine: &mut Machine, program: usize) -> Result<Run, Fault> {
        let context = machine.context_address();
        self.run_with(machine, program, [context, 0, 0, 0, 0])
    }

    /// Runs a program with these argument registers.
    ///
    /// # Errors
    /// [`Fault`], with the place where it happened.
    pub fn run_with(
        &self,
        machine: &mut Machine,
        program: usize,
        args: [u64; 5],
    ) -> Result<Run, Fault> {
        let limit = machine.options().step_limit;
        machine.tail_calls = 0;
        let mut execution = Execution {
            interpreter: self,
            steps: 0,
            limit,
            depth: 0,
        };
        let r0 = execution.function(machine, program, 0, args)?;
        Ok(Run {
            r0,
            steps: execution.steps,
        })
    }
}

fn operand(registers: &[u64; 12], operand: Operand) -> u64 {
    match operand {
        Operand::Reg(reg) => registers[usize::from(reg.0)],
        Operand::Imm(imm) => i64::from(imm).cast_unsigned(),
    }
}

fn offset(base: u64, offset: i16) -> u64 {
    base.wrapping_add_signed(i64::from(offset))
}

impl Execution<'_> {
    fn code(&self, program: usize) -> Result<&Code, Fault> {
        let code = self.interpreter.programs.get(program);
        code.ok_or_else(|| FaultKind::BadTarget(-1).into())
    }

    fn enter(
        &mut self,
        machine: &mut Machine,
        program: usize,
        return_to: usize,
        registers: &mut [u64; 12],
    ) -> Result<Frame, Fault> {
        if self.depth >= DEPTH_LIMIT {
            return Err(FaultKind::CallDepth(DEPTH_LIMIT).into());
        }
        let (address, stack) = machine.push_frame(FRAME_SIZE)?;
        self.depth += 1;
        let saved = [registers[6], registers[7], registers[8], registers[9]];
        let frame_pointer = address + FRAME_SIZE as u64;
        registers[10] = frame_pointer;
        Ok(Frame {
            program,
            return_to,
            saved,
            stack,
            frame_pointer,
            rounds: 0,
        })
    }

    fn leave(&mut self, machine: &mut Machine, frame: &Frame, registers: &mut [u64; 12]) {
        machine.pop_frame(frame.stack);
        self.depth -= 1;
        registers[6..10].copy_from_slice(&frame.saved);
        registers[1..6].fill(DESTROYED);
    }

    /// Runs a function to its end: the program itself, or a callback.
    fn function(
        &mut self,
        machine: &mut Machine,
        program: usize,
        entry: usize,
        args: [u64; 5],
    ) -> Result<u64, Fault> {
        let mut registers = [0; 12];
        registers[1..6].copy_from_slice(&args);
        let mut frame = self.enter(machine, program, 0, &mut registers)?;
        let mut callers: Vec<Frame> = Vec::new();
        let mut at = entry;
        loop {
            let next = match self.step(machine, &mut frame, &mut registers, at) {
                Ok(next) => next,
                Err(fault) => {
                    let code = self.code(frame.program)?;
                    let (function, slot) = code.place(at);
                    return Err(fault.at(function, slot));
                }
            };
            match next {
                Next::Go(target) => at = target,
                Next::Call(target) => {
                    let program = frame.program;
                    let inner = self.enter(machine, program, at + 1, &mut registers);
                    let inner = match inner {
                        Ok(inner) => inner,
                        Err(fault) => {
                            let (function, slot) = self.code(program)?.place(at);
                            return Err(fault.at(function, slot));
                        }
                    };
                    callers.push(std::mem::replace(&mut frame, inner));
                    at = target;
                }
                Next::Return => {
                    self.leave(machine, &frame, &mut registers);
                    at = frame.return_to;
                    let Some(caller) = callers.pop() else {
                        return Ok(registers[0]);
                    };
                    registers[10] = caller.frame_pointer;
                    frame = caller;
                }
                Next::TailCall(target) => {
                    // The target takes over this frame: whoever called gets its result.
                    let context = registers[1];
                    machine.pop_frame(frame.stack);
                    self.depth -= 1;
                    let saved = frame.saved;
                    let return_to = frame.return_to;
                    let mut fresh = [0; 12];
                    fresh[1] = context;
                    frame = self.enter(machine, target as usize, return_to, &mut fresh)?;
                    frame.saved = saved;
                    registers = fresh;
                    at = 0;
                }
                Next::Unwind => return Ok(registers[0]),
            }
        }
    }

    fn step(
        &mut self,
        machine: &mut Machine,
        frame: &mut Frame,
        registers: &mut [u64; 12],
        at: usize,
    ) -> Result<Next, Fault> {
        if self.steps >= self.limit {
            return Err(FaultKind::StepLimit(self.limit).into());
        }
        self.steps += 1;
        let insn = match self.code(frame.program)?.steps.get(at) {
            Some(Step::Insn(insn)) => *insn,
            Some(Step::Bad(error)) => return Err((*error).into()),
            Some(Step::Second) | None => {
                return Err(FaultKind::BadTarget(i64::try_from(at).unwrap_or(i64::MAX)).into());
            }
        };
        let next = at + insn.slots();
        let endian = machine.memory.endian();
        let (dst, value) = match insn {
            Insn::Alu {
                width,
                op,
                dst,
                src,
            } => {
                let (left, right) = (registers[usize::from(dst.0)], operand(registers, src));
                (dst, alu::binary(width, op, left, right))
            }
            Insn::Neg { width, dst } => {
                let value = registers[usize::from(dst.0)].wrapping_neg();
                (
                    dst,
                    if width == Width::W32 {
                        value & 0xffff_ffff
                    } else {
                        value
                    },
                )
            }
            Insn::Movsx {
                width,
                bits,
                dst,
                src,
            } => {
                let value = alu::sign_extend(registers[usize::from(src.0)], bits);
                (
                    dst,
                    if width == Width::W32 {
                        value & 0xffff_ffff
                    } else {
                        value
                    },
                )
            }
            Insn::AddrSpaceCast { dst, src, .. } => (dst, registers[usize::from(src.0)]),
            Insn::Endian { op, bits, dst } => (
                dst,
                alu::byte_order(op, bits, registers[usize::from(dst.0)], endian),
            ),
            Insn::LoadImm64 { dst, pseudo, imm } => (dst, constant(machine, at, pseudo.0, imm)?),
            Insn::Load {
                width,
                signed,
                dst,
                base,
                offset: by,
            } => {
                let value = machine.load(offset(registers[usize::from(base.0)], by), width)?;
                (
                    dst,
                    if signed {
                        alu::sign_extend(value, width.bits())
                    } else {
                        value
                    },
                )
            }
            Insn::LoadAcquire {
                width,
                dst,
                base,
                offset: by,
            } => (
                dst,
                machine.load(offset(registers[usize::from(base.0)], by), width)?,
            ),
            Insn::Atomic {
                width,
                op,
                fetch,
                base,
                offset: by,
                src,
            } => {
                let address = offset(registers[usize::from(base.0)], by);
                let value = registers[usize::from(src.0)];
                let old = machine.atomic(address, width, op, value, registers[0])?;
                if op == AtomicOp::Cmpxchg {
                    registers[0] = old;
                } else if fetch {
                    registers[usize::from(src.0)] = old;
                }
                return Ok(Next::Go(next));
            }
            Insn::Store { .. } | Insn::StoreRelease { .. } => {
                store(machine, registers, &insn)?;
                return Ok(Next::Go(next));
            }
            _ => return self.control(machine, frame, registers, at, &insn),
        };
        match registers.get_mut(usize::from(dst.0)) {
            Some(register) if dst.0 != 10 => *register = value,
            _ => return Err(FaultKind::FramePointer.into()),
        }
        Ok(Next::Go(next))
    }

    /// Instructions that decide where control goes, and legacy packet loads, which may end the
    /// function.
    fn control(
        &mut self,
        machine: &mut Machine,
        frame: &mut Frame,
        registers: &mut [u64; 12],
        at: usize,
        insn: &Insn,
    ) -> Result<Next, Fault> {
        let taken = match *insn {
            Insn::Goto { offset, .. } => Some(offset),
            Insn::Branch {
                width,
                cond,
                dst,
                src,
                offset,
            } => {
                let (left, right) = (registers[usize::from(dst.0)], operand(registers, src));
                alu::condition(width, cond, left, right).then_some(i32::from(offset))
            }
            Insn::MayGoto { offset } => {
                frame.rounds += 1;
                (frame.rounds > MAY_GOTO_LIMIT).then_some(i32::from(offset))
            }
            Insn::LoadAbs { width, imm } => {
                return Ok(packet_load(
                    machine,
                    registers,
                    at,
                    imm.cast_unsigned(),
                    width,
                ));
            }
            Insn::LoadInd { width, src, imm } => {
                let register = registers[usize::from(src.0)] & 0xffff_ffff;
                let offset = (register as u32).wrapping_add_signed(imm);
                return Ok(packet_load(machine, registers, at, offset, width));
            }
            Insn::Exit => return Ok(Next::Return),
            Insn::Call {
                target: CallTarget::Subprogram(distance),
            } => {
                return Ok(Next::Call(target(at, distance)?));
            }
            Insn::Call {
                target: CallTarget::Helper(UNWIND),
            } if self.interpreter.conformance => {
                registers[0] = registers[1];
                registers[1..6].fill(DESTROYED);
                if registers[0] == 0 {
                    return Ok(Next::Unwind);
                }
                None
            }
            Insn::Call {
                target: CallTarget::Helper(id),
            } => {
                return self.helper(machine, frame.program, registers, at, id.cast_unsigned());
            }
            Insn::Call {
                target: CallTarget::Kfunc(index),
            } => {
                let names = &self.code(frame.program)?.kernel_functions;
                let name = usize::try_from(index)
                    .ok()
                    .and_then(|index| names.get(index));
                kernel_function(name.map_or("?", String::as_str))?;
                registers[0] = 0;
                registers[1..6].fill(DESTROYED);
                None
            }
            Insn::Callx { dst } => {
                let value = registers[usize::from(dst.0)];
                return match machine.memory.meaning(value) {
                    Meaning::Code(slot) => Ok(Next::Call(slot as usize)),
                    _ => {
                        let id = u32::try_from(value).unwrap_or(u32::MAX);
                        let call = Insn::Call {
                            target: CallTarget::Helper(id.cast_signed()),
                        };
                        self.control(machine, frame, registers, at, &call)
                    }
                };
            }
            ref other => return Err(FaultKind::Unsupported(other.to_string()).into()),
        };
        match taken {
            Some(distance) => Ok(Next::Go(target(at, distance)?)),
            None => Ok(Next::Go(at + 1)),
        }
    }

    fn helper(
        &mut self,
        machine: &mut Machine,
        program: usize,
        registers: &mut [u64; 12],
        at: usize,
        id: u32,
    ) -> Result<Next, Fault> {
        let args = [
            registers[1],
            registers[2],
            registers[3],
            registers[4],
            registers[5],
        ];
        let outcome = machine.call_helper(id, args, &mut |machine, address, args| match machine
            .memory
            .meaning(address)
        {
            Meaning::Code(slot) => self.function(machine, program, slot as usize, args),
            _ => Err(FaultKind::BadTarget(-1).into()),
        })?;
        match outcome {
            Outcome::Value(value) => {
                registers[0] = value;
                registers[1..6].fill(DESTROYED);
                Ok(Next::Go(at + 1))
            }
            Outcome::TailCall(target) => Ok(Next::TailCall(target)),
        }
    }
}

/// The slot that a distance from the next one leads to.
fn target(at: usize, distance: i32) -> Result<usize, Fault> {
    let target = i64::try_from(at)
        .unwrap_or(i64::MAX)
        .saturating_add(1 + i64::from(distance));
    usize::try_from(target).map_err(|_| FaultKind::BadTarget(target).into())
}

fn store(machine: &mut Machine, registers: &[u64; 12], insn: &Insn) -> Result<(), Fault> {
    match *insn {
        Insn::Store {
            width,
            base,
            offset: by,
            src,
        } => {
            let address = offset(registers[usize::from(base.0)], by);
            machine.store(address, width, operand(registers, src))
        }
        Insn::StoreRelease {
            width,
            base,
            offset: by,
            src,
        } => {
            let address = offset(registers[usize::from(base.0)], by);
            machine.store(address, width, registers[usize::from(src.0)])
        }
        _ => Ok(()),
    }
}

fn packet_load(
    machine: &Machine,
    registers: &mut [u64; 12],
    at: usize,
    offset: u32,
    width: MemWidth,
) -> Next {
    registers[1..6].fill(DESTROYED);
    match machine.load_packet(offset, width) {
        Some(value) => {
            registers[0] = value;
            Next::Go(at + 1)
        }
        None => {
            registers[0] = 0;
            Next::Return
        }
    }
}

/// What an `ld_imm64` loads.
fn constant(machine: &mut Machine, at: usize, kind: u8, value: u64) -> Result<u64, Fault> {
    let unresolved = FaultKind::Unresolved {
        pseudo: kind,
        value,
    };
    let (low, high) = ((value & 0xffff_ffff) as u32, (value >> 32) as u32);
    match kind {
        pseudo::NUMBER => Ok(value),
        pseudo::MAP | pseudo::MAP_INDEX if (low as usize) < machine.maps.len() => {
            Ok(Memory::map_address(low))
        }
        pseudo::MAP_VALUE | pseudo::MAP_INDEX_VALUE => machine
            .map_value_address(low, high)?
            .ok_or_else(|| unresolved.into()),
        pseudo::FUNCTION => {
            let slot = u32::try_from(target(at, low.cast_signed())?);
            slot.map(Memory::code_address)
                .map_err(|_| unresolved.into())
        }
        _ => Err(unresolved.into()),
    }
}

/// Kernel functions that change nothing here and return 0.
///
/// # Errors
/// [`FaultKind::Unsupported`] for all others.
pub fn kernel_function(name: &str) -> Result<(), Fault> {
    match name {
        "bpf_rcu_read_lock"
        | "bpf_rcu_read_unlock"
        | "bpf_preempt_disable"
        | "bpf_preempt_enable" => Ok(()),
        _ => Err(FaultKind::Unsupported(format!("kernel function {name}")).into()),
    }
}
