//! What is wrong with a file is said with the section and the byte offset.

use bpf::btf::{Btf, BtfExt, TypeId, TypeKind};
use bpf::elf;
use bpf::insn::Endian;
use bpf::object::*;
use libtest_mimic::{Failed, Trial};

use crate::sample;

/// Where the fields of a section header lie.
mod field {
    pub const NAME: usize = 0;
    pub const KIND: usize = 4;
    pub const OFFSET: usize = 24;
    pub const SIZE: usize = 32;
    pub const LINK: usize = 40;
    pub const INFO: usize = 44;
    pub const ALIGN: usize = 48;
    pub const ENTRY_SIZE: usize = 56;
}

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 5] = [
        ("file header", file_header),
        ("section headers", section_headers),
        ("tables", tables),
        ("btf", btf),
        ("names that share bytes", shared_names),
    ];
    let trial = |(name, test)| Trial::test(format!("malformed/{name}"), test);
    tests.into_iter().map(trial).collect()
}

/// A little-endian file with ways to damage it.
struct File {
    bytes: Vec<u8>,
    object: Object,
}

impl File {
    fn new() -> Result<File, Failed> {
        let bytes = elf::write(&sample::object(Endian::Little))?;
        Ok(File {
            object: elf::read(&bytes)?,
            bytes,
        })
    }

    fn header(&self, section: &str) -> Result<usize, Failed> {
        let id = self
            .object
            .section_by_name(section)
            .ok_or("no such section")?;
        Ok(self.object.layout.header_table as usize + id.0 as usize * 64)
    }

    fn offset(&self, section: &str) -> Result<usize, Failed> {
        let id = self
            .object
            .section_by_name(section)
            .ok_or("no such section")?;
        let hint = self.object.layout.sections[id.0 as usize].ok_or("no such section")?;
        Ok(hint.offset as usize)
    }

    fn set(mut self, at: usize, value: &[u8]) -> File {
        self.bytes[at..at + value.len()].copy_from_slice(value);
        self
    }

    fn set_field(self, section: &str, field: usize, value: u64) -> Result<File, Failed> {
        let at = self.header(section)? + field;
        let wide = matches!(
            field,
            field::OFFSET | field::SIZE | field::ALIGN | field::ENTRY_SIZE
        );
        Ok(self.set(at, &value.to_le_bytes()[..if wide { 8 } else { 4 }]))
    }

    /// The file is refused by a message that begins with `start` and contains `rest`.
    fn refused(&self, start: &str, rest: &str) -> Result<(), Failed> {
        match elf::read(&self.bytes) {
            Ok(_) => Err(format!("was read, expected: {rest}").into()),
            Err(error) => {
                let message = error.to_string();
                if message.starts_with(start) && message.contains(rest) {
                    return Ok(());
                }
                Err(format!("expected {start} … {rest}, got {message}").into())
            }
        }
    }
}

fn file_header() -> Result<(), Failed> {
    let new = File::new;
    let mut cut = new()?;
    cut.bytes.truncate(63);
    cut.refused(
        "ELF file, byte 0x0",
        "the file ends before the file header does",
    )?;
    cut.bytes.truncate(3);
    cut.refused("ELF file, byte 0x0", "not an ELF file")?;
    new()?
        .set(4, &[1])
        .refused("ELF file, byte 0x4", "EI_CLASS is 1")?;
    new()?
        .set(5, &[3])
        .refused("ELF file, byte 0x5", "EI_DATA is 3")?;
    new()?
        .set(16, &[2])
        .refused("ELF file, byte 0x10", "e_type is 2")?;
    new()?
        .set(18, &[62])
        .refused("ELF file, byte 0x12", "e_machine is 62")?;
    new()?
        .set(56, &[1])
        .refused("ELF file, byte 0x38", "e_phnum is 1")?;
    new()?
        .set(58, &[32])
        .refused("ELF file, byte 0x3a", "e_shentsize is 32")?;
    new()?
        .set(60, &[0xff, 0xfe])
        .refused("ELF file", "the section header table")?;
    new()?
        .set(60, &[0xff, 0xff])
        .refused("ELF file, byte 0x3c", "more sections")?;
    new()?
        .set(40, &[0; 8])
        .refused("ELF file, byte 0x28", "no sections")?;
    new()?
        .set(40, &[0xff; 8])
        .refused("ELF file", "the section header table")?;
    new()?
        .set(62, &[99])
        .refused("ELF file, byte 0x3e", "e_shstrndx names section 99")?;
    new()?.set(40, &[8, 0, 0, 0, 0, 0, 0, 0]).refused("", "")
}

