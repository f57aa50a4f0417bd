//! The bit fields of the opcode byte, once for decoder and encoder (RFC 9669 sections 3.2, 4, 5).
//!
//! The low three bits are the class. Arithmetic and jump classes have an operation in the high
//! nibble and the operand source in bit 3; memory classes have a mode in the top three bits and a
//! width in bits 3 and 4.

use super::types::{AluOp, AtomicOp, Cond, MemWidth};

pub(super) const CLASS_LD: u8 = 0;
pub(super) const CLASS_LDX: u8 = 1;
pub(super) const CLASS_ST: u8 = 2;
pub(super) const CLASS_STX: u8 = 3;
pub(super) const CLASS_ALU32: u8 = 4;
pub(super) const CLASS_JMP: u8 = 5;
pub(super) const CLASS_JMP32: u8 = 6;
pub(super) const CLASS_ALU64: u8 = 7;

/// Bit 3 of arithmetic and jump opcodes: the operand is a register.
pub(super) const SOURCE_REGISTER: u8 = 8;

pub(super) const MODE_ABS: u8 = 0x20;
pub(super) const MODE_IND: u8 = 0x40;
pub(super) const MODE_MEM: u8 = 0x60;
pub(super) const MODE_MEMSX: u8 = 0x80;
pub(super) const MODE_ATOMIC: u8 = 0xc0;

pub(super) const LD_IMM64: u8 = 0x18;

pub(super) const ALU_NEG: u8 = 0x80;
pub(super) const ALU_MOV: u8 = 0xb0;
pub(super) const ALU_END: u8 = 0xd0;

pub(super) const JUMP_ALWAYS: u8 = 0x00;
pub(super) const JUMP_CALL: u8 = 0x80;
pub(super) const JUMP_EXIT: u8 = 0x90;
pub(super) const JUMP_MAY_GOTO: u8 = 0xe0;

/// Immediate bit of an atomic that returns the old value.
pub(super) const ATOMIC_FETCH: i32 = 0x01;
pub(super) const ATOMIC_XCHG: i32 = 0xe1;
pub(super) const ATOMIC_CMPXCHG: i32 = 0xf1;
pub(super) const ATOMIC_LOAD_ACQUIRE: i32 = 0x100;
pub(super) const ATOMIC_STORE_RELEASE: i32 = 0x110;

/// Offset field of a move that is an address-space cast.
pub(super) const MOV_ADDR_SPACE_CAST: i16 = 1;
/// Offset field of signed division and modulo.
pub(super) const SIGNED_DIVISION: i16 = 1;

pub(super) fn width_bits(width: MemWidth) -> u8 {
    match width {
        MemWidth::B32 => 0x00,
        MemWidth::B16 => 0x08,
        MemWidth::B8 => 0x10,
        MemWidth::B64 => 0x18,
    }
}

pub(super) fn width_of(opcode: u8) -> MemWidth {
    match opcode & 0x18 {
        0x00 => MemWidth::B32,
        0x08 => MemWidth::B16,
        0x10 => MemWidth::B8,
        _ => MemWidth::B64,
    }
}

/// The operation bits; signed division shares them with unsigned, apart by the offset field.
pub(super) fn alu_bits(op: AluOp) -> u8 {
    match op {
        AluOp::Add => 0x00,
        AluOp::Sub => 0x10,
        AluOp::Mul => 0x20,
        AluOp::Div | AluOp::Sdiv => 0x30,
        AluOp::Or => 0x40,
        AluOp::And => 0x50,
        AluOp::Lsh => 0x60,
        AluOp::Rsh => 0x70,
        AluOp::Mod | AluOp::Smod => 0x90,
        AluOp::Xor => 0xa0,
        AluOp::Mov => ALU_MOV,
        AluOp::Arsh => 0xc0,
    }
}

pub(super) fn alu_of(opcode: u8) -> Option<AluOp> {
    Some(match opcode & 0xf0 {
        0x00 => AluOp::Add,
        0x10 => AluOp::Sub,
        0x20 => AluOp::Mul,
        0x30 => AluOp::Div,
        0x40 => AluOp::Or,
        0x50 => AluOp::And,
        0x60 => AluOp::Lsh,
        0x70 => AluOp::Rsh,
        0x90 => AluOp::Mod,
        0xa0 => AluOp::Xor,
        0xb0 => AluOp::Mov,
        0xc0 => AluOp::Arsh,
        _ => return None,
    })
}

pub(super) fn cond_bits(cond: Cond) -> u8 {
    match cond {
        Cond::Eq => 0x10,
        Cond::Gt => 0x20,
        Cond::Ge => 0x30,
        Cond::Set => 0x40,
        Cond::Ne => 0x50,
        Cond::Sgt => 0x60,
        Cond::Sge => 0x70,
        Cond::Lt => 0xa0,
        Cond::Le => 0xb0,
        Cond::Slt => 0xc0,
        Cond::Sle => 0xd0,
    }
}

pub(super) fn cond_of(opcode: u8) -> Option<Cond> {
    Some(match opcode & 0xf0 {
        0x10 => Cond::Eq,
        0x20 => Cond::Gt,
        0x30 => Cond::Ge,
        0x40 => Cond::Set,
        0x50 => Cond::Ne,
        0x60 => Cond::Sgt,
        0x70 => Cond::Sge,
        0xa0 => Cond::Lt,
        0xb0 => Cond::Le,
        0xc0 => Cond::Slt,
        0xd0 => Cond::Sle,
        _ => return None,
    })
}

pub(super) fn atomic_imm(op: AtomicOp, fetch: bool) -> i32 {
    let base = match op {
        AtomicOp::Add => 0x00,
        AtomicOp::Or => 0x40,
        AtomicOp::And => 0x50,
        AtomicOp::Xor => 0xa0,
        AtomicOp::Xchg => return ATOMIC_XCHG,
        AtomicOp::Cmpxchg => return ATOMIC_CMPXCHG,
    };
    if fetch { base | ATOMIC_FETCH } else { base }
}

pub(super) fn atomic_of(imm: i32) -> Option<(AtomicOp, bool)> {
    Some(match imm {
        0x00 => (AtomicOp::Add, false),
        0x01 => (AtomicOp::Add, true),
        0x40 => (AtomicOp::Or, false),
        0x41 => (AtomicOp::Or, true),
        0x50 => (AtomicOp::And, false),
        0x51 => (AtomicOp::And, true),
        0xa0 => (AtomicOp::Xor, false),
        0xa1 => (AtomicOp::Xor, true),
        ATOMIC_XCHG => (AtomicOp::Xchg, true),
        ATOMIC_CMPXCHG => (AtomicOp::Cmpxchg, true),
        _ => return None,
    })
}
