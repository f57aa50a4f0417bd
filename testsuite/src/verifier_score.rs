//! How often the verifier agrees with the kernel: tallies, tables, and what stood in the way.
//!
//! Of the kernel's selftests a share is kept out of the verifier's tuning: files whose names don't
//! begin with `verifier_a` to `verifier_m`. Of those only totals are reported, and constructs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bpf::object::Object;
use serde_json::Value;
use verifier::{Linker, Options, ProgramId, Verdict};

/// A program with the kernel's verdict.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// Object's name without directory and ending.
    pub object: &'a str,
    /// Section.
    pub section: &'a str,
    /// Function.
    pub function: &'a str,
    /// Type, by name.
    pub program_type: &'a str,
    /// Whether the kernel takes it.
    pub accepted: bool,
    /// The kernel's last words.
    pub said: &'a str,
    /// Messages of which one is expected, if it is refused.
    pub messages: &'a [String],
    /// Whether only totals are of interest.
    pub held_out: bool,
}

/// Whether a selftest file is kept out of the verifier's tuning.
#[must_use]
pub fn is_held_out(object: &str) -> bool {
    let letter = object
        .strip_prefix("verifier_")
        .and_then(|rest| rest.bytes().next());
    letter.is_none_or(|letter| letter > b'm')
}

#[derive(Clone, Debug, Default)]
struct Tally {
    total: u32,
    agree: u32,
    with_message: u32,
    message_agreed: u32,
    false_accepts: u32,
    false_rejects: u32,
    undecided_accepts: u32,
    undecided_rejects: u32,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.total += other.total;
        self.agree += other.agree;
        self.with_message += other.with_message;
        self.message_agreed += other.message_agreed;
        self.false_accepts += other.false_accepts;
        self.false_rejects += other.false_rejects;
        self.undecided_accepts += other.undecided_accepts;
        self.undecided_rejects += other.undecided_rejects;
    }
}

/// Results so far.
#[derive(Clone, Debug, Default)]
pub struct Score {
    tables: [BTreeMap<String, Tally>; 2],
    disagreements: BTreeMap<String, Vec<String>>,
    constructs: BTreeMap<String, u32>,
    false_accepts: Vec<String>,
    times: Vec<(Duration, String)>,
}

impl Score {
    /// Verifies a program and compares.
    pub fn add(&mut self, object: &Object, sample: &Sample<'_>, options: &Options) {
        let started = Instant::now();
        let result = Linker::new(object)
            .and_then(|linker| linker.link(&program_of(&linker, sample), options))
            .map(|program| verifier::check(&program, options, object.endian));
        let name = format!("{}:{}", sample.object, sample.function);
        self.times.push((started.elapsed(), name.clone()));
        let verdict = match result {
            Ok(report) => report.verdict,
            Err(error) => Verdict::Undecided(verifier::Gap {
                construct: error.to_string(),
                insn: None,
            }),
        };
        let tally = self.tables[usize::from(sample.held_out)]
            .entry(sample.program_type.to_owned())
            .or_default();
        let disagreement = compare(tally, &verdict, sample);
        if !sample.accepted && verdict == Verdict::Accepted {
            self.false_accepts.push(format!("{name}: {}", sample.said));
        }
        let Some(disagreement) = disagreement else {
            return;
        };
        if sample.held_out {
            let side = if sample.accepted {
                "accepted"
            } else {
                "rejected"
            };
            let key = format!(
                "{} ({side}, {})",
                disagreement.construct, sample.program_type
            );
            *self.constructs.entry(key).or_default() += 1;
        } else {
            self.disagreements
                .entry(format!("{}: {}", disagreement.sort, disagreement.text))
                .or_default()
                .push(format!(
                    "{name} ({}) kernel: {}",
                    sample.program_type, sample.said
                ));
        }
    }

    /// Programs that the kernel refuses and the verifier accepts.
    #[must_use]
    pub fn false_accepts(&self) -> &[String] {
        &self.false_accepts
    }

