//! What a refusal means in the very case: the general [`advice`] of its rule, made
//! definite by the numbers in the kernel's text and by the instruction.

use bpf::helpers::by_name;
use bpf::insn::{AluOp, Insn};
use bpf::program_type::ProgramType;
use verifier::program::Program;
use verifier::{Finding, Rule, StepKind};

use super::context;
use crate::advice;

/// Helpers for packets in socket buffers, and those that do the same in XDP programs.
const IN_XDP: &[(&str, &str)] = &[
    ("bpf_skb_load_bytes", "bpf_xdp_load_bytes"),
    ("bpf_skb_store_bytes", "bpf_xdp_store_bytes"),
    ("bpf_skb_change_tail", "bpf_xdp_adjust_tail"),
    ("bpf_skb_change_head", "bpf_xdp_adjust_head"),
    ("bpf_skb_adjust_room", "bpf_xdp_adjust_head"),
    ("bpf_skb_output", "bpf_xdp_output"),
];

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Particular {
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub suggestion: String,
}

/// The words for a finding.
#[must_use]
pub fn of(program: &Program, finding: &Finding) -> Particular {
    let general = advice::of(finding.rule);
    let text = finding.kernel_text.as_str();
    let insn = finding.insn.and_then(|slot| program.insn(slot));
    let (reason, suggestion) = match finding.rule {
        Rule::PacketBounds => packet(text, &finding.values),
        Rule::MapValueBounds => map_value(text, &finding.values),
        Rule::UnboundedOffset if text.contains("unbounded min value") => (
            say("nothing bounds the number from below, so it may be negative"),
            say("compare it unsigned with a constant, or mask it, before adding it"),
        ),
        Rule::PointerOffset if !adds(insn) => {
            let general = advice::of(Rule::PointerArithmetic);
            (say(general.reason), say(general.suggestion))
        }
        Rule::ContextAccess => {
            let place = number(text, " off=").zip(number(text, " size="));
            let field = place.and_then(|(offset, size)| {
                context::explain(program.program_type, insn, offset, size)
            });
            field.map_or((None, None), |(reason, suggestion)| {
                (Some(reason), suggestion)
            })
        }
        Rule::HelperNotAllowed => (None, other_helper(program.program_type, text)),
        Rule::ArgumentType if text.contains("type=scalar expected=") => (
            say("the argument is a number, and the function takes a pointer"),
            say("hand over the address of the variable, as in `&key`, and not what is in it"),
        ),
        Rule::ArgumentSize => (argument_size(text), copy_was_compared(finding)),
        Rule::TooComplex if text.contains("jumps is too complex") => (
            say(
                "so many decisions wait for their other way at once: a loop goes round again and \
                 again, without a limit of its own",
            ),
            say("also compare the loop's counter with a constant, or use bpf_loop or an iterator"),
        ),
        Rule::TailCallInSubprogram => tail_call(text),
        Rule::ReturnValue => return_value(text),
        Rule::UninitialisedRegister if matches!(insn, Some(Insn::Exit)) => (
            say("the function ends, but on this path nothing was written to r0, its result"),
            say("set r0 on every path; in C, end every path with `return` and a value"),
        ),
        _ => (None, None),
    };
    Particular {
        reason: reason.unwrap_or_else(|| general.reason.to_owned()),
        suggestion: suggestion.unwrap_or_else(|| general.suggestion.to_owned()),
    }
}

type Words = (Option<String>, Option<String>);

