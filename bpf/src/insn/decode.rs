//! From slots to [`Insn`], strictly.
//!
//! A field that an instruction does not use must be zero, because a later kernel may give it a
//! meaning (as cpu v4 did with the offset of `div` and `mov`): running such an instruction as if
//! the field were not there would be silently wrong. The error names the field.

use thiserror::Error;

use super::opcode as op;
use super::slot::Slot;
use super::types::{AluOp, CallTarget, EndianOp, Insn, MemWidth, Operand, Pseudo, Reg, Width};

/// A field of a slot, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Destination register nibble.
    Dst,
    /// Source register nibble.
    Src,
    /// 16-bit offset.
    Offset,
    /// 32-bit immediate.
    Imm,
    /// Operation code of the second slot of a wide instruction.
    NextOpcode,
    /// Destination nibble of the second slot of a wide instruction.
    NextDst,
    /// Source nibble of the second slot of a wide instruction.
    NextSrc,
    /// Offset of the second slot of a wide instruction.
    NextOffset,
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Field::Dst => "destination register",
            Field::Src => "source register",
            Field::Offset => "offset",
            Field::Imm => "immediate",
            Field::NextOpcode => "second slot's opcode",
            Field::NextDst => "second slot's destination register",
            Field::NextSrc => "second slot's source register",
            Field::NextOffset => "second slot's offset",
        })
    }
}

/// Why slots are not an instruction that we understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// There is no slot at all.
    #[error("no instruction here: the code ends")]
    Empty,
    /// A wide instruction lacks its second slot.
    #[error("opcode {opcode:#04x} takes two slots, but the code ends after the first")]
    Truncated {
        /// The opcode.
        opcode: u8,
    },
    /// No instruction has this opcode.
    #[error("unknown opcode {opcode:#04x}")]
    UnknownOpcode {
        /// The opcode.
        opcode: u8,
    },
    /// A field that the instruction does not use is not zero.
    #[error("opcode {opcode:#04x}: reserved field is not zero: {field} is {value:#x}")]
    Reserved {
        /// The opcode.
        opcode: u8,
        /// Which field.
        field: Field,
        /// What is in it.
        value: i32,
    },
    /// A field has a value without a meaning for this opcode.
    #[error("opcode {opcode:#04x}: {field} {value:#x} has no meaning")]
    Meaningless {
        /// The opcode.
        opcode: u8,
        /// Which field.
        field: Field,
        /// What is in it.
        value: i32,
    },
    /// A register above `r11`.
    #[error("opcode {opcode:#04x}: {field} is r{value}, which does not exist")]
    NoSuchRegister {
        /// The opcode.
        opcode: u8,
        /// Which field.
        field: Field,
        /// The register number.
        value: u8,
    },
}

/// Reads the fields of one slot with the checks in the name of each method.
struct Fields(Slot);

impl Fields {
    fn zero(&self, field: Field, value: i32) -> Result<(), DecodeError> {
        if value == 0 {
            Ok(())
        } else {
            Err(DecodeError::Reserved {
                opcode: self.0.opcode,
                field,
                value,
            })
        }
    }

    fn no_dst(&self) -> Result<(), DecodeError> {
        self.zero(Field::Dst, i32::from(self.0.dst))
    }

    fn no_src(&self) -> Result<(), DecodeError> {
        self.zero(Field::Src, i32::from(self.0.src))
    }

    fn no_offset(&self) -> Result<(), DecodeError> {
        self.zero(Field::Offset, i32::from(self.0.offset))
    }

    fn no_imm(&self) -> Result<(), DecodeError> {
        self.zero(Field::Imm, self.0.imm)
    }

    fn reg(&self, field: Field, value: u8) -> Result<Reg, DecodeError> {
        if value <= Reg::MAX {
            Ok(Reg(value))
        } else {
            Err(DecodeError::NoSuchRegister {
                opcode: self.0.opcode,
                field,
                value,
            })
        }
    }

