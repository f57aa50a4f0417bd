//! Laws of the codec over generated slots, and spot checks of the text.

use super::{Cpu, DecodeError, Endian, Field, Insn, Reg, RegSet, Slot};

/// A fixed sequence, so that a failure repeats.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Fields are zero half of the time, since most instructions want most fields zero; an
    /// immediate is often one of those with a meaning.
    fn slot(&mut self, opcode: u8) -> Slot {
        const IMMEDIATES: [i32; 14] = [
            1, 16, 32, 64, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, 0x100, 0x110,
        ];
        let bits = self.next();
        let pick = |bit: u64, value: i32| if bits >> bit & 1 != 0 { value } else { 0 };
        let field = self.next();
        let imm = match bits >> 8 & 3 {
            0 => 0,
            1 => IMMEDIATES[field as usize % IMMEDIATES.len()],
            _ => pick(3, (field >> 16) as i32),
        };
        let offset = match bits >> 10 & 3 {
            0 => 0,
            1 => [1, 8, 16, 32][field as usize % 4],
            _ => pick(2, i32::from((field >> 48) as i16)) as i16,
        };
        Slot {
            opcode,
            dst: pick(0, (field & 15) as i32) as u8,
            src: pick(1, (field >> 4 & 15) as i32) as u8,
            offset,
            imm,
        }
    }
}

#[test]
fn what_decodes_encodes_to_the_same_slots() {
    let mut sequence = Sequence(0x9e37_79b9_7f4a_7c15);
    let mut understood = 0u32;
    for opcode in 0..=255u8 {
        for _ in 0..2000 {
            let slots = [sequence.slot(opcode), {
                let opcode = if sequence.next() & 7 == 0 { 1 } else { 0 };
                sequence.slot(opcode)
            }];
            let Ok((insn, used)) = Insn::decode(&slots) else {
                continue;
            };
            understood += 1;
            assert_eq!(insn.encode().as_slice(), &slots[..used], "{insn}");
            assert_eq!(insn.slots(), used);
            assert!(!insn.to_string().is_empty());
            for endian in [Endian::Little, Endian::Big] {
                assert_eq!(
                    Slot::from_bytes(slots[0].to_bytes(endian), endian),
                    slots[0]
                );
            }
        }
    }
    assert!(
        understood > 50_000,
        "only {understood} slots were understood: a weak test"
    );
}

#[test]
fn errors_name_the_field() {
    let slot = Slot {
        opcode: 0x07,
        src: 1,
        ..Slot::default()
    };
    let error = Insn::decode(&[slot]).unwrap_err();
    assert_eq!(
        error,
        DecodeError::Reserved {
            opcode: 7,
            field: Field::Src,
            value: 1
        }
    );
    assert_eq!(
        error.to_string(),
        "opcode 0x07: reserved field is not zero: source register is 0x1"
    );
    assert_eq!(Insn::decode(&[]), Err(DecodeError::Empty));
    let wide = Slot {
        opcode: 0x18,
        ..Slot::default()
    };
    assert_eq!(
        Insn::decode(&[wide]),
        Err(DecodeError::Truncated { opcode: 0x18 })
    );
}

#[test]
fn text_is_as_llvm_prints_it() {
    let print = |bytes: [u8; 8]| {
        let slot = Slot::from_bytes(bytes, Endian::Little);
        Insn::decode(&[slot]).map(|(insn, _)| format!("{insn} | {insn:#}"))
    };
    let cases = [
        (
            [0x61, 0x21, 0xf8, 0xff, 0, 0, 0, 0],
            "r1 = *(u32 *)(r2 - 0x8)",
            "w1 = *(u32 *)(r2 - 0x8)",
        ),
        (
            [0x91, 0x21, 4, 0, 0, 0, 0, 0],
            "r1 = *(s8 *)(r2 + 0x4)",
            "r1 = *(s8 *)(r2 + 0x4)",
        ),
        ([0x05, 0, 0xfe, 0xff, 0, 0, 0, 0], "goto -0x2", "goto -0x2"),
        ([0x37, 1, 1, 0, 7, 0, 0, 0], "r1 s/= 0x7", "r1 s/= 0x7"),
        (
            [0xdb, 0x2a, 0xf0, 0xff, 0xf1, 0, 0, 0],
            "r0 = cmpxchg_64(r10 - 0x10, r0, r2)",
            "r0 = cmpxchg_64(r10 - 0x10, r0, r2)",
        ),
        (
            [0xc3, 0x2a, 0xf0, 0xff, 0xe1, 0, 0, 0],
            "w2 = xchg32_32(r10 - 0x10, w2)",
            "w2 = xchg32_32(r10 - 0x10, w2)",
        ),
    ];
    for (bytes, plain, alternate) in cases {
        assert_eq!(print(bytes), Ok(format!("{plain} | {alternate}")));
    }
}

#[test]
fn effects_and_levels() {
    let decode = |bytes| Insn::decode(&[Slot::from_bytes(bytes, Endian::Little)]).map(|(i, _)| i);
    // if w1 < w2 goto +5
    let branch = decode([0xae, 0x21, 5, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!(branch.min_cpu(), Cpu::V3);
    assert_eq!(branch.branch_offset(), Some(5));
    assert_eq!(branch.reads(), RegSet::EMPTY.with(Reg(1)).with(Reg(2)));
    assert!(!branch.is_terminator());
    // r0 = cmpxchg_64(r10 + 0, r0, r2)
    let exchange = decode([0xdb, 0x2a, 0, 0, 0xf1, 0, 0, 0]).unwrap();
    assert!(exchange.reads().contains(Reg(0)));
    assert_eq!(exchange.writes(), RegSet::EMPTY.with(Reg(0)));
    assert_eq!(Cpu::from_name("v3"), Some(Cpu::V3));
    assert!(decode([0x95, 0, 0, 0, 0, 0, 0, 0]).unwrap().is_terminator());
}
