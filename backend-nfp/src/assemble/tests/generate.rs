//! Random machine programs that end, that never depend on what the machine leaves undefined, and
//! that have something of everything: all classes of instructions, items of several instructions,
//! calls, loops, equal blocks, equal starts and ends.

use super::items::{ALL, Items};
use super::parts::{COUNTER, NOWHERE, RETURN, Random, gpr, immed, item, keep, machine, read};
use crate::isa::{AluOp, Bank, Command, CommandAction, Condition, Destination, Insn, Operand};
use crate::machine::{
    BlockId, End, Item, MachineBlock, MachineFunction, MachineProgram, Reference,
};

pub(super) const CONDITIONS: [Condition; 12] = [
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

struct Generator<'a> {
    items: Items<'a>,
    /// Items made so far, to be used again.
    known: Vec<Item>,
    functions: usize,
    function: usize,
    /// Whether the last two blocks of the first function only give verdicts, in a register that is
    /// used for nothing else.
    verdicts: bool,
}

/// A program.
pub(super) fn program(random: &mut Random) -> MachineProgram {
    let functions = [1, 1, 2, 3][random.below(4)];
    let verdicts = random.one_in(3);
    let mut generator = Generator {
        items: Items {
            random,
            least: verdicts.into(),
        },
        known: Vec::new(),
        functions,
        function: 0,
        verdicts,
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
        let verdicts = self.verdicts && self.function == 0;
        let count = 1 + self.items.random.below(8) + if verdicts { 3 } else { 0 };
        let mut blocks: Vec<MachineBlock> = Vec::new();
        for at in 0..count {
            if verdicts && at + 2 >= count {
                let verdict = [0x11, 0x22][at + 2 - count];
                blocks.push(MachineBlock {
                    items: vec![item([immed(gpr(Bank::A, 0), verdict)])],
                    end: End::Done,
                });
                continue;
            }
            let mut items = Vec::new();
            if at == 0 && self.function == 0 {
                items = self.beginning();
            }
            if at == 0 && self.function > 0 {
                self.behind_call(&mut items);
            }
            for _ in 0..self.items.random.below(9) {
                self.more(&mut items);
            }
            let end = self.end(at, count, &mut items);
            let mut block = MachineBlock { items, end };
            // What another block ends with, or all of it.
            if at > 0 && self.items.random.one_in(4) {
                let model = blocks[self.items.random.below(at)].clone();
                let ahead = match model.end {
                    End::Jump(to) => to.0 > at,
                    End::Branch {
                        taken, otherwise, ..
                    } => taken.0 > at && otherwise.0 > at,
                    End::Done | End::Return(_) => true,
                };
                if ahead {
                    self.repeat(&mut block, &model, BlockId(count - 1));
                }
            }
            blocks.push(block);
        }
        MachineFunction {
            name: format!("f{}", self.function),
            blocks,
        }
    }

    /// Ends a block as another one ends, or nearly so.
    fn repeat(&mut self, block: &mut MachineBlock, model: &MachineBlock, other: BlockId) {
        let whole = self.items.random.one_in(3);
        let least = if whole {
            block.items.clear();
            0
        } else {
            self.items.random.below(model.items.len() + 1)
        };
        let repeated = &model.items[least..];
        if reads_flags_early(repeated) {
            return;
        }
        block.items.extend_from_slice(repeated);
        let on_flags = matches!(
            model.end,
            End::Branch { insn, .. } if matches!(insn.insn, Insn::Branch { .. })
        );
        if whole || !on_flags && !repeated.is_empty() {
            block.end = model.end;
        }
        if let End::Branch { otherwise, .. } = &mut block.end
            && self.items.random.one_in(3)
        {
            *otherwise = other;
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
        if at + 1 == count || self.items.random.one_in(8) {
            if self.function > 0 {
                return End::Return(machine(Insn::Jump {
                    operand: Operand::Gpr(RETURN + self.function as u8),
                    bank: Bank::A,
                    offset: 0,
                    defer: 0,
                }));
            }
            if self.items.random.one_in(2) {
                self.ending(items);
            }
            if self.items.random.one_in(2) {
                let verdict = self.items.random.pick(&[0x11, 0x22]);
                items.push(item([immed(gpr(Bank::A, 0), verdict)]));
            }
            return End::Done;
        }
        let verdicts = self.verdicts && self.function == 0;
        let mut ahead = || {
            let verdict = verdicts && self.items.random.one_in(2);
            let least = if verdict { count - 2 } else { at + 1 };
            BlockId(least + self.items.random.below(count - least))
        };
        let (one, two) = (ahead(), ahead());
        match self.items.random.below(8) {
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
                let back = BlockId(self.items.random.below(at + 1));
                let set = self.items.random.one_in(2);
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
                    operand: self.items.branch_operand(),
                    bank: Bank::A,
                    bit: self.items.random.below(32) as u8,
                    set: self.items.random.one_in(2),
                    target: 0,
                    defer: 0,
                },
                (one, two),
            ),
            4 => branch(
                Insn::BranchByte {
                    operand: self.items.branch_operand(),
                    bank: Bank::B,
                    byte: self.items.random.below(4) as u8,
                    value: self.items.random.below(3) as u8,
                    equal: self.items.random.one_in(2),
                    target: 0,
                    defer: 0,
                },
                (one, two),
            ),
            _ => {
                // Or of what blocks before left in the condition codes, where that is enough.
                let inherits = at > 0 && self.items.random.one_in(3);
                if inherits {
                    items.clear();
                } else {
                    let setter = self.items.setter();
                    items.push(setter);
                }
                let known = if inherits { 4 } else { CONDITIONS.len() };
                for _ in 0..self.items.random.below(4) {
                    let quiet = self.items.quiet();
                    items.push(quiet);
                }
                let condition = self.items.random.pick(&CONDITIONS[..known]);
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

    /// One or more items.
    fn more(&mut self, items: &mut Vec<Item>) {
        if !self.known.is_empty() && self.items.random.one_in(3) {
            let known = self.items.random.below(self.known.len());
            items.push(self.known[known].clone());
            return;
        }
        let fewer = if self.verdicts { 3 } else { 0 };
        match fewer + self.items.random.below(16 - fewer) {
            0 | 15 => {
                // A wide sum, with something between the halves.
                let setter = self.items.setter();
                items.push(setter);
                for _ in 0..self.items.random.below(3) {
                    let quiet = self.items.quiet();
                    items.push(quiet);
                }
                let op = self.items.random.pick(&[AluOp::AddCarry, AluOp::SubCarry]);
                let carried = self.items.alu(op, false);
                items.push(carried);
            }
            1 if self.function + 1 < self.functions => {
                let callee = self.function + 1;
                if self.items.random.one_in(2) {
                    items.extend(self.items.index());
                }
                items.push(self.items.call(
                    Reference::Function(callee),
                    gpr(Bank::A, RETURN + callee as u8),
                ));
                self.behind_call(items);
            }
            2 => {
                items.push(self.items.call(Reference::Helper(1), gpr(Bank::B, RETURN)));
                self.behind_call(items);
            }
            3..6 => {
                let write = self.items.index();
                items.extend(write);
            }
            6..10 => {
                let op = self.items.random.pick(&ALL);
                let made = self.items.alu(op, false);
                self.remember(items, made);
            }
            10 => {
                let made = self.items.product();
                self.remember(items, made);
            }
            11 => {
                let made = self.items.indirect_shift();
                self.remember(items, made);
            }
            _ => {
                let made = self.items.quiet();
                self.remember(items, made);
            }
        }
    }

    /// Condition codes do not come along with a call or a return.
    fn behind_call(&mut self, items: &mut Vec<Item>) {
        if self.items.random.one_in(2) {
            let store = self.items.store();
            items.push(store);
        }
        let setter = self.items.setter();
        items.push(setter);
    }

    fn remember(&mut self, items: &mut Vec<Item>, made: Item) {
        self.known.push(made.clone());
        items.push(made);
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