    fn dst(&self) -> Result<Reg, DecodeError> {
        self.reg(Field::Dst, self.0.dst)
    }

    fn src(&self) -> Result<Reg, DecodeError> {
        self.reg(Field::Src, self.0.src)
    }

    /// The second operand by bit 3 of the opcode; the field not chosen must be zero.
    fn operand(&self) -> Result<Operand, DecodeError> {
        if self.0.opcode & op::SOURCE_REGISTER != 0 {
            self.no_imm()?;
            Ok(Operand::Reg(self.src()?))
        } else {
            self.no_src()?;
            Ok(Operand::Imm(self.0.imm))
        }
    }

    fn unknown<T>(&self) -> Result<T, DecodeError> {
        Err(DecodeError::UnknownOpcode {
            opcode: self.0.opcode,
        })
    }

    fn meaningless<T>(&self, field: Field, value: i32) -> Result<T, DecodeError> {
        Err(DecodeError::Meaningless {
            opcode: self.0.opcode,
            field,
            value,
        })
    }
}

impl Insn {
    /// Decodes the instruction at the start of `slots`; also says how many slots it takes.
    ///
    /// # Errors
    /// [`DecodeError`] when the opcode is unknown, a reserved field is not zero, or the second
    /// slot of a wide instruction is missing.
    pub fn decode(slots: &[Slot]) -> Result<(Insn, usize), DecodeError> {
        let Some(&slot) = slots.first() else {
            return Err(DecodeError::Empty);
        };
        if slot.opcode == op::LD_IMM64 {
            return Ok((load_imm64(slot, slots.get(1).copied())?, 2));
        }
        let fields = Fields(slot);
        let insn = match slot.opcode & 7 {
            op::CLASS_LD => load_packet(&fields)?,
            op::CLASS_LDX => load(&fields)?,
            op::CLASS_ST => store_imm(&fields)?,
            op::CLASS_STX => store_reg(&fields)?,
            op::CLASS_ALU32 => alu(&fields, Width::W32)?,
            op::CLASS_JMP => jump(&fields, Width::W64)?,
            op::CLASS_JMP32 => jump(&fields, Width::W32)?,
            _ => alu(&fields, Width::W64)?,
        };
        Ok((insn, 1))
    }
}

fn load_imm64(slot: Slot, next: Option<Slot>) -> Result<Insn, DecodeError> {
    let fields = Fields(slot);
    let dst = fields.dst()?;
    fields.no_offset()?;
    let next = next.ok_or(DecodeError::Truncated {
        opcode: slot.opcode,
    })?;
    fields.zero(Field::NextOpcode, i32::from(next.opcode))?;
    fields.zero(Field::NextDst, i32::from(next.dst))?;
    fields.zero(Field::NextSrc, i32::from(next.src))?;
    fields.zero(Field::NextOffset, i32::from(next.offset))?;
    let imm = u64::from(next.imm.cast_unsigned()) << 32 | u64::from(slot.imm.cast_unsigned());
    Ok(Insn::LoadImm64 {
        dst,
        pseudo: Pseudo(slot.src),
        imm,
    })
}

fn load_packet(fields: &Fields) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    let width = op::width_of(slot.opcode);
    let mode = slot.opcode & 0xe0;
    if width == MemWidth::B64 || !matches!(mode, op::MODE_ABS | op::MODE_IND) {
        return fields.unknown();
    }
    fields.no_dst()?;
    fields.no_offset()?;
    match mode {
        op::MODE_ABS => {
            fields.no_src()?;
            Ok(Insn::LoadAbs {
                width,
                imm: slot.imm,
            })
        }
        op::MODE_IND => Ok(Insn::LoadInd {
            width,
            src: fields.src()?,
            imm: slot.imm,
        }),
        _ => fields.unknown(),
    }
}

