//! One method for each operation, inserting at a [`Cursor`].

use crate::cursor::Cursor;
use crate::entity::{Block, External, Func, Inst, Symbol, Value};
use crate::inst::InstData;
use crate::opcode::Opcode;
use crate::types::Type;
use bpf::insn::{AtomicOp, Cond, MemWidth};

/// Inserts instructions at a cursor.
#[derive(Debug)]
pub struct InstBuilder<'c, 'f> {
    cursor: &'c mut Cursor<'f>,
}

impl<'c, 'f> InstBuilder<'c, 'f> {
    pub(crate) fn new(cursor: &'c mut Cursor<'f>) -> Self {
        InstBuilder { cursor }
    }

    fn value(self, data: InstData) -> Value {
        let ty = data.result_type().unwrap_or(Type::I64);
        let cursor = self.cursor;
        let inst = cursor.insert(data);
        match cursor.func.dfg.result(inst) {
            Some(value) => value,
            None => cursor.func.dfg.make_result(inst, ty),
        }
    }

    fn inst(self, data: InstData) -> Inst {
        self.cursor.insert(data)
    }

    /// A value that nobody wrote.
    pub fn undef(self, ty: Type) -> Value {
        self.value(InstData::Nullary {
            opcode: Opcode::Undef,
            ty,
        })
    }

    /// The frame pointer.
    pub fn frame(self) -> Value {
        self.value(InstData::Nullary {
            opcode: Opcode::Frame,
            ty: Type::I64,
        })
    }

    /// A constant; for `i32` the lower half is kept, sign-extended.
    pub fn iconst(self, ty: Type, imm: i64) -> Value {
        let imm = if ty == Type::I32 {
            i64::from(imm as i32)
        } else {
            imm
        };
        self.value(InstData::Const { ty, imm })
    }

    /// The address of a symbol.
    pub fn symbol(self, symbol: Symbol) -> Value {
        self.value(InstData::SymbolAddr { symbol })
    }

    /// A unary operation with a result of type `ty`.
    pub fn unary(self, opcode: Opcode, ty: Type, arg: Value) -> Value {
        self.value(InstData::Unary { opcode, ty, arg })
    }

    /// Lower half.
    pub fn trunc(self, arg: Value) -> Value {
        self.unary(Opcode::Trunc, Type::I32, arg)
    }

    /// Zero-extension from 32 bits.
    pub fn zext(self, arg: Value) -> Value {
        self.unary(Opcode::Zext, Type::I64, arg)
    }

    /// Sign-extension from 32 bits.
    pub fn sext(self, arg: Value) -> Value {
        self.unary(Opcode::Sext, Type::I64, arg)
    }

    /// Cast between address spaces.
    pub fn addr_space_cast(self, dst_space: u16, src_space: u16, arg: Value) -> Value {
        self.value(InstData::SpaceCast {
            dst_space,
            src_space,
            arg,
        })
    }

    /// A binary operation on operands of type `ty`.
    pub fn binary(self, opcode: Opcode, ty: Type, a: Value, b: Value) -> Value {
        self.value(InstData::Binary {
            opcode,
            ty,
            args: [a, b],
        })
    }

    /// A load; `opcode` is `Load`, `Sload` or `LoadAcquire`.
    pub fn load(self, opcode: Opcode, width: MemWidth, base: Value, offset: i32) -> Value {
        self.value(InstData::Load {
            opcode,
            width,
            base,
            offset,
        })
    }

    /// A store; `opcode` is `Store` or `StoreRelease`.
    pub fn store(
        self,
        opcode: Opcode,
        width: MemWidth,
        base: Value,
        offset: i32,
        value: Value,
    ) -> Inst {
        self.inst(InstData::Store {
            opcode,
            width,
            base,
            value,
            offset,
        })
    }

    /// An atomic read-modify-write; has a result when it fetches.
    pub fn atomic_rmw(
        self,
        op: AtomicOp,
        width: MemWidth,
        fetch: bool,
        base: Value,
        offset: i32,
        value: Value,
    ) -> Inst {
        self.inst(InstData::AtomicRmw {
            op,
            width,
            fetch,
            offset,
            base,
            value,
        })
    }

    /// An atomic compare and exchange; the result is the old value.
    pub fn compare_exchange(
        self,
        width: MemWidth,
        base: Value,
        offset: i16,
        expected: Value,
        value: Value,
    ) -> Value {
        self.value(InstData::CompareExchange {
            width,
            offset,
            base,
            expected,
            value,
        })
    }

    /// Legacy packet load at a constant offset.
    pub fn load_abs(self, width: MemWidth, imm: i32, ctx: Value) -> Value {
        self.value(InstData::LoadAbs { width, imm, ctx })
    }

    /// Legacy packet load at a variable offset.
    pub fn load_ind(self, width: MemWidth, imm: i32, ctx: Value, index: Value) -> Value {
        self.value(InstData::LoadInd {
            width,
            imm,
            ctx,
            index,
        })
    }

    /// Call of a helper.
    pub fn call_helper(self, id: u32, args: &[Value]) -> Value {
        let args = self.cursor.func.dfg.value_list(args);
        self.value(InstData::CallHelper { id, args })
    }

    /// Call of a function of the module.
    pub fn call_func(self, func: Func, args: &[Value]) -> Value {
        let args = self.cursor.func.dfg.value_list(args);
        self.value(InstData::CallFunc { func, args })
    }

    /// Call of a function outside the module.
    pub fn call_external(self, external: External, args: &[Value]) -> Value {
        let args = self.cursor.func.dfg.value_list(args);
        self.value(InstData::CallExternal { external, args })
    }

    /// Call by address.
    pub fn call_indirect(self, callee: Value, args: &[Value]) -> Value {
        let args = self.cursor.func.dfg.value_list(args);
        self.value(InstData::CallIndirect { callee, args })
    }

    /// Jump.
    pub fn jump(self, block: Block, args: &[Value]) -> Inst {
        let target = self.cursor.func.dfg.block_call(block, args);
        self.inst(InstData::Jump { target })
    }

    /// Conditional branch on operands of type `ty`.
    pub fn branch(
        self,
        cond: Cond,
        ty: Type,
        args: [Value; 2],
        taken: (Block, &[Value]),
        not_taken: (Block, &[Value]),
    ) -> Inst {
        let dfg = &mut self.cursor.func.dfg;
        let (taken, not_taken) = (
            dfg.block_call(taken.0, taken.1),
            dfg.block_call(not_taken.0, not_taken.1),
        );
        let targets = dfg.make_targets(taken, not_taken);
        self.inst(InstData::Branch {
            cond,
            ty,
            args,
            targets,
        })
    }

    /// Loop budget check.
    pub fn may_goto(self, taken: (Block, &[Value]), not_taken: (Block, &[Value])) -> Inst {
        let dfg = &mut self.cursor.func.dfg;
        let (taken, not_taken) = (
            dfg.block_call(taken.0, taken.1),
            dfg.block_call(not_taken.0, not_taken.1),
        );
        let targets = dfg.make_targets(taken, not_taken);
        self.inst(InstData::MayGoto { targets })
    }

    /// Return.
    pub fn return_(self, arg: Value) -> Inst {
        self.inst(InstData::Return { arg })
    }
}
