//! `llvm-readelf` lists the same sections, symbols and relocations before and after.

use std::path::PathBuf;
use std::process::Command;

use bpf::elf;
use libtest_mimic::Failed;

use crate::elf::without_hints;
use crate::tools;

/// A separate reader of what was written without any hints, so that nothing is equal by chance.
pub fn agrees(objects: &[(String, PathBuf)]) -> Result<(), Failed> {
    let tool = tools::tool("llvm-readelf").ok_or("no llvm-readelf")?;
    let scratch = tools::scratch("readelf");
    let mut before = Command::new(&tool);
    let mut after = Command::new(&tool);
    for command in [&mut before, &mut after] {
        command.args(["--elf-output-style=GNU", "-W", "-S", "-s", "-r"]);
    }
    for (name, path) in objects {
        let Ok(object) = elf::read(&std::fs::read(path)?) else {
            continue;
        };
        let object = without_hints(object);
        let out = scratch.join(name.replace('/', "_"));
        std::fs::write(&out, elf::write(&object)?)?;
        before.arg(path);
        after.arg(out);
    }
    let listing = |command: &mut Command| -> Result<Vec<String>, Failed> {
        let text = String::from_utf8(command.output()?.stdout)?;
        Ok(text.lines().filter_map(without_positions).collect())
    };
    let (before, after) = (listing(&mut before)?, listing(&mut after)?);
    for (before, after) in before.iter().zip(&after) {
        if before != after {
            return Err(format!("before: {before}\nafter:  {after}").into());
        }
    }
    if before.len() != after.len() || before.len() < objects.len() {
        return Err("listings differ in length".into());
    }
    Ok(())
}

/// Drops what may change: file names, file positions, string tables.
fn without_positions(line: &str) -> Option<String> {
    let may_change = line.contains(" STRTAB ")
        || line.starts_with("File: ")
        || line.contains("starting at offset");
    if may_change {
        return None;
    }
    if line.starts_with("Relocation section") {
        return line.split(" at offset").next().map(str::to_owned);
    }
    let Some((number, rest)) = line.trim_start().split_once(']') else {
        return Some(line.to_owned());
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let kept = words.iter().enumerate().filter(|(index, _)| {
        // Name, type, address, offset, size, …
        !(number.starts_with('[') && *index == 3)
    });
    Some(kept.map(|(_, word)| *word).collect::<Vec<_>>().join(" "))
}
