//! What has to hold of any input whatever. Fuzzers try to break it (`testsuite/fuzz`), and
//! `tests/properties.rs` tries for a moment in each test run, beginning with what fuzzers found.
//!
//! Each function takes bytes, interprets them, and panics with a description when something does not
//! hold. An input that is refused with a diagnostic or a typed error is fine.

use bpf::diagnostic::{Diagnostic, FileId};
use bpf::elf;
use bpf::insn::{Endian, Insn, read_slots};
use bpf::object::{Contents, Object, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, Section, SectionId};
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
                assert_eq!(assembled.object, read, "reads differently");
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
    let text = listing::assembly(&object);
    let options = AsmOptions::new(object.endian);
    if let Ok(assembled) = assemble(&text, FileId(0), &options) {
        for id in object.section_ids() {
            same_section(&object, id, &assembled.object, &text);
        }
    }
}

fn same_section(object: &Object, id: SectionId, other: &Object, text: &str) {
    let Some(section) = object.section(id).filter(|section| section.is_executable()) else {
        return;
    };
    let same_name = |one: &SectionId| {
        object
            .section(*one)
            .is_some_and(|one| one.name == section.name)
    };
    // Sections of one name become one.
    if object.section_ids().filter(same_name).count() != 1 {
        return;
    }
    let found = other.section_by_name(&section.name);
    let found = found.expect("the section is there");
    assert_eq!(
        section.data(),
        other.data(found),
        "{}:\n{text}",
        section.name
    );
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
        // A call or a jump by a distance cannot be written alone.
        if let Ok(assembled) = assembled {
            let section = assembled.object.section_by_name(".text");
            let made = section.map(|id| assembled.object.data(id));
            assert_eq!(made, Some(expected), "{text}");
        }
        at += used;
    }
    whole_code(whole, endian);
}

fn whole_code(code: &[u8], endian: Endian) {
    let object = object_of(code, endian);
    let id = object.section_by_name(".text").expect("was just made");
    let _ = listing::objdump(&object, id);
    let text = listing::assembly(&object);
    let assembled = assemble(&text, FileId(0), &AsmOptions::new(endian));
    let assembled = assembled.unwrap_or_else(|errors| panic!("{:?} in\n{text}", errors.first()));
    let section = assembled.object.section_by_name(".text");
    let made = section.map(|id| assembled.object.data(id));
    assert_eq!(made, Some(code), "{text}");
}

/// An object whose `.text` is this code.
fn object_of(code: &[u8], endian: Endian) -> Object {
    let mut section = Section::new(".text", SHT_PROGBITS);
    section.flags = SHF_ALLOC | SHF_EXECINSTR;
    section.contents = Contents::Bytes(code.to_vec());
    let mut object = Object::new(endian);
    object.add_section(section);
    object
}
