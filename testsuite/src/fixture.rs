//! What maps hold before a program runs.
//!
//! A fixture file has one entry a line: `MAP KEY VALUE`, key and value in hexadecimal bytes as they
//! lie in memory, `_` anywhere for reading. `@NAME` as value is another program, for program arrays.
//! `#` begins a comment.

use std::path::Path;

/// The entries of a fixture file.
#[derive(Clone, Debug, Default)]
pub struct Fixture {
    /// In the file's order.
    pub entries: Vec<Entry>,
}

/// One map element.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The map's name.
    pub map: String,
    /// Key bytes.
    pub key: Vec<u8>,
    /// What is stored there.
    pub value: Value,
}

/// What a map element holds.
#[derive(Clone, Debug)]
pub enum Value {
    /// Bytes.
    Bytes(Vec<u8>),
    /// A program of the same object, by function name.
    Program(String),
}

impl Fixture {
    /// Reads a fixture.
    ///
    /// # Errors
    /// The number of the first line which is not an entry.
    pub fn parse(text: &str) -> Result<Fixture, usize> {
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            entries.push(parse_entry(line).ok_or(number + 1)?);
        }
        Ok(Fixture { entries })
    }

    /// The fixture of an example program, by the stem of its file name; empty where there is none.
    ///
    /// # Errors
    /// The file's first bad line.
    pub fn of_program(stem: &str) -> Result<Fixture, String> {
        let path = crate::objects::root()
            .join("programs/fixtures")
            .join(Path::new(stem).with_extension("txt"));
        match std::fs::read_to_string(&path) {
            Ok(text) => Fixture::parse(&text)
                .map_err(|line| format!("{}: line {line} is not an entry", path.display())),
            Err(_) => Ok(Fixture::default()),
        }
    }

    /// Does a program array of the fixture hold this function?
    #[must_use]
    pub fn names_program(&self, function: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(&entry.value, Value::Program(name) if name == function))
    }
}

fn parse_entry(line: &str) -> Option<Entry> {
    let mut words = line.split_whitespace();
    let (map, key, value) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let value = match value.strip_prefix('@') {
        Some(name) => Value::Program(name.to_owned()),
        None => Value::Bytes(parse_bytes(value)?),
    };
    Some(Entry {
        map: map.to_owned(),
        key: parse_bytes(key)?,
        value,
    })
}

fn parse_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|character| *character != '_')
        .map(|character| character.to_digit(16))
        .collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_are_read_line_by_line() {
        let fixture = Fixture::parse("# nothing\n a 00_01 ff\nnext 00000000 @other # call\n");
        let fixture = fixture.expect("two entries");
        assert_eq!(fixture.entries.len(), 2);
        assert_eq!(fixture.entries[0].key, [0, 1]);
        assert!(fixture.names_program("other"));
        assert_eq!(Fixture::parse("a 0 1").err(), Some(1));
    }
}
