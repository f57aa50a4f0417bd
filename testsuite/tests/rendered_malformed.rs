//! What users see of each malformed text of the corpus, as one text for a reviewer.
//!
//! `malformed.txt` has the rendered diagnostics; `BPFMILL_BLESS=1` renews it. Places and suggestions
//! are tested with the assembler, in `frontend/tests/malformed.rs`. Without the corpus the test is
//! ignored.

use std::path::Path;

use bpf::diagnostic::SourceMap;
use bpf::insn::Endian;
use bpfmill::render;
use frontend::asm::{AsmOptions, assemble};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = std::fs::read_to_string(folder.join("../../shared/asm/malformed.json")).ok();
    let missing = rows.is_none();
    let trial = Trial::test("rendered", move || check(&rows.unwrap_or_default()));
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(missing)]).exit();
}

fn check(rows: &str) -> Result<(), Failed> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(rows)?;
    let mut shown = String::new();
    for row in &rows {
        let asm = row["asm"].as_str().unwrap_or_default();
        let mut map = SourceMap::new();
        let file = map.add("malformed.s", asm).ok_or("too large")?;
        let diagnostics = match assemble(asm, file, &AsmOptions::new(Endian::Little)) {
            Ok(assembled) => assembled.warnings,
            Err(errors) => errors,
        };
        let rendered = render::text(&map, &diagnostics);
        // A text that is taken has nothing to be seen.
        if rendered.is_empty() {
            continue;
        }
        for line in rendered.lines() {
            shown.push_str(line.trim_end());
            shown.push('\n');
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malformed.txt");
    if std::env::var_os("BPFMILL_BLESS").is_some() {
        std::fs::write(&path, &shown)?;
    }
    let kept = std::fs::read_to_string(&path)?;
    match kept == shown {
        true => Ok(()),
        false => Err(render::difference(&kept, &shown, 3).into()),
    }
}
