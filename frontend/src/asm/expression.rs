//! What an expression is worth.
//!
//! A value is a number, or the address of one symbol plus a number, possibly less the address of
//! another one that is not known yet. Addresses cancel as soon as both symbols lie in one section
//! at known places.
//!
//! No recursion over the expression: nodes are postfix. Symbols that are set to expressions are
//! followed to [`MAX_DEPTH`], which also ends definitions in a circle, and for [`MAX_STEPS`] nodes
//! in all, since each may mention the next one several times.

use bpf::diagnostic::Span;
use smallvec::SmallVec;

use super::ast::{Arena, BinaryOp, Expr, Node, UnaryOp};
use super::layout::{Place, Sections};
use super::symbols::{Definition, SymbolIndex, Symbols};

/// How many symbols may be defined by one another.
const MAX_DEPTH: u32 = 32;

/// Nodes of other symbols' expressions that one evaluation may visit.
const MAX_STEPS: usize = 1 << 12;

/// `add - sub + constant`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Value {
    /// A symbol whose address is added.
    pub add: Option<SymbolIndex>,
    /// A symbol whose address is subtracted.
    pub sub: Option<SymbolIndex>,
    /// The number.
    pub constant: i64,
}

impl Value {
    /// A number.
    pub fn number(constant: i64) -> Value {
        Value {
            constant,
            ..Value::default()
        }
    }

    /// The number, if it is nothing else.
    pub fn as_number(self) -> Option<i64> {
        match self {
            Value {
                add: None,
                sub: None,
                constant,
            } => Some(constant),
            _ => None,
        }
    }
}

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The operator needs numbers.
    NotNumbers,
    /// More than one address would remain.
    TooManySymbols,
    /// Division by zero.
    DivideByZero,
    /// Digits that are no 64-bit integer.
    Digits,
    /// A symbol is defined by itself, or through too many others.
    Recursive,
}

/// What evaluation looks at.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Expressions.
    pub arena: &'a Arena,
    /// Symbols.
    pub symbols: &'a Symbols,
    /// Places.
    pub sections: &'a Sections,
}

impl Scope<'_> {
    /// The value of an expression.
    pub fn evaluate(self, expr: Expr) -> Result<Value, (Problem, Span)> {
        self.evaluate_to(expr, MAX_DEPTH, &mut { MAX_STEPS })
    }

    /// The number that an expression is, if it is one.
    pub fn number(self, expr: Expr) -> Option<i64> {
        self.evaluate(expr).ok()?.as_number()
    }

    /// The place of a symbol that is a label, a section, or set to one of these.
    pub fn place(self, symbol: SymbolIndex) -> Option<Place> {
        self.place_within(symbol, MAX_DEPTH, &mut { MAX_STEPS })
    }

    /// What a symbol is set to, with other set symbols followed to the end.
    pub fn set_value(self, expr: Expr) -> Result<Value, (Problem, Span)> {
        let value = self.evaluate(expr)?;
        let Some(symbol) = value.add.filter(|_| value.sub.is_none()) else {
            return Ok(value);
        };
        match self.symbols.get(symbol).definition {
            Some(Definition::Variable(inner)) => {
                let (base, constant) = self.base(inner, MAX_DEPTH, &mut { MAX_STEPS })?;
                Ok(Value {
                    add: Some(base),
                    constant: value.constant.wrapping_add(constant),
                    ..value
                })
            }
            _ => Ok(value),
        }
    }

    fn place_within(self, symbol: SymbolIndex, depth: u32, steps: &mut usize) -> Option<Place> {
        match self.symbols.get(symbol).definition? {
            Definition::Label(place) => Some(place),
            Definition::Section(section) => Some(Place {
                section,
                fragment: 0,
                offset: 0,
            }),
            Definition::Common { .. } => None,
            Definition::Variable(expr) => {
                let (base, constant) = self.base(expr, depth, steps).ok()?;
                let place = self.place_within(base, 0, steps)?;
                Some(Place {
                    offset: place.offset.wrapping_add(constant as u64),
                    ..place
                })
            }
        }
    }

    /// The label or undefined symbol at the end of a chain of set symbols, and the distance to it.
    fn base(
        self,
        expr: Expr,
        depth: u32,
        steps: &mut usize,
    ) -> Result<(SymbolIndex, i64), (Problem, Span)> {
        let mut expr = expr;
        let mut constant = 0_i64;
        for _ in 0..=depth {
            let value = self.evaluate_to(expr, depth, steps)?;
            let (Some(symbol), None) = (value.add, value.sub) else {
                return Err((Problem::NotNumbers, expr.span));
            };
            constant = constant.wrapping_add(value.constant);
            match self.symbols.get(symbol).definition {
                Some(Definition::Variable(inner)) => expr = inner,
                _ => return Ok((symbol, constant)),
            }
        }
        Err((Problem::Recursive, expr.span))
    }

    fn evaluate_to(
        self,
        expr: Expr,
        depth: u32,
        steps: &mut usize,
    ) -> Result<Value, (Problem, Span)> {
        // Most are one label.
        if let [node] = self.arena.nodes(expr)
            && let Node::Place(symbol) = node.value
        {
            return self.symbol(SymbolIndex(symbol), node.span, depth, steps);
        }
        let mut stack: SmallVec<[Value; 4]> = SmallVec::new();
        for node in self.arena.nodes(expr) {
            let value = match node.value {
                Node::Number(number) => Value::number(number),
                Node::Place(symbol) => self.symbol(SymbolIndex(symbol), node.span, depth, steps)?,
                // Names and local labels were bound before; what is left has no value.
                Node::Symbol(_) | Node::Quoted(_) | Node::LocalLabel(..) | Node::Here => {
                    return Err((Problem::NotNumbers, node.span));
                }
                Node::Digits(_) => return Err((Problem::Digits, node.span)),
                Node::Unary(op) => {
                    let operand = stack.pop().unwrap_or_default();
                    unary(op, operand).map_err(|problem| (problem, node.span))?
                }
                Node::Binary(op) => {
                    let right = stack.pop().unwrap_or_default();
                    let left = stack.pop().unwrap_or_default();
                    self.binary(op, left, right)
                        .map_err(|problem| (problem, node.span))?
                }
            };
            stack.push(value);
        }
        Ok(stack.pop().unwrap_or_default())
    }

    fn symbol(
        self,
        symbol: SymbolIndex,
        at: Span,
        depth: u32,
        steps: &mut usize,
    ) -> Result<Value, (Problem, Span)> {
        let Some(Definition::Variable(expr)) = self.symbols.get(symbol).definition else {
            return Ok(Value {
                add: Some(symbol),
                ..Value::default()
            });
        };
        let left = steps.checked_sub(self.arena.nodes(expr).len());
        let (Some(depth), Some(left)) = (depth.checked_sub(1), left) else {
            return Err((Problem::Recursive, at));
        };
        *steps = left;
        let value = self.evaluate_to(expr, depth, steps);
        let value = value.map_err(|(problem, _)| (problem, at))?;
        // A second name for a place stays a symbol of its own: it may be bound otherwise.
        let mut placed = |base| self.place_within(base, depth, steps).is_some();
        Ok(match value.add {
            Some(base) if value.sub.is_none() && placed(base) => Value {
                add: Some(symbol),
                ..Value::default()
            },
            _ => value,
        })
    }

    fn binary(self, op: BinaryOp, left: Value, right: Value) -> Result<Value, Problem> {
        match op {
            BinaryOp::Add => self.sum(left, right),
            BinaryOp::Subtract => {
                let negated = Value {
                    add: right.sub,
                    sub: right.add,
                    constant: right.constant.wrapping_neg(),
                };
                self.sum(left, negated)
            }
            op => {
                let numbers = left.as_number().zip(right.as_number());
                let (left, right) = numbers.ok_or(Problem::NotNumbers)?;
                arithmetic(op, left, right).map(Value::number)
            }
        }
    }

    /// Adds two values, cancelling addresses whose distance is known.
    fn sum(self, left: Value, right: Value) -> Result<Value, Problem> {
        let mut constant = left.constant.wrapping_add(right.constant);
        let mut added = [left.add, right.add];
        let mut subtracted = [left.sub, right.sub];
        for add in &mut added {
            for sub in &mut subtracted {
                if let (Some(to), Some(from)) = (*add, *sub)
                    && let Some(distance) = self.distance(from, to)
                {
                    constant = constant.wrapping_add(distance);
                    *add = None;
                    *sub = None;
                }
            }
        }
        let one = |pair: [Option<SymbolIndex>; 2]| match pair {
            [Some(_), Some(_)] => Err(Problem::TooManySymbols),
            [one, other] => Ok(one.or(other)),
        };
        Ok(Value {
            add: one(added)?,
            sub: one(subtracted)?,
            constant,
        })
    }

    fn distance(self, from: SymbolIndex, to: SymbolIndex) -> Option<i64> {
        if from == to {
            return Some(0);
        }
        self.sections.distance(self.place(from)?, self.place(to)?)
    }
}

