//! Every operation's result contains what the operation gives for members of its operands.

use bpf::insn::{Cond, Width};
use proptest::prelude::*;

use super::{Comparison, Decision, Tnum, Value, refine};

/// Numbers near the places where ranges and signs change.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (0u64..16),
        (0u64..16).prop_map(|distance| 0u64.wrapping_sub(distance)),
        (0u64..16).prop_map(|distance| (1u64 << 31).wrapping_add(distance).wrapping_sub(8)),
        (0u64..16).prop_map(|distance| (1u64 << 32).wrapping_add(distance).wrapping_sub(8)),
        (0u64..16).prop_map(|distance| (1u64 << 63).wrapping_add(distance).wrapping_sub(8)),
    ]
}

/// The tightest value with all the numbers in each view, synchronised.
fn around(numbers: &[u64]) -> Value {
    let mut value = Value::constant(numbers[0]);
    for &number in numbers {
        let one = Value::constant(number);
        value.bits = value.bits.union(one.bits);
        value.umin = value.umin.min(one.umin);
        value.umax = value.umax.max(one.umax);
        value.smin = value.smin.min(one.smin);
        value.smax = value.smax.max(one.smax);
        value.umin32 = value.umin32.min(one.umin32);
        value.umax32 = value.umax32.max(one.umax32);
        value.smin32 = value.smin32.min(one.smin32);
        value.smax32 = value.smax32.max(one.smax32);
    }
    value.sync();
    value
}

/// A value, and some of its members.
fn members() -> impl Strategy<Value = (Value, Vec<u64>)> {
    proptest::collection::vec(number(), 1..4).prop_map(|numbers| (around(&numbers), numbers))
}

fn low(number: u64) -> u64 {
    number & 0xffff_ffff
}

fn holds(cond: Cond, a: u64, b: u64, width: Width) -> bool {
    let (a, b) = match width {
        Width::W64 => (a, b),
        Width::W32 => (low(a), low(b)),
    };
    let signed = |number: u64| match width {
        Width::W64 => number.cast_signed(),
        Width::W32 => i64::from((number as u32).cast_signed()),
    };
    match cond {
        Cond::Eq => a == b,
        Cond::Ne => a != b,
        Cond::Gt => a > b,
        Cond::Ge => a >= b,
        Cond::Lt => a < b,
        Cond::Le => a <= b,
        Cond::Set => a & b != 0,
        Cond::Sgt => signed(a) > signed(b),
        Cond::Sge => signed(a) >= signed(b),
        Cond::Slt => signed(a) < signed(b),
        Cond::Sle => signed(a) <= signed(b),
    }
}

const CONDITIONS: [Cond; 11] = [
    Cond::Eq,
    Cond::Ne,
    Cond::Gt,
    Cond::Ge,
    Cond::Lt,
    Cond::Le,
    Cond::Set,
    Cond::Sgt,
    Cond::Sge,
    Cond::Slt,
    Cond::Sle,
];

type Abstract = fn(&mut Value, &Value);
type Concrete = fn(u64, u64) -> u64;