fn load(fields: &Fields) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    let width = op::width_of(slot.opcode);
    let signed = match slot.opcode & 0xe0 {
        op::MODE_MEM => false,
        op::MODE_MEMSX if width != MemWidth::B64 => true,
        _ => return fields.unknown(),
    };
    fields.no_imm()?;
    Ok(Insn::Load {
        width,
        signed,
        dst: fields.dst()?,
        base: fields.src()?,
        offset: slot.offset,
    })
}

fn store_imm(fields: &Fields) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    if slot.opcode & 0xe0 != op::MODE_MEM {
        return fields.unknown();
    }
    fields.no_src()?;
    Ok(Insn::Store {
        width: op::width_of(slot.opcode),
        base: fields.dst()?,
        offset: slot.offset,
        src: Operand::Imm(slot.imm),
    })
}

fn store_reg(fields: &Fields) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    let width = op::width_of(slot.opcode);
    let offset = slot.offset;
    match slot.opcode & 0xe0 {
        op::MODE_MEM => {
            fields.no_imm()?;
            let src = Operand::Reg(fields.src()?);
            Ok(Insn::Store {
                width,
                base: fields.dst()?,
                offset,
                src,
            })
        }
        op::MODE_ATOMIC => {
            let (high, low) = (fields.src()?, fields.dst()?);
            match slot.imm {
                op::ATOMIC_LOAD_ACQUIRE => Ok(Insn::LoadAcquire {
                    width,
                    dst: low,
                    base: high,
                    offset,
                }),
                op::ATOMIC_STORE_RELEASE => Ok(Insn::StoreRelease {
                    width,
                    base: low,
                    offset,
                    src: high,
                }),
                _ if matches!(width, MemWidth::B8 | MemWidth::B16) => {
                    fields.meaningless(Field::Imm, slot.imm)
                }
                imm => match op::atomic_of(imm) {
                    Some((op, fetch)) => Ok(Insn::Atomic {
                        width,
                        op,
                        fetch,
                        base: low,
                        offset,
                        src: high,
                    }),
                    None => fields.meaningless(Field::Imm, imm),
                },
            }
        }
        _ => fields.unknown(),
    }
}

fn alu(fields: &Fields, width: Width) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    match slot.opcode & 0xf0 {
        op::ALU_NEG => {
            if slot.opcode & op::SOURCE_REGISTER != 0 {
                return fields.unknown();
            }
            fields.no_src()?;
            fields.no_offset()?;
            fields.no_imm()?;
            return Ok(Insn::Neg {
                width,
                dst: fields.dst()?,
            });
        }
        op::ALU_END => return byte_order(fields, width),
        op::ALU_MOV => return mov(fields, width),
        _ => {}
    }
    let Some(mut operation) = op::alu_of(slot.opcode) else {
        return fields.unknown();
    };
    operation = match (operation, slot.offset) {
        (AluOp::Div, op::SIGNED_DIVISION) => AluOp::Sdiv,
        (AluOp::Mod, op::SIGNED_DIVISION) => AluOp::Smod,
        (AluOp::Div | AluOp::Mod, 0) => operation,
        (AluOp::Div | AluOp::Mod, other) => {
            return fields.meaningless(Field::Offset, i32::from(other));
        }
        _ => {
            fields.no_offset()?;
            operation
        }
    };
    let src = fields.operand()?;
    Ok(Insn::Alu {
        width,
        op: operation,
        dst: fields.dst()?,
        src,
    })
}

fn byte_order(fields: &Fields, width: Width) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    let to_big = slot.opcode & op::SOURCE_REGISTER != 0;
    let operation = match (width, to_big) {
        (Width::W32, false) => EndianOp::Le,
        (Width::W32, true) => EndianOp::Be,
        (Width::W64, false) => EndianOp::Bswap,
        (Width::W64, true) => return fields.unknown(),
    };
    fields.no_src()?;
    fields.no_offset()?;
    let bits = match slot.imm {
        16 => 16,
        32 => 32,
        64 => 64,
        other => return fields.meaningless(Field::Imm, other),
    };
    Ok(Insn::Endian {
        op: operation,
        bits,
        dst: fields.dst()?,
    })
}

