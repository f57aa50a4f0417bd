//! One instruction from the tokens of a statement, in either dialect.
//!
//! The grammar knows no names that are words of the language; where it fails, such words are tried as
//! names of symbols. Cost: linear, but for [`MOST_NAMES`] words of which every choice is tried.

use bpf::diagnostic::{Diagnostic, Span};
use lalrpop_util::ParseError;

use super::super::ast::{Arena, Body, Instruction, Item};
use super::super::token::Token;
use super::super::words;
use super::super::{classic, syntax_error};
use super::{Located, Reader};

/// Reserved words of one instruction that may turn out to be names.
const MOST_NAMES: usize = 3;

impl<'s> Reader<'s> {
    pub(super) fn classic(
        &self,
        tokens: &[Located<'s>],
        span: Span,
        arena: &mut Arena,
    ) -> Result<Body, Diagnostic> {
        let mnemonic = tokens.first().map_or("", |first| {
            let range = first.0 as usize..first.2 as usize;
            self.source.get(range).unwrap_or("")
        });
        let values = |tokens: &[Located<'_>], arena: &mut Arena| {
            let stream = tokens.iter().map(|token| Ok(*token));
            let groups = self.operands.parse(arena, self.file, stream);
            let groups = groups.map_err(|error| {
                syntax_error::directive(self.source, self.file, mnemonic, span, error)
            })?;
            let items = groups.iter().flat_map(|group| &group.items);
            let values = items.map(|item| match item {
                Item::Expr(value) => Ok(*value),
                Item::Tag(tag) => Err(Diagnostic::error(format!(
                    "`{}` is no operand",
                    self.source.get(tag.span.range()).unwrap_or("")
                ))
                .with_primary(tag.span, "")),
            });
            values.collect()
        };
        let instruction = classic::instruction(tokens, span, self.source, &values, arena)?;
        Ok(Body::Instruction(instruction))
    }

    pub(super) fn instruction(
        &self,
        tokens: &mut [Located<'s>],
        span: Span,
        arena: &mut Arena,
    ) -> Result<Body, Diagnostic> {
        let place = Span::new(self.file, tokens[0].0, tokens[0].2);
        match tokens[0].1 {
            Token::Word(word) => match words::first_word_of_any_case(word) {
                Some(token) => tokens[0].1 = token,
                None => return Err(syntax_error::unknown_instruction(word, tokens, place)),
            },
            Token::Star => {}
            other => {
                return Err(syntax_error::no_statement(
                    tokens,
                    other,
                    self.source,
                    place,
                ));
            }
        }
        for (_, token, _) in &mut tokens[1..] {
            if let Token::Word(word) = *token {
                *token = words::reserved_word(word).unwrap_or(*token);
            }
        }
        match self.parse_instruction(tokens, arena) {
            Ok(instruction) => Ok(Body::Instruction(instruction)),
            Err(error) => {
                if let Some(instruction) = self.with_names(tokens, arena) {
                    return Ok(Body::Instruction(instruction));
                }
                let is_complete =
                    |count: usize| self.parse_instruction(&tokens[..count], arena).is_ok();
                let (source, file) = (self.source, self.file);
                Err(syntax_error::instruction(
                    source,
                    file,
                    tokens,
                    span,
                    error,
                    is_complete,
                ))
            }
        }
    }

    /// An instruction in which reserved words such as `s` and `skb` are names of symbols: tried
    /// only where it is none otherwise.
    fn with_names(&self, tokens: &[Located<'s>], arena: &mut Arena) -> Option<Instruction> {
        let mut tokens = tokens.to_vec();
        let reserved =
            |token: Token<'_>| !matches!(token, Token::Register(_)) && words::is_reserved(token);
        let places = tokens.iter().enumerate().skip(1);
        let places = places.filter(|(_, token)| reserved(token.1));
        let mut places: Vec<usize> = places.map(|(index, _)| index).collect();
        // The last ones are the likeliest; few are enough for any instruction.
        places.reverse();
        places.truncate(MOST_NAMES);
        for chosen in 1_u32..1 << places.len() {
            let mut changed = Vec::new();
            for (bit, &index) in places.iter().enumerate() {
                let token = tokens.get_mut(index)?;
                if chosen >> bit & 1 == 1 {
                    let text = self.source.get(token.0 as usize..token.2 as usize)?;
                    changed.push((index, token.1));
                    token.1 = Token::Word(text);
                }
            }
            if let Ok(instruction) = self.parse_instruction(&tokens, arena) {
                return Some(instruction);
            }
            for (index, token) in changed {
                tokens.get_mut(index)?.1 = token;
            }
        }
        None
    }

    fn parse_instruction(
        &self,
        tokens: &[Located<'s>],
        arena: &mut Arena,
    ) -> Result<Instruction, ParseError<u32, Token<'s>, ()>> {
        // A comma stays only where it keeps two expressions apart.
        let separates = |index: usize| {
            let before = index.checked_sub(1).and_then(|index| tokens.get(index));
            let after = tokens.get(index + 1);
            before.is_some_and(|token| token.1.ends_expression())
                && after.is_some_and(|token| token.1.begins_expression())
        };
        let stream = tokens
            .iter()
            .enumerate()
            .filter(|&(index, token)| token.1 != Token::Comma || separates(index))
            .map(|(_, token)| Ok(*token));
        self.instruction.parse(arena, self.file, stream)
    }
}
