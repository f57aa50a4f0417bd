//! Slots over a folder of objects, before and after, and what each pass is worth.
//!
//! usage: `sizes FOLDER [LEVEL] [--passes]`; LEVEL is 0, 1, 2 or s. Prints a line for each folder that
//! has objects; with `--passes` also how many slots each pass saves alone, beside no pass at all, and
//! how many more there are without it. Programs are verified before and after.

#![expect(clippy::print_stdout, reason = "what the example is for")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bpfmill::compile::{self, CompileOptions};
use passes::OptLevel;
use testsuite::objects::files_below;

fn main() -> Result<(), String> {
    let mut folder = None;
    let mut level = OptLevel::O2;
    let mut each_pass = false;
    for argument in std::env::args().skip(1) {
        match (argument.as_str(), OptLevel::from_name(&argument)) {
            ("--passes", _) => each_pass = true,
            (_, Some(named)) => level = named,
            _ => folder = Some(PathBuf::from(argument)),
        }
    }
    let folder = folder.ok_or("usage: sizes FOLDER [LEVEL] [--passes]")?;
    let objects = objects(&folder);
    let options = CompileOptions {
        check_allocation: false,
        ..CompileOptions::at_level(level)
    };
    let whole = measure(&objects, &options)?;
    let mut total = (0, 0);
    for (name, (before, after)) in &whole {
        print_line(name, *before, *after);
        total = (total.0 + before, total.1 + after);
    }
    print_line("total", total.0, total.1);
    if each_pass {
        let mut names = level.pass_names().to_vec();
        names.sort_unstable();
        names.dedup();
        let slots = |sizes: Sizes| sizes.values().map(|(_, after)| *after as i64).sum::<i64>();
        let only = |passes: Vec<String>| {
            let mut options = options.clone();
            options.pipeline.passes = Some(passes);
            measure(&objects, &options).map(slots)
        };
        let none = only(Vec::new())?;
        println!("without any pass {none}");
        println!("{:16} alone  without", "pass");
        for pass in names {
            let mut lacking = options.clone();
            lacking.pipeline.disable = vec![pass.to_owned()];
            let without = slots(measure(&objects, &lacking)?) - total.1 as i64;
            let alone = none - only(vec![pass.to_owned()])?;
            println!("{pass:16} {alone:5} {without:+8}");
        }
    }
    Ok(())
}

fn print_line(name: &str, before: usize, after: usize) {
    let saved = 100.0 * (before as f64 - after as f64) / before.max(1) as f64;
    println!("{name:44} {before:8} {after:8} {saved:5.1}%");
}

/// Objects by the folder that they lie in.
fn objects(folder: &Path) -> BTreeMap<String, Vec<PathBuf>> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in files_below(folder, &["o"]) {
        let set = path.parent().unwrap_or(folder);
        let set = set.strip_prefix(folder).unwrap_or(set);
        found
            .entry(set.display().to_string())
            .or_default()
            .push(path);
    }
    found
}

type Sizes = BTreeMap<String, (usize, usize)>;

fn measure(
    objects: &BTreeMap<String, Vec<PathBuf>>,
    options: &CompileOptions,
) -> Result<Sizes, String> {
    let mut sizes = Sizes::new();
    for (set, paths) in objects {
        let (mut before, mut after) = (0, 0);
        for path in paths {
            let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
            // An object that is refused has nothing to measure.
            let Ok(object) = bpf::elf::read(&bytes) else {
                continue;
            };
            let compiled = compile::compile(&object, options, |_| {});
            let compiled = compiled.map_err(|error| error.to_string())?;
            let (old, new) = compiled.total_slots();
            before += old;
            after += new;
        }
        sizes.insert(set.clone(), (before, after));
    }
    Ok(sizes)
}
