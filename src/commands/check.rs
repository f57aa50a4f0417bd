//! `check`: would Linux load it, or the card run it, and if not, why.

use std::path::Path;

use bpf::diagnostic::{Diagnostic, SourceMap};
use bpf::program_type::ProgramType;
use clap::{Args, ValueEnum};
use passes::OptLevel;
use verifier::{Ask, Kernel, Linker, ProgramId, Verdict};

use super::TextArgs;
use crate::card::CardObject;
use crate::card::offloaded::Job;
use crate::cli::ReportFormat;
use crate::compile::CompileOptions;
use crate::failure::Failure;
use crate::input::Assembled;
use crate::offload::{self, Offload};
use crate::terminal::Terminal;
use crate::verdict::{Checked, cost, facts};
use crate::{input, output};

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object or assembly
    file: String,
    /// One JSON object for each program
    #[arg(long)]
    json: bool,
    /// What is checked, and what is told
    #[command(flatten)]
    flags: Flags,
}

/// Where the program is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Linux
    #[default]
    Host,
    /// A Netronome Flow Processor
    Nfp,
}

/// What decides the answer and how much is told.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// Where the program is to run; for `nfp`, everything that keeps it from the card is listed
    #[arg(long, value_enum, default_value_t)]
    target: Target,
    /// What the card's firmware offers, as docs/nfp.md describes it; the open firmware without
    #[arg(long, value_name = "FILE")]
    nfp_caps: Option<String>,
    /// Check this program only
    #[arg(long, value_name = "NAME")]
    prog: Option<String>,
    /// Program type, where the section's name does not say
    #[arg(long = "type", value_name = "T", value_parser = super::run::program_type)]
    kind: Option<ProgramType>,
    /// Whose verifier: 5.10, 5.15, 6.1, 6.6, 6.12 or 6.18
    #[arg(long, value_name = "VERSION", default_value = "6.18", value_parser = kernel)]
    kernel: Kernel,
    /// Refuse unaligned accesses
    #[arg(long)]
    strict_align: bool,
    /// Refuse contradictory ranges (`BPF_F_TEST_REG_INVARIANTS`)
    #[arg(long)]
    strict_ranges: bool,
    /// Print what is known before each instruction
    #[arg(long)]
    facts: bool,
    /// Explain what is known at an instruction, and where it comes from; `:LINE` is the first
    /// instruction of a line of the source
    #[arg(long, value_name = "INSN")]
    explain_at: Option<String>,
    /// Say what was walked for each source line, and who uses which stack
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    stats: Option<ReportFormat>,
    /// Source lines that `--stats` lists
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    #[command(flatten)]
    text: TextArgs,
}

/// What is to be said about every program of an object, and the worst verdict.
#[derive(Debug)]
pub struct Answer {
    /// For the standard output.
    pub text: String,
    /// Whether a program is rejected.
    pub rejected: bool,
    /// Whether what a program does is not modelled.
    pub undecided: bool,
    /// For the standard error, in the form [`Form::Apart`].
    pub diagnostics: Vec<(SourceMap, Diagnostic)>,
}

/// How an answer looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people, without colours.
    Plain,
    /// For people, with colours.
    Coloured,
    /// For programs.
    Json,
    /// Verdicts alone, with what is to be said about them apart; of the card's obstacles.
    Apart,
}

impl Flags {
    /// How assembly is to be read.
    #[must_use]
    pub fn text(&self) -> TextArgs {
        self.text
    }

    /// The same flags, with files named from a folder.
    #[must_use]
    pub fn in_folder(&self, folder: &Path) -> Flags {
        let named = |name: &String| folder.join(name).display().to_string();
        Flags {
            nfp_caps: self.nfp_caps.as_ref().map(named),
            ..self.clone()
        }
    }
}

fn kernel(text: &str) -> Result<Kernel, String> {
    Kernel::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Kernel::ALL.iter().map(|kernel| kernel.name()).collect();
        format!("kernels are {}", names.join(", "))
    })
}

