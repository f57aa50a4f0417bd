//! The string table: null-terminated strings by byte offset.

use rustc_hash::FxHashMap;

use super::kinds::StringOffset;

/// A string table, which keeps its bytes and only grows.
#[derive(Clone, Debug)]
pub struct Strings {
    bytes: Vec<u8>,
    /// Whole strings by content, built when the first string is added.
    known: Option<FxHashMap<Box<[u8]>, u32>>,
}

impl PartialEq for Strings {
    fn eq(&self, other: &Strings) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Strings {}

impl Default for Strings {
    fn default() -> Strings {
        Strings::new()
    }
}

impl Strings {
    /// A table with the empty string.
    #[must_use]
    pub fn new() -> Strings {
        Strings::from_bytes(vec![0])
    }

    /// A table from its bytes.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Strings {
        Strings { bytes, known: None }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The string at an offset; `None` if it is outside, not terminated, or not UTF-8.
    #[must_use]
    pub fn get(&self, offset: StringOffset) -> Option<&str> {
        let tail = self.bytes.get(offset.0 as usize..)?;
        let end = tail.iter().position(|&byte| byte == 0)?;
        std::str::from_utf8(&tail[..end]).ok()
    }

    /// Whether a string may begin at an offset of a table that is terminated UTF-8: costs nothing,
    /// unlike [`Strings::get`], which looks for the end. Offset 0 is fine even in an empty table.
    pub(super) fn contains(&self, offset: StringOffset) -> bool {
        let is_continuation = |byte: &u8| byte & 0xc0 == 0x80;
        match self.bytes.get(offset.0 as usize) {
            Some(byte) => !is_continuation(byte),
            None => offset.0 == 0,
        }
    }

    /// The offset of a string, which is appended if it is not there. Null bytes end a string, so
    /// only what stands before the first one is taken.
    pub fn add(&mut self, string: &str) -> StringOffset {
        let string = string.split('\0').next().unwrap_or("");
        let bytes = &self.bytes;
        let known = self.known.get_or_insert_with(|| whole_strings(bytes));
        if let Some(&offset) = known.get(string.as_bytes()) {
            return StringOffset(offset);
        }
        if self.bytes.last().is_some_and(|&last| last != 0) {
            self.bytes.push(0);
        }
        let offset = self.bytes.len() as u32;
        known.insert(string.as_bytes().into(), offset);
        self.bytes.extend(string.as_bytes());
        self.bytes.push(0);
        StringOffset(offset)
    }
}

fn whole_strings(bytes: &[u8]) -> FxHashMap<Box<[u8]>, u32> {
    let mut known = FxHashMap::default();
    let mut offset = 0;
    for string in bytes.split_inclusive(|&byte| byte == 0) {
        if let Some((0, content)) = string.split_last() {
            known.entry(content.into()).or_insert(offset);
        }
        offset += string.len() as u32;
    }
    known
}
