//! One instruction of the text.

use super::Statement;
use super::error;
use super::lexer::Token;
use super::numbering::{Body, push_data};
use super::operation::Suffixes;
use super::tokens::Tokens;
use crate::entity::{Block, CoreRelo, External, Func, Inst, SourceLoc, Symbol, Value};
use crate::function::Function;
use crate::inst::{BlockCall, InstData, ValueList};
use crate::opcode::{Format, Opcode};
use crate::print::words;
use crate::types::Type;
use bpf::diagnostic::Span;
use bpf::insn::AtomicOp;

/// Reads the instruction that the tokens are at.
pub(super) struct InstParser<'p, 't> {
    pub(super) tokens: &'p mut Tokens<'t>,
    pub(super) func: &'p mut Function,
    pub(super) body: &'p mut Body,
}

impl InstParser<'_, '_> {
    pub(super) fn parse(mut self) -> Statement<()> {
        let start = self.tokens.span();
        let result = self.parse_result()?;
        let (word, span) = self.tokens.word("an instruction")?;
        let mut suffixes = Suffixes::new(word, span)?;
        let opcode = suffixes.opcode();
        let data = self.parse_data(opcode, &mut suffixes)?;
        suffixes.finish()?;
        match (result, data.result_type()) {
            (Some((value, span)), None) => {
                let message = format!("this {opcode} has no result to call {value}");
                return Err(error(span, message));
            }
            (None, Some(_)) => {
                let mut diagnostic = error(span, format!("the result of {opcode} needs a name"));
                diagnostic.help = vec![format!("write `v0 = {word} …`")];
                return Err(diagnostic);
            }
            _ => {}
        }
        let inst = push_data(self.func, data);
        let whole = self.tokens.since(start);
        self.body.push_inst(inst, result, whole);
        self.parse_attributes(inst)
    }

    /// `v1 =`, if it is there.
    fn parse_result(&mut self) -> Statement<Option<(Value, Span)>> {
        let Token::Word(word) = self.tokens.peek() else {
            return Ok(None);
        };
        if super::tokens::entity_number(word, "v").is_none() {
            return Ok(None);
        }
        let (number, span) = self.tokens.entity("v")?;
        self.tokens.expect(Token::Equals)?;
        Ok(Some((Value::from_u32(number), span)))
    }

    fn parse_attributes(&mut self, inst: Inst) -> Statement<()> {
        while self.tokens.accept(Token::Bang) {
            if self.tokens.accept_word("from") {
                let start = self.tokens.span();
                let slot: u32 = self.tokens.integer()?;
                self.func.origins[inst] = slot
                    .checked_add(1)
                    .ok_or_else(|| error(self.tokens.since(start), "there is no such slot"))?;
                continue;
            }
            match self.tokens.peek() {
                Token::Word(word) if word.starts_with("loc") => {
                    let (number, _) = self.tokens.entity("loc")?;
                    self.func.locations[inst] = Some(SourceLoc::from_u32(number)).into();
                }
                Token::Word(word) if word.starts_with("relo") => {
                    let (number, _) = self.tokens.entity("relo")?;
                    self.func.core_relos[inst] = Some(CoreRelo::from_u32(number)).into();
                }
                _ => return self.tokens.unexpected("`loc0`, `from 0` or `relo0`"),
            }
        }
        Ok(())
    }

    fn value(&mut self) -> Statement<Value> {
        let (number, span) = self.tokens.entity("v")?;
        let value = Value::from_u32(number);
        self.body.use_value(value, span);
        Ok(value)
    }

    fn comma(&mut self) -> Statement<()> {
        self.tokens.expect(Token::Comma)
    }

    fn comma_value(&mut self) -> Statement<Value> {
        self.comma()?;
        self.value()
    }

    /// `v1`, `v1+8` or `v1-8`.
    fn address<T: TryFrom<i128> + Default>(&mut self) -> Statement<(Value, T)> {
        let base = self.value()?;
        let offset = match self.tokens.peek() {
            Token::Plus => {
                self.tokens.next();
                self.tokens.integer()?
            }
            Token::Minus => self.tokens.integer()?,
            _ => T::default(),
        };
        Ok((base, offset))
    }

    /// `(v1, v2)`
    fn arguments(&mut self) -> Statement<ValueList> {
        self.tokens.expect(Token::OpenParen)?;
        let mut values = Vec::new();
        if !self.tokens.accept(Token::CloseParen) {
            values.push(self.value()?);
            while self.tokens.accept(Token::Comma) {
                values.push(self.value()?);
            }
            self.tokens.expect(Token::CloseParen)?;
        }
        Ok(self.func.dfg.value_list(&values))
    }

    /// `block1` or `block1(v1, v2)`
    fn block_call(&mut self) -> Statement<BlockCall> {
        let (number, span) = self.tokens.entity("block")?;
        let block = Block::from_u32(number);
        self.body.use_block(block, span);
        let args = match self.tokens.peek() {
            Token::OpenParen => self.arguments()?,
            _ => ValueList::new(),
        };
        Ok(BlockCall { block, args })
    }