    /// The tables as text, with `list` the disagreements too.
    #[must_use]
    pub fn report(&self, list: bool) -> String {
        let mut report = String::new();
        if list {
            for (sort, names) in &self.disagreements {
                push(
                    &mut report,
                    &format!("{sort}\n    {}", names.join("\n    ")),
                );
            }
            for (construct, count) in &self.constructs {
                push(&mut report, &format!("held out, {count:3} {construct}"));
            }
        }
        for (table, title) in self.tables.iter().zip(["developed on", "held out"]) {
            print_table(&mut report, table, title);
        }
        for one in &self.false_accepts {
            push(&mut report, &format!("false accept: {one}"));
        }
        let mut times = self.times.clone();
        times.sort();
        if let (Some(middle), Some(slowest)) = (times.get(times.len() / 2), times.last()) {
            push(
                &mut report,
                &format!(
                    "median {} us, slowest {} us ({})",
                    middle.0.as_micros(),
                    slowest.0.as_micros(),
                    slowest.1
                ),
            );
        }
        report
    }
}

/// The sample's program. Objects without function symbols are recorded with a label of the function,
/// and those that only have `.text` with another name for it.
fn program_of(linker: &Linker<'_>, sample: &Sample<'_>) -> ProgramId {
    let section = match sample.section {
        "_text" => ".text",
        section => section,
    };
    let wanted = ProgramId {
        section: section.to_owned(),
        function: sample.function.to_owned(),
    };
    let programs = linker.programs();
    let bare = |section: &str| section.trim_start_matches('?').to_owned();
    let mut here = programs
        .iter()
        .filter(|program| bare(&program.section) == bare(section));
    match (here.next(), here.next()) {
        (Some(only), None) if only.function != wanted.function => only.clone(),
        _ => wanted,
    }
}

struct Disagreement {
    sort: &'static str,
    /// What we say.
    text: String,
    /// The same without what would show a single program.
    construct: String,
}

fn compare(tally: &mut Tally, verdict: &Verdict, sample: &Sample<'_>) -> Option<Disagreement> {
    tally.total += 1;
    let disagreement = |sort, text: &str, construct: String| {
        Some(Disagreement {
            sort,
            text: text.to_owned(),
            construct,
        })
    };
    match verdict {
        Verdict::Accepted if sample.accepted => {
            tally.agree += 1;
            None
        }
        Verdict::Accepted => {
            tally.false_accepts += 1;
            disagreement("1 false accept", "", "falsely accepted".to_owned())
        }
        Verdict::Rejected(finding) if sample.accepted => {
            tally.false_rejects += 1;
            let at = finding.insn.unwrap_or(0);
            let text = format!("{} at {at}", finding.kernel_text);
            let construct = format!("falsely rejected: {}", finding.rule.code());
            disagreement("2 false reject", &text, construct)
        }
        Verdict::Rejected(finding) => {
            tally.agree += 1;
            if sample.messages.is_empty() {
                return None;
            }
            tally.with_message += 1;
            let text = &finding.kernel_text;
            if sample.messages.iter().any(|one| contains(text, one)) {
                tally.message_agreed += 1;
                return None;
            }
            let both = format!("{text} / {:?}", sample.messages);
            let construct = format!("other message: {}", finding.rule.code());
            disagreement("4 message", &both, construct)
        }
        Verdict::Undecided(gap) => {
            if sample.accepted {
                tally.undecided_accepts += 1;
            } else {
                tally.undecided_rejects += 1;
            }
            let construct = format!("undecided: {}", gap.construct);
            disagreement("3 undecided", &gap.construct, construct)
        }
    }
}

/// Whether a text has an expected message in it; `{{...}}` are regular expressions, taken as gaps.
#[must_use]
pub fn contains(text: &str, message: &str) -> bool {
    let mut parts = message.split("{{");
    let mut literals: Vec<&str> = parts.next().into_iter().collect();
    literals.extend(parts.filter_map(|part| part.split_once("}}").map(|(_, after)| after)));
    let mut rest = text;
    literals
        .iter()
        .map(|literal| literal.trim_end())
        .all(|literal| {
            let found = rest.find(literal);
            if let Some(at) = found {
                rest = &rest[at + literal.len()..];
            }
            found.is_some()
        })
}

