//! What `docs/assembly.md` says of the language: its examples and the code in its tables are
//! assembled, and what it calls refused is refused.

use std::path::Path;

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use frontend::asm::{AsmOptions, assemble};

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/assembly.md");
    std::fs::read_to_string(path).expect("is part of the project")
}

/// The lines between two headings.
fn chapter<'d>(document: &'d str, heading: &str) -> &'d str {
    let start = document.find(heading).expect("the heading is there");
    let rest = &document[start + heading.len()..];
    let end = rest.find("\n## ").unwrap_or(rest.len());
    &rest[..end]
}

/// The first cells of all rows of the tables in a text, and the code in each.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| line.starts_with("| `"));
    let cells = lines.filter_map(|line| {
        let hidden = line.replace("\\|", "\u{0}");
        let cell = hidden.split('|').nth(1)?;
        let code = cell.split('`').skip(1).step_by(2);
        Some(code.map(|code| code.replace('\u{0}', "|")).collect())
    });
    cells.collect()
}

fn assembled(text: &str, options: &AsmOptions) -> Result<usize, String> {
    let assembled = assemble(text, FileId(0), options).map_err(|errors| {
        let first = errors.first().map(|one| one.message.as_str());
        first.unwrap_or("refused").to_owned()
    })?;
    Ok(assembled.warnings.len())
}

#[test]
fn examples_are_assembled() {
    let document = document();
    let mut count = 0;
    for block in document.split("```asm\n").skip(1) {
        let text = block.split("```").next().unwrap_or("");
        for endian in [Endian::Little, Endian::Big] {
            let result = assembled(text, &AsmOptions::new(endian));
            assert_eq!(result, Ok(0), "{text}");
        }
        count += 1;
    }
    assert!(count >= 7, "{count} examples");
}

#[test]
fn instructions_of_the_table_are_assembled() {
    let document = document();
    let rows = rows(chapter(&document, "## Instructions\n"));
    assert!(rows.len() >= 23, "{} rows", rows.len());
    for code in rows.into_iter().flatten() {
        let text = format!("label: function: {code}\n");
        let result = assembled(&text, &AsmOptions::new(Endian::Little));
        assert_eq!(result, Ok(0), "{code}");
    }
}

#[test]
fn directives_of_the_table_are_known() {
    let document = document();
    let text = chapter(&document, "## Directives\n");
    let mut count = 0;
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let words = line.split([' ', '`', ',', '|']);
        for word in words.filter(|word| word.starts_with('.')) {
            let errors = assemble(word, FileId(0), &AsmOptions::new(Endian::Little));
            let errors = errors.err().unwrap_or_default();
            let known = errors
                .iter()
                .all(|error| !error.message.contains("no directive"));
            assert!(known, "{word}: {errors:?}");
            count += 1;
        }
    }
    assert!(count >= 100, "{count} directives");
}

#[test]
fn texts_that_differ_do_so_as_the_page_says() {
    let document = document();
    let chapter = chapter(&document, "## Where we differ from llvm-mc\n");
    let (refused, others) = chapter
        .split_once("These mean something else")
        .expect("is there");
    let mut options = AsmOptions::new(Endian::Little);
    let texts: Vec<String> = rows(refused).into_iter().flatten().collect();
    assert!(texts.len() >= 5, "{texts:?}");
    for text in &texts {
        assert!(assembled(text, &options).is_err(), "{text}");
    }
    options.llvm_compat = true;
    for text in &texts {
        assert_eq!(assembled(text, &options), Ok(0), "{text}");
    }
    let bytes = |text: &str, options: &AsmOptions| {
        let object = assemble(text, FileId(0), options).map(|found| found.object);
        let object = object.expect("is assembled");
        let names = object.symbols.iter().map(|symbol| symbol.name.clone());
        let data = object.section_ids().map(|id| object.data(id).to_vec());
        (data.collect::<Vec<_>>(), names.collect::<Vec<_>>())
    };
    let ours = AsmOptions::new(Endian::Little);
    let mut seen = 0;
    for text in rows(others).into_iter().flatten() {
        let text = match text.split(' ').next() {
            Some(".irpc") => format!("{text}\n.byte 1\n.endr\n"),
            Some(".cfi_lsda") => {
                let [open, close] = [".cfi_startproc", "exit\n.cfi_endproc"];
                format!("{open}\n{close}\n{open}\n{text}\n{close}\n")
            }
            _ => text,
        };
        let (here, there) = (bytes(&text, &ours), bytes(&text, &options));
        match text.ends_with("5ll") {
            true => assert_eq!((here, assembled(&text, &ours)), (there, Ok(1))),
            false => assert_ne!(here, there, "{text}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn texts_that_are_refused_in_any_case() {
    let mut options = AsmOptions::new(Endian::Little);
    for llvm_compat in [false, true] {
        options.llvm_compat = llvm_compat;
        for text in [
            "label: r1 = label",
            "r1 = be16 r2",
            ".byte symbol",
            ".long other - .",
            "goto undefined",
            ".globl g\ng: goto g",
            "goto f\n.section a,\"ax\"\nf: exit",
            ".bundle_align_mode 4\nexit\nr1 = 5 ll",
            ".cfi_startproc\n.cfi_personality 2, f\n.cfi_endproc",
            ".cv_file 1 \"a\"",
            ".memtag a",
            ".pseudoprobe 1 2 3 4",
            ".lto_set_conditional a, b",
        ] {
            assert!(assembled(text, &options).is_err(), "{text}");
        }
        let deep = ".macro m n\n.if \\n\nm \\n-1\n.endif\n.endm\nm 50\n";
        let bundle = ".bundle_align_mode 4\nr1 = 5 ll\nexit";
        for text in ["r1 = w2", "r1 = r2 /* c */", "s: goto s", deep, bundle] {
            assert_eq!(assembled(text, &options), Ok(0), "{text}");
        }
    }
}
