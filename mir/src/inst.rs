//! Instruction data: format × opcode, `Copy`, at most 16 bytes.
//!
//! Operand lists that vary in length live in a pool of the [`crate::DataFlowGraph`]; the two
//! destinations of a branch live in a table there, because two block calls and two operands do not
//! fit in 16 bytes.

use crate::entity::{Block, External, Func, Symbol, Targets, Value};
use crate::opcode::Opcode;
use crate::types::Type;
use bpf::insn::{AtomicOp, Cond, MemWidth};
use cranelift_entity::{EntityList, ListPool};

/// A list of values in the pool of a [`crate::DataFlowGraph`].
pub type ValueList = EntityList<Value>;
/// The pool of such lists.
pub type ValueListPool = ListPool<Value>;

/// A block and the values for its parameters.
#[derive(Clone, Copy, Debug)]
pub struct BlockCall {
    /// Destination.
    pub block: Block,
    /// One value for each parameter of the destination.
    pub args: ValueList,
}

/// The data of one instruction.
#[derive(Clone, Copy, Debug)]
#[expect(
    missing_docs,
    reason = "the operation list in `opcode` says what each field means"
)]
pub enum InstData {
    Nullary {
        opcode: Opcode,
        ty: Type,
    },
    Const {
        ty: Type,
        imm: i64,
    },
    SymbolAddr {
        symbol: Symbol,
    },
    Unary {
        opcode: Opcode,
        ty: Type,
        arg: Value,
    },
    SpaceCast {
        dst_space: u16,
        src_space: u16,
        arg: Value,
    },
    Binary {
        opcode: Opcode,
        ty: Type,
        args: [Value; 2],
    },
    Load {
        opcode: Opcode,
        width: MemWidth,
        base: Value,
        offset: i32,
    },
    Store {
        opcode: Opcode,
        width: MemWidth,
        base: Value,
        value: Value,
        offset: i32,
    },
    AtomicRmw {
        op: AtomicOp,
        width: MemWidth,
        fetch: bool,
        offset: i32,
        base: Value,
        value: Value,
    },
    CompareExchange {
        width: MemWidth,
        offset: i16,
        base: Value,
        expected: Value,
        value: Value,
    },
    LoadAbs {
        width: MemWidth,
        imm: i32,
        ctx: Value,
    },
    LoadInd {
        width: MemWidth,
        imm: i32,
        ctx: Value,
        index: Value,
    },
    CallHelper {
        id: u32,
        args: ValueList,
    },
    CallFunc {
        func: Func,
        args: ValueList,
    },
    CallExternal {
        external: External,
        args: ValueList,
    },
    CallIndirect {
        callee: Value,
        args: ValueList,
    },
    Jump {
        target: BlockCall,
    },
    Branch {
        cond: Cond,
        ty: Type,
        args: [Value; 2],
        targets: Targets,
    },
    MayGoto {
        targets: Targets,
    },
    Return {
        arg: Value,
    },
}

const _: () = assert!(size_of::<InstData>() <= 16);

