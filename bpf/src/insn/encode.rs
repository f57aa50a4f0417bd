//! From [`Insn`] to slots: the inverse of decoding.

use super::opcode as op;
use super::slot::{Endian, Slot};
use super::types::{AluOp, CallTarget, EndianOp, Insn, Operand, Reg, Width};

/// One or two slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded {
    slots: [Slot; 2],
    wide: bool,
}

impl Encoded {
    /// The slots in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Slot] {
        if self.wide {
            &self.slots
        } else {
            &self.slots[..1]
        }
    }
}

impl IntoIterator for Encoded {
    type Item = Slot;
    type IntoIter = std::iter::Take<std::array::IntoIter<Slot, 2>>;

    fn into_iter(self) -> Self::IntoIter {
        self.slots.into_iter().take(if self.wide { 2 } else { 1 })
    }
}

impl Insn {
    /// How many slots the instruction takes: two for [`Insn::LoadImm64`], else one.
    #[must_use]
    pub fn slots(&self) -> usize {
        match self {
            Insn::LoadImm64 { .. } => 2,
            _ => 1,
        }
    }

    /// The instruction's slots. Everything that [`Insn::decode`] gives encodes to the same slots.
    ///
    /// The fields must be in the ranges that [`Insn`] states; in particular the offset of a
    /// short [`Insn::Goto`] must fit 16 bits.
    // Where the kind of instruction is known, inlining leaves only the few lines for that kind.
    #[inline(always)]
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let mut next = Slot::default();
        let mut wide = false;
        let slot = match *self {
            Insn::LoadImm64 { dst, pseudo, imm } => {
                let [a, b, c, d, e, f, g, h] = imm.to_le_bytes();
                wide = true;
                next.imm = i32::from_le_bytes([e, f, g, h]);
                let low = i32::from_le_bytes([a, b, c, d]);
                Slot {
                    opcode: op::LD_IMM64,
                    dst: dst.0,
                    src: pseudo.0,
                    offset: 0,
                    imm: low,
                }
            }
            ref narrow => one_slot(narrow),
        };
        Encoded {
            slots: [slot, next],
            wide,
        }
    }
}

/// A slot whose second operand is `src`, with the source bit of arithmetic and jump opcodes.
#[inline]
fn with_operand(opcode: u8, dst: Reg, src: Operand, offset: i16) -> Slot {
    match src {
        Operand::Reg(src) => {
            let opcode = opcode | op::SOURCE_REGISTER;
            Slot {
                opcode,
                dst: dst.0,
                src: src.0,
                offset,
                imm: 0,
            }
        }
        Operand::Imm(imm) => Slot {
            opcode,
            dst: dst.0,
            src: 0,
            offset,
            imm,
        },
    }
}

#[inline]
fn alu_class(width: Width) -> u8 {
    match width {
        Width::W32 => op::CLASS_ALU32,
        Width::W64 => op::CLASS_ALU64,
    }
}

// As `Insn::encode`, here and below.
#[inline(always)]
fn one_slot(insn: &Insn) -> Slot {
    let plain = Slot::default();
    match *insn {
        Insn::Alu {
            width,
            op: operation,
            dst,
            src,
        } => {
            let signed = matches!(operation, AluOp::Sdiv | AluOp::Smod);
            let offset = if signed { op::SIGNED_DIVISION } else { 0 };
            with_operand(alu_class(width) | op::alu_bits(operation), dst, src, offset)
        }
        Insn::Neg { width, dst } => Slot {
            opcode: alu_class(width) | op::ALU_NEG,
            dst: dst.0,
            ..plain
        },
        Insn::Movsx {
            width,
            bits,
            dst,
            src,
        } => {
            let opcode = alu_class(width) | op::ALU_MOV;
            with_operand(opcode, dst, Operand::Reg(src), i16::from(bits))
        }
        Insn::AddrSpaceCast {
            dst,
            src,
            dst_space,
            src_space,
        } => {
            let imm = (u32::from(dst_space) << 16 | u32::from(src_space)).cast_signed();
            let opcode = op::CLASS_ALU64 | op::ALU_MOV | op::SOURCE_REGISTER;
            Slot {
                opcode,
                dst: dst.0,
                src: src.0,
                offset: op::MOV_ADDR_SPACE_CAST,
                imm,
            }
        }
        Insn::Endian {
            op: operation,
            bits,
            dst,
        } => {
            let opcode = op::ALU_END
                | match operation {
                    EndianOp::Le => op::CLASS_ALU32,
                    EndianOp::Be => op::CLASS_ALU32 | op::SOURCE_REGISTER,
                    EndianOp::Bswap => op::CLASS_ALU64,
                };
            Slot {
                opcode,
                dst: dst.0,
                imm: i32::from(bits),
                ..plain
            }
        }
        Insn::LoadImm64 { dst, pseudo, .. } => Slot {
            opcode: op::LD_IMM64,
            dst: dst.0,
            src: pseudo.0,
            ..plain
        },
        Insn::Load { .. }
        | Insn::Store { .. }
        | Insn::Atomic { .. }
        | Insn::LoadAcquire { .. }
        | Insn::StoreRelease { .. }
        | Insn::LoadAbs { .. }
        | Insn::LoadInd { .. } => memory(insn),
        Insn::Goto {
            offset,
            long: false,
        } => {
            debug_assert!(
                i16::try_from(offset).is_ok(),
                "short goto by {offset} slots"
            );
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the caller keeps it in 16 bits"
            )]
            let offset = offset as i16;
            Slot {
                opcode: op::CLASS_JMP,
                offset,
                ..plain
            }
        }
        Insn::Goto { offset, long: true } => Slot {
            opcode: op::CLASS_JMP32,
            imm: offset,
            ..plain
        },
        Insn::MayGoto { offset } => Slot {
            opcode: op::CLASS_JMP | op::JUMP_MAY_GOTO,
            offset,
            ..plain
        },
        Insn::Gotox { dst } => Slot {
            opcode: op::CLASS_JMP | op::SOURCE_REGISTER,
            dst: dst.0,
            ..plain
        },
        Insn::Branch {
            width,
            cond,
            dst,
            src,
            offset,
        } => {
            let class = match width {
                Width::W32 => op::CLASS_JMP32,
                Width::W64 => op::CLASS_JMP,
            };
            with_operand(class | op::cond_bits(cond), dst, src, offset)
        }
        Insn::Call { target } => {
            let (src, imm) = match target {
                CallTarget::Helper(imm) => (0, imm),
                CallTarget::Subprogram(imm) => (1, imm),
                CallTarget::Kfunc(imm) => (2, imm),
            };
            Slot {
                opcode: op::CLASS_JMP | op::JUMP_CALL,
                src,
                imm,
                ..plain
            }
        }
        Insn::Callx { dst } => {
            let opcode = op::CLASS_JMP | op::JUMP_CALL | op::SOURCE_REGISTER;
            Slot {
                opcode,
                dst: dst.0,
                ..plain
            }
        }
        Insn::Exit => Slot {
            opcode: op::CLASS_JMP | op::JUMP_EXIT,
            ..plain
        },
    }
}