    fn parse_data(&mut self, opcode: Opcode, suffixes: &mut Suffixes<'_>) -> Statement<InstData> {
        Ok(match opcode.format() {
            Format::Nullary => {
                let ty = match (opcode, suffixes.rest) {
                    (Opcode::Frame, None) => Type::I64,
                    _ => suffixes.ty()?,
                };
                InstData::Nullary { opcode, ty }
            }
            Format::Const => InstData::Const {
                ty: suffixes.ty()?,
                imm: self.tokens.integer()?,
            },
            Format::SymbolAddr => InstData::SymbolAddr {
                symbol: Symbol::from_u32(self.tokens.entity("sym")?.0),
            },
            Format::Unary => {
                let ty = match (words::implied_type(opcode), suffixes.rest) {
                    (Some(ty), None) => ty,
                    _ => suffixes.ty()?,
                };
                InstData::Unary {
                    opcode,
                    ty,
                    arg: self.value()?,
                }
            }
            Format::SpaceCast => self.parse_space_cast()?,
            Format::Binary => InstData::Binary {
                opcode,
                ty: suffixes.ty()?,
                args: [self.value()?, self.comma_value()?],
            },
            Format::Load => {
                let width = match opcode {
                    Opcode::Sload => suffixes.signed_width()?,
                    _ => suffixes.width()?,
                };
                let (base, offset) = self.address()?;
                InstData::Load {
                    opcode,
                    width,
                    base,
                    offset,
                }
            }
            Format::Store => {
                let width = suffixes.width()?;
                let (base, offset) = self.address()?;
                InstData::Store {
                    opcode,
                    width,
                    base,
                    value: self.comma_value()?,
                    offset,
                }
            }
            Format::AtomicRmw => self.parse_atomic(suffixes)?,
            Format::CompareExchange => {
                let width = suffixes.width()?;
                let (base, offset) = self.address()?;
                InstData::CompareExchange {
                    width,
                    offset,
                    base,
                    expected: self.comma_value()?,
                    value: self.comma_value()?,
                }
            }
            Format::LoadAbs => {
                let (width, ctx) = (suffixes.width()?, self.value()?);
                self.comma()?;
                let imm = self.tokens.integer()?;
                InstData::LoadAbs { width, imm, ctx }
            }
            Format::LoadInd => {
                let (width, ctx) = (suffixes.width()?, self.value()?);
                let index = self.comma_value()?;
                self.comma()?;
                InstData::LoadInd {
                    width,
                    imm: self.tokens.integer()?,
                    ctx,
                    index,
                }
            }
            Format::CallHelper => InstData::CallHelper {
                id: self.tokens.integer()?,
                args: self.arguments()?,
            },
            Format::CallFunc => InstData::CallFunc {
                func: Func::from_u32(self.tokens.entity("fn")?.0),
                args: self.arguments()?,
            },
            Format::CallExternal => InstData::CallExternal {
                external: External::from_u32(self.tokens.entity("ext")?.0),
                args: self.arguments()?,
            },
            Format::CallIndirect => InstData::CallIndirect {
                callee: self.value()?,
                args: self.arguments()?,
            },
            Format::Jump => InstData::Jump {
                target: self.block_call()?,
            },
            Format::Branch => self.parse_branch(suffixes)?,
            Format::MayGoto => {
                let taken = self.block_call()?;
                self.comma()?;
                let not_taken = self.block_call()?;
                let targets = self.func.dfg.make_targets(taken, not_taken);
                InstData::MayGoto { targets }
            }
            Format::Return => InstData::Return { arg: self.value()? },
        })
    }

    fn parse_space_cast(&mut self) -> Statement<InstData> {
        let arg = self.value()?;
        self.tokens.expect_word("to")?;
        let dst_space = self.tokens.integer()?;
        self.tokens.expect_word("from")?;
        Ok(InstData::SpaceCast {
            dst_space,
            src_space: self.tokens.integer()?,
            arg,
        })
    }

    fn parse_atomic(&mut self, suffixes: &mut Suffixes<'_>) -> Statement<InstData> {
        let operation = |word: &str| {
            let (word, fetch) = match word.strip_prefix("fetch_") {
                Some(word) => (word, true),
                None => (word, false),
            };
            let op = words::parse_atomic(word)?;
            match op {
                AtomicOp::Xchg if fetch => None,
                AtomicOp::Cmpxchg => None,
                AtomicOp::Xchg => Some((op, true)),
                _ => Some((op, fetch)),
            }
        };
        let (op, fetch) = suffixes.take(operation, "an operation such as `.fetch_add`")?;
        let width = suffixes.width()?;
        let (base, offset) = self.address()?;
        Ok(InstData::AtomicRmw {
            op,
            width,
            fetch,
            offset,
            base,
            value: self.comma_value()?,
        })
    }

    fn parse_branch(&mut self, suffixes: &mut Suffixes<'_>) -> Statement<InstData> {
        let ty = suffixes.ty()?;
        let (word, span) = self.tokens.word("a comparison")?;
        let cond = words::parse_cond(word)
            .ok_or_else(|| error(span, format!("no comparison is called `{word}`")))?;
        let args = [self.value()?, self.comma_value()?];
        self.comma()?;
        let taken = self.block_call()?;
        self.comma()?;
        let not_taken = self.block_call()?;
        Ok(InstData::Branch {
            cond,
            ty,
            args,
            targets: self.func.dfg.make_targets(taken, not_taken),
        })
    }
}
