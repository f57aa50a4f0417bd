//! `run`: interprets a program on packets, or a conformance vector.

use std::io::Read as _;

use bpf::interp::{Image, Interpreter, Machine, Options as MachineOptions, load};
use bpf::object::Object;
use bpf::program_type::ProgramType;
use clap::Args;
use serde_json::{Value, json};

use super::EndianArg;
use crate::compile::{self, CompileOptions};
use crate::conformance;
use crate::definitions::Definitions;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{input, map_file, output, packet_file};

/// Options of `run`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object or assembly; with --conformance the memory, as hexadecimal bytes
    file: Option<String>,
    /// The bpf_conformance plug-in protocol: a program as hexadecimal bytes on the standard input,
    /// r0 in hexadecimal on the standard output
    #[arg(long)]
    conformance: bool,
    /// Compile at this level first: 0, 1, 2 or s
    #[arg(short = 'O', value_name = "LEVEL", value_parser = super::optimiser::level)]
    level: Option<passes::OptLevel>,
    /// Program to run [default: the only one]
    #[arg(long, value_name = "NAME")]
    prog: Option<String>,
    /// Program type, where the section's name does not say
    #[arg(long = "type", value_name = "T", value_parser = program_type)]
    kind: Option<ProgramType>,
    /// Packet: hexadecimal bytes, or a pcap or pcapng file; may be repeated
    #[arg(long, value_name = "HEX|FILE")]
    packet: Vec<String>,
    /// Contents of a map before the first run, as `bpftool map dump --json` writes them
    #[arg(long, value_name = "NAME=FILE.json")]
    map: Vec<String>,
    /// One JSON object for each packet
    #[arg(long)]
    json: bool,
    /// Byte order of assembly
    #[arg(long, value_enum, default_value_t)]
    endian: EndianArg,
}

pub(super) fn program_type(text: &str) -> Result<ProgramType, String> {
    ProgramType::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = ProgramType::ALL.iter().map(|kind| kind.name()).collect();
        format!("types are {}", names.join(", "))
    })
}

/// Interprets.
///
/// # Errors
/// [`Failure`] for unreadable input, and for a program that does something without meaning.
pub fn run(options: &Options, terminal: &Terminal) -> Result<(), Failure> {
    if options.conformance {
        return run_conformance(options);
    }
    let Some(file) = &options.file else {
        return Err(Failure::Usage(
            "a file is needed, or --conformance".to_owned(),
        ));
    };
    let assembled = input::read_object(file, options.endian.into())?;
    terminal.show_warnings(&assembled);
    let object = match options.level {
        None => assembled.object,
        Some(level) => compiled(&assembled.object, level)?,
    };
    let image = image(file, &object)?;
    let program = select(options, &image)?;
    let kind = options.kind.or(image.programs[program].program_type);
    let Some(kind) = kind else {
        return Err(Failure::Usage(format!(
            "the section of `{}` says no program type: give one with --type",
            image.programs[program].name
        )));
    };
    let mut machine = image
        .machine(kind, MachineOptions::default())
        .map_err(|fault| Failure::refused(fault.to_string()))?;
    for argument in &options.map {
        map_file::fill(&mut machine, argument)?;
    }
    let interpreter = Interpreter::new(&image);
    for packet in packet_file::read_all(&options.packet)? {
        let text = run_once(&interpreter, &mut machine, program, &packet, options.json)?;
        output::print(text.as_bytes())?;
    }
    Ok(())
}

fn compiled(object: &Object, level: passes::OptLevel) -> Result<Object, Failure> {
    let options = CompileOptions::at_level(level);
    let compiled = compile::compile(object, &options, |_| ());
    compiled
        .map(|compiled| compiled.object)
        .map_err(|error| Failure::Usage(error.to_string()))
}

fn image(file: &str, object: &Object) -> Result<Image, Failure> {
    let refused = |message: String| Failure::refused(format!("{file}: {message}"));
    let defined = Definitions::of(object).map_err(|error| refused(error.to_string()))?;
    load(object, &defined.functions, defined.maps).map_err(|error| refused(error.to_string()))
}

/// The program that was asked for, by its place in the image.
fn select(options: &Options, image: &Image) -> Result<usize, Failure> {
    let names: Vec<&str> = image
        .programs
        .iter()
        .map(|program| program.name.as_str())
        .collect();
    let list = names.join(", ");
    match (&options.prog, names.len()) {
        (Some(name), _) => names.iter().position(|known| known == name).ok_or_else(|| {
            Failure::Usage(format!("there is no program `{name}`; there are {list}"))
        }),
        (None, 1) => Ok(0),
        (None, 0) => Err(Failure::refused("the object has no program")),
        (None, _) => Err(Failure::Usage(format!(
            "choose a program with --prog: {list}"
        ))),
    }
}

fn run_once(
    interpreter: &Interpreter,
    machine: &mut Machine,
    program: usize,
    packet: &[u8],
    as_json: bool,
) -> Result<String, Failure> {
    let refused = |fault: bpf::interp::Fault| Failure::refused(fault.to_string());
    machine.set_packet(packet).map_err(refused)?;
    machine.start_run();
    let run = interpreter.run(machine, program).map_err(refused)?;
    let out: String = machine
        .packet()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let trace = machine.take_trace();
    machine.take_events();
    if as_json {
        let value: Value = json!({
            "r0": run.r0,
            "packet_out": out,
            "maps": map_file::contents(machine),
            "steps": run.steps,
            "trace": trace,
        });
        return Ok(format!("{value}\n"));
    }
    let mut text = String::new();
    for line in trace {
        text.push_str(&format!("trace: {line}\n"));
    }
    let action = action(machine.program_type(), run.r0);
    text.push_str(&format!(
        "r0: {}{action}\nsteps: {}\npacket: {out}\n",
        run.r0, run.steps
    ));
    Ok(text)
}

/// What a result means, for the types whose results have names.
fn action(kind: ProgramType, r0: u64) -> String {
    let names: &[&str] = match kind {
        ProgramType::Xdp => &[
            "XDP_ABORTED",
            "XDP_DROP",
            "XDP_PASS",
            "XDP_TX",
            "XDP_REDIRECT",
        ],
        ProgramType::SchedCls | ProgramType::SchedAct => &[
            "TC_ACT_OK",
            "TC_ACT_RECLASSIFY",
            "TC_ACT_SHOT",
            "TC_ACT_PIPE",
            "TC_ACT_STOLEN",
            "TC_ACT_QUEUED",
            "TC_ACT_REPEAT",
            "TC_ACT_REDIRECT",
            "TC_ACT_TRAP",
        ],
        _ => &[],
    };
    let index = usize::try_from(r0 & 0xffff_ffff).unwrap_or(usize::MAX);
    names
        .get(index)
        .map_or_else(String::new, |name| format!(" ({name})"))
}

fn run_conformance(options: &Options) -> Result<(), Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::io("-", error))?;
    let program = packet_file::unhex(&text)
        .ok_or_else(|| Failure::Usage("the standard input is not hexadecimal bytes".to_owned()))?;
    let memory = options.file.as_deref().unwrap_or("");
    let memory = packet_file::unhex(memory)
        .ok_or_else(|| Failure::Usage("the memory is not hexadecimal bytes".to_owned()))?;
    let program = match options.level {
        None => program,
        Some(level) => conformance::compile(&program, level).map_err(Failure::refused)?,
    };
    let r0 = bpf::interp::conformance::run(&program, &memory)
        .map_err(|fault| Failure::refused(fault.to_string()))?;
    output::print(format!("{r0:x}\n").as_bytes())
}
