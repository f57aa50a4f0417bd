//! Directives by name.
//!
//! Symbols, data and sections have files of their own. What is known but not carried out is listed by name,
//! so that its message differs from that for a misspelt one.

mod numbers;
mod symbols;

use bpf::diagnostic::Diagnostic;
use bpf::object::{SHF_MERGE, SHF_STRINGS, SHT_PROGBITS, STB_GLOBAL, STB_LOCAL, STB_WEAK};

use super::assembler::Assembler;
use super::ast::Directive;
use super::data::{DataKind, integer_bytes, low_bytes};
use super::layout::{Apart, Position};
use super::warnings::Warning;
use numbers::Float;

const STV_INTERNAL: u8 = 1;
const STV_HIDDEN: u8 = 2;
const STV_PROTECTED: u8 = 3;

/// Directives that other assemblers carry out and this one refuses, with the reason.
const REFUSED: &[(&str, &str)] = &[
    (".memtag", "tagged memory is a feature of other processors"),
    (
        ".pseudoprobe",
        "probes for profiles are made by compilers only",
    ),
    (".lto_set_conditional", "this is for a compiler that links"),
    (".stabs", "stabs are an old form of debugging information"),
    (".stabn", "stabs are an old form of debugging information"),
    (".stabd", "stabs are an old form of debugging information"),
    (".nops", "write `goto +0` as often as it is needed"),
];

