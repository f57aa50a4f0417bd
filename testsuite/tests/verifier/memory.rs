//! Packets, contexts, values of maps and the stack: what may be accessed.

use verifier::{Options, Report, Verdict};

use super::{LOOKUP, PACKET, accepts, check, check_with, refuses};

/// Small programs for a kernel before 6.3.
fn check_5_10(section: &str, body: &str) -> Report {
    let options = Options {
        kernel: verifier::Kernel::V5_10,
        ..Options::default()
    };
    check_with(section, body, &options)
}

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
