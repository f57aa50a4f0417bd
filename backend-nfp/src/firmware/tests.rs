//! Small programs on a card.

use super::*;
use crate::isa::{Bank, Condition, Destination, Insn, Mode, NOP, Operand, TRAILER, Width, ecc};
use crate::sim::{HazardKind, Program, Value};

fn program(abi: &Abi, insns: &[Insn]) -> Program {
    let words = insns
        .iter()
        .map(|insn| ecc::protect(insn.encode().unwrap_or_else(|error| panic!("{error}"))));
    let words: Vec<u64> = words
        .chain(std::iter::repeat_n(ecc::protect(NOP), TRAILER))
        .collect();
    Program::load(&words, abi.start).unwrap_or_else(|error| panic!("{error}"))
}

fn immed(bank: Bank, register: u8, value: u16, byte_shift: u8) -> Insn {
    Insn::Immed {
        destination: Destination {
            operand: Operand::Gpr(register),
            bank,
            both: false,
        },
        value,
        width: Width::Whole,
        byte_shift,
        invert: false,
        mode: Mode::default(),
    }
}

fn to_stack(word: u8, value: u16) -> Insn {
    Insn::Immed {
        destination: Destination {
            operand: Operand::lmem(0, word),
            bank: Bank::A,
            both: false,
        },
        value,
        width: Width::Whole,
        byte_shift: 0,
        invert: false,
        mode: Mode::default(),
    }
}

fn go(target: u16, defer: u8) -> Insn {
    Insn::Branch {
        condition: Condition::Always,
        target,
        defer,
    }
}

fn run(card: &mut Card, insns: &[Insn]) -> Outcome {
    let code = program(&card.abi, insns);
    card.run(&code, &[7; 60])
        .unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn a_verdict_in_a_defer_slot() {
    let mut card = Card::new(Abi::default());
    let done = card.abi.done;
    let outcome = run(&mut card, &[go(done, 1), immed(Bank::A, 0, 0x11, 2)]);
    assert_eq!(outcome.verdict.action, Action::Pass);
    assert_eq!(outcome.verdict.counter, Some(Counter::Pass));
    assert!(outcome.verdict.is_plain() && outcome.hazards.is_empty());
    assert_eq!(outcome.packet, [7; 60]);
    assert_eq!(outcome.cycles.latency, 3);
}

#[test]
fn no_verdict_is_a_hazard_and_the_firmware_s_registers_are_watched() {
    let mut card = Card::new(Abi::default());
    let done = card.abi.done;
    let outcome = run(&mut card, &[immed(Bank::A, 28, 1, 0), go(done, 0)]);
    assert_eq!(outcome.clobbered, [(Bank::A, 28)]);
    let kinds: Vec<_> = outcome.hazards.iter().map(|hazard| hazard.kind).collect();
    assert_eq!(kinds, [HazardKind::UnknownVerdict]);
}

#[test]
fn a_lookup_finds_its_value_and_spoils_the_rest() {
    let mut card = Card::new(Abi::default());
    card.add_map(DeviceMap::new(9, DeviceMapKind::Array, 4, 8, 2));
    let (start, done) = (card.abi.start, card.abi.done);
    for (index, found) in [(1, true), (2, false)] {
        card.watch = Watch::Address(u32::from(start) + 4);
        let outcome = run(
            &mut card,
            &[
                to_stack(0, index),
                immed(Bank::A, 0, 9, 0),
                go(200, 1),
                immed(Bank::B, 0, start + 4, 0),
                immed(Bank::A, 12, 0, 0),
                immed(Bank::A, 0, 0x22, 2),
                go(done, 0),
            ],
        );
        let (low, high) = outcome.result.unwrap_or_default();
        assert_eq!((low.bits, high.bits) != (0, 0), found);
        assert!(outcome.hazards.is_empty(), "{:?}", outcome.hazards);
        assert_eq!(outcome.verdict.action, Action::Drop);
    }
}

#[test]
fn an_unknown_map_is_a_fault() {
    let mut card = Card::new(Abi::default());
    let code = program(&card.abi, &[immed(Bank::A, 0, 9, 0), go(200, 0)]);
    assert!(card.run(&code, &[0; 14]).is_err());
    assert_eq!(Value::from(1).unknown, 0);
}

#[test]
fn maps_take_update_and_delete_as_the_kernel_s_do() {
    use super::maps::Allocator;
    let mut memory = crate::sim::Memory::default();
    let mut free = Allocator {
        next: 0x1000,
        left: 64,
    };
    let mut hash = DeviceMap::new(1, DeviceMapKind::Hash, 4, 8, 2);
    let (one, two, three) = ([1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0]);
    let mut update = |hash: &mut DeviceMap, key: &[u8], flags| {
        hash.update(&mut memory, &mut free, key, &[key[0]; 8], flags)
    };
    assert_eq!(update(&mut hash, &one, 2), -2);
    assert_eq!(update(&mut hash, &one, 0), 0);
    assert_eq!(update(&mut hash, &one, 1), -17);
    assert_eq!(update(&mut hash, &two, 1), 0);
    assert_eq!(update(&mut hash, &three, 0), -7);
    let mut array = DeviceMap::new(2, DeviceMapKind::Array, 4, 8, 2);
    assert_eq!(update(&mut array, &two, 0), -7);
    assert_eq!(update(&mut array, &one, 0), 0);
    assert_eq!(array.delete(&one), -22);
    assert_eq!(hash.delete(&one), 0);
    assert_eq!(hash.delete(&one), -2);
    assert_eq!(hash.contents(&mut memory), [(two.to_vec(), vec![2; 8])]);
    // A word that programs add to is turned around for the host.
    hash.atomic.insert(4);
    memory
        .patch(
            crate::sim::RegionKind::External,
            hash.lookup(&mut memory.clone(), &mut free, &two)
                .unwrap_or(0),
            8,
        )
        .map(|value| value.copy_from_slice(&[0, 0, 0, 0, 1, 2, 3, 4]))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        hash.contents(&mut memory),
        [(two.to_vec(), vec![0, 0, 0, 0, 4, 3, 2, 1])]
    );
}

