//! The label `exit`, which nobody has to define: it is the first `exit` of the section.
//!
//! The conformance suite's programs jump there. A label of this name that the text does define is
//! meant instead, wherever in the section it stands, so that the place is looked for when all has been read.
//!
//! Cost: one walk over all instructions, and only where such a jump was met.

use bpf::diagnostic::{Diagnostic, Span};

use super::super::assembler::Assembler;
use super::super::ast::{Expr, Node};
use super::super::symbols::{Definition, SymbolIndex};

const NAME: &str = "exit";
const OPCODE: u8 = 0x95;

/// The `exit` that jumps of one section go to.
#[derive(Clone, Copy, Debug)]
pub struct ImplicitExit {
    symbol: SymbolIndex,
    /// The first jump.
    at: Span,
}

impl Assembler<'_> {
    /// Lets a jump to a label `exit` that is not defined so far go to a place that is found later.
    pub fn meet_implicit_exit(&mut self, target: Expr) {
        let name = match self.arena.single(target) {
            Some(Node::Symbol(name)) if self.arena.name(name) == NAME => name,
            _ => return,
        };
        let symbol = self.named(name);
        if self.symbols.get(symbol).definition.is_some() {
            return;
        }
        let section = self.sections.current;
        let symbols = &mut self.symbols;
        let exit = self.exits.entry(section).or_insert_with(|| ImplicitExit {
            symbol: symbols.anonymous(),
            at: target.span,
        });
        let place = Node::Place(exit.symbol.0);
        if let Some(node) = self.arena.nodes_mut(target).first_mut() {
            node.value = place;
        }
    }

    /// Finds those places.
    pub fn place_implicit_exits(&mut self) {
        let name = self.arena.intern(NAME);
        for (section, exit) in std::mem::take(&mut self.exits) {
            let named = self.symbols.find(name);
            let named = named.and_then(|index| self.symbols.get(index).definition);
            let mut definition = named.filter(|definition| {
                matches!(definition, Definition::Label(place) if place.section == section)
            });
            if definition.is_none() {
                for place in self.instructions.places() {
                    if place.section == section
                        && let Some([OPCODE, ..]) = self.sections.bytes_mut(place, 1).as_deref()
                    {
                        definition = Some(Definition::Label(place));
                        break;
                    }
                }
            }
            match definition.or(named) {
                Some(definition) => {
                    self.symbols.get_mut(exit.symbol).definition = Some(definition);
                }
                None => self.errors.push(
                    Diagnostic::error("there is no `exit` in this section to jump to")
                        .with_primary(exit.at, ""),
                ),
            }
        }
    }
}
