//! Compilers' objects give no warnings: each would be a false alarm, or a program that no kernel
//! loads.
//!
//! The objects of the project are read, and those of the corpus beside it; without the latter its
//! test is ignored.

use std::path::{Path, PathBuf};

use bpf::diagnostic::{FileId, Span};
use bpf::insn::{Insn, read_slots};
use bpf::object::{Object, SectionId};
use frontend::asm::warnings;
use libtest_mimic::{Arguments, Failed, Trial};

/// Warnings that are right, by file, name and how often.
const RIGHT: [(&str, &str, usize); 1] = [
    // The source has `exit` in inline assembly, where the compiler goes on.
    ("ebpf-samples/build/byteswap.o", "unreachable", 6),
];

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = [
        ("programs", root.join("testsuite/programs"), 30),
        ("corpus", root.join("../shared/corpus"), 200),
    ];
    let trials = folders.into_iter().map(|(name, folder, least)| {
        let missing = !folder.is_dir();
        Trial::test(name, move || check(&folder, least)).with_ignored_flag(missing)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn check(folder: &Path, least: usize) -> Result<(), Failed> {
    let mut objects = Vec::new();
    find(folder, &mut objects)?;
    objects.sort();
    if objects.len() < least {
        return Err(format!("only {} objects in {}", objects.len(), folder.display()).into());
    }
    let mut wrong = Vec::new();
    for path in &objects {
        let Ok(object) = bpf::elf::read(&std::fs::read(path)?) else {
            continue;
        };
        let places = places(&object);
        let name = path.strip_prefix(folder)?.display().to_string();
        let mut right: Vec<(&str, usize)> = RIGHT
            .iter()
            .filter(|(file, ..)| *file == name)
            .map(|&(_, code, count)| (code, count))
            .collect();
        for warning in warnings::check(&object, &places.iter().copied().collect()) {
            let code = warning.code.unwrap_or_default();
            let known = right.iter_mut().find(|(right, _)| *right == code);
            if let Some((_, count @ 1..)) = known {
                *count -= 1;
                continue;
            }
            let at = warning.span().map_or(0, |span| span.start as usize);
            let (section, offset, _) = places.get(at).copied().ok_or("no such place")?;
            let section = object.section(section).map_or("", |section| &section.name);
            let slot = offset / 8;
            wrong.push(format!(
                "{name}: {section}+{slot}: {} [{code}]",
                warning.message
            ));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{} warnings:\n{}", wrong.len(), wrong.join("\n")).into()),
    }
}

/// Where the instructions of an object lie; the span's start is the index.
fn places(object: &Object) -> Vec<(SectionId, u64, Span)> {
    let mut places = Vec::new();
    for section in object.section_ids() {
        if !object.is_executable(section) {
            continue;
        }
        let slots = read_slots(object.data(section), object.endian).unwrap_or_default();
        let mut at = 0;
        while let Some(rest) = slots.get(at..).filter(|rest| !rest.is_empty()) {
            let span = Span::point(FileId(0), places.len() as u32);
            places.push((section, at as u64 * 8, span));
            at += Insn::decode(rest).map_or(1, |(_, count)| count);
        }
    }
    places
}

fn find(folder: &Path, objects: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, objects)?;
        } else if path.extension().is_some_and(|extension| extension == "o") {
            objects.push(path);
        }
    }
    Ok(())
}
