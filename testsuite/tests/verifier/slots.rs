//! Instructions that assembly cannot write, or that are given as they are.

use bpf::insn::{Endian, Slot};
use bpf::maps::{MapDef, MapKind};
use bpf::program_type::ProgramType;
use verifier::program::{Map, Program};
use verifier::{Options, Verdict};

/// Verifies slots as they are, with a map of one element and one of several.
fn check_slots(slots: &[(u8, u8, u8, i16, i32)]) -> Verdict {
    let slots: Vec<Slot> = slots
        .iter()
        .map(|&(opcode, dst, src, offset, imm)| Slot {
            opcode,
            dst,
            src,
            offset,
            imm,
        })
        .collect();
    let maps =
        [1, 4].map(|entries| Map::new(MapDef::new("map", MapKind::Array, 4, 16, entries), None));
    let program = Program::from_slots(ProgramType::Xdp, None, &slots, maps.to_vec());
    let program = program.expect("calls lead to functions");
    verifier::check(&program, &Options::default(), Endian::Little).verdict
}

#[track_caller]
fn refuses_slots(slots: &[(u8, u8, u8, i16, i32)], message: &str) {
    match check_slots(slots) {
        Verdict::Rejected(finding) => assert!(finding.kernel_text.contains(message), "{finding:?}"),
        other => panic!("{other:?}"),
    }
}

const SET: (u8, u8, u8, i16, i32) = (0xb7, 0, 0, 0, 0);

const EXIT: (u8, u8, u8, i16, i32) = (0x95, 0, 0, 0, 0);

/// `if r0 == 0 goto +1`, of which the other way is never walked.
const SKIP: (u8, u8, u8, i16, i32) = (0x15, 0, 0, 1, 0);

#[test]
fn instructions_that_are_not_walked_may_be_wrong_in_some_ways_only() {
    assert_eq!(check_slots(&[SET, SKIP, SET, EXIT]), Verdict::Accepted);
    // A reserved field is looked at by the walk,
    let reserved = (0xb7, 0, 3, 0, 0);
    assert_eq!(check_slots(&[SET, SKIP, reserved, EXIT]), Verdict::Accepted);
    refuses_slots(&[SET, reserved, EXIT], "BPF_MOV uses reserved fields");
    // an opcode before it,
    refuses_slots(&[SET, SKIP, (0xfd, 0, 0, 0, 0), EXIT], "unknown opcode fd");
    refuses_slots(
        &[SET, SKIP, (0x61, 0, 1, 0, 5), EXIT],
        "BPF_LDX uses reserved fields",
    );
    assert_eq!(
        check_slots(&[SET, (0xe5, 0, 0, 0, 0), EXIT]),
        Verdict::Accepted
    );
    // and the offset of the last one never.
    assert_eq!(check_slots(&[SET, (0x95, 0, 0, 2, 0)]), Verdict::Accepted);
    refuses_slots(&[SET, (0x95, 1, 0, 0, 0)], "BPF_EXIT uses reserved fields");
}

#[test]
fn what_an_atomic_operation_fetches_is_not_followed_to_memory() {
    // The second way to the operation, on which its slot holds nothing, is taken for covered by the
    // first, on which it holds zero. Past it is a function that returns nothing.
    assert_eq!(
        check_slots(&[
            (0xbf, 2, 10, 0, 0),
            (0x07, 2, 0, 0, -6),
            (0x18, 1, 5, 0, 0),
            (0x00, 0, 0, 0, 0),
            (0x85, 0, 0, 0, 1),
            (0xbf, 6, 0, 0, 0),
            (0x05, 0, 0, 0, 0),
            (0x85, 0, 0, 0, 14),
            (0xbf, 2, 0, 0, 0),
            (0x35, 2, 0, 5, 1),
            (0x7b, 10, 2, -8, 0),
            (0x05, 0, 0, 0, 0),
            (0x05, 0, 0, 0, 0),
            (0x05, 0, 0, 0, 0),
            (0x05, 0, 0, 0, 0),
            (0x05, 0, 0, 0, 0),
            (0xdb, 10, 6, -8, 1),
            (0x18, 1, 5, 0, 0),
            (0x00, 0, 0, 0, 0),
            (0xa6, 6, 0, 1, 1),
            (0x85, 0, 1, 0, 1),
            (0x95, 0, 0, 0, 0),
            (0x95, 0, 0, 0, 0),
        ]),
        Verdict::Accepted
    );
}

#[test]
fn values_are_addressed_directly_where_there_is_one() {
    let at = |kind, map, offset| [SET, (0x18, 2, kind, 0, map), (0, 0, 0, 0, offset), EXIT];
    assert_eq!(check_slots(&at(6, 0, 15)), Verdict::Accepted);
    refuses_slots(
        &at(6, 0, 16),
        "invalid access to map value pointer, value_size=16 off=16",
    );
    refuses_slots(
        &at(6, 1, 0),
        "invalid access to map value pointer, value_size=16 off=0",
    );
    refuses_slots(
        &at(6, 0, -1),
        "direct value offset of 4294967295 is not allowed",
    );
    assert_eq!(check_slots(&at(5, 1, 0)), Verdict::Accepted);
    refuses_slots(&at(5, 1, 1), "unrecognized bpf_ld_imm64 insn");
}
