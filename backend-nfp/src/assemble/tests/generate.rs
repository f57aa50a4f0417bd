//! Random machine programs that end, that never depend on what the machine leaves undefined, and
//! that have something of everything: all classes of instructions, items of several instructions,
//! calls, loops, equal blocks and equal ends.
//!
//! General registers 0 to 7 of both banks are free. Above are constants and return addresses, which
//! [`super::run`] knows.

use crate::isa::{
    AluOp, Bank, Command, CommandAction, CommandMode, Condition, Destination, Insn, LmemAccess,
    Mode, MultiplyPhase, MultiplySize, Operand, Shift, ShiftOp, Width, csr,
};
use crate::machine::{
    BlockId, End, Item, MachineBlock, MachineFunction, MachineInsn, MachineProgram, Reference,
};

/// `splitmix64`.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Return address of function `f` is in bank A at this and `f`; helpers take theirs from bank B.
pub(super) const RETURN: u8 = 20;
/// Counts loops down.
pub(super) const COUNTER: u8 = 30;
/// Byte address for an index register, in bank A.
pub(super) const BASE: u8 = 8;
/// Address of the packet.
pub(super) const PACKET: u8 = 14;
/// Overrides the data of an addition.
pub(super) const DATA: u8 = 15;
/// High part of an address in external memory.
pub(super) const WIDE: u8 = 16;
/// Overrides the length of a read: five words.
pub(super) const LENGTH: u8 = 17;

const SETTERS: [AluOp; 4] = [AluOp::Add, AluOp::Sub, AluOp::SubReverse, AluOp::Add16];
const ALL: [AluOp; 12] = [
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
const CONDITIONS: [Condition; 12] = [
    Condition::Equal,
    Condition::NotEqual,
    Condition::Negative,
    Condition::Positive,
    Condition::CarrySet,
    Condition::CarryClear,
    Condition::Overflow,
    Condition::NoOverflow,
    Condition::GreaterOrEqual,
    Condition::Less,
    Condition::LessOrEqual,
    Condition::Greater,
];

fn machine(insn: Insn) -> MachineInsn {
    MachineInsn {
        insn,
        reference: Reference::None,
        location: None,
        origin: 0,
    }
}

fn item(insns: impl IntoIterator<Item = Insn>) -> Item {
    Item {
        insns: insns.into_iter().map(machine).collect(),
        ..Item::default()
    }
}

fn gpr(bank: Bank, number: u8) -> Destination {
    Destination {
        operand: Operand::Gpr(number),
        bank,
        both: false,
    }
}

const NOWHERE: Destination = Destination {
    operand: Operand::Nothing,
    bank: Bank::A,
    both: false,
};

fn immed(destination: Destination, value: u16) -> Insn {
    Insn::Immed {
        destination,
        value,
        width: Width::Whole,
        byte_shift: 0,
        invert: false,
        mode: Mode::default(),
    }
}

fn keep(keep_conditions: bool) -> Mode {
    Mode {
        keep_conditions,
        predicated: false,
    }
}

fn read(transfer: u8, length: u8) -> Command {
    Command {
        action: CommandAction::Read32Swap,
        mode: CommandMode::Short,
        a: Operand::Gpr(PACKET),
        b: Operand::Immediate(0),
        transfer,
        length: length - 1,
        signal: 1,
        swap: Some(0),
        indirect: false,
    }
}

struct Generator<'a> {
    random: &'a mut Random,
    /// Items made so far, to be used again.
    known: Vec<Item>,
    functions: usize,
    function: usize,
}

/// A program.
pub(super) fn program(random: &mut Random) -> MachineProgram {
    let functions = [1, 1, 2, 3][random.below(4)];
    let mut generator = Generator {
        random,
        known: Vec::new(),
        functions,
        function: 0,
    };
    let made = (0..functions)
        .map(|function| {
            generator.function = function;
            generator.function()
        })
        .collect();
    MachineProgram {
        program_type: bpf::program_type::ProgramType::Xdp,
        functions: made,
    }
}