fn section_headers() -> Result<(), Failed> {
    let new = File::new;
    new()?
        .set_field("xdp", field::NAME, 0xffff_fff0)?
        .refused("section 3 ``", "0xfffffff0")?;
    new()?
        .set_field("xdp", field::OFFSET, u64::MAX - 8)?
        .refused("section 3 `xdp`", "reach past the end of the file")?;
    new()?.set_field("xdp", field::SIZE, 1 << 40)?.refused(
        "section 3 `xdp`, byte 0x50",
        "reach past the end of the file",
    )?;
    new()?
        .set_field("xdp", field::SIZE, 40)?
        .refused("section", "overlaps section 3 `xdp`")?;
    new()?
        .set_field("xdp", field::OFFSET, 8)?
        .refused("section 3", "overlaps the file header")?;
    new()?
        .set_field("xdp", field::ALIGN, 12)?
        .refused("section 3 `xdp`", "alignment 12")?;
    new()?
        .set_field(".symtab", field::LINK, 3)?
        .refused("section 11 `.symtab`", "sh_link names")?;
    new()?
        .set_field("license", field::KIND, 2)?
        .refused("section", "a second symbol table")?;
    new()?
        .set_field("license", field::KIND, 18)?
        .refused("section 7 `license`", "0x12")?;
    new()?
        .set_field(".symtab", field::ENTRY_SIZE, 16)?
        .refused("section 11", "expected 24 each")?;
    new()?
        .set_field(".symtab", field::SIZE, 0)?
        .refused("section 11", "is empty")
}

fn tables() -> Result<(), Failed> {
    let new = File::new;
    let symbols = new()?.offset(".symtab")?;
    let relocations = new()?.offset(".relxdp")?;
    let (at, message) = (
        format!("byte {:#x}", symbols + 24),
        "symbol 1 is defined in section 200",
    );
    new()?
        .set(symbols + 24 + 6, &[200, 0])
        .refused(&format!("section 11 `.symtab`, {at}"), message)?;
    let message = "name at 0xff00000 is not in the string table";
    new()?
        .set(symbols + 24, &[0, 0, 0xf0, 0xf])
        .refused(&format!("section 11 `.symtab`, {at}"), message)?;
    let place = format!("section 4 `.relxdp`, byte {relocations:#x}");
    let message = "relocation 0 at 0x18 with type 1 reaches out of `xdp`";
    new()?.set(relocations, &[24]).refused(&place, message)?;
    new()?
        .set(relocations, &[0xff; 8])
        .refused(&place, "reaches out of `xdp`")?;
    let message = "relocation 0 is against symbol 77, which does not exist";
    new()?
        .set(relocations + 12, &[77])
        .refused(&place, message)?;
    new()?
        .set_field(".relxdp", field::INFO, 0)?
        .refused("section 4 `.relxdp`", "sh_info names")?;
    new()?
        .set_field(".relxdp", field::LINK, 1)?
        .refused("section 4 `.relxdp`", "sh_link names")?;
    new()?
        .set_field(".rel.BTF.ext", field::INFO, 3)?
        .refused("section 10", "a second relocation")
}

