//! Instructions in the classic way of writing them: a mnemonic, then its operands.
//!
//! GNU as's own language (`ldxw %r1,[%r2+4]`) and that of the conformance suite (`lock fetch add
//! [%r10-8], %r1`) are read together, see `docs/assembly.md`. Only instructions differ: labels,
//! directives, expressions, macros and comments are those of the default language, and what is read
//! here is the same [`Instruction`], so that everything behind is shared.
//!
//! A mnemonic says how many operands of which kind follow, so that a table ([`table`]) takes the
//! place of a grammar, and each message can say what was to stand in the place of what stands there.
//!
//! Cost: linear in the statement.

mod exit;
mod mistakes;
mod operands;
mod table;

use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::{AtomicOp, MemWidth, Reg, Width};

use super::ast::{
    Address, Arena, Expr, Instruction, Node, Operand, Register, RegisterOperand, Spanned,
};
use super::parse::Located;
use super::token::Token;
use operands::{Operands, Piece};
use table::Shape;

pub use exit::ImplicitExit;
pub use mistakes::is_mnemonic;

/// What the expressions of a statement are read with: one may have several parts, where a comma
/// is missing.
pub type Values<'a> = dyn Fn(&[Located<'_>], &mut Arena) -> Result<Vec<Expr>, Diagnostic> + 'a;

/// A mnemonic that was understood.
struct Found {
    shape: Shape,
    /// Of the registers.
    width: Width,
    /// The words.
    span: Span,
    /// How many there are.
    words: usize,
}

