//! Instructions by what they do, as slots.

use bpf::insn::Slot;

pub(super) const W: u8 = 0x00;
pub(super) const H: u8 = 0x08;
pub(super) const B: u8 = 0x10;
pub(super) const DW: u8 = 0x18;
/// All sizes of accesses.
pub(super) const SIZES: [u8; 4] = [B, H, W, DW];

pub(super) const ALU32: u8 = 4;
pub(super) const ALU64: u8 = 7;
pub(super) const JMP: u8 = 5;
pub(super) const JMP32: u8 = 6;

pub(super) const ADD: u8 = 0x00;
pub(super) const SUB: u8 = 0x10;
pub(super) const MUL: u8 = 0x20;
pub(super) const DIV: u8 = 0x30;
pub(super) const OR: u8 = 0x40;
pub(super) const AND: u8 = 0x50;
pub(super) const LSH: u8 = 0x60;
pub(super) const RSH: u8 = 0x70;
pub(super) const NEG: u8 = 0x80;
pub(super) const MOD: u8 = 0x90;
pub(super) const XOR: u8 = 0xa0;
pub(super) const MOV: u8 = 0xb0;
pub(super) const ARSH: u8 = 0xc0;

pub(super) const JEQ: u8 = 0x10;
pub(super) const JGT: u8 = 0x20;
pub(super) const JGE: u8 = 0x30;
pub(super) const JSET: u8 = 0x40;
pub(super) const JNE: u8 = 0x50;
pub(super) const JSGT: u8 = 0x60;
pub(super) const JSGE: u8 = 0x70;
pub(super) const JLT: u8 = 0xa0;
pub(super) const JLE: u8 = 0xb0;
pub(super) const JSLT: u8 = 0xc0;
pub(super) const JSLE: u8 = 0xd0;
/// All comparisons.
pub(super) const CONDITIONS: [u8; 11] =
    [JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE];

/// `fetch`-less and fetching atomic operations, exchange and compare-exchange, load-acquire and
/// store-release.
pub(super) const ATOMICS: [i32; 12] = [
    0x00, 0x40, 0x50, 0xa0, 0x01, 0x41, 0x51, 0xa1, 0xe1, 0xf1, 0x100, 0x110,
];

/// Bytes of an access.
pub(super) fn bytes(size: u8) -> i32 {
    match size {
        B => 1,
        H => 2,
        W => 4,
        _ => 8,
    }
}

pub(super) fn slot(opcode: u8, dst: u8, src: u8, offset: i16, imm: i32) -> Slot {
    Slot {
        opcode,
        dst,
        src,
        offset,
        imm,
    }
}

pub(super) fn set(dst: u8, imm: i32) -> Slot {
    slot(MOV | ALU64, dst, 0, 0, imm)
}

pub(super) fn copy(dst: u8, src: u8) -> Slot {
    slot(MOV | ALU64 | 8, dst, src, 0, 0)
}

/// `dst op= imm` on 64 bits.
pub(super) fn alu(operation: u8, dst: u8, imm: i32) -> Slot {
    slot(operation | ALU64, dst, 0, 0, imm)
}

/// `dst op= src` on 64 bits.
pub(super) fn alu_reg(operation: u8, dst: u8, src: u8) -> Slot {
    slot(operation | ALU64 | 8, dst, src, 0, 0)
}

pub(super) fn load(size: u8, dst: u8, base: u8, offset: i16) -> Slot {
    slot(0x61 | size, dst, base, offset, 0)
}

pub(super) fn load_signed(size: u8, dst: u8, base: u8, offset: i16) -> Slot {
    slot(0x81 | size, dst, base, offset, 0)
}

pub(super) fn store(size: u8, base: u8, offset: i16, src: u8) -> Slot {
    slot(0x63 | size, base, src, offset, 0)
}

pub(super) fn store_imm(size: u8, base: u8, offset: i16, imm: i32) -> Slot {
    slot(0x62 | size, base, 0, offset, imm)
}

pub(super) fn atomic(size: u8, base: u8, offset: i16, src: u8, operation: i32) -> Slot {
    slot(0xc3 | size, base, src, offset, operation)
}

pub(super) fn call(helper: i32) -> Slot {
    slot(0x85, 0, 0, 0, helper)
}

pub(super) fn exit() -> Slot {
    slot(0x95, 0, 0, 0, 0)
}

pub(super) fn goto(distance: i16) -> Slot {
    slot(JMP, 0, 0, distance, 0)
}