/// Checks every program of a file, or one.
///
/// # Errors
/// [`Failure::Rejected`] or [`Failure::Undecided`] by the worst verdict, others for unreadable
/// input.
pub fn run(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    let assembled = input::read_object(&options.file, options.flags.text())?;
    terminal.show_warnings(&assembled);
    let apart = options.flags.target == Target::Nfp && terminal.is_json();
    let form = match (options.json, terminal.colours()) {
        (true, _) => Form::Json,
        (false, _) if apart => Form::Apart,
        (false, true) => Form::Coloured,
        (false, false) => Form::Plain,
    };
    let answer = answer(&options.flags, &options.file, &assembled, form)?;
    output::print(answer.text.as_bytes())?;
    for (map, diagnostic) in &answer.diagnostics {
        terminal.show(map, diagnostic);
    }
    match (answer.rejected, answer.undecided) {
        (true, _) => Err(Failure::Rejected),
        (false, true) => Err(Failure::Undecided),
        (false, false) => Ok(()),
    }
}

/// Checks every program of an object, or one.
///
/// # Errors
/// [`Failure::Usage`] for an object that cannot be linked and for programs that are not there.
pub fn answer(
    options: &Flags,
    file: &str,
    assembled: &Assembled,
    form: Form,
) -> Result<Answer, Failure> {
    let refused =
        |error: verifier::LinkError| Failure::Usage(format!("{file}: cannot be checked: {error}"));
    let linker = Linker::new(&assembled.object).map_err(refused)?;
    let checker_options = verifier::Options {
        kernel: options.kernel,
        program_type: options.kind,
        strict_alignment: options.strict_align,
        causes: true,
        strict_ranges: options.strict_ranges,
        ..verifier::Options::default()
    };
    let (mut rejected, mut undecided) = (false, false);
    let mut text = String::new();
    let selected = selected(options, file, &linker)?;
    if options.target == Target::Nfp {
        let linked = Linked {
            assembled,
            linker: &linker,
            selected: &selected,
            checker_options: &checker_options,
        };
        return on_card(options, &linked, form, refused);
    }
    if options.nfp_caps.is_some() {
        let message = "--nfp-caps says nothing about the host: it needs --target nfp";
        return Err(Failure::Usage(message.to_owned()));
    }
    if selected.len() > 1 && options.explain_at.is_some() {
        let names: Vec<&str> = selected.iter().map(|id| id.function.as_str()).collect();
        return Err(Failure::Usage(format!(
            "--explain-at needs one program: say which by --prog; there are {}",
            names.join(", ")
        )));
    }
    for id in selected {
        let program = linker.link(&id, &checker_options).map_err(refused)?;
        let endian = assembled.object.endian;
        let report = verifier::check(&program, &checker_options, endian);
        match &report.verdict {
            Verdict::Accepted => {}
            Verdict::Rejected(_) => rejected = true,
            Verdict::Undecided(_) => undecided = true,
        }
        let checked = Checked {
            assembled,
            linker: &linker,
            program: &program,
            report: &report,
        };
        let costs = options.stats == Some(ReportFormat::Json);
        if form == Form::Json {
            text.push_str(&format!("{}\n", checked.json()));
        } else if !costs {
            text.push_str(&checked.text(form == Form::Coloured));
        }
        text.push_str(&asked(options, &checked, &checker_options)?);
    }
    Ok(Answer {
        text,
        rejected,
        undecided,
        diagnostics: Vec::new(),
    })
}

/// Programs that can be linked.
struct Linked<'a> {
    assembled: &'a Assembled,
    linker: &'a Linker<'a>,
    selected: &'a [ProgramId],
    checker_options: &'a verifier::Options,
}

