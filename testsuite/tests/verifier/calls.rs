//! Helpers: who may call them, what they take, hold and give back.

use verifier::Verdict;

use super::{LOOKUP, accepts, check, refuses};

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
