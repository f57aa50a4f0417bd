//! Branches to labels, near and far, and relocations that are asked for by name.

use bpf::diagnostic::{Diagnostic, Span};
use bpf::object::{
    R_BPF_64_32, R_BPF_64_64, R_BPF_64_ABS32, R_BPF_64_ABS64, R_BPF_64_NODYLD32, STB_LOCAL,
};

use super::assembler::{Assembler, Fixup, FixupKind};
use super::ast::{Directive, Item, Node};
use super::expression::Value;
use super::layout::Place;
use super::relocate::{PendingRelocation, Undefined};
use super::symbols::{Definition, SymbolIndex};

const GOTO: u8 = 0x05;
const GOTOL: u8 = 0x06;

impl Assembler<'_> {
    /// Fills in a branch to a local label that is near enough, which nearly all of them are. Whatever is
    /// not certainly that is left as it is.
    pub fn near_branch(&mut self, fixup: &Fixup) -> Option<()> {
        if fixup.kind != FixupKind::Branch {
            return None;
        }
        let Node::Place(symbol) = self.arena.single(fixup.value)? else {
            return None;
        };
        let symbol = SymbolIndex(symbol);
        let Some(Definition::Label(label)) = self.symbols.get(symbol).definition else {
            return None;
        };
        let place = fixup.place;
        let is_near = (label.section, label.fragment) == (place.section, place.fragment);
        if !is_near || self.binding(symbol) != STB_LOCAL {
            return None;
        }
        let bytes = label.offset.wrapping_sub(place.offset).cast_signed();
        if bytes % 8 != 0 {
            return None;
        }
        let slots = i16::try_from(bytes.wrapping_sub(8) / 8).ok()?;
        let field = Place {
            offset: place.offset + 2,
            ..place
        };
        self.write_integer(field, i64::from(slots), 2);
        Some(())
    }

    pub fn branch_fixup(
        &mut self,
        fixup: Fixup,
        value: Value,
        undefined: &mut Undefined,
    ) -> Result<(), Diagnostic> {
        let at = fixup.value.span;
        let Some(symbol) = value.add.filter(|_| value.sub.is_none()) else {
            return Err(
                Diagnostic::error("a jump's target is a label in the same section")
                    .with_primary(at, ""),
            );
        };
        let Some(place) = self.scope().place(symbol) else {
            undefined.entry(symbol).or_default().push(at);
            return Ok(());
        };
        let name = self.name_of(symbol);
        let defined_at = self.symbols.get(symbol).defined_at;
        let Some(distance) = self.sections.distance(fixup.place, place) else {
            let section = self.sections.all.get(place.section);
            let section = section.map_or("", |section| section.name.as_str());
            let diagnostic = Diagnostic::error(format!(
                "`{name}` is in the section `{section}`, where a jump cannot go"
            ))
            .with_primary(at, "a jump stays in its section");
            return Err(match defined_at {
                Some(first) => diagnostic.with_secondary(first, "defined here"),
                None => diagnostic,
            });
        };
        if !self.is_local(symbol) {
            return Err(Diagnostic::error(format!(
                "`{name}` is global, and a linker may put another one in its place"
            ))
            .with_primary(at, "a jump needs a local label")
            .with_help("define a second label there for jumps"));
        }
        let slots = self.slots(distance.wrapping_add(value.constant), at)?;
        match fixup.kind {
            FixupKind::LongBranch => {
                let immediate = Place {
                    offset: fixup.place.offset + 4,
                    ..fixup.place
                };
                self.write_integer(immediate, slots, 4);
            }
            _ => {
                let Ok(short) = i16::try_from(slots) else {
                    return self.far_branch(fixup, symbol, slots);
                };
                let offset = Place {
                    offset: fixup.place.offset + 2,
                    ..fixup.place
                };
                self.write_integer(offset, i64::from(short), 2);
            }
        }
        Ok(())
    }

    /// Distance in slots from the instruction after the one at distance 0.
    pub fn slots(&self, bytes: i64, at: Span) -> Result<i64, Diagnostic> {
        if bytes % 8 != 0 {
            return Err(
                Diagnostic::error("the target is not the start of an instruction")
                    .with_primary(at, format!("it is {bytes} bytes from here")),
            );
        }
        Ok(bytes.wrapping_sub(8) / 8)
    }

    /// A branch over more instructions than 16 bits count: a `goto` can become a `gotol`, which
    /// has the same size, so that nothing else moves.
    pub fn far_branch(
        &mut self,
        fixup: Fixup,
        symbol: SymbolIndex,
        slots: i64,
    ) -> Result<(), Diagnostic> {
        let opcode = self
            .sections
            .bytes_mut(fixup.place, 1)
            .and_then(|bytes| bytes.first_mut());
        let is_goto = opcode.as_ref().is_some_and(|opcode| **opcode == GOTO);
        if let (true, true, Some(opcode), Ok(_)) =
            (self.options.relax, is_goto, opcode, i32::try_from(slots))
        {
            *opcode = GOTOL;
            let immediate = Place {
                offset: fixup.place.offset + 4,
                ..fixup.place
            };
            self.write_integer(immediate, slots, 4);
            return Ok(());
        }
        let name = self.name_of(symbol);
        let diagnostic = Diagnostic::error(format!(
            "`{name}` is {slots} instructions away, and a jump reaches from -32768 to 32767"
        ))
        .with_primary(fixup.value.span, "too far");
        let diagnostic = match is_goto {
            true => diagnostic.with_help(
                "write `gotol`, which reaches any label in the section, or have `--relax` do so (cpu v4)",
            ),
            false => diagnostic.with_help(
                "let it jump to a `gotol` nearby, which reaches any label in the section (cpu v4)",
            ),
        };
        Err(match self.symbols.get(symbol).defined_at {
            Some(first) => diagnostic.with_secondary(first, "the label"),
            None => diagnostic,
        })
    }

    /// `.reloc offset, R_BPF_…, symbol`
    pub fn relocation_directive(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 3)?;
        let offset = self.expr(directive, 0, "an offset")?;
        let Some(kind) = self.item(directive, 1)? else {
            return Err(self.missing(directive, 1, "the name of a relocation"));
        };
        let name = match kind {
            Item::Expr(expr) => self.arena.single(expr),
            Item::Tag(_) => None,
        };
        let number = match name {
            Some(Node::Symbol(name)) => relocation_number(self.arena.name(name)),
            _ => None,
        };
        let Some(number) = number else {
            return Err(Diagnostic::error("there is no such relocation")
                .with_primary(kind.span(), "")
                .with_help("relocations are R_BPF_64_64, R_BPF_64_ABS64, R_BPF_64_ABS32, R_BPF_64_NODYLD32, R_BPF_64_32 and R_BPF_NONE"));
        };
        let target = self.expr(directive, 2, "a symbol")?;
        self.bind(offset)?;
        let value = self.value(offset)?;
        let place = match (value.add, value.sub) {
            (None, None) => Some(Place {
                section: self.sections.current,
                fragment: 0,
                offset: 0,
            }),
            (Some(symbol), None) => self.scope().place(symbol),
            _ => None,
        };
        let place = place.filter(|place| place.section == self.sections.current);
        let Some(place) = place else {
            return Err(Diagnostic::error(
                "a relocation lies at an offset in this section that is known here",
            )
            .with_primary(offset.span, ""));
        };
        let place = Place {
            offset: place.offset.wrapping_add(value.constant as u64),
            ..place
        };
        if self.sections.all[place.section].fragments.is_empty() || place.offset > i64::MAX as u64 {
            return Err(Diagnostic::error("a relocation lies within its section")
                .with_primary(offset.span, "nothing is there"));
        }
        self.bind(target)?;
        self.register_all(target);
        self.add_fixup(place, FixupKind::Relocation(number), target);
        Ok(())
    }

    /// The relocation that `.reloc` asked for. The field keeps its bytes.
    pub fn explicit_relocation(
        &mut self,
        fixup: Fixup,
        kind: u32,
        value: Value,
    ) -> Result<Option<PendingRelocation>, Diagnostic> {
        let at = fixup.value.span;
        let offset = self.sections.offset(fixup.place);
        let size = self
            .sections
            .all
            .get(fixup.place.section)
            .map(|section| section.size());
        match (value.add, value.sub, value.constant, offset, size) {
            (Some(symbol), None, 0, Some(offset), Some(size)) if offset < size => {
                Ok(self.relocation(fixup.place, kind, symbol))
            }
            (Some(_), None, 0, ..) => {
                Err(Diagnostic::error("a relocation lies within its section")
                    .with_primary(at, "this one lies behind its end"))
            }
            _ => Err(Diagnostic::error("a relocation names a symbol")
                .with_primary(at, "without any arithmetic")
                .with_help("an addend is what the field holds")),
        }
    }
}

fn relocation_number(name: &str) -> Option<u32> {
    Some(match name {
        "R_BPF_NONE" => 0,
        "R_BPF_64_64" => R_BPF_64_64,
        "R_BPF_64_ABS64" => R_BPF_64_ABS64,
        "R_BPF_64_ABS32" => R_BPF_64_ABS32,
        "R_BPF_64_NODYLD32" => R_BPF_64_NODYLD32,
        "R_BPF_64_32" => R_BPF_64_32,
        _ => return None,
    })
}
