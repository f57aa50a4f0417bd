//! `.bundle_align_mode` and its kin: instructions that must not lie across certain boundaries.
//!
//! llvm-mc moves what would lie across one behind it, and fills the gap with bytes that are no
//! instruction in BPF, so that no kernel takes the program. Here such an instruction is an error: whoever
//! has written the text knows what may be put before it. All else becomes what llvm-mc makes of it.

use bpf::diagnostic::{Diagnostic, Span};

use super::assembler::Assembler;
use super::ast::Directive;
use super::layout::Place;

/// The highest power of two that is taken.
const MOST: i64 = 30;

/// What has been said about bundles.
#[derive(Debug, Default)]
pub struct Bundles {
    /// Bytes of each, if there are any.
    size: Option<u64>,
    /// The group that is open.
    group: Option<Group>,
}

/// Instructions that have to be in one bundle.
#[derive(Clone, Copy, Debug)]
struct Group {
    opened: Span,
    start: Place,
    /// Whether they have to end with it.
    to_end: bool,
    /// Groups that were opened in it.
    inner: u32,
}

impl Bundles {
    /// Whether there are any.
    pub fn is_on(&self) -> bool {
        self.size.is_some()
    }
}

impl Assembler<'_> {
    /// `.bundle_align_mode 4`: bundles have 16 bytes.
    pub fn set_bundles(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let power = self.number(directive, 0, "a power of two")?;
        let size = match power.value {
            1..=MOST => 1_u64 << power.value,
            _ => {
                let message = "the size of a bundle is 2 to a power of 1 to 30";
                return Err(Diagnostic::error(message).with_primary(power.span, ""));
            }
        };
        match self.bundles.size {
            Some(before) if before == size => return Ok(()),
            Some(_) => {
                return Err(Diagnostic::error("the size of bundles cannot change")
                    .with_primary(power.span, "it was another one before"));
            }
            None => self.bundles.size = Some(size),
        }
        let current = self.sections.current;
        let has_instructions = self
            .instructions
            .places()
            .any(|place| place.section == current);
        if has_instructions {
            self.align_for_bundles(current);
        }
        Ok(())
    }

    /// `.bundle_lock`: what follows has to be in one bundle.
    pub fn open_bundle(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let to_end = match self.item(directive, 0)? {
            None => false,
            Some(item) => {
                let name = self.symbol_item(item)?;
                if self.arena.name(name.value) != "align_to_end" {
                    return Err(Diagnostic::error("this says nothing about a bundle")
                        .with_primary(name.span, "expected `align_to_end` or nothing"));
                }
                true
            }
        };
        if !self.bundles.is_on() {
            return Err(Diagnostic::error("there are no bundles")
                .with_primary(directive.span, "no `.bundle_align_mode` comes before"));
        }
        let start = self.sections.here();
        match &mut self.bundles.group {
            Some(group) => {
                group.inner += 1;
                group.to_end |= to_end;
            }
            none => {
                *none = Some(Group {
                    opened: directive.span,
                    start,
                    to_end,
                    inner: 0,
                });
            }
        }
        Ok(())
    }

    /// `.bundle_unlock`
    pub fn close_bundle(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.no_operands(directive)?;
        let Some(group) = &mut self.bundles.group else {
            return Err(Diagnostic::error("no bundle is open")
                .with_primary(directive.span, "no `.bundle_lock` comes before"));
        };
        if let Some(inner) = group.inner.checked_sub(1) {
            group.inner = inner;
            return Ok(());
        }
        let Group {
            opened,
            start,
            to_end,
            ..
        } = *group;
        self.bundles.group = None;
        let end = self.sections.here();
        let bytes = self.sections.distance(start, end);
        match bytes.and_then(|bytes| u64::try_from(bytes).ok()) {
            Some(0) => Err(Diagnostic::error("there is nothing in the bundle")
                .with_primary(directive.span, "it is closed here")
                .with_secondary(opened, "and opened here")),
            Some(bytes) => self.check_bundle(start, bytes, to_end, opened),
            None => Err(Diagnostic::error("a bundle stays in its section")
                .with_primary(directive.span, "closed here")
                .with_secondary(opened, "opened in another section")),
        }
    }

    /// Whether an instruction lies in one bundle.
    pub fn check_bundled(&mut self, place: Place, bytes: u64, at: Span) -> Result<(), Diagnostic> {
        self.align_for_bundles(place.section);
        match self.bundles.group {
            Some(_) => Ok(()),
            None => self.check_bundle(place, bytes, false, at),
        }
    }

    /// What was not closed.
    pub fn check_open_bundle(&mut self) {
        if let Some(group) = self.bundles.group {
            self.errors.push(
                Diagnostic::error("a bundle is not closed before the end of the file")
                    .with_primary(group.opened, "no `.bundle_unlock` follows"),
            );
        }
    }

    fn align_for_bundles(&mut self, section: usize) {
        let section = self.sections.all.get_mut(section);
        if let (Some(section), Some(size)) = (section, self.bundles.size) {
            section.align = section.align.max(size);
        }
    }

    fn check_bundle(
        &self,
        place: Place,
        bytes: u64,
        to_end: bool,
        at: Span,
    ) -> Result<(), Diagnostic> {
        let Some(size) = self.bundles.size else {
            return Ok(());
        };
        if bytes > size {
            return Err(Diagnostic::error(format!(
                "bundles have {size} bytes, and these are {bytes}"
            ))
            .with_primary(at, "too long for a bundle"));
        }
        let Some(offset) = self.sections.offset(place) else {
            return Err(Diagnostic::error(
                "where this lies is not known before the end of the file",
            )
            .with_primary(at, "so it cannot be kept in a bundle")
            .with_help("a LEB128 number of unknown length comes before"));
        };
        let after = (offset + bytes) % size;
        let gap = match to_end {
            true => (size - after) % size,
            false if offset % size + bytes > size => size - offset % size,
            false => 0,
        };
        if gap == 0 {
            return Ok(());
        }
        let what = match to_end {
            true => "does not end with its bundle",
            false => "lies across the end of a bundle",
        };
        Err(Diagnostic::error(format!("this {what} of {size} bytes"))
            .with_primary(at, format!("{gap} bytes are missing before it"))
            .with_note("llvm-mc puts bytes there that are no instruction, which no kernel takes")
            .with_help("put as many `goto +0` there as are needed, or other instructions"))
    }
}
