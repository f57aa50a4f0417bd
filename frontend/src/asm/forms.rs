//! The plain instructions, read straight from the text.
//!
//! Nearly all lines of a long file are one of a dozen shapes: an operation on a register, a load, a
//! store, a branch, a call, with blanks between and nothing else on the line. They are recognised
//! here byte by byte, without tokens and without the tables of the grammar. The lexer and the
//! grammar stay the definition of the language: whatever is not exactly one of these shapes is left
//! to them, and with it every message about what is wrong. A test holds the two against each other:
//! what is read here is, node for node and place for place, what the grammar makes of the same line.
//!
//! Cost: each byte of the line is looked at once or twice; nothing is allocated but new names.

use bpf::diagnostic::{FileId, Span};
use bpf::insn::{AluOp, Cond, MemWidth};

use super::ast::{
    Address, Arena, Expr, Instruction, JumpKind, Node, Operand, Register, RegisterOperand, Spanned,
    UnaryOp,
};
use super::token::{Token, register, reserved_word};

/// Hexadecimal and decimal digits of which every number fits 64 bits.
const MOST_DIGITS: [usize; 2] = [16, 18];

/// An instruction that is alone in its statement.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// The instruction.
    pub instruction: Instruction,
    /// Its text.
    pub span: Span,
    /// Byte after the statement and what ends it.
    pub after: usize,
}

/// The plain instruction whose statement begins at byte `at`, if it is one. Nodes may have been
/// added to the arena when it is none.
pub fn plain(source: &str, at: usize, file: FileId, arena: &mut Arena) -> Option<Plain> {
    let mut line = Line {
        source,
        bytes: source.as_bytes(),
        at,
        file,
        arena,
    };
    line.blanks();
    let start = line.at;
    let instruction = line.instruction()?;
    let end = line.at;
    line.blanks();
    let after = match line.peek() {
        None => line.at,
        Some(b'\n' | b';') => line.at + 1,
        Some(_) => return None,
    };
    Some(Plain {
        instruction,
        span: line.span(start, end),
        after,
    })
}

/// A reader in the middle of a line.
struct Line<'a> {
    source: &'a str,
    bytes: &'a [u8],
    at: usize,
    file: FileId,
    arena: &'a mut Arena,
}

impl<'a> Line<'a> {
    fn instruction(&mut self) -> Option<Instruction> {
        if self.take(b'*') {
            return self.store();
        }
        let start = self.at;
        let word = self.word()?;
        if let Some(value) = register(word) {
            let span = self.span(start, self.at);
            return self.assignment(Spanned { value, span });
        }
        match word {
            "if" => self.branch(),
            "goto" => Some(Instruction::Jump {
                kind: JumpKind::Goto,
                target: self.value()?,
            }),
            "call" => Some(Instruction::Call {
                target: self.value()?,
            }),
            "exit" => Some(Instruction::Exit),
            _ => None,
        }
    }

    /// `r1 = …`, `r1 += …`, after the register.
    fn assignment(&mut self, dst: RegisterOperand) -> Option<Instruction> {
        let op = self.operation()?;
        self.blanks();
        if op != AluOp::Mov {
            let src = self.operand()?;
            return Some(Instruction::Alu { dst, op, src });
        }
        if self.take(b'*') {
            let (width, signed) = self.pointer()?;
            let address = self.address()?;
            return Some(Instruction::Load {
                dst,
                width,
                signed,
                address,
            });
        }
        let src = self.operand()?;
        let end = self.at;
        self.blanks();
        match (self.word(), src) {
            (None, src) => {
                self.at = end;
                Some(Instruction::Alu { dst, op, src })
            }
            (Some("ll"), Operand::Value(value)) => Some(Instruction::LoadWide { dst, value }),
            _ => None,
        }
    }

    /// `*(u64 *)(r1 + 8) = …`, after the star.
    fn store(&mut self) -> Option<Instruction> {
        let (width, signed) = self.pointer()?;
        let address = self.address()?;
        self.blanks();
        if !self.take(b'=') || self.peek() == Some(b'=') {
            return None;
        }
        let src = self.operand()?;
        Some(Instruction::Store {
            width,
            signed,
            address,
            src,
        })
    }

    /// `if r1 == … goto …`, after the first word.
    fn branch(&mut self) -> Option<Instruction> {
        let dst = self.register()?;
        let cond = self.condition()?;
        let src = self.operand()?;
        self.blanks();
        if self.word()? != "goto" {
            return None;
        }
        let target = self.value()?;
        Some(Instruction::Branch {
            dst,
            cond,
            src,
            target,
        })
    }

    fn register(&mut self) -> Option<RegisterOperand> {
        self.blanks();
        let start = self.at;
        let value: Register = register(self.word()?)?;
        let span = self.span(start, self.at);
        Some(Spanned { value, span })
    }

    fn operand(&mut self) -> Option<Operand> {
        self.blanks();
        let start = self.at;
        if let Some(value) = self.word().and_then(register) {
            let span = self.span(start, self.at);
            return Some(Operand::Register(Spanned { value, span }));
        }
        self.at = start;
        self.value().map(Operand::Value)
    }

