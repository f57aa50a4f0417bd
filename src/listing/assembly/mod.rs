//! Objects as assembly that the assembler takes.
//!
//! [`assembly`] is for reading: sections one after the other, with labels for branch targets and names
//! for what relocations name. [`whole_assembly`] says all there is, so that assembling it gives the
//! same object: it declares sections and symbols first, in their order, and then fills the
//! sections.
//!
//! Why the result is the same: a form that the assembler would turn into something else is never
//! printed. An instruction is printed as text only if encoding it gives its bytes; a relocation is
//! printed as a name only if the assembler's rules lead to the same one, otherwise the field is
//! printed as a number with `.reloc` behind it. What has no form at all is listed in
//! [`Assembly::lost`]. Tests assemble every object of the corpus again.

mod code;
mod data;
mod declarations;
mod places;
mod text;

use bpf::insn::Endian;
use bpf::object::{
    Contents, Object, SHT_GROUP, SHT_LLVM_ADDRSIG, SHT_STRTAB, STB_WEAK, Section, SectionId,
};

use places::Places;
use text::quoted;

/// Assembly of an object.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    /// The text.
    pub text: String,
    /// What it cannot say of the object.
    pub lost: Vec<String>,
}

/// What is written, and how much of it.
struct Writer<'a> {
    object: &'a Object,
    places: Places<'a>,
    /// Whether the text is to give the same object.
    whole: bool,
    out: Assembly,
}

/// An object as assembly to be read.
#[must_use]
pub fn assembly(object: &Object) -> String {
    let mut writer = Writer::new(object, false);
    for id in writer.sections() {
        let Some(section) = object.section(id) else {
            continue;
        };
        writer.section_head(section);
        writer.contents(id, section);
    }
    for symbol in &object.symbols {
        if symbol.section().is_none() && symbol.binding == STB_WEAK && !symbol.name.is_empty() {
            let name = quoted(&symbol.name);
            writer.out.line(format_args!("\t.weak\t{name}"));
        }
    }
    writer.out.text
}

/// An object as assembly that gives the same object.
#[must_use]
pub fn whole_assembly(object: &Object) -> Assembly {
    let mut writer = Writer::new(object, true);
    if object.endian == Endian::Big {
        writer
            .out
            .line(format_args!("# big endian: assemble with --endian big"));
    }
    writer.declarations();
    for id in writer.sections() {
        let Some(section) = object.section(id) else {
            continue;
        };
        let empty = match section.contents {
            Contents::NoBits(size) => size == 0,
            _ => section.data().is_empty(),
        };
        if !empty || !writer.places.symbols(id).is_empty() {
            writer.out.line(format_args!(""));
            writer.enter(id);
            writer.contents(id, section);
        }
    }
    writer.definitions();
    let mut text = String::new();
    for lost in &writer.out.lost {
        text.push_str("# not in this text: ");
        text.push_str(&lost.escape_debug().to_string());
        text.push('\n');
    }
    text.push_str(&writer.out.text);
    Assembly {
        text,
        lost: writer.out.lost,
    }
}

impl<'a> Writer<'a> {
    fn new(object: &'a Object, whole: bool) -> Writer<'a> {
        let mut lost = Vec::new();
        Writer {
            object,
            places: Places::of(object, whole, &mut lost),
            whole,
            out: Assembly {
                text: String::new(),
                lost,
            },
        }
    }

    /// The sections that are written, in order.
    fn sections(&self) -> Vec<SectionId> {
        let written = |section: &Section| {
            let holds = matches!(section.contents, Contents::Bytes(_) | Contents::NoBits(_));
            let numbers = section.kind == SHT_STRTAB
                || (self.whole && matches!(section.kind, SHT_GROUP | SHT_LLVM_ADDRSIG))
                || (!self.whole && section.name == ".llvm_addrsig");
            holds && !numbers
        };
        let ids = self.object.section_ids().skip(1);
        ids.filter(|&id| self.object.section(id).is_some_and(written))
            .collect()
    }

    fn contents(&mut self, id: SectionId, section: &Section) {
        let mut out = std::mem::take(&mut self.out);
        if section.is_executable() {
            self.code(id, section, &mut out);
        } else {
            self.data(id, section, &mut out);
        }
        self.out = out;
    }
}

impl Assembly {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = std::fmt::write(&mut self.text, line);
        self.text.push('\n');
    }
}
