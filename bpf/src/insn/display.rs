//! Text in LLVM's syntax, as `llvm-objdump` prints it (without the target in angle brackets).
//!
//! `{}` prints as `llvm-objdump` does by default; the alternate form `{:#}` as it does with
//! `--mcpu=v3` or later, where loads and stores below 64 bits name the `w` register. `llvm-mc`
//! reads both. What LLVM has no text for (`ld_imm64` with a source nibble and a high half, an
//! indirect packet load with an offset, numeric calls of subprograms) prints in the nearest form.

use std::fmt::{self, Display, Formatter, LowerHex};

use super::types::{
    AluOp, AtomicOp, CallTarget, Cond, EndianOp, Insn, MemWidth, Operand, Reg, Width,
};

/// A signed number in hexadecimal with the sign before the `0x`.
struct Hex<T>(T);

impl<T: Copy + Into<i64>> Display for Hex<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let value: i64 = self.0.into();
        if value < 0 {
            f.write_str("-")?;
        }
        f.write_str("0x")?;
        LowerHex::fmt(&value.unsigned_abs(), f)
    }
}

/// A branch distance: always with its sign.
struct Distance(i32);

impl Display for Distance {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(f, "{sign}0x{:x}", self.0.unsigned_abs())
    }
}

/// `base + offset` between parentheses, without them.
struct Address(Reg, i16);

impl Display for Address {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.1 < 0 { '-' } else { '+' };
        write!(f, "{} {sign} 0x{:x}", self.0, self.1.unsigned_abs())
    }
}

impl Display for Reg {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

/// A register under the name that `width` gives it.
struct Sized(Reg, Width);

impl Display for Sized {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            Width::W32 => write!(f, "w{}", self.0.0),
            Width::W64 => write!(f, "r{}", self.0.0),
        }
    }
}

/// An operand under the name that `width` gives it.
struct SizedOperand(Operand, Width);

impl Display for SizedOperand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operand::Reg(reg) => Sized(reg, self.1).fmt(f),
            Operand::Imm(imm) => write!(f, "{}", Hex(imm)),
        }
    }
}

impl MemWidth {
    /// Bytes.
    #[must_use]
    pub fn bytes(self) -> u8 {
        match self {
            MemWidth::B8 => 1,
            MemWidth::B16 => 2,
            MemWidth::B32 => 4,
            MemWidth::B64 => 8,
        }
    }

    /// Bits.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.bytes() * 8
    }

    fn register(self, alternate: bool) -> Width {
        if alternate && self != MemWidth::B64 {
            Width::W32
        } else {
            Width::W64
        }
    }

    fn atomic_register(self) -> Width {
        if self == MemWidth::B64 {
            Width::W64
        } else {
            Width::W32
        }
    }
}

impl AluOp {
    /// The operator as assembly writes it, `=` included.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            AluOp::Add => "+=",
            AluOp::Sub => "-=",
            AluOp::Mul => "*=",
            AluOp::Div => "/=",
            AluOp::Sdiv => "s/=",
            AluOp::Or => "|=",
            AluOp::And => "&=",
            AluOp::Lsh => "<<=",
            AluOp::Rsh => ">>=",
            AluOp::Mod => "%=",
            AluOp::Smod => "s%=",
            AluOp::Xor => "^=",
            AluOp::Mov => "=",
            AluOp::Arsh => "s>>=",
        }
    }
}

impl Cond {
    /// The operator as assembly writes it.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Cond::Eq => "==",
            Cond::Ne => "!=",
            Cond::Gt => ">",
            Cond::Ge => ">=",
            Cond::Lt => "<",
            Cond::Le => "<=",
            Cond::Set => "&",
            Cond::Sgt => "s>",
            Cond::Sge => "s>=",
            Cond::Slt => "s<",
            Cond::Sle => "s<=",
        }
    }
}

impl EndianOp {
    /// The mnemonic before the width.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            EndianOp::Be => "be",
            EndianOp::Le => "le",
            EndianOp::Bswap => "bswap",
        }
    }
}