/// Whatever words do, helpers included, a run ends without a panic.
#[test]
fn any_words_on_a_card_end() {
    let mut state = 11u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    let mut ended = 0;
    for _ in 0..3000 {
        let mut card = Card::new(Abi {
            helpers: vec![(1, 200), (2, 201), (3, 202), (25, 203), (99, 204)],
            ..Abi::default()
        });
        card.add_map(DeviceMap::new(1, DeviceMapKind::Hash, 4, 8, 2));
        card.add_map(DeviceMap::new(2, DeviceMapKind::PerfEvents, 4, 4, 2));
        card.limits.steps = 200;
        card.pattern = next() as u32;
        let (mut words, start) = (Vec::new(), card.abi.start);
        let word = |insn: Insn| ecc::protect(insn.encode().unwrap_or(NOP));
        // Calls of each helper with arguments of all kinds, and an instruction of any kind between.
        for _ in 0..4 {
            for register in 1..12 {
                let shift = (next() % 3) as u8;
                let value = immed(Bank::A, register, (next() & 15) as u16, shift);
                words.push(word(value));
            }
            words.push(word(immed(Bank::A, 0, 1 + (next() & 1) as u16, 0)));
            words.push(word(go(200 + (next() % 4) as u16, 1)));
            let back = start + words.len() as u16 + 1;
            words.push(word(immed(Bank::B, 0, back, 0)));
            let any = Insn::decode(next() >> (64 - crate::isa::WORD_BITS));
            words.extend(any.map(word));
        }
        words.push(word(go(card.abi.done, 0)));
        words.extend([ecc::protect(NOP); TRAILER]);
        let code = Program::load(&words, start).unwrap_or_else(|error| panic!("{error}"));
        ended += u32::from(card.run(&code, &[1; 64]).is_ok());
    }
    assert!(ended > 10, "{ended}");
}