fn mov(fields: &Fields, width: Width) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    if slot.opcode & op::SOURCE_REGISTER == 0 || slot.offset == 0 {
        fields.no_offset()?;
        let src = fields.operand()?;
        return Ok(Insn::Alu {
            width,
            op: AluOp::Mov,
            dst: fields.dst()?,
            src,
        });
    }
    let (dst, src) = (fields.dst()?, fields.src()?);
    let bits = match (width, slot.offset) {
        (_, 8) => 8,
        (_, 16) => 16,
        (Width::W64, 32) => 32,
        // A cast from space 0 to itself is what a plain move with a stray offset looks like; no
        // kernel takes it.
        (Width::W64, op::MOV_ADDR_SPACE_CAST) if slot.imm != 0 => {
            let spaces = slot.imm.cast_unsigned();
            let [low0, low1, high0, high1] = spaces.to_le_bytes();
            return Ok(Insn::AddrSpaceCast {
                dst,
                src,
                dst_space: u16::from_le_bytes([high0, high1]),
                src_space: u16::from_le_bytes([low0, low1]),
            });
        }
        // The kernel and the specification both speak of a reserved field here.
        (_, other) => {
            return Err(DecodeError::Reserved {
                opcode: slot.opcode,
                field: Field::Offset,
                value: i32::from(other),
            });
        }
    };
    fields.no_imm()?;
    Ok(Insn::Movsx {
        width,
        bits,
        dst,
        src,
    })
}

fn jump(fields: &Fields, width: Width) -> Result<Insn, DecodeError> {
    let slot = fields.0;
    let by_register = slot.opcode & op::SOURCE_REGISTER != 0;
    match (slot.opcode & 0xf0, width, by_register) {
        (op::JUMP_ALWAYS, Width::W64, false) => {
            fields.no_dst()?;
            fields.no_src()?;
            fields.no_imm()?;
            Ok(Insn::Goto {
                offset: i32::from(slot.offset),
                long: false,
            })
        }
        (op::JUMP_ALWAYS, Width::W32, false) => {
            fields.no_dst()?;
            fields.no_src()?;
            fields.no_offset()?;
            Ok(Insn::Goto {
                offset: slot.imm,
                long: true,
            })
        }
        (op::JUMP_ALWAYS, Width::W64, true) => {
            fields.no_src()?;
            fields.no_offset()?;
            fields.no_imm()?;
            Ok(Insn::Gotox { dst: fields.dst()? })
        }
        (op::JUMP_CALL, Width::W64, false) => {
            fields.no_dst()?;
            fields.no_offset()?;
            let target = match slot.src {
                0 => CallTarget::Helper(slot.imm),
                1 => CallTarget::Subprogram(slot.imm),
                2 => CallTarget::Kfunc(slot.imm),
                other => return fields.meaningless(Field::Src, i32::from(other)),
            };
            Ok(Insn::Call { target })
        }
        (op::JUMP_CALL, Width::W64, true) => {
            fields.no_src()?;
            fields.no_offset()?;
            fields.no_imm()?;
            Ok(Insn::Callx { dst: fields.dst()? })
        }
        (op::JUMP_EXIT, Width::W64, false) => {
            fields.no_dst()?;
            fields.no_src()?;
            fields.no_offset()?;
            fields.no_imm()?;
            Ok(Insn::Exit)
        }
        (op::JUMP_MAY_GOTO, Width::W64, false) => {
            fields.no_dst()?;
            fields.no_src()?;
            fields.no_imm()?;
            Ok(Insn::MayGoto {
                offset: slot.offset,
            })
        }
        (_, _, _) => {
            let Some(cond) = op::cond_of(slot.opcode) else {
                return fields.unknown();
            };
            let src = fields.operand()?;
            Ok(Insn::Branch {
                width,
                cond,
                dst: fields.dst()?,
                src,
                offset: slot.offset,
            })
        }
    }
}