/// Messages that selftests expect, by object and function, of those that expect a verdict.
#[must_use]
pub fn expectations(path: &Path) -> BTreeMap<(String, String), Expectation> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let rows = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    rows.filter(|row| row.get("verdict").is_some_and(|verdict| !verdict.is_null()))
        .map(|row| {
            let word = |key: &str| {
                row.get(key)
                    .and_then(Value::as_str)
                    .unwrap_or("")
                    .to_owned()
            };
            let words = |key: &str| {
                let list = row.get(key).and_then(Value::as_array).into_iter().flatten();
                list.filter_map(|one| one.as_str().or_else(|| one.get(1)?.as_str()))
                    .map(str::to_owned)
                    .collect::<Vec<String>>()
            };
            let file = word("file");
            let object = file.strip_suffix(".o").unwrap_or(&file).to_owned();
            let expectation = Expectation {
                section: word("section"),
                program_type: word("type"),
                messages: words("msgs"),
                flags: words("flags"),
            };
            ((object, word("prog")), expectation)
        })
        .collect()
}

/// What a selftest says of itself.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Section.
    pub section: String,
    /// Type.
    pub program_type: String,
    /// Messages, if it is to be refused.
    pub messages: Vec<String>,
    /// Names of the flags to load it with.
    pub flags: Vec<String>,
}

impl Expectation {
    /// The flags as the kernel's number.
    #[must_use]
    pub fn flag_bits(&self) -> u32 {
        let bit = |name: &String| match name.as_str() {
            "BPF_F_STRICT_ALIGNMENT" => 1,
            "BPF_F_ANY_ALIGNMENT" => 2,
            "BPF_F_TEST_RND_HI32" => 4,
            "BPF_F_TEST_STATE_FREQ" => 8,
            "BPF_F_SLEEPABLE" => 16,
            "BPF_F_XDP_HAS_FRAGS" => 32,
            "BPF_F_TEST_REG_INVARIANTS" => 128,
            _ => 0,
        };
        self.flags.iter().fold(0, |bits, name| bits | bit(name))
    }
}

/// What program flags mean for the verifier.
#[must_use]
pub fn options_of(flags: u32) -> Options {
    Options {
        sleepable: flags & 16 != 0,
        strict_alignment: flags & 1 != 0,
        keep_all_states: flags & 8 != 0,
        strict_ranges: flags & 128 != 0,
        ..Options::default()
    }
}

fn push(report: &mut String, line: &str) {
    report.push_str(line);
    report.push('\n');
}

fn print_table(report: &mut String, table: &BTreeMap<String, Tally>, title: &str) {
    push(report, title);
    push(
        report,
        &format!(
            "{:24} {:>6} {:>6} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9}",
            "type",
            "total",
            "agree",
            "percent",
            "f.accept",
            "f.reject",
            "und.acc",
            "und.rej",
            "messages"
        ),
    );
    let mut line = |name: &str, one: &Tally| {
        let percent = f64::from(one.agree) * 100.0 / f64::from(one.total.max(1));
        let written = writeln!(
            report,
            "{name:24} {:>6} {:>6} {percent:>6.1}% {:>8} {:>8} {:>9} {:>9} {:>4}/{:<4}",
            one.total,
            one.agree,
            one.false_accepts,
            one.false_rejects,
            one.undecided_accepts,
            one.undecided_rejects,
            one.message_agreed,
            one.with_message,
        );
        debug_assert!(written.is_ok());
    };
    let (mut packet, mut all) = (Tally::default(), Tally::default());
    for (name, one) in table {
        line(name, one);
        all.add(one);
        if matches!(name.as_str(), "xdp" | "sched_cls" | "socket_filter") {
            packet.add(one);
        }
    }
    line("xdp+sched_cls+socket", &packet);
    line("all", &all);
}

#[cfg(test)]
mod tests {
    use super::{contains, is_held_out};

    #[test]
    fn expected_messages_may_have_patterns() {
        assert!(contains(
            "R0 invalid mem access 'scalar'",
            "invalid mem access"
        ));
        assert!(contains(
            "R7 has smin=3 here",
            "R{{[0-9]}} has smin={{.*}} here"
        ));
        assert!(!contains("R7 has", "R{{[0-9]}} lacks"));
    }

    #[test]
    fn a_share_of_the_files_is_held_out() {
        assert!(!is_held_out("verifier_and"));
        assert!(!is_held_out("verifier_movsx"));
        assert!(is_held_out("verifier_netfilter_ctx"));
        assert!(is_held_out("dynptr_fail"));
    }
}