impl InstData {
    /// The operation.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        match *self {
            InstData::Nullary { opcode, .. }
            | InstData::Unary { opcode, .. }
            | InstData::Binary { opcode, .. }
            | InstData::Load { opcode, .. }
            | InstData::Store { opcode, .. } => opcode,
            InstData::Const { .. } => Opcode::Iconst,
            InstData::SymbolAddr { .. } => Opcode::SymbolAddr,
            InstData::SpaceCast { .. } => Opcode::AddrSpaceCast,
            InstData::AtomicRmw { .. } => Opcode::AtomicRmw,
            InstData::CompareExchange { .. } => Opcode::CompareExchange,
            InstData::LoadAbs { .. } => Opcode::LoadAbs,
            InstData::LoadInd { .. } => Opcode::LoadInd,
            InstData::CallHelper { .. } => Opcode::CallHelper,
            InstData::CallFunc { .. } => Opcode::CallFunc,
            InstData::CallExternal { .. } => Opcode::CallExternal,
            InstData::CallIndirect { .. } => Opcode::CallIndirect,
            InstData::Jump { .. } => Opcode::Jump,
            InstData::Branch { .. } => Opcode::Branch,
            InstData::MayGoto { .. } => Opcode::MayGoto,
            InstData::Return { .. } => Opcode::Return,
        }
    }

    /// The type of the result, if there is one.
    #[must_use]
    pub fn result_type(&self) -> Option<Type> {
        match *self {
            InstData::Nullary { ty, .. }
            | InstData::Const { ty, .. }
            | InstData::Unary { ty, .. }
            | InstData::Binary { ty, .. } => Some(ty),
            InstData::AtomicRmw { fetch, .. } => fetch.then_some(Type::I64),
            InstData::SymbolAddr { .. }
            | InstData::SpaceCast { .. }
            | InstData::Load { .. }
            | InstData::CompareExchange { .. }
            | InstData::LoadAbs { .. }
            | InstData::LoadInd { .. }
            | InstData::CallHelper { .. }
            | InstData::CallFunc { .. }
            | InstData::CallExternal { .. }
            | InstData::CallIndirect { .. } => Some(Type::I64),
            InstData::Store { .. }
            | InstData::Jump { .. }
            | InstData::Branch { .. }
            | InstData::MayGoto { .. }
            | InstData::Return { .. } => None,
        }
    }

    /// Calls `f` with each operand other than block-call arguments, in order.
    pub fn for_each_arg(&self, pool: &ValueListPool, mut f: impl FnMut(Value)) {
        match *self {
            InstData::Nullary { .. }
            | InstData::Const { .. }
            | InstData::SymbolAddr { .. }
            | InstData::Jump { .. }
            | InstData::MayGoto { .. } => {}
            InstData::Unary { arg, .. }
            | InstData::SpaceCast { arg, .. }
            | InstData::Return { arg } => f(arg),
            InstData::Binary { args, .. } | InstData::Branch { args, .. } => {
                args.into_iter().for_each(f)
            }
            InstData::Load { base, .. } => f(base),
            InstData::LoadAbs { ctx, .. } => f(ctx),
            InstData::Store { base, value, .. } | InstData::AtomicRmw { base, value, .. } => {
                f(base);
                f(value);
            }
            InstData::CompareExchange {
                base,
                expected,
                value,
                ..
            } => {
                f(base);
                f(expected);
                f(value);
            }
            InstData::LoadInd { ctx, index, .. } => {
                f(ctx);
                f(index);
            }
            InstData::CallIndirect { callee, args } => {
                f(callee);
                args.as_slice(pool).iter().copied().for_each(f);
            }
            InstData::CallHelper { args, .. }
            | InstData::CallFunc { args, .. }
            | InstData::CallExternal { args, .. } => {
                args.as_slice(pool).iter().copied().for_each(f);
            }
        }
    }

    /// Replaces each operand other than block-call arguments by what `f` makes of it.
    pub fn map_args(&mut self, pool: &mut ValueListPool, mut f: impl FnMut(Value) -> Value) {
        match self {
            InstData::Nullary { .. }
            | InstData::Const { .. }
            | InstData::SymbolAddr { .. }
            | InstData::Jump { .. }
            | InstData::MayGoto { .. } => {}
            InstData::Unary { arg, .. }
            | InstData::SpaceCast { arg, .. }
            | InstData::Return { arg } => *arg = f(*arg),
            InstData::Binary { args, .. } | InstData::Branch { args, .. } => {
                *args = args.map(f);
            }
            InstData::Load { base, .. } => *base = f(*base),
            InstData::LoadAbs { ctx, .. } => *ctx = f(*ctx),
            InstData::Store { base, value, .. } | InstData::AtomicRmw { base, value, .. } => {
                *base = f(*base);
                *value = f(*value);
            }
            InstData::CompareExchange {
                base,
                expected,
                value,
                ..
            } => {
                *base = f(*base);
                *expected = f(*expected);
                *value = f(*value);
            }
            InstData::LoadInd { ctx, index, .. } => {
                *ctx = f(*ctx);
                *index = f(*index);
            }
            InstData::CallIndirect { callee, args } => {
                *callee = f(*callee);
                args.as_mut_slice(pool).iter_mut().for_each(|v| *v = f(*v));
            }
            InstData::CallHelper { args, .. }
            | InstData::CallFunc { args, .. }
            | InstData::CallExternal { args, .. } => {
                args.as_mut_slice(pool).iter_mut().for_each(|v| *v = f(*v));
            }
        }
    }
}
