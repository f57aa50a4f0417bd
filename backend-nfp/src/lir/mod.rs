//! Virtual code of a micro-engine: its operations on 32-bit virtual registers, in SSA.
//!
//! Every value of 64 bits has become two halves. Registers have no bank yet ([`crate::banks`] gives
//! them one) and no number; transfer registers are *groups* of consecutive ones that a command
//! fills, numbered by [`crate::transfers`]. What the machine wants side by side (an indirect shift
//! and what gives its amount, the steps of a product) is one operation here.
//!
//! Condition codes belong to no register: an instruction that needs them ([`Op::reads_conditions`],
//! [`Branch::Conditions`]) takes those of the last instruction before it, in its block, that sets
//! them. Moves that later stages put in between leave condition codes alone.

mod arrange;
mod dead;
mod forward;
mod locals;
mod overlap;
mod retarget;

pub use arrange::arrange;
pub use dead::remove_dead;
pub use forward::forward;
pub use locals::locals;
pub use overlap::overlap;
pub use retarget::retarget;

use mir::SourceLoc;
use smallvec::SmallVec;

use crate::isa::{AluOp, CommandAction, CommandMode, Condition, MultiplySize, Shift, ShiftOp};

/// A virtual register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(pub u32);

/// A group of transfer registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(pub u32);

/// A block of a [`Lir`], by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block(pub u32);

impl Block {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an operation reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A virtual register.
    Reg(Reg),
    /// A number of eight bits.
    Immediate(u8),
    /// A word of a group that a command filled.
    Transfer(Group, u8),
    /// A word of local memory, by index register and offset in words.
    Local(u8, u8),
    /// The stack's address in local memory, which the firmware keeps in A22.
    StackBase,
    /// Nothing: the field is unused.
    Nothing,
}

/// What an operation writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A virtual register.
    Reg(Reg),
    /// An outgoing transfer register.
    Out(u8),
    /// A word of local memory, by index register and offset in words.
    Local(u8, u8),
    /// Nothing: only condition codes are wanted.
    Nothing,
}

/// Address and kind of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// What is done.
    pub action: CommandAction,
    /// How the operands give the address.
    pub mode: CommandMode,
    /// Operand of bank A.
    pub a: Source,
    /// Operand of bank B, or a number up to 127.
    pub b: Source,
    /// Bytes or words, by the action: 1 to 32.
    pub count: u8,
    /// The first outgoing transfer register that it reads.
    pub outgoing: u8,
    /// The signal that it raises without being waited for; none: it is waited for.
    pub signal: Option<u8>,
}

impl Access {
    /// Transfer registers.
    #[must_use]
    pub fn words(&self) -> u8 {
        match self.action {
            CommandAction::Read8 | CommandAction::Write8Swap => self.count.div_ceil(4),
            _ => self.count,
        }
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        match self.action {
            CommandAction::Read8 | CommandAction::Write8Swap => self.count.into(),
            _ => 4 * u32::from(self.count),
        }
    }

    /// Whether the address has 40 bits.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.mode != CommandMode::Short
    }
}

/// What an addition to memory adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addend {
    /// A number of 16 bits.
    Immediate(u16),
    /// Outgoing transfer registers.
    Out,
}

/// An operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Of a left and a right operand.
    Alu(AluOp, Source, Source),
    /// Of a left and a shifted right operand.
    Shift(ShiftOp, Source, Source, Shift),
    /// Masked bytes of a shifted source into an old value, or into zero.
    Field {
        /// The value that keeps its other bytes.
        old: Option<Source>,
        /// Where the bytes come from.
        source: Source,
        /// How they are moved first.
        shift: Shift,
        /// Which bytes, lowest first.
        mask: u8,
    },
    /// A number.
    Immediate(u32),
    /// The same again, for another bank or out of a transfer register.
    Copy(Source),
    /// As [`Op::Shift`], by an amount of which the low five bits count.
    IndirectShift {
        /// The amount.
        amount: Source,
        /// What is done with the shifted operand.
        op: ShiftOp,
        /// The left operand.
        left: Source,
        /// The operand to shift.
        right: Source,
        /// Direction.
        to_left: bool,
    },
    /// The low 8 or 16 bits, with copies of their sign above.
    SignExtend(Source, u8),
    /// Right shift that fills with the sign, by 1 to 31.
    ArithmeticShift(Source, u8),
    /// Right shift that fills with the sign, by an amount of which the low five bits count.
    ArithmeticShiftBy(Source, Source),
    /// Product; the target is its low word, `high` its high word.
    Multiply {
        /// A factor.
        a: Source,
        /// A factor.
        b: Source,
        /// How wide they are.
        size: MultiplySize,
        /// Where the high word goes.
        high: Option<Reg>,
    },
    /// A pseudo-random number.
    Random,
    /// Writes an index register of local memory.
    SetIndex(u8, Source),
    /// Reads memory into a group, and waits.
    Read(Access, Group),
    /// Writes outgoing transfer registers to memory, and waits.
    Write(Access),
    /// Waits for signals, by their bits.
    Wait(u16),
    /// Adds to a word, or two, of memory.
    Add {
        /// Where; `count` is 1 or 2 words.
        access: Access,
        /// What.
        addend: Addend,
    },
    /// Calls a helper of the firmware.
    Helper(Box<Helper>),
    /// Calls a function of the program.
    Call(Box<Call>),
    /// Values that come in fixed registers: parameters of a function.
    Parameters(Vec<(Reg, Fixed)>),
}

