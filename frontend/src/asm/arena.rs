//! Names and expressions of a file, in one place.
//!
//! Expressions are postfix runs of [`Node`]s in one [`Arena`], not trees of boxes: the parser
//! produces nodes in that order anyway, evaluating needs a small stack and no recursion, and no
//! depth of parentheses can overflow anything.

use std::rc::Rc;

use bpf::diagnostic::Span;
use rustc_hash::FxHashMap;

use super::ast::Spanned;

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
