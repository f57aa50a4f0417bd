//! `check`: would Linux load it, and if not, why.

use bpf::insn::Endian;
use bpf::program_type::ProgramType;
use clap::Args;
use verifier::{Kernel, Linker, ProgramId, Verdict};

use super::EndianArg;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::verdict_text::Checked;
use crate::{input, output};

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object or assembly
    file: String,
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
    /// One JSON object for each program
    #[arg(long)]
    json: bool,
    /// Byte order of assembly
    #[arg(long, value_enum, default_value_t)]
    endian: EndianArg,
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
    let endian: Endian = options.endian.into();
    let assembled = input::read_object(&options.file, endian)?;
    for warning in &assembled.warnings {
        terminal.show(&assembled.map, warning);
    }
    let refused = |error: verifier::LinkError| {
        Failure::Usage(format!("{}: cannot be checked: {error}", options.file))
    };
    let linker = Linker::new(&assembled.object).map_err(refused)?;
    let checker_options = verifier::Options {
        kernel: options.kernel,
        program_type: options.kind,
        strict_alignment: options.strict_align,
        strict_ranges: options.strict_ranges,
        ..verifier::Options::default()
    };
    let (mut rejected, mut undecided) = (false, false);
    let mut text = String::new();
    for id in selected(options, &linker)? {
        let program = linker.link(&id, &checker_options).map_err(refused)?;
        let report = verifier::check(&program, &checker_options, assembled.object.endian);
        match &report.verdict {
            Verdict::Accepted => {}
            Verdict::Rejected(_) => rejected = true,
            Verdict::Undecided(_) => undecided = true,
        }
        let checked = Checked {
            linker: &linker,
            program: &program,
            report: &report,
        };
        if options.json {
            text.push_str(&format!("{}\n", checked.json()));
        } else {
            text.push_str(&checked.text());
        }
    }
    output::print(text.as_bytes())?;
    match (rejected, undecided) {
        (true, _) => Err(Failure::Rejected),
        (false, true) => Err(Failure::Undecided),
        (false, false) => Ok(()),
    }
}

fn selected(options: &Options, linker: &Linker<'_>) -> Result<Vec<ProgramId>, Failure> {
    let programs = linker.programs();
    let names: Vec<&str> = programs.iter().map(|id| id.function.as_str()).collect();
    let Some(wanted) = &options.prog else {
        if programs.is_empty() {
            return Err(Failure::Usage(format!(
                "{}: there is no program",
                options.file
            )));
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
