//! The options that decide the code that comes out: passes, levels, targets, from the command line
//! and from `bpfmill.toml`.

use std::num::NonZeroUsize;
use std::path::Path;

use bpf::insn::Cpu;
use bpf::object::Object;
use bpf::program_type::ProgramType;
use clap::Args;
use passes::{KernelVersion, OptLevel, PipelineOptions, Target};
use verifier::Linker;

use crate::compile::{self, CompileOptions};
use crate::config::Config;
use crate::failure::Failure;

/// Before a function's name: the program that it is the main function of.
const PROGRAM: &str = "prog:";

/// What decides the code that comes out.
#[derive(Debug, Args)]
pub struct OptimiserOptions {
    /// 0: lift and emit; 1: what is cheap; 2: for time; s: for size [default: 2]
    #[arg(short = 'O', value_name = "LEVEL", value_parser = level)]
    level: Option<OptLevel>,
    /// Newest instruction set of the output: v1 to v4 [default: the newest that the input uses, at
    /// least v3 for assembly]
    #[arg(long, value_name = "CPU", value_parser = cpu)]
    mcpu: Option<Cpu>,
    /// Oldest kernel that must accept the output [default: 6.18]
    #[arg(long, value_name = "VERSION", value_parser = kernel)]
    kernel: Option<KernelVersion>,
    /// Make no unaligned accesses to packets, for machines that cannot
    #[arg(long)]
    strict_align: bool,
    /// Settings, in place of the nearest bpfmill.toml
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
    /// Run exactly these passes, in this order
    #[arg(long, value_name = "PASSES", value_delimiter = ',')]
    passes: Option<Vec<String>>,
    /// Add a pass; PASS@FUNCTION in one function, PASS@prog:FUNCTION in all of a program
    #[arg(long, value_name = "PASS", value_delimiter = ',')]
    enable: Vec<String>,
    /// Leave a pass out; PASS@FUNCTION in one function, PASS@prog:FUNCTION in all of a program
    #[arg(long, value_name = "PASS", value_delimiter = ',')]
    disable: Vec<String>,
    /// Run only the first N applications of passes, and list all; -1 lists only
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    opt_bisect_limit: Option<i64>,
    /// Check that MIR is well-formed after each pass, and prove each register allocation
    #[arg(long)]
    verify_each: bool,
    /// Run programs before and after each pass on generated inputs, and refuse to go on where they
    /// differ
    #[arg(long)]
    validate: bool,
    /// Do not verify programs before and after
    #[arg(long)]
    no_verify: bool,
    /// Type of the programs whose section says none, such as xdp or sched_cls
    #[arg(long = "type", value_name = "T", value_parser = super::run::program_type)]
    kind: Option<ProgramType>,
    /// Threads that work at once [default: as many as the machine runs]
    #[arg(short = 'j', long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Make this array map of one element, which is only looked up by key 0, the data section
    /// `.data.NAME`, as which user space then sees it; may be repeated
    #[arg(long, value_name = "NAME")]
    map_as_data: Vec<String>,
    /// Compile this function only; may be repeated
    #[arg(long, value_name = "NAME")]
    prog: Vec<String>,
}

pub(crate) fn level(text: &str) -> Result<OptLevel, String> {
    OptLevel::from_name(text).ok_or_else(|| "levels are 0, 1, 2 and s".to_owned())
}

fn cpu(text: &str) -> Result<Cpu, String> {
    Cpu::from_name(text).ok_or_else(|| "instruction sets are v1, v2, v3 and v4".to_owned())
}

fn kernel(text: &str) -> Result<KernelVersion, String> {
    KernelVersion::from_text(text).ok_or_else(|| "a kernel version is like 6.12".to_owned())
}

impl OptimiserOptions {
    /// Whether passes are listed one by one, in place of a level's.
    pub(crate) fn lists_passes(&self) -> bool {
        self.passes.is_some()
    }

    /// The compiler's options, for an object if there is one, in the working directory.
    ///
    /// # Errors
    /// `bpfmill.toml` says something that it cannot say, or a switch names what is not there.
    pub fn compile_options(
        &self,
        from_text: bool,
        object: Option<&Object>,
    ) -> Result<CompileOptions, Failure> {
        self.compile_options_in(Path::new("."), from_text, object)
    }

