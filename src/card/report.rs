//! What was made for the card, as text: listings and figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use backend_nfp::assemble::Role;
use backend_nfp::compile::VERDICT;
use backend_nfp::firmware::Abi;
use backend_nfp::isa::Insn;
use backend_nfp::placement::Placement;
use bpf::btf::StringOffset;
use passes::packet_cache::PacketCache;
use serde_json::json;

use super::{CardObject, CardProgram, MEMCPY};
use crate::cli::ReportFormat;

/// Column of what stands beside an instruction.
const BESIDE: usize = 56;

/// A program's instructions in objdump's syntax. Beside each stand the instruction of MIR that it is
/// for, with its slot in the bytecode, and cycles that it waits. A line of C stands before the first instruction that came from it, and again where the
/// code comes back to it.
#[must_use]
pub fn listing(program: &CardProgram, object: &CardObject, abi: &Abi) -> String {
    let assembled = &program.compiled.assembled;
    let mut text = format!(
        "; {} ({}): {} words\n",
        program.name,
        program.program_type.name(),
        assembled.words.len()
    );
    let words = program.words(abi).unwrap_or_default();
    let mut shown = None;
    let mir = instructions(program);
    let mut last = (0, 0);
    for (index, word) in assembled.words.iter().enumerate() {
        if word.location != shown && word.location.is_some() {
            shown = word.location;
            if let Some(line) = word
                .location
                .and_then(|at| object.line(&program.module, at))
            {
                let _ = writeln!(text, "; {line}");
            }
        }
        let insn = words
            .get(index)
            .and_then(|word| Insn::decode(word & backend_nfp::isa::WORD_MASK).ok())
            .unwrap_or(word.insn);
        let address = usize::from(assembled.start) + index;
        let line = format!("{address:6}:  {insn}");
        let mut beside = Vec::new();
        match word.role {
            Role::Slot => beside.push("slot".to_owned()),
            Role::Delay => beside.push("delay".to_owned()),
            Role::Trailer | Role::Item | Role::Branch => {}
        }
        if let Insn::Command(command) = insn
            && command.swap.is_some()
        {
            let cycles = match command.mode {
                backend_nfp::isa::CommandMode::Short => abi.latencies.packet,
                _ => abi.latencies.external,
            };
            beside.push(format!("waits {cycles} cycles"));
        }
        match word.origin {
            _ if word.role == Role::Trailer => {}
            0 => {}
            VERDICT => beside.push("verdict".to_owned()),
            origin if last == (word.function, origin) => {}
            origin => {
                last = (word.function, origin);
                beside.push(match mir.get(&last) {
                    Some(insn) => format!("{}: {insn}", origin - 1),
                    None => format!("{}", origin - 1),
                });
            }
        }
        match beside.is_empty() {
            true => text.push_str(&line),
            false => {
                let _ = write!(text, "{line:<BESIDE$} ; {}", beside.join(", "));
            }
        }
        text.push('\n');
    }
    text
}

/// Instructions of MIR, by function and input slot; of several the last, which the others lead to.
fn instructions(program: &CardProgram) -> BTreeMap<(usize, u32), String> {
    let mut found = BTreeMap::new();
    for (index, func) in program.compiled.functions.iter().enumerate() {
        let function = &program.module.functions[*func];
        for block in function.layout.blocks() {
            for inst in function.layout.insts(block) {
                let text = mir::print::inst(function, inst).to_string();
                let text = text
                    .split(" !")
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                found.insert((index, function.origins[inst]), text);
            }
        }
    }
    found
}

/// Figures of a program.
#[must_use]
pub fn stats(program: &CardProgram, format: Option<ReportFormat>) -> String {
    let compiled = &program.compiled;
    let found = compiled.assembled.statistics;
    let commands = compiled
        .assembled
        .words
        .iter()
        .filter(|word| matches!(word.insn, Insn::Command(_)))
        .count();
    if format == Some(ReportFormat::Json) {
        let json = json!({
            "program": program.name,
            "type": program.program_type.name(),
            "words": found.words,
            "delays": found.delays,
            "branches": found.branches,
            "slots": found.slots,
            "slots_filled": found.filled,
            "commands": commands,
            "loads": compiled.memory.loads,
            "reads": compiled.memory.reads,
            "stores": compiled.memory.stores,
            "writes": compiled.memory.writes,
            "registers": compiled.registers.len(),
            "spills": compiled.spills,
            "stack": compiled.stack,
        });
        return format!("{json}\n");
    }
    let memory = compiled.memory;
    let mut text = format!(
        "`{}`: {} words, of which {} only pass time; {} registers, {} spilled, {} bytes of stack; \
         {} of {} defer slots of {} branches filled; {} loads by {} reads, {} stores by {} writes\n",
        program.name,
        found.words,
        found.delays + backend_nfp::isa::TRAILER,
        compiled.registers.len(),
        compiled.spills,
        compiled.stack,
        found.filled,
        found.slots,
        found.branches,
        memory.loads,
        memory.reads,
        memory.stores,
        memory.writes,
    );
    let together = [
        (
            PacketCache::NAME,
            program.together.reads,
            memory.loads,
            memory.reads,
            "load",
            "read",
        ),
        (
            MEMCPY,
            program.together.writes,
            memory.stores,
            memory.writes,
            "store",
            "written",
        ),
    ];
    for (pass, _, all, commands, what, done) in together.iter().filter(|one| one.1 && one.2 > 0) {
        let (count, said) = match all.saturating_sub(*commands) {
            0 => (0, format!("unchanged: each {what} is {done} by itself")),
            count => (count, format!("applied: {done} with another {what}")),
        };
        let _ = writeln!(text, "{count:7}  {pass:13} {said}");
    }
    text
}

/// Where maps lie and why, a line each.
#[must_use]
pub fn placements(object: &CardObject, placed: &[Placement]) -> String {
    let mut text = String::new();
    for (map, found) in object.maps().iter().zip(placed) {
        let uses = found.uses;
        let why = match (uses.reads + uses.writes + uses.adds, found.array) {
            (_, Some((address, stride))) => {
                format!("the firmware has it at {address:#x}, {stride} bytes an element")
            }
            (0, None) => "no program uses it".to_owned(),
            (_, None) => format!(
                "{} reads, {} writes, {} additions by weight, on {} bytes",
                uses.reads, uses.writes, uses.adds, found.bytes
            ),
        };
        let lock = match found.read_only {
            true => ", which programs only read: look-ups need no lock",
            false => "",
        };
        let _ = writeln!(
            text,
            "remark: map `{}` lies in {} ({} cycles){lock}: {why}",
            map.name,
            found.place.name(),
            found.latency,
        );
    }
    text
}

impl CardObject {
    /// A source position's file and line, and the text there.
    #[must_use]
    pub fn source(&self, module: &mir::Module, at: mir::SourceLoc) -> Option<(String, String)> {
        let location = module.locations.get(at)?;
        let strings = self.strings.as_ref()?;
        let file = strings.string(StringOffset(location.file));
        let text = strings.string(StringOffset(location.text)).trim();
        Some((format!("{file}:{}", location.line()), text.to_owned()))
    }

    /// The same in one line.
    #[must_use]
    pub fn line(&self, module: &mir::Module, at: mir::SourceLoc) -> Option<String> {
        let (place, text) = self.source(module, at)?;
        Some(format!("{place}: {text}"))
    }
}
