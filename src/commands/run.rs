//! `run`: interprets a program on packets, or a conformance vector; or compiles it for a network card,
//! or takes machine words, and runs those in the simulator.

use std::io::Read as _;
use std::path::Path;

use bpf::interp::{Image, Interpreter, Machine, Options as MachineOptions, load};
use bpf::object::Object;
use bpf::program_type::ProgramType;
use clap::Args;
use serde_json::{Value, json};

use super::check::Target;
use super::{TextArgs, run_card};
use crate::compile::{self, CompileOptions};
use crate::conformance;
use crate::definitions::Definitions;
use crate::failure::Failure;
use crate::simulate::{Choice, Code, Setup};
use crate::terminal::Terminal;
use crate::{input, map_file, output, packet_file};

/// Options of `run`.
#[derive(Debug, Args)]
pub struct Options {
    /// Object or assembly; with --conformance the memory, as hexadecimal bytes
    pub(super) file: Option<String>,
    /// The bpf_conformance plug-in protocol: a program as hexadecimal bytes on the standard input,
    /// r0 in hexadecimal on the standard output
    #[arg(long)]
    conformance: bool,
    /// One JSON object for each packet
    #[arg(long)]
    pub(super) json: bool,
    /// With --target nfp, capture file for the packets that go on to the host or to the wire
    #[arg(short = 'w', long, value_name = "FILE.pcap")]
    pub(super) write: Option<String>,
    /// With --target nfp, say what each line of the program cost
    #[arg(long)]
    pub(super) profile: bool,
    /// What runs on what
    #[command(flatten)]
    pub(super) flags: Flags,
}

/// What decides the result.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// Compile at this level first: 0, 1, 2 or s; with --target nfp [default: 2]
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
    #[command(flatten)]
    text: TextArgs,
    /// What runs it; for `nfp`, the simulator of a network card, for which it is compiled
    #[arg(long, value_enum, default_value_t)]
    target: Target,
    /// With --target nfp, machine words that run in place of a program: one a line in hexadecimal
    /// digits, or ELF
    #[arg(long, value_name = "FILE")]
    words: Option<String>,
    /// What the card's firmware offers, as docs/nfp.md describes it; the open firmware without
    #[arg(long, value_name = "FILE")]
    nfp_caps: Option<String>,
}

/// What a program did with one packet.
#[derive(Debug)]
pub struct Ran {
    /// The result.
    pub r0: u64,
    /// What the result means, for types whose results have names.
    pub action: &'static str,
    /// Instructions executed.
    pub steps: u64,
    /// The packet afterwards.
    pub packet: Vec<u8>,
    /// Whether that is what it was.
    pub unchanged: bool,
    /// What the program printed.
    pub trace: Vec<String>,
}

impl Flags {
    /// How assembly is to be read.
    #[must_use]
    pub fn text(&self) -> TextArgs {
        self.text
    }

    /// The same flags with files named from another folder.
    #[must_use]
    pub fn in_folder(&self, folder: &Path) -> Flags {
        let join = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let packet = |argument: &String| match packet_file::unhex(argument) {
            Some(_) => argument.clone(),
            None => join(argument),
        };
        let map = |argument: &String| match argument.split_once('=') {
            Some((name, file)) => format!("{name}={}", join(file)),
            None => argument.clone(),
        };
        let named = |name: &String| join(name);
        Flags {
            words: self.words.as_ref().map(named),
            nfp_caps: self.nfp_caps.as_ref().map(named),
            packet: self.packet.iter().map(packet).collect(),
            map: self.map.iter().map(map).collect(),
            ..self.clone()
        }
    }

