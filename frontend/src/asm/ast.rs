//! What one statement says, before any meaning is attached.
//!
//! Expressions are postfix runs of [`Node`]s in one [`Arena`], not trees of boxes: the parser
//! produces nodes in that order anyway, evaluating needs a small stack and no recursion, and no
//! depth of parentheses can overflow anything.

use std::fmt;
use std::rc::Rc;

use bpf::diagnostic::Span;
use bpf::insn::{AluOp, AtomicOp, Cond, EndianOp, MemWidth, Reg, Width};
use rustc_hash::FxHashMap;

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

/// An interned name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(pub u32);

/// An expression: the nodes `first..=last` of the arena, in postfix order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expr {
    /// First node.
    pub first: u32,
    /// Last node, the root.
    pub last: u32,
    /// The whole expression.
    pub span: Span,
}

/// One step of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// Pushes a number.
    Number(i64),
    /// Pushes a symbol's value.
    Symbol(NameId),
    /// Pushes the value of a symbol whose name was quoted.
    Quoted(NameId),
    /// Pushes a place remembered by the assembler.
    Place(u32),
    /// Pushes the place of `N:`, forward or backward.
    LocalLabel(u64, bool),
    /// Digits that are no 64-bit integer; an error except where a directive takes them.
    Digits(NameId),
    /// Pushes the current place.
    Here,
    /// Pops one value, pushes one.
    Unary(UnaryOp),
    /// Pops two values, pushes one.
    Binary(BinaryOp),
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `+`
    Plus,
    /// `~`
    Complement,
    /// `!`
    Not,
}

/// Infix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    ShiftLeft,
    /// Logical.
    ShiftRight,
    And,
    Or,
    Xor,
    LogicalAnd,
    LogicalOr,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Nodes and names of a file.
#[derive(Debug, Default)]
pub struct Arena {
    nodes: Vec<Spanned<Node>>,
    names: Vec<Rc<str>>,
    by_name: FxHashMap<Rc<str>, NameId>,
}

impl Arena {
    /// The number under which a name is known.
    pub fn intern(&mut self, name: &str) -> NameId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = NameId(self.names.len() as u32);
        let name: Rc<str> = Rc::from(name);
        self.names.push(Rc::clone(&name));
        self.by_name.insert(name, id);
        id
    }

    /// The spelling of a name.
    pub fn name(&self, id: NameId) -> &str {
        self.names.get(id.0 as usize).map_or("", |name| name)
    }

    /// An expression of one node.
    pub fn leaf(&mut self, node: Node, span: Span) -> Expr {
        let index = self.nodes.len() as u32;
        self.nodes.push(Spanned { value: node, span });
        Expr {
            first: index,
            last: index,
            span,
        }
    }

    /// A prefix operator applied to the expression just made.
    pub fn unary(&mut self, op: UnaryOp, operand: Expr, span: Span) -> Expr {
        let root = self.leaf(Node::Unary(op), span);
        Expr {
            first: operand.first,
            ..root
        }
    }

    /// An infix operator applied to the two expressions just made.
    pub fn binary(&mut self, op: BinaryOp, left: Expr, right: Expr) -> Expr {
        let root = self.leaf(Node::Binary(op), left.span.to(right.span));
        Expr {
            first: left.first,
            ..root
        }
    }

    /// The nodes of an expression, operands before operators.
    pub fn nodes(&self, expr: Expr) -> &[Spanned<Node>] {
        self.nodes
            .get(expr.first as usize..=expr.last as usize)
            .unwrap_or(&[])
    }

    /// The same, to be changed.
    pub fn nodes_mut(&mut self, expr: Expr) -> &mut [Spanned<Node>] {
        self.nodes
            .get_mut(expr.first as usize..=expr.last as usize)
            .unwrap_or(&mut [])
    }

    /// The only node of an expression, if it has only one.
    pub fn single(&self, expr: Expr) -> Option<Node> {
        match self.nodes(expr) {
            [node] => Some(node.value),
            _ => None,
        }
    }

    /// The number that an expression is when it is a number as written, with at most one sign and
    /// no parentheses: nearly all of them are, and need no evaluation.
    pub fn literal(&self, expr: Expr) -> Option<i64> {
        match *self.nodes(expr) {
            [number] if number.span == expr.span => match number.value {
                Node::Number(value) => Some(value),
                _ => None,
            },
            [number, sign] if sign.span == expr.span && number.span.end == expr.span.end => {
                match (number.value, sign.value) {
                    (Node::Number(value), Node::Unary(UnaryOp::Negate)) => {
                        Some(value.wrapping_neg())
                    }
                    (Node::Number(value), Node::Unary(UnaryOp::Plus)) => Some(value),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// How many nodes there are.
    pub fn mark(&self) -> usize {
        self.nodes.len()
    }

    /// Forgets the nodes made since [`Arena::mark`].
    pub fn rewind(&mut self, mark: usize) {
        self.nodes.truncate(mark);
    }
}

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
