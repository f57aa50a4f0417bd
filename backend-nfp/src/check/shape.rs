//! What one word shows by itself, wherever it stands.

use super::rules::Rules;
use super::violation::Rule;
use crate::isa::{
    AluOp, Bank, Destination, Insn, LmemAccess, MultiplyPhase, Operand, Shift, ShiftOp, Width, csr,
};

/// What is wrong with an instruction.
pub(super) fn broken(insn: Insn, rules: &Rules) -> Vec<Rule> {
    let mut found = Vec::new();
    let operands = Operands::of(insn);
    if let Some((a, b)) = operands.pair
        && same_kind(a, b)
    {
        found.push(Rule::SameKind);
    }
    let mut moved = [0; 4];
    for operand in operands.all() {
        match operand {
            Operand::Absolute(_) => found.push(Rule::Unsupported("an absolute register")),
            Operand::NextNeighbour(_) => {
                found.push(Rule::Unsupported("a next-neighbour register"));
            }
            Operand::Lmem {
                index,
                access: LmemAccess::PostIncrement | LmemAccess::PostDecrement,
            } => moved[usize::from(index & 3)] += 1,
            _ => {}
        }
    }
    for (index, moves) in (0..).zip(moved) {
        // The same operand in every step of a product must stay the same.
        if moves > 1 || moves > 0 && matches!(insn, Insn::MultiplyStep { .. }) {
            found.push(Rule::MovedTwice(index));
        }
    }
    if let Some(destination) = operands.destination {
        found.extend(written(destination, rules));
    }
    found.extend(fields(insn, rules));
    found
}

/// What a write to a destination breaks.
fn written(destination: Destination, rules: &Rules) -> Vec<Rule> {
    let mut found = Vec::new();
    match destination.operand {
        Operand::Gpr(register) => {
            for bank in [Bank::A, Bank::B] {
                let hit = destination.both || destination.bank == bank;
                if hit && rules.live.contains(&(bank, register)) {
                    found.push(Rule::LiveRegister(bank, register));
                }
            }
        }
        Operand::Transfer(register) if register >= rules.transfers_out => {
            let first = usize::from(register);
            found.push(Rule::Transfers { first, last: first });
        }
        Operand::Immediate(_) => found.push(Rule::Unsupported("a number as destination")),
        _ => {}
    }
    found
}

/// Two sources that no instruction of the driver has together.
fn same_kind(a: Operand, b: Operand) -> bool {
    matches!(
        (a, b),
        (Operand::Transfer(_), Operand::Transfer(_))
            | (Operand::Lmem { .. }, Operand::Lmem { .. })
            | (
                Operand::Immediate(_) | Operand::Nothing,
                Operand::Immediate(_) | Operand::Nothing
            )
    )
}

/// Fields beside operands.
fn fields(insn: Insn, rules: &Rules) -> Option<Rule> {
    let mode = match insn {
        Insn::Alu { mode, .. }
        | Insn::AluShift { mode, .. }
        | Insn::LoadField { mode, .. }
        | Insn::Immed { mode, .. } => Some(mode),
        _ => None,
    };
    if mode.is_some_and(|mode| mode.predicated) {
        return Some(Rule::Unsupported("predication"));
    }
    let slots = |slots: u8, most: usize| {
        let slots = usize::from(slots);
        (slots > most).then_some(Rule::Slots { slots, most })
    };
    match insn {
        Insn::AluShift {
            op: ShiftOp::ByteAlign,
            ..
        } => Some(Rule::Unsupported("byte alignment")),
        Insn::LoadField {
            shift: Shift::Double(_) | Shift::DoubleIndirect,
            ..
        } => Some(Rule::Unsupported("a double shift into a field")),
        Insn::LoadField { mask: 0, .. } => Some(Rule::Range("an empty byte mask")),
        Insn::Immed {
            width: Width::Byte,
            value: 0x100..,
            ..
        } => Some(Rule::Range("the value of one byte")),
        Insn::CsrRead { address } if !readable(address) => {
            Some(Rule::Unsupported("a read of this control register"))
        }
        Insn::CsrWrite { address, .. } => match csr::LM_ADDR.iter().position(|at| *at == address) {
            None => Some(Rule::Unsupported("a write of this control register")),
            Some(1) => Some(Rule::FirmwareIndex(1)),
            Some(_) => None,
        },
        Insn::Branch { defer, .. }
        | Insn::BranchBit { defer, .. }
        | Insn::BranchByte { defer, .. }
        | Insn::ContextSwap { defer, .. } => slots(defer, rules.timing.branch_slots),
        Insn::Jump { defer, .. } => slots(defer, rules.timing.jump_slots),
        _ => None,
    }
}

