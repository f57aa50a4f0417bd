//! The verifier against the running kernel on random programs.
//!
//! `BPFMILL_FUZZ_SECONDS` says for how long (20 if it does not), `BPFMILL_FUZZ_SEED` which programs.
//! A verdict that differs fails the test, with the program made as small as it gets; so do a panic
//! and a walk that takes longer than [`oracle::PATIENCE`]. Without the `kernel` feature, or without
//! the right to load programs, the test is ignored.

use libtest_mimic::{Arguments, Trial};

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, vec![trial()]).exit();
}

fn ignored(reason: &str) -> Trial {
    Trial::test("random programs", || Ok(()))
        .with_kind(reason)
        .with_ignored_flag(true)
}

#[cfg(not(feature = "kernel"))]
fn trial() -> Trial {
    ignored("needs --features kernel")
}

#[cfg(feature = "kernel")]
fn trial() -> Trial {
    match testsuite::kernel::missing_capability() {
        Some(capability) => ignored(&format!("needs {capability}")),
        None => Trial::test("random programs", oracle::run),
    }
}

#[cfg(feature = "kernel")]
mod oracle {
    use std::collections::BTreeMap;
    use std::io::Write as _;
    use std::time::{Duration, Instant};

    use libtest_mimic::Failed;
    use testsuite::kernel::{Asker, Said};
    use testsuite::random_program::{Answer, RandomProgram, Verifier, listing, reduce};

    /// The longest that one program may take.
    pub const PATIENCE: Duration = Duration::from_secs(2);
    /// Differences that are reported before the test gives up.
    const SHOWN: usize = 8;
    const PROGRESS: Duration = Duration::from_secs(60);

    #[derive(Default)]
    struct Tally {
        programs: u64,
        accepted: u64,
        rejected: u64,
        same_text: u64,
        same_walk: u64,
        undecided: BTreeMap<String, u64>,
        failed: BTreeMap<String, u64>,
        /// Texts that differ, by how they begin.
        texts: BTreeMap<String, (u64, String)>,
        reasons: BTreeMap<String, u64>,
        differences: Vec<String>,
        slowest: Duration,
    }

    fn setting(name: &str, default: u64) -> u64 {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    }

    pub fn run() -> Result<(), Failed> {
        let budget = Duration::from_secs(setting("BPFMILL_FUZZ_SECONDS", 20));
        let seed = setting("BPFMILL_FUZZ_SEED", 1);
        let verbose = std::env::var_os("BPFMILL_FUZZ_TEXTS").is_some();
        let processors = libbpf_rs::num_possible_cpus().unwrap_or(0) as u32;
        let verifier = Verifier::new(processors);
        let mut asker = Asker::new()?;
        let mut tally = Tally::default();
        let (start, mut shown) = (Instant::now(), Instant::now());
        // A panic is reported with its program, not on its own.
        std::panic::set_hook(Box::new(|_| ()));
        while start.elapsed() < budget && tally.differences.len() < SHOWN {
            let program = RandomProgram::new(seed, tally.programs);
            tally.programs += 1;
            compare(&program, &verifier, &mut asker, &mut tally);
            if shown.elapsed() > PROGRESS {
                shown = Instant::now();
                say(&tally.summary(start.elapsed()))?;
            }
        }
        drop(std::panic::take_hook());
        say(&tally.summary(start.elapsed()))?;
        say(&tally.details(verbose))?;
        if tally.differences.is_empty() {
            Ok(())
        } else {
            Err(tally.differences.join("\n").into())
        }
    }

    fn say(text: &str) -> std::io::Result<()> {
        writeln!(std::io::stdout().lock(), "{text}")
    }

