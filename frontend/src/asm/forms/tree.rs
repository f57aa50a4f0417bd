//! Plain instructions as the grammar would have read them.

use bpf::diagnostic::{FileId, Span};
use bpf::insn::{AluOp, Cond, MemWidth};

use super::super::ast::{
    Address, Arena, Expr, Instruction, JumpKind, Node, Operand, Register, Spanned,
};
use super::{Build, Place, Source, Value, Word};

/// Makes instructions whose values are expressions in an arena.
pub struct Tree<'r> {
    /// The file that is read.
    pub file: FileId,
    /// Where expressions go.
    pub arena: &'r mut Arena,
}

impl<'a> Build<'a> for Tree<'_> {
    type Made = Instruction;

    fn alu(&mut self, dst: Word<Register>, op: AluOp, src: Source<'a>) -> Option<Instruction> {
        Some(Instruction::Alu {
            dst: self.spanned(dst),
            op,
            src: self.operand(src),
        })
    }

    fn load_wide(&mut self, dst: Word<Register>, value: Word<Value<'a>>) -> Option<Instruction> {
        Some(Instruction::LoadWide {
            dst: self.spanned(dst),
            value: self.expression(value),
        })
    }

    fn load(
        &mut self,
        dst: Word<Register>,
        width: Word<MemWidth>,
        signed: bool,
        address: Word<Place<'a>>,
    ) -> Option<Instruction> {
        Some(Instruction::Load {
            dst: self.spanned(dst),
            width: self.spanned(width),
            signed,
            address: self.address(address),
        })
    }

    fn store(
        &mut self,
        width: Word<MemWidth>,
        signed: bool,
        address: Word<Place<'a>>,
        src: Source<'a>,
    ) -> Option<Instruction> {
        Some(Instruction::Store {
            width: self.spanned(width),
            signed,
            address: self.address(address),
            src: self.operand(src),
        })
    }

    fn branch(
        &mut self,
        dst: Word<Register>,
        cond: Word<Cond>,
        src: Source<'a>,
        target: Word<Value<'a>>,
    ) -> Option<Instruction> {
        Some(Instruction::Branch {
            dst: self.spanned(dst),
            cond: self.spanned(cond),
            src: self.operand(src),
            target: self.expression(target),
        })
    }

    fn goto(&mut self, target: Word<Value<'a>>) -> Option<Instruction> {
        Some(Instruction::Jump {
            kind: JumpKind::Goto,
            target: self.expression(target),
        })
    }

    fn call(&mut self, target: Word<Value<'a>>) -> Option<Instruction> {
        let target = self.expression(target);
        Some(Instruction::Call { target })
    }

    fn exit(&mut self) -> Option<Instruction> {
        Some(Instruction::Exit)
    }
}

impl Tree<'_> {
    fn spanned<T>(&self, word: Word<T>) -> Spanned<T> {
        Spanned {
            span: word.span(self.file),
            value: word.value,
        }
    }

    fn operand(&mut self, src: Source<'_>) -> Operand {
        match src {
            Source::Register(src) => Operand::Register(self.spanned(src)),
            Source::Value(value) => Operand::Value(self.expression(value)),
        }
    }

    fn address(&mut self, address: Word<Place<'_>>) -> Address {
        Address {
            base: self.spanned(address.value.base),
            offset: Some(self.expression(address.value.offset)),
            span: address.span(self.file),
        }
    }

    fn expression(&mut self, word: Word<Value<'_>>) -> Expr {
        let whole = word.span(self.file);
        match word.value {
            Value::Name(name) => {
                let node = Node::Symbol(self.arena.intern(name));
                self.arena.leaf(node, whole)
            }
            Value::Number(number) => self.arena.leaf(Node::Number(number.cast_signed()), whole),
            Value::Signed(op, number, start) => {
                let digits = Span {
                    start: start as u32,
                    ..whole
                };
                let node = Node::Number(number.cast_signed());
                let number = self.arena.leaf(node, digits);
                self.arena.unary(op, number, whole)
            }
        }
    }
}
