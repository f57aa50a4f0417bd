//! `.debug_line` and `.debug_line_str`: the header with all files, then the program.
//!
//! DWARF 5 if `.file 0` was met, else DWARF 4. In the former, names stand in a section of strings
//! that a linker can merge, and files have the attributes that any of them needs: a checksum only
//! if all have one, since a missing one could not be told from a wrong one.
//!
//! Cost: linear in files and rows.

use bpf::diagnostic::{Diagnostic, Span};
use rustc_hash::FxHashMap;

use super::super::warnings::Warning;
use super::buffer::Buffer;
use super::files::{Files, SourceFile};
use super::line_program::{LINE_BASE, LINE_RANGE, OPCODE_BASE, write_sequence};
use super::{CODE_UNIT, Generated};
use crate::asm::assembler::Assembler;
use crate::asm::symbols::SymbolIndex;

/// How many operands each opcode below the special ones has.
const OPERANDS: [u8; OPCODE_BASE as usize - 1] = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];

const CONTENT_PATH: u64 = 1;
const CONTENT_FOLDER: u64 = 2;
const CONTENT_MD5: u64 = 5;
/// LLVM's own.
const CONTENT_SOURCE: u64 = 0x2001;
const FORM_UDATA: u64 = 0x0f;
const FORM_DATA16: u64 = 0x1e;
const FORM_LINE_STRP: u64 = 0x1f;

/// The strings of `.debug_line_str`, in the order of first use.
struct Strings<'a> {
    symbol: SymbolIndex,
    base: u64,
    bytes: Vec<u8>,
    offsets: FxHashMap<&'a [u8], u64>,
}

impl<'a> Strings<'a> {
    fn refer(&mut self, buffer: &mut Buffer, text: &'a [u8]) {
        let bytes = &mut self.bytes;
        let offset = *self.offsets.entry(text).or_insert_with(|| {
            let offset = bytes.len() as u64;
            bytes.extend_from_slice(text);
            bytes.push(0);
            offset
        });
        buffer.offset(self.symbol, self.base + offset);
    }
}

impl Assembler<'_> {
    /// Writes the line table, if files were named.
    pub fn write_line_table(&mut self, generated: &mut Generated) {
        let files = std::mem::take(&mut self.debug.files);
        if files.is_empty() {
            return;
        }
        let at = files
            .root
            .as_ref()
            .map(|(_, file)| file.span)
            .or_else(|| files.numbered.values().next().map(|file| file.span))
            .unwrap_or(Span::point(self.sources.main(), 0));
        self.check_numbers(&files);
        self.check_checksums(&files);
        let mut buffer = self.open_generated(".debug_line");
        let line_section = self.sections.current;
        let version = if files.root.is_some() { 5 } else { 4 };
        let unit = buffer.open_length();
        buffer.integer(version, 2);
        if version == 5 {
            buffer.bytes.extend([8, 0]);
        }
        let header = buffer.open_length();
        // One operation per instruction; rows are statements by default.
        buffer.bytes.extend([CODE_UNIT as u8, 1, 1]);
        buffer.byte(LINE_BASE as u8);
        buffer.bytes.extend([LINE_RANGE as u8, OPCODE_BASE as u8]);
        buffer.bytes.extend(OPERANDS);
        let strings = match &files.root {
            None => {
                write_old_files(&mut buffer, &files);
                None
            }
            Some((folder, root)) => {
                let base = self.open_generated(".debug_line_str").position();
                let mut strings = Strings {
                    symbol: self.sections.section().symbol,
                    base,
                    bytes: Vec::new(),
                    offsets: FxHashMap::default(),
                };
                write_files(&mut buffer, &mut strings, &files, folder, root);
                Some(strings.bytes)
            }
        };
        buffer.close_length(header);
        for sequence in std::mem::take(&mut self.debug.lines.sequences) {
            let Some(section) = self.sections.all.get(sequence.section) else {
                continue;
            };
            let end = section.size();
            let rows = sequence.rows.iter().map(|(place, line)| {
                let offset = self.sections.offset(*place).unwrap_or(0);
                (offset, *line)
            });
            write_sequence(&mut buffer, section.symbol, rows, end);
        }
        buffer.close_length(unit);
        self.sections.current = line_section;
        self.close_generated(buffer, at, generated);
        if let Some(bytes) = strings {
            let mut buffer = self.open_generated(".debug_line_str");
            buffer.bytes = bytes;
            self.close_generated(buffer, at, generated);
        }
    }

    /// The table has no place for a file without a name.
    fn check_numbers(&mut self, files: &Files) {
        for (expected, (&number, file)) in (1_u32..).zip(&files.numbered) {
            if number != expected {
                self.errors.push(
                    Diagnostic::error(format!(
                        "there is a file number {number}, but none is number {expected}"
                    ))
                    .with_primary(file.span, "")
                    .with_help("files are numbered 1, 2, 3 …, without a gap"),
                );
                return;
            }
        }
    }

    fn check_checksums(&mut self, files: &Files) {
        let with = all_files(files).find(|file| file.checksum.is_some());
        let without = all_files(files).find(|file| file.checksum.is_none());
        if let (Some(with), Some(without), Some(_)) = (with, without, &files.root) {
            self.warnings.push(
                Warning::Checksum
                    .diagnostic("not all files have a checksum, so none is written")
                    .with_primary(without.span, "this one has no `md5`")
                    .with_secondary(with.span, "this one has"),
            );
        }
    }
}

