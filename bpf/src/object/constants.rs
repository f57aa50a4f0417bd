//! ELF numbers that this crate gives a meaning to.
//!
//! Source: the System V ABI's ELF chapters; `R_BPF_*` from the kernel's
//! `Documentation/bpf/llvm_reloc.rst`; `SHT_LLVM_ADDRSIG` from LLVM's `docs/Extensions.rst`.

/// Unused header.
pub const SHT_NULL: u32 = 0;
/// Program-defined bytes.
pub const SHT_PROGBITS: u32 = 1;
/// Symbol table.
pub const SHT_SYMTAB: u32 = 2;
/// String table.
pub const SHT_STRTAB: u32 = 3;
/// Relocations with explicit addends.
pub const SHT_RELA: u32 = 4;
/// Bytes that the file does not hold.
pub const SHT_NOBITS: u32 = 8;
/// Relocations with addends in place.
pub const SHT_REL: u32 = 9;
/// Section group.
pub const SHT_GROUP: u32 = 17;
/// High halves of symbols' section indices.
pub const SHT_SYMTAB_SHNDX: u32 = 18;
/// Symbols whose address is taken, as ULEB128 indices.
pub const SHT_LLVM_ADDRSIG: u32 = 0x6fff_4c03;

/// Writable at run time.
pub const SHF_WRITE: u64 = 1;
/// Present at run time.
pub const SHF_ALLOC: u64 = 2;
/// Instructions.
pub const SHF_EXECINSTR: u64 = 4;
/// Equal entries may be merged.
pub const SHF_MERGE: u64 = 0x10;
/// Null-terminated strings.
pub const SHF_STRINGS: u64 = 0x20;
/// `sh_info` is a section index.
pub const SHF_INFO_LINK: u64 = 0x40;

/// Local symbol.
pub const STB_LOCAL: u8 = 0;
/// Global symbol.
pub const STB_GLOBAL: u8 = 1;
/// Weak symbol.
pub const STB_WEAK: u8 = 2;

/// Symbol without a type.
pub const STT_NOTYPE: u8 = 0;
/// Variable or map.
pub const STT_OBJECT: u8 = 1;
/// Function.
pub const STT_FUNC: u8 = 2;
/// The section itself.
pub const STT_SECTION: u8 = 3;
/// Source file name.
pub const STT_FILE: u8 = 4;

/// Hidden visibility, in the low bits of [`super::Symbol::other`]: libbpf treats a global function
/// with it as static.
pub const STV_HIDDEN: u8 = 2;

/// No relocation.
pub const R_BPF_NONE: u32 = 0;
/// 64-bit immediate of a `ld_imm64`, halves at byte 4 and byte 12 of the instruction.
pub const R_BPF_64_64: u32 = 1;
/// 64-bit data.
pub const R_BPF_64_ABS64: u32 = 2;
/// 32-bit data.
pub const R_BPF_64_ABS32: u32 = 3;
/// 32-bit data that no loader resolves: the code offsets in `.BTF.ext`.
pub const R_BPF_64_NODYLD32: u32 = 4;
/// Immediate of a call instruction, counted in slots.
pub const R_BPF_64_32: u32 = 10;

/// `e_machine` of BPF.
pub const EM_BPF: u16 = 247;
/// `e_machine` that compilers wrote before BPF had a number.
pub const EM_NONE: u16 = 0;
