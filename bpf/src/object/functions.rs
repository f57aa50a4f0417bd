//! Which bytes of executable sections belong to which function.
//!
//! Compilers mark functions by `STT_FUNC` symbols with a size. Assemblers and old compilers leave
//! out the size, the type or the symbol, so this module falls back in that order: `STT_FUNC`
//! symbols, untyped symbols that begin the section or are global, the section as one function.
//!
//! A section can only be rebuilt from its functions if they tile it. What does not tile is
//! reported as an [`Irregularity`], and whoever rewrites code leaves such a section as it is.
//! The cost is a sort of the symbol table.

use super::*;

/// The extent of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionRange {
    /// The section that holds it.
    pub section: SectionId,
    /// Byte offset of the first instruction.
    pub offset: u64,
    /// Size in bytes.
    pub size: u64,
    /// The symbol that names it, if there is one.
    pub symbol: Option<SymbolId>,
    /// The symbol's name, or the section's.
    pub name: String,
    /// Whether the symbol is global or weak, hidden or not.
    pub global: bool,
}

impl FunctionRange {
    /// One past the last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }

    /// Whether a byte offset in the same section lies inside.
    #[must_use]
    pub fn contains(&self, offset: u64) -> bool {
        offset >= self.offset && offset < self.end()
    }
}

/// A reason why a section's bytes are not the concatenation of its functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Irregularity {
    /// The section.
    pub section: SectionId,
    /// Byte offset of the first byte concerned.
    pub offset: u64,
    /// What is irregular.
    pub kind: IrregularityKind,
}

/// What is irregular about a section's functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IrregularityKind {
    /// Bytes up to this offset belong to no function.
    Uncovered {
        /// One past the last byte.
        end: u64,
    },
    /// The function that begins here lies partly or wholly in the one before.
    Overlap,
    /// A function begins or ends inside an instruction slot.
    Misaligned,
    /// A function symbol lies past the section's end.
    OutOfBounds,
}

/// All functions with what is irregular about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionTable {
    /// Functions by section, then by offset.
    pub functions: Vec<FunctionRange>,
    /// Irregularities by section.
    pub irregularities: Vec<Irregularity>,
}

impl FunctionTable {
    /// Whether a section's functions tile it.
    #[must_use]
    pub fn is_regular(&self, section: SectionId) -> bool {
        !self
            .irregularities
            .iter()
            .any(|irregularity| irregularity.section == section)
    }

    /// The functions that a loader takes for programs, by index: as in libbpf, those outside of
    /// `.text` that are not static, and a function that is alone in the object wherever it lies.
    pub fn programs<'table>(
        &'table self,
        object: &'table Object,
    ) -> impl Iterator<Item = usize> + 'table {
        let alone = self.functions.len() == 1;
        let is_program = move |range: &FunctionRange| {
            let section = object.section(range.section);
            let text = section.is_some_and(|section| section.name == ".text");
            alone || !text && (range.global || range.symbol.is_none())
        };
        (0..self.functions.len()).filter(move |&index| is_program(&self.functions[index]))
    }
}

impl FunctionTable {
    /// Makes functions of bytes that belong to none, where `starts` says that one begins at their
    /// first byte. Libbpf's linker leaves such bytes when it drops the symbol of a weak function and
    /// keeps its code; `.BTF.ext` still speaks of them.
    pub fn fill(&mut self, starts: &[(SectionId, u64, String)]) {
        let mut sorted: Vec<(SectionId, u64, &str)> = starts
            .iter()
            .map(|(section, start, name)| (*section, *start, name.as_str()))
            .collect();
        sorted.sort_unstable();
        sorted.dedup_by_key(|&mut (section, start, _)| (section, start));
        let FunctionTable {
            functions,
            irregularities,
        } = self;
        irregularities.retain(
            |&Irregularity {
                 section,
                 offset,
                 kind,
             }| {
                let IrregularityKind::Uncovered { end } = kind else {
                    return true;
                };
                let before = |limit| sorted.partition_point(|&(id, start, _)| (id, start) < limit);
                let inside = &sorted[before((section, offset))..before((section, end))];
                if inside.first().is_none_or(|&(_, start, _)| start != offset)
                    || inside.iter().any(|&(_, start, _)| start % 8 != 0)
                {
                    return true;
                }
                for (index, &(_, start, name)) in inside.iter().enumerate() {
                    let next = inside.get(index + 1).map_or(end, |&(_, next, _)| next);
                    functions.push(FunctionRange {
                        section,
                        offset: start,
                        size: next - start,
                        symbol: None,
                        name: name.to_owned(),
                        global: false,
                    });
                }
                false
            },
        );
        functions.sort_by_key(|function| (function.section, function.offset));
    }
}

