//! Functions: head, blocks, and the statements in them.

use super::inst::InstParser;
use super::lexer::Token;
use super::numbering::Body;
use super::tokens::entity_number;
use super::{Parser, Statement, error};
use crate::entity::{Block, Value};
use crate::function::Function;
use crate::print::words;
use crate::types::Type;

impl Parser<'_> {
    pub(super) fn parse_function(&mut self) -> Statement<()> {
        let start = self.tokens.span();
        let has_body = !self.tokens.accept_word("declare");
        if has_body {
            self.tokens.expect_word("function")?;
        }
        let mut func = match self.parse_signature() {
            Ok(func) => func,
            Err(diagnostic) if has_body => {
                // One message for the head, none for each line of the body.
                self.recover(*diagnostic);
                self.skip_body();
                return Ok(());
            }
            Err(diagnostic) => return Err(diagnostic),
        };
        let head = self.tokens.since(start);
        let id = self.parsed.module.functions.next_key();
        self.parsed.heads[id] = head;
        let mut spans = cranelift_entity::SecondaryMap::new();
        if has_body {
            self.tokens.expect(Token::OpenBrace)?;
            self.tokens.end_of_line()?;
            let errors = self.diagnostics.len();
            let mut body = Body::default();
            self.parse_body(&mut func, &mut body);
            if self.diagnostics.len() == errors
                && let Err(diagnostic) = body.number(&mut func, &mut self.gaps_left, head)
            {
                self.diagnostics.push(*diagnostic);
            }
            spans = body.spans;
        }
        self.parsed.spans[id] = spans;
        self.parsed.module.functions.push(func);
        self.tokens.end_of_line()
    }

    fn parse_signature(&mut self) -> Statement<Function> {
        if let Token::Word(_) = self.tokens.peek() {
            let (number, span) = self.tokens.entity("fn")?;
            let index = self.parsed.module.functions.len();
            self.check_number("fn", number, index, span)?;
        }
        let mut func = Function::new(self.tokens.text()?);
        self.tokens.expect_word("section")?;
        func.section = self.tokens.text()?;
        func.global = self.tokens.accept_word("global");
        self.tokens.expect_word("params")?;
        func.parameter_count = self.tokens.integer()?;
        Ok(func)
    }

    /// Goes behind the line that starts with a closing brace.
    fn skip_body(&mut self) {
        while !matches!(self.tokens.peek(), Token::CloseBrace | Token::End) {
            self.tokens.skip_line();
        }
        self.tokens.skip_line();
    }

    /// Lines up to and with the closing brace.
    fn parse_body(&mut self, func: &mut Function, body: &mut Body) {
        loop {
            self.tokens.skip_blank_lines();
            match self.tokens.peek() {
                Token::CloseBrace => {
                    self.tokens.next();
                    return;
                }
                Token::End => {
                    if let Err(diagnostic) = self.tokens.unexpected::<()>("`}`") {
                        self.recover(*diagnostic);
                    }
                    return;
                }
                _ => {
                    if let Err(diagnostic) = self.parse_line(func, body) {
                        self.recover(*diagnostic);
                    }
                }
            }
        }
    }

    fn parse_line(&mut self, func: &mut Function, body: &mut Body) -> Statement<()> {
        if let Token::Word(word) = self.tokens.peek()
            && let Some(number) = entity_number(word, "block")
        {
            self.parse_block_head(Block::from_u32(number), body)?;
            return self.tokens.end_of_line();
        }
        if body.blocks.is_empty() {
            return self.tokens.unexpected("a block such as `block0:`");
        }
        InstParser {
            tokens: &mut self.tokens,
            func,
            body,
        }
        .parse()?;
        self.tokens.end_of_line()
    }

    fn parse_block_head(&mut self, block: Block, body: &mut Body) -> Statement<()> {
        let span = self.tokens.next().1;
        body.start_block(block, span)?;
        if self.tokens.accept(Token::OpenParen) {
            loop {
                let (number, span) = self.tokens.entity("v")?;
                self.tokens.expect(Token::Colon)?;
                let ty = self.parse_type()?;
                body.define_param(Value::from_u32(number), ty, span);
                if !self.tokens.accept(Token::Comma) {
                    break;
                }
            }
            self.tokens.expect(Token::CloseParen)?;
        }
        self.tokens.expect(Token::Colon)
    }

    fn parse_type(&mut self) -> Statement<Type> {
        let (word, span) = self.tokens.word("a type")?;
        words::parse_ty(word)
            .ok_or_else(|| error(span, format!("expected `i32` or `i64`, found `{word}`")))
    }
}
