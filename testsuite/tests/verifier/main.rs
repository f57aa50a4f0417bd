//! What file tests of the verifier (`filetests/check`) cannot say: instructions that assembly cannot
//! write, what a finding consists of, and objects that are damaged.

mod slots;

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use bpf::object::Object;
use frontend::asm::{AsmOptions, assemble};
use verifier::{Options, ProgramId, Report, Verdict};

fn object(source: &str) -> Object {
    let options = AsmOptions::new(Endian::Little);
    match assemble(source, FileId(0), &options) {
        Ok(assembled) => assembled.object,
        Err(errors) => panic!("{errors:?}\n{source}"),
    }
}

/// Verifies a program in a section, with a GPL licence.
fn check(section: &str, body: &str) -> Report {
    let source = format!(
        "\t.section {section},\"ax\",@progbits\n\t.globl main\n\t.type main,@function\nmain:\n\
         {body}\n\t.size main, .-main\n\
         \t.section license,\"aw\",@progbits\n\t.asciz \"GPL\"\n"
    );
    let id = ProgramId {
        section: section.to_owned(),
        function: "main".to_owned(),
    };
    verifier::check_program(&object(&source), &id, &Options::default())
        .unwrap_or_else(|error| panic!("{error}\n{source}"))
}

const PACKET: &str = "r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr4 = r2\nr4 += 14\n";

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
