//! Virtual code with its registers to machine code before addresses.
//!
//! Here an operation becomes the instructions that it is: numbers of two pieces, the instruction
//! that gives an indirect shift its amount, the steps of a product, a command with the number that
//! overrides its length. Which operand goes to which field follows from the banks: where the left one
//! is in bank B, the instruction says that they are swapped.

mod command;

use regalloc2::{Allocation, Edit, Output, ProgPoint};

use crate::allocate::{STACK_BASE, fixed};
use crate::isa::{
    AluOp, Bank, Destination, Insn, Mode, MultiplyPhase, Operand, Shift, ShiftOp, csr,
};
use crate::lir::{Branch, End, Fixed, Inst, Lir, Op, Source, Target};
use crate::machine::{
    BlockId, End as MachineEnd, Item, MachineBlock, MachineFunction, MachineInsn, Reference,
};
use crate::select::immediate::{cost, pieces};
use crate::transfers::Places;

/// Why code cannot be emitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// Spilled registers do not fit where one instruction reaches them.
    #[error("{0} values are too many for its registers and the stack near them")]
    Spills(usize),
    /// A mistake of ours.
    #[error("cannot emit {0}")]
    Internal(&'static str),
}

/// A source with its place.
#[derive(Clone, Copy, Debug)]
struct Placed {
    operand: Operand,
    /// The bank that it is in, if it is in one.
    bank: Option<Bank>,
}

struct Emitter<'a> {
    places: &'a Places,
    /// Registers of the present instruction, sources first.
    registers: Vec<Fixed>,
    next: usize,
    insns: Vec<(Insn, Reference)>,
}

/// Emits a function; `first_spill` is the word of the stack where spill slots begin.
pub(crate) fn emit(
    name: &str,
    lir: &Lir,
    places: &Places,
    output: &Output,
    first_spill: u32,
) -> Result<MachineFunction, EmitError> {
    let mut blocks = Vec::new();
    let mut at = 0;
    let mut edits = output.edits.iter().peekable();
    for block in &lir.blocks {
        let mut items = Vec::new();
        let mut end = None;
        for index in 0..=block.insts.len() {
            let inst = regalloc2::Inst::new(at);
            at += 1;
            let mut moves = |items: &mut Vec<Item>, point| -> Result<(), EmitError> {
                while let Some((_, Edit::Move { from, to })) =
                    edits.next_if(|(place, _)| *place <= point)
                {
                    let insn = spill_move(*from, *to, first_spill)?;
                    items.push(alone(insn));
                }
                Ok(())
            };
            moves(&mut items, ProgPoint::before(inst))?;
            let mut emitter = Emitter {
                places,
                registers: output
                    .inst_allocs(inst)
                    .iter()
                    .filter_map(|allocation| allocation.as_reg())
                    .map(fixed)
                    .collect(),
                next: 0,
                insns: Vec::new(),
            };
            match block.insts.get(index) {
                Some(inst) => items.extend(emitter.inst(inst)?),
                None => end = Some(emitter.end(block)?),
            }
            moves(&mut items, ProgPoint::after(inst))?;
        }
        let end = end.ok_or(EmitError::Internal("a block without an end"))?;
        blocks.push(MachineBlock { items, end });
    }
    Ok(MachineFunction {
        name: name.to_owned(),
        blocks,
    })
}

fn alone(insn: Insn) -> Item {
    Item {
        insns: vec![MachineInsn {
            insn,
            reference: Reference::None,
            location: None,
            origin: 0,
        }],
        transfers_read: None,
        transfers_filled: None,
        barrier: false,
    }
}

const PLAIN: Mode = Mode {
    keep_conditions: false,
    predicated: false,
};
const KEEPING: Mode = Mode {
    keep_conditions: true,
    predicated: false,
};

fn nowhere() -> Destination {
    Destination {
        operand: Operand::Nothing,
        bank: Bank::A,
        both: false,
    }
}

fn register(place: Fixed) -> Destination {
    Destination {
        operand: Operand::Gpr(place.number),
        bank: place.bank,
        both: false,
    }
}

fn placed(place: Fixed) -> Placed {
    Placed {
        operand: Operand::Gpr(place.number),
        bank: Some(place.bank),
    }
}

