//! Bytes, blanks, names and numbers of a text, for the shapes of plain instructions.
//!
//! Reading past the end gives 0, which is part of no instruction.

use super::{Word, usual};

/// Hexadecimal and decimal digits of which every number fits 64 bits.
const MOST_DIGITS: [usize; 2] = [16, 18];

/// A text that is read at any place.
#[derive(Clone, Copy)]
pub struct Text<'a>(pub &'a str);

impl<'a> Text<'a> {
    /// The byte at a place.
    #[inline]
    pub fn peek(self, at: usize) -> u8 {
        self.0.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// So many bytes from a place on.
    #[inline]
    pub fn chunk<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.as_bytes().get(at..)?.first_chunk().copied()
    }

    /// The first byte that is no blank.
    #[inline]
    pub fn blanks(self, mut at: usize) -> usize {
        loop {
            let byte = self.peek(at);
            // Most are neither blank nor need to be looked up.
            if byte > b' ' || !is_a(byte, BLANK) {
                return at;
            }
            at += 1;
        }
    }

    /// The byte after a certain one, if that comes next but for blanks.
    #[inline]
    pub fn expect(self, at: usize, byte: u8) -> Option<usize> {
        let at = self.blanks(at);
        (self.peek(at) == byte).then_some(at + 1)
    }

    /// The byte after a word, if that stands there.
    #[inline]
    pub fn keyword<const N: usize>(self, at: usize, word: &[u8; N]) -> Option<usize> {
        let end = at + N;
        let found = self.chunk(at).as_ref() == Some(word) && !is_part(self.peek(end));
        found.then_some(end)
    }

    /// Where the next statement begins that is not empty.
    #[inline]
    pub fn statement(self, at: usize) -> usize {
        let at = self.blanks(at);
        // All that ends one comes before letters and the star.
        match self.peek(at) {
            b'*' | b'<'.. => at,
            _ => self.after_empty(at),
        }
    }

    /// The same behind blanks.
    fn after_empty(self, mut at: usize) -> usize {
        while let Some(after) = self.end(at).filter(|after| *after != at) {
            at = self.blanks(after);
        }
        at
    }

    /// The byte after what ends a statement, if nothing but blanks and a comment stand before that.
    #[inline]
    pub fn end_of_statement(self, at: usize) -> Option<usize> {
        let at = self.blanks(at);
        match self.peek(at) {
            b'\n' => Some(at + 1),
            _ => self.end(at),
        }
    }

    /// The same without blanks before it.
    fn end(self, at: usize) -> Option<usize> {
        match self.peek(at) {
            b'\n' | b';' => Some(at + 1),
            b'#' => Some(self.after_line(at)),
            b'/' if self.peek(at + 1) == b'/' => Some(self.after_line(at)),
            0 if at >= self.0.len() => Some(at),
            _ => None,
        }
    }

    fn after_line(self, at: usize) -> usize {
        let rest = self.0.get(at..).unwrap_or_default();
        rest.find('\n')
            .map_or(self.0.len(), |length| at + length + 1)
    }

    /// A name or a reserved word.
    #[inline]
    pub fn name(self, start: usize) -> Option<Word<&'a str>> {
        let rest = self.0.as_bytes().get(start..)?;
        if !is_a(*rest.first()?, START) {
            return None;
        }
        let length = rest.iter().position(|byte| !is_part(*byte));
        let end = start + length.unwrap_or(rest.len());
        Some(Word {
            value: self.0.get(start..end)?,
            start,
            end,
        })
    }

    /// Digits, of which every number fits 64 bits, without a suffix.
    #[inline]
    pub fn number(self, start: usize) -> Option<Word<u64>> {
        let (value, end) = match self.chunk(start).and_then(usual::number) {
            Some((value, length)) => (value, start + length),
            None => self.digits(start, 10, MOST_DIGITS[1])?,
        };
        if !is_a(self.peek(end), GOES_ON) {
            // More than one digit after a zero are octal.
            let is_decimal = end == start + 1 || self.peek(start) != b'0';
            return is_decimal.then_some(Word { value, start, end });
        }
        if self.chunk(start).as_ref() != Some(b"0x") {
            return None;
        }
        let (value, end) = self.digits(start + 2, 16, MOST_DIGITS[0])?;
        (!is_a(self.peek(end), GOES_ON)).then_some(Word { value, start, end })
    }

    fn digits(self, start: usize, radix: u32, most: usize) -> Option<(u64, usize)> {
        let mut value: u64 = 0;
        let mut at = start;
        while let Some(digit) = char::from(self.peek(at)).to_digit(radix) {
            value = value
                .wrapping_mul(u64::from(radix))
                .wrapping_add(u64::from(digit));
            at += 1;
        }
        (1..=most).contains(&(at - start)).then_some((value, at))
    }
}

/// Whether a byte goes on with a word.
#[inline]
pub fn is_part(byte: u8) -> bool {
    is_a(byte, PART)
}

/// Kinds of bytes, as bits.
const BLANK: u8 = 1;
/// What a name begins with.
const START: u8 = 2;
/// What goes on with a name.
const PART: u8 = 4;
/// What goes on with a number.
const GOES_ON: u8 = 8;

/// Looked up, since a choice between ranges becomes jumps that processors cannot guess.
#[inline]
fn is_a(byte: u8, kind: u8) -> bool {
    const KINDS: [u8; 256] = kinds();
    KINDS[usize::from(byte)] & kind != 0
}

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        kinds[byte as usize] = match byte {
            b' ' | b'\t' | b'\r' => BLANK,
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' => START | PART | GOES_ON,
            b'0'..=b'9' => PART | GOES_ON,
            b'$' => START | PART,
            b'@' => PART,
            _ => 0,
        };
        byte += 1;
    }
    kinds
}
