//! Instructions by what they do, as slots.

use bpf::insn::Slot;

pub(crate) const W: u8 = 0x00;
pub(crate) const H: u8 = 0x08;
pub(crate) const B: u8 = 0x10;
pub(crate) const DW: u8 = 0x18;
/// All sizes of accesses.
pub(crate) const SIZES: [u8; 4] = [B, H, W, DW];

pub(crate) const ALU32: u8 = 4;
pub(crate) const ALU64: u8 = 7;
pub(crate) const JMP: u8 = 5;
pub(crate) const JMP32: u8 = 6;

pub(crate) const ADD: u8 = 0x00;
pub(crate) const SUB: u8 = 0x10;
pub(crate) const MUL: u8 = 0x20;
pub(crate) const DIV: u8 = 0x30;
pub(crate) const OR: u8 = 0x40;
pub(crate) const AND: u8 = 0x50;
pub(crate) const LSH: u8 = 0x60;
pub(crate) const RSH: u8 = 0x70;
pub(crate) const NEG: u8 = 0x80;
pub(crate) const MOD: u8 = 0x90;
pub(crate) const XOR: u8 = 0xa0;
pub(crate) const MOV: u8 = 0xb0;
pub(crate) const ARSH: u8 = 0xc0;

pub(crate) const JEQ: u8 = 0x10;
pub(crate) const JGT: u8 = 0x20;
pub(crate) const JGE: u8 = 0x30;
pub(crate) const JSET: u8 = 0x40;
pub(crate) const JNE: u8 = 0x50;
pub(crate) const JSGT: u8 = 0x60;
pub(crate) const JSGE: u8 = 0x70;
pub(crate) const JLT: u8 = 0xa0;
pub(crate) const JLE: u8 = 0xb0;
pub(crate) const JSLT: u8 = 0xc0;
pub(crate) const JSLE: u8 = 0xd0;
/// All comparisons.
pub(crate) const CONDITIONS: [u8; 11] =
    [JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE];

/// `fetch`-less and fetching atomic operations, exchange and compare-exchange, load-acquire and
/// store-release.
pub(crate) const ATOMICS: [i32; 12] = [
    0x00, 0x40, 0x50, 0xa0, 0x01, 0x41, 0x51, 0xa1, 0xe1, 0xf1, 0x100, 0x110,
];

/// Bytes of an access.
pub(crate) fn bytes(size: u8) -> i32 {
    match size {
        B => 1,
        H => 2,
        W => 4,
        _ => 8,
    }
}

pub(crate) fn slot(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Slot {
    Slot {
        opcode,
        dst,
        src,
        offset,
        imm,
    }
}

pub(crate) fn set(dst: u8, imm: i32) -> Slot {
    slot(MOV | ALU64, dst, 0, 0, imm)
}

pub(crate) fn copy(dst: u8, src: u8) -> Slot {
    slot(MOV | ALU64 | 8, dst, src, 0, 0)
}

/// `dst op= imm` on 64 bits.
pub(crate) fn alu(operation: u8, dst: u8, imm: i32) -> Slot {
    slot(operation | ALU64, dst, 0, 0, imm)
}

/// `dst op= src` on 64 bits.
pub(crate) fn alu_reg(operation: u8, dst: u8, src: u8) -> Slot {
    slot(operation | ALU64 | 8, dst, src, 0, 0)
}

pub(crate) fn load(size: u8, dst: u8, base: u8, offset: i16) -> Slot {
    slot(0x61 | size, dst, base, offset, 0)
}

pub(crate) fn load_signed(size: u8, dst: u8, base: u8, offset: i16) -> Slot {
    slot(0x81 | size, dst, base, offset, 0)
}

pub(crate) fn store(size: u8, base: u8, offset: i16, src: u8) -> Slot {
    slot(0x63 | size, base, src, offset, 0)
}

pub(crate) fn store_imm(size: u8, base: u8, offset: i16, imm: i32) -> Slot {
    slot(0x62 | size, base, 0, offset, imm)
}

pub(crate) fn atomic(size: u8, base: u8, offset: i16, src: u8, operation: i32) -> Slot {
    slot(0xc3 | size, base, src, offset, operation)
}

pub(crate) fn call(helper: i32) -> Slot {
    slot(0x85, 0, 0, 0, helper)
}

pub(crate) fn exit() -> Slot {
    slot(0x95, 0, 0, 0, 0)
}

pub(crate) fn goto(distance: i16) -> Slot {
    slot(JMP, 0, 0, distance, 0)
}
