//! Small programs with what the kernel says of them: one for each thing that the verifier models,
//! each a mistake and its repair where there is one. Every verdict was asked of Linux 6.18.

use bpf::diagnostic::FileId;
use bpf::insn::{Endian, Slot};
use bpf::maps::{MapDef, MapKind};
use bpf::object::Object;
use bpf::program_type::ProgramType;
use frontend::asm::{AsmOptions, assemble};
use verifier::program::{Map, Program};
use verifier::{Options, ProgramId, Report, Verdict};

fn object(source: &str) -> Object {
    let options = AsmOptions {
        endian: Endian::Little,
    };
    match assemble(source, FileId(0), &options) {
        Ok(assembled) => assembled.object,
        Err(errors) => panic!("{errors:?}\n{source}"),
    }
}

/// Verifies a program in a section, with a GPL licence, an array map named `values` and a program array named
/// `programs`.
fn check(section: &str, body: &str) -> Report {
    check_with(section, body, &Options::default())
}

fn check_with(section: &str, body: &str, options: &Options) -> Report {
    let source = format!(
        "\t.section {section},\"ax\",@progbits\n\t.globl main\n\t.type main,@function\nmain:\n\
         {body}\n\t.size main, .-main\n\
         \t.section maps,\"aw\",@progbits\n\t.globl values\n\t.type values,@object\nvalues:\n\
         \t.long 2\n\t.long 4\n\t.long 16\n\t.long 8\n\t.long 0\n\t.size values, 20\n\
         \t.globl programs\n\t.type programs,@object\nprograms:\n\
         \t.long 3\n\t.long 4\n\t.long 4\n\t.long 4\n\t.long 0\n\t.size programs, 20\n\
         \t.section license,\"aw\",@progbits\n\t.asciz \"GPL\"\n"
    );
    let id = ProgramId {
        section: section.to_owned(),
        function: "main".to_owned(),
    };
    verifier::check_program(&object(&source), &id, options)
        .unwrap_or_else(|error| panic!("{error}\n{source}"))
}

/// Small programs for a kernel before 6.3.
fn check_5_10(section: &str, body: &str) -> Report {
    let options = Options {
        kernel: verifier::Kernel::V5_10,
        ..Options::default()
    };
    check_with(section, body, &options)
}

#[track_caller]
fn accepts(section: &str, body: &str) {
    let report = check(section, body);
    assert_eq!(report.verdict, Verdict::Accepted, "{body}");
}

#[track_caller]
fn refuses(section: &str, body: &str, message: &str) {
    match check(section, body).verdict {
        Verdict::Rejected(finding) => {
            assert!(finding.kernel_text.contains(message), "{finding:?}\n{body}");
        }
        other => panic!("{other:?}\n{body}"),
    }
}

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

const PACKET: &str = "r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr4 = r2\nr4 += 14\n";

#[test]
fn packets_must_be_long_enough() {
    let with = |rest: &str| format!("{PACKET}{rest}");
    refuses(
        "xdp",
        &with("r0 = *(u8 *)(r2 + 0)\nexit"),
        "invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)",
    );
    accepts(
        "xdp",
        &with("r0 = 1\nif r4 > r3 goto 1f\nr0 = *(u8 *)(r2 + 13)\n1:\nexit"),
    );
    // One byte more than was checked, and one more because `>=` says so.
    refuses(
        "xdp",
        &with("r0 = 1\nif r4 > r3 goto 1f\nr0 = *(u8 *)(r2 + 14)\n1:\nexit"),
        "invalid access to packet, off=14 size=1",
    );
    accepts(
        "xdp",
        &with("r0 = 1\nif r4 >= r3 goto 1f\nr0 = *(u8 *)(r2 + 14)\n1:\nexit"),
    );
    // The wrong side of the branch.
    refuses(
        "xdp",
        &with("r0 = 1\nif r4 < r3 goto 1f\nr0 = *(u8 *)(r2 + 0)\n1:\nexit"),
        "offset is outside of the packet",
    );
}

#[test]
fn packet_pointers_end_when_the_packet_changes() {
    refuses(
        "xdp",
        "r6 = r1\nr7 = *(u32 *)(r1 + 0)\nr8 = *(u32 *)(r1 + 4)\nr9 = r7\nr9 += 1\nr0 = 1\n\
         if r9 > r8 goto 1f\nr2 = 4\ncall 44\nr0 = *(u8 *)(r7 + 0)\n1:\nexit",
        "R7 invalid mem access 'scalar'",
    );
}

