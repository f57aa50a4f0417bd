//! Which name stands for a place, so that the assembler finds the same place and the same relocation.
//!
//! The assembler relocates against a global, weak or undefined symbol itself, and against the section
//! for a local one. So a relocation against a section's symbol can be written by a local symbol that
//! lies there, by the section's name and a distance, or by a `.L` label, which is in no symbol
//! table. Two symbols of one name cannot be told apart in text, nor a symbol and a section: the
//! later one gets another name, and that is said.
//!
//! All tables are sorted once; a look-up is a binary search.

use bpf::insn::{CallTarget, Insn};
use bpf::object::{
    Contents, Object, R_BPF_64_32, R_BPF_64_ABS32, R_BPF_64_NODYLD32, Relocation, SHF_ALLOC,
    SHF_EXECINSTR, SHF_WRITE, SHT_GROUP, STT_FILE, STT_SECTION, SectionId, Symbol, SymbolId,
    SymbolPlace,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::data::number;
use super::text::{is_sayable, quoted};
use crate::listing::line::{Line, lines};

const GRP_COMDAT: u64 = 1;

/// Names and labels of an object.
pub struct Places<'a> {
    object: &'a Object,
    /// By symbol: the name in the text, in quotes where it needs them.
    names: Vec<Option<String>>,
    /// By section: its name in the text, unless another one has it.
    sections: Vec<Option<String>>,
    /// By section: the instructions of code.
    lines: Vec<Vec<Line<'a>>>,
    /// By section: symbols by offset, those of one place in the order of the table.
    symbols: Vec<Vec<(u64, SymbolId)>>,
    /// By section: offsets that need a `.L` label, sorted.
    labels: Vec<Vec<u64>>,
    /// By section that is in a group: the group's symbol, and whether one of several is enough.
    groups: FxHashMap<u32, (SymbolId, bool)>,
    /// What labels begin with.
    prefix: String,
}

/// How a place in a section is named for a relocation against its section.
enum Form {
    Symbol(SymbolId),
    Distance,
    Label,
}

