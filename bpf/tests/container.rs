//! Every object of the corpus is read, written and read again: equal as data, equal as bytes, and
//! equal in the eyes of `llvm-readelf`.

mod common;
#[path = "common/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use bpf::elf;
use bpf::object::{Contents, FileLayout, Object, SHT_STRTAB};
use libtest_mimic::{Arguments, Failed, Trial};

/// Objects that are malformed on purpose, with what the reader says about them.
const REFUSED: &[(&str, &str)] = &[(
    "ebpf-samples/invalid/badsymsize.o",
    "section 10 `.symtab`, byte 0x0: overlaps the file header",
)];

fn main() {
    let arguments = Arguments::from_args();
    let corpus = common::corpus();
    let readelf = tools::tool("llvm-readelf");
    let mut trials = Vec::new();
    for (name, path) in &corpus {
        let path = path.clone();
        let expected = REFUSED.iter().find(|(refused, _)| refused == name);
        trials.push(match expected {
            Some((_, message)) => {
                Trial::test(format!("refused/{name}"), move || refused(&path, message))
            }
            None => Trial::test(format!("same/{name}"), move || same(&path)),
        });
    }
    let ignored = corpus.is_empty();
    trials.push(
        Trial::test("llvm-readelf", move || {
            readelf_agrees(&corpus, readelf.as_deref())
        })
        .with_ignored_flag(ignored || tools::tool("llvm-readelf").is_none()),
    );
    if ignored {
        trials.push(Trial::test("corpus", || Ok(())).with_ignored_flag(true));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn refused(path: &Path, expected: &str) -> Result<(), Failed> {
    match elf::read(&std::fs::read(path)?) {
        Ok(_) => Err("was read".into()),
        Err(error) if error.to_string() == expected => Ok(()),
        Err(error) => Err(format!("refused otherwise: {error}").into()),
    }
}

fn same(path: &Path) -> Result<(), Failed> {
    let bytes = std::fs::read(path)?;
    let object = elf::read(&bytes)?;
    let written = elf::write(&object)?;
    if elf::read(&written)? != object {
        return Err("reads differently after writing".into());
    }
    if written != bytes {
        return Err("bytes differ".into());
    }
    // With packed positions, and with string tables built anew, only those differ.
    let mut packed = object.clone();
    packed.layout.header_table = 0;
    let mut reread = elf::read(&elf::write(&packed)?)?;
    reread.layout = packed.layout.clone();
    if reread != packed {
        return Err("reads differently when packed".into());
    }
    let fresh = without_hints(object);
    if without_hints(elf::read(&elf::write(&fresh)?)?) != fresh {
        return Err("reads differently with new string tables".into());
    }
    Ok(())
}

/// The object as if it had been made from nothing.
fn without_hints(mut object: Object) -> Object {
    object.layout = FileLayout::default();
    for section in &mut object.sections {
        if section.kind == SHT_STRTAB {
            section.contents = Contents::Bytes(Vec::new());
        }
    }
    object
}

/// A separate reader of what was written without any hints, so that nothing is equal by chance.
fn readelf_agrees(corpus: &[(String, PathBuf)], tool: Option<&str>) -> Result<(), Failed> {
    let tool = tool.ok_or("no llvm-readelf")?;
    let scratch = tools::scratch("readelf");
    let mut before = Command::new(tool);
    let mut after = Command::new(tool);
    for command in [&mut before, &mut after] {
        command.args(["--elf-output-style=GNU", "-W", "-S", "-s", "-r"]);
    }
    for (index, (_, path)) in corpus.iter().enumerate() {
        let Ok(mut object) = elf::read(&std::fs::read(path)?) else {
            continue;
        };
        object.layout = Default::default();
        let out = scratch.join(format!("{index}.o"));
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
    if before.len() != after.len() || before.len() < corpus.len() {
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
