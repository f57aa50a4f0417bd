//! The listing of every object of `programs` and of the corpus is what `llvm-objdump -d -r` prints,
//! line for line, but for differences whose reason is known.
//!
//! The listing promises those columns, so that whatever reads one reads the other. Costs a process
//! and two listings an object. Ignored where llvm-objdump-19 is missing.

mod trials;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

use bpfmill::listing::{Shown, code_sections, listed};
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::llvm_mc::is_there;
use testsuite::objects::TestObject;

const OBJDUMP: &str = "llvm-objdump-19";

/// Why a line of ours differs from theirs, and whether that is all that differs.
type Reason = (&'static str, fn(theirs: &str, ours: &str) -> bool);

const REASONS: [Reason; 2] = [
    (
        "what does not decode has its reason beside it",
        has_its_reason,
    ),
    (
        "the operand of a 32-bit atomic operation is a lower half, as after `--mattr=+alu32`",
        names_the_half,
    ),
];

/// What keeps llvm-objdump from a file whose header names no machine; ours reads it as BPF.
const NO_MACHINE: &str = "can't find target";

/// How many objects are equal, and how many lines of the others differ for which reason.
#[derive(Debug)]
struct Totals {
    equal: usize,
    others: usize,
    not_compared: Vec<String>,
    lines: BTreeMap<&'static str, usize>,
}

static TOTALS: Mutex<Totals> = Mutex::new(Totals {
    equal: 0,
    others: 0,
    not_compared: Vec::new(),
    lines: BTreeMap::new(),
});

fn main() {
    let arguments = Arguments::from_args();
    let missing = !is_there(OBJDUMP);
    let (found, mut trials) = trials::objects();
    for object in found {
        let trial = Trial::test(object.name.clone(), move || check(&object));
        trials.push(match missing {
            true => trial
                .with_kind(format!("no {OBJDUMP}"))
                .with_ignored_flag(true),
            false => trial,
        });
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if conclusion.num_passed > 0 {
        report();
    }
    conclusion.exit();
}

#[expect(clippy::print_stdout, reason = "a test binary's report")]
fn report() {
    let Ok(totals) = TOTALS.lock() else { return };
    println!(
        "{} listings equal, {} but for known differences",
        totals.equal, totals.others
    );
    for (reason, count) in &totals.lines {
        println!("  {count} lines: {reason}");
    }
    for name in &totals.not_compared {
        println!("  not compared: {name}");
    }
}

fn check(test: &TestObject) -> Result<(), Failed> {
    let bytes = std::fs::read(&test.path)?;
    let Ok(object) = bpf::elf::read(&bytes) else {
        // A damaged object; that it is refused is tested where the reader is.
        return not_compared(test, "it is damaged");
    };
    let output = Command::new(OBJDUMP)
        .args(["-d", "-r"])
        .arg(&test.path)
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return match said.contains(NO_MACHINE) {
            true => not_compared(test, "its header names no machine"),
            false => Err(said.into_owned().into()),
        };
    }
    let theirs = String::from_utf8_lossy(&output.stdout);
    // An empty line and one with the file's name.
    let theirs = theirs.splitn(3, '\n').nth(2).ok_or("it prints nothing")?;
    let ids: Vec<_> = code_sections(&object).collect();
    let ours = listed(&object, &ids, Shown::default());
    let reasons = compare(theirs, &ours)?;
    let mut totals = TOTALS.lock().map_err(|error| error.to_string())?;
    match reasons.is_empty() {
        true => totals.equal += 1,
        false => totals.others += 1,
    }
    for reason in reasons {
        *totals.lines.entry(reason).or_default() += 1;
    }
    Ok(())
}

fn not_compared(test: &TestObject, why: &str) -> Result<(), Failed> {
    let mut totals = TOTALS.lock().map_err(|error| error.to_string())?;
    totals.not_compared.push(format!("{}: {why}", test.name));
    Ok(())
}

/// The reasons of all lines that differ, or the first one without a reason.
fn compare(theirs: &str, ours: &str) -> Result<Vec<&'static str>, String> {
    let mut reasons = Vec::new();
    let (mut theirs, mut ours) = (theirs.lines(), ours.lines());
    for number in 1.. {
        let pair = (theirs.next(), ours.next());
        let (one, other) = match pair {
            (None, None) => break,
            (one, other) if one == other => continue,
            (one, other) => (one.unwrap_or("the end"), other.unwrap_or("the end")),
        };
        match REASONS.iter().find(|(_, explains)| explains(one, other)) {
            Some((reason, _)) => reasons.push(*reason),
            None => {
                let place = format!("line {number} behind the file's name");
                return Err(format!("{place}:\n{OBJDUMP}: {one}\nours: {other}"));
            }
        }
    }
    Ok(reasons)
}

fn has_its_reason(theirs: &str, ours: &str) -> bool {
    let (theirs, ours) = (
        theirs.split_once("<unknown>"),
        ours.split_once("<unknown: "),
    );
    matches!((theirs, ours), (Some((one, "")), Some((other, _))) if one == other)
}

fn names_the_half(theirs: &str, ours: &str) -> bool {
    let (theirs, ours) = (theirs.rsplit_once(" r"), ours.rsplit_once(" w"));
    let narrow = ours.is_some_and(|(before, _)| before.contains("\tlock *(u32 *)"));
    narrow && theirs == ours
}