/// A general register of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fixed {
    /// Its bank.
    pub bank: crate::isa::Bank,
    /// Its number.
    pub number: u8,
}

/// A call of a helper.
#[derive(Clone, Debug, PartialEq)]
pub struct Helper {
    /// Its number.
    pub id: u32,
    /// Numbers that go to registers of bank A, and of bank B too where that is said.
    pub constants: Vec<(u8, u32, bool)>,
    /// Values that go to registers of both banks.
    pub arguments: Vec<(u8, Source)>,
    /// The result's low word.
    pub low: Option<Reg>,
    /// The result's high word.
    pub high: Option<Reg>,
}

/// A call of a function of the program.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which.
    pub function: usize,
    /// Values in their registers.
    pub arguments: Vec<(Fixed, Source)>,
    /// Results in theirs.
    pub results: Vec<(Fixed, Reg)>,
    /// Registers that it changes.
    pub clobbers: Vec<Fixed>,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Inst {
    /// What it does.
    pub op: Op,
    /// Where the result goes.
    pub target: Target,
    /// Position in the source.
    pub location: Option<SourceLoc>,
    /// Input slot plus one, 0 for none.
    pub origin: u32,
}

/// A way to a block, with a value for each of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// Where to.
    pub block: Block,
    /// Arguments.
    pub args: SmallVec<[Reg; 4]>,
}

/// What a branch depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Branch {
    /// Condition codes.
    Conditions(Condition),
    /// A bit of a source, by number, and what it must be.
    Bit(Source, u8, bool),
    /// A byte of a source, by number from the lowest, a number, and whether they must be equal.
    Byte(Source, u8, u8, bool),
}

/// How a block ends.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Control goes on there.
    Jump(Edge),
    /// One way or the other.
    Branch(Branch, Edge, Edge),
    /// The program is done, with this verdict.
    Done(Reg),
    /// Back to the caller, whose address this is, with results in fixed registers.
    Return(Reg, Vec<(Fixed, Reg)>),
}

/// A block.
#[derive(Clone, Debug)]
pub struct BlockData {
    /// Parameters.
    pub params: Vec<Reg>,
    /// Instructions.
    pub insts: Vec<Inst>,
    /// End; none while it is made.
    pub end: Option<End>,
    /// Loops around it.
    pub depth: u32,
    /// Position of the end.
    pub location: Option<SourceLoc>,
    /// Input slot of the end plus one, 0 for none.
    pub origin: u32,
}

/// A function; block 0 is the entry.
#[derive(Clone, Debug, Default)]
pub struct Lir {
    /// Blocks.
    pub blocks: Vec<BlockData>,
    /// Virtual registers.
    pub regs: u32,
    /// Words in each group of transfer registers.
    pub groups: Vec<u8>,
}

impl Op {
    /// Whether it depends on condition codes.
    #[must_use]
    pub fn reads_conditions(&self) -> bool {
        matches!(self, Op::Alu(AluOp::AddCarry | AluOp::SubCarry, ..))
    }

    /// Whether it sets condition codes, or leaves them undefined.
    #[must_use]
    pub fn sets_conditions(&self) -> bool {
        !matches!(
            self,
            Op::Immediate(_)
                | Op::Copy(_)
                | Op::Field { .. }
                | Op::Parameters(_)
                | Op::SetIndex(..)
                | Op::Read(..)
                | Op::Write(_)
        )
    }

    /// Whether it does more than to give a result.
    #[must_use]
    pub fn has_effect(&self) -> bool {
        matches!(
            self,
            Op::Random
                | Op::SetIndex(..)
                | Op::Write(_)
                | Op::Add { .. }
                | Op::Wait(_)
                | Op::Helper(_)
                | Op::Call(_)
                | Op::Parameters(_)
        )
    }

    /// Calls `f` with each source.
    pub fn for_each_source(&mut self, mut f: impl FnMut(&mut Source)) {
        match self {
            Op::Alu(_, a, b) | Op::Shift(_, a, b, _) | Op::ArithmeticShiftBy(a, b) => {
                f(a);
                f(b);
            }
            Op::Field { old, source, .. } => {
                if let Some(old) = old {
                    f(old);
                }
                f(source);
            }
            Op::IndirectShift {
                amount,
                left,
                right,
                ..
            } => {
                f(amount);
                f(left);
                f(right);
            }
            Op::Copy(source)
            | Op::ArithmeticShift(source, _)
            | Op::SignExtend(source, _)
            | Op::SetIndex(_, source) => f(source),
            Op::Multiply { a, b, .. } => {
                f(a);
                f(b);
            }
            Op::Read(access, _) | Op::Write(access) | Op::Add { access, .. } => {
                f(&mut access.a);
                f(&mut access.b);
            }
            Op::Helper(helper) => helper
                .arguments
                .iter_mut()
                .for_each(|(_, source)| f(source)),
            Op::Call(call) => call.arguments.iter_mut().for_each(|(_, source)| f(source)),
            Op::Immediate(_) | Op::Random | Op::Wait(_) | Op::Parameters(_) => {}
        }
    }