#[inline(always)]
fn memory(insn: &Insn) -> Slot {
    match *insn {
        Insn::Load {
            width,
            signed,
            dst,
            base,
            offset,
        } => {
            let mode = if signed { op::MODE_MEMSX } else { op::MODE_MEM };
            let opcode = op::CLASS_LDX | mode | op::width_bits(width);
            Slot {
                opcode,
                dst: dst.0,
                src: base.0,
                offset,
                imm: 0,
            }
        }
        Insn::Store {
            width,
            base,
            offset,
            src,
        } => {
            let opcode = op::MODE_MEM | op::width_bits(width);
            match src {
                Operand::Reg(src) => {
                    let opcode = op::CLASS_STX | opcode;
                    Slot {
                        opcode,
                        dst: base.0,
                        src: src.0,
                        offset,
                        imm: 0,
                    }
                }
                Operand::Imm(imm) => Slot {
                    opcode: op::CLASS_ST | opcode,
                    dst: base.0,
                    src: 0,
                    offset,
                    imm,
                },
            }
        }
        Insn::Atomic {
            width,
            op: operation,
            fetch,
            base,
            offset,
            src,
        } => {
            let opcode = op::CLASS_STX | op::MODE_ATOMIC | op::width_bits(width);
            let imm = op::atomic_imm(operation, fetch);
            Slot {
                opcode,
                dst: base.0,
                src: src.0,
                offset,
                imm,
            }
        }
        Insn::LoadAcquire {
            width,
            dst,
            base,
            offset,
        } => {
            let opcode = op::CLASS_STX | op::MODE_ATOMIC | op::width_bits(width);
            Slot {
                opcode,
                dst: dst.0,
                src: base.0,
                offset,
                imm: op::ATOMIC_LOAD_ACQUIRE,
            }
        }
        Insn::StoreRelease {
            width,
            base,
            offset,
            src,
        } => {
            let opcode = op::CLASS_STX | op::MODE_ATOMIC | op::width_bits(width);
            Slot {
                opcode,
                dst: base.0,
                src: src.0,
                offset,
                imm: op::ATOMIC_STORE_RELEASE,
            }
        }
        Insn::LoadAbs { width, imm } => {
            let opcode = op::CLASS_LD | op::MODE_ABS | op::width_bits(width);
            Slot {
                opcode,
                imm,
                ..Slot::default()
            }
        }
        Insn::LoadInd { width, src, imm } => {
            let opcode = op::CLASS_LD | op::MODE_IND | op::width_bits(width);
            Slot {
                opcode,
                src: src.0,
                imm,
                ..Slot::default()
            }
        }
        _ => Slot::default(),
    }
}

/// Splits bytes into slots; `None` when the length is not a multiple of eight.
#[must_use]
pub fn read_slots(bytes: &[u8], endian: Endian) -> Option<Vec<Slot>> {
    let (chunks, rest) = bytes.as_chunks::<{ Slot::SIZE }>();
    rest.is_empty().then(|| {
        chunks
            .iter()
            .map(|chunk| Slot::from_bytes(*chunk, endian))
            .collect()
    })
}

/// Joins slots to bytes: the inverse of [`read_slots`].
#[must_use]
pub fn write_slots(slots: &[Slot], endian: Endian) -> Vec<u8> {
    slots
        .iter()
        .flat_map(|slot| slot.to_bytes(endian))
        .collect()
}
