//! What has to hold of any input whatever. Fuzzers try to break it (`testsuite/fuzz`), and
//! `tests/properties.rs` tries for a moment in each test run, beginning with what fuzzers found.
//!
//! Each function takes bytes, interprets them, and panics with a description when something does not
//! hold. An input that is refused with a diagnostic or a typed error is fine.

use bpf::diagnostic::{Diagnostic, FileId};
use bpf::elf;
use bpf::insn::{CallTarget, Endian, Insn, read_slots};
use bpfmill::listing;
use frontend::asm::{AsmOptions, assemble};

/// Text: every diagnostic has a place in it; an object that is made can be written, and reads as
/// the same.
///
/// # Panics
/// When something of this does not hold.
pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for endian in [Endian::Little, Endian::Big] {
        let mut options = AsmOptions::new(endian);
        options.llvm_compat = text.len() % 2 == 1;
        match assemble(text, FileId(0), &options) {
            Ok(assembled) => {
                assembled
                    .warnings
                    .iter()
                    .for_each(|warning| has_place(warning, text));
                let written = elf::write(&assembled.object).expect("an object can be written");
                let read = elf::read(&written).expect("what was written can be read");
                // String tables are made when writing, so the objects are not compared themselves.
                assert!(
                    elf::write(&read).as_ref() == Ok(&written),
                    "writes differently"
                );
            }
            Err(errors) => {
                assert!(!errors.is_empty(), "refused without a reason");
                errors.iter().for_each(|error| has_place(error, text));
            }
        }
    }
}

fn has_place(diagnostic: &Diagnostic, text: &str) {
    let span = diagnostic.span().expect("a diagnostic has a place");
    assert!(!diagnostic.message.is_empty());
    // Other files are texts of macros.
    if span.file == FileId(0) {
        assert!(
            text.get(span.range()).is_some(),
            "{span:?} is no part of the text"
        );
    }
}

/// An ELF file: what can be read can be written and reads the same; its listings can be made, and
/// its assembly, where it is taken, gives the same code.
///
/// # Panics
/// When something of this does not hold.
pub fn object(bytes: &[u8]) {
    let Ok(object) = elf::read(bytes) else {
        return;
    };
    let written = elf::write(&object).expect("what was read can be written");
    let again = elf::read(&written).expect("what was written can be read");
    assert_eq!(object, again, "reads differently");
    for id in object.section_ids() {
        let _ = listing::objdump(&object, id);
    }
    for function in object.functions() {
        let data = object.data(function.section);
        assert!(function.end() <= data.len() as u64, "{function:?}");
    }
    let made = listing::whole_assembly(&object);
    // What cannot be said in text is listed, and then nothing is promised.
    if !made.lost.is_empty() {
        return;
    }
    let options = AsmOptions::new(object.endian);
    if let Ok(assembled) = assemble(&made.text, FileId(0), &options) {
        let differences = listing::differences(&object, &assembled.object);
        assert!(differences.is_empty(), "{differences:?}\n{}", made.text);
    }
}

/// Code, after a byte that chooses the order of bytes: what an instruction is printed as assembles to
/// its bytes, and so does the assembly of all of it.
///
/// # Panics
/// When something of this does not hold.
pub fn code(bytes: &[u8]) {
    let Some((first, code)) = bytes.split_first() else {
        return;
    };
    let endian = if first % 2 == 0 {
        Endian::Little
    } else {
        Endian::Big
    };
    let whole = code.get(..code.len() / 8 * 8).unwrap_or_default();
    let slots = read_slots(whole, endian).expect("whole slots");
    let mut at = 0;
    while let Some(rest) = slots.get(at..).filter(|rest| !rest.is_empty()) {
        let Ok((insn, used)) = Insn::decode(rest) else {
            at += 1;
            continue;
        };
        let used = used.max(1);
        let expected = whole.get(at * 8..(at + used) * 8).unwrap_or_default();
        let text = insn.to_string();
        let assembled = assemble(&text, FileId(0), &AsmOptions::new(endian));
        // A call by a distance is not written like one, and needs its target.
        let by_distance = matches!(
            insn,
            Insn::Call { target } if !matches!(target, CallTarget::Helper(_))
        );
        if let Ok(assembled) = assembled
            && !by_distance
        {
            let section = assembled.object.section_by_name(".text");
            let made = section.map(|id| assembled.object.data(id));
            assert_eq!(made, Some(expected), "{text}");
        }
        at += used;
    }
    whole_code(whole, endian);
}

fn whole_code(code: &[u8], endian: Endian) {
    let object = listing::object_of(code.to_vec(), endian);
    let text = listing::whole_assembly(&object).text;
    let assembled = assemble(&text, FileId(0), &AsmOptions::new(endian));
    let assembled = assembled.unwrap_or_else(|errors| panic!("{:?} in\n{text}", errors.first()));
    let differences = listing::differences(&object, &assembled.object);
    assert!(differences.is_empty(), "{differences:?}\n{text}");
}
