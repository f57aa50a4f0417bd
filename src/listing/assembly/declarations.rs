//! What stands before and behind the contents: sections and symbols in the order in which the object
//! has them, and what is no label.
//!
//! The assembler numbers sections and symbols as it meets them, so each is named once in the right
//! order before anything else is written.

use std::fmt::Write as _;

use bpf::object::{
    Contents, EM_BPF, SHF_ALLOC, SHF_EXECINSTR, SHF_MERGE, SHT_LLVM_ADDRSIG, SHT_PROGBITS,
    STB_GLOBAL, STB_LOCAL, STB_WEAK, STT_FILE, STT_FUNC, STT_NOTYPE, STT_OBJECT, STT_SECTION,
    Section, SectionId, Symbol, SymbolId, SymbolPlace,
};

use rustc_hash::FxHashSet;

use super::Writer;
use super::places::is_label;
use super::text::{SHF_GROUP, flag_letters, is_sayable, quoted, type_name};

const STT_TLS: u8 = 6;

impl Writer<'_> {
    /// The head of a section, for reading.
    pub(super) fn section_head(&mut self, section: &Section) {
        let (flags, _) = flag_letters(section.flags, false);
        let kind = match section.contents {
            Contents::NoBits(_) => "nobits",
            _ => "progbits",
        };
        let entry = match section.flags & SHF_MERGE {
            0 => String::new(),
            _ => format!(",{}", section.entry_size),
        };
        let name = quoted(&section.name);
        self.out.line(format_args!(
            "\t.section\t{name},\"{flags}\",@{kind}{entry}"
        ));
        self.alignment(section);
    }

    fn alignment(&mut self, section: &Section) {
        if section.align > 1 && section.align.is_power_of_two() {
            let power = section.align.trailing_zeros();
            self.out.line(format_args!("\t.p2align\t{power}"));
        }
    }

    /// Names everything once.
    pub(super) fn declarations(&mut self) {
        if self.object.machine != EM_BPF {
            let machine = self.object.machine;
            self.out.lost.push(format!("machine {machine}"));
        }
        if self.object.flags != 0 {
            let flags = self.object.flags;
            self.out.lost.push(format!("flags {flags:#x} of the file"));
        }
        let sections = self.sections();
        let written: FxHashSet<SectionId> = sections.iter().copied().collect();
        let mut sections = sections.into_iter().peekable();
        for id in self.object.symbol_ids().skip(1) {
            let Some(symbol) = self.object.symbol(id) else {
                continue;
            };
            if symbol.section().is_some_and(|to| !written.contains(&to)) {
                let name = self.object.symbol_label(id);
                self.out
                    .lost
                    .push(format!("the section of the symbol `{name}`"));
            }
            match (symbol.kind, symbol.place) {
                (STT_FILE, place) => {
                    let name = string(&symbol.name);
                    self.out.line(format_args!("\t.file\t{name}"));
                    if place != SymbolPlace::Absolute || !is_plain(symbol) {
                        let lost = format!("what is unusual about the file name {name}");
                        self.out.lost.push(lost);
                    }
                }
                (STT_SECTION, SymbolPlace::Section(to)) => {
                    while let Some(next) = sections.next_if(|next| *next <= to) {
                        self.declare_section(next);
                    }
                    // The assembler makes it, as plain as they are.
                    if !is_plain(symbol) || !symbol.name.is_empty() {
                        let name = self.object.symbol_label(id);
                        let lost =
                            format!("what is unusual about the symbol of the section `{name}`");
                        self.out.lost.push(lost);
                    }
                }
                _ => self.declare_symbol(id, symbol),
            }
        }
        for next in sections {
            self.declare_section(next);
        }
    }

    fn declare_section(&mut self, id: SectionId) {
        self.enter(id);
        let Some(section) = self.object.section(id) else {
            return;
        };
        self.alignment(section);
        let name = &section.name;
        let mut lost = Vec::new();
        let (_, mut rest) = flag_letters(section.flags, true);
        if self.places.group(id).is_none() {
            rest |= section.flags & SHF_GROUP;
        }
        if rest != 0 {
            lost.push(format!("flags {rest:#x} of the section `{name}`"));
        }
        if type_name(section.kind).is_none() {
            lost.push(format!("type {:#x} of the section `{name}`", section.kind));
        }
        let align = section.align.max(1);
        if !align.is_power_of_two() || (name == ".text" && align < 4) {
            lost.push(format!("alignment {align} of the section `{name}`"));
        }
        let merge = section.flags & SHF_MERGE != 0;
        if merge != (section.entry_size != 0) {
            let size = section.entry_size;
            lost.push(format!("entries of {size} bytes in the section `{name}`"));
        }
        if section.address != 0 {
            lost.push(format!("the address of the section `{name}`"));
        }
        if !is_sayable(name) {
            lost.push(format!("the name of the section `{name}`"));
        }
        if is_text(section) && usual_text(section).is_none() {
            lost.push("flags of the section `.text`".to_owned());
        }
        self.out.lost.extend(lost);
    }

    /// Makes a section grow.
    pub(super) fn enter(&mut self, id: SectionId) {
        let Some(section) = self.object.section(id) else {
            return;
        };
        let mut line = format!("\t.section\t{}", quoted(&section.name));
        let first = self.places.section_name(id).is_some();
        if !is_text(section) || usual_text(section).is_some() || !first {
            let entries = section.flags & SHF_MERGE == 0 || section.entry_size != 0;
            let group = self.group_of(id);
            let mut flags = section.flags;
            if !entries {
                flags &= !SHF_MERGE;
            }
            if group.is_none() {
                flags &= !SHF_GROUP;
            }
            let (letters, _) = flag_letters(flags, true);
            let kind = type_name(section.kind).unwrap_or("progbits");
            let _ = write!(line, ",\"{letters}\",@{kind}");
            if flags & SHF_MERGE != 0 {
                let _ = write!(line, ",{}", section.entry_size);
            }
            if let Some((signature, comdat)) = group.filter(|_| flags & SHF_GROUP != 0) {
                let _ = write!(line, ",{signature}{}", if comdat { ",comdat" } else { "" });
            }
        }
        if !first {
            let _ = write!(line, ",unique,{}", id.0);
        }
        self.out.line(format_args!("{line}"));
    }

    /// The group that a section belongs to: its symbol, and whether one of several is enough.
    fn group_of(&self, id: SectionId) -> Option<(String, bool)> {
        let (signature, comdat) = self.places.group(id)?;
        Some((self.places.name(signature)?.to_owned(), comdat))
    }

    fn declare_symbol(&mut self, id: SymbolId, symbol: &Symbol) {
        let Some(name) = self.places.name(id).map(str::to_owned) else {
            if !is_label(symbol) {
                let symbol = &symbol.name;
                self.out.lost.push(format!("the symbol `{symbol}`"));
            }
            return;
        };
        let lost = |what: &str| format!("{what} of the symbol `{}`", symbol.name);
        let stays_inside = symbol.name.starts_with(".L");
        if stays_inside {
            self.out
                .lost
                .push(lost("unless a relocation needs it, the entry"));
        }
        match (symbol.place, symbol.binding) {
            (SymbolPlace::Common, STB_GLOBAL) => {
                let (size, align) = (symbol.size, symbol.value);
                self.out
                    .line(format_args!("\t.comm\t{name},{size},{align}"));
                return;
            }
            (_, STB_GLOBAL) if stays_inside => self.out.lost.push(lost("the global binding")),
            (_, STB_GLOBAL) => self.out.line(format_args!("\t.globl\t{name}")),
            (_, STB_WEAK) => self.out.line(format_args!("\t.weak\t{name}")),
            (SymbolPlace::Undefined, _) => self.out.lost.push(lost("the local binding")),
            (_, STB_LOCAL) => self.out.line(format_args!("\t.local\t{name}")),
            _ => self.out.lost.push(lost("the binding")),
        }
        match symbol.kind {
            STT_NOTYPE => {}
            STT_FUNC => self.out.line(format_args!("\t.type\t{name},@function")),
            STT_OBJECT => self.out.line(format_args!("\t.type\t{name},@object")),
            STT_TLS => self.out.line(format_args!("\t.type\t{name},@tls_object")),
            _ => self.out.lost.push(lost("the type")),
        }
        match symbol.other {
            0 => {}
            1 => self.out.line(format_args!("\t.internal\t{name}")),
            2 => self.out.line(format_args!("\t.hidden\t{name}")),
            3 => self.out.line(format_args!("\t.protected\t{name}")),
            _ => self.out.lost.push(lost("the visibility")),
        }
        if symbol.place == SymbolPlace::Undefined && symbol.value != 0 {
            self.out.lost.push(lost("the value, without a place,"));
        }
        if symbol.size != 0 {
            self.out
                .line(format_args!("\t.size\t{name}, {}", symbol.size));
        }
        if symbol.place == SymbolPlace::Absolute {
            let value = symbol.value.cast_signed();
            self.out.line(format_args!("\t.set\t{name}, {value}"));
        }
    }

    /// Symbols that are no labels, and the list of significant addresses.
    pub(super) fn definitions(&mut self) {
        for (id, symbol) in self.object.symbol_ids().zip(&self.object.symbols) {
            let SymbolPlace::Section(to) = symbol.place else {
                continue;
            };
            let Some(name) = self.places.name(id).filter(|_| is_label(symbol)) else {
                continue;
            };
            if self.places.is_placeable(to, symbol.value) {
                continue;
            }
            match self.places.section_name(to) {
                Some(section) => {
                    let line = format!("\t.set\t{name}, {section}+{}", symbol.value);
                    self.out.line(format_args!("{line}"));
                }
                None => {
                    let name = &symbol.name;
                    self.out
                        .lost
                        .push(format!("the place of the symbol `{name}`"));
                }
            }
        }
        let sections = self.object.sections.iter();
        for section in sections.filter(|section| section.kind == SHT_LLVM_ADDRSIG) {
            self.out.line(format_args!("\n\t.addrsig"));
            let mut rest = section.data();
            while let Some(symbol) = leb128(&mut rest) {
                let symbol = u32::try_from(symbol).ok().map(SymbolId);
                match symbol.and_then(|symbol| self.places.name(symbol)) {
                    Some(name) => self.out.line(format_args!("\t.addrsig_sym {name}")),
                    None => self
                        .out
                        .lost
                        .push("an address-significant symbol".to_owned()),
                }
            }
        }
    }
}

/// Whether a symbol that the assembler makes by itself looks like this one but for its name.
fn is_plain(symbol: &Symbol) -> bool {
    symbol.is_local() && (symbol.value, symbol.size, symbol.other) == (0, 0, 0)
}

fn is_text(section: &Section) -> bool {
    section.name == ".text"
}

/// The section that every assembler makes has these flags already.
fn usual_text(section: &Section) -> Option<()> {
    let usual = section.kind == SHT_PROGBITS && section.flags == SHF_ALLOC | SHF_EXECINSTR;
    usual.then_some(())
}

/// A string with its escapes, in quotes.
fn string(text: &str) -> String {
    let mut shown = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                shown.push('\\');
                shown.push(char::from(byte));
            }
            b' '..=b'~' => shown.push(char::from(byte)),
            _ => {
                let _ = write!(shown, "\\{byte:03o}");
            }
        }
    }
    shown.push('"');
    shown
}

/// Takes an unsigned LEB128 number from the front.
fn leb128(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    let mut shift = 0;
    loop {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift).unwrap_or(0);
        shift = shift.saturating_add(7);
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
}