fn btf() -> Result<(), Failed> {
    let refused = |bytes: &[u8], message: &str| match Btf::parse(bytes, Endian::Little) {
        Ok(_) => Err(Failed::from(format!("was read, expected: {message}"))),
        Err(error) if error.to_string() == message => Ok(()),
        Err(error) => Err(format!("expected {message}, got {error}").into()),
    };
    let (sample, ext) = sample::types(Endian::Little);
    let bytes = sample.to_bytes();
    let set = |at: usize, value: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    refused(
        &bytes[..10],
        "section `.BTF`, byte 0x4: the header is cut off",
    )?;
    refused(
        &set(0, &[0x9e]),
        "section `.BTF`, byte 0x0: magic number is 0xeb9e, expected 0xeb9f",
    )?;
    refused(
        &set(4, &[0xff; 4]),
        "section `.BTF`, byte 0x4: the header is cut off",
    )?;
    let message =
        "section `.BTF`, byte 0x18: the type section at 0x18 with 4294967295 bytes is out of place";
    refused(&set(12, &[0xff; 4]), message)?;
    refused(
        &set(24 + 4, &[0, 0, 0, 0x1e]),
        "section `.BTF`, byte 0x18: type 1 has unknown kind 30",
    )?;
    refused(
        &set(24 + 4, &[1]),
        "section `.BTF`, byte 0x18: type 1 has a reserved field that is not zero",
    )?;
    refused(
        &set(24, &[0xff; 4]),
        "section `.BTF`, byte 0x18: no string at 0xffffffff",
    )?;

    let edited = |id: u32, kind: TypeKind| {
        let mut btf = sample.clone();
        btf.get_mut(TypeId(id)).expect("the type exists").kind = kind;
        btf
    };
    let dangling = edited(2, TypeKind::Pointer { target: TypeId(99) });
    let message = "section `.BTF`, byte 0x28: type 2 refers to type 99, which does not exist";
    refused(&dangling.to_bytes(), message)?;
    let cyclic = edited(5, TypeKind::Typedef { target: TypeId(3) });
    let cyclic = {
        let mut btf = cyclic;
        let kind = TypeKind::Array {
            element: TypeId(5),
            index: TypeId(1),
            count: 2,
        };
        btf.get_mut(TypeId(3)).expect("the type exists").kind = kind;
        btf
    };
    assert_eq!(
        (cyclic.resolve(TypeId(5)), cyclic.size_of(TypeId(5))),
        (Some(TypeId(3)), None)
    );
    let place = cyclic.type_position(TypeId(5)).unwrap_or(0);
    refused(
        &cyclic.to_bytes(),
        &format!("section `.BTF`, byte {place:#x}: type 5 contains itself"),
    )?;
    let huge = edited(
        3,
        TypeKind::Array {
            element: TypeId(1),
            index: TypeId(1),
            count: u32::MAX,
        },
    );
    assert_eq!(huge.size_of(TypeId(3)), Some(4 * u64::from(u32::MAX)));

    let ext = ext.to_bytes();
    let refused = |at: usize, value: u8, message: &str| {
        let mut ext = ext.clone();
        ext[at] = value;
        match BtfExt::parse(&ext, Endian::Little) {
            Ok(_) => Err(Failed::from(format!("was read, expected: {message}"))),
            Err(error) if error.to_string() == message => Ok(()),
            Err(error) => Err(format!("expected {message}, got {error}").into()),
        }
    };
    let message = "section `.BTF.ext`, byte 0x20: func_info records of 4 bytes, expected a multiple of 4 and at least 8";
    refused(32, 4, message)?;
    refused(
        40,
        200,
        "section `.BTF.ext`, byte 0x28: func_info is cut off",
    )?;
    let message = "section `.BTF.ext`, byte 0x10: the table at 0x48 with 44 bytes is out of place";
    refused(16, 40, message)
}

/// A file whose symbols all share one long name would take the square of its size.
fn shared_names() -> Result<(), Failed> {
    let mut object = sample::object(Endian::Little);
    for _ in 0..1000 {
        let symbol = Symbol {
            name: "n".repeat(100_000),
            binding: STB_GLOBAL,
            kind: STT_NOTYPE,
            other: 0,
            place: SymbolPlace::Undefined,
            value: 0,
            size: 0,
        };
        object.add_symbol(symbol);
    }
    let bytes = elf::write(&object)?;
    match elf::read(&bytes) {
        Err(error) if error.to_string().ends_with("names are too long in sum") => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}
