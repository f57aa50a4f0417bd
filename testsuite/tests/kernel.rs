//! The kernel's verdict on every program, and what the programs do, before and after compilation.
//! Ignored, with the reason in brackets, without the `kernel` feature or without the right to load
//! programs.

use libtest_mimic::{Arguments, Trial};
use testsuite::build::LEVELS;
use testsuite::objects;

fn main() {
    let mut arguments = Arguments::from_args();
    // libbpf reports through one callback for the whole process.
    arguments.test_threads = Some(1);
    let mut found = objects::programs();
    let mut trials = Vec::new();
    match objects::corpus() {
        Some(corpus) => found.extend(corpus),
        None => trials.push(
            Trial::test("corpus", || Ok(()))
                .with_kind("no corpus beside the checkout")
                .with_ignored_flag(true),
        ),
    }
    for object in found {
        for level in LEVELS {
            let name = format!("{} {}", object.name, level.name());
            trials.push(trial(name, &object, *level));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    #[cfg(feature = "kernel")]
    oracle::summarise();
    conclusion.exit();
}

#[cfg(not(feature = "kernel"))]
fn trial(name: String, _: &objects::TestObject, _: testsuite::build::Level) -> Trial {
    Trial::test(name, || Ok(()))
        .with_kind("needs --features kernel")
        .with_ignored_flag(true)
}

#[cfg(feature = "kernel")]
use oracle::trial;

#[cfg(feature = "kernel")]
mod oracle {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::{LazyLock, Mutex};

    use libtest_mimic::{Failed, Trial};
    use testsuite::build::{Level, build};
    use testsuite::fixture::Fixture;
    use testsuite::kernel::{Comparison, Reference, compare, missing_capability, reference};
    use testsuite::objects::{TestObject, files_below, shared};
    use testsuite::packets::{self, Packet};

    static PACKETS: LazyLock<Vec<Packet>> = LazyLock::new(|| {
        let mut packets = packets::all();
        if let Some(folder) = shared("corpus/packets") {
            packets.extend(
                files_below(&folder, &["bin"])
                    .into_iter()
                    .map(|path| Packet {
                        name: path.file_name().unwrap_or_default().display().to_string(),
                        bytes: std::fs::read(&path).unwrap_or_default(),
                    }),
            );
        }
        packets
    });

    static REFERENCES: Mutex<BTreeMap<PathBuf, Result<Reference, String>>> =
        Mutex::new(BTreeMap::new());

    pub fn trial(name: String, object: &TestObject, level: Level) -> Trial {
        let object = object.clone();
        let trial = Trial::test(name, move || run(&object, level));
        match missing_capability() {
            Some(capability) => trial
                .with_kind(format!("needs {capability}"))
                .with_ignored_flag(true),
            None => trial,
        }
    }

    static TOTALS: Mutex<BTreeMap<Level, Comparison>> = Mutex::new(BTreeMap::new());

    #[expect(clippy::print_stdout, reason = "a test binary's report")]
    pub fn summarise() {
        let Ok(totals) = TOTALS.lock() else { return };
        for (level, total) in totals.iter() {
            println!("{}: {total}", level.name());
        }
        let Ok(references) = REFERENCES.lock() else {
            return;
        };
        let closed = references.values().filter(|reference| reference.is_err());
        println!(
            "objects which libbpf does not open as given: {}",
            closed.count()
        );
    }

    fn run(object: &TestObject, level: Level) -> Result<(), Failed> {
        let bytes = std::fs::read(&object.path)?;
        let mut references = REFERENCES.lock().map_err(|error| error.to_string())?;
        let reference = references.entry(object.path.clone()).or_insert_with(|| {
            let stem = object.path.file_stem().unwrap_or_default();
            let fixture = Fixture::of_program(&stem.to_string_lossy())?;
            reference(&bytes, &object.name, &PACKETS, fixture)
        });
        let Ok(reference) = reference else {
            // Nothing to compare with: libbpf itself does not open the original.
            return Ok(());
        };
        let after = build(&bytes, level)?;
        let comparison = compare(reference, &after, &PACKETS)?;
        if let Ok(mut totals) = TOTALS.lock() {
            *totals.entry(level).or_default() += &comparison;
        }
        if comparison.failures.is_empty() {
            Ok(())
        } else {
            Err(comparison.failures.join("\n").into())
        }
    }
}
