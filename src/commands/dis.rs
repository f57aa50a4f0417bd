//! `dis`: the code of an object as a listing.

use bpf::insn::Endian;
use bpf::object::Object;
use clap::Args;
use serde_json::{Value, json};

use super::TextArgs;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{input, listing, output};

/// Options of `dis`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object, or assembly to be assembled first
    file: String,
    /// List this section only
    #[arg(long, value_name = "S")]
    section: Option<String>,
    /// One JSON object for each section
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    text: TextArgs,
}

/// Lists code.
///
/// # Errors
/// [`Failure`] for unreadable files and unknown sections.
pub fn run(options: &Options, _terminal: &Terminal) -> Result<(), Failure> {
    let object = input::read_object(&options.file, options.text)?.object;
    let wanted = |name: &str| {
        options
            .section
            .as_deref()
            .is_none_or(|section| section == name)
    };
    let mut text = String::new();
    let mut listed = false;
    if !options.json {
        let endian = match object.endian {
            Endian::Little => "elf64-bpf",
            Endian::Big => "elf64-bpf, big endian",
        };
        text.push_str(&format!("{}:\tfile format {endian}\n", options.file));
    }
    for id in object.section_ids() {
        let Some(section) = object.section(id) else {
            continue;
        };
        if !section.is_executable() || section.data().is_empty() || !wanted(&section.name) {
            continue;
        }
        listed = true;
        if options.json {
            text.push_str(&format!("{}\n", section_json(&object, id)));
        } else {
            text.push('\n');
            text.push_str(&listing::objdump(&object, id));
        }
    }
    match &options.section {
        Some(section) if !listed => Err(Failure::Usage(format!(
            "{}: there is no code section `{section}`",
            options.file
        ))),
        _ => output::print(text.as_bytes()),
    }
}

fn section_json(object: &Object, id: bpf::object::SectionId) -> Value {
    let lines = listing::lines(object, id).into_iter().map(|line| {
        let hex: String = line
            .bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (insn, error) = match line.insn {
            Ok(insn) => (Some(insn.to_string()), None),
            Err(error) => (None, Some(error)),
        };
        let relocation = line.relocation.map(|found| {
            json!({
                "type": listing::relocation_name(found.kind),
                "symbol": object.symbol_label(found.symbol),
            })
        });
        json!({
            "slot": line.offset / 8,
            "bytes": hex,
            "insn": insn,
            "error": error,
            "relocation": relocation,
        })
    });
    let functions = object
        .functions()
        .into_iter()
        .filter(|function| function.section == id);
    let functions = functions.map(|function| {
        json!({"name": function.name, "slot": function.offset / 8, "slots": function.size / 8})
    });
    json!({
        "section": object.section(id).map(|section| section.name.as_str()),
        "functions": functions.collect::<Vec<_>>(),
        "insns": lines.collect::<Vec<_>>(),
    })
}
