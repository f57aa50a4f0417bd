//! What instructions read and write, from their operands.
//!
//! Cost: constant for an instruction.

use super::effects::{Call, Effects};
use crate::isa::{
    AluOp, Bank, Command, CommandAction, Condition, Destination, Insn, LmemAccess, Mode, Operand,
    Shift, Width, csr,
};
use crate::machine::{Item, MachineInsn, Reference};

impl Effects {
    /// What an item does.
    pub(super) fn of(item: &Item) -> Effects {
        let mut effects = Effects {
            barrier: item.barrier,
            in_slots: true,
            ..Effects::default()
        };
        let known = item.transfers_read.is_some() || item.transfers_filled.is_some();
        for insn in &item.insns {
            effects.insn(insn, known);
        }
        effects.number = match item.insns.as_slice() {
            [only] => {
                only.reference == Reference::None
                    && !item.barrier
                    && matches!(
                        only.insn,
                        Insn::Immed {
                            destination: Destination {
                                operand: Operand::Gpr(_),
                                ..
                            },
                            width: Width::Whole,
                            mode: Mode {
                                predicated: false,
                                ..
                            },
                            ..
                        }
                    )
            }
            _ => false,
        };
        if let Some((first, count)) = item.transfers_read {
            effects.reads.outgoing |= run(first, count.into());
        }
        if let Some((first, count)) = item.transfers_filled {
            effects.writes.incoming |= run(first, count.into());
        }
        effects
    }

    /// What the branch at a block's end does.
    pub(super) fn of_end(insn: Option<&MachineInsn>) -> Effects {
        let mut effects = Effects::default();
        match insn {
            Some(insn) => effects.insn(insn, false),
            None => effects.words = 1,
        }
        effects.in_slots = false;
        effects
    }

    /// `known`: the item says which transfer registers its commands touch.
    fn insn(&mut self, insn: &MachineInsn, known: bool) {
        match insn.insn {
            Insn::Alu {
                op,
                a,
                b,
                destination,
                mode,
                ..
            } => {
                self.read(a, Bank::A);
                self.read(b, Bank::B);
                self.flags(
                    mode.predicated || matches!(op, AluOp::AddCarry | AluOp::SubCarry),
                    !mode.keep_conditions,
                );
                self.write(destination);
            }
            Insn::AluShift {
                a,
                b,
                destination,
                mode,
                ..
            } => {
                self.read(a, Bank::A);
                self.read(b, Bank::B);
                self.flags(mode.predicated, !mode.keep_conditions);
                self.write(destination);
            }
            Insn::LoadField {
                swapped,
                a,
                b,
                shift,
                clear,
                load_conditions,
                both,
                mode,
                ..
            } => {
                // The destination's old bytes come along, unless they are cleared.
                let old = !clear || matches!(shift, Shift::Double(_) | Shift::DoubleIndirect);
                if old || swapped {
                    self.read(a, Bank::A);
                }
                if old || !swapped {
                    self.read(b, Bank::B);
                }
                self.flags(mode.predicated, load_conditions && !mode.keep_conditions);
                let (operand, bank) = if swapped { (b, Bank::B) } else { (a, Bank::A) };
                self.write(Destination {
                    operand,
                    bank,
                    both,
                });
            }
            Insn::Immed {
                destination,
                width,
                mode,
                ..
            } => {
                if width != Width::Whole {
                    match destination.operand {
                        Operand::Transfer(number) => self.reads.outgoing |= run(number, 1),
                        operand => self.read(operand, destination.bank),
                    }
                }
                self.flags(mode.predicated, false);
                self.write(destination);
            }
            Insn::CsrRead { address } => {
                self.in_slots = false;
                match index_register(address) {
                    Some(index) => self.use_index(index),
                    None => self.control = true,
                }
            }
            Insn::CsrWrite {
                address,
                source,
                bank,
            } => {
                self.read(source, bank);
                match index_register(address) {
                    Some(index) => self.set_index(index),
                    None => self.barrier = true,
                }
            }
            Insn::Branch { condition, .. } => {
                self.in_slots = false;
                if condition != Condition::Always {
                    self.flags(true, false);
                }
                self.call = match insn.reference {
                    Reference::Function(function) => Some(Call::Function(function)),
                    Reference::Helper(_) => Some(Call::Helper),
                    Reference::None | Reference::After => None,
                };
                if self.call.is_some() {
                    self.barrier = true;
                    self.flags(false, true);
                }
            }
            Insn::BranchBit { operand, bank, .. }
            | Insn::BranchByte { operand, bank, .. }
            | Insn::Jump { operand, bank, .. } => {
                self.in_slots = false;
                self.read(operand, bank);
            }
            Insn::MultiplyStep { a, b, .. } => {
                self.read(a, Bank::A);
                self.read(b, Bank::B);
                self.flags(false, true);
            }
            Insn::MultiplyResult { destination, .. } => {
                self.flags(false, true);
                self.write(destination);
            }
            Insn::Command(command) => self.command(command, known),
            Insn::ContextSwap { defer, .. } => {
                self.waits = !self.barrier;
                self.barrier = true;
                self.swap(defer);
            }
        }
        self.words += 1;
    }

