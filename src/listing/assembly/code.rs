//! Sections of instructions.

use bpf::insn::{CallTarget, Insn, write_slots};
use bpf::object::{
    R_BPF_64_32, R_BPF_64_64, Relocation, STB_GLOBAL, STB_WEAK, STT_FUNC, STT_OBJECT, STV_HIDDEN,
    Section, SectionId, Symbol, SymbolId,
};

use super::places::sum;
use super::text::{numbers, quoted};
use super::{Assembly, Writer};
use crate::listing::line::{Line, relocation_name};

impl Writer<'_> {
    /// The code of a section.
    pub(super) fn code(&self, id: SectionId, section: &Section, out: &mut Assembly) {
        let mut symbols = self.places.symbols(id).iter().peekable();
        let mut here = |offset: u64, out: &mut Assembly| {
            while let Some((at, symbol)) = symbols.next_if(|found| found.0 <= offset) {
                if *at == offset {
                    self.label(*symbol, out);
                }
            }
            if let Some(label) = self.places.label(id, offset) {
                out.line(format_args!("{label}:"));
            }
        };
        let lines = self.places.lines(id);
        for line in lines {
            here(line.offset, out);
            if self.whole {
                self.whole_line(id, line, out);
            } else {
                self.brief_line(id, line, out);
            }
        }
        let size = section.data().len() as u64;
        if self.places.is_placeable(id, size) {
            here(size, out);
        }
        let outside = section
            .relocations
            .iter()
            .filter(|found| found.offset >= size);
        for relocation in outside.filter(|_| self.whole) {
            self.explicit(section, relocation, out);
        }
    }

    /// The label of a symbol, for reading with all that is known of it.
    pub(super) fn label(&self, id: SymbolId, out: &mut Assembly) {
        let Some(name) = self.places.name(id) else {
            return;
        };
        if !self.whole
            && let Some(symbol) = self.object.symbol(id)
        {
            describe(symbol, name, out);
        }
        out.line(format_args!("{name}:"));
    }

    fn brief_line(&self, id: SectionId, line: &Line<'_>, out: &mut Assembly) {
        match &line.insn {
            Ok(insn) => {
                let said = match insn.branch_offset() {
                    Some(distance) => self.branch(id, line, insn, distance),
                    None => self.brief_reference(id, line, *insn),
                };
                match said {
                    Some(said) => out.line(format_args!("\t{said}")),
                    None => out.line(format_args!("\t{insn}")),
                }
            }
            Err(_) => {
                let bytes = line.bytes.iter();
                let bytes: Vec<String> = bytes.map(|byte| format!("{byte:#04x}")).collect();
                out.line(format_args!("\t.byte\t{}", bytes.join(", ")));
            }
        }
    }

    /// A branch to a label; `None` where its target has none.
    fn branch(&self, id: SectionId, line: &Line<'_>, insn: &Insn, distance: i32) -> Option<String> {
        let target = u64::try_from(line.target(distance)).ok()?;
        let label = self.places.label(id, target)?;
        let shown = insn.to_string();
        let stem = shown
            .rsplit_once(' ')
            .map_or(shown.as_str(), |found| found.0);
        Some(format!("{stem} {label}"))
    }

    /// An instruction that names a symbol, for reading.
    fn brief_reference(&self, id: SectionId, line: &Line<'_>, insn: Insn) -> Option<String> {
        let relocation = line
            .relocations
            .iter()
            .find(|found| found.offset == line.offset);
        let symbol = |addend: i64| -> Option<String> {
            let name = quoted(self.object.symbol_label(relocation?.symbol));
            Some(sum(&name, addend))
        };
        match insn {
            Insn::LoadImm64 { dst, imm, .. } => {
                Some(format!("{dst} = {} ll", symbol(imm.cast_signed())?))
            }
            Insn::Call {
                target: CallTarget::Subprogram(distance),
            } => match relocation {
                Some(_) => Some(format!("call {}", symbol((i64::from(distance) + 1) * 8)?)),
                None => {
                    let at = u64::try_from(line.target(distance)).ok()?;
                    let list = self.places.symbols(id);
                    let from = list.partition_point(|found| found.0 < at);
                    let here = list.get(from..)?.iter().take_while(|found| found.0 == at);
                    let mut here = here.map(|found| found.1);
                    let function = |id: &SymbolId| {
                        let symbol = self.object.symbol(*id);
                        symbol.is_some_and(|symbol| symbol.kind == STT_FUNC)
                    };
                    let first = here.clone().next();
                    let found = here.find(function).or(first)?;
                    Some(format!("call {}", self.places.name(found)?))
                }
            },
            Insn::Call { .. } => Some(format!("call {}", symbol(0)?)),
            _ => None,
        }
    }

    fn whole_line(&self, id: SectionId, line: &Line<'_>, out: &mut Assembly) {
        let section = self.object.section(id);
        let known = line.insn.as_ref().ok().filter(|insn| {
            // A form that leaves out a bit of the slot would not bring it back.
            write_slots(insn.encode().as_slice(), self.object.endian) == line.bytes
        });
        let referring = known.and_then(|insn| self.reference(id, line, insn));
        if let Some(said) = referring {
            out.line(format_args!("\t{said}"));
            return;
        }
        match known.and_then(|insn| self.plain(id, line, insn)) {
            Some(said) => out.line(format_args!("\t{said}")),
            None => {
                match &line.insn {
                    Ok(insn) => out.line(format_args!("\t# {insn}")),
                    Err(error) => out.line(format_args!("\t# {error}")),
                }
                numbers(line.bytes, &mut out.text);
            }
        }
        for relocation in &line.relocations {
            if let Some(section) = section {
                self.explicit(section, relocation, out);
            }
        }
    }

    /// An instruction that the assembler gives the line's only relocation.
    fn reference(&self, id: SectionId, line: &Line<'_>, insn: &Insn) -> Option<String> {
        let [relocation] = line.relocations.as_slice() else {
            return None;
        };
        if relocation.offset != line.offset || relocation.addend.is_some() {
            return None;
        }
        match (*insn, relocation.kind) {
            (Insn::LoadImm64 { dst, pseudo, imm }, R_BPF_64_64) if pseudo.0 == 0 => {
                let addend = i64::from(u32::try_from(imm).ok()?);
                let name = self
                    .places
                    .reference(R_BPF_64_64, relocation.symbol, addend)?;
                Some(format!("{dst} = {name} ll"))
            }
            (
                Insn::Call {
                    target: CallTarget::Subprogram(distance),
                },
                R_BPF_64_32,
            ) if self.places.section_symbol(relocation.symbol) != Some(id) => {
                let addend = (i64::from(distance) + 1) * 8;
                let name = self
                    .places
                    .reference(R_BPF_64_32, relocation.symbol, addend)?;
                Some(format!("call {name}"))
            }
            _ => None,
        }
    }

    /// An instruction without a relocation; `None` where the assembler has no form for it.
    fn plain(&self, id: SectionId, line: &Line<'_>, insn: &Insn) -> Option<String> {
        if let Some(distance) = insn.branch_offset() {
            let labelled = self.branch(id, line, insn, distance);
            let short = i16::try_from(distance).is_ok();
            return labelled.or_else(|| short.then(|| insn.to_string()));
        }
        match *insn {
            Insn::Call {
                target: CallTarget::Subprogram(distance),
            } => {
                let target = u64::try_from(line.target(distance)).ok()?;
                let called = line.relocations.is_empty().then_some(target)?;
                let name = match self.places.local_at(id, called) {
                    Some(symbol) => self.places.name(symbol)?.to_owned(),
                    None => self.places.label(id, called)?,
                };
                Some(format!("call {name}"))
            }
            Insn::Call {
                target: CallTarget::Kfunc(_),
            } => None,
            Insn::LoadInd { imm, .. } if imm != 0 => None,
            _ => Some(insn.to_string()),
        }
    }

    /// A relocation by itself, behind what it changes.
    pub(super) fn explicit(&self, section: &Section, relocation: &Relocation, out: &mut Assembly) {
        let kind = relocation_name(relocation.kind);
        let inside = relocation.offset < section.data().len() as u64;
        let name = self.places.name(relocation.symbol);
        match name {
            Some(name) if inside && relocation.addend.is_none() && kind != "R_BPF_unknown" => {
                let offset = relocation.offset;
                out.line(format_args!("\t.reloc\t{offset}, {kind}, {name}"));
            }
            _ => out.lost.push(format!(
                "a relocation of type {} at offset {} of `{}`",
                relocation.kind, relocation.offset, section.name
            )),
        }
    }
}

/// Directives about a symbol, for reading.
fn describe(symbol: &Symbol, name: &str, out: &mut Assembly) {
    match symbol.binding {
        STB_GLOBAL => out.line(format_args!("\t.globl\t{name}")),
        STB_WEAK => out.line(format_args!("\t.weak\t{name}")),
        _ => {}
    }
    if symbol.other & 3 == STV_HIDDEN {
        out.line(format_args!("\t.hidden\t{name}"));
    }
    match symbol.kind {
        STT_FUNC => out.line(format_args!("\t.type\t{name},@function")),
        STT_OBJECT => out.line(format_args!("\t.type\t{name},@object")),
        _ => {}
    }
    if symbol.size > 0 {
        out.line(format_args!("\t.size\t{name}, {}", symbol.size));
    }
}
