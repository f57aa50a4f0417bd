//! Every malformed text gives a diagnostic at the right place, and none a panic.
//!
//! `malformed.txt` has what is said about each text: line and column, the marked text, the message,
//! what the suggestions make of the text, and where llvm-mc sees the mistake. It was read line by
//! line; `BPFMILL_BLESS=1` renews it. The texts lie beside the project; without them the test is
//! ignored.

use std::fmt::Write as _;
use std::path::Path;

use bpf::diagnostic::{Diagnostic, FileId, SourceMap};
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
    if rows.len() != 330 {
        wrong.push(format!("{} rows instead of 330", rows.len()));
    }
    let mut shown = String::new();
    for row in &rows {
        let asm = row["asm"].as_str().unwrap_or_default();
        let little = outcome(asm, Endian::Little, row, &mut wrong)?;
        if outcome(asm, Endian::Big, row, &mut Vec::new())? != little {
            wrong.push(format!("{asm:?}: the byte order changes what is said"));
        }
        writeln!(shown, "{}\n{little}", asm.replace('\n', "\n| "))?;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malformed.txt");
    if std::env::var_os("BPFMILL_BLESS").is_some() {
        std::fs::write(&path, &shown)?;
    }
    let kept = std::fs::read_to_string(&path)?;
    let pairs = kept.lines().zip(shown.lines());
    if let Some((number, (old, new))) = (1..).zip(pairs).find(|(_, (old, new))| old != new) {
        wrong.push(format!("malformed.txt:{number}: {old:?} is now {new:?}"));
    } else if kept != shown {
        wrong.push("malformed.txt has another length".to_owned());
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{} wrong:\n{}", wrong.len(), wrong.join("\n")).into()),
    }
}

/// What is said about one text, and what is wrong with that.
fn outcome(
    asm: &str,
    endian: Endian,
    row: &serde_json::Value,
    wrong: &mut Vec<String>,
) -> Result<String, Failed> {
    let mut map = SourceMap::new();
    let file = map.add("malformed.s", asm).ok_or("too large")?;
    let reason = TAKEN.iter().find(|(text, _)| *text == asm);
    let mut shown = String::new();
    let diagnostics = match (assemble(asm, file, &AsmOptions::new(endian)), reason) {
        (Ok(assembled), Some((_, reason))) => {
            writeln!(shown, "    taken: {reason}")?;
            assembled.warnings
        }
        (Ok(_), None) => {
            wrong.push(format!("{asm:?} is taken"));
            return Ok(shown);
        }
        (Err(errors), None) => errors,
        (Err(errors), Some(_)) => {
            wrong.push(format!("{asm:?} is refused: {}", errors[0].message));
            errors
        }
    };
    for diagnostic in &diagnostics {
        describe(&mut shown, &map, file, asm, diagnostic, endian, wrong)?;
    }
    let expected = &row["diags"][0];
    let place = diagnostics.first().and_then(Diagnostic::span);
    let place = place.and_then(|span| map.line_column(span));
    let theirs = (expected["line"].as_u64(), expected["col"].as_u64());
    match (theirs, place) {
        ((Some(line @ 1..), Some(column)), Some(ours)) => {
            let matches = line == u64::from(ours.0);
            if !matches && !BETTER_LINE.contains(&asm) {
                wrong.push(format!("{asm:?}: line {}, expected {line}", ours.0));
            }
            if !matches || column != u64::from(ours.1) {
                let message = expected["msg"].as_str().unwrap_or_default();
                writeln!(shown, "    llvm-mc: {line}:{column} {message}")?;
            }
        }
        _ => {
            let what = row["llvm_mc_19"].as_str().unwrap_or_default();
            let message = expected["msg"].as_str().unwrap_or_default();
            writeln!(shown, "    llvm-mc: {} {message}", what.to_lowercase())?;
        }
    }
    Ok(shown)
}

fn describe(
    shown: &mut String,
    map: &SourceMap,
    file: FileId,
    asm: &str,
    diagnostic: &Diagnostic,
    endian: Endian,
    wrong: &mut Vec<String>,
) -> Result<(), Failed> {
    let span = diagnostic.span().ok_or("a diagnostic without a place")?;
    let (line, column) = map.line_column(span).ok_or("a place outside of the text")?;
    let marked = map.text(span).escape_debug();
    let word = diagnostic.severity.word();
    let message = &diagnostic.message;
    writeln!(shown, "    {line}:{column} `{marked}` {word}: {message}")?;
    for label in diagnostic.labels.iter().filter(|label| label.primary) {
        if !label.message.is_empty() {
            writeln!(shown, "        {}", label.message)?;
        }
    }
    for suggestion in &diagnostic.suggestions {
        let Some(repaired) = suggestion.apply(file, asm) else {
            wrong.push(format!("{asm:?}: {} cannot be done", suggestion.message));
            continue;
        };
        let message = &suggestion.message;
        writeln!(
            shown,
            "        help: {message} -> {}",
            repaired.escape_debug()
        )?;
        if let Err(errors) = assemble(&repaired, file, &AsmOptions::new(endian)) {
            if errors.iter().any(|error| error.labels == diagnostic.labels) {
                wrong.push(format!("{asm:?}: {} does not help", suggestion.message));
            }
            writeln!(shown, "            which leaves: {}", errors[0].message)?;
        }
    }
    for help in &diagnostic.help {
        writeln!(shown, "        help: {help}")?;
    }
    Ok(())
}
