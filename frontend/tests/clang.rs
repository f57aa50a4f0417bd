//! What clang prints, our assembler and LLVM's turn into the same object.
//!
//! Each program here and in `testsuite/programs` is compiled to assembly for several processor
//! versions, in both byte orders, with and without debugging information. Without it the two
//! files have to be equal byte for byte. With it, all sections, symbols and relocations have to be
//! equal, except those of the line table and the unwind table: the assembler itself makes them,
//! from `.loc` and `.cfi_*`, and ours does not yet.
//!
//! Ignored where clang-19 or llvm-mc-19 is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use bpf::object::{Object, STT_SECTION, SymbolId};
use frontend::asm::{AsmOptions, assemble};
use libtest_mimic::{Arguments, Failed, Trial};

/// `-mcpu`, debugging information, byte order: each value of each at least once.
const SETTINGS: [(&str, bool, Endian); 4] = [
    ("v1", false, Endian::Little),
    ("v2", true, Endian::Big),
    ("v3", true, Endian::Little),
    ("v4", false, Endian::Big),
];

/// Sections that the assembler makes from directives, which is not done yet.
const MADE_BY_ASSEMBLER: [&str; 3] = [".debug_line", ".debug_line_str", ".debug_frame"];

fn main() {
    let arguments = Arguments::from_args();
    let missing = !runs("clang-19") || !runs("llvm-mc-19");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let programs = here.join("../testsuite/programs");
    let mut sources = files_in(&here.join("tests/clang"), "c");
    sources.extend(files_in(&programs, "c"));
    let include = programs.join("include");
    let mut trials: Vec<Trial> = sources
        .into_iter()
        .map(|source| {
            let name = source
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let include = include.clone();
            Trial::test(name, move || compare(&source, &include)).with_ignored_flag(missing)
        })
        .collect();
    for folder in [here.join("tests/clang"), programs] {
        for source in files_in(&folder, "s") {
            let name = source
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let trial = Trial::test(name + ".s", move || compare_text(&source));
            trials.push(trial.with_ignored_flag(missing));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn runs(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

fn files_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut sources: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    sources.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == ending)
    });
    sources.sort();
    sources
}

fn compare(source: &Path, include: &Path) -> Result<(), Failed> {
    let mut compared = 0;
    for (cpu, debug, endian) in SETTINGS {
        let case = format!("-mcpu={cpu} debug={debug} {endian:?}");
        let Some(text) = compile(source, include, cpu, debug, endian)? else {
            continue;
        };
        compared += 1;
        let expected = llvm(&text, endian)?;
        let options = AsmOptions::new(endian);
        let assembled = assemble(&text, FileId(0), &options)
            .map_err(|errors| format!("{case}: {:?}", errors.first()))?;
        let ours = bpf::elf::write(&assembled.object).map_err(|error| error.to_string())?;
        if debug {
            let expected = bpf::elf::read(&expected).map_err(|error| error.to_string())?;
            let ours = bpf::elf::read(&ours).map_err(|error| error.to_string())?;
            let (expected, ours) = (describe(&expected), describe(&ours));
            for (line, (expected, ours)) in expected.iter().zip(&ours).enumerate() {
                if expected != ours {
                    return Err(
                        format!("{case}: line {line}:\n  {expected}\ninstead\n  {ours}").into(),
                    );
                }
            }
            if expected.len() != ours.len() {
                return Err(format!("{case}: {} and {} lines", expected.len(), ours.len()).into());
            }
        } else if expected != ours {
            return Err(format!("{case}: the files differ").into());
        }
    }
    match compared {
        0 => Err("clang compiles it for no processor version".into()),
        _ => Ok(()),
    }
}

/// Assembly text of our own: the files have to be equal byte for byte.
fn compare_text(source: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(source)?;
    for endian in [Endian::Little, Endian::Big] {
        let expected = llvm(&text, endian)?;
        let options = AsmOptions::new(endian);
        let assembled = assemble(&text, FileId(0), &options)
            .map_err(|errors| format!("{endian:?}: {:?}", errors.first()))?;
        let ours = bpf::elf::write(&assembled.object).map_err(|error| error.to_string())?;
        if expected != ours {
            let read = |bytes: &[u8]| bpf::elf::read(bytes).map(|object| describe(&object));
            let expected = read(&expected).unwrap_or_default();
            let ours = read(&ours).unwrap_or_default();
            let difference = expected.iter().zip(&ours).find(|(one, other)| one != other);
            return Err(format!("{endian:?}: the files differ: {difference:?}").into());
        }
    }
    Ok(())
}