impl Assembler<'_> {
    /// Carries out one directive.
    pub fn directive(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let name = self.directive_name(directive).to_owned();
        match name.as_str() {
            ".text" | ".data" | ".bss" | ".rodata" | ".tdata" | ".tbss" | ".data.rel"
            | ".data.rel.ro" | ".eh_frame" => self.standard_section(directive, &name),
            ".subsection" => self.subsection(directive),
            ".section" => self.section_directive(directive),
            ".pushsection" => self.push_section(directive),
            ".popsection" => self.pop_section(directive),
            ".previous" => self.previous_section(directive),

            ".globl" | ".global" => self.set_binding(directive, STB_GLOBAL),
            ".weak" => self.set_binding(directive, STB_WEAK),
            ".local" => self.set_binding(directive, STB_LOCAL),
            ".hidden" => self.set_visibility(directive, STV_HIDDEN),
            ".protected" => self.set_visibility(directive, STV_PROTECTED),
            ".internal" => self.set_visibility(directive, STV_INTERNAL),
            ".weakref" => self.weak_name(directive),
            ".symver" => self.symbol_version(directive),
            ".reloc" => self.relocation_directive(directive),
            ".type" => self.set_type(directive),
            ".size" => self.set_size(directive),
            ".set" | ".equ" | ".equiv" => self.set_value(directive, name == ".equiv"),
            ".comm" | ".common" => self.common(directive, false),
            ".lcomm" => self.common(directive, true),

            ".byte" | ".1byte" => self.data(directive, DataKind::Integer(1)),
            ".short" | ".2byte" | ".value" => self.data(directive, DataKind::Integer(2)),
            ".long" | ".4byte" | ".int" => self.data(directive, DataKind::Integer(4)),
            ".quad" | ".8byte" => self.data(directive, DataKind::Integer(8)),
            ".float" | ".single" => self.floats(directive, Float::Single),
            ".double" => self.floats(directive, Float::Double),
            name if is_sized(name, ".dc") => self.constants(directive),
            name if is_sized(name, ".dcb") => self.constant_block(directive),
            name if is_sized(name, ".ds") => self.space_block(directive),
            ".octa" => self.data(directive, DataKind::Octa),
            ".uleb128" => self.data(directive, DataKind::Leb { signed: false }),
            ".sleb128" => self.data(directive, DataKind::Leb { signed: true }),
            ".ascii" => self.ascii(directive, false),
            ".asciz" | ".string" => self.ascii(directive, true),
            ".zero" | ".skip" | ".space" => self.skip(directive),
            ".fill" => self.fill(directive),
            ".org" => self.org(directive),
            ".p2align" => self.align(directive, true),
            ".align" | ".balign" => self.align(directive, false),

            ".bundle_align_mode" => self.set_bundles(directive),
            ".bundle_lock" => self.open_bundle(directive),
            ".bundle_unlock" => self.close_bundle(directive),

            ".file" => self.file(directive),
            ".loc" => self.location(directive),
            ".ident" => self.ident(directive),
            ".addrsig" => {
                self.has_address_significance = true;
                self.no_operands(directive)
            }
            ".addrsig_sym" => {
                self.at_most(directive, 1)?;
                let name = self.symbol(directive, 0)?;
                let symbol = self.named(name.value);
                self.address_significant.push(symbol);
                Ok(())
            }
            ".error" => {
                let message = match self.item(directive, 0)? {
                    Some(_) => self.text(directive, 0, "a message")?.value,
                    None => "`.error` was reached".to_owned(),
                };
                Err(Diagnostic::error(message).with_primary(directive.span, "requested here"))
            }
            ".err" | ".abort" => {
                Err(Diagnostic::error(format!("`{name}` was reached"))
                    .with_primary(directive.span, ""))
            }
            ".warning" => {
                let message = match self.item(directive, 0)? {
                    Some(_) => self.text(directive, 0, "a message")?.value,
                    None => "`.warning` was reached".to_owned(),
                };
                let warning = Warning::User.diagnostic(message);
                self.warnings
                    .push(warning.with_primary(directive.span, "requested here"));
                Ok(())
            }
            ".print" => {
                self.at_most(directive, 1)?;
                let message = self.text(directive, 0, "a message")?.value;
                self.messages.push(message);
                Ok(())
            }

            ".else" => self.otherwise(directive),
            ".endif" => self.end_conditional(directive),
            ".endm" | ".endmacro" => Err(self.stray_end(directive, ".macro")),
            ".endr" => Err(self.stray_end(directive, ".rept")),
            ".exitm" => self.exit_macro(directive),
            ".purgem" => self.purge_macro(directive),
            ".altmacro" => self.set_alternate(directive, true),
            ".noaltmacro" => self.set_alternate(directive, false),
            ".include" => self.include(directive),
            ".incbin" => self.include_bytes(directive),

            ".line" => {
                // Line numbers of a preprocessor; diagnostics count the lines that are there.
                self.at_most(directive, 1)?;
                self.optional_number(directive, 0, "a line number")
                    .map(|_| ())
            }
            // For a compiler that links; the object is the same.
            ".lto_discard" => Ok(()),
            ".version" => self.version(directive),
            ".end" => {
                self.ended = true;
                Ok(())
            }
            name if name.starts_with(".cfi_") => self.unwind(directive),
            name if name.starts_with(".cv_") => Err(refused(
                directive,
                "CodeView is debugging information of Windows; BPF objects have DWARF and BTF",
            )),
            name => match REFUSED.iter().find(|refused| refused.0 == name) {
                Some((_, reason)) => Err(refused(directive, reason)),
                None => Err(unknown(name, directive)),
            },
        }
    }

    /// `.version "text"`: a note without an owner, as the GNU assembler writes it
    fn version(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let text = self.text(directive, 0, "a string")?;
        let before = (self.sections.position(), self.sections.previous);
        self.standard_section_named(".note");
        let size = i64::try_from(text.value.len() + 1).unwrap_or(i64::MAX);
        let mut bytes = Vec::new();
        for word in [size, 0, 1] {
            let word = integer_bytes(word, self.options.endian);
            bytes.extend_from_slice(low_bytes(&word, 4, self.options.endian));
        }
        bytes.extend_from_slice(text.value.as_bytes());
        bytes.push(0);
        let result = self.emit(&bytes, text.span);
        let result = result.and_then(|_| self.pad(4, Some(0), u64::MAX, text.span));
        self.sections.go_to(before.0);
        self.sections.previous = before.1;
        result
    }

    fn ident(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        self.at_most(directive, 1)?;
        let text = self.text(directive, 0, "a string")?;
        self.debug.lines.take_pending();
        let before = self.sections.position();
        let comment = match self.sections.find(".comment", Apart::default()) {
            Some(section) => section,
            None => {
                let flags = SHF_MERGE | SHF_STRINGS;
                self.add_section(".comment", Apart::default(), SHT_PROGBITS, flags, 1)
            }
        };
        self.sections.go_to(Position {
            section: comment,
            part: 0,
        });
        let mut bytes = Vec::new();
        if self.sections.section().fragments.is_empty() {
            bytes.push(0);
        }
        bytes.extend_from_slice(text.value.as_bytes());
        bytes.push(0);
        let result = self.emit(&bytes, text.span).map(|_| ());
        self.sections.go_to(before);
        result
    }
}

/// Whether a name is that of a directive, possibly with a letter for the size of its data.
fn is_sized(name: &str, base: &str) -> bool {
    let rest = name.strip_prefix(base);
    rest.is_some_and(|rest| rest.is_empty() || (rest.len() == 2 && rest.starts_with('.')))
}

/// The diagnostic for a directive that is known and refused.
fn refused(directive: &Directive, reason: &str) -> Diagnostic {
    Diagnostic::error("this directive is not carried out")
        .with_primary(directive.name.span, "")
        .with_note(reason)
}

/// The diagnostic for a directive that nobody knows.
fn unknown(name: &str, directive: &Directive) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("there is no directive `{name}`"))
        .with_primary(directive.name.span, "");
    let meant = match name {
        ".word" => return diagnostic.with_help("`.long` has 4 bytes, `.short` has 2"),
        ".hword" | ".half" => ".short",
        ".dword" | ".xword" => ".quad",
        ".inst" => ".quad",
        ".str" => ".asciz",
        ".extern" => ".globl",
        ".function" | ".func" => ".type name, @function",
        ".equal" => ".equ",
        _ => return diagnostic,
    };
    match meant.contains(' ') {
        true => diagnostic.with_help(format!("write `{meant}`")),
        false => diagnostic.with_replacement(directive.name.span, meant),
    }
}