/// A move that the allocator asked for; it comes between instructions that pass condition codes on.
fn spill_move(from: Allocation, to: Allocation, first: u32) -> Result<Insn, EmitError> {
    let slot = |allocation: Allocation| -> Result<Option<Operand>, EmitError> {
        let Some(slot) = allocation.as_stack() else {
            return Ok(None);
        };
        let word = first as usize + slot.index();
        match u8::try_from(word) {
            Ok(word @ 0..16) => Ok(Some(Operand::lmem(0, word))),
            _ => Err(EmitError::Spills(slot.index() + 1)),
        }
    };
    let source = match (slot(from)?, from.as_reg()) {
        (Some(operand), _) => Placed {
            operand,
            bank: None,
        },
        (None, Some(reg)) => placed(fixed(reg)),
        _ => return Err(EmitError::Internal("a move from nowhere")),
    };
    let destination = match (slot(to)?, to.as_reg()) {
        (Some(operand), _) => Destination {
            operand,
            bank: Bank::A,
            both: false,
        },
        (None, Some(reg)) => register(fixed(reg)),
        _ => return Err(EmitError::Internal("a move to nowhere")),
    };
    Ok(alu(AluOp::Move, NOTHING, source, destination, KEEPING))
}

const NOTHING: Placed = Placed {
    operand: Operand::Nothing,
    bank: None,
};

/// Which operand goes to field A and which to field B, and whether that swaps them.
fn fields(left: Placed, right: Placed) -> (Operand, Operand, bool) {
    if left.bank == Some(Bank::B) || right.bank == Some(Bank::A) {
        (right.operand, left.operand, true)
    } else {
        (left.operand, right.operand, false)
    }
}

fn alu(op: AluOp, left: Placed, right: Placed, destination: Destination, mode: Mode) -> Insn {
    let (a, b, swapped) = fields(left, right);
    Insn::Alu {
        op,
        swapped,
        a,
        b,
        destination,
        mode,
    }
}

fn shifted(
    op: ShiftOp,
    left: Placed,
    right: Placed,
    shift: Shift,
    destination: Destination,
) -> Insn {
    let (a, b, swapped) = fields(left, right);
    Insn::AluShift {
        op,
        swapped,
        a,
        b,
        shift,
        destination,
        mode: PLAIN,
    }
}

