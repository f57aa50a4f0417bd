//! The plain instructions, read straight from the text.
//!
//! Nearly all lines of a long file are one of a dozen shapes: an operation on a register, a load, a
//! store, a branch, a call, with blanks between and nothing else on the line. They are recognised
//! byte by byte ([`shapes`]), without tokens and without the tables of the grammar. When their operands
//! are registers, labels and numbers that fit, they become bytes without ever being an expression
//! ([`direct`]); otherwise they become what the grammar would have made of them ([`tree`]).
//!
//! The lexer, the grammar and `lower` stay the definition of the language: whatever is not exactly
//! one of these shapes is left to them, and with it every message about what is wrong. Tests hold the
//! two ways against each other: what is read here is, node for node and place for place, what the
//! grammar makes of the same line, and byte for byte what is made of that. Lines with nothing but a
//! label, or a directive with one number or name, are read here for the same reason and in the same way.
//!
//! Cost: each byte of the line is looked at once or twice; nothing is allocated but new names.

mod direct;
mod scan;
mod shapes;
mod tree;
mod usual;

use bpf::diagnostic::{FileId, Span};
use bpf::insn::{AluOp, Cond, Endian, MemWidth};

use super::assembler::FixupKind;
use super::ast::{Arena, Instruction, Register, UnaryOp};
use super::data::DataKind;
use direct::Direct;
pub use shapes::{datum, label};
use tree::Tree;

/// An instruction that is alone in its statement.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T> {
    /// What was made of it.
    pub made: T,
    /// First byte of its text.
    pub start: usize,
    /// Byte after its text.
    pub end: usize,
    /// Byte after the statement and what ends it.
    pub after: usize,
}

impl<T> Plain<T> {
    /// Its text, in the file that was read. Made where it is needed: a span that is copied about is
    /// stored in other pieces than it is loaded in, which processors are slow at.
    #[inline]
    pub fn span(&self, file: FileId) -> Span {
        // The text is at most 4 GiB long.
        Span::new(file, self.start as u32, self.end as u32)
    }
}

/// Something with its first byte and the byte after it.
#[derive(Clone, Copy, Debug)]
pub struct Word<T> {
    value: T,
    start: usize,
    end: usize,
}

impl<T> Word<T> {
    /// Its place, in the file that was read.
    #[inline]
    pub fn span(&self, file: FileId) -> Span {
        // The text is at most 4 GiB long.
        Span::new(file, self.start as u32, self.end as u32)
    }

    /// What it is.
    pub fn value(self) -> T {
        self.value
    }

    /// Something else in the same place.
    #[inline]
    fn of<U>(&self, value: U) -> Word<U> {
        Word {
            value,
            start: self.start,
            end: self.end,
        }
    }
}

/// A number with at most one sign, or a name.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A name.
    Name(&'a str),
    /// A number.
    Number(u64),
    /// A number with a sign, and its first digit.
    Signed(UnaryOp, u64, usize),
}

/// The second operand.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A register.
    Register(Word<Register>),
    /// Anything else.
    Value(Word<Value<'a>>),
}

/// `(r1 + 8)`
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    base: Word<Register>,
    offset: Word<Value<'a>>,
}

/// A directive with one value.
#[derive(Clone, Copy, Debug)]
pub struct Datum<'a> {
    /// Its name, which may be that of a macro.
    pub directive: &'a str,
    /// What becomes of the value.
    pub kind: DataKind,
    /// The value.
    pub value: Number<'a>,
}

/// What a datum is.
#[derive(Clone, Copy, Debug)]
pub enum Number<'a> {
    /// A number.
    Known(i64),
    /// What a name stands for.
    Named(&'a str),
}

/// The slots of an instruction, as bytes.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// The first one.
    pub first: [u8; 8],
    /// The other one of a `ld_imm64`.
    pub second: Option<[u8; 8]>,
}

/// An instruction's bytes, and a name in it with the field that it is for.
pub type Encoded<'a> = (Plain<Slots>, Option<(FixupKind, &'a str, Span)>);

/// What becomes of each shape; `None` where it is nothing for this way.
pub trait Build<'a> {
    /// What is made.
    type Made;

    /// `r1 += r2`
    fn alu(&mut self, dst: Word<Register>, op: AluOp, src: Source<'a>) -> Option<Self::Made>;

    /// `r1 = 5 ll`
    fn load_wide(&mut self, dst: Word<Register>, value: Word<Value<'a>>) -> Option<Self::Made>;

    /// `r1 = *(u64 *)(r2 + 8)`
    fn load(
        &mut self,
        dst: Word<Register>,
        width: Word<MemWidth>,
        signed: bool,
        address: Word<Place<'a>>,
    ) -> Option<Self::Made>;

    /// `*(u64 *)(r1 + 8) = r2`
    fn store(
        &mut self,
        width: Word<MemWidth>,
        signed: bool,
        address: Word<Place<'a>>,
        src: Source<'a>,
    ) -> Option<Self::Made>;

    /// `if r1 == r2 goto label`
    fn branch(
        &mut self,
        dst: Word<Register>,
        cond: Word<Cond>,
        src: Source<'a>,
        target: Word<Value<'a>>,
    ) -> Option<Self::Made>;

    /// `goto label`
    fn goto(&mut self, target: Word<Value<'a>>) -> Option<Self::Made>;

    /// `call 1`
    fn call(&mut self, target: Word<Value<'a>>) -> Option<Self::Made>;

    /// `exit`
    fn exit(&mut self) -> Option<Self::Made>;
}

/// The bytes of the instruction whose statement begins at byte `at`, and the name that its last operand
/// is, if it is a plain one without mistakes.
#[inline]
pub fn encoded(source: &str, at: usize, file: FileId, endian: Endian) -> Option<Encoded<'_>> {
    let mut direct = Direct {
        endian,
        target: None,
    };
    let plain = shapes::read(source, at, &mut direct)?;
    let target = direct
        .target
        .map(|(kind, name)| (kind, name.value, name.span(file)));
    Some((plain, target))
}

/// What the grammar would make of the statement that begins at byte `at`, if it is a plain
/// instruction. Nodes may have been added to the arena when it is none.
pub fn plain(
    source: &str,
    at: usize,
    file: FileId,
    arena: &mut Arena,
) -> Option<Plain<Instruction>> {
    shapes::read(source, at, &mut Tree { file, arena })
}
