//! Source files by number, as `.file` introduces them, and the folders that they lie in.
//!
//! `.file 0` names the file that was compiled and the folder it was compiled in; it makes the line
//! table one of DWARF 5, which has a place for both, for checksums and for sources. Without it the
//! table is of DWARF 4. A folder that equals the one of compilation is not listed again.
//!
//! Bound: what the text spells out.

use std::collections::BTreeMap;

use bpf::diagnostic::Span;
use rustc_hash::FxHashMap;

/// A source file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Name in its folder.
    pub name: Vec<u8>,
    /// Number of the folder; 0 is the one of compilation.
    pub folder: u64,
    /// Its MD5, the first byte in the highest bits.
    pub checksum: Option<u128>,
    /// Its text.
    pub source: Option<Vec<u8>>,
    /// The directive.
    pub span: Span,
}

/// What a `.file` directive with a number says.
#[derive(Debug)]
pub struct NamedFile {
    /// The folder, if given apart from the name.
    pub folder: Option<Vec<u8>>,
    /// The name.
    pub name: Vec<u8>,
    /// `md5`
    pub checksum: Option<u128>,
    /// `source`
    pub source: Option<Vec<u8>>,
    /// The directive.
    pub span: Span,
}

/// All source files.
#[derive(Debug, Default)]
pub struct Files {
    /// The folder of compilation and the file with the number 0.
    pub root: Option<(Vec<u8>, SourceFile)>,
    /// Files by number, from 1.
    pub numbered: BTreeMap<u32, SourceFile>,
    /// Folders besides the one of compilation; the first has the number 1.
    pub folders: Vec<Vec<u8>>,
    folder_numbers: FxHashMap<Vec<u8>, u64>,
}

impl Files {
    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.root.is_none() && self.numbered.is_empty()
    }

    /// The file of this number.
    pub fn get(&self, number: u32) -> Option<&SourceFile> {
        match number {
            0 => self.root.as_ref().map(|(_, file)| file),
            number => self.numbered.get(&number),
        }
    }

    /// Adds the file that was compiled.
    pub fn set_root(&mut self, folder: Vec<u8>, file: NamedFile) {
        let file = SourceFile {
            name: file.name,
            folder: 0,
            checksum: file.checksum,
            source: file.source,
            span: file.span,
        };
        self.root = Some((folder, file));
    }

    /// Adds a file with a number above 0.
    pub fn add(&mut self, number: u32, file: NamedFile) {
        let mut name = file.name;
        let mut folder = file.folder.unwrap_or_default();
        let compiled_in = self.root.as_ref().map(|(folder, _)| folder);
        if compiled_in == Some(&folder) {
            folder = Vec::new();
        }
        if name.is_empty() {
            name = b"<stdin>".to_vec();
            folder = Vec::new();
        }
        if folder.is_empty() {
            (folder, name) = folder_and_name(name);
        }
        let file = SourceFile {
            name,
            folder: self.folder_number(folder),
            checksum: file.checksum,
            source: file.source,
            span: file.span,
        };
        self.numbered.insert(number, file);
    }

    fn folder_number(&mut self, folder: Vec<u8>) -> u64 {
        if folder.is_empty() {
            return 0;
        }
        if let Some(number) = self.folder_numbers.get(&folder) {
            return *number;
        }
        self.folders.push(folder.clone());
        let number = self.folders.len() as u64;
        self.folder_numbers.insert(folder, number);
        number
    }
}

/// The folder in front of a name, and the rest.
fn folder_and_name(name: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let Some(slash) = name.iter().rposition(|byte| *byte == b'/') else {
        return (Vec::new(), name);
    };
    let (before, after) = name.split_at(slash);
    let last = before.iter().rposition(|byte| *byte != b'/');
    let folder = match last {
        Some(last) => before.get(..=last).unwrap_or_default(),
        None => b"/",
    };
    let rest = match after.get(1..) {
        Some(rest) if !rest.is_empty() => rest,
        // The root itself has no name but this one; a folder is named from inside.
        _ if last.is_none() => return (Vec::new(), name),
        _ => b".",
    };
    (folder.to_vec(), rest.to_vec())
}

#[cfg(test)]
mod tests {
    use super::folder_and_name;

    #[test]
    fn a_name_is_split_at_its_last_slash() {
        let parts = |name: &str| {
            let (folder, rest) = folder_and_name(Vec::from(name));
            let text = |bytes| String::from_utf8(bytes).expect("is ASCII");
            (text(folder), text(rest))
        };
        let expect = |folder: &str, rest: &str| (folder.to_owned(), rest.to_owned());
        assert_eq!(parts("a.c"), expect("", "a.c"));
        assert_eq!(parts("b/a.c"), expect("b", "a.c"));
        assert_eq!(parts("c/b//a.c"), expect("c/b", "a.c"));
        assert_eq!(parts("/a.c"), expect("/", "a.c"));
        assert_eq!(parts("b/"), expect("b", "."));
        assert_eq!(parts("/"), expect("", "/"));
    }
}
