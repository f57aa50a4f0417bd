//! The assembly of every object of `programs` and of the corpus is accepted and gives the same object
//! again, unless it says itself what it cannot.

mod trials;

use bpf::diagnostic::FileId;
use bpf::object::Object;
use bpfmill::listing::{differences, whole_assembly};
use frontend::asm::{AsmOptions, assemble};
use libtest_mimic::Failed;
use testsuite::objects::TestObject;

fn main() {
    trials::check_objects(check, || {}).exit();
}

fn check(test: &TestObject) -> Result<(), Failed> {
    let bytes = std::fs::read(&test.path)?;
    let Ok(object) = bpf::elf::read(&bytes) else {
        // A damaged object; that it is refused is tested where the reader is.
        return Ok(());
    };
    let assembly = whole_assembly(&object);
    let again = reassembled(&object, &assembly.text)?;
    let found = differences(&object, &again);
    // What the text says that it lacks may be missing, but for numbers in a table that was stripped.
    let mut lost = assembly.lost.iter();
    let lacks = lost.any(|lost| !lost.contains("address-significant"));
    match found.is_empty() || lacks {
        true => Ok(()),
        false => Err(found.join("\n").into()),
    }
}

fn reassembled(object: &Object, text: &str) -> Result<Object, Failed> {
    let options = AsmOptions::new(object.endian);
    match assemble(text, FileId(0), &options) {
        Ok(assembled) => Ok(assembled.object),
        Err(errors) => {
            let first = errors.first().map(|error| {
                let start = error
                    .labels
                    .first()
                    .map_or(0, |label| label.span.start as usize);
                let line = text.get(..start).unwrap_or("").lines().count();
                let said = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
                format!("{}: line {line}: {said}", error.message)
            });
            Err(format!("{} errors: {}", errors.len(), first.unwrap_or_default()).into())
        }
    }
}
