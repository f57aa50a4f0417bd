//! The verifier against the running kernel on the kernel's own selftests.
//!
//! `BPFMILL_SELFTESTS` names a directory with `obj-v3/*.o` and `expect-v3.jsonl`, which
//! `../shared/tools/selftests.sh` makes: sources and objects stay outside of the project. Without
//! it, without the `kernel` feature, or without the right to load programs, the test is ignored.
//! It fails on a program that the kernel refuses and the verifier accepts.

use libtest_mimic::{Arguments, Trial};

fn main() {
    let mut arguments = Arguments::from_args();
    // libbpf reports through one callback for the whole process.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, vec![trial()]).exit();
}

#[cfg(not(feature = "kernel"))]
fn trial() -> Trial {
    ignored("needs --features kernel")
}

fn ignored(reason: &str) -> Trial {
    Trial::test("selftests", || Ok(()))
        .with_kind(reason)
        .with_ignored_flag(true)
}

#[cfg(feature = "kernel")]
fn trial() -> Trial {
    let Some(directory) = std::env::var_os("BPFMILL_SELFTESTS") else {
        return ignored("BPFMILL_SELFTESTS is not set");
    };
    if let Some(capability) = testsuite::kernel::missing_capability() {
        return ignored(capability);
    }
    Trial::test("selftests", move || oracle::run(directory.as_ref()))
}

#[cfg(feature = "kernel")]
mod oracle {
    use std::collections::BTreeMap;
    use std::io::Write as _;
    use std::path::Path;
    use std::sync::Mutex;

    use libbpf_rs::{ObjectBuilder, PrintLevel, set_print};
    use libtest_mimic::Failed;
    use testsuite::verifier_score::{
        Expectation, Sample, Score, expectations, is_held_out, options_of,
    };

    static MESSAGES: Mutex<String> = Mutex::new(String::new());

    fn remember(_level: PrintLevel, message: String) {
        if let Ok(mut messages) = MESSAGES.lock() {
            messages.push_str(&message);
        }
    }

    pub fn run(directory: &Path) -> Result<(), Failed> {
        set_print(Some((PrintLevel::Warn, remember)));
        let expected = expectations(&directory.join("expect-v3.jsonl"));
        let mut score = Score::default();
        let mut objects: BTreeMap<&str, Vec<(&str, &Expectation)>> = BTreeMap::new();
        for ((object, function), one) in &expected {
            objects.entry(object).or_default().push((function, one));
        }
        for (name, programs) in objects {
            let path = directory.join("obj-v3").join(format!("{name}.o"));
            let bytes = std::fs::read(path)?;
            let object = bpf::elf::read(&bytes)?;
            for (function, expectation) in programs {
                let Some((accepted, said)) = verdict(&bytes, function, expectation.flag_bits())
                else {
                    continue;
                };
                let sample = Sample {
                    object: name,
                    section: &expectation.section,
                    function,
                    program_type: &expectation.program_type,
                    accepted,
                    said: &said,
                    messages: &expectation.messages,
                    held_out: is_held_out(name),
                };
                score.add(&object, &sample, &options_of(expectation.flag_bits()));
            }
        }
        std::io::stdout().write_all(score.report(false).as_bytes())?;
        match score.false_accepts() {
            [] => Ok(()),
            found => Err(format!("{} false accepts", found.len()).into()),
        }
    }

    /// Loads one program alone: whether it was taken, and what was said last. `None` when it did not
    /// come to be verified.
    fn verdict(bytes: &[u8], function: &str, flags: u32) -> Option<(bool, String)> {
        if let Ok(mut messages) = MESSAGES.lock() {
            messages.clear();
        }
        let mut builder = ObjectBuilder::default();
        builder.relaxed_maps(true);
        let mut object = builder.name("object").ok()?.open_memory(bytes).ok()?;
        let mut found = false;
        for mut program in object.progs_mut() {
            let wanted = program.name() == function;
            program.set_autoload(wanted);
            if wanted {
                found = true;
                program.set_flags(flags);
            }
        }
        if !found {
            return None;
        }
        if object.load().is_ok() {
            return Some((true, String::new()));
        }
        let messages = MESSAGES.lock().ok()?.clone();
        let (_, log) = messages.split_once("BEGIN PROG LOAD LOG --")?;
        let log = log.split("-- END PROG LOAD LOG").next().unwrap_or(log);
        let last = log
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with("processed "));
        Some((false, last?.to_owned()))
    }
}
