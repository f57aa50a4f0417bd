//! The language reference says what the code does: its table of operations is the code's, its
//! examples are well-formed and print as they stand there.
//!
//! `BLESS=1 cargo test -p mir --test reference` rewrites the table.

use mir::{Format, Opcode};
use std::path::PathBuf;

const START: &str = "<!-- operations: written by mir/tests/reference.rs -->\n";
const END: &str = "<!-- end of operations -->\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/mir.md")
}

fn reference() -> String {
    std::fs::read_to_string(path()).expect("docs/mir.md can be read")
}

/// How an operation of this format is written, after its result.
fn syntax(format: Format) -> &'static str {
    match format {
        Format::Nullary => ".T",
        Format::Const => ".T 7",
        Format::SymbolAddr => " sym0",
        Format::Unary => " v1",
        Format::SpaceCast => " v1 to 0 from 1",
        Format::Binary => ".T v1, v2",
        Format::Load => ".W v1+8",
        Format::Store => ".W v1+8, v2",
        Format::AtomicRmw => ".add.W v1+8, v2",
        Format::CompareExchange => ".W v1+8, v2, v3",
        Format::LoadAbs => ".W v1, 12",
        Format::LoadInd => ".W v1, v2, 12",
        Format::CallHelper => " 1(v1, v2)",
        Format::CallFunc => " fn1(v1)",
        Format::CallExternal => " ext0(v1)",
        Format::CallIndirect => " v1(v2)",
        Format::Jump => " block1(v1)",
        Format::Branch => ".T ult v1, v2, block1(v1), block2",
        Format::MayGoto => " block1, block2",
        Format::Return => " v1",
    }
}

fn table() -> String {
    let mut table = String::from("| operation | effect | meaning |\n|---|---|---|\n");
    for &opcode in Opcode::ALL {
        let suffix = match opcode {
            Opcode::Frame => "",
            Opcode::Ineg | Opcode::Sext8 | Opcode::Sext16 => ".T v1",
            Opcode::Sload => ".S v1+8",
            _ => syntax(opcode.format()),
        };
        let effect = format!("{:?}", opcode.effect()).to_lowercase();
        let meaning = opcode.description();
        table += &format!("| `{opcode}{suffix}` | {effect} | {meaning} |\n");
    }
    table
}

#[test]
fn the_table_of_operations_is_the_codes() {
    let text = reference();
    let (before, rest) = text.split_once(START).expect("the marker before the table");
    let (found, after) = rest.split_once(END).expect("the marker after the table");
    if std::env::var_os("BLESS").is_some() {
        let text = format!("{before}{START}{}{END}{after}", table());
        std::fs::write(path(), text).unwrap();
        return;
    }
    assert_eq!(found, table(), "run again with BLESS=1");
    for opcode in Opcode::ALL {
        assert!(text.contains(opcode.name()), "{opcode}");
    }
}

#[test]
fn every_example_is_well_formed_and_printed_as_it_stands() {
    let text = reference();
    let mut examples = 0;
    for block in text.split("```mir\n").skip(1) {
        let (example, _) = block.split_once("```").expect("the end of an example");
        let parsed = mir::parse::module_with_spans(bpf::diagnostic::FileId(0), example)
            .unwrap_or_else(|diagnostics| panic!("{diagnostics:?}\n{example}"));
        assert_eq!(parsed.verify(), [], "{example}");
        assert_eq!(parsed.module.to_string(), example);
        examples += 1;
    }
    assert!(examples >= 2, "the reference has examples");
}