fn unary(op: UnaryOp, operand: Value) -> Result<Value, Problem> {
    if op == UnaryOp::Plus {
        return Ok(operand);
    }
    if op == UnaryOp::Negate {
        return Ok(Value {
            add: operand.sub,
            sub: operand.add,
            constant: operand.constant.wrapping_neg(),
        });
    }
    let number = operand.as_number().ok_or(Problem::NotNumbers)?;
    Ok(Value::number(match op {
        UnaryOp::Complement => !number,
        _ => i64::from(number == 0),
    }))
}

/// Operators as the GNU assembler defines them: a true comparison is -1, `>>` is logical.
fn arithmetic(op: BinaryOp, left: i64, right: i64) -> Result<i64, Problem> {
    let truth = |holds: bool| if holds { -1 } else { 0 };
    let shift = u32::try_from(right).ok();
    Ok(match op {
        BinaryOp::Add => left.wrapping_add(right),
        BinaryOp::Subtract => left.wrapping_sub(right),
        BinaryOp::Multiply => left.wrapping_mul(right),
        BinaryOp::Divide | BinaryOp::Remainder if right == 0 => return Err(Problem::DivideByZero),
        BinaryOp::Divide => left.wrapping_div(right),
        BinaryOp::Remainder => left.wrapping_rem(right),
        BinaryOp::ShiftLeft => shift.and_then(|by| left.checked_shl(by)).unwrap_or(0),
        BinaryOp::ShiftRight => {
            let shifted = shift.and_then(|by| (left as u64).checked_shr(by));
            shifted.unwrap_or(0) as i64
        }
        BinaryOp::And => left & right,
        BinaryOp::Or => left | right,
        BinaryOp::Xor => left ^ right,
        BinaryOp::LogicalAnd => i64::from(left != 0 && right != 0),
        BinaryOp::LogicalOr => i64::from(left != 0 || right != 0),
        BinaryOp::Equal => truth(left == right),
        BinaryOp::NotEqual => truth(left != right),
        BinaryOp::Less => truth(left < right),
        BinaryOp::LessEqual => truth(left <= right),
        BinaryOp::Greater => truth(left > right),
        BinaryOp::GreaterEqual => truth(left >= right),
    })
}
