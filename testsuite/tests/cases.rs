//! The mistakes of `docs/verifier.md`: each lies in `cases` as C, compiled, and as assembly, with its
//! repair. The verifier refuses both forms by the expected rule and accepts both repairs, and the
//! running kernel agrees; the page shows the sources and the messages as they are.
//!
//! After a marker such as `<!-- 01-null-check/bad.c -->` the page has a block that is made here:
//!
//! | marker | block |
//! |---|---|
//! | `CASE/bad.c`, `CASE/bad.s` | the file |
//! | `CASE/bad.o`, `CASE/bad.s: check` | what `bpfmill check` prints |
//! | `CASE/good.c`, `CASE/good.s` | how the repair differs |
//!
//! `BPFMILL_BLESS=1` writes them anew. What asks the kernel is ignored, with the reason in brackets,
//! without the `kernel` feature or without the right to load programs; whether the objects are what
//! the sources compile to, without clang 19 and libbpf's headers.

use std::path::{Path, PathBuf};

use bpf::insn::Endian;
use bpfmill::input::{self, Assembled};
use libtest_mimic::{Arguments, Failed, Trial};
use similar::TextDiff;
use testsuite::checked::checked;
use testsuite::recompile;
use verifier::{Finding, Rule, Verdict};

/// Each case, and the rule that it breaks.
const CASES: &[(&str, Rule)] = &[
    ("01-null-check", Rule::NullDereference),
    ("02-packet-copy", Rule::PacketBounds),
    ("03-off-by-one", Rule::PacketBounds),
    ("04-negative-index", Rule::UnboundedOffset),
    ("05-object-as-data", Rule::StackUninitialised),
    ("06-helper", Rule::HelperNotAllowed),
    ("07-argument", Rule::ArgumentType),
    ("08-leak", Rule::ReferenceLeak),
    ("09-unbounded-loop", Rule::TooComplex),
    ("10-back-edge", Rule::InfiniteLoop),
    ("11-context-field", Rule::ContextAccess),
    ("12-pointer-operator", Rule::PointerArithmetic),
    ("13-dead-code", Rule::Unreachable),
    ("14-stack-depth", Rule::StackDepth),
    ("15-tail-call", Rule::TailCallInSubprogram),
    ("16-return-range", Rule::ReturnValue),
    ("17-no-result", Rule::UninitialisedRegister),
    ("18-map-value-end", Rule::MapValueBounds),
    ("19-spill-size", Rule::SpillSize),
    ("20-lost-bound", Rule::ArgumentSize),
];
/// Programs that are refused, by object and by assembly, and their repairs.
const FORMS: [(&str, &str); 2] = [("bad.o", "good.o"), ("bad.s", "good.s")];
/// What the page shows of a case.
const BLOCKS: [&str; 6] = [
    "bad.c",
    "bad.s",
    "bad.o",
    "bad.s: check",
    "good.c",
    "good.s",
];
/// Lines around a difference.
const AROUND: usize = 2;