/// What keeps programs from the card.
fn on_card(
    options: &Flags,
    linked: &Linked<'_>,
    form: Form,
    refused: impl Fn(verifier::LinkError) -> Failure,
) -> Result<Answer, Failure> {
    if options.facts || options.explain_at.is_some() || options.stats.is_some() {
        let message = "--facts, --explain-at and --stats tell of the verifier: leave --target out";
        return Err(Failure::Usage(message.to_owned()));
    }
    let capabilities = match &options.nfp_caps {
        Some(path) => offload::capabilities(path)?,
        None => backend_nfp::capabilities::Capabilities::default(),
    };
    let mut answer = Answer {
        text: String::new(),
        rejected: false,
        undecided: false,
        diagnostics: Vec::new(),
    };
    let compiled = CompileOptions {
        program_type: options.kind,
        ..CompileOptions::at_level(OptLevel::O2)
    };
    // Without, there is the estimate.
    let object = CardObject::of(&linked.assembled.object).ok();
    for id in linked.selected {
        let program = linked.linker.link(id, linked.checker_options);
        let program = program.map_err(&refused)?;
        let (assembled, linker) = (linked.assembled, linked.linker);
        let job = object.as_ref().map(|object| Job {
            file: "",
            assembled,
            linker,
            object,
            options: &compiled,
            capabilities: &capabilities,
        });
        let checker = linked.checker_options;
        let offload = match &job {
            Some(job) => job.attempt(&program, checker, |_| {})?.0,
            None => Offload::of(assembled, linker, &program, checker, &capabilities),
        };
        answer.rejected |= offload.is_rejected();
        answer.undecided |= offload.is_undecided();
        let text = match form {
            Form::Json => format!("{}\n", offload.json()),
            Form::Plain | Form::Coloured => offload.text(form == Form::Coloured),
            Form::Apart => {
                answer.diagnostics.extend(offload.diagnostics());
                offload.headline()
            }
        };
        answer.text.push_str(&text);
    }
    Ok(answer)
}

/// What was asked for besides the verdict.
fn asked(
    options: &Flags,
    checked: &Checked<'_>,
    checker_options: &verifier::Options,
) -> Result<String, Failure> {
    let (linker, program) = (checked.linker, checked.program);
    let at = match &options.explain_at {
        Some(place) => Some(instruction(checked, place)?),
        None => None,
    };
    if !options.facts && at.is_none() && options.stats.is_none() {
        return Ok(String::new());
    }
    let ask = at.map_or(Ask::Everything, Ask::At);
    let endian = checked.assembled.object.endian;
    let (report, facts) = verifier::facts(program, checker_options, endian, ask);
    let mut text = String::new();
    if options.facts {
        text.push_str(&facts::listing(linker, program, &facts));
    }
    if let Some(slot) = at {
        text.push_str(&facts::explanation(linker, program, &facts, slot));
    }
    match options.stats {
        Some(ReportFormat::Text) => {
            text.push_str(&cost::text(linker, program, &report, &facts, options.top));
        }
        Some(ReportFormat::Json) => {
            let value = cost::json(linker, program, &report, &facts, options.top);
            text.push_str(&format!("{value}\n"));
        }
        None => {}
    }
    Ok(text)
}

/// The instruction that the user means: by number, or the first one of a line.
fn instruction(checked: &Checked<'_>, place: &str) -> Result<usize, Failure> {
    let program = checked.program;
    let known = |slot: &usize| program.insn(*slot).is_some();
    let found = match place.strip_prefix(':') {
        Some(line) => {
            let line: u32 = line.parse().map_err(|_| {
                Failure::Usage(format!("`{place}`: `:` is followed by a line's number"))
            })?;
            (0..program.ops.len())
                .filter(known)
                .find(|slot| checked.line(*slot) == Some(line))
        }
        None => place.parse().ok().filter(known),
    };
    found.ok_or_else(|| {
        Failure::Usage(format!(
            "`{}` has no instruction {place}; they are numbered from 0 to {}",
            program.name,
            program.ops.len().saturating_sub(1)
        ))
    })
}

fn selected(options: &Flags, file: &str, linker: &Linker<'_>) -> Result<Vec<ProgramId>, Failure> {
    let programs = linker.programs();
    let names: Vec<&str> = programs.iter().map(|id| id.function.as_str()).collect();
    let Some(wanted) = &options.prog else {
        if programs.is_empty() {
            return Err(Failure::Usage(format!("{file}: there is no program")));
        }
        return Ok(programs);
    };
    let found: Vec<ProgramId> = programs
        .iter()
        .filter(|id| id.function == *wanted)
        .cloned()
        .collect();
    if found.is_empty() {
        return Err(Failure::Usage(format!(
            "there is no program `{wanted}`; there are {}",
            names.join(", ")
        )));
    }
    Ok(found)
}