#[test]
fn the_context_is_read_as_the_type_says() {
    refuses(
        "xdp",
        "r0 = *(u16 *)(r1 + 0)\nexit",
        "invalid bpf_context access off=0 size=2",
    );
    refuses(
        "xdp",
        "r1 += 4\nr0 = *(u32 *)(r1 + 0)\nexit",
        "dereference of modified ctx ptr",
    );
    refuses(
        "xdp",
        "r2 = 0\n*(u32 *)(r1 + 12) = r2\nr0 = 0\nexit",
        "invalid bpf_context access",
    );
    accepts("tc", "r2 = 7\n*(u32 *)(r1 + 8) = r2\nr0 = 0\nexit");
    refuses(
        "socket",
        "r0 = *(u32 *)(r1 + 76)\nexit",
        "invalid bpf_context access off=76 size=4",
    );
}

const LOOKUP: &str = "r2 = r10\nr2 += -4\nr3 = 9\n*(u32 *)(r10 - 4) = r3\nr1 = values ll\ncall 1\n";

#[test]
fn lookups_can_find_nothing() {
    let with = |rest: &str| format!("{LOOKUP}{rest}");
    refuses(
        "xdp",
        &with("r0 = *(u64 *)(r0 + 0)\nexit"),
        "R0 invalid mem access 'map_value_or_null'",
    );
    accepts(
        "xdp",
        &with("if r0 == 0 goto 1f\nr0 = *(u64 *)(r0 + 8)\n1:\nr0 = 0\nexit"),
    );
    refuses(
        "xdp",
        &with("if r0 == 0 goto 1f\nr0 = *(u64 *)(r0 + 12)\n1:\nr0 = 0\nexit"),
        "invalid access to map value, value_size=16 off=12 size=8",
    );
    refuses(
        "xdp",
        &with("r0 += 8\nr0 = 0\nexit"),
        "R0 pointer arithmetic on map_value_or_null prohibited, null-check it first",
    );
    // A key that is below the length of the array is found.
    accepts(
        "xdp",
        "r2 = r10\nr2 += -8\nr3 = 7\n*(u32 *)(r10 - 8) = r3\nr1 = values ll\ncall 1\n\
         r1 = *(u64 *)(r0 + 0)\nr0 = 0\nexit",
    );
}

#[test]
fn keys_are_depended_on_whether_they_are_found_or_not() {
    let with = |helper: u32| {
        format!(
            "call 7\nr1 = 0\nr1 = 0\nr1 = 0\nr1 = 0\ngoto 4f\n4:\nr7 = 9\nif r0 > 5 goto 1f\nr7 = 11\n1:\nr1 = 0\nr1 = 0\nr1 = 0\nr1 = 0\nr1 = 0\n\
                r1 = 0\ngoto 2f\n2:\ngoto 3f\n3:\n*(u32 *)(r10 - 8) = r7\nr2 = r10\nr2 += -8\n\
                r1 = values ll\ncall {helper}\nr0 = 0\nexit"
        )
    };
    // A lookup, and a deletion, which makes no use of it.
    for helper in [1, 3] {
        let report = check("xdp", &with(helper));
        assert_eq!(report.verdict, Verdict::Accepted);
        // Both ways to the end.
        assert_eq!(report.stats.processed, 39);
    }
}

#[test]
fn keys_may_be_the_upper_half_of_a_spill() {
    let with = |offset: i32| {
        format!(
            "r3 = 0\n*(u64 *)(r10 - 16) = r3\n*(u64 *)(r10 - 8) = r3\nr3 = 3\n*(u64 *)(r10 - 8) = r3\n\
             r2 = r10\nr2 += {offset}\nr1 = values ll\ncall 1\nr0 = *(u64 *)(r0 + 0)\nr0 = 0\nexit"
        )
    };
    accepts("xdp", &with(-4));
    for offset in [-8, -6] {
        refuses(
            "xdp",
            &with(offset),
            "R0 invalid mem access 'map_value_or_null'",
        );
    }
}

