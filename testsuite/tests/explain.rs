//! The programs on the pages of `explain`: the verifier finds in each example exactly the page's
//! error, with a text that the page has, and nothing in the repair; the running kernel agrees.
//!
//! Pages in C have their objects in `docs/errors/examples`. What asks the kernel is ignored, with the
//! reason in brackets, without the `kernel` feature or without the right to load programs; whether the
//! objects are what the pages say, without clang 19 and libbpf's headers (in `/usr/include`, or
//! where `INCLUDE` says).

use std::path::Path;

use bpf::diagnostic::FileId;
use bpf::insn::Endian;
use bpf::object::Object;
use bpfmill::explain::{self, Page, Sample};
use frontend::asm::{AsmOptions, assemble};
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::recompile;
use verifier::{Finding, Options, Rule, Verdict};

fn main() {
    let mut arguments = Arguments::from_args();
    // libbpf reports through one callback for the whole process.
    arguments.test_threads = Some(1);
    let mut trials = Vec::new();
    for rule in Rule::ALL {
        let code = rule.code();
        trials.push(Trial::test(format!("{code} verifier"), || {
            verifier_agrees(*rule)
        }));
        trials.push(kernel_trial(format!("{code} kernel"), *rule));
    }
    trials.push(objects_trial());
    libtest_mimic::run(&arguments, trials).exit();
}

fn objects_trial() -> Trial {
    let name = "committed objects".to_owned();
    if let Some(missing) = recompile::missing_compiler() {
        return ignored(name, &missing);
    }
    Trial::test(name, || {
        let folder = testsuite::objects::root().join("../docs/errors");
        let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("errors");
        let script = "examples/rebuild.sh";
        recompile::objects_are_up_to_date(&folder, &["md", "sh"], script, &copy)?;
        Ok(())
    })
}

fn page(rule: Rule) -> Result<Page, Failed> {
    Ok(explain::page(rule).ok_or("the page does not have the form")?)
}

/// The object of an example (`bad`) or a repair (`good`).
fn object(rule: Rule, sample: &Sample, which: &str) -> Result<Object, Failed> {
    if sample.language == "c" {
        let name = format!("../docs/errors/examples/{}.{which}.o", rule.code());
        let path = testsuite::objects::root().join(name);
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(bpf::elf::read(&bytes)?);
    }
    let options = AsmOptions::new(Endian::Little);
    match assemble(sample.program, FileId(0), &options) {
        Ok(assembled) if assembled.warnings.is_empty() => Ok(assembled.object),
        Ok(assembled) => Err(format!("{:?}", assembled.warnings).into()),
        Err(errors) => Err(format!("{errors:?}").into()),
    }
}

fn options(page: &Page) -> Result<Options, Failed> {
    let mut options = Options::default();
    for option in &page.options {
        match *option {
            "--strict-align" => options.strict_alignment = true,
            "--strict-ranges" => options.strict_ranges = true,
            other => return Err(format!("the test does not know {other}").into()),
        }
    }
    Ok(options)
}

fn verdict(object: &Object, options: &Options) -> Result<Verdict, Failed> {
    let programs = verifier::programs(object)?;
    let [program] = programs.as_slice() else {
        return Err(format!("{} programs", programs.len()).into());
    };
    Ok(verifier::check_program(object, program, options)?.verdict)
}

/// What the verifier finds in the example.
fn finding(rule: Rule, page: &Page) -> Result<Finding, Failed> {
    match verdict(&object(rule, &page.example, "bad")?, &options(page)?)? {
        Verdict::Rejected(finding) => Ok(*finding),
        other => Err(format!("the example: {other:?}").into()),
    }
}

fn verifier_agrees(rule: Rule) -> Result<(), Failed> {
    let page = page(rule)?;
    let finding = finding(rule, &page)?;
    if finding.rule != rule {
        return Err(format!("the example is refused by another rule: {finding:?}").into());
    }
    for line in finding.kernel_text.lines() {
        if !page.kernel_texts.contains(&line) {
            return Err(format!("the page does not have the kernel's line: {line}").into());
        }
    }
    match verdict(&object(rule, &page.repair, "good")?, &options(&page)?)? {
        Verdict::Accepted => Ok(()),
        other => Err(format!("the repair: {other:?}").into()),
    }
}

#[cfg(not(feature = "kernel"))]
fn kernel_trial(name: String, _: Rule) -> Trial {
    ignored(name, "needs --features kernel")
}

fn ignored(name: String, reason: &str) -> Trial {
    Trial::test(name, || Ok(()))
        .with_kind(reason)
        .with_ignored_flag(true)
}

#[cfg(feature = "kernel")]
fn kernel_trial(name: String, rule: Rule) -> Trial {
    match testsuite::kernel::missing_capability() {
        Some(capability) => ignored(name, capability),
        None => Trial::test(name, move || kernel_agrees(rule)),
    }
}

#[cfg(feature = "kernel")]
fn kernel_agrees(rule: Rule) -> Result<(), Failed> {
    use testsuite::kernel::Answer;

    let page = page(rule)?;
    let options = options(&page)?;
    let finding = finding(rule, &page)?;
    let first = finding.kernel_text.lines().next().unwrap_or_default();
    match kernel_answer(object(rule, &page.example, "bad")?, &options)? {
        Answer::Rejected(log) if log.contains(first) => {}
        answer => return Err(format!("the example, here {first:?}: {answer:?}").into()),
    }
    match kernel_answer(object(rule, &page.repair, "good")?, &options)? {
        Answer::Accepted => Ok(()),
        answer => Err(format!("the repair: {answer:?}").into()),
    }
}

#[cfg(feature = "kernel")]
fn kernel_answer(
    mut object: Object,
    options: &Options,
) -> Result<testsuite::kernel::Answer, Failed> {
    /// `BPF_F_STRICT_ALIGNMENT`
    const STRICT_ALIGNMENT: u32 = 1;
    /// `BPF_F_TEST_REG_INVARIANTS`
    const REGISTER_INVARIANTS: u32 = 1 << 7;
    testsuite::kernel::define_by_btf(&mut object)?;
    let mut flags = 0;
    if options.strict_alignment {
        flags |= STRICT_ALIGNMENT;
    }
    if options.strict_ranges {
        flags |= REGISTER_INVARIANTS;
    }
    Ok(testsuite::kernel::verdict(
        &bpf::elf::write(&object)?,
        flags,
    ))
}
