//! Fills in what refers to symbols, now that all of them are known.
//!
//! A reference within a section is resolved where nobody can move the target; every other one
//! becomes a relocation. ELF for BPF has relocations without addends of their own, so the addend
//! goes into the field. A local symbol is named by its section, with its offset in the field,
//! except in a mergeable section, where an offset alone would not survive merging.

use std::collections::BTreeMap;

use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::Endian;
use bpf::object::{
    R_BPF_64_32, R_BPF_64_64, R_BPF_64_ABS32, R_BPF_64_ABS64, R_BPF_64_NODYLD32, SHF_ALLOC,
    SHF_EXECINSTR, SHF_MERGE, SHF_WRITE, STB_GLOBAL, STB_LOCAL, STB_WEAK,
};

use super::assembler::{Assembler, Fixup, FixupKind, too_large};
use super::ast::Expr;
use super::data::{integer_bytes, low_bytes};
use super::expression::Value;
use super::layout::{Place, TooLarge};
use super::symbols::{Definition, SymbolIndex};
use super::unresolved::{MOST_COMPARED, Told};

/// A relocation whose symbol has no index yet.
#[derive(Clone, Copy, Debug)]
pub struct PendingRelocation {
    /// Byte offset in the section.
    pub offset: u64,
    /// `R_BPF_*`
    pub kind: u32,
    /// The symbol to name.
    pub symbol: SymbolIndex,
}

/// Places at which an undefined symbol is used, for one diagnostic about all of them.
pub type Undefined = BTreeMap<SymbolIndex, Vec<Span>>;