impl<'a> Places<'a> {
    /// Finds names for everything.
    pub fn of(object: &'a Object, whole: bool, lost: &mut Vec<String>) -> Places<'a> {
        let count = object.sections.len();
        let code = |id| match object.is_executable(id) {
            true => lines(object, id).collect(),
            false => Vec::new(),
        };
        let mut places = Places {
            object,
            names: Vec::new(),
            sections: Vec::new(),
            lines: object.section_ids().map(code).collect(),
            symbols: vec![Vec::new(); count],
            labels: vec![Vec::new(); count],
            groups: groups(object),
            prefix: prefix(object),
        };
        places.name_everything(whole, lost);
        for (id, symbol) in object.symbol_ids().zip(&object.symbols) {
            if let Some(section) = symbol.section()
                && is_label(symbol)
                && let Some(list) = places.symbols.get_mut(section.0 as usize)
            {
                list.push((symbol.value, id));
            }
        }
        for list in &mut places.symbols {
            list.sort_by_key(|found| found.0);
        }
        places.find_labels(whole);
        places
    }

    fn name_everything(&mut self, whole: bool, lost: &mut Vec<String>) {
        let object = self.object;
        let mut taken: FxHashSet<&str> = FxHashSet::default();
        for section in &object.sections {
            let free = is_sayable(&section.name) && taken.insert(&section.name);
            self.sections.push(free.then(|| quoted(&section.name)));
        }
        let all = object.symbols.iter().map(|one| one.name.as_str());
        let all: FxHashSet<&str> = all.collect();
        let mut counts: FxHashMap<&str, u64> = FxHashMap::default();
        for symbol in &object.symbols {
            let name = match symbol.kind {
                STT_SECTION => symbol.section().and_then(|id| {
                    let name = self.sections.get(id.0 as usize)?;
                    name.clone().filter(|_| symbol.value == 0)
                }),
                _ if !is_label(symbol) => None,
                _ if !whole => Some(quoted(&symbol.name)),
                _ if !is_sayable(&symbol.name) => {
                    lost.push(format!("the name of the symbol `{}`", symbol.name));
                    None
                }
                _ if taken.insert(&symbol.name) => Some(quoted(&symbol.name)),
                _ => {
                    let count = counts.entry(&symbol.name).or_insert(1);
                    let other = loop {
                        *count += 1;
                        let other = format!("{}.{count}", symbol.name);
                        if !all.contains(other.as_str()) {
                            break other;
                        }
                    };
                    lost.push(format!(
                        "a symbol `{}`, here `{other}`, since the name is taken",
                        symbol.name
                    ));
                    Some(quoted(&other))
                }
            };
            self.names.push(name);
        }
    }

    fn find_labels(&mut self, whole: bool) {
        let mut wanted: Vec<(SectionId, u64)> = Vec::new();
        for id in self.object.section_ids() {
            for line in self.lines(id) {
                let Ok(insn) = &line.insn else { continue };
                let distance = insn.branch_offset().or(match insn {
                    Insn::Call {
                        target: CallTarget::Subprogram(distance),
                    } if whole && line.relocations.is_empty() => Some(*distance),
                    _ => None,
                });
                let target = distance.map(|distance| line.target(distance));
                wanted.extend(target.and_then(|at| Some((id, u64::try_from(at).ok()?))));
            }
            let Some(section) = self.object.section(id).filter(|_| whole) else {
                continue;
            };
            for relocation in &section.relocations {
                if let Some((to, offset)) = self.target(id, section.data(), relocation)
                    && matches!(self.form(relocation.kind, to, offset), Some(Form::Label))
                {
                    wanted.push((to, offset));
                }
            }
        }
        for (id, offset) in wanted {
            if self.is_placeable(id, offset)
                && let Some(list) = self.labels.get_mut(id.0 as usize)
            {
                list.push(offset);
            }
        }
        for list in &mut self.labels {
            list.sort_unstable();
            list.dedup();
        }
    }

    /// The place that a relocation against a section's symbol means.
    fn target(
        &self,
        id: SectionId,
        data: &[u8],
        relocation: &Relocation,
    ) -> Option<(SectionId, u64)> {
        let to = self.section_symbol(relocation.symbol)?;
        let start = usize::try_from(relocation.offset).ok()?;
        let bytes = |from: usize, size: usize| {
            let end = from.checked_add(size)?;
            Some(number(self.object.endian, data.get(from..end)?))
        };
        let addend = match (self.object.is_executable(id), relocation.kind) {
            (true, R_BPF_64_32) => {
                let slots = bytes(start.checked_add(4)?, 4)? as u32;
                let bytes = (i64::from(slots.cast_signed()) + 1) * 8;
                u64::try_from(bytes).ok()?
            }
            (true, _) => bytes(start.checked_add(4)?, 4)?,
            (false, R_BPF_64_32 | R_BPF_64_ABS32 | R_BPF_64_NODYLD32) => bytes(start, 4)?,
            (false, _) => bytes(start, 8)?,
        };
        Some((to, addend))
    }

    /// The section that a symbol stands for.
    pub fn section_symbol(&self, id: SymbolId) -> Option<SectionId> {
        let symbol = self.object.symbol(id)?;
        let stands = symbol.kind == STT_SECTION && symbol.value == 0 && symbol.is_local();
        symbol.section().filter(|_| stands)
    }

    /// The instructions of a code section.
    pub fn lines(&self, id: SectionId) -> &[Line<'a>] {
        self.lines.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The symbols of a section by offset.
    pub fn symbols(&self, id: SectionId) -> &[(u64, SymbolId)] {
        self.symbols.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Offsets that get a label.
    pub fn labels(&self, id: SectionId) -> &[u64] {
        self.labels.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The name of a symbol in the text.
    pub fn name(&self, id: SymbolId) -> Option<&str> {
        self.names.get(id.0 as usize)?.as_deref()
    }

    /// The name of a section, unless another one has it too.
    pub fn section_name(&self, id: SectionId) -> Option<&str> {
        self.sections.get(id.0 as usize)?.as_deref()
    }

    /// The group that a section belongs to: its symbol, and whether one of several is enough.
    pub fn group(&self, id: SectionId) -> Option<(SymbolId, bool)> {
        self.groups.get(&id.0).copied()
    }

    /// The label at a place that has one.
    pub fn label(&self, id: SectionId, offset: u64) -> Option<String> {
        self.labels(id).binary_search(&offset).ok()?;
        let unit = if self.object.is_executable(id) { 8 } else { 1 };
        Some(format!("{}{}_{}", self.prefix, id.0, offset / unit))
    }

    /// Whether a label can stand at a place: between instructions, or anywhere in data.
    pub fn is_placeable(&self, id: SectionId, offset: u64) -> bool {
        let Some(section) = self.object.section(id) else {
            return false;
        };
        if section.is_executable() {
            let lines = self.lines(id);
            let found = lines.binary_search_by_key(&offset, |line| line.offset);
            let end = lines.last().map_or(0, Line::end);
            return found.is_ok() || (end == offset && offset.is_multiple_of(8));
        }
        match section.contents {
            Contents::NoBits(size) => offset <= size,
            _ => offset <= section.data().len() as u64,
        }
    }

    /// A local symbol that lies at a place; the first of the table is asked.
    pub fn local_at(&self, id: SectionId, offset: u64) -> Option<SymbolId> {
        let list = self.symbols(id);
        let from = list.partition_point(|found| found.0 < offset);
        let (at, first) = *list.get(from)?;
        let symbol = self.object.symbol(first)?;
        let usual = symbol.is_local() && !symbol.name.starts_with(".L");
        let good = at == offset && usual && self.is_placeable(id, offset);
        (good && self.name(first).is_some()).then_some(first)
    }

    fn form(&self, kind: u32, id: SectionId, offset: u64) -> Option<Form> {
        let flags = self.object.section(id)?.flags;
        let has = |wanted: u64| flags & wanted == wanted;
        // What `.long` becomes depends on the section and on whether the symbol is a `.L` label.
        let named = match kind {
            R_BPF_64_NODYLD32 => has(SHF_ALLOC | SHF_WRITE),
            R_BPF_64_ABS32 => !has(SHF_ALLOC | SHF_WRITE),
            _ => true,
        };
        let labelled = match kind {
            R_BPF_64_NODYLD32 => has(SHF_ALLOC | SHF_EXECINSTR),
            R_BPF_64_ABS32 => !has(SHF_ALLOC | SHF_EXECINSTR),
            _ => true,
        };
        if named && let Some(symbol) = self.local_at(id, offset) {
            return Some(Form::Symbol(symbol));
        }
        if named && self.section_name(id).is_some() {
            return Some(Form::Distance);
        }
        (labelled && self.is_placeable(id, offset)).then_some(Form::Label)
    }

    /// What the assembler turns into this relocation, against this symbol, with this addend;
    /// `None` where nothing does.
    pub fn reference(&self, kind: u32, symbol: SymbolId, addend: i64) -> Option<String> {
        if let Some(id) = self.section_symbol(symbol) {
            let offset = u64::try_from(addend).ok()?;
            return match self.form(kind, id, offset)? {
                Form::Symbol(symbol) => self.name(symbol).map(str::to_owned),
                Form::Distance => Some(sum(self.section_name(id)?, addend)),
                Form::Label => self.label(id, offset),
            };
        }
        let found = self.object.symbol(symbol)?;
        let section = found.section().and_then(|id| self.object.section(id));
        let writable = section.is_some_and(|section| {
            section.flags & (SHF_ALLOC | SHF_WRITE) == SHF_ALLOC | SHF_WRITE
        });
        let kind_fits = match kind {
            R_BPF_64_NODYLD32 => writable,
            R_BPF_64_ABS32 => !writable,
            _ => true,
        };
        let outside = !found.is_local() && found.kind != STT_SECTION;
        let usual = !found.name.starts_with(".L");
        match outside && kind_fits && usual {
            true => self.name(symbol).map(|name| sum(name, addend)),
            false => None,
        }
    }
}

/// Whether a symbol can be a label.
pub fn is_label(symbol: &Symbol) -> bool {
    let reserved = matches!(symbol.place, SymbolPlace::Reserved(_));
    let named = symbol.kind != STT_SECTION && symbol.kind != STT_FILE && !symbol.name.is_empty();
    named && !reserved
}

/// A name and a distance.
pub fn sum(name: &str, addend: i64) -> String {
    match addend {
        0 => name.to_owned(),
        _ => format!("{name}{addend:+}"),
    }
}

/// What labels begin with: `.L` unless a symbol has such a name.
fn prefix(object: &Object) -> String {
    let taken = object.symbols.iter().filter_map(|symbol| {
        let rest = symbol.name.strip_prefix(".L")?;
        let bars = rest.bytes().take_while(|byte| *byte == b'_').count();
        let digit = rest.as_bytes().get(bars).is_some_and(u8::is_ascii_digit);
        digit.then_some(bars + 1)
    });
    format!(".L{}", "_".repeat(taken.max().unwrap_or(0)))
}

fn groups(object: &Object) -> FxHashMap<u32, (SymbolId, bool)> {
    let mut found = FxHashMap::default();
    for group in object
        .sections
        .iter()
        .filter(|section| section.kind == SHT_GROUP)
    {
        let mut words = group
            .data()
            .chunks_exact(4)
            .map(|word| number(object.endian, word));
        let comdat = words.next().is_some_and(|flags| flags & GRP_COMDAT != 0);
        for word in words {
            found.insert(word as u32, (SymbolId(group.info), comdat));
        }
    }
    found
}