    /// A number with at most one sign, or a name.
    fn value(&mut self) -> Option<Expr> {
        self.blanks();
        let start = self.at;
        if let Some(name) = self.word() {
            if name == "." || reserved_word(name).is_some() {
                return None;
            }
            let node = Node::Symbol(self.arena.intern(name));
            return Some(self.arena.leaf(node, self.span(start, self.at)));
        }
        match self.peek()? {
            b'0'..=b'9' => self.number(),
            _ => self.signed(),
        }
    }

    fn signed(&mut self) -> Option<Expr> {
        self.blanks();
        let start = self.at;
        let op = match self.next()? {
            b'-' => UnaryOp::Negate,
            b'+' => UnaryOp::Plus,
            _ => return None,
        };
        self.blanks();
        let number = self.number()?;
        let whole = self.span(start, self.at);
        Some(self.arena.unary(op, number, whole))
    }

    /// Digits, of which every number fits 64 bits, without a suffix.
    fn number(&mut self) -> Option<Expr> {
        let start = self.at;
        let rest = self.bytes.get(start..)?;
        let (prefix, radix, most) = match rest {
            [b'0', b'x', ..] => (2, 16, MOST_DIGITS[0]),
            // Octal, binary, or a label.
            [b'0', b'0'..=b'9' | b'b', ..] => return None,
            _ => (0, 10, MOST_DIGITS[1]),
        };
        let mut value: u64 = 0;
        let mut count = 0;
        for byte in rest.get(prefix..)? {
            let Some(digit) = char::from(*byte).to_digit(radix) else {
                break;
            };
            value = value
                .wrapping_mul(u64::from(radix))
                .wrapping_add(u64::from(digit));
            count += 1;
        }
        self.at = start + prefix + count;
        let goes_on = matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.')
        );
        if count == 0 || count > most || goes_on {
            return None;
        }
        let node = Node::Number(value.cast_signed());
        Some(self.arena.leaf(node, self.span(start, self.at)))
    }

    /// `(u64 *)`
    fn pointer(&mut self) -> Option<(Spanned<MemWidth>, bool)> {
        self.expect(b'(')?;
        self.blanks();
        let start = self.at;
        let (value, signed) = match reserved_word(self.word()?)? {
            Token::Unsigned(width) => (width, false),
            Token::Signed(width) => (width, true),
            _ => return None,
        };
        let span = self.span(start, self.at);
        self.expect(b'*')?;
        self.expect(b')')?;
        Some((Spanned { value, span }, signed))
    }

    /// `(r1 + 8)`
    fn address(&mut self) -> Option<Address> {
        self.blanks();
        let start = self.at;
        self.expect(b'(')?;
        let base = self.register()?;
        let offset = Some(self.signed()?);
        self.expect(b')')?;
        Some(Address {
            base,
            offset,
            span: self.span(start, self.at),
        })
    }

    fn condition(&mut self) -> Option<Spanned<Cond>> {
        self.blanks();
        let start = self.at;
        let signed = self.take(b's');
        let first = self.next()?;
        let equal = self.take(b'=');
        let value = match (first, equal, signed) {
            (b'=', true, false) => Cond::Eq,
            (b'!', true, false) => Cond::Ne,
            (b'>', false, false) => Cond::Gt,
            (b'>', true, false) => Cond::Ge,
            (b'<', false, false) => Cond::Lt,
            (b'<', true, false) => Cond::Le,
            (b'&', false, false) => Cond::Set,
            (b'>', false, true) => Cond::Sgt,
            (b'>', true, true) => Cond::Sge,
            (b'<', false, true) => Cond::Slt,
            (b'<', true, true) => Cond::Sle,
            _ => return None,
        };
        // `>>` and `&&` are other operators; nothing that follows begins like one.
        match self.peek() {
            Some(b'>' | b'<' | b'=' | b'&') => None,
            _ => Some(Spanned {
                value,
                span: self.span(start, self.at),
            }),
        }
    }

    /// `=`, `+=`, `s>>=` …
    fn operation(&mut self) -> Option<AluOp> {
        self.blanks();
        let signed = self.take(b's');
        let first = self.next()?;
        let op = match (first, signed) {
            (b'=', false) => AluOp::Mov,
            (b'+', false) => AluOp::Add,
            (b'-', false) => AluOp::Sub,
            (b'*', false) => AluOp::Mul,
            (b'/', false) => AluOp::Div,
            (b'%', false) => AluOp::Mod,
            (b'&', false) => AluOp::And,
            (b'|', false) => AluOp::Or,
            (b'^', false) => AluOp::Xor,
            (b'/', true) => AluOp::Sdiv,
            (b'%', true) => AluOp::Smod,
            (b'<', false) if self.take(b'<') => AluOp::Lsh,
            (b'>', false) if self.take(b'>') => AluOp::Rsh,
            (b'>', true) if self.take(b'>') => AluOp::Arsh,
            _ => return None,
        };
        if op != AluOp::Mov && !self.take(b'=') {
            return None;
        }
        (self.peek() != Some(b'=')).then_some(op)
    }

    /// A name or a reserved word.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        if !matches!(rest.first()?, b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b'$') {
            return None;
        }
        let is_part = |byte: &u8| {
            matches!(
                byte,
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'$' | b'@'
            )
        };
        let length = rest.iter().position(|byte| !is_part(byte));
        let end = self.at + length.unwrap_or(rest.len());
        let word = self.source.get(self.at..end)?;
        self.at = end;
        Some(word)
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        self.take(byte).then_some(())
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The text is at most 4 GiB long.
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }
}