impl Generator<'_> {
    fn function(&mut self) -> MachineFunction {
        let count = 1 + self.random.below(8);
        let mut blocks: Vec<MachineBlock> = Vec::new();
        for at in 0..count {
            let mut items = Vec::new();
            if at == 0 && self.function == 0 {
                items = self.beginning();
            }
            for _ in 0..self.random.below(9) {
                self.more(&mut items);
            }
            let end = self.end(at, count, &mut items);
            let mut block = MachineBlock { items, end };
            // What another block ends with, or all of it.
            if at > 0 && self.random.one_in(4) {
                let model = blocks[self.random.below(at)].clone();
                let ahead = match model.end {
                    End::Jump(to) => to.0 > at,
                    End::Branch {
                        taken, otherwise, ..
                    } => taken.0 > at && otherwise.0 > at,
                    End::Done | End::Return(_) => true,
                };
                if ahead {
                    let take = self.random.below(model.items.len() + 1);
                    if let Some(first) = model.items.len().checked_sub(take)
                        && !reads_flags_early(&model.items[first..])
                    {
                        block.items.extend_from_slice(&model.items[first..]);
                        if take > 0
                            && !matches!(model.end, End::Branch { insn, .. } if matches!(insn.insn, Insn::Branch { .. }))
                        {
                            block.end = model.end;
                        }
                    }
                }
            }
            blocks.push(block);
        }
        MachineFunction {
            name: format!("f{}", self.function),
            blocks,
        }
    }

    /// Makes all that the program may read known.
    fn beginning(&mut self) -> Vec<Item> {
        let mut items = vec![item([Insn::Command(read(0, 8))])];
        for number in 0..8 {
            items.push(item([Insn::Alu {
                op: AluOp::Move,
                swapped: false,
                a: Operand::Immediate(0),
                b: Operand::Gpr(number),
                destination: Destination {
                    operand: Operand::Transfer(number),
                    ..NOWHERE
                },
                mode: keep(true),
            }]));
        }
        items
    }

    /// Brings all transfer registers to where they are seen.
    fn ending(&mut self, items: &mut Vec<Item>) {
        items.push(item([Insn::Command(Command {
            action: CommandAction::Write32Swap,
            b: Operand::Immediate(96),
            ..read(0, 8)
        })]));
        for number in 0..8 {
            items.push(item([Insn::Alu {
                op: AluOp::Move,
                swapped: true,
                a: Operand::Transfer(number),
                b: Operand::Immediate(0),
                destination: gpr(Bank::A, 24 + number % 4),
                mode: keep(true),
            }]));
            items.push(item([Insn::Alu {
                op: AluOp::Xor,
                swapped: true,
                a: Operand::Gpr(24 + number % 4),
                b: Operand::Gpr(31),
                destination: gpr(Bank::B, 31),
                mode: keep(true),
            }]));
        }
    }

    fn end(&mut self, at: usize, count: usize, items: &mut Vec<Item>) -> End {
        if at + 1 == count || self.random.one_in(8) {
            if self.function > 0 {
                return End::Return(machine(Insn::Jump {
                    operand: Operand::Gpr(RETURN + self.function as u8),
                    bank: Bank::A,
                    offset: 0,
                    defer: 0,
                }));
            }
            if self.random.one_in(2) {
                self.ending(items);
            }
            if self.random.one_in(2) {
                let verdict = self.random.pick(&[0x11, 0x22]);
                items.push(item([immed(gpr(Bank::A, 0), verdict)]));
            }
            return End::Done;
        }
        let mut ahead = || BlockId(at + 1 + self.random.below(count - at - 1));
        let (one, two) = (ahead(), ahead());
        match self.random.below(8) {
            0 | 1 => End::Jump(one),
            2 => {
                // Back, until the counter has run out.
                items.push(item([Insn::Alu {
                    op: AluOp::Sub,
                    swapped: false,
                    a: Operand::Gpr(COUNTER),
                    b: Operand::Immediate(1),
                    destination: gpr(Bank::A, COUNTER),
                    mode: keep(true),
                }]));
                let back = BlockId(self.random.below(at + 1));
                let set = self.random.one_in(2);
                let (taken, otherwise) = if set { (one, back) } else { (back, one) };
                End::Branch {
                    insn: machine(Insn::BranchBit {
                        operand: Operand::Gpr(COUNTER),
                        bank: Bank::A,
                        bit: 31,
                        set,
                        target: 0,
                        defer: 0,
                    }),
                    taken,
                    otherwise,
                }
            }
            3 => branch(
                Insn::BranchBit {
                    operand: self.random_branch_operand(),
                    bank: Bank::A,
                    bit: self.random.below(32) as u8,
                    set: self.random.one_in(2),
                    target: 0,
                    defer: 0,
                },
                (one, two),
            ),
            4 => branch(
                Insn::BranchByte {
                    operand: self.random_branch_operand(),
                    bank: Bank::B,
                    byte: self.random.below(4) as u8,
                    value: self.random.below(3) as u8,
                    equal: self.random.one_in(2),
                    target: 0,
                    defer: 0,
                },
                (one, two),
            ),
            _ => {
                let setter = self.setter();
                items.push(setter);
                for _ in 0..self.random.below(4) {
                    let quiet = self.quiet();
                    items.push(quiet);
                }
                let condition = self.random.pick(&CONDITIONS);
                branch(
                    Insn::Branch {
                        condition,
                        target: 0,
                        defer: 0,
                    },
                    (one, two),
                )
            }
        }
    }

    fn random_branch_operand(&mut self) -> Operand {
        let number = self.random.below(8) as u8;
        match self.random.below(4) {
            0 => Operand::Transfer(number),
            1 => Operand::lmem(self.random.below(2) as u8, number % 4),
            _ => Operand::Gpr(number),
        }
    }

    /// One or more items.
    fn more(&mut self, items: &mut Vec<Item>) {
        if !self.known.is_empty() && self.random.one_in(3) {
            let known = self.random.below(self.known.len());
            items.push(self.known[known].clone());
            return;
        }
        match self.random.below(16) {
            0 => {
                // A wide sum, with something between the halves.
                let setter = self.setter();
                items.push(setter);
                for _ in 0..self.random.below(3) {
                    let quiet = self.quiet();
                    items.push(quiet);
                }
                let op = self.random.pick(&[AluOp::AddCarry, AluOp::SubCarry]);
                let carried = self.alu(op, false);
                items.push(carried);
            }
            1 if self.function + 1 < self.functions => {
                let callee = self.function + 1;
                items.push(self.call(
                    Reference::Function(callee),
                    gpr(Bank::A, RETURN + callee as u8),
                ));
            }
            2 => items.push(self.call(Reference::Helper(1), gpr(Bank::B, RETURN))),
            3..6 => {
                let write = self.index();
                items.extend(write);
            }
            6..10 => {
                let op = self.random.pick(&ALL);
                let made = self.alu(op, false);
                self.remember(items, made);
            }
            10 => {
                let made = self.product();
                self.remember(items, made);
            }
            11 => {
                let made = self.indirect_shift();
                self.remember(items, made);
            }
            _ => {
                let made = self.quiet();
                self.remember(items, made);
            }
        }
    }

    fn remember(&mut self, items: &mut Vec<Item>, made: Item) {
        self.known.push(made.clone());
        items.push(made);
    }

    fn call(&mut self, reference: Reference, destination: Destination) -> Item {
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
    fn setter(&mut self) -> Item {
        let op = self.random.pick(&SETTERS);
        self.alu(op, false)
    }

    /// Leaves condition codes alone.
    fn quiet(&mut self) -> Item {
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
    fn index(&mut self) -> Vec<Item> {
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
        let number = self.random.below(8) as u8;
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

    fn alu(&mut self, op: AluOp, quiet: bool) -> Item {
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

    fn indirect_shift(&mut self) -> Item {
        let amount = Insn::Alu {
            op: AluOp::Or,
            swapped: false,
            a: Operand::Gpr(self.random.below(8) as u8),
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

    fn product(&mut self) -> Item {
        let (a, b) = (
            Operand::Gpr(self.random.below(8) as u8),
            Operand::Gpr(self.random.below(8) as u8),
        );
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
                destination: gpr(Bank::A, self.random.below(8) as u8),
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
        let number = self.random.below(8) as u8;
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

    fn local(&mut self) -> Operand {
        Operand::lmem(self.random.below(3) as u8, self.random.below(3) as u8)
    }

    /// Two sources that are not of the same kind, unless they are general registers.
    fn pair(&mut self) -> (Operand, Operand) {
        let number = self.random.below(8) as u8;
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

/// Whether items read condition codes before they set them.
fn reads_flags_early(items: &[Item]) -> bool {
    for insn in items.iter().flat_map(|item| &item.insns) {
        match insn.insn {
            Insn::Alu {
                op: AluOp::AddCarry | AluOp::SubCarry,
                ..
            } => return true,
            Insn::Alu { mode, .. } if !mode.keep_conditions => return false,
            _ => {}
        }
    }
    false
}

fn branch(insn: Insn, (taken, otherwise): (BlockId, BlockId)) -> End {
    End::Branch {
        insn: machine(insn),
        taken,
        otherwise,
    }
}
