//! `show`: the programs and maps of an object, as bpftool lists them.

use bpf::maps::MapDef;
use bpf::object::{FunctionTable, Object};
use bpf::program_type::{ProgramType, SectionKind};
use clap::Args;
use serde_json::{Value, json};

use super::TextArgs;
use crate::definitions::Definitions;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{input, output};

/// Options of `show`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object, or assembly to be assembled first
    file: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    text: TextArgs,
}

struct Program {
    name: String,
    section: String,
    kind: Option<ProgramType>,
    slots: u64,
    is_program: bool,
}

/// Lists programs and maps.
///
/// # Errors
/// [`Failure`] for unreadable files and map definitions.
pub fn run(options: &Options, _terminal: &Terminal) -> Result<(), Failure> {
    let object = input::read_object(&options.file, options.text)?.object;
    let defined = Definitions::of(&object)
        .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?;
    let programs = programs(&object, &defined.functions);
    let maps = defined.maps;
    let text = if options.json {
        format!("{}\n", to_json(&programs, &maps))
    } else {
        to_text(&programs, &maps)
    };
    output::print(text.as_bytes())
}

fn programs(object: &Object, table: &FunctionTable) -> Vec<Program> {
    let programs: Vec<usize> = table.programs(object).collect();
    let rows = table.functions.iter().enumerate().map(|(index, range)| {
        let section = object
            .section(range.section)
            .map_or_else(String::new, |section| section.name.clone());
        let is_program = programs.contains(&index);
        Program {
            name: range.name.clone(),
            kind: SectionKind::from_section(&section)
                .filter(|_| is_program)
                .map(|kind| kind.program_type),
            section,
            slots: range.size / 8,
            is_program,
        }
    });
    rows.collect()
}

fn to_text(programs: &[Program], maps: &[MapDef]) -> String {
    let mut text = String::new();
    for program in programs {
        let kind = match (program.is_program, program.kind) {
            (true, Some(kind)) => kind.name(),
            (true, None) => "unknown type",
            (false, _) => "subprogram",
        };
        text.push_str(&format!(
            "prog: {kind}  name {}  section {}  insns {}\n",
            program.name, program.section, program.slots
        ));
    }
    for map in maps {
        text.push_str(&format!(
            "map: {}  name {}  flags {:#x}  key {}B  value {}B  max_entries {}\n",
            map.kind.name(),
            map.name,
            map.flags,
            map.key_size,
            map.value_size,
            map.max_entries
        ));
    }
    text
}

fn to_json(programs: &[Program], maps: &[MapDef]) -> Value {
    let programs = programs.iter().map(|program| {
        json!({
            "name": program.name,
            "section": program.section,
            "type": program.kind.map(ProgramType::name),
            "program": program.is_program,
            "insns": program.slots,
        })
    });
    let maps = maps.iter().map(|map| {
        json!({
            "name": map.name,
            "type": map.kind.name(),
            "flags": map.flags,
            "key_size": map.key_size,
            "value_size": map.value_size,
            "max_entries": map.max_entries,
        })
    });
    json!({"programs": programs.collect::<Vec<_>>(), "maps": maps.collect::<Vec<_>>()})
}
