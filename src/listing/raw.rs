//! Code without a container: raw bytes, or text with bytes in hexadecimal.
//!
//! Text may be pairs of digits with or without spaces and `0x`, lines of `xxd`, or what
//! `bpftool prog dump xlated opcodes` prints. What counts on a line are the hexadecimal words at its start,
//! behind an offset and a colon if there is one. Bytes that are no text at all are taken as they are.

use bpf::insn::Endian;
use bpf::object::{Contents, Object, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS, Section};

/// The bytes that a file or a text means; `None` for a text without any.
#[must_use]
pub fn read_raw(bytes: Vec<u8>) -> Option<Vec<u8>> {
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    // Text in another language is text too, but has no byte below the space.
    if !bytes.iter().all(|byte| is_text(byte) || *byte >= 0x80) {
        return Some(bytes);
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return None;
    };
    let mut found = Vec::new();
    for line in text.lines() {
        read_line(line, &mut found);
    }
    (!found.is_empty()).then_some(found)
}

fn read_line(line: &str, found: &mut Vec<u8>) {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let line = line.trim_start();
    let line = match line.split_once(':') {
        Some((offset, rest)) if !offset.is_empty() && is_hex(offset) => rest.trim_start(),
        Some(_) => return,
        None => line,
    };
    // `xxd` and llvm-objdump set apart what stands behind the bytes.
    let end = line.find("  ").into_iter().chain(line.find('\t')).min();
    let line = line.get(..end.unwrap_or(line.len())).unwrap_or("");
    let before = found.len();
    for word in line.split([' ', ',']).filter(|word| !word.is_empty()) {
        let word = word
            .strip_prefix("0x")
            .or(word.strip_prefix("\\x"))
            .unwrap_or(word);
        if word.len() % 2 != 0 || !is_hex(word) || word.is_empty() {
            // A line that only begins like bytes is prose.
            found.truncate(before);
            return;
        }
        let digits = word.as_bytes().chunks(2);
        found.extend(digits.filter_map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(text, 16).ok()
        }));
    }
}

/// An object that has these bytes as its code.
#[must_use]
pub fn object_of(bytes: Vec<u8>, endian: Endian) -> Object {
    let mut object = Object::new(endian);
    let mut section = Section::new(".text", SHT_PROGBITS);
    section.flags = SHF_ALLOC | SHF_EXECINSTR;
    section.align = 8;
    section.contents = Contents::Bytes(bytes);
    object.add_section(section);
    object
}

#[cfg(test)]
mod tests {
    use super::read_raw;

    #[test]
    fn bytes_are_found_in_what_tools_print() {
        let read = |text: &str| read_raw(text.as_bytes().to_vec());
        let exit = Some(vec![0x95, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(read("9500000000000000"), exit);
        assert_eq!(read("95 00 00 00 00 00 00 00\n"), exit);
        assert_eq!(read("0x95, 0x00, 0, 0\n"), None);
        assert_eq!(read("00000000: 9500 0000 0000 0000  ........\n"), exit);
        let bpftool = "int f(void):\n; exit\n   0: (95) exit\n       95 00 00 00 00 00 00 00\n";
        assert_eq!(read(bpftool), exit);
        assert_eq!(read("       0:\t95 00 00 00 00 00 00 00\texit\n"), exit);
        assert_eq!(read("add this\n"), None);
        assert_eq!(read_raw(vec![0x95, 0]), Some(vec![0x95, 0]));
    }
}
