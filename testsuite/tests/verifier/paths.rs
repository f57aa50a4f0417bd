//! Registers, branches and loops: what is known on which path, and when a path ends.

use verifier::Verdict;

use super::{LOOKUP, accepts, check, refuses};

#[test]
fn registers_must_be_set() {
    refuses("xdp", "exit", "R0 !read_ok");
    refuses("xdp", "r0 = r2\nexit", "R2 !read_ok");
    refuses("xdp", "r10 = 0\nr0 = 0\nexit", "frame pointer is read only");
    accepts("xdp", "r0 = 0\nexit");
}

#[test]
fn programs_end_and_have_no_dead_code() {
    refuses(
        "xdp",
        "r0 = 0\ngoto 1f\nr0 = 1\n1:\nexit",
        "unreachable insn 2",
    );
    refuses(
        "xdp",
        "r0 = 0\nexit\nr0 = 1",
        "last insn is not an exit or jmp",
    );
}

#[test]
fn fields_without_use_are_zero() {
    // The constants are those of the fields: `exit`, `goto +1`, `r0 = 2`.
    refuses(
        "xdp",
        "r0 = 2\n.quad 0x0000000100000095",
        "BPF_EXIT uses reserved fields",
    );
    refuses(
        "xdp",
        "r0 = 2\n.quad 0x0000000100010005\nr0 = 1\nexit",
        "unreachable insn 2",
    );
    refuses(
        "xdp",
        ".quad 0x00000002000400b7\nexit",
        "BPF_MOV uses reserved fields",
    );
    accepts("xdp", "may_goto +0\nr0 = 2\nexit");
}

#[test]
fn endless_loops_are_found_and_bounded_ones_walked() {
    refuses("xdp", "r0 = 0\n1:\ngoto 1b\nexit", "unreachable insn");
    refuses(
        "xdp",
        "r0 = 0\n1:\nif r0 == 0 goto 1b\nexit",
        "infinite loop detected at insn 1",
    );
    accepts(
        "xdp",
        "r0 = 0\n1:\nr0 += 1\nif r0 < 100 goto 1b\nr0 = 2\nexit",
    );
}

#[test]
fn a_change_of_byte_order_that_changes_nothing_keeps_ties() {
    let with = |order: &str| {
        format!(
            "r9 = values ll\n*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\nr1 = r9\ncall 1\nif r0 == 0 goto 1f\n\
             r9 = r0\ncall 5\nr5 = r0\nw4 = 0x347f24c7\nr5 -= r4\nr5 = {order} r5\nif r5 & -1 goto 1f\n\
             r9 += r5\n1:\nr0 = 0\nexit"
        )
    };
    refuses(
        "tc",
        &with("le64"),
        "map_value pointer offset -880747719 is not allowed",
    );
    accepts("tc", &with("be64"));
    accepts("tc", &with("le32"));
}

/// What the second operand learnt is told to the first before that tells others: of two that hold
/// the same, Linux goes on with the second.
#[test]
fn tied_operands_are_told_one_after_the_other() {
    let body = "call 8\nr5 = r0\nif r5 s<= r0 goto 1f\nif w0 != 0 goto 1f\n{}\n1:\nr0 = 0\nexit";
    refuses("tc", &body.replace("{}", "r0 = r9"), "R9 !read_ok");
}

/// How many instructions Linux 6.18 walks: while the outer loop is not done, its states end a path
/// only where all of what they know is covered.
#[test]
fn loops_that_are_not_done_end_fewer_paths() {
    let with = |rounds: u32| {
        format!(
            "r9 = r1\nr7 = 0\nr8 = 0\n1:\ngoto +0\ngoto +0\ncall f\nr8 += 1\nif w8 < {rounds} goto 1b\nr0 = 0\nexit\n\
             \t.section .text,\"ax\",@progbits\n\t.type f,@function\nf:\n\
             call 5\nr9 = r0\nif w9 > 10 goto 2f\nw9 = w9\nr9 ^= 1\n2:\nmay_goto 3f\n\
             *(u64 *)(r10 - 88) = r9\ngoto 2b\n3:\nexit\n\t.size f, .-f\n\
             \t.section kprobe/x,\"ax\",@progbits"
        )
    };
    for (rounds, walked) in [(1, 29), (2, 65), (3, 121), (4, 265), (5, 729)] {
        let report = check("kprobe/x", &with(rounds));
        assert_eq!(report.verdict, Verdict::Accepted);
        assert_eq!(report.stats.processed, walked);
    }
}

#[test]
fn pointers_that_are_not_null_have_no_low_half_of_zero_either() {
    let with = |check: &str| {
        format!(
            "{LOOKUP}if r0 != 0 goto 1f\nexit\n1:\n{check} goto 2f\nr0 = 0\nexit\n2:\nr0 = r9\nexit"
        )
    };
    accepts("xdp", &with("if r0 == 0"));
    accepts("xdp", &with("if w0 == 0"));
    refuses("xdp", &with("if w0 == 1"), "R9 !read_ok");
}

#[test]
fn numbers_stay_tied_through_constants_added_and_taken() {
    let with = |change: &str| {
        format!(
            "{LOOKUP}if r0 == 0 goto 1f\nr6 = r0\ncall 7\nw0 = w0\nr7 = r0\n{change}\n\
             if r7 > 8 goto 1f\nr6 += r0\nr0 = *(u8 *)(r6 + 0)\n1:\nr0 = 0\nexit"
        )
    };
    accepts("xdp", &with("r7 += 4"));
    for taken in ["r7 -= 7", "r7 += -7", "w7 -= 7", "w7 += -7"] {
        accepts("xdp", &with(taken));
    }
    for taken in ["r7 -= 8", "w7 -= 8"] {
        refuses(
            "xdp",
            &with(taken),
            "R6 max value is outside of the allowed memory range",
        );
    }
    // Only one is followed, and on 32 bits only if there was no upper half.
    for lost in ["r7 -= 4\nr7 -= 1", "r0 <<= 1\nr7 = r0\nw7 -= 7"] {
        refuses("xdp", &with(lost), "unbounded memory access");
    }
    refuses(
        "xdp",
        "call 7\nr9 = r0\nr9 -= 0x3fffffff\nif r9 > 0 goto 1f\nr3 = r10\nr3 += r9\n1:\nr0 = 0\nexit",
        "fp pointer offset -1073741823 is not allowed",
    );
}

#[test]
fn loops_are_endless_when_nothing_changes_identities_neither() {
    refuses(
        "xdp",
        "1:\ncall 14\nr6 = r0\nif r6 s< 0 goto 2f\ngoto 1b\n2:\nr0 = 0\nexit",
        "The sequence of 8193 jumps is too complex.",
    );
    refuses(
        "xdp",
        "1:\ncall 14\nif r0 s< 0 goto 2f\ngoto 1b\n2:\nr0 = 0\nexit",
        "infinite loop detected at insn",
    );
}