#[test]
fn helpers_leave_what_they_only_read() {
    let lookup = "r2 = r10\nr2 += -8\nr1 = values ll\ncall 1\n";
    accepts(
        "xdp",
        &format!(
            "r3 = 7\n*(u32 *)(r10 - 8) = r3\n{lookup}{lookup}r1 = *(u64 *)(r0 + 0)\nr0 = 0\nexit"
        ),
    );
}

#[test]
fn offsets_must_be_bounded_in_both_directions() {
    let with = |bound: &str| {
        format!(
            "{LOOKUP}if r0 == 0 goto 1f\nr6 = r0\ncall 7\n{bound}\nr6 += r0\n\
             r0 = *(u8 *)(r6 + 0)\n1:\nr0 = 0\nexit"
        )
    };
    refuses("xdp", &with(""), "unbounded min value");
    refuses("xdp", &with("if r0 s> 15 goto 1f"), "unbounded min value");
    accepts("xdp", &with("if r0 > 15 goto 1f"));
    accepts("xdp", &with("r0 &= 15"));
    refuses(
        "xdp",
        &with("r0 &= 31"),
        "R6 max value is outside of the allowed memory range",
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

/// A helper that takes null takes what may be null, whatever its size.
#[test]
fn memory_that_may_be_null_fits_where_null_does() {
    let body = "*(u32 *)(r10 - 4) = 0\nr2 = r10\nr2 += -4\nr1 = values ll\ncall 1\nr3 = r0\nr1 = 0\nr2 = 0\nr4 = 8\n\
                r5 = 0\ncall 28\nr0 = 0\nexit";
    accepts("tc", body);
    refuses(
        "tc",
        &body.replace("r4 = 8", "r4 = 24"),
        "invalid access to map value, value_size=16 off=0 size=24",
    );
}

/// A loop that takes ever more references ends before they fill the memory.
#[test]
fn references_without_end_are_undecided() {
    let body = "r6 = 0\n1:\nr1 = ring ll\nr2 = 16\nr3 = 0\ncall 131\nr6 += 1\nif r6 != 100000 goto 1b\nr0 = 0\nexit\n\
                \t.section maps,\"aw\",@progbits\n\t.globl ring\n\t.type ring,@object\nring:\n\
                \t.long 27\n\t.long 0\n\t.long 0\n\t.long 4096\n\t.long 0\n\t.size ring, 20\n\
                \t.section raw_tp/x,\"ax\",@progbits";
    match check("raw_tp/x", body).verdict {
        Verdict::Undecided(gap) => assert!(gap.construct.contains("references"), "{gap:?}"),
        other => panic!("{other:?}"),
    }
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
fn kernels_before_6_3_read_no_stack_that_nothing_wrote() {
    let join = "*(u8 *)(r10 - 16) = 1\nr0 = *(u32 *)(r1 + 12)\nif r0 == 0 goto 1f\n*(u8 *)(r10 - 7) = r0\n\
                r2 = 1\nr2 = 2\nr2 = 3\nr2 = 4\nr2 = 5\ngoto 2f\n1:\nr2 = 7\n2:\ngoto 3f\n3:\n\
                r0 = *(u8 *)(r10 - 7)\nr0 = 0\nexit";
    let refused = [
        (
            "*(u32 *)(r10 - 8) = 1\nr0 = *(u64 *)(r10 - 8)\nr0 = 0\nexit",
            "invalid read from stack off -8+4 size 8",
        ),
        (
            "*(u8 *)(r10 - 4) = 1\nr2 = r10\nr2 += -4\nr1 = values ll\ncall 1\nr0 = 0\nexit",
            "invalid indirect read from stack R2 off -4+1 size 4",
        ),
        // The path that writes is walked first; its end does not speak for the other.
        (join, "invalid read from stack off -7+0 size 1"),
    ];
    for (body, message) in refused {
        assert_eq!(check("xdp", body).verdict, Verdict::Accepted, "{body}");
        match check_5_10("xdp", body).verdict {
            Verdict::Rejected(finding) => {
                assert!(finding.kernel_text.contains(message), "{finding:?}")
            }
            other => panic!("{other:?}\n{body}"),
        }
    }
    let part = "*(u64 *)(r10 - 8) = 1\nr0 = *(u32 *)(r10 - 4)\nr0 = 0\nexit";
    assert_eq!(check_5_10("xdp", part).verdict, Verdict::Accepted);
}

#[test]
fn the_stack_has_its_bounds() {
    refuses(
        "xdp",
        "r0 = 0\n*(u64 *)(r10 - 520) = r0\nexit",
        "invalid write to stack R10 off=-520 size=8",
    );
    refuses(
        "xdp",
        "r0 = 0\n*(u64 *)(r10 + 0) = r0\nexit",
        "invalid write to stack R10 off=0 size=8",
    );
    refuses(
        "xdp",
        "*(u32 *)(r10 - 8) = r1\nr0 = 0\nexit",
        "invalid size of register spill",
    );
    refuses(
        "xdp",
        "*(u64 *)(r10 - 8) = r1\nr0 = *(u32 *)(r10 - 8)\nr0 = 0\nexit",
        "invalid size of register fill",
    );
    refuses(
        "xdp",
        "r0 = 0\n*(u32 *)(r10 - 6) = r0\nexit",
        "misaligned stack access off 0+0+-6 size 4",
    );
}

#[test]
fn spilled_pointers_and_bounds_come_back() {
    accepts(
        "xdp",
        "*(u64 *)(r10 - 8) = r1\nr2 = *(u64 *)(r10 - 8)\nr0 = *(u32 *)(r2 + 12)\nr0 = 0\nexit",
    );
    accepts(
        "xdp",
        &format!(
            "{LOOKUP}if r0 == 0 goto 1f\nr6 = r0\ncall 7\n*(u64 *)(r10 - 16) = r0\n\
             if r0 > 8 goto 1f\nr1 = *(u64 *)(r10 - 16)\nr6 += r1\nr0 = *(u8 *)(r6 + 0)\n1:\n\
             r0 = 0\nexit"
        ),
    );
}

#[test]
fn pointers_are_only_moved() {
    refuses(
        "xdp",
        "r1 *= 2\nr0 = 0\nexit",
        "pointer arithmetic with *= operator prohibited",
    );
    refuses(
        "xdp",
        "r1 |= 2\nr0 = 0\nexit",
        "bitwise operator |= on pointer prohibited",
    );
    refuses(
        "xdp",
        "w1 += 4\nr0 = 0\nexit",
        "32-bit pointer arithmetic prohibited",
    );
    refuses("xdp", "r2 = r10\nr2 -= 8\nr0 = 0\nexit", "");
}

#[test]
fn helpers_are_for_certain_types_and_arguments() {
    refuses(
        "socket",
        "r2 = 0\ncall 44\nr0 = 0\nexit",
        "program of this type cannot use helper bpf_xdp_adjust_head#44",
    );
    refuses(
        "xdp",
        "call 9999\nr0 = 0\nexit",
        "invalid func unknown#9999",
    );
    refuses(
        "xdp",
        "r1 = 0\nr2 = r10\nr2 += -4\ncall 1\nr0 = 0\nexit",
        "R1 type=scalar expected=map_ptr",
    );
    refuses(
        "xdp",
        "r1 = values ll\nr2 = 3\ncall 1\nr0 = 0\nexit",
        "R2 type=scalar expected=fp",
    );
    refuses(
        "xdp",
        "r1 = values ll\nr2 = 1\nr3 = 0\ncall 51\nexit",
        "cannot pass map_type 2 into func bpf_redirect_map#51",
    );
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
fn sockets_are_assigned_and_only_sometimes_taken_away() {
    let body = "r2 = 0\nr3 = 0\ncall 124\nr0 = 1\nexit";
    accepts("sk_lookup", body);
    refuses(
        "tc",
        body,
        "R2 type=scalar expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_",
    );
}

#[test]
fn one_helper_takes_no_context_where_there_is_no_buffer() {
    refuses(
        "tc",
        "r1 = 0\ncall 17\nr0 = 0\nexit",
        "R1 type=scalar expected=ctx",
    );
    accepts("tc", "call 17\nr0 = 0\nexit");
    accepts("xdp", "r1 = 0\ncall 17\nr0 = 0\nexit");
}

#[test]
fn sizes_of_memory_must_be_bounded() {
    let with = |bound: &str| {
        format!(
            "r6 = r1\ncall 7\nr4 = r0\n{bound}\nr1 = r6\nr2 = 0\nr3 = r10\nr3 += -64\ncall 26\n1:\n\
             r0 = 0\nexit"
        )
    };
    refuses("tc", &with(""), "R4 min value is negative");
    refuses(
        "tc",
        &with("r4 &= 63"),
        "R4 invalid zero-sized read: u64=[0,63]",
    );
    accepts("tc", &with("r4 &= 63\nif r4 == 0 goto 1f"));
    refuses(
        "tc",
        &with("r4 &= 127\nif r4 == 0 goto 1f"),
        "invalid write to stack R3",
    );
}

#[test]
fn references_are_given_back() {
    let lookup = "r6 = r1\nr2 = 0\n*(u64 *)(r10 - 8) = r2\n*(u64 *)(r10 - 16) = r2\nr2 = r10\n\
                  r2 += -16\nr3 = 12\nr4 = 0\nr5 = 0\ncall 84\n";
    refuses(
        "tc",
        &format!("{lookup}r0 = 0\nexit"),
        "Unreleased reference",
    );
    accepts(
        "tc",
        &format!("{lookup}if r0 == 0 goto 1f\nr1 = r0\ncall 86\n1:\nr0 = 0\nexit"),
    );
    refuses(
        "tc",
        &format!(
            "{lookup}if r0 == 0 goto 1f\nr7 = r0\nr1 = r0\ncall 86\nr0 = *(u32 *)(r7 + 4)\n1:\nr0 = 0\nexit"
        ),
        "R7 invalid mem access 'scalar'",
    );
}

#[test]
fn results_are_in_range_where_they_are_limited() {
    refuses(
        "cgroup_skb/egress",
        "r0 = 4\nexit",
        "At program exit the register R0 has smin=4 smax=4 should have been in [0, 3]",
    );
    accepts("cgroup_skb/egress", "r0 = 3\nexit");
    accepts("xdp", "r0 = 77\nexit");
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
fn tail_calls_that_come_back_changed_nothing() {
    let packet = "r6 = r1\nr7 = *(u32 *)(r1 + 0)\nr8 = *(u32 *)(r1 + 4)\nr9 = r7\nr9 += 1\nr0 = 1\n\
                  if r9 > r8 goto 1f\n";
    accepts(
        "xdp",
        &format!(
            "{packet}r1 = r6\nr2 = programs ll\nr3 = 0\ncall 12\nr0 = *(u8 *)(r7 + 0)\n1:\nexit"
        ),
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

#[test]
fn packet_loads_need_their_context() {
    accepts("tc", "r6 = r1\nr0 = *(u8 *)skb[12]\nexit");
    refuses(
        "tc",
        "r6 = r1\nr7 = 0\nr0 = *(u8 *)skb[12]\nr0 = r1\nexit",
        "R1 !read_ok",
    );
    refuses(
        "xdp",
        "r6 = r1\nr0 = *(u8 *)skb[12]\nexit",
        "BPF_LD_[ABS|IND] instructions not allowed for this program type",
    );
}

#[test]
fn findings_say_where_and_how() {
    let body = format!("{PACKET}r0 = 1\nif r4 < r3 goto 1f\nr0 = *(u8 *)(r2 + 0)\n1:\nexit");
    let Verdict::Rejected(finding) = check("xdp", &body).verdict else {
        panic!("accepted");
    };
    assert_eq!(finding.insn, Some(6));
    assert_eq!(finding.registers, [2]);
    assert_eq!(finding.rule.code(), "packet-bounds");
    assert_eq!(finding.rule.category().to_string(), "Memory Safety");
}

#[test]
fn changed_objects_end_in_an_answer() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/count_packets.s");
    let source = std::fs::read_to_string(path);
    let bytes = bpf::elf::write(&object(&source.expect("the program is there")))
        .expect("it can be written");
    let mut random = testsuite::packets::Random::new(7);
    let mut answers = 0;
    for _ in 0..3000 {
        let mut changed = bytes.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(changed.len() as u64) as usize;
            changed[at] = random.next_u64() as u8;
        }
        let Ok(object) = bpf::elf::read(&changed) else {
            continue;
        };
        for program in verifier::programs(&object).unwrap_or_default() {
            answers +=
                u32::from(verifier::check_program(&object, &program, &Options::default()).is_ok());
        }
    }
    assert!(answers > 100, "{answers}");
}
