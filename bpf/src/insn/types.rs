//! The decoded instruction, one variant per shape that the assembly language can write.

/// A register, `r0` to `r11`. `r10` is the read-only frame pointer; `r11` is accepted by
/// assemblers and used by newer LLVM for stack arguments, never by programs the kernel loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(pub u8);

/// Width of an ALU operation or comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// 32-bit subregister; a write clears the upper half.
    W32,
    /// Whole register.
    W64,
}

/// Width of a memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemWidth {
    /// 1 byte
    B8,
    /// 2 bytes
    B16,
    /// 4 bytes
    B32,
    /// 8 bytes
    B64,
}

/// Register or 32-bit immediate (sign-extended where the operation is 64 bits wide).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A register.
    Reg(Reg),
    /// An immediate.
    Imm(i32),
}

/// Two-operand arithmetic and moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are RFC 9669's own")]
pub enum AluOp {
    Add,
    Sub,
    Mul,
    /// Unsigned; division by zero gives 0.
    Div,
    /// Signed, v4.
    Sdiv,
    Or,
    And,
    Lsh,
    Rsh,
    /// Unsigned; modulo zero leaves the destination.
    Mod,
    /// Signed, v4.
    Smod,
    Xor,
    Mov,
    /// Arithmetic shift right.
    Arsh,
}

/// Byte-order instructions; the operand width (16, 32, 64) is beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndianOp {
    /// To or from big endian.
    Be,
    /// To or from little endian.
    Le,
    /// Unconditional swap, v4.
    Bswap,
}

/// Branch conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are RFC 9669's own")]
pub enum Cond {
    Eq,
    Ne,
    /// Unsigned.
    Gt,
    Ge,
    Lt,
    Le,
    /// `&`: taken when the bitwise and is not zero.
    Set,
    /// Signed.
    Sgt,
    Sge,
    Slt,
    Sle,
}

impl Cond {
    /// The condition that holds when this one does not; none for [`Cond::Set`].
    #[must_use]
    pub fn inverted(self) -> Option<Cond> {
        Some(match self {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::Gt => Cond::Le,
            Cond::Ge => Cond::Lt,
            Cond::Lt => Cond::Ge,
            Cond::Le => Cond::Gt,
            Cond::Sgt => Cond::Sle,
            Cond::Sge => Cond::Slt,
            Cond::Slt => Cond::Sge,
            Cond::Sle => Cond::Sgt,
            Cond::Set => return None,
        })
    }

    /// The condition with its operands exchanged.
    #[must_use]
    pub fn exchanged(self) -> Cond {
        match self {
            Cond::Gt => Cond::Lt,
            Cond::Ge => Cond::Le,
            Cond::Lt => Cond::Gt,
            Cond::Le => Cond::Ge,
            Cond::Sgt => Cond::Slt,
            Cond::Sge => Cond::Sle,
            Cond::Slt => Cond::Sgt,
            Cond::Sle => Cond::Sge,
            Cond::Eq | Cond::Ne | Cond::Set => self,
        }
    }
}

/// Read-modify-write operations on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are RFC 9669's own")]
pub enum AtomicOp {
    Add,
    Or,
    And,
    Xor,
    /// Always fetches.
    Xchg,
    /// Always fetches; compares with and returns in `r0`.
    Cmpxchg,
}

/// What the source nibble of `ld_imm64` says of its immediate (`BPF_PSEUDO_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pseudo(pub u8);

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallTarget {
    /// Source nibble 0: kernel helper by number.
    Helper(i32),
    /// Source nibble 1: subprogram at this distance in slots from the next instruction, or
    /// whatever the relocation says.
    Subprogram(i32),
    /// Source nibble 2: kernel function by BTF id.
    Kfunc(i32),
}

/// An instruction. Jump offsets are in slots from the next instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "field names are those of the instruction's operands"
)]
pub enum Insn {
    /// `dst op= src`; [`AluOp::Mov`] is `dst = src`.
    Alu {
        width: Width,
        op: AluOp,
        dst: Reg,
        src: Operand,
    },
    /// `dst = -dst`
    Neg { width: Width, dst: Reg },
    /// `dst = (sN)src`; `bits` is 8, 16, or (64-bit only) 32. v4.
    Movsx {
        width: Width,
        bits: u8,
        dst: Reg,
        src: Reg,
    },
    /// `dst = addr_space_cast(src, dst_space, src_space)`
    AddrSpaceCast {
        dst: Reg,
        src: Reg,
        dst_space: u16,
        src_space: u16,
    },
    /// `dst = be16 dst`; `bits` is 16, 32 or 64.
    Endian { op: EndianOp, bits: u8, dst: Reg },
    /// `dst = imm ll`, two slots.
    LoadImm64 { dst: Reg, pseudo: Pseudo, imm: u64 },
    /// `dst = *(u8 *)(base + offset)`; `signed` is v4 and never [`MemWidth::B64`].
    Load {
        width: MemWidth,
        signed: bool,
        dst: Reg,
        base: Reg,
        offset: i16,
    },
    /// `*(u8 *)(base + offset) = src`
    Store {
        width: MemWidth,
        base: Reg,
        offset: i16,
        src: Operand,
    },
    /// Read-modify-write; `width` is [`MemWidth::B32`] or [`MemWidth::B64`]. With `fetch` the old
    /// value goes to `src` (to `r0` for [`AtomicOp::Cmpxchg`]).
    Atomic {
        width: MemWidth,
        op: AtomicOp,
        fetch: bool,
        base: Reg,
        offset: i16,
        src: Reg,
    },
    /// `dst = load_acquire((u8 *)(base + offset))`
    LoadAcquire {
        width: MemWidth,
        dst: Reg,
        base: Reg,
        offset: i16,
    },
    /// `store_release((u8 *)(base + offset), src)`
    StoreRelease {
        width: MemWidth,
        base: Reg,
        offset: i16,
        src: Reg,
    },
    /// `r0 = *(u8 *)skb[imm]`
    LoadAbs { width: MemWidth, imm: i32 },
    /// `r0 = *(u8 *)skb[src]`, plus an immediate that the text form cannot say when not zero.
    LoadInd { width: MemWidth, src: Reg, imm: i32 },
    /// `goto +offset`, or with `long` `gotol +offset` (v4).
    Goto { offset: i32, long: bool },
    /// `may_goto +offset`
    MayGoto { offset: i16 },
    /// `gotox dst`
    Gotox { dst: Reg },
    /// `if dst cond src goto +offset`
    Branch {
        width: Width,
        cond: Cond,
        dst: Reg,
        src: Operand,
        offset: i16,
    },
    /// `call …`
    Call { target: CallTarget },
    /// `callx dst`
    Callx { dst: Reg },
    /// `exit`
    Exit,
}