    /// What the simulator is to run, if it is the simulator that runs.
    ///
    /// # Errors
    /// [`Failure::Usage`] for options that do not go together.
    pub fn simulation(&self) -> Result<Option<Setup<'_>>, Failure> {
        let refused = |message: &str| Err(Failure::Usage(message.to_owned()));
        if self.target == Target::Host {
            return match (&self.words, &self.nfp_caps) {
                (None, None) => Ok(None),
                (Some(_), _) => refused("--words are for the card: they need --target nfp"),
                (None, Some(_)) => {
                    refused("--nfp-caps says nothing about the host: it needs --target nfp")
                }
            };
        }
        let code = match &self.words {
            None => Code::Program(Choice {
                level: self.level.unwrap_or_default(),
                name: self.prog.as_deref(),
                kind: self.kind,
            }),
            Some(_) if self.level.is_some() || self.prog.is_some() || self.kind.is_some() => {
                return refused("-O, --prog and --type are for bytecode: leave --words out");
            }
            Some(_) if !self.map.is_empty() => {
                return refused("--map: words do not say which maps they use, only objects do");
            }
            Some(words) => Code::Words(words),
        };
        Ok(Some(Setup {
            code,
            capabilities: self.nfp_caps.as_deref(),
            packets: &self.packet,
            maps: &self.map,
            profile: false,
        }))
    }
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
    if let Some(setup) = options.flags.simulation()? {
        return run_card::simulate(options, setup, terminal);
    }
    let refused = |message: &str| Err(Failure::Usage(message.to_owned()));
    if options.write.is_some() {
        return refused("--write is of packets that leave the card: it needs --target nfp");
    }
    if options.profile {
        return refused("--profile counts the card's cycles: it needs --target nfp");
    }
    let Some(file) = &options.file else {
        return Err(Failure::Usage(
            "a file is needed, or --conformance".to_owned(),
        ));
    };
    let assembled = input::read_object(file, options.flags.text())?;
    terminal.show_warnings(&assembled);
    each(&options.flags, file, assembled.object, |ran, machine| {
        output::print(shown(ran, machine, options.json).as_bytes())
    })
}

/// Runs a program on each packet in turn, and hands over what it did and left.
///
/// # Errors
/// As [`run`], and what the receiver says.
pub fn each(
    options: &Flags,
    file: &str,
    object: Object,
    mut receive: impl FnMut(&Ran, &Machine) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let object = match options.level {
        None => object,
        Some(level) => compiled(&object, level)?,
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
        let ran = run_once(&interpreter, &mut machine, program, &packet)?;
        receive(&ran, &machine)?;
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
fn select(options: &Flags, image: &Image) -> Result<usize, Failure> {
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
) -> Result<Ran, Failure> {
    let refused = |fault: bpf::interp::Fault| Failure::refused(fault.to_string());
    machine.set_packet(packet).map_err(refused)?;
    machine.start_run();
    let run = interpreter.run(machine, program).map_err(refused)?;
    let trace = machine.take_trace();
    machine.take_events();
    Ok(Ran {
        r0: run.r0,
        action: action(machine.program_type(), run.r0),
        steps: run.steps,
        packet: machine.packet().to_vec(),
        unchanged: machine.packet() == packet,
        trace,
    })
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn shown(ran: &Ran, machine: &Machine, as_json: bool) -> String {
    let packet = hex(&ran.packet);
    if as_json {
        let value: Value = json!({
            "r0": ran.r0,
            "packet_out": packet,
            "maps": map_file::contents(machine),
            "steps": ran.steps,
            "trace": ran.trace,
        });
        return format!("{value}\n");
    }
    let (r0, steps) = (ran.named_r0(), ran.steps);
    format!(
        "{}r0: {r0}\nsteps: {steps}\npacket: {packet}\n",
        ran.traced()
    )
}

impl Ran {
    /// The result with its meaning.
    #[must_use]
    pub fn named_r0(&self) -> String {
        match self.action {
            "" => self.r0.to_string(),
            action => format!("{} ({action})", self.r0),
        }
    }

    /// What the program printed, a line each.
    #[must_use]
    pub fn traced(&self) -> String {
        let lines = self.trace.iter();
        lines.map(|line| format!("trace: {line}\n")).collect()
    }
}

/// What a result means, for the types whose results have names.
fn action(kind: ProgramType, r0: u64) -> &'static str {
    let names: &[&'static str] = match kind {
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
    names.get(index).copied().unwrap_or("")
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
    if options.flags.target == Target::Nfp {
        return run_card::conformance(options, &program, &memory);
    }
    let program = match options.flags.level {
        None => program,
        Some(level) => conformance::compile(&program, level).map_err(Failure::refused)?,
    };
    let r0 = bpf::interp::conformance::run(&program, &memory)
        .map_err(|fault| Failure::refused(fault.to_string()))?;
    output::print(format!("{r0:x}\n").as_bytes())
}
