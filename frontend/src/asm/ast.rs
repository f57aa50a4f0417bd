//! What one statement says, before any meaning is attached.

use std::fmt;

use bpf::diagnostic::Span;
use bpf::insn::{AluOp, AtomicOp, Cond, EndianOp, MemWidth, Reg, Width};

pub use super::arena::{Arena, BinaryOp, Expr, NameId, Node, UnaryOp};
use super::conditional::Question;

/// Something with its place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The thing.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// A register as written: `r1` or `w1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// [`Width::W32`] for `w`.
    pub width: Width,
    /// Number.
    pub reg: Reg,
}

impl fmt::Display for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.width {
            Width::W64 => 'r',
            Width::W32 => 'w',
        };
        write!(formatter, "{letter}{}", self.reg.0)
    }
}

/// A register operand.
pub type RegisterOperand = Spanned<Register>;

/// A label definition.
#[derive(Clone, Copy, Debug)]
pub enum Label {
    /// `name:`
    Name(NameId),
    /// `1:`
    Local(u64),
}

/// What follows the labels of a statement.
#[derive(Clone, Debug)]
pub enum Body {
    /// An instruction.
    Instruction(Instruction),
    /// A directive.
    Directive(Directive),
    /// A statement whose operands are text.
    Raw(Raw),
}

/// What a statement with text for operands does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// Calls a macro.
    Call,
    /// `.macro`
    Macro,
    /// `.rept`
    Repeat,
    /// `.irp`
    ForEach,
    /// `.irpc`
    ForCharacters,
    /// `.if` and its kin
    If(Question),
    /// `.elseif`
    ElseIf,
}

/// A statement whose operands are text, or are not to be understood in every case.
#[derive(Clone, Copy, Debug)]
pub struct Raw {
    /// What it does.
    pub kind: RawKind,
    /// First word; that of a directive in lower case.
    pub name: Spanned<NameId>,
    /// What follows the word.
    pub text: Span,
    /// The whole statement.
    pub span: Span,
}

/// `.name operands`
#[derive(Clone, Debug)]
pub struct Directive {
    /// Name with its dot, as written.
    pub name: Spanned<NameId>,
    /// Operands between commas.
    pub operands: Vec<Group>,
    /// The whole statement.
    pub span: Span,
}

/// What stands between two commas of a directive; empty groups are kept for their place.
#[derive(Clone, Debug)]
pub struct Group {
    /// Items separated by blanks.
    pub items: Vec<Item>,
    /// The group, or the point where it is missing.
    pub span: Span,
}

/// One operand of a directive.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    /// An expression; a lone string is [`Node::Quoted`].
    Expr(Expr),
    /// `@name` or `%name`
    Tag(Spanned<NameId>),
}

impl Item {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Item::Expr(expr) => expr.span,
            Item::Tag(name) => name.span,
        }
    }
}

/// `(base + offset)`
#[derive(Clone, Copy, Debug)]
pub struct Address {
    /// Base register.
    pub base: RegisterOperand,
    /// What follows it.
    pub offset: Option<Expr>,
    /// From parenthesis to parenthesis.
    pub span: Span,
}

/// A register or a value.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    /// A register.
    Register(RegisterOperand),
    /// An immediate.
    Value(Expr),
}

/// The jumps without a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JumpKind {
    Goto,
    Gotol,
    MayGoto,
}

/// An instruction as written; whether its operands suit each other is not yet known.
#[derive(Clone, Copy, Debug)]
pub enum Instruction {
    Alu {
        dst: RegisterOperand,
        op: AluOp,
        src: Operand,
    },
    Negate {
        dst: RegisterOperand,
        src: RegisterOperand,
    },
    Extend {
        dst: RegisterOperand,
        from: Spanned<MemWidth>,
        signed: bool,
        src: RegisterOperand,
    },
    ByteOrder {
        dst: RegisterOperand,
        op: EndianOp,
        bits: u8,
        word: Span,
        src: RegisterOperand,
    },
    LoadWide {
        dst: RegisterOperand,
        value: Expr,
    },
    LoadPseudo {
        dst: RegisterOperand,
        pseudo: Expr,
        value: Expr,
    },
    AddrSpaceCast {
        dst: RegisterOperand,
        src: RegisterOperand,
        to: Expr,
        from: Expr,
    },
    Load {
        dst: RegisterOperand,
        width: Spanned<MemWidth>,
        signed: bool,
        address: Address,
    },
    Store {
        width: Spanned<MemWidth>,
        signed: bool,
        address: Address,
        src: Operand,
    },
    Update {
        width: Spanned<MemWidth>,
        op: Spanned<AtomicOp>,
        address: Address,
        src: Operand,
    },
    Fetch {
        dst: RegisterOperand,
        op: AtomicOp,
        width: Spanned<MemWidth>,
        address: Address,
        src: RegisterOperand,
    },
    Exchange {
        dst: RegisterOperand,
        width: MemWidth,
        address: Address,
        src: RegisterOperand,
    },
    CompareExchange {
        dst: RegisterOperand,
        width: MemWidth,
        address: Address,
        expected: RegisterOperand,
        src: RegisterOperand,
    },
    LoadAcquire {
        dst: RegisterOperand,
        width: Spanned<MemWidth>,
        address: Address,
    },
    StoreRelease {
        width: Spanned<MemWidth>,
        address: Address,
        src: RegisterOperand,
    },
    LoadPacket {
        dst: RegisterOperand,
        width: Spanned<MemWidth>,
        index: Operand,
    },
    /// A packet load at a register plus a number.
    LoadPacketAt {
        dst: RegisterOperand,
        width: Spanned<MemWidth>,
        index: RegisterOperand,
        displacement: Expr,
    },
    Branch {
        dst: RegisterOperand,
        cond: Spanned<Cond>,
        src: Operand,
        target: Expr,
    },
    Jump {
        kind: JumpKind,
        target: Expr,
    },
    Gotox {
        dst: RegisterOperand,
    },
    Call {
        target: Expr,
    },
    /// A call within the object, of a function or over a number of instructions.
    CallLocal {
        target: Expr,
    },
    /// A call of a kernel function by its number.
    CallKernel {
        number: Expr,
    },
    Callx {
        dst: RegisterOperand,
    },
    Exit,
}