impl Object {
    /// The functions of all executable sections, by section and offset.
    #[must_use]
    pub fn functions(&self) -> Vec<FunctionRange> {
        self.function_table().functions
    }

    /// The functions of all executable sections, with what is irregular about them.
    #[must_use]
    pub fn function_table(&self) -> FunctionTable {
        let mut starts: Vec<Vec<Start<'_>>> = vec![Vec::new(); self.sections.len()];
        for (id, symbol) in self.symbol_ids().zip(&self.symbols) {
            let Some(section) = symbol.section() else {
                continue;
            };
            if let Some(list) = starts.get_mut(section.0 as usize) {
                list.push(Start { id, symbol });
            }
        }
        let mut table = FunctionTable::default();
        for ((id, section), symbols) in self.section_ids().zip(&self.sections).zip(starts) {
            if section.is_executable() && !section.data().is_empty() {
                list_section(id, section, entries(&symbols), &mut table);
            }
        }
        table
    }
}

#[derive(Clone, Copy)]
struct Start<'a> {
    id: SymbolId,
    symbol: &'a Symbol,
}

/// The symbols that begin functions, one per offset, by offset.
fn entries<'a>(symbols: &[Start<'a>]) -> Vec<Start<'a>> {
    let typed = |start: &&Start<'a>| start.symbol.kind == STT_FUNC;
    let untyped = |start: &&Start<'a>| {
        start.symbol.kind == STT_NOTYPE
            && !start.symbol.name.is_empty()
            && (start.symbol.value == 0 || !start.symbol.is_local())
    };
    let mut chosen: Vec<Start<'a>> = symbols.iter().filter(typed).copied().collect();
    if chosen.is_empty() {
        chosen = symbols.iter().filter(untyped).copied().collect();
    }
    // Of several names for one place the global one counts: it is what a loader shows.
    chosen.sort_by_key(|start| (start.symbol.value, start.symbol.is_local(), start.id));
    chosen.dedup_by_key(|start| start.symbol.value);
    chosen
}

fn list_section(
    id: SectionId,
    section: &Section,
    entries: Vec<Start<'_>>,
    table: &mut FunctionTable,
) {
    let length = section.data().len() as u64;
    let FunctionTable {
        functions,
        irregularities,
    } = table;
    let mut report = |offset, kind| {
        irregularities.push(Irregularity {
            section: id,
            offset,
            kind,
        });
    };
    if !length.is_multiple_of(8) {
        report(length, IrregularityKind::Misaligned);
    }
    if entries.is_empty() {
        functions.push(FunctionRange {
            section: id,
            offset: 0,
            size: length,
            symbol: None,
            name: section.name.clone(),
            global: false,
        });
        return;
    }
    let mut covered = 0u64;
    for (
        index,
        &Start {
            id: symbol_id,
            symbol,
        },
    ) in entries.iter().enumerate()
    {
        let offset = symbol.value;
        if offset >= length {
            report(offset, IrregularityKind::OutOfBounds);
            continue;
        }
        let next = entries
            .get(index + 1)
            .map_or(length, |next| next.symbol.value.min(length));
        let end = match offset.checked_add(symbol.size) {
            Some(end) if symbol.size != 0 && end <= length => end,
            _ => next,
        };
        if offset % 8 != 0 || end % 8 != 0 {
            report(offset, IrregularityKind::Misaligned);
        }
        if offset < covered {
            report(offset, IrregularityKind::Overlap);
        } else if offset > covered {
            report(covered, IrregularityKind::Uncovered { end: offset });
        }
        covered = covered.max(end);
        functions.push(FunctionRange {
            section: id,
            offset,
            size: end - offset,
            symbol: Some(symbol_id),
            name: symbol.name.clone(),
            global: !symbol.is_local(),
        });
    }
    if covered < length {
        report(covered, IrregularityKind::Uncovered { end: length });
    }
}