impl Assembler<'_> {
    /// Lays out all sections and fills in all fields. The relocations of each section, by index.
    pub fn resolve(&mut self) -> Vec<Vec<PendingRelocation>> {
        if let Err(TooLarge) = self.settle() {
            self.errors
                .push(too_large(Span::point(self.sources.main(), 0)));
            return vec![Vec::new(); self.sections.all.len()];
        }
        let generated = self.generate_debug_sections();
        let mut relocations = vec![Vec::new(); self.sections.all.len()];
        for (section, relocation) in generated {
            self.symbols.get_mut(relocation.symbol).used = true;
            relocations[section].push(relocation);
        }
        self.make_versions();
        let mut undefined = Undefined::new();
        let mut told = Told::default();
        for fixup in std::mem::take(&mut self.fixups) {
            if self.near_branch(&fixup).is_some() {
                continue;
            }
            match self.fixup(fixup, &mut undefined) {
                Ok(None) => {}
                Ok(Some(relocation)) => {
                    self.symbols.get_mut(relocation.symbol).used = true;
                    relocations[fixup.place.section].push(relocation);
                }
                Err(diagnostic) if fixup.kind == FixupKind::Immediate => {
                    self.no_immediate(diagnostic, &mut told);
                }
                Err(diagnostic) => self.errors.push(diagnostic),
            }
        }
        for (count, (symbol, places)) in undefined.into_iter().enumerate() {
            // A local label that is nowhere defined has been reported.
            if self.symbols.get(symbol).name.is_none() {
                continue;
            }
            let diagnostic = self.undefined(symbol, &places, count < MOST_COMPARED);
            self.errors.push(diagnostic);
        }
        for list in &mut relocations {
            list.sort_by_key(|relocation| relocation.offset);
        }
        relocations
    }

    fn fixup(
        &mut self,
        fixup: Fixup,
        undefined: &mut Undefined,
    ) -> Result<Option<PendingRelocation>, Diagnostic> {
        let value = match self.scope().evaluate(fixup.value) {
            Ok(value) => value,
            Err((problem, at)) => {
                // A node that is alone may stand for several uses.
                let alone = fixup.value.first == fixup.value.last;
                let at = if alone { fixup.value.span } else { at };
                return Err(self.no_value(problem, at));
            }
        };
        match fixup.kind {
            FixupKind::Data(size) => self.data_fixup(fixup, size, value, undefined),
            FixupKind::Wide => self.wide_fixup(fixup, value, undefined),
            FixupKind::Call => self.call_fixup(fixup, value, undefined),
            FixupKind::Branch | FixupKind::LongBranch => {
                self.branch_fixup(fixup, value, undefined)?;
                Ok(None)
            }
            FixupKind::Relocation(kind) => self.explicit_relocation(fixup, kind, value),
            FixupKind::Immediate => Err(self.bad_immediate(fixup.value, value)),
        }
    }

    fn data_fixup(
        &mut self,
        fixup: Fixup,
        size: u8,
        value: Value,
        undefined: &mut Undefined,
    ) -> Result<Option<PendingRelocation>, Diagnostic> {
        let at = fixup.value.span;
        if let Some(number) = value.as_number() {
            self.check_size(number, size, at)?;
            self.write_integer(fixup.place, number, size);
            return Ok(None);
        }
        self.check_difference(fixup.value, value, undefined)?;
        let Some(symbol) = value.add else {
            return Ok(None);
        };
        let kind = match size {
            8 => R_BPF_64_ABS64,
            4 => self.data_relocation(symbol),
            _ => {
                return Err(Diagnostic::error(format!(
                    "the address of `{}` does not fit here",
                    self.name_of(symbol)
                ))
                .with_primary(at, "only 4 and 8 bytes can hold an address")
                .with_help("`.long` and `.quad` can"));
            }
        };
        let (symbol, addend) = self.relocation_target(symbol, value.constant);
        if size == 4 && i32::try_from(addend).is_err() && u32::try_from(addend).is_err() {
            return Err(Diagnostic::error("the addend does not fit 32 bits").with_primary(at, ""));
        }
        self.write_integer(fixup.place, addend, size);
        Ok(self.relocation(fixup.place, kind, symbol))
    }

    /// `.long` of a place in code (from `.BTF.ext`) and of a variable (from `.BTF`) are for the
    /// kernel's loader and not to be touched by a dynamic linker.
    fn data_relocation(&self, symbol: SymbolIndex) -> u32 {
        let place = self.scope().place(symbol);
        let Some(section) = place.and_then(|place| self.sections.all.get(place.section)) else {
            return R_BPF_64_ABS32;
        };
        let wanted = match self.symbols.get(symbol).temporary {
            true => SHF_ALLOC | SHF_EXECINSTR,
            false => SHF_ALLOC | SHF_WRITE,
        };
        match section.flags & wanted == wanted {
            true => R_BPF_64_NODYLD32,
            false => R_BPF_64_ABS32,
        }
    }

    fn wide_fixup(
        &mut self,
        fixup: Fixup,
        value: Value,
        undefined: &mut Undefined,
    ) -> Result<Option<PendingRelocation>, Diagnostic> {
        let immediate = |place: Place, slot: u64| Place {
            offset: place.offset + 8 * slot + 4,
            ..place
        };
        if let Some(number) = value.as_number() {
            self.write_integer(immediate(fixup.place, 0), number & 0xffff_ffff, 4);
            self.write_integer(immediate(fixup.place, 1), number >> 32, 4);
            return Ok(None);
        }
        self.check_difference(fixup.value, value, undefined)?;
        let Some(symbol) = value.add else {
            return Ok(None);
        };
        let (symbol, addend) = self.relocation_target(symbol, value.constant);
        if i32::try_from(addend).is_err() && u32::try_from(addend).is_err() {
            return Err(Diagnostic::error("the addend does not fit 32 bits")
                .with_primary(fixup.value.span, format!("it is {addend}")));
        }
        self.write_integer(immediate(fixup.place, 0), addend, 4);
        Ok(self.relocation(fixup.place, R_BPF_64_64, symbol))
    }

    fn call_fixup(
        &mut self,
        fixup: Fixup,
        value: Value,
        undefined: &mut Undefined,
    ) -> Result<Option<PendingRelocation>, Diagnostic> {
        let at = fixup.value.span;
        if let Some(number) = value.as_number() {
            return Err(Diagnostic::error(
                "the number of a helper has to be known where it is called",
            )
            .with_primary(at, format!("it is {number}, but only later"))
            .with_help("move the definition up"));
        }
        let (Some(symbol), None) = (value.add, value.sub) else {
            return Err(
                Diagnostic::error("a call's target is a helper's number or a symbol")
                    .with_primary(at, ""),
            );
        };
        let immediate = Place {
            offset: fixup.place.offset + 4,
            ..fixup.place
        };
        let place = self.scope().place(symbol);
        let distance = place.and_then(|to| self.sections.distance(fixup.place, to));
        let resolved = distance.filter(|_| self.is_local(symbol));
        let (bytes, relocation) = match resolved {
            Some(distance) => (distance.wrapping_add(value.constant), None),
            None => {
                if self.is_lost(symbol) {
                    undefined.entry(symbol).or_default().push(at);
                }
                let (symbol, addend) = self.relocation_target(symbol, value.constant);
                (addend, self.relocation(fixup.place, R_BPF_64_32, symbol))
            }
        };
        let slots = self.slots(bytes, at)?;
        let Ok(slots) = i32::try_from(slots) else {
            return Err(Diagnostic::error("the function is too far away").with_primary(at, ""));
        };
        self.write_integer(immediate, i64::from(slots), 4);
        Ok(relocation)
    }

    /// Whether a symbol is a temporary one, which no other file can define, and not defined here.
    fn is_lost(&self, symbol: SymbolIndex) -> bool {
        let symbol = self.symbols.get(symbol);
        symbol.temporary && symbol.definition.is_none()
    }

    /// Refuses what remains of `a - b` when their distance is not known.
    fn check_difference(
        &self,
        expr: Expr,
        value: Value,
        undefined: &mut Undefined,
    ) -> Result<(), Diagnostic> {
        let Some(sub) = value.sub else {
            if let Some(symbol) = value.add.filter(|symbol| self.is_lost(*symbol)) {
                undefined.entry(symbol).or_default().push(expr.span);
            }
            return Ok(());
        };
        if self.symbols.get(sub).definition.is_none() {
            undefined.entry(sub).or_default().push(expr.span);
            return Ok(());
        }
        Err(match value.add {
            Some(add) => {
                let (add, sub) = (self.name_of(add), self.name_of(sub));
                Diagnostic::error(format!(
                    "the distance from `{sub}` to `{add}` is not known when assembling"
                ))
                .with_primary(expr.span, "they are not in the same section")
            }
            None => Diagnostic::error("an address cannot be negated").with_primary(expr.span, ""),
        })
    }

    /// The symbol that a relocation names, and the addend for it.
    fn relocation_target(&mut self, symbol: SymbolIndex, addend: i64) -> (SymbolIndex, i64) {
        let place = match self.scope().place(symbol) {
            Some(place) if self.is_local(symbol) => place,
            _ => return (symbol, addend),
        };
        let Some(section) = self.sections.all.get(place.section) else {
            return (symbol, addend);
        };
        if section.flags & SHF_MERGE != 0 && addend != 0 {
            return (symbol, addend);
        }
        let offset = self.sections.offset(place).unwrap_or(0);
        (section.symbol, addend.wrapping_add(offset as i64))
    }

    /// The relocation of a field against a symbol, or against the version that stands for it.
    pub fn relocation(
        &self,
        place: Place,
        kind: u32,
        symbol: SymbolIndex,
    ) -> Option<PendingRelocation> {
        Some(PendingRelocation {
            offset: self.sections.offset(place)?,
            kind,
            symbol: self.in_object(symbol),
        })
    }

    /// A symbol's binding as the object will have it.
    pub fn binding(&self, symbol: SymbolIndex) -> u8 {
        let symbol = self.symbols.get(symbol);
        match (symbol.binding, symbol.definition) {
            (Some(binding), _) => binding,
            (None, None) if symbol.has_weak_name && symbol.used && !symbol.mentioned => STB_WEAK,
            (None, None) if symbol.signature.is_some() && !symbol.used => STB_LOCAL,
            (None, None | Some(Definition::Common { .. })) => STB_GLOBAL,
            (None, Some(_)) => STB_LOCAL,
        }
    }

    /// Whether no other file can put another symbol in its place.
    pub fn is_local(&self, symbol: SymbolIndex) -> bool {
        self.binding(symbol) == STB_LOCAL
    }

    pub fn write_integer(&mut self, place: Place, value: i64, size: u8) {
        let endian: Endian = self.options.endian;
        let bytes = integer_bytes(value, endian);
        let low = low_bytes(&bytes, size, endian);
        if let Some(target) = self.sections.bytes_mut(place, low.len()) {
            target.copy_from_slice(low);
        }
    }
}
