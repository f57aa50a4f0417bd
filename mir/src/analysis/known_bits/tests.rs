use super::*;
use crate::eval;

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A set of known bits with one of its members.
fn sample(state: &mut u64, ty: Type) -> (KnownBits, u64) {
    let mut value = random(state);
    for _ in 0..random(state) % 3 {
        value &= random(state);
    }
    value >>= random(state) % 64;
    value &= type_mask(ty);
    let mut known = random(state);
    for _ in 0..random(state) % 3 {
        known |= random(state);
    }
    known |= !type_mask(ty);
    let bits = KnownBits {
        zeros: known & !value,
        ones: known & value,
    };
    (bits, value)
}

fn check(what: &dyn std::fmt::Debug, bits: KnownBits, value: u64) {
    assert_eq!(
        (
            bits.zeros & value,
            bits.ones & !value,
            bits.zeros & bits.ones
        ),
        (0, 0, 0),
        "{what:?}: {value:#x} is not in {bits:x?}"
    );
}

#[test]
fn every_binary_operation_is_sound() {
    let mut state = 0x1234_5678_9abc_def1;
    for _ in 0..20_000 {
        for opcode in Opcode::ALL.iter().copied() {
            for ty in [Type::I32, Type::I64] {
                let (a, x) = sample(&mut state, ty);
                let (b, y) = sample(&mut state, ty);
                if let Some(result) = eval::binary(opcode, ty, x, y) {
                    let bits = KnownBits::binary(opcode, ty, a, b);
                    check(&(opcode, ty, a, b, x, y), bits, result);
                }
            }
        }
    }
}

#[test]
fn every_unary_operation_is_sound() {
    use bpf::insn::Endian;
    let mut state = 0x1357_9bdf_0246_8ace;
    for _ in 0..5_000 {
        for opcode in Opcode::ALL.iter().copied() {
            let source = match opcode {
                Opcode::Sext | Opcode::Zext => Type::I32,
                _ => Type::I64,
            };
            let ty = match opcode {
                Opcode::Trunc => Type::I32,
                _ => Type::I64,
            };
            let (a, x) = sample(&mut state, source);
            for endian in [Endian::Little, Endian::Big] {
                if let Some(result) = eval::unary(opcode, ty, x, endian) {
                    let bits = KnownBits::unary(opcode, ty, a);
                    check(&(opcode, a, x), bits, result);
                }
            }
        }
    }
}

#[test]
fn constants_stay_constants() {
    let constant = |value| KnownBits::constant(Type::I64, value);
    for opcode in [Opcode::Iadd, Opcode::Isub, Opcode::Imul, Opcode::Bxor] {
        let result = KnownBits::binary(opcode, Type::I64, constant(77), constant(-5));
        assert_eq!(
            result.as_constant(),
            eval::binary(opcode, Type::I64, 77, -5i64 as u64),
            "{opcode}"
        );
    }
    let sum = KnownBits::binary(
        Opcode::Iadd,
        Type::I64,
        KnownBits::low_bits(16),
        KnownBits::low_bits(16),
    );
    assert_eq!(sum.max(), 0x1ffff);
    assert!(sum.upper_half_is_zero());
    assert!(KnownBits::low_bits(31).is_sign_extended_from_32());
    assert!(!KnownBits::low_bits(32).is_sign_extended_from_32());
}
