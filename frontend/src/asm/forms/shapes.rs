//! Recognises the shapes of plain instructions.
//!
//! Everything here takes the byte to begin at and says where it ends, instead of moving a reader: what
//! is read next waits for that place, and a place that lies in memory is slow to wait for.

use bpf::insn::{AluOp, Cond, MemWidth, Reg, Width};

use super::super::ast::{Register, UnaryOp};
use super::super::data::DataKind;
use super::super::words::reserved_word;
use super::scan::{Text, is_part};
use super::{Build, Datum, Number, Place, Plain, Source, Value, Word, usual};

/// What is made of the plain instruction whose statement begins at byte `at`, if it is one.
#[inline]
pub fn read<'a, B: Build<'a>>(source: &'a str, at: usize, build: &mut B) -> Option<Plain<B::Made>> {
    let line = Line(Text(source));
    let start = line.0.statement(at);
    let (made, end) = line.shape(start, build)?;
    Some(Plain {
        made,
        start,
        end,
        after: line.0.end_of_statement(end)?,
    })
}

/// The label that is alone in the statement that begins at byte `at`, and the byte after that statement.
pub fn label(source: &str, at: usize) -> Option<(Word<&str>, usize)> {
    let line = Line(Text(source));
    let name = line.free_name(line.0.statement(at))?;
    let after = line.0.expect(name.end, b':')?;
    Some((name, line.0.end_of_statement(after)?))
}

/// The datum that is alone in the statement that begins at byte `at`, with the place of its value, and
/// the byte after that statement.
pub fn datum(source: &str, at: usize) -> Option<(Word<Datum<'_>>, usize)> {
    let line = Line(Text(source));
    let start = line.0.statement(at);
    if line.0.peek(start) != b'.' {
        return None;
    }
    let directive = line.0.name(start)?;
    let kind = match directive.value {
        ".byte" => DataKind::Integer(1),
        ".short" => DataKind::Integer(2),
        ".long" => DataKind::Integer(4),
        ".quad" => DataKind::Integer(8),
        ".uleb128" => DataKind::Leb { signed: false },
        _ => return None,
    };
    let word = line.value(directive.end)?;
    let value = match word.value {
        Value::Name(name) => Number::Named(name),
        _ => Number::Known(word.number()?),
    };
    let directive = directive.value;
    let datum = Datum {
        directive,
        kind,
        value,
    };
    Some((word.of(datum), line.0.end_of_statement(word.end)?))
}

/// Reads parts of a line.
#[derive(Clone, Copy)]
struct Line<'a>(Text<'a>);