const BINARY: [(Abstract, Concrete); 6] = [
    (Value::add, u64::wrapping_add),
    (Value::sub, u64::wrapping_sub),
    (Value::mul, u64::wrapping_mul),
    (Value::and, |a, b| a & b),
    (Value::or, |a, b| a | b),
    (Value::xor, |a, b| a ^ b),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn sync_loses_no_member((value, numbers) in members()) {
        for number in numbers {
            prop_assert!(value.contains(number), "{value:x?} lacks {number:#x}");
        }
    }

    #[test]
    fn binary_operations_are_sound((a, left) in members(), (b, right) in members()) {
        for (operate, exact) in BINARY {
            let mut wide = a;
            operate(&mut wide, &b);
            let mut narrow = wide;
            wide.sync();
            narrow.zero_extend32();
            narrow.sync();
            for &x in &left {
                for &y in &right {
                    prop_assert!(wide.contains(exact(x, y)), "{a:x?} {b:x?} {wide:x?}");
                    prop_assert!(narrow.contains(low(exact(x, y))), "{a:x?} {b:x?} {narrow:x?}");
                }
            }
        }
    }

    #[test]
    fn shifts_and_extensions_are_sound((value, numbers) in members(), count in 0u32..64) {
        let after = |change: &dyn Fn(&mut Value)| {
            let mut changed = value;
            change(&mut changed);
            changed.sync();
            changed
        };
        let narrow = count % 32;
        let to_low = |change: fn(&mut Value, u32)| after(&move |value: &mut Value| {
            change(value, narrow);
            value.zero_extend32();
        });
        let shifted = [
            after(&|value| value.shift_left(count)),
            after(&|value| value.shift_right(count)),
            after(&|value| value.shift_right_signed(count)),
            to_low(Value::shift_left32),
            to_low(Value::shift_right32),
            to_low(Value::shift_right_signed32),
            after(&Value::neg),
        ];
        for &number in &numbers {
            let bits = number as u32;
            let exact = [
                number << count,
                number >> count,
                (number.cast_signed() >> count).cast_unsigned(),
                u64::from(bits << narrow),
                u64::from(bits >> narrow),
                u64::from((bits.cast_signed() >> narrow).cast_unsigned()),
                number.wrapping_neg(),
            ];
            for (abstracted, exact) in shifted.iter().zip(exact) {
                prop_assert!(abstracted.contains(exact), "{value:x?} {abstracted:x?} {exact:#x}");
            }
            for bytes in [2, 4, 8] {
                let swapped = number.swap_bytes() >> (64 - bytes * 8);
                prop_assert!(after(&|value| value.swap_bytes(bytes)).contains(swapped));
            }
            for bytes in [1, 2, 4] {
                let unused = 64 - bytes * 8;
                let sign = (number << unused).cast_signed() >> unused;
                let truncated = after(&|value| value.truncate(bytes));
                prop_assert!(truncated.contains(number << unused >> unused));
                let extended = after(&|value| value.sign_extend(bytes));
                prop_assert!(extended.contains(sign.cast_unsigned()), "{value:x?} {extended:x?}");
                if bytes < 4 {
                    let extended = after(&|value| {
                        value.sign_extend32(bytes);
                        value.zero_extend32();
                    });
                    prop_assert!(extended.contains(low(sign.cast_unsigned())));
                }
            }
        }
    }

    #[test]
    fn branches_are_sound((a, left) in members(), (b, right) in members()) {
        for cond in CONDITIONS {
            for width in [Width::W32, Width::W64] {
                let decision = Decision::of(&a, &b, cond, width);
                for &x in &left {
                    for &y in &right {
                        let outcome = holds(cond, x, y, width);
                        let wrong = if outcome { Decision::NotTaken } else { Decision::Taken };
                        prop_assert_ne!(decision, wrong, "{:x?} {:?} {:x?}", a, cond, b);
                        let comparison = if outcome {
                            Comparison::Holds(cond)
                        } else {
                            Comparison::failure_of(cond)
                        };
                        let (mut p, mut q) = (a, b);
                        refine(&mut p, &mut q, comparison, width);
                        prop_assert!(p.contains(x), "{a:x?} {cond:?} {b:x?} {p:x?} {x:#x}");
                        prop_assert!(q.contains(y), "{a:x?} {cond:?} {b:x?} {q:x?} {y:#x}");
                    }
                }
            }
        }
    }
}

/// All known-bit patterns of four bits, with their members.
fn small_tnums() -> Vec<(Tnum, Vec<u64>)> {
    let patterns = (0..16u64).flat_map(|mask| (0..16u64).map(move |value| (value, mask)));
    patterns
        .filter(|(value, mask)| value & mask == 0)
        .map(|(value, mask)| {
            let tnum = Tnum { value, mask };
            (
                tnum,
                (0..16).filter(|&number| tnum.contains(number)).collect(),
            )
        })
        .collect()
}

#[test]
fn small_tnums_contain_all_results() {
    let all = small_tnums();
    for (a, left) in &all {
        for (b, right) in &all {
            let results: [(Tnum, Concrete); 6] = [
                (*a + *b, u64::wrapping_add),
                (*a - *b, u64::wrapping_sub),
                (*a * *b, u64::wrapping_mul),
                (*a & *b, |a, b| a & b),
                (*a | *b, |a, b| a | b),
                (*a ^ *b, |a, b| a ^ b),
            ];
            for (result, exact) in results {
                assert_eq!(result.value & result.mask, 0);
                for &x in left {
                    for &y in right {
                        assert!(result.contains(exact(x, y)), "{a} {b} {result}");
                    }
                }
            }
            let common = left.iter().any(|number| right.contains(number));
            assert_eq!(a.overlaps(*b), common);
            assert_eq!(
                a.includes(*b),
                right.iter().all(|number| left.contains(number))
            );
            for number in 0..16 {
                let above = left.iter().copied().find(|member| *member > number);
                assert_eq!(a.next_above(number), above.unwrap_or(a.greatest()));
            }
            for &number in left.iter().chain(right) {
                assert!(a.union(*b).contains(number));
            }
        }
    }
}

#[test]
fn ranges_become_bits() {
    assert_eq!(Tnum::range(8, 11), Tnum { value: 8, mask: 3 });
    assert_eq!(Tnum::range(0, u64::MAX), Tnum::UNKNOWN);
    assert_eq!(Tnum::range(7, 7), Tnum::constant(7));
    assert_eq!(Tnum { value: 4, mask: 3 }.to_string(), "(0x4; 0x3)");
}

#[test]
fn a_bound_on_the_low_half_reaches_a_zero_extended_number() {
    let mut value = Value::UNKNOWN;
    value.zero_extend32();
    value.sync();
    let mut limit = Value::constant(100);
    refine(
        &mut value,
        &mut limit,
        Comparison::Holds(Cond::Lt),
        Width::W32,
    );
    assert_eq!((value.umin, value.umax), (0, 99));
    assert_eq!(
        value.bits,
        Tnum {
            value: 0,
            mask: 127
        }
    );
}