fn main() {
    let mut arguments = Arguments::from_args();
    // libbpf reports through one callback for the whole process.
    arguments.test_threads = Some(1);
    let mut trials = vec![
        Trial::test("every folder is listed", every_folder_is_listed),
        Trial::test("the page is up to date", page_is_up_to_date),
        objects_trial(),
    ];
    for (case, rule) in CASES {
        for (bad, good) in FORMS {
            let name = format!("{case} {} verifier", &bad[4..]);
            trials.push(Trial::test(name, move || {
                verifier_agrees(case, *rule, bad, good)
            }));
            trials.push(kernel_trial(
                format!("{case} {} kernel", &bad[4..]),
                case,
                bad,
                good,
            ));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn folder() -> PathBuf {
    testsuite::objects::root().join("cases")
}

fn ignored(name: String, reason: &str) -> Trial {
    Trial::test(name, || Ok(()))
        .with_kind(reason)
        .with_ignored_flag(true)
}

fn every_folder_is_listed() -> Result<(), Failed> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let entry = entry?;
        if entry.path().is_dir() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    let listed: Vec<&str> = CASES.iter().map(|(case, _)| *case).collect();
    if found == listed {
        return Ok(());
    }
    Err(format!("folders {found:?}, listed {listed:?}").into())
}

fn objects_trial() -> Trial {
    let name = "committed objects".to_owned();
    if let Some(missing) = recompile::missing_compiler() {
        return ignored(name, &missing);
    }
    Trial::test(name, || {
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cases");
        recompile::objects_are_up_to_date(&folder(), &["c", "sh"], "rebuild.sh", &copy)?;
        Ok(())
    })
}

fn text(case: &str, file: &str) -> Result<String, Failed> {
    let path = folder().join(case).join(file);
    let text = std::fs::read_to_string(&path);
    Ok(text.map_err(|error| format!("{}: {error}", path.display()))?)
}

/// A program of a case, named as in its folder.
fn program(case: &str, file: &str) -> Result<Assembled, Failed> {
    let read = if file.ends_with(".s") {
        input::assembly(file, text(case, file)?, Endian::Little)
    } else {
        let path = folder().join(case).join(file);
        input::read_object(&path.display().to_string(), Endian::Little)
    };
    Ok(read.map_err(|failure| format!("{case}/{file}: {failure}"))?)
}

fn verdict(case: &str, file: &str) -> Result<Verdict, Failed> {
    let (_, verdicts) = checked(&program(case, file)?)?;
    match <[Verdict; 1]>::try_from(verdicts) {
        Ok([verdict]) => Ok(verdict),
        Err(verdicts) => Err(format!("{case}/{file}: {} programs", verdicts.len()).into()),
    }
}

/// Why a program is refused.
fn finding(case: &str, file: &str) -> Result<Finding, Failed> {
    match verdict(case, file)? {
        Verdict::Rejected(finding) => Ok(*finding),
        other => Err(format!("{case}/{file}: {other:?}").into()),
    }
}

fn verifier_agrees(case: &str, rule: Rule, bad: &str, good: &str) -> Result<(), Failed> {
    let finding = finding(case, bad)?;
    if finding.rule != rule {
        return Err(format!("{case}/{bad} is refused by another rule: {finding:?}").into());
    }
    match verdict(case, good)? {
        Verdict::Accepted => Ok(()),
        other => Err(format!("{case}/{good}: {other:?}").into()),
    }
}

/// The block behind a marker: its language and its text.
fn block(case: &str, what: &str) -> Result<(&'static str, String), Failed> {
    Ok(match what {
        "bad.c" => ("c", text(case, "bad.c")?),
        "bad.s" => ("asm", text(case, "bad.s")?),
        "bad.o" => ("text", checked(&program(case, "bad.o")?)?.0),
        "bad.s: check" => ("text", checked(&program(case, "bad.s")?)?.0),
        "good.c" => ("diff", repair(case, "bad.c", "good.c")?),
        "good.s" => ("diff", repair(case, "bad.s", "good.s")?),
        other => return Err(format!("there is no block `{other}`").into()),
    })
}

fn repair(case: &str, bad: &str, good: &str) -> Result<String, Failed> {
    let (bad, good) = (text(case, bad)?, text(case, good)?);
    let difference = TextDiff::from_lines(&bad, &good);
    Ok(difference.unified_diff().context_radius(AROUND).to_string())
}

fn page_is_up_to_date() -> Result<(), Failed> {
    let path = testsuite::objects::root().join("../docs/verifier.md");
    let page = std::fs::read_to_string(&path)?;
    let fresh = with_blocks(&page)?;
    if fresh == page {
        return Ok(());
    }
    if std::env::var_os("BPFMILL_BLESS").is_some() {
        std::fs::write(&path, fresh)?;
        return Ok(());
    }
    let difference = TextDiff::from_lines(&page, &fresh);
    let difference = difference
        .unified_diff()
        .header("the page", "now")
        .to_string();
    Err(format!("docs/verifier.md is out of date, BPFMILL_BLESS=1 writes it:\n{difference}").into())
}

/// The page with every block made anew.
fn with_blocks(page: &str) -> Result<String, Failed> {
    let mut fresh = String::new();
    let mut wanted: Vec<String> = CASES
        .iter()
        .flat_map(|(case, _)| BLOCKS.map(|block| format!("{case}/{block}")))
        .collect();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        fresh.push('\n');
        let marker = line.strip_prefix("<!-- ");
        let Some(marker) = marker.and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let Some((case, what)) = marker.split_once('/') else {
            return Err(format!("`{marker}` is no marker").into());
        };
        let place = wanted.iter().position(|one| one == marker);
        let place = place.ok_or_else(|| format!("`{marker}` is unknown or shown twice"))?;
        wanted.remove(place);
        if lines.peek().is_some_and(|line| line.starts_with("```")) {
            let _open = lines.next();
            // A block ends where the next line without text before it begins so.
            if !lines.by_ref().any(|line| line == "```") {
                return Err(format!("the block of `{marker}` has no end").into());
            }
        }
        let (language, text) = block(case, what)?;
        fresh.push_str(&format!("```{language}\n{}\n```\n", text.trim_end()));
    }
    if wanted.is_empty() {
        return Ok(fresh);
    }
    Err(format!("the page does not show {}", wanted.join(", ")).into())
}

#[cfg(not(feature = "kernel"))]
fn kernel_trial(name: String, _: &str, _: &str, _: &str) -> Trial {
    ignored(name, "needs --features kernel")
}

#[cfg(feature = "kernel")]
fn kernel_trial(name: String, case: &'static str, bad: &'static str, good: &'static str) -> Trial {
    match testsuite::kernel::missing_capability() {
        Some(capability) => ignored(name, capability),
        None => Trial::test(name, move || kernel_agrees(case, bad, good)),
    }
}

/// The kernel's log has every line of the verifier's text, not only the first.
#[cfg(feature = "kernel")]
fn kernel_agrees(case: &str, bad: &str, good: &str) -> Result<(), Failed> {
    use testsuite::kernel::Answer;

    let ours = finding(case, bad)?.kernel_text;
    match kernel_answer(case, bad)? {
        Answer::Rejected(log) if ours.lines().all(|line| log.contains(line)) => {}
        answer => return Err(format!("{case}/{bad}, here {ours:?}: {answer:?}").into()),
    }
    match kernel_answer(case, good)? {
        Answer::Accepted => Ok(()),
        answer => Err(format!("{case}/{good}: {answer:?}").into()),
    }
}

#[cfg(feature = "kernel")]
fn kernel_answer(case: &str, file: &str) -> Result<testsuite::kernel::Answer, Failed> {
    let mut object = program(case, file)?.object;
    testsuite::kernel::define_by_btf(&mut object)?;
    Ok(testsuite::kernel::verdict(&bpf::elf::write(&object)?, 0))
}
