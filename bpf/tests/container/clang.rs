//! Objects that clang makes here of `program.c`, for every instruction set and byte order.

use std::path::PathBuf;
use std::process::Command;

use bpf::btf::{Btf, BtfExt};
use bpf::elf;
use bpf::object::{Object, SHT_NOBITS, STT_FILE};
use libtest_mimic::{Failed, Trial};

use crate::elf::{same, without_hints};
use crate::{btf, readelf, tools};

#[derive(Clone, Copy)]
struct Variant {
    target: &'static str,
    cpu: &'static str,
    /// BTF-defined maps, BTF and debug information, or legacy maps without either.
    debug: bool,
}

impl Variant {
    fn name(self) -> String {
        let kind = if self.debug { "btf" } else { "legacy" };
        format!("{}-{}-{kind}", self.target, self.cpu)
    }

    fn compile(self, clang: &str) -> Result<PathBuf, Failed> {
        let out = tools::scratch("clang").join(format!("{}.o", self.name()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/container/program.c");
        let mut command = Command::new(clang);
        command
            .args(["-target", self.target, "-O2", "-c", source, "-o"])
            .arg(&out);
        command.arg(format!("-mcpu={}", self.cpu));
        command.arg(if self.debug { "-g" } else { "-DLEGACY_MAPS" });
        let output = command.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(out)
    }
}

pub fn trials() -> Vec<Trial> {
    let clang = tools::tool("clang");
    let mut trials = Vec::new();
    for target in ["bpfel", "bpfeb"] {
        for cpu in ["v1", "v2", "v3", "v4"] {
            for debug in [true, false] {
                let variant = Variant { target, cpu, debug };
                let clang = clang.clone();
                let ignored = clang.is_none();
                trials.push(
                    Trial::test(format!("clang/{}", variant.name()), move || {
                        check(variant, &clang.ok_or("no clang")?)
                    })
                    .with_ignored_flag(ignored),
                );
            }
        }
    }
    trials
}

fn check(variant: Variant, clang: &str) -> Result<(), Failed> {
    let path = variant.compile(clang)?;
    let bytes = std::fs::read(&path)?;
    same(&bytes)?;
    btf::round_trip(&bytes)?;
    let object = elf::read(&bytes)?;
    if elf::write(&without_hints(object.clone()))? != bytes {
        return Err("an object made from nothing is not laid out as LLVM does".into());
    }
    functions(&object, variant)?;
    data_sections(&object)?;
    if variant.debug {
        types(&object)?;
        without_debug(&object, &path)?;
    }
    if tools::tool("llvm-readelf").is_some() {
        readelf::agrees(&[(variant.name(), path)])?;
    }
    Ok(())
}

fn functions(object: &Object, variant: Variant) -> Result<(), Failed> {
    let table = object.function_table();
    let names: Vec<(&str, &str, bool)> = table
        .functions
        .iter()
        .map(|f| {
            (
                object.section(f.section).map_or("", |s| &*s.name),
                &*f.name,
                f.global,
            )
        })
        .collect();
    let mut expected = vec![
        (".text", "add_global", true),
        (".text", "add_static", false),
        (".text", "add_weak", true),
        (".text", "each", false),
        ("xdp", "first", true),
        ("xdp", "second", true),
    ];
    if variant.debug {
        expected.push(("tc", "third", true));
    }
    if names != expected || !table.irregularities.is_empty() {
        return Err(format!("functions are {table:?}").into());
    }
    Ok(())
}

fn data_sections(object: &Object) -> Result<(), Failed> {
    for name in [
        ".data",
        ".rodata",
        ".bss",
        ".data.named",
        ".rodata.named",
        ".bss.named",
    ] {
        let id = object
            .section_by_name(name)
            .ok_or_else(|| format!("no {name}"))?;
        let is_zero = object
            .section(id)
            .is_some_and(|section| section.kind == SHT_NOBITS);
        if is_zero != name.starts_with(".bss") {
            return Err(format!("{name} has the wrong kind").into());
        }
    }
    Ok(())
}

fn types(object: &Object) -> Result<(), Failed> {
    let section = |name| {
        object
            .section_by_name(name)
            .map_or(&[][..], |id| object.data(id))
    };
    let btf = Btf::parse(section(".BTF"), object.endian)?;
    let ext = BtfExt::parse(section(".BTF.ext"), object.endian)?;
    let counts = ["first", "add_static", "add_weak"]
        .map(|name| btf.function(name).and_then(|id| btf.parameter_count(id)));
    assert_eq!(counts, [Some(1), Some(2), Some(1)]);
    let maps = btf.section_variables(".maps").ok_or("no .maps")?;
    let [counters, programs] = maps else {
        return Err("two maps expected".into());
    };
    let map = |variable: &bpf::btf::SectionVariable| match btf.get(variable.target) {
        Some(one) => one.target().ok_or("no map type"),
        None => Err("no map variable"),
    };
    let (counters, programs) = (map(counters)?, map(programs)?);
    assert_eq!(btf.map_number(counters, "type"), Some(2));
    assert_eq!(btf.map_number(programs, "value_size"), Some(4));
    assert_eq!(btf.size_of(counters), Some(32));
    assert!(
        btf.section_variables(".ksyms")
            .is_some_and(|externs| externs.len() == 2)
    );
    assert!(
        btf.section_variables(".kconfig")
            .is_some_and(|externs| externs.len() == 1)
    );
    let tagged = btf.find("tagged", |_| true).ok_or("no tagged structure")?;
    assert_eq!(
        btf.declaration_tags(tagged).collect::<Vec<_>>(),
        [("member tag", 0)]
    );
    let core = ext
        .core_relocations
        .as_ref()
        .ok_or("no CO-RE relocations")?;
    let asked: Vec<(&str, &str, u32)> = core
        .sections
        .iter()
        .flat_map(|block| &block.records)
        .map(|one| (btf.name(one.type_id), btf.string(one.access), one.kind))
        .collect();
    assert_eq!(
        asked,
        [("task", "0:1", 0), ("task", "0:0", 0), ("choice", "1", 11)]
    );
    assert!(ext.line_info.sections.len() == 3 && ext.func_info.sections.len() == 3);
    Ok(())
}

/// Removing the debug sections leaves what `llvm-strip -g` leaves.
fn without_debug(object: &Object, path: &PathBuf) -> Result<(), Failed> {
    let Some(strip) = tools::tool("llvm-strip") else {
        return Ok(());
    };
    let stripped = path.with_extension("stripped");
    let ran = Command::new(strip)
        .arg("-g")
        .arg(path)
        .arg("-o")
        .arg(&stripped)
        .status()?;
    if !ran.success() {
        return Err("llvm-strip failed".into());
    }
    let stripped = elf::read(&std::fs::read(stripped)?)?;
    let mut object = object.clone();
    let debug: Vec<_> = object
        .section_ids()
        .filter(|&id| {
            object
                .section(id)
                .is_some_and(|one| one.name.starts_with(".debug"))
        })
        .collect();
    object.remove_sections(&debug)?;
    let object = elf::read(&elf::write(&object)?)?;
    let code = |object: &Object| -> Vec<(String, Vec<u8>, Vec<String>)> {
        let kept = object
            .sections
            .iter()
            .filter(|one| !one.name.starts_with(".llvm"));
        kept.filter(|one| one.name != ".strtab")
            .map(|one| {
                let symbol = |r: &bpf::object::Relocation| {
                    format!(
                        "{:#x} {} {}",
                        r.offset,
                        r.kind,
                        object.symbol_label(r.symbol)
                    )
                };
                let relocations = one.relocations.iter().map(symbol).collect();
                (one.name.clone(), one.data().to_vec(), relocations)
            })
            .collect()
    };
    if code(&object) != code(&stripped) {
        return Err("differs from what llvm-strip leaves".into());
    }
    // llvm-strip takes the name of the source file too.
    let is_file = |object: &Object, id| {
        object
            .symbol(id)
            .is_some_and(|symbol| symbol.kind == STT_FILE)
    };
    let names = |object: &Object, drop_file: bool| -> Vec<String> {
        object
            .symbol_ids()
            .filter(|&id| !(drop_file && is_file(object, id)))
            .map(|id| object.symbol_label(id).to_owned())
            .collect()
    };
    assert_eq!(names(&object, true), names(&stripped, false));
    Ok(())
}