impl Emitter<'_> {
    fn push(&mut self, insn: Insn) {
        self.insns.push((insn, Reference::None));
    }

    fn take(&mut self) -> Result<Fixed, EmitError> {
        let register = self.registers.get(self.next).copied();
        self.next += 1;
        register.ok_or(EmitError::Internal("an operand without a register"))
    }

    fn transfer(&self, group: crate::lir::Group, word: u8) -> Operand {
        let first = self.places.get(group.0 as usize).copied().unwrap_or(0);
        Operand::Transfer(first + word)
    }

    fn source(&mut self, source: Source) -> Result<Placed, EmitError> {
        let free = |operand| Placed {
            operand,
            bank: None,
        };
        Ok(match source {
            Source::Reg(_) => placed(self.take()?),
            Source::Immediate(value) => free(Operand::Immediate(value)),
            Source::Transfer(group, word) => free(self.transfer(group, word)),
            Source::Local(index, word) => free(Operand::lmem(index, word)),
            Source::StackBase => placed(STACK_BASE),
            Source::Nothing => NOTHING,
        })
    }

    fn target(&mut self, target: Target) -> Result<Destination, EmitError> {
        let place = |operand| Destination {
            operand,
            bank: Bank::A,
            both: false,
        };
        Ok(match target {
            Target::Reg(_) => register(self.take()?),
            Target::Out(number) => place(Operand::Transfer(number)),
            Target::Local(index, word) => place(Operand::lmem(index, word)),
            Target::Nothing => nowhere(),
        })
    }

    fn number(&mut self, value: u32, destination: Destination) {
        for (value, width, byte_shift, invert) in pieces(value) {
            self.push(Insn::Immed {
                destination,
                value,
                width,
                byte_shift,
                invert,
                mode: PLAIN,
            });
        }
    }

    fn inst(&mut self, inst: &Inst) -> Result<Option<Item>, EmitError> {
        let mut item = Item {
            insns: Vec::new(),
            transfers_read: None,
            transfers_filled: None,
            barrier: false,
        };
        match &inst.op {
            Op::Alu(AluOp::Move, Source::Nothing, Source::Immediate(value)) => {
                let destination = self.target(inst.target)?;
                self.number((*value).into(), destination);
            }
            Op::Alu(op, left, right) => {
                let (left, right) = (self.source(*left)?, self.source(*right)?);
                let destination = self.target(inst.target)?;
                self.push(alu(*op, left, right, destination, PLAIN));
            }
            Op::Copy(source) => {
                let source = self.source(*source)?;
                let destination = self.target(inst.target)?;
                self.push(alu(AluOp::Move, NOTHING, source, destination, KEEPING));
            }
            Op::Shift(op, left, right, shift) => {
                let (left, right) = (self.source(*left)?, self.source(*right)?);
                let destination = self.target(inst.target)?;
                self.push(shifted(*op, left, right, *shift, destination));
            }
            Op::Field {
                old,
                source,
                shift,
                mask,
            } => {
                if let Some(old) = old {
                    self.source(*old)?;
                }
                let source = self.source(*source)?;
                let destination = self.target(inst.target)?;
                let bank = match destination.operand {
                    Operand::Gpr(_) => Some(destination.bank),
                    _ => None,
                };
                let into = Placed {
                    operand: destination.operand,
                    bank,
                };
                let (a, b, swapped) = fields(into, source);
                self.push(Insn::LoadField {
                    swapped,
                    a,
                    b,
                    shift: *shift,
                    mask: *mask,
                    clear: old.is_none(),
                    load_conditions: false,
                    both: false,
                    mode: PLAIN,
                });
            }
            Op::Immediate(value) => {
                let destination = self.target(inst.target)?;
                // The second piece is merged with the first, which only a register gives back.
                if !matches!(inst.target, Target::Reg(_) | Target::Nothing) && cost(*value) > 1 {
                    return Err(EmitError::Internal("a number in two pieces to no register"));
                }
                self.number(*value, destination);
            }
            Op::IndirectShift {
                amount,
                op,
                left,
                right,
                to_left,
            } => {
                let amount = self.source(*amount)?;
                let (left, right) = (self.source(*left)?, self.source(*right)?);
                let destination = self.target(inst.target)?;
                let zero = Placed {
                    operand: Operand::Immediate(0),
                    bank: None,
                };
                self.push(alu(AluOp::Or, amount, zero, nowhere(), PLAIN));
                let shift = if *to_left {
                    Shift::LeftIndirect
                } else {
                    Shift::RightIndirect
                };
                self.push(shifted(*op, left, right, shift, destination));
            }
            Op::SignExtend(source, bits) => {
                let source = self.source(*source)?;
                let destination = self.target(inst.target)?;
                let by = 32 - bits;
                self.push(shifted(
                    ShiftOp::Move,
                    NOTHING,
                    source,
                    Shift::Left(by),
                    destination,
                ));
                let top = Placed {
                    operand: destination.operand,
                    bank: Some(destination.bank),
                };
                let op = ShiftOp::Arithmetic;
                self.push(shifted(op, NOTHING, top, Shift::Right(by), destination));
            }
            Op::ArithmeticShift(source, by) => {
                let source = self.source(*source)?;
                let destination = self.target(inst.target)?;
                self.push(alu(AluOp::Move, NOTHING, source, nowhere(), PLAIN));
                let op = ShiftOp::Arithmetic;
                self.push(shifted(op, NOTHING, source, Shift::Right(*by), destination));
            }
            Op::ArithmeticShiftBy(value, amount) => {
                let (value, amount) = (self.source(*value)?, self.source(*amount)?);
                let destination = self.target(inst.target)?;
                self.push(alu(AluOp::Move, amount, value, nowhere(), PLAIN));
                let op = ShiftOp::Arithmetic;
                self.push(shifted(
                    op,
                    NOTHING,
                    value,
                    Shift::RightIndirect,
                    destination,
                ));
            }
            Op::Multiply { a, b, size, high } => {
                let (left, right) = (self.source(*a)?, self.source(*b)?);
                let (a, b, swapped) = fields(left, right);
                let destination = self.target(inst.target)?;
                let steps = (0..size.steps()).map(|step| MultiplyPhase::Step(*size, step));
                for phase in [MultiplyPhase::Start].into_iter().chain(steps) {
                    self.push(Insn::MultiplyStep {
                        phase,
                        swapped,
                        a,
                        b,
                    });
                }
                let phase = MultiplyPhase::Low(*size);
                self.push(Insn::MultiplyResult { phase, destination });
                if high.is_some() {
                    let destination = register(self.take()?);
                    let phase = MultiplyPhase::High(*size);
                    self.push(Insn::MultiplyResult { phase, destination });
                }
            }
            Op::Random => {
                let destination = self.target(inst.target)?;
                self.push(Insn::CsrRead {
                    address: csr::RANDOM,
                });
                self.number(0, destination);
            }
            Op::SetIndex(index, source) => {
                let source = self.source(*source)?;
                let address = csr::LM_ADDR
                    .get(usize::from(*index))
                    .copied()
                    .ok_or(EmitError::Internal("an index register"))?;
                self.push(Insn::CsrWrite {
                    address,
                    source: source.operand,
                    bank: source.bank.unwrap_or(Bank::A),
                });
            }
            Op::Read(access, group) => {
                let (a, b) = (self.source(access.a)?, self.source(access.b)?);
                let first = self.places.get(group.0 as usize).copied().unwrap_or(0);
                item.transfers_filled = Some((first, access.words()));
                self.command(access, first, a, b)?;
            }
            Op::Write(access) => {
                let (a, b) = (self.source(access.a)?, self.source(access.b)?);
                item.transfers_read = Some((access.outgoing, access.words()));
                self.command(access, access.outgoing, a, b)?;
            }
            Op::Add { access, addend } => self.add(inst, access, *addend, &mut item)?,
            Op::Wait(signals) => {
                self.push(Insn::ContextSwap {
                    signals: *signals,
                    any: false,
                    defer: 0,
                });
            }
            Op::Helper(helper) => {
                for (_, source) in &helper.arguments {
                    let place = self.source(*source)?;
                    if let Operand::Gpr(number) = place.operand {
                        let bank = Bank::B;
                        let destination = register(Fixed { bank, number });
                        self.push(alu(AluOp::Move, NOTHING, place, destination, KEEPING));
                    }
                }
                self.call(Reference::Helper(helper.id), &helper.constants);
                item.barrier = true;
            }
            Op::Call(call) => {
                self.call(Reference::Function(call.function), &[]);
                item.barrier = true;
            }
            Op::Parameters(_) => return Ok(None),
        }
        let of = |(insn, reference): (Insn, Reference)| MachineInsn {
            insn,
            reference,
            location: inst.location,
            origin: inst.origin,
        };
        item.insns = std::mem::take(&mut self.insns)
            .into_iter()
            .map(of)
            .collect();
        Ok(Some(item))
    }

    fn end(&mut self, block: &crate::lir::BlockData) -> Result<MachineEnd, EmitError> {
        let machine = |insn| MachineInsn {
            insn,
            reference: Reference::None,
            location: block.location,
            origin: block.origin,
        };
        let id = |block: crate::lir::Block| BlockId(block.index());
        Ok(match &block.end {
            Some(End::Jump(edge)) => MachineEnd::Jump(id(edge.block)),
            Some(End::Branch(branch, taken, otherwise)) => {
                let target = 0;
                let defer = 0;
                let insn = match *branch {
                    Branch::Conditions(condition) => Insn::Branch {
                        condition,
                        target,
                        defer,
                    },
                    Branch::Bit(source, bit, set) => {
                        let place = self.source(source)?;
                        Insn::BranchBit {
                            operand: place.operand,
                            bank: place.bank.unwrap_or(Bank::A),
                            bit,
                            set,
                            target,
                            defer,
                        }
                    }
                    Branch::Byte(source, byte, value, equal) => {
                        let place = self.source(source)?;
                        Insn::BranchByte {
                            operand: place.operand,
                            bank: place.bank.unwrap_or(Bank::A),
                            byte,
                            value,
                            equal,
                            target,
                            defer,
                        }
                    }
                };
                MachineEnd::Branch {
                    insn: machine(insn),
                    taken: id(taken.block),
                    otherwise: id(otherwise.block),
                }
            }
            Some(End::Done(_)) => MachineEnd::Done,
            Some(End::Return(..)) => {
                let place = self.take()?;
                MachineEnd::Return(machine(Insn::Jump {
                    operand: Operand::Gpr(place.number),
                    bank: place.bank,
                    offset: 0,
                    defer: 0,
                }))
            }
            None => return Err(EmitError::Internal("a block without an end")),
        })
    }
}
