//! Recognises the shapes of plain instructions.

use bpf::insn::{AluOp, Cond, MemWidth, Reg, Width};

use super::super::ast::{Register, UnaryOp};
use super::super::token::reserved_word;
use super::{Build, Place, Plain, Source, Value, Word};

/// Hexadecimal and decimal digits of which every number fits 64 bits.
const MOST_DIGITS: [usize; 2] = [16, 18];

/// What is made of the plain instruction whose statement begins at byte `at`, if it is one.
#[inline]
pub fn read<'a, B: Build<'a>>(source: &'a str, at: usize, build: &mut B) -> Option<Plain<B::Made>> {
    let mut line = Line {
        source,
        bytes: source.as_bytes(),
        at,
    };
    line.blanks();
    let start = line.at;
    let made = line.shape(build)?;
    let end = line.at;
    line.blanks();
    let after = match line.peek() {
        0 if line.at >= source.len() => line.at,
        b'\n' | b';' => line.at + 1,
        _ => return None,
    };
    Some(Plain {
        made,
        start,
        end,
        after,
    })
}

/// A reader in the middle of a line.
struct Line<'a> {
    source: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Line<'a> {
    #[inline]
    fn shape<B: Build<'a>>(&mut self, build: &mut B) -> Option<B::Made> {
        if let Some(dst) = self.register() {
            return self.assignment(dst, build);
        }
        if self.take(b'*') {
            return self.store(build);
        }
        match self.word()? {
            "if" => self.branch(build),
            "goto" => build.goto(self.value()?),
            "call" => build.call(self.value()?),
            "exit" => build.exit(),
            _ => None,
        }
    }

    /// `r1 = …`, `r1 += …`, after the register.
    #[inline]
    fn assignment<B: Build<'a>>(&mut self, dst: Word<Register>, build: &mut B) -> Option<B::Made> {
        let op = self.operation()?;
        self.blanks();
        if op != AluOp::Mov {
            let src = self.source()?;
            return build.alu(dst, op, src);
        }
        if self.take(b'*') {
            let (width, signed) = self.pointer()?;
            let address = self.address()?;
            return build.load(dst, width, signed, address);
        }
        let src = self.source()?;
        let end = self.at;
        self.blanks();
        match (self.word(), src) {
            (None, src) => {
                self.at = end;
                build.alu(dst, op, src)
            }
            (Some("ll"), Source::Value(value)) => build.load_wide(dst, value),
            _ => None,
        }
    }

    /// `*(u64 *)(r1 + 8) = …`, after the star.
    #[inline]
    fn store<B: Build<'a>>(&mut self, build: &mut B) -> Option<B::Made> {
        let (width, signed) = self.pointer()?;
        let address = self.address()?;
        self.blanks();
        if !self.take(b'=') || self.peek() == b'=' {
            return None;
        }
        self.blanks();
        let src = self.source()?;
        build.store(width, signed, address, src)
    }

    /// `if r1 == … goto …`, after the first word.
    #[inline]
    fn branch<B: Build<'a>>(&mut self, build: &mut B) -> Option<B::Made> {
        self.blanks();
        let dst = self.register()?;
        let cond = self.condition()?;
        self.blanks();
        let src = self.source()?;
        self.blanks();
        if self.word()? != "goto" {
            return None;
        }
        let target = self.value()?;
        build.branch(dst, cond, src, target)
    }

    /// `r0` to `r11`, `w0` to `w11`.
    #[inline]
    fn register(&mut self) -> Option<Word<Register>> {
        let start = self.at;
        let width = match self.peek() {
            b'r' => Width::W64,
            b'w' => Width::W32,
            _ => return None,
        };
        let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
        let first = digit(self.peek_at(1))?;
        let second = self.peek_at(2);
        let (number, length) = match second {
            b'0' | b'1' if first == 1 => (10 + second - b'0', 3),
            _ => (first, 2),
        };
        if is_part(self.peek_at(length)) {
            return None;
        }
        self.at += length;
        let reg = Reg(number);
        Some(self.since(start, Register { width, reg }))
    }

    /// The second operand, where blanks have been passed.
    #[inline]
    fn source(&mut self) -> Option<Source<'a>> {
        match self.register() {
            Some(register) => Some(Source::Register(register)),
            None => self.value().map(Source::Value),
        }
    }

    /// A number with at most one sign, or a name.
    fn value(&mut self) -> Option<Word<Value<'a>>> {
        self.blanks();
        let start = self.at;
        match self.peek() {
            b'0'..=b'9' => {
                let number = self.number()?;
                Some(self.since(start, Value::Number(number)))
            }
            b'-' | b'+' => self.signed(),
            _ => {
                let name = self.word()?;
                if name == "." || reserved_word(name).is_some() {
                    return None;
                }
                Some(self.since(start, Value::Name(name)))
            }
        }
    }

    #[inline]
    fn signed(&mut self) -> Option<Word<Value<'a>>> {
        self.blanks();
        let start = self.at;
        let op = match self.peek() {
            b'-' => UnaryOp::Negate,
            b'+' => UnaryOp::Plus,
            _ => return None,
        };
        self.at += 1;
        self.blanks();
        let digits = self.at as u32;
        let number = self.number()?;
        Some(self.since(start, Value::Signed(op, number, digits)))
    }

    /// Digits, of which every number fits 64 bits, without a suffix.
    #[inline]
    fn number(&mut self) -> Option<u64> {
        let (first, second) = (self.peek(), self.peek_at(1));
        match (first, second) {
            (b'0', b'x') => self.digits(2, 16, MOST_DIGITS[0]),
            // Octal, binary, or a label.
            (b'0', b'0'..=b'9' | b'b') => None,
            _ => self.digits(0, 10, MOST_DIGITS[1]),
        }
    }

    #[inline]
    fn digits(&mut self, prefix: usize, radix: u32, most: usize) -> Option<u64> {
        let start = self.at + prefix;
        let mut value: u64 = 0;
        self.at = start;
        loop {
            let byte = self.peek();
            let Some(digit) = char::from(byte).to_digit(radix) else {
                break;
            };
            value = value
                .wrapping_mul(u64::from(radix))
                .wrapping_add(u64::from(digit));
            self.at += 1;
        }
        let count = self.at - start;
        let goes_on = matches!(
            self.peek(),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.'
        );
        (count > 0 && count <= most && !goes_on).then_some(value)
    }

    /// `(u64 *)`
    #[inline]
    fn pointer(&mut self) -> Option<(Word<MemWidth>, bool)> {
        if let Some(usual) = self.usual_pointer() {
            return Some(usual);
        }
        self.expect(b'(')?;
        self.blanks();
        let start = self.at;
        let signed = match self.peek() {
            b'u' => false,
            b's' => true,
            _ => return None,
        };
        let (width, length) = match (self.peek_at(1), self.peek_at(2)) {
            (b'8', _) => (MemWidth::B8, 2),
            (b'1', b'6') => (MemWidth::B16, 3),
            (b'3', b'2') => (MemWidth::B32, 3),
            (b'6', b'4') if !signed => (MemWidth::B64, 3),
            _ => return None,
        };
        if is_part(self.peek_at(length)) {
            return None;
        }
        self.at += length;
        let width = self.since(start, width);
        self.expect(b'*')?;
        self.expect(b')')?;
        Some((width, signed))
    }

    /// The same as compilers print it, in one look.
    #[inline]
    fn usual_pointer(&mut self) -> Option<(Word<MemWidth>, bool)> {
        let next: &[u8; 7] = self.bytes.get(self.at..)?.first_chunk()?;
        let (width, length) = match next {
            b"(u64 *)" => (MemWidth::B64, 3),
            b"(u32 *)" => (MemWidth::B32, 3),
            b"(u16 *)" => (MemWidth::B16, 3),
            [b'(', b'u', b'8', b' ', b'*', b')', _] => (MemWidth::B8, 2),
            _ => return None,
        };
        self.at += 1;
        let start = self.at;
        self.at += length;
        let width = self.since(start, width);
        self.at += 3;
        Some((width, false))
    }

    /// `(r1 + 8)`
    #[inline]
    fn address(&mut self) -> Option<Word<Place<'a>>> {
        self.blanks();
        let start = self.at;
        self.expect(b'(')?;
        self.blanks();
        let base = self.register()?;
        let offset = self.signed()?;
        self.expect(b')')?;
        Some(self.since(start, Place { base, offset }))
    }

    #[inline]
    fn condition(&mut self) -> Option<Word<Cond>> {
        self.blanks();
        let start = self.at;
        let signed = self.take(b's');
        let first = self.peek();
        self.at += 1;
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
            b'>' | b'<' | b'=' | b'&' => None,
            _ => Some(self.since(start, value)),
        }
    }

    /// `=`, `+=`, `s>>=` …
    #[inline]
    fn operation(&mut self) -> Option<AluOp> {
        self.blanks();
        let signed = self.take(b's');
        let first = self.peek();
        self.at += 1;
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
        (self.peek() != b'=').then_some(op)
    }

    /// A name or a reserved word.
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        if !matches!(rest.first()?, b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b'$') {
            return None;
        }
        let length = rest.iter().position(|byte| !is_part(*byte));
        let end = self.at + length.unwrap_or(rest.len());
        let word = self.source.get(self.at..end)?;
        self.at = end;
        Some(word)
    }

    /// What was read since a byte.
    #[inline]
    fn since<T>(&self, start: usize, value: T) -> Word<T> {
        // The text is at most 4 GiB long.
        Word {
            value,
            start: start as u32,
            end: self.at as u32,
        }
    }

    #[inline]
    fn blanks(&mut self) {
        while let b' ' | b'\t' | b'\r' = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        self.take(byte).then_some(())
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// The next byte; 0, which is part of no instruction, at the end.
    #[inline]
    fn peek(&self) -> u8 {
        self.peek_at(0)
    }

    #[inline]
    fn peek_at(&self, distance: usize) -> u8 {
        self.bytes.get(self.at + distance).copied().unwrap_or(0)
    }
}

/// Whether a byte goes on with a word.
#[inline]
fn is_part(byte: u8) -> bool {
    matches!(
        byte,
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'$' | b'@'
    )
}
