//! A handful of words whose meaning NFP.md or the driver's output gives, and laws on all words.

use super::operand::Operand;
use super::*;

fn decode(word: u64) -> Insn {
    Insn::decode(word).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn nop_is_an_immed_without_destination() {
    let Insn::Immed {
        destination, value, ..
    } = decode(NOP)
    else {
        panic!("an immed");
    };
    assert_eq!((destination.operand, value), (Operand::Nothing, 0));
}

/// The two words that every program of the driver starts with: packet length to B22.
#[test]
fn prologue() {
    let Insn::Immed {
        destination, value, ..
    } = decode(0xf0_03f0_5bff)
    else {
        panic!("an immed");
    };
    assert_eq!(destination.operand, Operand::Gpr(22));
    assert_eq!((destination.bank, value), (Bank::B, 0x3fff));
    let Insn::Alu { op, a, b, .. } = decode(0xb4_4160_5a20) else {
        panic!("an alu");
    };
    assert_eq!(
        (op, a, b),
        (AluOp::And, Operand::lmem(1, 0), Operand::Gpr(22))
    );
}

#[test]
fn every_accepted_word_encodes_to_itself() {
    // Each step is a full-period congruence of Knuth's; only high bits are used.
    let mut state = 1u64;
    let mut accepted = 0;
    for _ in 0..400_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let word = state >> (64 - WORD_BITS);
        if let Ok(insn) = Insn::decode(word) {
            accepted += 1;
            assert_eq!(insn.encode(), Ok(word));
            assert_eq!(ecc::check(ecc::protect(word)), Ok(word));
        }
    }
    assert!(accepted > 1000, "{accepted}");
}

#[test]
fn one_flipped_bit_is_noticed() {
    for bit in 0..52 {
        let word = ecc::protect(NOP) ^ 1 << bit;
        assert!(ecc::check(word).is_err(), "bit {bit}");
    }
}

#[test]
fn reserved_encodings_are_refused() {
    // Width 3 of an immed; a token that no command has; a shift amount on an unused bit.
    for word in [NOP | 3 << 29, 0x43 << 32, 0xd8_0000_8020 | 12] {
        assert!(
            matches!(Insn::decode(word), Err(DecodeError::Reserved { .. })),
            "{word:#x}"
        );
    }
    assert_eq!(
        Insn::decode(1 << WORD_BITS),
        Err(DecodeError::TooLong(1 << WORD_BITS))
    );
}

#[test]
fn shifts_keep_their_amounts() {
    for shift in [
        Shift::None,
        Shift::Left(1),
        Shift::Left(31),
        Shift::Right(7),
        Shift::Double(9),
        Shift::LeftIndirect,
    ] {
        let insn = Insn::AluShift {
            op: ShiftOp::Move,
            swapped: false,
            a: Operand::Gpr(0),
            b: Operand::Immediate(0xc3),
            shift,
            destination: Destination {
                operand: Operand::lmem(3, 7),
                bank: Bank::A,
                both: false,
            },
            mode: Mode::default(),
        };
        let word = insn.encode().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(decode(word), insn);
    }
}

#[test]
fn relocation_adds_the_start_and_takes_the_kind_away() {
    let places = relocation::Places {
        start: 3072,
        done: 1,
        exit: 20,
        abort: 17,
        push: 0,
        pop: 0,
        helpers: &[(1, 200)],
    };
    let branch = |target| Insn::Branch {
        condition: Condition::Always,
        target,
        defer: 0,
    };
    let word = |target| branch(target).encode().unwrap_or_default();
    let relocate = |kind: relocation::Kind, target| {
        relocation::relocate(kind.mark(word(target)), &places).map(|word| decode(word & WORD_MASK))
    };
    assert_eq!(relocate(relocation::Kind::Branch, 5), Ok(branch(3077)));
    assert_eq!(relocate(relocation::Kind::Exit, 0), Ok(branch(3092)));
    assert_eq!(relocate(relocation::Kind::Helper, 15_001), Ok(branch(200)));
    assert_eq!(
        relocate(relocation::Kind::Helper, 15_002),
        Err(relocation::RelocationError::Helper(2))
    );
    assert!(relocation::relocate(0x99 << 56 | NOP, &places).is_err());
    assert!(relocation::relocate(relocation::Kind::Exit.mark(NOP), &places).is_err());
}
