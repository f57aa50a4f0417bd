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
    trials.push(map_as_data_trial("maps as data".to_owned()));
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

#[cfg(not(feature = "kernel"))]
fn map_as_data_trial(name: String) -> Trial {
    Trial::test(name, || Ok(()))
        .with_kind("needs --features kernel")
        .with_ignored_flag(true)
}

#[cfg(feature = "kernel")]
use oracle::{interpreter_trial, map_as_data_trial, trial};

#[cfg(feature = "kernel")]
mod oracle {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::PathBuf;
    use std::sync::{LazyLock, Mutex};

    use bpfmill::compile::{self, CompileOptions};
    use libtest_mimic::{Failed, Trial};
    use passes::OptLevel;
    use testsuite::build::{Level, build};
    use testsuite::fixture::{Entry, Fixture, Value};
    use testsuite::kernel::{
        Agreement, Comparison, Observations, Reference, agree, compare, load, missing_capability,
        observe, program_names, reference,
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

    /// Maps that become data sections hold the same after the same packets, under their new names.
    pub fn map_as_data_trial(name: String) -> Trial {
        only_with_capability(Trial::test(name, || {
            for version in ["v1", "v3"] {
                let path = objects::root().join(format!("programs/{version}/xdp_quota.o"));
                let before = std::fs::read(path)?;
                let object = bpf::elf::read(&before)?;
                let options = CompileOptions {
                    map_as_data: vec!["limits".to_owned(), "spent_by_all".to_owned()],
                    ..CompileOptions::at_level(OptLevel::O2)
                };
                let with_data = compile::with_maps_as_data(&object, &options)?;
                let compiled = compile::compile(&with_data, &options, |_| {})?;
                let after = bpf::elf::write(&compiled.object)?;
                let (before, after) = (spent(&before, "limits")?, spent(&after, ".data.limits")?);
                let renamed = after
                    .into_iter()
                    .map(|(thing, seen)| (thing.replace("map .data.", "map "), seen));
                let after: Observations = renamed.collect();
                if before != after {
                    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
                        (before.into_iter().collect(), after.into_iter().collect());
                    let other: Vec<_> = before.symmetric_difference(&after).collect();
                    return Err(format!("{version}: {other:?}").into());
                }
                let results: BTreeSet<&String> = before
                    .iter()
                    .filter(|(thing, _)| thing.ends_with("return"))
                    .map(|(_, result)| result)
                    .collect();
                if results.len() < 2 || !before.keys().any(|thing| thing.contains("spent_by_all")) {
                    return Err("the quota is never spent".into());
                }
            }
            Ok(())
        }))
    }

    /// What is seen of the quota's program, with some bytes to spend.
    fn spent(bytes: &[u8], limits: &str) -> Result<Observations, String> {
        let refused = |refusal: testsuite::kernel::Refusal| refusal.message;
        let limit = [
            &2000u64.to_ne_bytes()[..],
            &1u32.to_ne_bytes(),
            &0u32.to_ne_bytes(),
        ];
        let fixture = Fixture {
            entries: vec![Entry {
                map: limits.to_owned(),
                key: vec![0; 4],
                value: Value::Bytes(limit.concat()),
            }],
        };
        let names = program_names(bytes).map_err(refused)?;
        let name = names.first().ok_or("no program")?;
        let loaded = load(bytes, name, "xdp_quota", &fixture).map_err(refused)?;
        observe(&loaded, &PACKETS, &fixture, false)
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