    /// What is wrong with a pair of answers.
    fn difference(own: &Answer, said: &Said) -> Option<&'static str> {
        match (own, said) {
            (Answer::Accepted, Said::Rejected(..)) => Some("falsely accepted"),
            (Answer::Rejected(_), Said::Accepted(_)) => Some("falsely rejected"),
            _ => None,
        }
    }

    fn compare(program: &RandomProgram, verifier: &Verifier, asker: &mut Asker, tally: &mut Tally) {
        let own = match verifier.ask(program) {
            Ok(own) => own,
            Err(panic) => {
                let smaller = reduce(program, |one| verifier.ask(one).is_err());
                let text = format!("panicked: {panic}\n{}", listing(&smaller));
                return tally.differences.push(text);
            }
        };
        tally.slowest = tally.slowest.max(own.time);
        if own.time > PATIENCE {
            let text = format!("took {:?}\n{}", own.time, listing(program));
            return tally.differences.push(text);
        }
        let said = asker.ask(program);
        if let Some(what) = difference(&own.answer, &said) {
            let smaller = reduce(program, |one| {
                verifier
                    .ask(one)
                    .is_ok_and(|own| difference(&own.answer, &asker.ask(one)) == Some(what))
            });
            let text = match verifier.ask(&smaller) {
                Ok(own) => format!("{:?}", own.answer),
                Err(panic) => panic,
            };
            tally.differences.push(format!(
                "{what} (program {}): {text}\nkernel: {:?}\n{}",
                tally.programs - 1,
                asker.ask(&smaller),
                listing(&smaller)
            ));
            return;
        }
        tally.count(program, &own.answer, own.processed, &said);
    }

    impl Tally {
        fn count(&mut self, program: &RandomProgram, own: &Answer, walked: u32, said: &Said) {
            if let Said::Failed(error, text) = said {
                *self.failed.entry(format!("{error}: {text}")).or_default() += 1;
                return;
            }
            if let Answer::Undecided(construct) = own {
                *self.undecided.entry(construct.clone()).or_default() += 1;
                return;
            }
            match said {
                Said::Accepted(processed) => {
                    self.accepted += 1;
                    self.same_walk += u64::from(*processed == walked);
                    if *processed != walked {
                        self.note("walk", program, &format!("{walked} walked"), &format!("{processed}"));
                    }
                }
                Said::Rejected(text, _) => {
                    self.rejected += 1;
                    *self.reasons.entry(outline(text)).or_default() += 1;
                    let Answer::Rejected(own) = own else { return };
                    let last = own.lines().last().unwrap_or("").trim();
                    if last == text {
                        self.same_text += 1;
                    } else {
                        self.note(&outline(text), program, own, text);
                    }
                }
                Said::Failed(..) => {}
            }
        }

        fn note(&mut self, kind: &str, program: &RandomProgram, own: &str, text: &str) {
            let number = self.programs - 1;
            let entry = self.texts.entry(kind.to_owned()).or_insert_with(|| {
                let listing = listing(program);
                (0, format!("program {number}: {own}\n  kernel: {text}\n{listing}"))
            });
            entry.0 += 1;
        }

        fn summary(&self, time: Duration) -> String {
            let share = |part: u64, all: u64| part as f64 * 100.0 / all.max(1) as f64;
            let undecided: u64 = self.undecided.values().sum();
            let failed: u64 = self.failed.values().sum();
            format!(
                "{} programs in {:.0} s ({:.0} a second): accepted by both {} (walks of equal length \
                 {:.2} %), rejected by both {} (same last line {:.2} %), undecided {undecided}, not \
                 answered by the kernel {failed}, differences {}; slowest {:?}",
                self.programs,
                time.as_secs_f64(),
                self.programs as f64 / time.as_secs_f64(),
                self.accepted,
                share(self.same_walk, self.accepted),
                self.rejected,
                share(self.same_text, self.rejected),
                self.differences.len(),
                self.slowest,
            )
        }

        fn details(&self, verbose: bool) -> String {
            let mut text = String::new();
            for (title, counts) in [("undecided", &self.undecided), ("no answer", &self.failed)] {
                for (what, count) in counts {
                    text.push_str(&format!("{title:10} {count:8} {what}\n"));
                }
            }
            if verbose {
                for (what, count) in &self.reasons {
                    text.push_str(&format!("rejected   {count:8} {what}\n"));
                }
                let mut texts: Vec<_> = self.texts.values().collect();
                texts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
                for (count, example) in texts {
                    text.push_str(&format!("\ntexts that differ so: {count}; {example}"));
                }
            }
            text
        }
    }

    /// A line without its numbers.
    fn outline(text: &str) -> String {
        let mut outline: String = text
            .chars()
            .map(|one| if one.is_ascii_digit() { '#' } else { one })
            .collect();
        while outline.contains("##") {
            outline = outline.replace("##", "#");
        }
        outline
    }
}
