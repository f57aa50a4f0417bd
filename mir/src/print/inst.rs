//! One instruction as text.

use crate::entity::{Inst, Value};
use crate::function::Function;
use crate::inst::{BlockCall, InstData, ValueList};
use crate::opcode::Opcode;
use crate::print::words;
use crate::types::Type;
use bpf::insn::AtomicOp;
use std::fmt::{self, Display, Formatter};

/// An instruction with its result.
pub(crate) struct InstPrinter<'a> {
    pub func: &'a Function,
    pub inst: Inst,
}

/// Base and offset of an access: `v1`, `v1+8`, `v1-8`.
struct Address(Value, i32);

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            0 => write!(f, "{}", self.0),
            offset => write!(f, "{}{offset:+}", self.0),
        }
    }
}

impl InstPrinter<'_> {
    fn fmt_list(&self, values: &[Value], f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (index, value) in values.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{value}")?;
        }
        f.write_str(")")
    }

    fn fmt_args(&self, args: &ValueList, f: &mut Formatter<'_>) -> fmt::Result {
        self.fmt_list(args.as_slice(&self.func.dfg.pool), f)
    }

    fn fmt_block_call(&self, call: &BlockCall, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", call.block)?;
        match self.func.dfg.call_args(call) {
            [] => Ok(()),
            args => self.fmt_list(args, f),
        }
    }

    fn fmt_successors(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, call) in self.func.dfg.successors(self.inst).iter().enumerate() {
            f.write_str(if index == 0 { " " } else { ", " })?;
            self.fmt_block_call(call, f)?;
        }
        Ok(())
    }
}

impl Display for InstPrinter<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(result) = self.func.dfg.result(self.inst) {
            write!(f, "{result} = ")?;
        }
        let data = self.func.dfg.inst(self.inst);
        let name = data.opcode().name();
        f.write_str(name)?;
        match *data {
            InstData::Nullary { opcode, ty } => match (opcode, ty) {
                (Opcode::Frame, Type::I64) => Ok(()),
                _ => write!(f, ".{ty}"),
            },
            InstData::Const { ty, imm } => write!(f, ".{ty} {imm}"),
            InstData::SymbolAddr { symbol } => write!(f, " {symbol}"),
            InstData::Unary { opcode, ty, arg } => {
                if words::implied_type(opcode) != Some(ty) {
                    write!(f, ".{ty}")?;
                }
                write!(f, " {arg}")
            }
            InstData::SpaceCast {
                dst_space,
                src_space,
                arg,
            } => write!(f, " {arg} to {dst_space} from {src_space}"),
            InstData::Binary {
                ty, args: [a, b], ..
            } => write!(f, ".{ty} {a}, {b}"),
            InstData::Load {
                opcode,
                width,
                base,
                offset,
            } => {
                let width = match opcode {
                    Opcode::Sload => words::signed_width(width),
                    _ => words::width(width),
                };
                write!(f, ".{width} {}", Address(base, offset))
            }
            InstData::Store {
                width,
                base,
                value,
                offset,
                ..
            } => {
                let width = words::width(width);
                write!(f, ".{width} {}, {value}", Address(base, offset))
            }
            InstData::AtomicRmw {
                op,
                width,
                fetch,
                offset,
                base,
                value,
            } => {
                let (op_word, width) = (words::atomic(op), words::width(width));
                let fetch = if fetch && op != AtomicOp::Xchg {
                    "fetch_"
                } else {
                    ""
                };
                let address = Address(base, offset);
                write!(f, ".{fetch}{op_word}.{width} {address}, {value}")
            }
            InstData::CompareExchange {
                width,
                offset,
                base,
                expected,
                value,
            } => {
                let (width, address) = (words::width(width), Address(base, offset.into()));
                write!(f, ".{width} {address}, {expected}, {value}")
            }
            InstData::LoadAbs { width, imm, ctx } => {
                write!(f, ".{} {ctx}, {imm}", words::width(width))
            }
            InstData::LoadInd {
                width,
                imm,
                ctx,
                index,
            } => write!(f, ".{} {ctx}, {index}, {imm}", words::width(width)),
            InstData::CallHelper { id, args } => {
                write!(f, " {id}")?;
                self.fmt_args(&args, f)
            }
            InstData::CallFunc { func, args } => {
                write!(f, " {func}")?;
                self.fmt_args(&args, f)
            }
            InstData::CallExternal { external, args } => {
                write!(f, " {external}")?;
                self.fmt_args(&args, f)
            }
            InstData::CallIndirect { callee, args } => {
                write!(f, " {callee}")?;
                self.fmt_args(&args, f)
            }
            InstData::Jump { .. } | InstData::MayGoto { .. } => self.fmt_successors(f),
            InstData::Branch {
                cond,
                ty,
                args: [a, b],
                ..
            } => {
                write!(f, ".{ty} {} {a}, {b},", words::cond(cond))?;
                self.fmt_successors(f)
            }
            InstData::Return { arg } => write!(f, " {arg}"),
        }
    }
}
