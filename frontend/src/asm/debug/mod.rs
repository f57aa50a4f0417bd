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

use self::buffer::{Buffer, SymbolValue};
use self::files::Files;
use self::frames::Frames;
use self::lines::Lines;
use super::assembler::{Assembler, FixupKind};
use super::ast::{BinaryOp, Node};
use super::layout::Place;
use super::relocate::PendingRelocation;
use super::symbols::Definition;

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
        let start = match self.emit(&buffer.bytes, at) {
            Ok(start) => start,
            Err(diagnostic) => {
                self.errors.push(diagnostic);
                return;
            }
        };
        let references = buffer.references.into_iter();
        generated.extend(references.map(|relocation| (section, relocation)));
        let behind = |bytes: usize| Place {
            offset: start.offset + bytes as u64,
            ..start
        };
        for (byte, symbol, at) in buffer.labels {
            if let Err(diagnostic) = self.define(symbol, Definition::Label(behind(byte)), at) {
                self.errors.push(diagnostic);
            }
        }
        for value in buffer.values {
            self.symbol_value(value, behind(value.start));
        }
    }

    /// Has a symbol's value filled in at a place. That it is relative is only true where the distance is
    /// known; a relocation has no way of saying it.
    fn symbol_value(&mut self, value: SymbolValue, here: Place) {
        self.symbols.register(value.symbol);
        let mut expr = self.arena.leaf(Node::Place(value.symbol.0), value.at);
        let to = self.scope().place(value.symbol);
        if value.is_relative && to.is_some_and(|to| to.section == here.section) {
            let from = self.symbols.anonymous();
            self.symbols.get_mut(from).definition = Some(Definition::Label(here));
            let from = self.arena.leaf(Node::Place(from.0), value.at);
            expr = self.arena.binary(BinaryOp::Subtract, expr, from);
        }
        self.add_fixup(here, FixupKind::Data(value.size), expr);
    }
}
