//! The kernel's verdict on every program, and what the programs do, before and after compilation.
//! Ignored, with the reason in brackets, without the `kernel` feature or without the right to load
//! programs.

mod trials;

use libtest_mimic::Arguments;
use testsuite::build::LEVELS;

fn main() {
    let mut arguments = Arguments::from_args();
    // libbpf reports through one callback for the whole process.
    arguments.test_threads = Some(1);
    let (found, mut trials) = trials::objects();
    for object in found {
        for level in LEVELS {
            let name = format!("{} {}", object.name, level.name());
            trials.push(trial(name, &object, *level));
        }
        trials.push(interpreter_trial(
            format!("{} interpreter", object.name),
            &object,
        ));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    #[cfg(feature = "kernel")]
    oracle::summarise();
    conclusion.exit();
}

#[cfg(not(feature = "kernel"))]
use {libtest_mimic::Trial, testsuite::objects::TestObject};

#[cfg(not(feature = "kernel"))]
fn trial(name: String, _: &TestObject, _: testsuite::build::Level) -> Trial {
    Trial::test(name, || Ok(()))
        .with_kind("needs --features kernel")
        .with_ignored_flag(true)
}

#[cfg(not(feature = "kernel"))]
fn interpreter_trial(name: String, object: &TestObject) -> Trial {
    trial(name, object, testsuite::build::Level::Copy)
}

#[cfg(feature = "kernel")]
use oracle::{interpreter_trial, trial};

#[cfg(feature = "kernel")]
mod oracle {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::{LazyLock, Mutex};

    use libtest_mimic::{Failed, Trial};
    use testsuite::build::{Level, build};
    use testsuite::fixture::Fixture;
    use testsuite::kernel::{
        Agreement, Comparison, Reference, agree, compare, missing_capability, reference,
    };
    use testsuite::objects::{self, TestObject};
    use testsuite::packets::Packet;

    static PACKETS: LazyLock<Vec<Packet>> = LazyLock::new(objects::packets);

    static REFERENCES: Mutex<BTreeMap<PathBuf, Result<Reference, String>>> =
        Mutex::new(BTreeMap::new());

    pub fn trial(name: String, object: &TestObject, level: Level) -> Trial {
        let object = object.clone();
        only_with_capability(Trial::test(name, move || run(&object, level)))
    }

    fn only_with_capability(trial: Trial) -> Trial {
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
        if let Ok(sums) = AGREEMENT.lock() {
            println!(
                "interpreter: {} programs, {} observations, {} runs given up; {} programs left out",
                sums.programs, sums.observations, sums.faults, sums.left_out
            );
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

    static AGREEMENT: LazyLock<Mutex<Agreement>> = LazyLock::new(Mutex::default);

    pub fn interpreter_trial(name: String, object: &TestObject) -> Trial {
        let object = object.clone();
        only_with_capability(Trial::test(name, move || {
            let bytes = std::fs::read(&object.path)?;
            let agreement = agree(&bytes, &object.name, &PACKETS, &fixture(&object)?)?;
            if let Ok(mut sums) = AGREEMENT.lock() {
                sums.programs += agreement.programs;
                sums.observations += agreement.observations;
                sums.faults += agreement.faults;
                sums.left_out += agreement.left_out;
            }
            if agreement.differences.is_empty() {
                Ok(())
            } else {
                Err(agreement.differences.join("\n").into())
            }
        }))
    }

    fn fixture(object: &TestObject) -> Result<Fixture, String> {
        if object.name.starts_with("programs/") {
            let stem = object.path.file_stem().unwrap_or_default();
            Fixture::of_program(&stem.to_string_lossy())
        } else {
            Ok(Fixture::default())
        }
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
