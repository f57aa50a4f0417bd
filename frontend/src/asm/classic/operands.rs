//! The operands of a mnemonic: registers, addresses in brackets, and expressions.
//!
//! A `%` right in front of a name makes a register of it where an operand begins; within an
//! expression it divides. Commas stand between operands, and may be left out after a register, after
//! an address and between two expressions of one token each, as the conformance suite does.
//!
//! Cost: linear in the tokens.

use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::{Reg, Width};

use super::super::ast::{Address, Arena, Expr, Register, RegisterOperand, Spanned};
use super::super::parse::Located;
use super::super::token::Token;
use super::super::words::register;
use super::Values;

/// GNU as's name for register 10.
const FRAME_POINTER: &str = "fp";

/// An operand as written.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// `%r1` or `r1`
    Register(RegisterOperand),
    /// `[%r1+4]`
    Address(Address),
    /// Anything else.
    Value(Expr),
}

impl Piece {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Piece::Register(register) => register.span,
            Piece::Address(address) => address.span,
            Piece::Value(value) => value.span,
        }
    }

    /// What it is, in words.
    pub fn described(&self) -> &'static str {
        match self {
            Piece::Register(_) => "a register",
            Piece::Address(_) => "an address",
            Piece::Value(_) => "a value",
        }
    }
}

/// Reads operands.
pub struct Operands<'a> {
    /// The instruction.
    pub span: Span,
    /// Reads expressions.
    pub values: &'a Values<'a>,
}

impl Operands<'_> {
    /// The operands that `tokens` are.
    pub fn pieces(
        &self,
        tokens: &[Located<'_>],
        arena: &mut Arena,
    ) -> Result<Vec<Piece>, Diagnostic> {
        let mut pieces = Vec::new();
        let mut rest = tokens;
        let mut comma: Option<Span> = None;
        while let Some(first) = rest.first() {
            if first.1 == Token::Comma {
                return Err(Diagnostic::error("an operand is missing before this comma")
                    .with_primary(self.at(first), ""));
            }
            rest = self.piece(rest, arena, &mut pieces)?;
            comma = None;
            if let Some((first, after)) = rest.split_first()
                && first.1 == Token::Comma
            {
                comma = Some(self.at(first));
                rest = after;
            }
        }
        match comma {
            Some(comma) => {
                Err(Diagnostic::error("an operand is missing after this comma")
                    .with_primary(comma, ""))
            }
            None => Ok(pieces),
        }
    }

    /// Reads one operand; what follows it.
    fn piece<'t, 's>(
        &self,
        tokens: &'t [Located<'s>],
        arena: &mut Arena,
        pieces: &mut Vec<Piece>,
    ) -> Result<&'t [Located<'s>], Diagnostic> {
        if let Some((register, rest)) = self.register(tokens)? {
            pieces.push(Piece::Register(register));
            return Ok(rest);
        }
        if let Some((open, rest)) = tokens.split_first()
            && open.1 == Token::OpenBracket
        {
            let (address, rest) = self.address(self.at(open), rest, arena)?;
            pieces.push(Piece::Address(address));
            return Ok(rest);
        }
        if let [open, after @ ..] = tokens
            && open.1 == Token::OpenParen
            && matches!(self.register(after), Ok(Some(_)))
        {
            return Err(Diagnostic::error("an address stands in brackets")
                .with_primary(self.at(open), "")
                .with_help("it is written `[%r1+4]`"));
        }
        let mut depth = 0_usize;
        let length = tokens.iter().position(|token| {
            match token.1 {
                Token::OpenParen => depth += 1,
                Token::CloseParen => depth = depth.saturating_sub(1),
                _ => {}
            }
            token.1 == Token::Comma && depth == 0
        });
        let (value, rest) = tokens.split_at(length.unwrap_or(tokens.len()));
        let values = (self.values)(value, arena)?;
        pieces.extend(values.into_iter().map(Piece::Value));
        Ok(rest)
    }

    /// The register that `tokens` begin with, and what follows it.
    fn register<'t, 's>(
        &self,
        tokens: &'t [Located<'s>],
    ) -> Result<Option<(RegisterOperand, &'t [Located<'s>])>, Diagnostic> {
        match tokens {
            [
                (start, Token::Percent, after),
                (next, Token::Word(word), end),
                rest @ ..,
            ] if after == next => {
                let span = Span::new(self.span.file, *start, *end);
                let value = match register(word) {
                    Some(register) if register.width == Width::W64 => register,
                    None if *word == FRAME_POINTER => Register {
                        width: Width::W64,
                        reg: Reg(10),
                    },
                    found => return Err(no_register(word, found, span)),
                };
                Ok(Some((Spanned { value, span }, rest)))
            }
            [(start, Token::Word(word), end), rest @ ..] => {
                let span = Span::new(self.span.file, *start, *end);
                match register(word) {
                    Some(value) if value.width == Width::W64 => {
                        Ok(Some((Spanned { value, span }, rest)))
                    }
                    Some(found) => Err(no_register(word, Some(found), span)),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// An address whose bracket is open.
    fn address<'t, 's>(
        &self,
        open: Span,
        tokens: &'t [Located<'s>],
        arena: &mut Arena,
    ) -> Result<(Address, &'t [Located<'s>]), Diagnostic> {
        let Some(length) = tokens
            .iter()
            .position(|token| token.1 == Token::CloseBracket)
        else {
            return Err(Diagnostic::error("a bracket is not closed")
                .with_primary(open, "it is opened here")
                .with_help("an address is written `[%r1+4]`"));
        };
        let (inside, rest) = tokens.split_at(length);
        let Some((close, rest)) = rest.split_first() else {
            return Err(Diagnostic::error("a bracket is not closed").with_primary(open, ""));
        };
        let span = open.to(self.at(close));
        let Some((base, offset)) = self.register(inside)? else {
            let at = inside.first().map_or(span, |first| self.at(first));
            return Err(Diagnostic::error("an address begins with a register")
                .with_primary(at, "")
                .with_help("it is written `[%r1+4]`"));
        };
        let offset = match offset {
            [] => None,
            // The sign belongs to the address, and the number may have one of its own.
            [(_, Token::Plus, _), offset @ ..] if !offset.is_empty() => Some(offset),
            [(_, Token::Minus, _), ..] => Some(offset),
            [first, ..] => {
                return Err(
                    Diagnostic::error("an offset follows its register with `+` or `-`")
                        .with_primary(self.at(first), ""),
                );
            }
        };
        let offset = match offset {
            None => None,
            Some(offset) => match *(self.values)(offset, arena)?.as_slice() {
                [offset] => Some(offset),
                [_, second, ..] => {
                    return Err(Diagnostic::error("an address has one offset")
                        .with_primary(second.span, "this is one too many"));
                }
                [] => None,
            },
        };
        Ok((Address { base, offset, span }, rest))
    }

    fn at(&self, token: &Located<'_>) -> Span {
        Span::new(self.span.file, token.0, token.2)
    }
}

fn no_register(word: &str, found: Option<Register>, at: Span) -> Diagnostic {
    match found {
        Some(found) => Diagnostic::error("this dialect has no names for halves of registers")
            .with_primary(at, format!("write `%r{}`", found.reg.0))
            .with_help("mnemonics that end in `32` work on lower halves: `mov32 %r1, %r2`"),
        None => Diagnostic::error(format!("there is no register `%{word}`"))
            .with_primary(at, "")
            .with_help("registers are %r0 to %r10, and %fp for %r10"),
    }
}
