//! The name of an operation and its suffixes: `load.u32`, `atomic_rmw.fetch_add.u64`.

use super::{Statement, error};
use crate::opcode::Opcode;
use crate::print::words;
use crate::types::Type;
use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::MemWidth;

/// The suffixes of an operation's name, taken one by one.
pub(super) struct Suffixes<'t> {
    /// What is not taken yet.
    pub(super) rest: Option<&'t str>,
    opcode: Opcode,
    span: Span,
}

impl<'t> Suffixes<'t> {
    /// The operation of a word such as `load.u32`.
    pub(super) fn new(word: &'t str, span: Span) -> Statement<Suffixes<'t>> {
        let (name, rest) = match word.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (word, None),
        };
        let opcode = Opcode::from_name(name).ok_or_else(|| unknown_operation(name, span))?;
        Ok(Suffixes { rest, opcode, span })
    }

    pub(super) fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest?;
        let (first, rest) = match rest.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Some(first)
    }

    pub(super) fn take<T>(
        &mut self,
        parse: impl Fn(&str) -> Option<T>,
        wanted: &str,
    ) -> Statement<T> {
        let opcode = self.opcode;
        let found = self.next();
        found.and_then(parse).ok_or_else(|| match found {
            Some(found) => error(
                self.span,
                format!("{opcode} needs {wanted}, not `.{found}`"),
            ),
            None => error(self.span, format!("{opcode} needs {wanted}")),
        })
    }

    pub(super) fn ty(&mut self) -> Statement<Type> {
        self.take(words::parse_ty, "a type, `.i32` or `.i64`")
    }

    pub(super) fn width(&mut self) -> Statement<MemWidth> {
        self.take(words::parse_width, "a width, `.u8` to `.u64`")
    }

    pub(super) fn signed_width(&mut self) -> Statement<MemWidth> {
        self.take(words::parse_signed_width, "a width, `.s8` to `.s32`")
    }

    pub(super) fn finish(&self) -> Statement<()> {
        match self.rest {
            Some(rest) => {
                let opcode = self.opcode;
                Err(error(
                    self.span,
                    format!("{opcode} has no suffix `.{rest}`"),
                ))
            }
            None => Ok(()),
        }
    }
}

fn unknown_operation(name: &str, span: Span) -> Box<Diagnostic> {
    let mut diagnostic = error(span, format!("no operation is called `{name}`"));
    let close = Opcode::ALL
        .iter()
        .map(|opcode| {
            let near = opcode.name();
            let starts_alike = name.as_bytes().first() == near.as_bytes().first();
            (distance(name, near), !starts_alike, near)
        })
        .min();
    if let Some((0..=2, _, near)) = close {
        diagnostic.help = vec![format!("there is one called `{near}`")];
    }
    diagnostic
}

/// Number of letters to insert, delete or replace between two words; names of operations are
/// short, and a longer word is far from all of them.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 32;
    if a.len() > LONGEST {
        return LONGEST;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