fn all_files(files: &Files) -> impl Iterator<Item = &SourceFile> {
    let root = files.root.iter().map(|(_, file)| file);
    root.chain(files.numbered.values())
}

/// Folders and files as up to DWARF 4: strings in place, each list ended by an empty one.
fn write_old_files(buffer: &mut Buffer, files: &Files) {
    for folder in &files.folders {
        buffer.string(folder);
    }
    buffer.byte(0);
    for file in files.numbered.values() {
        buffer.string(&file.name);
        buffer.unsigned(file.folder);
        // Neither time nor size of the file.
        buffer.bytes.extend([0, 0]);
    }
    buffer.byte(0);
}

/// Folders and files as since DWARF 5: a description of their fields, then the fields.
fn write_files<'a>(
    buffer: &mut Buffer,
    strings: &mut Strings<'a>,
    files: &'a Files,
    compiled_in: &'a [u8],
    root: &'a SourceFile,
) {
    buffer.byte(1);
    buffer.unsigned(CONTENT_PATH);
    buffer.unsigned(FORM_LINE_STRP);
    buffer.unsigned(1 + files.folders.len() as u64);
    strings.refer(buffer, compiled_in);
    for folder in &files.folders {
        strings.refer(buffer, folder);
    }

    let have_checksums = all_files(files).all(|file| file.checksum.is_some());
    let have_sources = all_files(files).any(|file| file.source.is_some());
    let mut fields = vec![(CONTENT_PATH, FORM_LINE_STRP), (CONTENT_FOLDER, FORM_UDATA)];
    if have_checksums {
        fields.push((CONTENT_MD5, FORM_DATA16));
    }
    if have_sources {
        fields.push((CONTENT_SOURCE, FORM_LINE_STRP));
    }
    buffer.byte(fields.len() as u8);
    for (content, form) in fields {
        buffer.unsigned(content);
        buffer.unsigned(form);
    }
    buffer.unsigned(1 + files.numbered.len() as u64);
    for file in std::iter::once(root).chain(files.numbered.values()) {
        strings.refer(buffer, &file.name);
        buffer.unsigned(file.folder);
        if have_checksums {
            let checksum = file.checksum.unwrap_or(0);
            buffer.bytes.extend(checksum.to_be_bytes());
        }
        if have_sources {
            strings.refer(buffer, file.source.as_deref().unwrap_or_default());
        }
    }
}
