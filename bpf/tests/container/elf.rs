//! Reading, writing and reading again gives the same data and the same bytes.

use std::path::Path;

use bpf::elf;
use bpf::object::{Contents, FileLayout, Object, SHT_STRTAB};
use libtest_mimic::Failed;

/// Objects that are malformed on purpose, with what the reader says about them.
pub const REFUSED: &[(&str, &str)] = &[(
    "ebpf-samples/invalid/badsymsize.o",
    "section 10 `.symtab`, byte 0x0: overlaps the file header",
)];

pub fn refused(path: &Path, expected: &str) -> Result<(), Failed> {
    match elf::read(&std::fs::read(path)?) {
        Ok(_) => Err("was read".into()),
        Err(error) if error.to_string() == expected => Ok(()),
        Err(error) => Err(format!("refused otherwise: {error}").into()),
    }
}

pub fn same(bytes: &[u8]) -> Result<(), Failed> {
    let object = elf::read(bytes)?;
    let written = elf::write(&object)?;
    if elf::read(&written)? != object {
        return Err("reads differently after writing".into());
    }
    if written != bytes {
        return Err("bytes differ".into());
    }
    // With packed positions, and with string tables built anew, only those differ.
    let mut packed = object.clone();
    packed.layout.header_table = 0;
    let mut reread = elf::read(&elf::write(&packed)?)?;
    reread.layout = packed.layout.clone();
    if reread != packed {
        return Err("reads differently when packed".into());
    }
    let fresh = without_hints(object);
    if without_hints(elf::read(&elf::write(&fresh)?)?) != fresh {
        return Err("reads differently with new string tables".into());
    }
    Ok(())
}

/// The object as if it had been made from nothing.
pub fn without_hints(mut object: Object) -> Object {
    object.layout = FileLayout::default();
    for section in &mut object.sections {
        if section.kind == SHT_STRTAB {
            section.contents = Contents::Bytes(Vec::new());
        }
    }
    object
}
