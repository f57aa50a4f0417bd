//! Words, and what GNU objdump shows for them.

use crate::isa::{AluOp, Bank, Destination, Insn, Mode, Operand, Shift, ShiftOp, csr};

/// Taken from objdump: at least one of every form.
const TEXTS: &[(u64, &str)] = &[
    (
        0x2a0_80b8_4008,
        "alu[gprA_11, gprA_8, +, *l$index0++], gpr_wrboth",
    ),
    (
        0xa6_b008_be0c,
        "alu[--, *l$index0[12], -carry, *l$index1[15]]",
    ),
    (0xaa_f00f_6096, "alu[--, 0xd8, -, @gprA_22]"),
    (
        0x2a2_0808_0080,
        "alu[@gprA_0, --, ~B, *l$index0], gpr_wrboth",
    ),
    (
        0x280_00c0_3410,
        "alu_shf[gprA_12, --, B, gprB_13, >>rot0], gpr_wrboth",
    ),
    (
        0x286_8000_0600,
        "alu_shf[gprA_0, gprA_0, ~AND, gprB_1, <<24], gpr_wrboth",
    ),
    (
        0x198_0060_8238,
        "alu_shf[gprB_6, 0x18, AND~, 0x0, <<indirect], no_cc",
    ),
    (0x98_4560_5778, "dbl_shf[*l$index0[6], 0x38, gprB_21, >>4]"),
    (0x8c_48c0_3180, "asr[$xfer_12, gprB_12, >>4]"),
    (0x88f_8552_7a03, "byte_align_le[*l$index2[5], gprA_3]"),
    (0xc1_0c04_8a00, "ld_field[gprA_0, 1100, 0x82, <<16]"),
    (
        0x2c4_3618_730f,
        "ld_field_w_clr[gprB_28, 0110, gprA_15, >>dbl3], load_cc, gpr_wrboth",
    ),
    (0xc1_0c08_0b11, "ld_field[gprB_2, 1100, gprA_17, >>dbl16]"),
    (0xf2_8230_5745, "immed[gprB_21, 0xffffdcba, <<8]"),
    (0x2f4_482e_f200, "immed_w1[*l$index0, 0x82bc], gpr_wrboth"),
    (0x10f4_2010_532c, "immed_b2[gprB_20, 0x2c], predicate_cc"),
    (0xf0_000c_0300, "nop"),
    (0xfc_09e0_5700, "local_csr_wr[ActLMAddr3, gprB_21]"),
    (0xfc_6800_0000, "local_csr_rd[0x680]"),
    (0xd8_0060_8038, "br[.1], defer[2]"),
    (0xdb_0380_8125, "bcc[.3086]"),
    (0xd3_0644_9880, "br_bset[$xfer_0, 5, .3097]"),
    (0xc9_02c4_0125, "br!=byte[gprB_0, 1, 0x85, .1035]"),
    (0xe8_0030_5300, "rtn[gprB_20], defer[3]"),
    (0xe8_0073_1bac, "jump[@gprB_70, .428], defer[3]"),
    (0xf8_0000_5f01, "mul_step[0x1, gprB_23], start"),
    (0xf9_8020_540e, "mul_step[gprA_14, gprB_21], 32x32_step3"),
    (
        0x2f9_8050_000c,
        "mul_step[gprA_12, --], 32x32_last2, gpr_wrboth",
    ),
    (
        0x35c_1008_5484,
        "mem[read32_swap, $xfer_32, $xfer_4, <<8, gprB_21, 1], indirect_ref, ctx_swap[sig1]",
    ),
    (
        0x1042_9009_860d,
        "mem[write8_swap, $xfer_0, gprA_13, 0x21, 1], ctx_swap[sig9], defer[2]",
    ),
    (
        0x647_0818_0700,
        "mem[add64_imm, $xfer_1, gprB_1, <<8, gprA_0, 5], indirect_ref",
    ),
    (
        0x447_1010_0710,
        "mem[add, $xfer_1, gprB_1, <<8, gprA_16, 1], sig_done[sig1]",
    ),
    (0xe0_0031_1009, "ctx_arb[sig3, sig12], any, defer[3]"),
    (0xe0_0021_0001, "ctx_arb[voluntary], any, defer[2]"),
    (0xe0_0031_0000, "ctx_arb[kill], defer[3]"),
];

#[test]
fn words_read_as_objdump_shows_them() {
    for (word, text) in TEXTS {
        let insn = Insn::decode(*word).unwrap();
        assert_eq!(insn.to_string(), *text, "{word:#x}");
        assert!(!insn.objdump_differs(), "{text}");
    }
}

/// objdump shows these as `n$reg_8` and `*l$index1[2]`.
#[test]
fn operands_that_objdump_misreads_are_shown_as_they_are() {
    let nowhere = Destination {
        operand: Operand::Nothing,
        bank: Bank::A,
        both: false,
    };
    let neighbour = Insn::Alu {
        op: AluOp::Move,
        swapped: false,
        a: Operand::Gpr(0),
        b: Operand::NextNeighbour(40),
        destination: nowhere,
        mode: Mode::default(),
    };
    assert_eq!(neighbour.to_string(), "alu[--, --, B, n$reg_40]");
    assert!(neighbour.objdump_differs());
    let aligned = Insn::AluShift {
        op: ShiftOp::ByteAlign,
        swapped: false,
        a: Operand::Gpr(0),
        b: Operand::lmem(3, 2),
        shift: Shift::Right(1),
        destination: nowhere,
        mode: Mode::default(),
    };
    assert_eq!(aligned.to_string(), "byte_align_be[--, *l$index3[2]]");
    assert!(aligned.objdump_differs());
}

#[test]
fn index_registers_have_their_names() {
    let names = csr::LM_ADDR.map(csr::name);
    let expected = ["ActLMAddr0", "ActLMAddr1", "ActLMAddr2", "ActLMAddr3"];
    assert_eq!(names, expected.map(Some));
}
