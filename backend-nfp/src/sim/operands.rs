//! Reading and writing operands.
//!
//! Post-modification moves an index once for each operand that asks for it, after the instruction
//! has read and written; two such operands on one index are a hazard, since nobody has said what
//! the hardware does.

use super::core::Core;
use super::fault::{FaultKind, HazardKind};
use super::local_memory::Place;
use super::value::Value;
use crate::isa::{Bank, Destination, LmemAccess, Operand};

/// Index registers that an instruction moves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moves([Option<bool>; 4]);

impl Core {
    /// The value of a source in a bank's field.
    pub(super) fn read(
        &mut self,
        operand: Operand,
        bank: Bank,
        moves: &mut Moves,
    ) -> Result<Value, FaultKind> {
        Ok(match operand {
            Operand::Gpr(number) => self.gpr(bank, number),
            Operand::Transfer(number) => self.transfer_in[usize::from(number & 63)],
            Operand::Immediate(value) => u32::from(value).into(),
            Operand::Lmem { index, access } => {
                let place = self.local_place(index, access, moves);
                self.local.read(place)
            }
            Operand::Absolute(_) => return Err(FaultKind::Unsupported("an absolute register")),
            Operand::NextNeighbour(_) => {
                return Err(FaultKind::Unsupported("a next-neighbour register"));
            }
            Operand::Nothing => Value::default(),
        })
    }

    /// The two sources of an instruction, left one first.
    pub(super) fn read_pair(
        &mut self,
        a: Operand,
        b: Operand,
        swapped: bool,
        moves: &mut Moves,
    ) -> Result<(Value, Value), FaultKind> {
        let same = matches!(
            (a, b),
            (Operand::Transfer(_), Operand::Transfer(_))
                | (Operand::Lmem { .. }, Operand::Lmem { .. })
                | (Operand::Immediate(_), Operand::Immediate(_))
        );
        if same {
            self.hazard(HazardKind::SameKind);
        }
        let a = self.read(a, Bank::A, moves)?;
        let b = self.read(b, Bank::B, moves)?;
        Ok(if swapped { (b, a) } else { (a, b) })
    }

    /// Writes a result.
    pub(super) fn write(
        &mut self,
        destination: Destination,
        value: Value,
        moves: &mut Moves,
    ) -> Result<(), FaultKind> {
        match destination.operand {
            Operand::Gpr(number) => {
                self.set_gpr(destination.bank, number, value);
                if destination.both {
                    self.set_gpr(Bank::A, number, value);
                    self.set_gpr(Bank::B, number, value);
                }
            }
            Operand::Transfer(number) => {
                let busy = self.pending.iter().any(|pending| {
                    pending
                        .reads
                        .is_some_and(|(first, last)| (first..=last).contains(&number))
                });
                if busy {
                    self.hazard(HazardKind::TransferInFlight(number));
                }
                self.transfer_out[usize::from(number & 63)] = value;
            }
            Operand::Lmem { index, access } => {
                let place = self.local_place(index, access, moves);
                self.local.write(place, value);
            }
            Operand::Nothing => {}
            Operand::Absolute(_) => return Err(FaultKind::Unsupported("an absolute register")),
            Operand::NextNeighbour(_) => {
                return Err(FaultKind::Unsupported("a next-neighbour register"));
            }
            Operand::Immediate(_) => return Err(FaultKind::Unsupported("a write to a number")),
        }
        Ok(())
    }

    /// Where an access to local memory goes, its hazards and the move of its index noted.
    fn local_place(&mut self, index: u8, access: LmemAccess, moves: &mut Moves) -> Place {
        let place = self.local.place(index, access, self.now());
        if !place.ready {
            self.hazard(HazardKind::LmIndexNotReady(index));
        } else if !place.known {
            self.hazard(HazardKind::UnknownAddress);
        }
        self.note_move(index, access, moves);
        place
    }

    fn note_move(&mut self, index: u8, access: LmemAccess, moves: &mut Moves) {
        let up = match access {
            LmemAccess::Offset(_) => return,
            LmemAccess::PostIncrement => true,
            LmemAccess::PostDecrement => false,
        };
        let place = &mut moves.0[usize::from(index & 3)];
        let twice = place.replace(up).is_some();
        if twice || !self.local.is_ready(index, self.now()) {
            self.hazard(HazardKind::LmIndexMoved(index));
        }
    }

    /// Moves the index registers, when all operands are done.
    pub(super) fn finish(&mut self, moves: Moves) {
        for (index, up) in (0..).zip(moves.0) {
            if let Some(up) = up {
                self.local.step(index, up);
            }
        }
    }
}
