//! The listing as data: one object for each section.

use bpf::object::{Object, SectionId};
use serde_json::{Map, Value, json};

use super::line::{lines, relocation_name};
use super::names::Names;
use super::notes::Notes;

/// A code section.
#[must_use]
pub fn section_json(object: &Object, notes: &Notes, id: SectionId) -> Value {
    let names = Names::of(object);
    let mut sources = notes.lines(id).peekable();
    let mut accesses = notes.accesses(id).peekable();
    let mut insns = Vec::new();
    for line in lines(object, id) {
        let hex: String = line
            .bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut one = Map::new();
        one.insert("slot".to_owned(), json!(line.offset / 8));
        one.insert("bytes".to_owned(), json!(hex));
        let insn = line.insn.as_ref().ok();
        one.insert("insn".to_owned(), json!(insn.map(ToString::to_string)));
        one.insert("error".to_owned(), json!(line.insn.as_ref().err()));
        if let Some(named) = names.insn(id, &line) {
            one.insert("named".to_owned(), json!(named));
        }
        if let Some(distance) = insn.and_then(|insn| insn.branch_offset()) {
            one.insert(
                "target".to_owned(),
                json!(line.target(distance).div_euclid(8)),
            );
        }
        let mut relocations = line.relocations.iter().map(|found| {
            json!({
                "type": relocation_name(found.kind),
                "symbol": object.symbol_label(found.symbol),
                "offset": found.offset,
            })
        });
        one.insert("relocation".to_owned(), json!(relocations.next()));
        let more: Vec<Value> = relocations.collect();
        if !more.is_empty() {
            one.insert("more_relocations".to_owned(), json!(more));
        }
        while let Some((_, source)) = sources.next_if(|found| found.0 <= line.offset) {
            let source = json!({
                "file": source.file,
                "line": source.line,
                "column": source.column,
                "text": source.text.trim(),
            });
            one.insert("source".to_owned(), source);
        }
        let mut words = Vec::new();
        while let Some((_, access)) = accesses.next_if(|found| found.0 < line.end()) {
            words.push(access);
        }
        if !words.is_empty() {
            one.insert("core".to_owned(), json!(words));
        }
        insns.push(Value::Object(one));
    }
    let functions = object.functions().into_iter();
    let functions = functions.filter(|function| function.section == id);
    let functions = functions.map(|function| {
        json!({"name": function.name, "slot": function.offset / 8, "slots": function.size / 8})
    });
    let symbols = names.section(id).iter();
    let symbols = symbols.map(|symbol| json!({"name": symbol.name, "offset": symbol.value}));
    json!({
        "section": object.section(id).map(|section| section.name.as_str()),
        "functions": functions.collect::<Vec<_>>(),
        "symbols": symbols.collect::<Vec<_>>(),
        "insns": insns,
    })
}