impl<'a> Line<'a> {
    /// What is made of an instruction, and the byte after it.
    #[inline]
    fn shape<B: Build<'a>>(self, at: usize, build: &mut B) -> Option<(B::Made, usize)> {
        let text = self.0;
        match text.peek(at) {
            b'r' | b'w' => self.assignment(at, build),
            b'*' => self.store(at + 1, build),
            b'i' => self.branch(text.keyword(at, b"if")?, build),
            b'g' => {
                let target = self.value(text.keyword(at, b"goto")?)?;
                Some((build.goto(target)?, target.end))
            }
            b'c' => {
                let target = self.value(text.keyword(at, b"call")?)?;
                Some((build.call(target)?, target.end))
            }
            b'e' => {
                let end = text.keyword(at, b"exit")?;
                Some((build.exit()?, end))
            }
            _ => None,
        }
    }

    /// `r1 = …`, `r1 += …`
    #[inline]
    fn assignment<B: Build<'a>>(self, start: usize, build: &mut B) -> Option<(B::Made, usize)> {
        let text = self.0;
        let (dst, op, at) = match text.chunk(start).and_then(usual::assigned) {
            Some(value) => {
                let end = start + 2;
                (Word { value, start, end }, AluOp::Mov, start + 5)
            }
            None => {
                let dst = self.register(start)?;
                let op = self.operation(text.blanks(dst.end))?;
                (dst, op.value, op.end)
            }
        };
        let at = text.blanks(at);
        if op == AluOp::Mov && text.peek(at) == b'*' {
            let (width, signed, end) = self.pointer(at + 1)?;
            let address = self.address(end)?;
            return Some((build.load(dst, width, signed, address)?, address.end));
        }
        let src = self.source(at)?;
        let next = text.blanks(src.end());
        if let (AluOp::Mov, b'l', Source::Value(value)) = (op, text.peek(next), src) {
            let end = text.keyword(next, b"ll")?;
            return Some((build.load_wide(dst, value)?, end));
        }
        Some((build.alu(dst, op, src)?, src.end()))
    }

    /// `*(u64 *)(r1 + 8) = …`, after the star.
    #[inline]
    fn store<B: Build<'a>>(self, at: usize, build: &mut B) -> Option<(B::Made, usize)> {
        let text = self.0;
        let (width, signed, end) = self.pointer(at)?;
        let address = self.address(end)?;
        let sign = text.blanks(address.end);
        if text.peek(sign) != b'=' || text.peek(sign + 1) == b'=' {
            return None;
        }
        let src = self.source(text.blanks(sign + 1))?;
        Some((build.store(width, signed, address, src)?, src.end()))
    }

    /// `if r1 == … goto …`, after the first word.
    #[inline]
    fn branch<B: Build<'a>>(self, at: usize, build: &mut B) -> Option<(B::Made, usize)> {
        let text = self.0;
        let dst = self.register(text.blanks(at))?;
        let cond = self.condition(text.blanks(dst.end))?;
        let src = self.source(text.blanks(cond.end))?;
        let target = self.value(text.keyword(text.blanks(src.end()), b"goto")?)?;
        Some((build.branch(dst, cond, src, target)?, target.end))
    }

    /// `r0` to `r11`, `w0` to `w11`.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what it finds out must not go through memory"
    )]
    fn register(self, at: usize) -> Option<Word<Register>> {
        let text = self.0;
        let width = match text.peek(at) {
            b'r' => Width::W64,
            b'w' => Width::W32,
            _ => return None,
        };
        let first = text.peek(at + 1).wrapping_sub(b'0');
        let second = text.peek(at + 2);
        if first > 9 {
            return None;
        }
        let (number, end) = match second {
            b'0' | b'1' if first == 1 => (10 + second - b'0', at + 3),
            _ => (first, at + 2),
        };
        let reg = Reg(number);
        (!is_part(text.peek(end))).then_some(Word {
            value: Register { width, reg },
            start: at,
            end,
        })
    }

    /// The second operand, where blanks have been passed.
    #[inline]
    fn source(self, at: usize) -> Option<Source<'a>> {
        match self.register(at) {
            Some(register) => Some(Source::Register(register)),
            None => self.value(at).map(Source::Value),
        }
    }

    /// A number with at most one sign, or a name.
    #[inline]
    fn value(self, at: usize) -> Option<Word<Value<'a>>> {
        let start = self.0.blanks(at);
        match self.0.peek(start) {
            b'0'..=b'9' => {
                let number = self.0.number(start)?;
                Some(number.of(Value::Number(number.value)))
            }
            b'-' | b'+' => self.signed(start),
            _ => {
                let name = self.free_name(start)?;
                Some(name.of(Value::Name(name.value)))
            }
        }
    }

    /// A name that means nothing by itself.
    #[inline]
    fn free_name(self, start: usize) -> Option<Word<&'a str>> {
        let name = self.0.name(start)?;
        let is_taken = name.value == "." || reserved_word(name.value).is_some();
        (!is_taken).then_some(name)
    }

    /// `- 8`, `+ 8`
    #[inline]
    fn signed(self, start: usize) -> Option<Word<Value<'a>>> {
        let op = match self.0.peek(start) {
            b'-' => UnaryOp::Negate,
            b'+' => UnaryOp::Plus,
            _ => return None,
        };
        self.after_sign(op, start)
    }

    #[inline]
    fn after_sign(self, op: UnaryOp, start: usize) -> Option<Word<Value<'a>>> {
        let number = self.0.number(self.0.blanks(start + 1))?;
        Some(Word {
            value: Value::Signed(op, number.value, number.start),
            start,
            end: number.end,
        })
    }

    /// `(u64 *)`: the width, whether it is signed, and the byte after it.
    #[inline]
    fn pointer(self, at: usize) -> Option<(Word<MemWidth>, bool, usize)> {
        let text = self.0;
        if let Some((value, length)) = text.chunk(at).and_then(usual::pointer) {
            let (start, end) = (at + 1, at + length - 3);
            return Some((Word { value, start, end }, false, at + length));
        }
        let start = text.blanks(text.expect(at, b'(')?);
        let signed = match text.peek(start) {
            b'u' => false,
            b's' => true,
            _ => return None,
        };
        let (value, length) = match (text.peek(start + 1), text.peek(start + 2)) {
            (b'8', _) => (MemWidth::B8, 2),
            (b'1', b'6') => (MemWidth::B16, 3),
            (b'3', b'2') => (MemWidth::B32, 3),
            (b'6', b'4') if !signed => (MemWidth::B64, 3),
            _ => return None,
        };
        let end = start + length;
        if is_part(text.peek(end)) {
            return None;
        }
        let after = text.expect(text.expect(end, b'*')?, b')')?;
        Some((Word { value, start, end }, signed, after))
    }

    /// `(r1 + 8)`
    #[inline]
    fn address(self, at: usize) -> Option<Word<Place<'a>>> {
        let text = self.0;
        let start = text.blanks(at);
        let (base, offset) = match text.chunk(start).and_then(usual::base) {
            Some((reg, sign)) => {
                let width = Width::W64;
                let base = Word {
                    value: Register { width, reg },
                    start: start + 1,
                    end: start + 3,
                };
                (base, self.after_sign(sign, start + 4)?)
            }
            None => {
                let base = self.register(text.blanks(text.expect(start, b'(')?))?;
                (base, self.signed(text.blanks(base.end))?)
            }
        };
        Some(Word {
            value: Place { base, offset },
            start,
            end: text.expect(offset.end, b')')?,
        })
    }

    /// `==`, `s>` …
    #[inline]
    fn condition(self, start: usize) -> Option<Word<Cond>> {
        let text = self.0;
        let signed = text.peek(start) == b's';
        let at = start + usize::from(signed);
        let equal = text.peek(at + 1) == b'=';
        let value = match (text.peek(at), equal, signed) {
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
        let end = at + 1 + usize::from(equal);
        // `>>` and `&&` are other operators; nothing that follows begins like one.
        match text.peek(end) {
            b'>' | b'<' | b'=' | b'&' => None,
            _ => Some(Word { value, start, end }),
        }
    }

    /// `=`, `+=`, `s>>=` …
    #[inline]
    fn operation(self, start: usize) -> Option<Word<AluOp>> {
        let text = self.0;
        let signed = text.peek(start) == b's';
        let at = start + usize::from(signed);
        let first = text.peek(at);
        let (value, length) = match (first, signed) {
            (b'=', false) => (AluOp::Mov, 0),
            (b'+', false) => (AluOp::Add, 1),
            (b'-', false) => (AluOp::Sub, 1),
            (b'*', false) => (AluOp::Mul, 1),
            (b'/', false) => (AluOp::Div, 1),
            (b'%', false) => (AluOp::Mod, 1),
            (b'&', false) => (AluOp::And, 1),
            (b'|', false) => (AluOp::Or, 1),
            (b'^', false) => (AluOp::Xor, 1),
            (b'/', true) => (AluOp::Sdiv, 1),
            (b'%', true) => (AluOp::Smod, 1),
            (b'<', false) => (AluOp::Lsh, 2),
            (b'>', false) => (AluOp::Rsh, 2),
            (b'>', true) => (AluOp::Arsh, 2),
            _ => return None,
        };
        if length == 2 && text.peek(at + 1) != first {
            return None;
        }
        let sign = at + length;
        let end = sign + 1;
        let is_whole = text.peek(sign) == b'=' && text.peek(end) != b'=';
        is_whole.then_some(Word { value, start, end })
    }
}

impl Source<'_> {
    /// Byte after it.
    #[inline]
    fn end(&self) -> usize {
        match self {
            Source::Register(register) => register.end,
            Source::Value(value) => value.end,
        }
    }
}
