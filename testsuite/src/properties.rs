//! What has to hold of any input whatever. Fuzzers try to break it (`testsuite/fuzz`), and
//! `tests/properties.rs` tries for a moment in each test run, beginning with what fuzzers found.
//!
//! Each function takes bytes, interprets them, and panics with a description when something does not
//! hold. An input that is refused with a diagnostic or a typed error is fine.

use bpf::diagnostic::{Diagnostic, FileId, SourceMap};
use bpf::elf;
use bpf::insn::{CallTarget, Endian, Insn, read_slots};
use bpfmill::{listing, render};
use frontend::asm::{AsmOptions, NoFiles, Syntax, assemble, assemble_file, warnings};

/// Diagnostics of one input that are rendered.
const RENDERED: usize = 20;

/// Text: every diagnostic has a place in it and can be shown; an object that is made can be written,
/// and reads as the same. The length of the text chooses the dialect and options.
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
        options.relax = text.len() % 3 == 1;
        if text.len() % 4 == 2 {
            options.syntax = Syntax::Classic;
        }
        let mut map = SourceMap::new();
        let file = map.add("text.s", text).expect("is short");
        let found = match assemble_file(&mut map, file, &options, &mut NoFiles) {
            Ok(assembled) => {
                let written = elf::write(&assembled.object).expect("an object can be written");
                let read = elf::read(&written).expect("what was written can be read");
                // String tables are made when writing, so the objects are not compared themselves.
                assert!(
                    elf::write(&read).as_ref() == Ok(&written),
                    "writes differently"
                );
                let mut found = assembled.warnings;
                found.extend(warnings::check(&assembled.object, &assembled.instructions));
                found
            }
            Err(errors) => {
                assert!(!errors.is_empty(), "refused without a reason");
                errors
            }
        };
        for diagnostic in &found {
            has_place(diagnostic, &map);
        }
        for diagnostic in found.iter().take(RENDERED) {
            assert!(!render::to_string(&map, diagnostic, false).is_empty());
            let _ = render::json(&map, diagnostic);
        }
    }
}

fn has_place(diagnostic: &Diagnostic, map: &SourceMap) {
    assert!(diagnostic.span().is_some(), "a diagnostic has a place");
    assert!(!diagnostic.message.is_empty());
    let labels = diagnostic.labels.iter().map(|label| label.span);
    let suggestions = diagnostic.suggestions.iter();
    let edits = suggestions.flat_map(|suggestion| &suggestion.edits);
    for span in labels.chain(edits.map(|edit| edit.span)) {
        let text = map.file(span.file).map(|file| file.text.get(span.range()));
        assert!(
            text.flatten().is_some(),
            "{span:?} of {diagnostic:?} is no text"
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