impl Display for Insn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Insn::Alu {
                width,
                op,
                dst,
                src,
            } => {
                write!(
                    f,
                    "{} {} {}",
                    Sized(dst, width),
                    op.symbol(),
                    SizedOperand(src, width)
                )
            }
            Insn::Neg { width, dst } => {
                write!(f, "{} = -{}", Sized(dst, width), Sized(dst, width))
            }
            Insn::Movsx {
                width,
                bits,
                dst,
                src,
            } => {
                write!(f, "{} = (s{bits}){}", Sized(dst, width), Sized(src, width))
            }
            Insn::AddrSpaceCast {
                dst,
                src,
                dst_space,
                src_space,
            } => {
                write!(
                    f,
                    "{dst} = addr_space_cast({src}, {dst_space:#x}, {src_space:#x})"
                )
            }
            Insn::Endian { op, bits, dst } => write!(f, "{dst} = {}{bits} {dst}", op.symbol()),
            Insn::LoadImm64 { dst, pseudo, imm } => {
                let imm = Hex(imm.cast_signed());
                match pseudo.0 {
                    0 => write!(f, "{dst} = {imm} ll"),
                    kind => write!(f, "ld_pseudo {dst}, {kind:#x}, {imm}"),
                }
            }
            Insn::Goto {
                offset,
                long: false,
            } => write!(f, "goto {}", Distance(offset)),
            Insn::Goto { offset, long: true } => write!(f, "gotol {}", Distance(offset)),
            Insn::MayGoto { offset } => write!(f, "may_goto {}", Distance(i32::from(offset))),
            Insn::Gotox { dst } => write!(f, "gotox {dst}"),
            Insn::Branch {
                width,
                cond,
                dst,
                src,
                offset,
            } => {
                let (left, right) = (Sized(dst, width), SizedOperand(src, width));
                let target = Distance(i32::from(offset));
                write!(f, "if {left} {} {right} goto {target}", cond.symbol())
            }
            Insn::Call { target } => match target {
                CallTarget::Helper(imm) | CallTarget::Subprogram(imm) | CallTarget::Kfunc(imm) => {
                    write!(f, "call {}", Hex(imm))
                }
            },
            Insn::Callx { dst } => write!(f, "callx {dst}"),
            Insn::Exit => f.write_str("exit"),
            ref memory => fmt_memory(memory, f),
        }
    }
}

fn fmt_memory(insn: &Insn, f: &mut Formatter<'_>) -> fmt::Result {
    match *insn {
        Insn::Load {
            width,
            signed,
            dst,
            base,
            offset,
        } => {
            let (sign, register) = match signed {
                true => ('s', Width::W64),
                false => ('u', width.register(f.alternate())),
            };
            let (dst, at) = (Sized(dst, register), Address(base, offset));
            write!(f, "{dst} = *({sign}{} *)({at})", width.bits())
        }
        Insn::Store {
            width,
            base,
            offset,
            src,
        } => {
            let src = SizedOperand(src, width.register(f.alternate()));
            write!(
                f,
                "*(u{} *)({}) = {src}",
                width.bits(),
                Address(base, offset)
            )
        }
        Insn::Atomic {
            width,
            op,
            fetch,
            base,
            offset,
            src,
        } => {
            let at = Address(base, offset);
            let (bits, register) = (width.bits(), width.atomic_register());
            let src = Sized(src, register);
            let (name, symbol) = match op {
                AtomicOp::Add => ("add", "+="),
                AtomicOp::Or => ("or", "|="),
                AtomicOp::And => ("and", "&="),
                AtomicOp::Xor => ("xor", "^="),
                AtomicOp::Xchg => {
                    let suffix = if width == MemWidth::B64 {
                        "64"
                    } else {
                        "32_32"
                    };
                    return write!(f, "{src} = xchg{}{suffix}({at}, {src})", underscore(width));
                }
                AtomicOp::Cmpxchg => {
                    let suffix = if width == MemWidth::B64 {
                        "64"
                    } else {
                        "32_32"
                    };
                    let old = Sized(Reg(0), register);
                    let gap = underscore(width);
                    return write!(f, "{old} = cmpxchg{gap}{suffix}({at}, {old}, {src})");
                }
            };
            if fetch {
                write!(f, "{src} = atomic_fetch_{name}((u{bits} *)({at}), {src})")
            } else {
                write!(f, "lock *(u{bits} *)({at}) {symbol} {src}")
            }
        }
        Insn::LoadAcquire {
            width,
            dst,
            base,
            offset,
        } => {
            let dst = Sized(dst, width.atomic_register());
            write!(
                f,
                "{dst} = load_acquire((u{} *)({}))",
                width.bits(),
                Address(base, offset)
            )
        }
        Insn::StoreRelease {
            width,
            base,
            offset,
            src,
        } => {
            let src = Sized(src, width.atomic_register());
            write!(
                f,
                "store_release((u{} *)({}), {src})",
                width.bits(),
                Address(base, offset)
            )
        }
        Insn::LoadAbs { width, imm } => {
            write!(f, "r0 = *(u{} *)skb[{}]", width.bits(), Hex(imm))
        }
        Insn::LoadInd { width, src, imm: 0 } => {
            write!(f, "r0 = *(u{} *)skb[{src}]", width.bits())
        }
        Insn::LoadInd { width, src, imm } => {
            write!(f, "r0 = *(u{} *)skb[{src} {}]", width.bits(), Distance(imm))
        }
        _ => Ok(()),
    }
}

/// The 64-bit exchanges have an underscore before the width, the 32-bit ones have not.
fn underscore(width: MemWidth) -> &'static str {
    if width == MemWidth::B64 { "_" } else { "" }
}
