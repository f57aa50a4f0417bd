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
use object::read::elf::{FileHeader, SectionHeader};
use object::{LittleEndian as LE, U16, U32, U64};

use crate::isa::TARGETS;

/// The machine's number.
pub const EM_NFP: u16 = 250;
/// Flags that name the family: NFP-4000 and NFP-6000.
pub const FAMILY: u32 = 0x6000 << 8;
/// Bytes of a word.
pub const WORD_BYTES: u64 = 8;

/// Kind of memory in a section's `sh_info`: the instruction store.
const INSTRUCTION_STORE: u32 = 1;
/// Bytes of the file's header, and of a section's.
const HEADER: u64 = 64;

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
    write_sections(&[(".text".to_owned(), words.to_vec())], start, engine)
}

/// An ELF file with a section for each program, by name; each is for the same place in the
/// instruction store, where one of them will be.
#[must_use]
pub fn write_sections(programs: &[(String, Vec<u64>)], start: u16, engine: Engine) -> Vec<u8> {
    let domain = u32::from(engine.island) << 8 | u32::from(engine.number);
    let mut names = vec![0];
    let mut data: Vec<u8> = Vec::new();
    let mut sections = vec![section(0, SHT_NULL, 0, 0)];
    for (name, words) in programs {
        let size = words.len() as u64 * WORD_BYTES;
        let offset = HEADER + data.len() as u64;
        sections.push(SectionHeader64 {
            sh_flags: U64::new(LE, SectionFlags((SHF_ALLOC | SHF_EXECINSTR).0)),
            sh_addr: U64::new(LE, u64::from(start) * WORD_BYTES),
            sh_info: U32::new(LE, domain << 16 | INSTRUCTION_STORE),
            ..section(names.len() as u32, SHT_PROGBITS, offset, size)
        });
        names.extend(name.bytes().filter(|byte| *byte != 0));
        names.push(0);
        data.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }
    let name_of_names = names.len() as u32;
    names.extend(b".shstrtab\0");
    let offset = HEADER + data.len() as u64;
    let table = (offset + names.len() as u64).next_multiple_of(WORD_BYTES);
    let strings = section(name_of_names, SHT_STRTAB, offset, names.len() as u64);
    sections.push(strings);
    let mut out = bytes_of(&header(table, sections.len() as u16)).to_vec();
    out.extend(data);
    out.extend(names);
    out.resize(table as usize, 0);
    for section in &sections {
        out.extend(bytes_of(section));
    }
    out
}

/// Why a file has no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not as an ELF file has to be.
    #[error("not an ELF file for a micro-engine: {0}")]
    File(object::read::Error),
    /// It is for another machine.
    #[error("ELF file for machine {0}, not for a micro-engine ({EM_NFP})")]
    Machine(u16),
    /// It has no section of code, or several.
    #[error("{0} sections of code, not one")]
    Sections(usize),
    /// The code does not consist of whole words, or not at an address that there is.
    #[error("code of {size} bytes at byte {address} is not of words in a code store")]
    Place {
        /// Bytes.
        size: u64,
        /// Address in bytes.
        address: u64,
    },
}

impl From<object::read::Error> for ReadError {
    fn from(error: object::read::Error) -> ReadError {
        ReadError::File(error)
    }
}

/// The words of a file that [`write()`] made, or another tool, and the address of the first one.
///
/// # Errors
/// [`ReadError`]
pub fn read(bytes: &[u8]) -> Result<(Vec<u64>, u16), ReadError> {
    let header = FileHeader64::<LE>::parse(bytes)?;
    let endian = header.endian()?;
    let machine = header.e_machine(endian).0;
    if machine != EM_NFP {
        return Err(ReadError::Machine(machine));
    }
    let sections = header.sections(endian, bytes)?;
    let executable = |section: &&SectionHeader64<LE>| {
        section.sh_type(endian) == SHT_PROGBITS
            && section.sh_flags.get(endian).0 & SHF_EXECINSTR.0 != 0
    };
    let code: Vec<&SectionHeader64<LE>> = sections.iter().filter(executable).collect();
    let [code] = code[..] else {
        return Err(ReadError::Sections(code.len()));
    };
    let data = code.data(endian, bytes)?;
    let (size, address) = (data.len() as u64, code.sh_addr.get(endian));
    let wrong = ReadError::Place { size, address };
    if !size.is_multiple_of(WORD_BYTES) || !address.is_multiple_of(WORD_BYTES) {
        return Err(wrong);
    }
    let start = u16::try_from(address / WORD_BYTES).ok();
    let start = start.filter(|start| *start < TARGETS).ok_or(wrong)?;
    let words = data.as_chunks().0.iter();
    Ok((words.map(|word| u64::from_le_bytes(*word)).collect(), start))
}

fn header(table: u64, sections: u16) -> FileHeader64<LE> {
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
        e_shnum: U16::new(LE, sections),
        e_shstrndx: U16::new(LE, SymbolSection(sections.saturating_sub(1))),
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
        assert_eq!(read(&bytes), Ok((vec![NOP, 1], 3072)));
    }

    #[test]
    fn other_files_are_refused() {
        let good = write(&[NOP, 1], 3072, Engine::default());
        for length in 0..good.len() {
            assert!(read(&good[..length]).is_err(), "{length}");
        }
        let mut other = good.clone();
        other[18] = 247;
        assert_eq!(read(&other), Err(ReadError::Machine(247)));
        // Any byte changed gives an answer.
        for place in 0..good.len() {
            let mut changed = good.clone();
            changed[place] ^= 0xff;
            let _ = read(&changed);
        }
    }
}
