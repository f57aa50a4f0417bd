//! The verifier against the running kernel on random programs.
//!
//! `BPFMILL_FUZZ_SECONDS` says for how long (20 if it does not), `BPFMILL_FUZZ_SEED` which programs.
//! `BPFMILL_FUZZ_TEXTS` lists what was said, and an example of each text that differs;
//! `BPFMILL_FUZZ_PROGRAM` shows the program with this number, or of this `TYPE:HEX`, and what is said of it.
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
    use testsuite::random_program::{
        Answer, Answered, RandomProgram, Verifier, from_hex, listing, reduce,
    };

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
        /// Other things that differ, by what the kernel says: how often, and one.
        deviations: BTreeMap<String, (u64, String)>,
        /// Whether those are listed.
        lists: bool,
        /// How often the kernel says what, and the last program of which it does.
        reasons: BTreeMap<String, (u64, u64)>,
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
        let processors = libbpf_rs::num_possible_cpus().unwrap_or(0) as u32;
        let verifier = Verifier::new(processors);
        let mut asker = Asker::new()?;
        let mut tally = Tally {
            lists: std::env::var_os("BPFMILL_FUZZ_TEXTS").is_some(),
            ..Tally::default()
        };
        let (start, mut shown) = (Instant::now(), Instant::now());
        if let Ok(which) = std::env::var("BPFMILL_FUZZ_PROGRAM") {
            let program = match which.split_once(':') {
                Some((kind, hex)) => from_hex(kind, hex).ok_or("not a program")?,
                None => RandomProgram::new(seed, which.parse()?),
            };
            return Ok(say(&both(&program, &verifier, &mut asker))?);
        }
        // A panic is reported with its program, not on its own.
        std::panic::set_hook(Box::new(|_| ()));
        while start.elapsed() < budget && tally.differences.len() < SHOWN {
            let program = RandomProgram::new(seed, tally.programs);
            tally.programs += 1;
            let before = tally.differences.len();
            compare(&program, &verifier, &mut asker, &mut tally);
            for difference in &tally.differences[before..] {
                say(difference)?;
            }
            if shown.elapsed() > PROGRESS {
                shown = Instant::now();
                say(&tally.summary(start.elapsed()))?;
            }
        }
        drop(std::panic::take_hook());
        say(&tally.summary(start.elapsed()))?;
        say(&tally.details())?;
        if tally.differences.is_empty() {
            Ok(())
        } else {
            Err(tally.differences.join("\n").into())
        }
    }

    fn say(text: &str) -> std::io::Result<()> {
        writeln!(std::io::stdout().lock(), "{text}")
    }

    /// How a pair of answers differs in the verdict.
    fn difference(own: &Answered, said: &Said) -> Option<&'static str> {
        match (&own.answer, said) {
            (Answer::Accepted, Said::Rejected(..)) => Some("falsely accepted"),
            (Answer::Rejected(_), Said::Accepted(_)) => Some("falsely rejected"),
            _ => None,
        }
    }

    /// How a pair of answers differs in what they say beside the verdict.
    fn deviation(own: &Answered, said: &Said) -> Option<String> {
        match (&own.answer, said) {
            (Answer::Accepted, Said::Accepted(walked)) if own.processed != *walked => {
                Some("walk".to_owned())
            }
            (Answer::Rejected(text), Said::Rejected(last, _))
                if text.lines().last().unwrap_or("").trim() != last =>
            {
                Some(outline(last))
            }
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
        if own.time > PATIENCE && busy(|| drop(verifier.ask(program))) > PATIENCE {
            let report = both(program, verifier, asker);
            return tally.differences.push(format!("slow: {report}"));
        }
        let said = asker.ask(program);
        if let Some(what) = difference(&own, &said) {
            let smaller = reduce(program, |one| {
                let own = verifier.ask(one);
                own.is_ok_and(|own| difference(&own, &asker.ask(one)) == Some(what))
            });
            let report = both(&smaller, verifier, asker);
            let number = tally.programs - 1;
            return tally
                .differences
                .push(format!("{what} (program {number}): {report}"));
        }
        tally.count(&own, &said);
        let Some(kind) = deviation(&own, &said) else {
            return;
        };
        let known = tally.deviations.entry(kind.clone()).or_default();
        known.0 += 1;
        if tally.lists && known.1.is_empty() {
            let smaller = reduce(program, |one| {
                let own = verifier.ask(one);
                own.is_ok_and(|own| deviation(&own, &asker.ask(one)).as_ref() == Some(&kind))
            });
            known.1 = both(&smaller, verifier, asker);
        }
    }

    /// How long something keeps a processor busy: the machine may have others to do something for.
    fn busy(task: impl FnOnce()) -> Duration {
        let spent = || {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
            let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
            Duration::from_nanos(nanoseconds.unwrap_or(u64::MAX))
        };
        let before = spent();
        task();
        spent().saturating_sub(before)
    }

    /// A program with what both say of it.
    fn both(program: &RandomProgram, verifier: &Verifier, asker: &mut Asker) -> String {
        let own = match verifier.ask(program) {
            Ok(own) => format!("{:?}, {} walked, {:?}", own.answer, own.processed, own.time),
            Err(panic) => panic,
        };
        let said = asker.ask(program);
        format!("{own}\nkernel: {said:?}\n{}", listing(program))
    }

    impl Tally {
        fn count(&mut self, own: &Answered, said: &Said) {
            if let Said::Failed(error, text) = said {
                *self.failed.entry(format!("{error}: {text}")).or_default() += 1;
                return;
            }
            if let Answer::Undecided(construct) = &own.answer {
                *self.undecided.entry(construct.clone()).or_default() += 1;
                return;
            }
            let same = u64::from(deviation(own, said).is_none());
            match said {
                Said::Accepted(_) => {
                    self.accepted += 1;
                    self.same_walk += same;
                }
                Said::Rejected(text, _) => {
                    self.rejected += 1;
                    self.same_text += same;
                    let reason = self.reasons.entry(outline(text)).or_default();
                    *reason = (reason.0 + 1, self.programs - 1);
                }
                Said::Failed(..) => {}
            }
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

        fn details(&self) -> String {
            let mut text = String::new();
            for (title, counts) in [("undecided", &self.undecided), ("no answer", &self.failed)] {
                for (what, count) in counts {
                    text.push_str(&format!("{title:10} {count:8} {what}\n"));
                }
            }
            if self.lists {
                for (what, (count, last)) in &self.reasons {
                    text.push_str(&format!("rejected   {count:8} {what} ({last})\n"));
                }
                let mut deviations: Vec<_> = self.deviations.iter().collect();
                deviations.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
                for (kind, (count, example)) in deviations {
                    text.push_str(&format!("\ndiffers {count:8} {kind}\n{example}"));
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