/// The instruction that `tokens` write down.
pub fn instruction(
    tokens: &[Located<'_>],
    span: Span,
    source: &str,
    values: &Values<'_>,
    arena: &mut Arena,
) -> Result<Instruction, Diagnostic> {
    let found = mnemonic(tokens, span, source)?;
    let rest = tokens.get(found.words..).unwrap_or(&[]);
    let pieces = Operands { span, values }.pieces(rest, arena)?;
    mistakes::check(&found.word(source), found.shape, &pieces, span, arena)?;
    Ok(found.build(&pieces, arena))
}

/// The words that say what the instruction is.
fn mnemonic(tokens: &[Located<'_>], span: Span, source: &str) -> Result<Found, Diagnostic> {
    let word = |index: usize| match tokens.get(index) {
        Some(&(_, Token::Word(word), _)) => Some(word.to_ascii_lowercase()),
        _ => None,
    };
    let at = |first: usize, last: usize| match (tokens.get(first), tokens.get(last)) {
        (Some(first), Some(last)) => Span::new(span.file, first.0, last.2),
        _ => span,
    };
    let Some(first) = word(0) else {
        return Err(mistakes::no_mnemonic(tokens, at(0, 0), source));
    };
    let (found, words) = match (first.as_str(), word(1)) {
        ("lock", Some(second)) if second == "fetch" => {
            let third = word(2).unwrap_or_default();
            (table::locked(&third, true), 3)
        }
        ("lock", second) => (table::locked(&second.unwrap_or_default(), false), 2),
        ("call", Some(mode)) if tokens.len() > 2 && mode == "local" => {
            (Some((Shape::CallLocal, Width::W64)), 2)
        }
        ("call", Some(mode)) if tokens.len() > 2 && mode == "runtime" => {
            (Some((Shape::CallKernel, Width::W64)), 2)
        }
        (first, _) => (table::find(first), 1),
    };
    match found {
        Some((shape, width)) => Ok(Found {
            shape,
            width,
            span: at(0, words - 1),
            words,
        }),
        None if first == "lock" => Err(mistakes::unknown_update(tokens, at(0, 0), source)),
        None => Err(mistakes::unknown(&first, tokens, at(0, 0))),
    }
}

impl Found {
    fn word(&self, source: &str) -> String {
        let text = source.get(self.span.range()).unwrap_or("");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The instruction; the pieces suit it.
    fn build(&self, pieces: &[Piece], arena: &mut Arena) -> Instruction {
        let width = self.width;
        // Pieces were checked against the table, so that none of these is missing.
        let nothing = arena.leaf(Node::Number(0), self.span);
        let register = |index: usize, width: Width| match pieces.get(index) {
            Some(Piece::Register(register)) => with_width(*register, width),
            _ => no_register(self.span, width),
        };
        let value = |index: usize| match pieces.get(index) {
            Some(Piece::Value(value)) => *value,
            _ => nothing,
        };
        let address = |index: usize| match pieces.get(index) {
            Some(Piece::Address(address)) => Address {
                base: with_width(address.base, Width::W64),
                offset: Some(address.offset.unwrap_or(nothing)),
                span: address.span,
            },
            _ => Address {
                base: no_register(self.span, Width::W64),
                offset: Some(nothing),
                span: self.span,
            },
        };
        let either = |index: usize| match pieces.get(index) {
            Some(Piece::Register(register)) => Operand::Register(with_width(*register, width)),
            _ => Operand::Value(value(index)),
        };
        let spanned = |value| Spanned {
            value,
            span: self.span,
        };
        let dst = register(0, width);
        match self.shape {
            Shape::Alu(op) => Instruction::Alu {
                dst,
                op,
                src: either(1),
            },
            Shape::Negate => Instruction::Negate { dst, src: dst },
            Shape::Extend(from, width) => Instruction::Extend {
                dst: register(0, width),
                from: spanned(from),
                signed: true,
                src: register(1, width),
            },
            Shape::ExtendBits => Instruction::Extend {
                dst,
                from: Spanned {
                    value: match arena.literal(value(2)) {
                        Some(8) => MemWidth::B8,
                        Some(16) => MemWidth::B16,
                        _ => MemWidth::B32,
                    },
                    span: value(2).span,
                },
                signed: true,
                src: register(1, width),
            },
            Shape::ByteOrder(op, bits) => Instruction::ByteOrder {
                dst,
                op,
                bits,
                word: self.span,
                src: dst,
            },
            Shape::ByteOrderBits(op) => Instruction::ByteOrder {
                dst,
                op,
                bits: match arena.literal(value(1)) {
                    Some(16) => 16,
                    Some(32) => 32,
                    _ => 64,
                },
                word: self.span,
                src: dst,
            },
            Shape::LoadWide => Instruction::LoadWide {
                dst,
                value: value(1),
            },
            Shape::LoadPseudo => Instruction::LoadPseudo {
                dst,
                pseudo: value(1),
                value: value(2),
            },
            Shape::AddrSpaceCast => Instruction::AddrSpaceCast {
                dst,
                src: register(1, width),
                to: value(2),
                from: value(3),
            },
            Shape::Load(memory, signed) => Instruction::Load {
                dst,
                width: spanned(memory),
                signed,
                address: address(1),
            },
            Shape::Store(memory) => Instruction::Store {
                width: spanned(memory),
                signed: false,
                address: address(0),
                src: either(1),
            },
            Shape::StoreNumber(memory) => Instruction::Store {
                width: spanned(memory),
                signed: false,
                address: address(0),
                src: Operand::Value(value(1)),
            },
            Shape::PacketLoad(memory) => Instruction::LoadPacket {
                dst: no_register(self.span, Width::W64),
                width: spanned(memory),
                index: Operand::Value(value(0)),
            },
            Shape::PacketLoadAt(memory) => Instruction::LoadPacketAt {
                dst: no_register(self.span, Width::W64),
                width: spanned(memory),
                index: dst,
                displacement: value(1),
            },
            Shape::Atomic(op, fetch) => self.atomic(op, fetch, address(0), register(1, width)),
            Shape::LoadAcquire(memory) => Instruction::LoadAcquire {
                dst: register(0, value_width(memory)),
                width: spanned(memory),
                address: address(1),
            },
            Shape::StoreRelease(memory) => Instruction::StoreRelease {
                width: spanned(memory),
                address: address(0),
                src: register(1, value_width(memory)),
            },
            Shape::Branch(cond) => Instruction::Branch {
                dst,
                cond: Spanned {
                    value: cond,
                    span: self.span,
                },
                src: either(1),
                target: value(2),
            },
            Shape::Jump(kind) => Instruction::Jump {
                kind,
                target: value(0),
            },
            Shape::Gotox => Instruction::Gotox { dst },
            Shape::Callx => Instruction::Callx { dst },
            Shape::Call => match pieces.first() {
                Some(Piece::Register(_)) => Instruction::Callx { dst },
                _ => Instruction::Call { target: value(0) },
            },
            Shape::CallLocal => Instruction::CallLocal { target: value(0) },
            Shape::CallKernel => Instruction::CallKernel { number: value(0) },
            Shape::Exit => Instruction::Exit,
        }
    }

    fn atomic(
        &self,
        op: AtomicOp,
        fetch: bool,
        address: Address,
        src: RegisterOperand,
    ) -> Instruction {
        let memory = match self.width {
            Width::W64 => MemWidth::B64,
            Width::W32 => MemWidth::B32,
        };
        let width = Spanned {
            value: memory,
            span: self.span,
        };
        match op {
            AtomicOp::Xchg => Instruction::Exchange {
                dst: src,
                width: memory,
                address,
                src,
            },
            AtomicOp::Cmpxchg => {
                let zero = no_register(self.span, self.width);
                Instruction::CompareExchange {
                    dst: zero,
                    width: memory,
                    address,
                    expected: zero,
                    src,
                }
            }
            op if fetch => Instruction::Fetch {
                dst: src,
                op,
                width,
                address,
                src,
            },
            op => Instruction::Update {
                width,
                op: Spanned {
                    value: op,
                    span: self.span,
                },
                address,
                src: Operand::Register(src),
            },
        }
    }
}

/// The register, as part of which the language has no halves.
fn with_width(register: RegisterOperand, width: Width) -> RegisterOperand {
    let mut register = register;
    register.value.width = width;
    register
}

/// Register 0, where none is written.
fn no_register(span: Span, width: Width) -> RegisterOperand {
    let value = Register { width, reg: Reg(0) };
    Spanned { value, span }
}

/// What holds a value of this width.
fn value_width(memory: MemWidth) -> Width {
    match memory {
        MemWidth::B64 => Width::W64,
        _ => Width::W32,
    }
}
