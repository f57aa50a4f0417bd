//! Every malformed text gives a diagnostic at the right place, and none a panic.
//!
//! The texts lie beside the project; without them the test is ignored.

use std::path::Path;

use bpf::diagnostic::SourceMap;
use bpf::insn::Endian;
use frontend::asm::{AsmOptions, assemble};
use libtest_mimic::{Arguments, Failed, Trial};

/// Texts that are taken, with the reason.
const TAKEN: [(&str, &str); 18] = [
    ("r1 = ll ll", "a symbol may be called `ll`"),
    ("R1 = r2", "LLVM takes the first word in any case"),
    ("W1 = 5", "LLVM takes the first word in any case"),
    ("r1 = 5ll", "a suffix as in C; LLVM takes it"),
    ("r1 =+ 5", "a sign; LLVM takes it"),
    ("r1 +=+ 5", "a sign; LLVM takes it"),
    (
        "*(u8 *)(r1 + 0) = 0x1234",
        "the instruction has 32 bits; LLVM takes it",
    ),
    (".ascii", "nothing to emit; LLVM takes it"),
    ("r1 = w2", "clang prints it"),
    ("r1 = r2 /* c */", "a comment may stand anywhere"),
    ("r1 = /* c */ 5", "a comment may stand anywhere"),
    (
        "r1 = load_acquire((u64 *)(r2 + 0))",
        "LLVM takes it since version 20",
    ),
    (
        "store_release((u64 *)(r1 + 0), r2)",
        "LLVM takes it since version 20",
    ),
    ("r1 = *(u8 *)(r2)", "GNU as takes it"),
    ("r1 = *(u8 *)(r2 + -4)", "GNU as takes it"),
    ("*(u64 *)(r1) = r2", "GNU as takes it"),
    ("r0 = *(u8 *)skb[r1 + 5]", "GNU as takes it"),
    ("gotox r1", "LLVM takes it since version 22"),
];

/// Texts that LLVM blames on the end of the file, while we name the line.
const BETTER_LINE: [&str; 3] = [".section foo,\"a\",@zz", ".if 1", ".cfi_startproc"];

fn main() {
    let arguments = Arguments::from_args();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/asm/malformed.json");
    let text = std::fs::read_to_string(path).ok();
    let missing = text.is_none();
    let trial = Trial::test("malformed.json", move || check(&text.unwrap_or_default()))
        .with_ignored_flag(missing);
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

fn check(text: &str) -> Result<(), Failed> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(text)?;
    let mut wrong = Vec::new();
    let mut columns = (0, 0);
    for row in &rows {
        let asm = row["asm"].as_str().unwrap_or_default();
        let expected = &row["diags"][0];
        let mut map = SourceMap::new();
        let file = map.add("malformed.s", asm).ok_or("too large")?;
        let taken = TAKEN.iter().any(|(text, _)| *text == asm);
        for endian in [Endian::Little, Endian::Big] {
            let errors = match assemble(asm, file, &AsmOptions::new(endian)) {
                Ok(_) if taken => continue,
                Ok(_) => {
                    wrong.push(format!("{asm:?} is taken"));
                    continue;
                }
                Err(errors) => errors,
            };
            if taken {
                wrong.push(format!("{asm:?} is refused: {}", errors[0].message));
            }
            let place = errors[0].span().and_then(|span| map.line_column(span));
            let Some((line, column)) = place else {
                wrong.push(format!("{asm:?} has a diagnostic without a place"));
                continue;
            };
            let expected_line = expected["line"].as_u64().filter(|line| *line > 0);
            let matches = expected_line.is_none_or(|expected| expected == u64::from(line));
            if !matches && !BETTER_LINE.contains(&asm) {
                wrong.push(format!("{asm:?}: line {line}, expected {expected_line:?}"));
            }
            if expected_line.is_some() {
                columns.1 += 1;
                columns.0 += usize::from(expected["col"].as_u64() == Some(u64::from(column)));
            }
        }
    }
    if rows.len() != 330 {
        wrong.push(format!("{} rows instead of 330", rows.len()));
    }
    // Ours often points at the culprit where LLVM points at the start of the statement.
    if columns.0 * 2 < columns.1 {
        wrong.push(format!("{} of {} columns agree", columns.0, columns.1));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{} wrong:\n{}", wrong.len(), wrong.join("\n")).into()),
    }
}
