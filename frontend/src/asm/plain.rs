//! What is done with statements that were read straight from the text (see `forms`): the same as with all
//! others, without what those may have to say.

use bpf::diagnostic::Span;

use super::assembler::{Assembler, Fixup, FixupKind};
use super::ast::{Expr, Node};
use super::data::{DataKind, encode_leb, integer_bytes, low_bytes};
use super::forms::{Datum, Number, Slots};
use super::layout::Place;
use super::symbols::{Definition, SymbolIndex};

/// A field, the symbol that goes there, and where that is named.
type Reference = (FixupKind, SymbolIndex, Span);

impl Assembler<'_> {
    /// Puts an instruction into the section that grows.
    #[inline]
    pub fn place_plain(&mut self, slots: Slots, span: Span) -> Option<Place> {
        let quickly = match self.debug.lines.is_pending() || self.bundles.is_on() {
            false => self.sections.append_slots(slots),
            true => None,
        };
        if let Some(place) = quickly {
            self.instructions.push(place, span);
            return quickly;
        }
        self.place_slowly(slots, span)
    }

    /// Has a symbol's value filled in at a place.
    #[inline]
    pub fn refer(&mut self, place: Place, (kind, symbol, at): Reference) {
        self.symbols.register(symbol);
        let known = self.symbols.get_mut(symbol);
        let arena = &mut self.arena;
        let node = *known
            .node
            .get_or_insert_with(|| arena.leaf(Node::Place(symbol.0), at).first);
        let value = Expr {
            first: node,
            last: node,
            span: at,
        };
        self.fixups.push(Fixup { place, kind, value });
    }

    /// Out of the way, since what it may have to say is large.
    #[cold]
    fn place_slowly(&mut self, slots: Slots, span: Span) -> Option<Place> {
        let result = match slots.second {
            Some(second) => self.place(&[slots.first, second], span),
            None => self.place(&[slots.first], span),
        };
        let place = result.as_ref().ok().copied();
        self.note(result.map(|_| ()));
        place
    }

    /// The symbol that a name refers to, unless it stands for something else.
    #[inline]
    pub fn label_of(&mut self, (kind, name, at): (FixupKind, &str, Span)) -> Result<Reference, ()> {
        let name = self.arena.intern(name);
        let index = self.named(name);
        let symbol = self.symbols.get_mut(index);
        if symbol.weakly.is_some() || matches!(symbol.definition, Some(Definition::Variable(_))) {
            return Err(());
        }
        symbol.mentioned = true;
        Ok((kind, index, at))
    }

    /// Puts a datum into the section that grows; `None` where it is not known to be the same as in the
    /// other way, and nothing is done.
    pub fn place_datum(&mut self, datum: &Datum<'_>, at: Span) -> Option<()> {
        let endian = self.options.endian;
        let placed = match (datum.kind, datum.value) {
            (DataKind::Integer(size), Number::Known(number)) => {
                self.check_size(number, size, at).ok()?;
                let bytes = integer_bytes(number, endian);
                self.emit(low_bytes(&bytes, size, endian), at)
            }
            (DataKind::Leb { signed: false }, Number::Known(number @ 0..)) => {
                let mut bytes = Vec::new();
                encode_leb(number, false, 1, &mut bytes);
                self.emit(&bytes, at)
            }
            (DataKind::Integer(size), Number::Named(name)) => {
                let label = self.label_of((FixupKind::Data(size), name, at)).ok()?;
                let placed = self.emit(low_bytes(&[0; 8], size, endian), at);
                if let Ok(place) = placed {
                    self.refer(place, label);
                }
                placed
            }
            _ => return None,
        };
        self.note(placed.map(|_| ()));
        Some(())
    }
}