    fn command(&mut self, command: Command, known: bool) {
        self.read(command.a, Bank::A);
        self.read(command.b, Bank::B);
        self.command = true;
        if let Some(slots) = command.swap {
            self.swap(slots);
        }
        if known && command.indirect {
            return;
        }
        let units = usize::from(command.length) + 1;
        // An override may make it as long as it gets.
        let units = if command.indirect { 32 } else { units };
        let (count, fills) = match command.action {
            CommandAction::Read8 => (units.div_ceil(4), true),
            CommandAction::Read32 | CommandAction::Read32Swap => (units, true),
            CommandAction::Write8Swap => (units.div_ceil(4), false),
            CommandAction::Write32Swap => (units, false),
            CommandAction::Add => (2, false),
            CommandAction::AddImmediate => return,
        };
        let registers = run(command.transfer, count);
        if fills {
            self.writes.incoming |= registers;
        } else {
            self.reads.outgoing |= registers;
        }
    }

    /// The context waits after so many more instructions. Whether an index register that is being
    /// written then gets its value is not known, so all must be ready.
    fn swap(&mut self, slots: u8) {
        self.in_slots = false;
        // Nor whether condition codes live through it.
        self.flags(false, true);
        let at = self.words + 1 + usize::from(slots);
        for index in 0..4 {
            if self.uses.iter().all(|(_, used)| *used != index) {
                self.uses.push((at, index));
            }
        }
    }

    fn flags(&mut self, read: bool, set: bool) {
        self.reads_flags |= read && !self.sets_flags;
        self.sets_flags |= set;
    }

    fn read(&mut self, operand: Operand, bank: Bank) {
        match operand {
            Operand::Gpr(number) => self.reads.gprs |= gpr(bank, number),
            Operand::Transfer(number) => self.reads.incoming |= run(number, 1),
            Operand::Lmem { index, access } => {
                let offsets = self.local(index, access);
                self.local_reads[usize::from(index & 3)] |= offsets;
            }
            Operand::Absolute(_) | Operand::NextNeighbour(_) => self.barrier = true,
            Operand::Immediate(_) | Operand::Nothing => {}
        }
    }

    fn write(&mut self, destination: Destination) {
        match destination.operand {
            Operand::Gpr(number) => {
                self.writes.gprs |= gpr(destination.bank, number);
                if destination.both {
                    self.writes.gprs |= gpr(Bank::A, number) | gpr(Bank::B, number);
                }
            }
            Operand::Transfer(number) => self.writes.outgoing |= run(number, 1),
            Operand::Lmem { index, access } => {
                let offsets = self.local(index, access);
                self.local_writes[usize::from(index & 3)] |= offsets;
            }
            Operand::Absolute(_) | Operand::NextNeighbour(_) => self.barrier = true,
            Operand::Immediate(_) | Operand::Nothing => {}
        }
    }

    /// Offsets that an access to local memory may reach.
    fn local(&mut self, index: u8, access: LmemAccess) -> u16 {
        self.use_index(index);
        match access {
            LmemAccess::Offset(words) => 1 << (words & 15),
            LmemAccess::PostIncrement | LmemAccess::PostDecrement => {
                self.writes.indices |= 1 << (index & 3);
                u16::MAX
            }
        }
    }

    fn use_index(&mut self, index: u8) {
        let index = index & 3;
        self.reads.indices |= 1 << index;
        match self.sets.iter().find(|(_, set)| *set == index) {
            Some((at, _)) => {
                let between = self.words - at - 1;
                self.own_delay = Some(self.own_delay.map_or(between, |old| old.min(between)));
            }
            None if self.uses.iter().all(|(_, used)| *used != index) => {
                self.uses.push((self.words, index));
            }
            None => {}
        }
    }

    fn set_index(&mut self, index: u8) {
        self.writes.indices |= 1 << index;
        self.sets.retain(|(_, set)| *set != index);
        self.sets.push((self.words, index));
    }
}

fn gpr(bank: Bank, number: u8) -> u64 {
    1 << ((bank as u64) << 5 | u64::from(number & 31))
}

/// Transfer registers from one on.
fn run(first: u8, count: usize) -> u64 {
    let all = if count >= 64 {
        u64::MAX
    } else {
        (1 << count) - 1
    };
    all << (first & 63)
}

fn index_register(address: u16) -> Option<u8> {
    let at = csr::LM_ADDR.iter().position(|found| *found == address)?;
    Some(at as u8)
}