    /// The sources.
    #[must_use]
    pub fn sources(&self) -> SmallVec<[Source; 4]> {
        let mut found = SmallVec::new();
        // Only a mutable visitor is written; sources are small and copied.
        self.clone().for_each_source(|source| found.push(*source));
        found
    }
}

impl Inst {
    /// Virtual registers that it defines.
    #[must_use]
    pub fn defs(&self) -> SmallVec<[Reg; 4]> {
        let mut defs = SmallVec::new();
        if let Target::Reg(reg) = self.target {
            defs.push(reg);
        }
        match &self.op {
            Op::Multiply { high, .. } => defs.extend(*high),
            Op::Helper(helper) => defs.extend(helper.low.into_iter().chain(helper.high)),
            Op::Call(call) => defs.extend(call.results.iter().map(|(_, reg)| *reg)),
            Op::Parameters(params) => defs.extend(params.iter().map(|(reg, _)| *reg)),
            _ => {}
        }
        defs
    }

    /// Virtual registers that it reads.
    pub fn for_each_use(&self, mut f: impl FnMut(Reg)) {
        for source in self.op.sources() {
            if let Source::Reg(reg) = source {
                f(reg);
            }
        }
    }
}

impl Edge {
    /// A way to a block without parameters.
    #[must_use]
    pub fn to(block: Block) -> Edge {
        Edge::with(block, [])
    }

    /// A way to a block, with arguments.
    #[must_use]
    pub fn with(block: Block, args: impl IntoIterator<Item = Reg>) -> Edge {
        Edge {
            block,
            args: args.into_iter().collect(),
        }
    }
}

impl Branch {
    /// The source that it reads itself.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        match self {
            Branch::Conditions(_) => None,
            Branch::Bit(source, ..) | Branch::Byte(source, ..) => Some(*source),
        }
    }

    /// The source that it reads itself.
    pub fn source_mut(&mut self) -> Option<&mut Source> {
        match self {
            Branch::Conditions(_) => None,
            Branch::Bit(source, ..) | Branch::Byte(source, ..) => Some(source),
        }
    }
}

impl End {
    /// Ways to other blocks.
    #[must_use]
    pub fn edges(&self) -> SmallVec<[&Edge; 2]> {
        match self {
            End::Jump(edge) => SmallVec::from_slice(&[edge]),
            End::Branch(_, taken, other) => SmallVec::from_slice(&[taken, other]),
            End::Done(_) | End::Return(..) => SmallVec::new(),
        }
    }

    /// Ways to other blocks.
    pub fn edges_mut(&mut self) -> SmallVec<[&mut Edge; 2]> {
        let mut edges = SmallVec::new();
        match self {
            End::Jump(edge) => edges.push(edge),
            End::Branch(_, taken, other) => {
                edges.push(taken);
                edges.push(other);
            }
            End::Done(_) | End::Return(..) => {}
        }
        edges
    }

    /// Virtual registers that it reads, other than arguments.
    #[must_use]
    pub fn uses(&self) -> SmallVec<[Reg; 4]> {
        match self {
            End::Jump(_) => SmallVec::new(),
            End::Branch(branch, ..) => match branch.source() {
                Some(Source::Reg(reg)) => SmallVec::from_slice(&[reg]),
                _ => SmallVec::new(),
            },
            End::Done(reg) => SmallVec::from_slice(&[*reg]),
            End::Return(address, results) => {
                let mut uses = SmallVec::from_slice(&[*address]);
                uses.extend(results.iter().map(|(_, reg)| *reg));
                uses
            }
        }
    }
}

impl Lir {
    /// A new virtual register.
    pub fn new_reg(&mut self) -> Reg {
        self.regs += 1;
        Reg(self.regs - 1)
    }

    /// How often each register is read, arguments included.
    #[must_use]
    pub fn use_counts(&self) -> Vec<u32> {
        let mut uses = vec![0u32; self.regs as usize];
        for block in &self.blocks {
            for inst in &block.insts {
                inst.for_each_use(|reg| uses[reg.0 as usize] += 1);
            }
            let Some(end) = &block.end else { continue };
            for reg in end.uses() {
                uses[reg.0 as usize] += 1;
            }
            for arg in end.edges().iter().flat_map(|edge| &edge.args) {
                uses[arg.0 as usize] += 1;
            }
        }
        uses
    }

    /// A new block.
    pub fn new_block(&mut self, depth: u32) -> Block {
        self.blocks.push(BlockData {
            params: Vec::new(),
            insts: Vec::new(),
            end: None,
            depth,
            location: None,
            origin: 0,
        });
        Block(self.blocks.len() as u32 - 1)
    }

    /// A new group of this many words.
    pub fn new_group(&mut self, words: u8) -> Group {
        self.groups.push(words);
        Group(self.groups.len() as u32 - 1)
    }
}
