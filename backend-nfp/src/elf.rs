//! Words as an ELF file for one micro-engine, as GNU objdump reads it (NFP.md, section 13).
//!
//! There is one section of code, at the address where the words will be. Which engine it is for
//! stands in the section's `sh_info`; a disassembler needs one that exists.
//!
//! Cost: linear in the words.

use object::elf::{
    ELFCLASS64, ELFDATA2LSB, ET_EXEC, EV_CURRENT, FileFlags, FileHeader64, Ident, Machine, OsAbi,
    SHF_ALLOC, SHF_EXECINSTR, SHT_NULL, SHT_PROGBITS, SHT_STRTAB, SectionFlags, SectionHeader64,
    SectionType, SymbolSection,
};
use object::pod::bytes_of;
use object::{LittleEndian as LE, U16, U32, U64};

/// The machine's number.
pub const EM_NFP: u16 = 250;
/// Flags that name the family: NFP-4000 and NFP-6000.
pub const FAMILY: u32 = 0x6000 << 8;
/// Bytes of a word.
pub const WORD_BYTES: u64 = 8;

/// Kind of memory in a section's `sh_info`: the instruction store.
const INSTRUCTION_STORE: u32 = 1;
/// Names of sections, and where in them each starts.
const NAMES: &[u8] = b"\0.text\0.shstrtab\0";
const NAME_OF_CODE: u32 = 1;
const NAME_OF_NAMES: u32 = 7;
/// Bytes of the file's header, and of a section's.
const HEADER: u64 = 64;
/// None, code, names.
const SECTIONS: u16 = 3;

/// A micro-engine on the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Engine {
    /// Its island.
    pub island: u8,
    /// Its number on the island.
    pub number: u8,
}

impl Default for Engine {
    /// Any that a disassembler accepts: islands 1 to 63, engines 0 to 11.
    fn default() -> Self {
        Engine {
            island: 32,
            number: 0,
        }
    }
}

/// An ELF file with words that start at a program counter.
#[must_use]
pub fn write(words: &[u64], start: u16, engine: Engine) -> Vec<u8> {
    let size = words.len() as u64 * WORD_BYTES;
    let names = HEADER + size;
    let table = (names + NAMES.len() as u64).next_multiple_of(WORD_BYTES);
    let domain = u32::from(engine.island) << 8 | u32::from(engine.number);
    let code = SectionHeader64 {
        sh_flags: U64::new(LE, SectionFlags((SHF_ALLOC | SHF_EXECINSTR).0)),
        sh_addr: U64::new(LE, u64::from(start) * WORD_BYTES),
        sh_info: U32::new(LE, domain << 16 | INSTRUCTION_STORE),
        ..section(NAME_OF_CODE, SHT_PROGBITS, HEADER, size)
    };
    let mut out = bytes_of(&header(table)).to_vec();
    out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    out.extend(NAMES);
    out.resize(table as usize, 0);
    for section in [
        section(0, SHT_NULL, 0, 0),
        code,
        section(NAME_OF_NAMES, SHT_STRTAB, names, NAMES.len() as u64),
    ] {
        out.extend(bytes_of(&section));
    }
    out
}

fn header(table: u64) -> FileHeader64<LE> {
    FileHeader64 {
        e_ident: Ident {
            magic: *b"\x7fELF",
            class: ELFCLASS64,
            data: ELFDATA2LSB,
            version: EV_CURRENT,
            os_abi: OsAbi(0),
            abi_version: 0,
            padding: [0; 7],
        },
        e_type: U16::new(LE, ET_EXEC),
        e_machine: U16::new(LE, Machine(EM_NFP)),
        e_version: U32::new(LE, 1),
        e_entry: U64::new(LE, 0),
        e_phoff: U64::new(LE, 0),
        e_shoff: U64::new(LE, table),
        e_flags: U32::new(LE, FileFlags(FAMILY)),
        e_ehsize: U16::new(LE, HEADER as u16),
        e_phentsize: U16::new(LE, 0),
        e_phnum: U16::new(LE, 0),
        e_shentsize: U16::new(LE, HEADER as u16),
        e_shnum: U16::new(LE, SECTIONS),
        e_shstrndx: U16::new(LE, SymbolSection(SECTIONS - 1)),
    }
}

fn section(name: u32, kind: SectionType, offset: u64, size: u64) -> SectionHeader64<LE> {
    SectionHeader64 {
        sh_name: U32::new(LE, name),
        sh_type: U32::new(LE, kind),
        sh_flags: U64::new(LE, SectionFlags(0)),
        sh_addr: U64::new(LE, 0),
        sh_offset: U64::new(LE, offset),
        sh_size: U64::new(LE, size),
        sh_link: U32::new(LE, 0),
        sh_info: U32::new(LE, 0),
        sh_addralign: U64::new(LE, WORD_BYTES),
        sh_entsize: U64::new(LE, 0),
    }
}

#[cfg(test)]
mod tests {
    use object::read::elf::{FileHeader, SectionHeader};

    use super::*;
    use crate::isa::NOP;

    #[test]
    fn the_file_reads_back() {
        let engine = Engine {
            island: 33,
            number: 2,
        };
        let bytes = write(&[NOP, 1], 3072, engine);
        let header = FileHeader64::<LE>::parse(&*bytes).unwrap();
        assert_eq!(header.e_machine.get(LE), Machine(EM_NFP));
        assert_eq!(header.e_flags.get(LE), FileFlags(0x60_0000));
        let sections = header.sections(LE, &*bytes).unwrap();
        let (_, code) = sections.section_by_name(LE, b".text").unwrap();
        assert_eq!(code.sh_info.get(LE), 0x2102_0001);
        assert_eq!(code.sh_addr.get(LE), 3072 * 8);
        let words = [NOP.to_le_bytes(), 1u64.to_le_bytes()].concat();
        assert_eq!(code.data(LE, &*bytes).unwrap(), words);
    }
}