#[expect(
    clippy::unnecessary_wraps,
    reason = "what is said replaces what is not"
)]
fn say(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The number behind a name such as `off=`.
fn number(text: &str, name: &str) -> Option<i64> {
    let (_, rest) = text.split_once(name)?;
    let end = rest.find(|one: char| !one.is_ascii_digit() && one != '-');
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

/// Whether an instruction is one that pointers can have.
fn adds(insn: Option<Insn>) -> bool {
    match insn {
        Some(Insn::Alu { op, .. }) => matches!(op, AluOp::Add | AluOp::Sub),
        _ => true,
    }
}

fn packet(text: &str, values: &[String]) -> Words {
    let found = || {
        let end = number(text, " off=")?.checked_add(number(text, " size=")?)?;
        Some((number(text, "(id=")?, end, number(text, ",r=")?))
    };
    let is_packet = values.iter().any(|value| {
        let rest = value.strip_prefix("pkt");
        rest.is_some_and(|rest| !rest.starts_with('_'))
    });
    match found() {
        // All of this is counted from data, whatever constants were added.
        Some((0, end, known)) if is_packet && known > 0 && end > known => (
            Some(format!(
                "the comparisons on this path show the first {known} bytes of the packet, and the \
                 access ends after byte {end}"
            )),
            Some(format!(
                "leave when data plus {end} is greater than data_end, which is the address behind \
                 the last byte"
            )),
        ),
        Some((_, end, known)) if known > 0 && end > known => (
            Some(format!(
                "the comparisons on this path show {known} bytes from the sum without its \
                 constants, and the access ends after byte {end}"
            )),
            None,
        ),
        Some((id, _, 0)) if id > 0 => (
            say(
                "a number that is not constant was added to the pointer, and on this path the \
                 sum was not compared with data_end; what is known of other sums does not count",
            ),
            say(
                "add once, keep the sum, compare it plus the size of the access with data_end, \
                 and access through it",
            ),
        ),
        _ => (None, None),
    }
}

fn map_value(text: &str, values: &[String]) -> Words {
    let is_indexed = values.iter().any(|value| value.contains("+["));
    let found = || {
        let offset = number(text, " off=")?;
        let end = offset.checked_add(number(text, " size=")?)?;
        Some((offset, end, number(text, "value_size=")?))
    };
    match found() {
        Some((offset, end, size)) if offset >= 0 && end > size => (
            Some(format!(
                "the access can reach up to byte {end} of a value that has {size}"
            )),
            (offset == size && is_indexed).then(|| {
                "bound the offset one lower: an index must be less than the number of elements"
                    .to_owned()
            }),
        ),
        _ => (None, None),
    }
}

fn other_helper(kind: ProgramType, text: &str) -> Option<String> {
    let (_, name) = text.rsplit_once(' ')?;
    let (name, _) = name.split_once('#')?;
    let (_, other) = IN_XDP.iter().find(|(socket, _)| *socket == name)?;
    by_name(other.strip_prefix("bpf_")?)?;
    (kind == ProgramType::Xdp).then(|| format!("in XDP programs {other} is for this"))
}

fn argument_size(text: &str) -> Option<String> {
    if text.contains("min value is negative") {
        return say("nothing bounds the size from below, so it may be negative");
    }
    if text.contains("unbounded memory access") {
        return say("nothing bounds the size from above");
    }
    None
}

/// Where a bound was looked for in another register than the one that is used.
fn copy_was_compared(finding: &Finding) -> Option<String> {
    finding.path.iter().rev().find_map(|step| match &step.kind {
        StepKind::Branch {
            relative: Some(tested),
            ..
        } => Some(format!(
            "compare the register that is used: instruction {} compares {tested}, made from the \
             same value; in C, give the variable the type of the value, so that nothing is cut off",
            step.insn
        )),
        _ => None,
    })
}

fn tail_call(text: &str) -> Words {
    if text.contains("that return 'int'") {
        return (
            say("the function has a tail call, and its type does not say that it returns int"),
            say(
                "let it return int, which counts where the tail call fails, or do the tail call \
                 in the main function",
            ),
        );
    }
    if text.contains("without BTF") {
        return (
            say(
                "the function has a tail call, and the object has no type for it that says that \
                 it returns int",
            ),
            say("do the tail call in the main function, or compile C with -g"),
        );
    }
    if text.contains("bytes. Too large") {
        return (
            say("the callers of a function with a tail call must use less than 256 bytes of stack"),
            say("do the tail call in the main function, or use less stack in the callers"),
        );
    }
    (None, None)
}

fn return_value(text: &str) -> Words {
    let range = text.split_once("should have been in [");
    let range = range.and_then(|(_, rest)| rest.split_once(']'));
    let Some((least, most)) = range.and_then(|(range, _)| range.split_once(", ")) else {
        return (None, None);
    };
    let range = if least == most {
        format!("return {least}")
    } else {
        format!("return a number from {least} to {most}")
    };
    (
        Some(format!("programs of this type can only {range}")),
        Some(format!("{range} on every path")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_text_are_told() {
        let short = "invalid access to packet, off=30 size=4, R1(id=0,off=30,r=33)";
        let values = ["pkt (checked to 33)".to_owned()];
        let (reason, _) = packet(short, &values);
        assert!(reason.is_some_and(|reason| reason.contains("first 33 bytes")));
        let none = "invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)";
        assert_eq!(packet(none, &values), (None, None));
        // Metadata is not counted from data.
        let (_, suggestion) = packet(short, &["pkt_meta (checked to 33)".to_owned()]);
        assert_eq!(suggestion, None);
        let values = ["map_value+[0..=128]".to_owned()];
        let past = "invalid access to map value, value_size=128 off=128 size=8";
        let (reason, suggestion) = map_value(past, &values);
        assert!(reason.is_some_and(|reason| reason.contains("byte 136")));
        assert!(suggestion.is_some());
        assert_eq!(map_value(past, &[]).1, None);
        let before = "invalid access to map value, value_size=8 off=-8 size=8";
        assert_eq!(map_value(before, &values), (None, None));
        let (_, suggestion) = return_value("R0 has smin=2 smax=2 should have been in [0, 1]");
        assert!(suggestion.is_some_and(|text| text.contains("from 0 to 1")));
    }

    #[test]
    fn the_helper_of_xdp_is_named() {
        let text = "program of this type cannot use helper bpf_skb_load_bytes#26";
        let found = other_helper(ProgramType::Xdp, text);
        assert!(found.is_some_and(|text| text.contains("bpf_xdp_load_bytes")));
        assert_eq!(other_helper(ProgramType::Kprobe, text), None);
        for (_, other) in IN_XDP {
            let name = other.trim_start_matches("bpf_");
            assert!(by_name(name).is_some(), "{other}");
        }
    }
}
