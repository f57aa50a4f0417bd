//! `bisect`: which application of a pass makes a test fail.

use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;

use super::TextArgs;
use super::optimiser::OptimiserOptions;
use crate::compile::bisect::{self, Application, Culprit};
use crate::compile::{self, CompileOptions, Compiled};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{input, listing, output, render};
use frontend::lift::lift_object;

/// Options of `bisect`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object or assembly; `-` is the standard input
    file: String,
    /// Shell command that says whether an object is good: it gets the object's path as its last
    /// argument, and exits with 0 if it is
    #[arg(long, value_name = "CMD")]
    test: String,
    /// How to optimise
    #[command(flatten)]
    optimiser: OptimiserOptions,
    #[command(flatten)]
    text: TextArgs,
}

/// Finds the application after which the test fails, and prints it with what it changed.
///
/// # Errors
/// [`Failure::Usage`] if the test cannot be run, fails without any pass, or never fails.
pub fn run(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    let assembled = input::read_object(&options.file, options.text)?;
    terminal.show_warnings(&assembled);
    let object = &assembled.object;
    let compile_options = options
        .optimiser
        .compile_options(assembled.from_text, Some(object))?;
    let object = &compile::with_maps_as_data(object, &compile_options)
        .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?;
    let folder = tempfile::tempdir().map_err(|error| Failure::io("temporary folder", error))?;
    let path = folder.path().join("object.o");
    let culprit = bisect::bisect(object, &compile_options, |compiled| {
        is_good(&options.test, &path, compiled)
    })?;
    match culprit {
        Culprit::Nothing => Err(Failure::Usage(
            "the test succeeds with all passes: there is nothing to find".to_owned(),
        )),
        Culprit::NoPass => Err(Failure::Usage(
            "the test fails without any pass: lifting or emission alone makes the difference, or \
             the test fails on the input too"
                .to_owned(),
        )),
        Culprit::SecondRound => Err(Failure::Usage(
            "the test fails when the first round's result is lifted and emitted again, without any \
             pass; `-O 2` has one round"
                .to_owned(),
        )),
        Culprit::Pass(application) => {
            let diff = difference(object, &compile_options, &application)?;
            output::print(format!("{}\n{diff}", told(&application)).as_bytes())
        }
    }
}

fn told(application: &Application) -> String {
    let Application {
        number,
        pass,
        function,
    } = application;
    format!(
        "application {number}: {pass} on function {function}\nto go on without it: --disable \
         {pass}@{function}"
    )
}

/// Runs the test on what was compiled.
fn is_good(test: &str, path: &Path, compiled: &Compiled) -> Result<bool, Failure> {
    let shown = path.display().to_string();
    let bytes = bpf::elf::write(&compiled.object)
        .map_err(|error| Failure::refused(format!("the object cannot be written: {error}")))?;
    output::write(&shown, &bytes)?;
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{test} \"$@\""))
        .arg("sh")
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| Failure::io("sh", error))?;
    // The shell's own codes: the command was not found, or is no program.
    match status.code() {
        Some(126 | 127) => Err(Failure::Usage(format!("`{test}` cannot be run"))),
        code => Ok(code == Some(0)),
    }
}

/// What the application changed, as a difference of MIR texts, or of assembly where that has none.
fn difference(
    object: &bpf::object::Object,
    options: &CompileOptions,
    application: &Application,
) -> Result<String, Failure> {
    let with_first = |limit: u64| {
        let mut options = options.clone();
        options.pipeline.bisect_limit = Some(limit);
        options.verify = false;
        Ok::<_, Failure>(compile::compile(object, &options, |_| {})?)
    };
    let before = with_first(application.number - 1)?;
    let after = with_first(application.number)?;
    // The first application of a second round is to what the first round's result lifts to.
    let module = match before.rounds == after.rounds {
        true => before.module,
        false => lift_object(&before.object).module,
    };
    let difference = render::difference(&module.to_string(), &after.module.to_string(), 3);
    if difference.is_empty() {
        // What the back end made shows in its code only.
        let (before, after) = (&before.object, &after.object);
        let (before, after) = (listing::assembly(before), listing::assembly(after));
        return Ok(render::difference(&before, &after, 3));
    }
    Ok(difference)
}
