//! Names, bytes and flags as the assembler reads them.

use bpf::object::{
    SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHF_STRINGS, SHF_WRITE, SHT_NOBITS, SHT_PROGBITS,
};

/// Bytes of data on a line.
pub const DATA_LINE: usize = 16;
/// Characters of a string on a line.
const TEXT_LINE: usize = 64;
/// Fewer printable characters than these are no string.
const SHORTEST_TEXT: usize = 4;
/// Fewer zeros than these are written out.
const FEWEST_ZEROS: usize = 16;

const SHF_EXCLUDE: u64 = 0x8000_0000;
const SHF_TLS: u64 = 0x400;
const SHF_RETAIN: u64 = 0x20_0000;
/// A member of a group of sections.
pub const SHF_GROUP: u64 = 0x200;

/// `SHF_*` flags with the letters that `.section` gives them.
const FLAG_LETTERS: &[(u64, char)] = &[
    (SHF_ALLOC, 'a'),
    (SHF_WRITE, 'w'),
    (SHF_EXECINSTR, 'x'),
    (SHF_MERGE, 'M'),
    (SHF_STRINGS, 'S'),
    (SHF_EXCLUDE, 'e'),
];
/// Those that only the whole text says.
const MORE_LETTERS: &[(u64, char)] = &[(SHF_TLS, 'T'), (SHF_GROUP, 'G'), (SHF_RETAIN, 'R')];

/// Section types with the names that `.section` gives them.
const TYPES: &[(u32, &str)] = &[
    (SHT_PROGBITS, "progbits"),
    (SHT_NOBITS, "nobits"),
    (7, "note"),
    (14, "init_array"),
    (15, "fini_array"),
    (16, "preinit_array"),
    (0x7000_0001, "unwind"),
    (0x6fff_4c00, "llvm_odrtab"),
    (0x6fff_4c01, "llvm_linker_options"),
    (0x6fff_4c04, "llvm_dependent_libraries"),
    (0x6fff_4c05, "llvm_sympart"),
    (0x6fff_4c09, "llvm_call_graph_profile"),
    (0x6fff_4c0a, "llvm_bb_addr_map"),
    (0x6fff_4c0b, "llvm_offloading"),
    (0x6fff_4c0c, "llvm_lto"),
];

/// The letters of flags, and the flags that have none.
pub fn flag_letters(flags: u64, whole: bool) -> (String, u64) {
    let more = if whole { MORE_LETTERS } else { &[] };
    let mut rest = flags;
    let mut letters = String::new();
    for (bit, letter) in FLAG_LETTERS.iter().chain(more) {
        if flags & bit != 0 {
            letters.push(*letter);
            rest &= !bit;
        }
    }
    (letters, rest)
}

/// The name of a section's type.
pub fn type_name(kind: u32) -> Option<&'static str> {
    let found = TYPES.iter().find(|known| known.0 == kind);
    found.map(|known| known.1)
}

/// Whether a name in quotes is read as that name.
pub fn is_sayable(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_control())
}

/// A name as the assembler reads it.
pub fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    let first = name.bytes().next();
    let digit = first.is_some_and(|byte| byte.is_ascii_digit());
    if !name.is_empty() && !digit && name != "." && name.bytes().all(plain) && !is_reserved(name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Whether a word means something else in an instruction.
fn is_reserved(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let number = word.strip_prefix(['r', 'w']);
    let register = number.is_some_and(|number| {
        matches!(number.len(), 1 | 2) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let width = |prefix: &&str| {
        let rest = word.strip_prefix(prefix);
        rest.is_some_and(|rest| matches!(rest, "8" | "16" | "32" | "64"))
    };
    let words = [
        "s",
        "ll",
        "skb",
        "goto",
        "gotol",
        "gotox",
        "may_goto",
        "if",
        "call",
        "callx",
        "exit",
        "lock",
        "ld_pseudo",
        "load_acquire",
        "store_release",
        "addr_space_cast",
    ];
    let operations = ["atomic_fetch_", "xchg", "cmpxchg"];
    register
        || ["u", "s", "be", "le", "bswap"].iter().any(width)
        || words.contains(&word.as_str())
        || operations.iter().any(|prefix| word.starts_with(prefix))
}

/// Bytes as directives, strings and zeros as such.
pub fn bytes(bytes: &[u8], text: &mut String) {
    let mut rest = bytes;
    let mut plain = 0;
    while let Some(after) = rest.get(plain..).filter(|after| !after.is_empty()) {
        let zeros = after.iter().take_while(|byte| **byte == 0).count();
        let printable = |byte: &&u8| matches!(**byte, b' '..=b'~');
        let letters = after.iter().take(TEXT_LINE).take_while(printable).count();
        let (used, line) = if zeros >= FEWEST_ZEROS {
            (zeros, format!("\t.zero\t{zeros}\n"))
        } else if letters >= SHORTEST_TEXT {
            let shown = String::from_utf8_lossy(after.get(..letters).unwrap_or(&[]));
            let shown = shown.replace('\\', "\\\\").replace('"', "\\\"");
            match after.get(letters) {
                Some(0) => (letters + 1, format!("\t.asciz\t\"{shown}\"\n")),
                _ => (letters, format!("\t.ascii\t\"{shown}\"\n")),
            }
        } else {
            // What is too short is passed over whole, so that each byte is looked at once.
            plain += letters.max(zeros).max(1);
            continue;
        };
        let (before, behind) = rest.split_at(plain);
        numbers(before, text);
        text.push_str(&line);
        rest = behind.get(used..).unwrap_or(&[]);
        plain = 0;
    }
    numbers(rest, text);
}

/// Bytes as numbers.
pub fn numbers(bytes: &[u8], text: &mut String) {
    for line in bytes.chunks(DATA_LINE) {
        let shown: Vec<String> = line.iter().map(u8::to_string).collect();
        text.push_str("\t.byte\t");
        text.push_str(&shown.join(", "));
        text.push('\n');
    }
}
