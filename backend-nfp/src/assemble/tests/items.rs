//! Random items of each kind.

use super::parts::{
    BASE, DATA, LENGTH, NOWHERE, Random, WIDE, gpr, immed, item, keep, machine, read,
};
use crate::isa::{
    AluOp, Bank, Command, CommandAction, CommandMode, Condition, Destination, Insn, LmemAccess,
    Mode, MultiplyPhase, MultiplySize, Operand, Shift, ShiftOp, Width, csr,
};
use crate::machine::{Item, Reference};

const SETTERS: [AluOp; 4] = [AluOp::Add, AluOp::Sub, AluOp::SubReverse, AluOp::Add16];
pub(super) const ALL: [AluOp; 12] = [
    AluOp::Move,
    AluOp::Add,
    AluOp::Not,
    AluOp::Add16,
    AluOp::And,
    AluOp::Add8,
    AluOp::NotAnd,
    AluOp::AndNot,
    AluOp::Or,
    AluOp::Sub,
    AluOp::Xor,
    AluOp::SubReverse,
];
/// Makes items.
pub(super) struct Items<'a> {
    pub(super) random: &'a mut Random,
    /// The lowest register that they use.
    pub(super) least: u8,
}

impl Items<'_> {
    fn register(&mut self) -> u8 {
        self.least + self.random.below(8 - usize::from(self.least)) as u8
    }

    pub(super) fn branch_operand(&mut self) -> Operand {
        if self.random.one_in(8) {
            return Operand::Gpr(0);
        }
        let number = self.register();
        match self.random.below(4) {
            0 => Operand::Transfer(number),
            1 => Operand::lmem(self.random.below(2) as u8, number % 4),
            _ => Operand::Gpr(number),
        }
    }

    pub(super) fn call(&mut self, reference: Reference, destination: Destination) -> Item {
        let slots = 1 + self.random.below(2) as u8;
        let mut made = item([
            Insn::Branch {
                condition: Condition::Always,
                target: 0,
                defer: slots,
            },
            immed(destination, 0),
        ]);
        if slots == 2 {
            made.insns.push(machine(immed(gpr(Bank::A, 1), 77)));
        }
        made.insns[0].reference = reference;
        made.insns[1].reference = Reference::After;
        made.barrier = true;
        made
    }

    /// Sets condition codes, of numbers that are known.
    pub(super) fn setter(&mut self) -> Item {
        if self.random.one_in(3) {
            // Of a bit, so that equal numbers are common.
            let number = self.register();
            let alu = |op, value, destination| Insn::Alu {
                op,
                swapped: false,
                a: Operand::Gpr(number),
                b: Operand::Immediate(value),
                destination,
                mode: keep(false),
            };
            return item([
                alu(AluOp::And, 1, gpr(Bank::A, number)),
                alu(AluOp::Sub, self.random.below(2) as u8, NOWHERE),
            ]);
        }
        let op = self.random.pick(&SETTERS);
        self.alu(op, false)
    }

    /// Leaves condition codes alone.
    pub(super) fn quiet(&mut self) -> Item {
        match self.random.below(13) {
            0 | 1 => {
                let op = self.random.pick(&ALL);
                self.alu(op, true)
            }
            2 => item([immed(self.destination(false), self.random.next() as u16)]),
            3 => {
                let insn = Insn::Immed {
                    destination: self.destination(false),
                    value: self.random.next() as u8 as u16,
                    width: self.random.pick(&[Width::Byte, Width::Half]),
                    byte_shift: self.random.below(3) as u8,
                    invert: self.random.one_in(2),
                    mode: Mode::default(),
                };
                item([insn])
            }
            4 => self.field(),
            5 => {
                let address = self
                    .random
                    .pick(&[csr::RANDOM, csr::LM_ADDR[0], csr::LM_ADDR[1]]);
                let destination = self.destination(false);
                item([Insn::CsrRead { address }, immed(destination, 0)])
            }
            6 => {
                let destination = self.destination(false);
                item([self.shift(Shift::RotateRight(7), destination, true)])
            }
            7 => self.walk(),
            8 | 9 => self.index().pop().unwrap_or_default(),
            _ => self.command(),
        }
    }

    /// Writes an index register, from a number or a general register.
    pub(super) fn index(&mut self) -> Vec<Item> {
        let index = self.random.below(4);
        let address = csr::LM_ADDR[index];
        let number = 64 * self.random.below(4) as u8;
        if self.random.one_in(2) {
            return vec![item([Insn::CsrWrite {
                address,
                source: Operand::Immediate(number),
                bank: Bank::A,
            }])];
        }
        vec![
            item([immed(gpr(Bank::A, BASE), number.into())]),
            item([Insn::CsrWrite {
                address,
                source: Operand::Gpr(BASE),
                bank: Bank::A,
            }]),
        ]
    }

    /// Through the index that moves.
    fn walk(&mut self) -> Item {
        let access = self.random.pick(&[
            LmemAccess::PostIncrement,
            LmemAccess::PostDecrement,
            LmemAccess::Offset(0),
        ]);
        let place = Operand::Lmem { index: 3, access };
        let number = self.register();
        let store = self.random.one_in(2);
        item([Insn::Alu {
            op: AluOp::Xor,
            swapped: false,
            a: Operand::Gpr(number),
            b: if store { Operand::Immediate(9) } else { place },
            destination: if store {
                Destination {
                    operand: place,
                    ..NOWHERE
                }
            } else {
                gpr(Bank::B, number)
            },
            mode: keep(true),
        }])
    }

    pub(super) fn alu(&mut self, op: AluOp, quiet: bool) -> Item {
        let (a, b) = self.pair();
        let destination = self.destination(true);
        item([Insn::Alu {
            op,
            swapped: self.random.one_in(4),
            a,
            b,
            destination,
            mode: keep(quiet),
        }])
    }

    fn shift(&mut self, shift: Shift, destination: Destination, quiet: bool) -> Insn {
        let (a, b) = self.pair();
        Insn::AluShift {
            op: self
                .random
                .pick(&[ShiftOp::Move, ShiftOp::And, ShiftOp::Or, ShiftOp::AndNot]),
            swapped: false,
            a,
            b,
            shift,
            destination,
            mode: keep(quiet),
        }
    }

    pub(super) fn indirect_shift(&mut self) -> Item {
        let amount = Insn::Alu {
            op: AluOp::Or,
            swapped: false,
            a: Operand::Gpr(self.register()),
            b: Operand::Immediate(0),
            destination: NOWHERE,
            mode: Mode::default(),
        };
        let shift = self.random.pick(&[
            Shift::LeftIndirect,
            Shift::RightIndirect,
            Shift::DoubleIndirect,
        ]);
        let destination = self.destination(false);
        let quiet = self.random.one_in(2);
        item([amount, self.shift(shift, destination, quiet)])
    }

    fn field(&mut self) -> Item {
        let (a, b) = loop {
            let (a, b) = self.pair();
            if !matches!(a, Operand::Immediate(_)) {
                break (a, b);
            }
        };
        item([Insn::LoadField {
            swapped: false,
            a,
            b,
            shift: self
                .random
                .pick(&[Shift::None, Shift::Left(8), Shift::Double(5)]),
            mask: self.random.below(16) as u8,
            clear: self.random.one_in(2),
            load_conditions: false,
            both: self.random.one_in(4) && matches!(a, Operand::Gpr(_)),
            mode: Mode::default(),
        }])
    }

    pub(super) fn product(&mut self) -> Item {
        let (a, b) = (Operand::Gpr(self.register()), Operand::Gpr(self.register()));
        let step = |phase| Insn::MultiplyStep {
            phase,
            swapped: false,
            a,
            b,
        };
        let size = MultiplySize::By16;
        item([
            step(MultiplyPhase::Start),
            step(MultiplyPhase::Step(size, 0)),
            step(MultiplyPhase::Step(size, 1)),
            Insn::MultiplyResult {
                phase: MultiplyPhase::Low(size),
                destination: gpr(Bank::A, self.register()),
            },
        ])
    }

    fn command(&mut self) -> Item {
        let first = self.random.below(4) as u8;
        let words = 1 + self.random.below(4) as u8;
        let offset = Operand::Immediate(4 * self.random.below(16) as u8);
        let amount = |register| Insn::Alu {
            op: AluOp::Move,
            swapped: true,
            a: Operand::Gpr(register),
            b: Operand::Immediate(0),
            destination: NOWHERE,
            mode: keep(true),
        };
        let reading = Command {
            b: offset,
            ..read(first, words)
        };
        let writing = Command {
            action: CommandAction::Write32Swap,
            ..reading
        };
        match self.random.below(6) {
            0 => Item {
                transfers_filled: Some((first, words)),
                ..item([Insn::Command(reading)])
            },
            1 => Item {
                transfers_filled: Some((first, 5)),
                ..item([
                    amount(LENGTH),
                    Insn::Command(Command {
                        indirect: true,
                        ..reading
                    }),
                ])
            },
            2 => Item {
                transfers_read: Some((first, words)),
                ..item([Insn::Command(writing)])
            },
            3 => item([
                Insn::Command(Command {
                    swap: Some(1),
                    ..writing
                }),
                immed(
                    Destination {
                        operand: Operand::Transfer(first),
                        ..NOWHERE
                    },
                    self.random.next() as u16,
                ),
            ]),
            4 => item([Insn::Command(Command {
                action: CommandAction::Add,
                mode: CommandMode::WideA,
                a: Operand::Gpr(WIDE),
                length: 0,
                ..reading
            })]),
            _ => item([
                amount(DATA),
                Insn::Command(Command {
                    action: CommandAction::AddImmediate,
                    mode: CommandMode::WideA,
                    a: Operand::Gpr(WIDE),
                    length: 0,
                    signal: 0,
                    swap: None,
                    indirect: true,
                    ..reading
                }),
            ]),
        }
    }

    fn destination(&mut self, nothing: bool) -> Destination {
        let number = self.register();
        let bank = self.random.pick(&[Bank::A, Bank::B]);
        let (operand, both) = match self.random.below(9) {
            0 => (Operand::Transfer(number), false),
            1 | 2 => (self.local(), false),
            3 if nothing => (Operand::Nothing, false),
            4 => (Operand::Gpr(number), true),
            _ => (Operand::Gpr(number), false),
        };
        Destination {
            operand,
            bank,
            both,
        }
    }

    /// Into local memory.
    pub(super) fn store(&mut self) -> Item {
        let destination = Destination {
            operand: self.local(),
            ..NOWHERE
        };
        item([immed(destination, self.random.next() as u16)])
    }

    fn local(&mut self) -> Operand {
        Operand::lmem(self.random.below(3) as u8, self.random.below(3) as u8)
    }

    /// Two sources that are not of the same kind, unless they are general registers.
    fn pair(&mut self) -> (Operand, Operand) {
        let number = self.register();
        let (a, b) = (Operand::Gpr(number), Operand::Gpr(7 - number));
        let local = self.local();
        match self.random.below(10) {
            0 => (Operand::Transfer(number), b),
            1 => (a, Operand::Transfer(number)),
            2 => (local, b),
            3 => (a, local),
            4 => (a, Operand::Immediate(self.random.next() as u8)),
            5 => (Operand::Transfer(number), local),
            6 => (Operand::Immediate(self.random.next() as u8), b),
            _ => (a, b),
        }
    }
}
