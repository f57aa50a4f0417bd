//! String tables: reading names out of them, and keeping or extending them when writing.
//!
//! A table that was read is kept byte for byte as long as all names are still in it; new names go
//! to its end. An empty table is built the way LLVM builds one: longest suffix first, a name that
//! ends another one shares its bytes. Cost: one sort, one hash of each string.

use rustc_hash::FxHashMap;

use super::error::{ReadErrorKind as Kind, WriteError};

/// Names may take at most this many times the file's size in memory: names may legitimately share
/// bytes, but an unbounded sharing would let a small file allocate the square of its size.
const NAME_BYTES_PER_FILE_BYTE: usize = 8;

/// How many more bytes of names may be copied out of a file.
pub(super) struct NameBudget(usize);

impl NameBudget {
    pub(super) fn new(file_size: usize) -> NameBudget {
        NameBudget(file_size.saturating_mul(NAME_BYTES_PER_FILE_BYTE))
    }

    pub(super) fn take(&mut self, name: &str) -> Result<String, Kind> {
        self.0 = self.0.checked_sub(name.len()).ok_or(Kind::NamesTooLong)?;
        Ok(name.to_owned())
    }
}

/// A string table of a file.
#[derive(Clone, Copy)]
pub(super) struct StringTable<'a>(&'a [u8]);

impl<'a> StringTable<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> StringTable<'a> {
        StringTable(bytes)
    }

    pub(super) fn get(self, offset: u32) -> Result<&'a str, Kind> {
        // Offset 0 is the empty name even in an empty table.
        if offset == 0 && self.0.is_empty() {
            return Ok("");
        }
        let tail = self.0.get(offset as usize..).ok_or(Kind::BadName(offset))?;
        let end = tail
            .iter()
            .position(|&byte| byte == 0)
            .ok_or(Kind::BadName(offset))?;
        std::str::from_utf8(&tail[..end]).map_err(|_| Kind::NameNotUtf8(offset))
    }
}

/// A name to be placed, with where it lay before.
pub(super) type Wanted<'a> = (&'a str, Option<u32>);

/// The bytes of a table that holds all names, and the offset of each.
pub(super) fn place(
    table_name: &str,
    old: &[u8],
    wanted: &[Wanted<'_>],
) -> Result<(Vec<u8>, Vec<u32>), WriteError> {
    for (name, _) in wanted {
        if name.contains('\0') {
            return Err(WriteError::NullInName((*name).to_owned()));
        }
    }
    let placed = if old.is_empty() {
        build(wanted)
    } else {
        extend(old, wanted)
    };
    placed.ok_or_else(|| WriteError::StringTableTooLarge(table_name.to_owned()))
}

fn extend(old: &[u8], wanted: &[Wanted<'_>]) -> Option<(Vec<u8>, Vec<u32>)> {
    let lies_at = |name: &str, offset: u32| {
        let tail = old.get(offset as usize..).unwrap_or(&[]);
        tail.starts_with(name.as_bytes()) && tail.get(name.len()) == Some(&0)
    };
    let mut bytes = old.to_vec();
    let mut known: Option<FxHashMap<Vec<u8>, u32>> = None;
    let mut offsets = Vec::with_capacity(wanted.len());
    for &(name, hint) in wanted {
        if let Some(offset) = hint.filter(|&offset| lies_at(name, offset)) {
            offsets.push(offset);
            continue;
        }
        let known = known.get_or_insert_with(|| whole_strings(old));
        let offset = match known.get(name.as_bytes()) {
            Some(&offset) => offset,
            None => {
                if bytes.last() != Some(&0) {
                    bytes.push(0);
                }
                let offset = u32::try_from(bytes.len()).ok()?;
                bytes.extend(name.as_bytes());
                bytes.push(0);
                known.insert(name.as_bytes().to_vec(), offset);
                offset
            }
        };
        offsets.push(offset);
    }
    u32::try_from(bytes.len()).ok()?;
    Some((bytes, offsets))
}

fn whole_strings(table: &[u8]) -> FxHashMap<Vec<u8>, u32> {
    let mut known = FxHashMap::default();
    let mut offset = 0;
    for string in table.split_inclusive(|&byte| byte == 0) {
        if let Some((0, string)) = string.split_last() {
            known.entry(string.to_vec()).or_insert(offset as u32);
        }
        offset += string.len();
    }
    known
}

fn build(wanted: &[Wanted<'_>]) -> Option<(Vec<u8>, Vec<u32>)> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    // Descending by reversed bytes: a name comes right behind the names that it ends.
    order.sort_by(|&a, &b| wanted[b].0.bytes().rev().cmp(wanted[a].0.bytes().rev()));
    let mut bytes = vec![0];
    let mut offsets = vec![0; wanted.len()];
    let mut last: Option<(&str, usize)> = None;
    for index in order {
        let name = wanted[index].0;
        if name.is_empty() {
            continue;
        }
        let offset = match last {
            Some((longer, at)) if longer.ends_with(name) => at + longer.len() - name.len(),
            _ => {
                let at = bytes.len();
                bytes.extend(name.as_bytes());
                bytes.push(0);
                last = Some((name, at));
                at
            }
        };
        offsets[index] = u32::try_from(offset).ok()?;
    }
    Some((bytes, offsets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_table_shares_suffixes() {
        let wanted = [
            ("xdp", None),
            (".relxdp", None),
            ("", None),
            (".symtab", None),
        ];
        let (bytes, offsets) = place(".strtab", &[], &wanted).unwrap();
        assert_eq!(bytes, b"\0.relxdp\0.symtab\0");
        assert_eq!(offsets, [5, 1, 0, 9]);
    }

    #[test]
    fn an_old_table_keeps_its_bytes() {
        let old = b"\0one\0two\0";
        let wanted = [
            ("wo", Some(6)),
            ("one", Some(3)),
            ("new", None),
            ("new", None),
        ];
        let (bytes, offsets) = place(".strtab", old, &wanted).unwrap();
        assert_eq!(bytes, b"\0one\0two\0new\0");
        assert_eq!(offsets, [6, 1, 9, 9]);
    }
}
