//! What an item reads and writes, and which of two items must come first.
//!
//! Everything is derived from the instructions. Places are bits of a few words: general registers of
//! both banks, transfer registers of both directions (a read takes the *in* file, a write goes to the
//! *out* file), index registers. Words of local memory are apart when they are at different offsets
//! of one index: an index that moved in between orders them anyway. Through different indices they
//! may be one word. Commands, and control registers other than indices, keep their order among each
//! other.
//!
//! Condition codes: an item that sets them *for a reader* (a strong one) is ordered against all that
//! set or read them; those whose flags nobody reads (weak ones) are free among each other.
//!
//! Soundness: what is not understood (absolute registers, next neighbours, waits) is a barrier, and
//! so are calls, whatever the item says. What an instruction leaves for the next one (an amount, the
//! previous result, a product) stays inside an item by its definition.
//!
//! Cost: constant for an instruction, constant for a pair of items.

use crate::isa::{
    AluOp, Bank, Command, CommandAction, Condition, Destination, Insn, LmemAccess, Mode, Operand,
    Shift, Width, csr,
};
use crate::machine::{Item, MachineInsn, Reference};

/// A set of places.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    /// Bank A in the low half, bank B in the high one.
    gprs: u64,
    incoming: u64,
    outgoing: u64,
    indices: u8,
}

impl Places {
    fn meets(self, other: Places) -> bool {
        self.gprs & other.gprs != 0
            || self.incoming & other.incoming != 0
            || self.outgoing & other.outgoing != 0
            || self.indices & other.indices != 0
    }
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A function of the program.
    Function(usize),
    /// Code of the firmware.
    Helper,
}

/// What an item, or the branch at a block's end, does.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    reads: Places,
    writes: Places,
    /// Offsets of local memory, for each index.
    local_reads: [u16; 4],
    local_writes: [u16; 4],
    /// Asks a memory unit for something.
    command: bool,
    /// Touches control registers other than indices.
    control: bool,
    barrier: bool,
    /// Reads condition codes that it did not set.
    pub(super) reads_flags: bool,
    /// Sets condition codes, or leaves them undefined.
    pub(super) sets_flags: bool,
    /// Instructions.
    pub(super) words: usize,
    /// Whether it may stand in defer slots.
    pub(super) in_slots: bool,
    /// Index registers that must be ready, with how many of the item's instructions run before.
    pub(super) uses: Vec<(usize, u8)>,
    /// Index registers that are written, with the last instruction that does.
    pub(super) sets: Vec<(usize, u8)>,
    /// A use of an index register in the item that set it: instructions between.
    pub(super) own_delay: Option<usize>,
    /// Does nothing but put a number into general registers.
    number: bool,
    /// What it calls.
    pub(super) call: Option<Call>,
}

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

    /// Whether `later`, which comes later, must stay behind. `strong` says for each of the two
    /// whether what it leaves in the condition codes is read.
    pub(super) fn before(&self, later: &Effects, strong: (bool, bool)) -> bool {
        self.barrier
            || later.barrier
            || self.writes.meets(later.reads)
            || self.writes.meets(later.writes)
            || self.reads.meets(later.writes)
            || self.command && later.command
            || self.control && later.control
            || self.meets_local(later)
            || self.sets_flags && (later.reads_flags || later.sets_flags && (strong.0 || strong.1))
            || self.reads_flags && later.sets_flags
    }

    /// Whether the item sets an index register that the other one uses.
    pub(super) fn delays(&self, later: &Effects) -> bool {
        let used = |index: u8| later.uses.iter().any(|(_, used)| *used == index);
        self.sets.iter().any(|(_, index)| used(*index))
    }

    /// General registers that are read: bank A in the low half, bank B in the high one. With what is
    /// not understood, all of them.
    pub(super) fn registers_read(&self) -> u64 {
        if self.barrier {
            u64::MAX
        } else {
            self.reads.gprs
        }
    }

    /// General registers that are written; as for [`Effects::registers_read`].
    pub(super) fn registers_written(&self) -> u64 {
        if self.barrier {
            u64::MAX
        } else {
            self.writes.gprs
        }
    }

    /// Whether the item does nothing but put a number into general registers.
    pub(super) fn is_number(&self) -> bool {
        self.number
    }

    fn meets_local(&self, later: &Effects) -> bool {
        let touches = |writes: &[u16; 4], reads: &[u16; 4], others: &[u16; 4]| {
            (0..4).any(|one| {
                writes[one] != 0
                    && (0..4).any(|two| {
                        let touched = reads[two] | others[two];
                        if one == two {
                            writes[one] & touched != 0
                        } else {
                            touched != 0
                        }
                    })
            })
        };
        touches(&self.local_writes, &later.local_reads, &later.local_writes)
            || touches(&later.local_writes, &self.local_reads, &[0; 4])
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