    /// The same in another folder: where settings are looked for.
    ///
    /// # Errors
    /// As there.
    pub fn compile_options_in(
        &self,
        folder: &Path,
        from_text: bool,
        object: Option<&Object>,
    ) -> Result<CompileOptions, Failure> {
        let config = Config::load(folder, self.config.as_deref())?;
        if let Some(object) = object {
            let mut only = self.prog.iter();
            only.try_for_each(|name| check_name(object, name))
                .map_err(Failure::Usage)?;
        }
        let used = object.map(compile::newest_used);
        let used = match from_text {
            true => used.map(|used| used.max(Cpu::V3)),
            false => used,
        };
        let limit = self.opt_bisect_limit;
        let target = Target {
            kernel: choose(self.kernel, config.kernel.as_deref(), kernel)?
                .unwrap_or(KernelVersion::NEWEST),
            strict_align: self.strict_align,
            ..Target::default()
        };
        let switches = |from_file: Vec<String>, asked: &[String]| match object {
            Some(object) => {
                check_switches(asked, object)?;
                let all = from_file.into_iter().chain(asked.iter().cloned());
                Ok::<_, Failure>(resolve(all, object))
            }
            None => Ok(from_file.into_iter().chain(asked.iter().cloned()).collect()),
        };
        Ok(CompileOptions {
            pipeline: PipelineOptions {
                level: choose(self.level, config.level.as_deref(), level)?.unwrap_or_default(),
                target,
                passes: self.passes.clone(),
                enable: switches(config.enabled(), &self.enable)?,
                disable: switches(config.disabled(), &self.disable)?,
                verify_each: self.verify_each,
                bisect_limit: limit.map(|limit| u64::try_from(limit).unwrap_or(u64::MAX)),
                ..PipelineOptions::default()
            },
            cpu: choose(self.mcpu, config.mcpu.as_deref(), cpu)?.or(used),
            only: self.prog.clone(),
            map_as_data: self.map_as_data.clone(),
            check_allocation: self.verify_each || cfg!(debug_assertions),
            verify: !self.no_verify,
            program_type: self.kind,
            validate: self.validate,
            keep_remarks: false,
            jobs: self.jobs,
        })
    }
}

/// What the command line says, or else the file.
fn choose<T>(
    asked: Option<T>,
    from_file: Option<&str>,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    match (asked, from_file) {
        (Some(asked), _) => Ok(Some(asked)),
        (None, Some(text)) => parse(text)
            .map(Some)
            .map_err(|message| Failure::Usage(format!("bpfmill.toml: `{text}`: {message}"))),
        (None, None) => Ok(None),
    }
}

/// The function that a switch names, if it is not for all.
fn place(switch: &str) -> Option<&str> {
    let (_, place) = switch.split_once('@')?;
    Some(place.strip_prefix(PROGRAM).unwrap_or(place))
}

/// A function that is not there is a mistake, on the command line; a file of settings serves many
/// objects.
fn check_name(object: &Object, name: &str) -> Result<(), String> {
    let functions = object.functions();
    if functions.iter().any(|function| function.name == name) {
        return Ok(());
    }
    let names: Vec<&str> = functions.iter().map(|one| one.name.as_str()).collect();
    Err(format!(
        "there is no function `{name}`; the functions are {}",
        names.join(", ")
    ))
}

fn check_switches(switches: &[String], object: &Object) -> Result<(), Failure> {
    for switch in switches {
        if let Some(name) = place(switch) {
            check_name(object, name)
                .map_err(|message| Failure::Usage(format!("`{switch}`: {message}")))?;
        }
    }
    Ok(())
}

/// Switches of programs as switches of their functions.
fn resolve(switches: impl Iterator<Item = String>, object: &Object) -> Vec<String> {
    let mut resolved = Vec::new();
    for switch in switches {
        match switch.split_once('@') {
            Some((pass, place)) if place.starts_with(PROGRAM) => {
                let parts = functions_of(object, &place[PROGRAM.len()..]);
                resolved.extend(parts.iter().map(|part| format!("{pass}@{part}")));
            }
            _ => resolved.push(switch),
        }
    }
    resolved
}

/// Names of the functions that make up a program.
fn functions_of(object: &Object, main: &str) -> Vec<String> {
    let mut names = vec![main.to_owned()];
    let Ok(linker) = Linker::new(object) else {
        return names;
    };
    let options = verifier::Options {
        // Which type it is makes no difference to what it calls.
        program_type: Some(ProgramType::SocketFilter),
        ..verifier::Options::default()
    };
    for id in linker.programs().iter().filter(|id| id.function == main) {
        if let Ok(program) = linker.link(id, &options) {
            names.extend(program.subprograms.into_iter().map(|one| one.name));
        }
    }
    names.sort();
    names.dedup();
    names
}