fn readable(address: u16) -> bool {
    csr::LM_ADDR.contains(&address) || [csr::CONTEXT, csr::RANDOM].contains(&address)
}

/// The operands of an instruction.
#[derive(Clone, Copy, Debug, Default)]
struct Operands {
    /// Two sources, of bank A and of bank B.
    pair: Option<(Operand, Operand)>,
    /// The only source.
    single: Option<Operand>,
    destination: Option<Destination>,
}

impl Operands {
    fn of(insn: Insn) -> Operands {
        match insn {
            Insn::Alu {
                a, b, destination, ..
            }
            | Insn::AluShift {
                a, b, destination, ..
            } => Operands {
                pair: Some((a, b)),
                destination: Some(destination),
                ..Operands::default()
            },
            Insn::LoadField {
                swapped,
                a,
                b,
                both,
                ..
            } => Operands {
                pair: Some((a, b)),
                destination: Some(Destination {
                    operand: if swapped { b } else { a },
                    bank: if swapped { Bank::B } else { Bank::A },
                    both,
                }),
                ..Operands::default()
            },
            Insn::Immed { destination, .. } | Insn::MultiplyResult { destination, .. } => {
                Operands {
                    destination: Some(destination),
                    ..Operands::default()
                }
            }
            Insn::CsrWrite { source, .. } => Operands {
                single: Some(source),
                ..Operands::default()
            },
            Insn::BranchBit { operand, .. }
            | Insn::BranchByte { operand, .. }
            | Insn::Jump { operand, .. } => Operands {
                single: Some(operand),
                ..Operands::default()
            },
            Insn::MultiplyStep { a, b, .. } => Operands {
                pair: Some((a, b)),
                ..Operands::default()
            },
            Insn::Command(command) => Operands {
                pair: Some((command.a, command.b)),
                ..Operands::default()
            },
            Insn::CsrRead { .. } | Insn::Branch { .. } | Insn::ContextSwap { .. } => {
                Operands::default()
            }
        }
    }

    fn all(self) -> impl Iterator<Item = Operand> {
        let (a, b) = self.pair.unzip();
        let destination = self.destination.map(|destination| destination.operand);
        [a, b, self.single, destination].into_iter().flatten()
    }
}

/// Whether an operation has a use for its left operand.
pub(super) fn takes_left(op: AluOp) -> bool {
    !matches!(op, AluOp::Move | AluOp::Not)
}

/// Whether an operation with a shift has a use for its left operand.
pub(super) fn shift_takes_left(op: ShiftOp, shift: Shift) -> bool {
    let double = matches!(shift, Shift::Double(_) | Shift::DoubleIndirect);
    double || !matches!(op, ShiftOp::Move | ShiftOp::Not | ShiftOp::Arithmetic)
}

/// Whether an instruction belongs to a multiplication.
pub(super) fn multiplies(insn: Insn) -> Option<MultiplyPhase> {
    match insn {
        Insn::MultiplyStep { phase, .. } | Insn::MultiplyResult { phase, .. } => Some(phase),
        _ => None,
    }
}
