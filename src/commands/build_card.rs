//! `build --target nfp`: machine code for a network card.

use backend_nfp::elf::{self, Engine};
use backend_nfp::firmware::Abi;
use bpf::insn::Endian;
use verifier::{Linker, ProgramId};

use super::build::{Emit, Options};
use super::build_split;
use crate::card::offloaded::Job;
use crate::card::{CardObject, CardProgram};
use crate::failure::Failure;
use crate::input::Assembled;
use crate::terminal::Terminal;
use crate::{card, offload, output};

/// What is written, and how.
pub(super) struct Writer<'a> {
    options: &'a Options,
    abi: &'a Abi,
    object: &'a CardObject,
}

/// Compiles the programs of an object for the card.
///
/// # Errors
/// [`Failure`] for programs that cannot be offloaded, with all that is in their way, and for what the
/// back end cannot do.
pub(super) fn run(
    options: &Options,
    assembled: &Assembled,
    terminal: &Terminal,
) -> Result<(), Failure> {
    terminal.show_warnings(assembled);
    let compile_options = options.compile_options(assembled.from_text, Some(&assembled.object))?;
    let capabilities = match &options.nfp_caps {
        Some(path) => offload::capabilities(path)?,
        None => backend_nfp::capabilities::Capabilities::default(),
    };
    let linker = Linker::new(&assembled.object)
        .map_err(|error| Failure::Usage(format!("{}: cannot be checked: {error}", options.file)))?;
    let wanted = |id: &ProgramId| {
        compile_options.only.is_empty() || compile_options.only.contains(&id.function)
    };
    let programs: Vec<ProgramId> = linker.programs().into_iter().filter(wanted).collect();
    if programs.is_empty() {
        return Err(Failure::Usage(format!(
            "{}: there is no program",
            options.file
        )));
    }
    let object = CardObject::of(&assembled.object)
        .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?;
    let job = Job {
        file: &options.file,
        assembled,
        linker: &linker,
        object: &object,
        options: &compile_options,
        capabilities: &capabilities,
    };
    let writer = Writer {
        options,
        abi: &Abi::from(&capabilities),
        object: &object,
    };
    if options.split.is_some() {
        return build_split::run(options, &job, &writer, terminal);
    }
    let mut made = Vec::new();
    for id in &programs {
        let mut events = Vec::new();
        let offloaded = job.program(id, |event| events.push(event));
        for event in events {
            terminal.line(&event);
        }
        let offloaded = offloaded.map_err(|refused| {
            for (map, diagnostic) in &refused.obstacles {
                terminal.show(map, diagnostic);
            }
            refused.failure
        })?;
        made.push(offloaded.program);
    }
    let placed = object
        .placements(&made, &capabilities)
        .map_err(|error| Failure::refused(format!("{}: {error}", options.file)))?;
    if options.remarks.is_some() {
        terminal.line(card::report::placements(&object, &placed).trim_end());
    }
    writer.write(&made)?;
    if options.stats.is_some() {
        let text: String = made
            .iter()
            .map(|one| card::report::stats(one, options.stats))
            .collect();
        if options.reports_to_stderr(options.emit.unwrap_or(Emit::Obj)) {
            terminal.line(text.trim_end());
        } else {
            output::print(text.as_bytes())?;
        }
    }
    Ok(())
}

impl Writer<'_> {
    fn words(&self, program: &CardProgram) -> Result<Vec<u64>, Failure> {
        let words = program.words(self.abi);
        words.map_err(|error| Failure::refused(format!("`{}`: {error}", program.name)))
    }

    /// Programs in a form.
    pub(super) fn bytes<'p>(
        &self,
        made: impl IntoIterator<Item = &'p CardProgram>,
        emit: Emit,
    ) -> Result<Vec<u8>, Failure> {
        let mut sections = Vec::new();
        let mut text = String::new();
        for program in made {
            match emit {
                Emit::Obj => sections.push((program.name.clone(), self.words(program)?)),
                Emit::Words => {
                    for word in self.words(program)? {
                        text.push_str(&format!("{word:016x}\n"));
                    }
                }
                Emit::Asm => {
                    text.push_str(&card::report::listing(program, self.object, self.abi));
                }
                Emit::Mir => text.push_str(&program.module.to_string()),
            }
        }
        Ok(match emit {
            Emit::Obj => elf::write_sections(&sections, self.abi.start, Engine::default()),
            _ => text.into_bytes(),
        })
    }

    fn write(&self, made: &[CardProgram]) -> Result<(), Failure> {
        let emit = self.options.emit.unwrap_or(Emit::Obj);
        let bytes = self.bytes(made, emit)?;
        match (&self.options.output, emit) {
            (Some(output), _) => output::write(output, &bytes),
            (None, Emit::Obj) => Ok(()),
            (None, _) => output::print(&bytes),
        }
    }
}

/// Whether a file can be compiled for the card at all.
pub(super) fn refuse(options: &Options, endian: Endian) -> Result<(), Failure> {
    let refused = |message: &str| Err(Failure::Usage(message.to_owned()));
    if options.time_passes {
        return refused("--time-passes is not for --target nfp");
    }
    if endian == Endian::Big {
        return refused("--target nfp: the card takes programs of little-endian hosts");
    }
    build_split::refuse(options)
}
