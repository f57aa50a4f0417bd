//! Sections that no directive spells out: the line table and the tables for unwinding.
//!
//! A compiler leaves both to the assembler, since only that knows how long the code between two
//! places is. `.file` and `.loc` become rows of [`lines`], `.cfi_*` become [`frames`]; both are
//! collected while the file is read, and written when every place is settled. The sections are
//! those that llvm-mc writes, byte for byte, so that nothing that reads them sees a difference.
//!
//! Sound because what is written has no size that anything else depends on: it stands behind all
//! that the text puts into these sections, after layout. Bound: what is written is linear in the
//! number of directives, and counts against `layout::MAX_BYTES`.

mod buffer;
mod files;
mod frame_directives;
mod frame_table;
mod frames;
mod line_directives;
mod line_program;
mod line_table;
mod lines;

use bpf::diagnostic::Span;

use self::buffer::Buffer;
use self::files::Files;
use self::frames::Frames;
use self::lines::Lines;
use super::assembler::Assembler;
use super::relocate::PendingRelocation;

/// How many bytes an instruction has at least: both tables count code in these.
const CODE_UNIT: u64 = 8;

/// What directives have said about lines and frames.
#[derive(Debug, Default)]
pub struct DebugInformation {
    /// Source files.
    pub files: Files,
    /// Lines of code.
    pub lines: Lines,
    /// Frames of functions.
    pub frames: Frames,
}

/// A relocation in a generated section, by the section's index.
pub type Generated = Vec<(usize, PendingRelocation)>;

impl Assembler<'_> {
    /// Bytes are about to be written: they belong to the line that `.loc` named, if one waits.
    pub fn reach_line(&mut self) {
        if let Some(line) = self.debug.lines.take_pending() {
            let place = self.sections.here();
            self.debug.lines.add(place, line);
        }
    }

    /// Writes all generated sections, in the order in which llvm-mc makes them.
    pub fn generate_debug_sections(&mut self) -> Generated {
        // A line that nothing followed has no row.
        self.debug.lines.take_pending();
        let mut generated = Generated::new();
        self.write_frames(&mut generated);
        self.write_line_table(&mut generated);
        generated
    }

    /// Enters a section and gives a buffer for what follows its contents.
    fn open_generated(&mut self, name: &str) -> Buffer {
        self.standard_section_named(name);
        let base = self.sections.section().size();
        Buffer::new(self.options.endian, base)
    }

    /// Appends a buffer to the section that was entered; `at` is the directive to blame for it.
    fn close_generated(&mut self, buffer: Buffer, at: Span, generated: &mut Generated) {
        let section = self.sections.current;
        match self.emit(&buffer.bytes, at) {
            Ok(_) => generated.extend(
                buffer
                    .references
                    .into_iter()
                    .map(|relocation| (section, relocation)),
            ),
            Err(diagnostic) => self.errors.push(diagnostic),
        }
    }
}