/// The assembly text, or `None` for a program that this processor version cannot run.
fn compile(
    source: &Path,
    include: &Path,
    cpu: &str,
    debug: bool,
    endian: Endian,
) -> Result<Option<String>, Failed> {
    let mut command = Command::new("clang-19");
    command.args(["-S", "-O2", "-w", "-o", "-", "-target", triple(endian)]);
    command.arg(format!("-mcpu={cpu}")).arg("-I").arg(include);
    if debug {
        command.arg("-g");
    }
    let output = command.arg(source).output()?;
    match output.status.success() {
        true => Ok(Some(String::from_utf8(output.stdout)?)),
        false => Ok(None),
    }
}

/// The object that LLVM makes of the text. It does not take `r1 = w2`, which clang prints, so that
/// it gets the same instruction as `w1 = w2`.
fn llvm(text: &str, endian: Endian) -> Result<Vec<u8>, Failed> {
    let mut input = String::with_capacity(text.len());
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [to, "=", from] if to.starts_with('r') && from.starts_with('w') => {
                input.push_str(&format!("w{} = {from}", &to[1..]));
            }
            _ => input.push_str(line),
        }
        input.push('\n');
    }
    let folder = std::env::temp_dir();
    let thread = std::thread::current().id();
    let name = format!("bpfmill-clang-{}-{thread:?}", std::process::id());
    let path = folder.join(name).with_extension("s");
    std::fs::write(&path, input)?;
    let output = Command::new("llvm-mc-19")
        .args(["-filetype=obj", "-o", "-"])
        .arg(format!("-triple={}", triple(endian)))
        .arg(&path)
        .output();
    std::fs::remove_file(&path)?;
    let output = output?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

fn triple(endian: Endian) -> &'static str {
    match endian {
        Endian::Little => "bpfel",
        Endian::Big => "bpfeb",
    }
}

/// Everything in an object, in order, free of indices that depend on the sections left out.
fn describe(object: &Object) -> Vec<String> {
    let left_out = |name: &str| {
        let name = name.strip_prefix(".rel").unwrap_or(name);
        MADE_BY_ASSEMBLER.contains(&name) || name == ".strtab" || name == ".llvm_addrsig"
    };
    let section_name = |index: u32| match object.sections.get(index as usize) {
        Some(section) => section.name.as_str(),
        None => "none",
    };
    let symbol = |id: SymbolId| match object.symbols.get(id.0 as usize) {
        Some(symbol) if symbol.kind == STT_SECTION => match symbol.section() {
            Some(section) => format!("section {}", section_name(section.0)),
            None => "no section".to_owned(),
        },
        Some(symbol) => symbol.name.clone(),
        None => "none".to_owned(),
    };
    let mut lines = Vec::new();
    for section in &object.sections {
        if left_out(&section.name) {
            continue;
        }
        lines.push(format!(
            "section {} type {} flags {:x} align {} entsize {} link {} info {} {:?}",
            section.name,
            section.kind,
            section.flags,
            section.align,
            section.entry_size,
            section_name(section.link),
            if section.kind == bpf::object::SHT_REL {
                section_name(section.info)
            } else {
                ""
            },
            section.data(),
        ));
        for relocation in &section.relocations {
            lines.push(format!(
                "  {:x} type {} {}",
                relocation.offset,
                relocation.kind,
                symbol(relocation.symbol),
            ));
        }
    }
    for entry in &object.symbols {
        let section = entry
            .section()
            .map_or("", |section| section_name(section.0));
        if entry.kind == STT_SECTION && left_out(section) {
            continue;
        }
        let place = match entry.section() {
            Some(_) => String::new(),
            None => format!("{:?}", entry.place),
        };
        lines.push(format!(
            "symbol {:?} bind {} type {} other {} in {section} {} value {:x} size {}",
            entry.name, entry.binding, entry.kind, entry.other, place, entry.value, entry.size,
        ));
    }
    lines
}
