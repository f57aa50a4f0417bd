//! Does an interpreter do what the kernel does? The same program, packets and maps in both.
//!
//! What the interpreter has no meaning for (a fault that says so) is left out, as is what two runs
//! of the kernel do differently, packets that the kernel's test run refuses, and programs that ask
//! for chance or for the kernel's own types ([`asks_the_kernel`]).

use std::collections::BTreeSet;

use bpf::helpers;
use bpf::interp::{Machine, Options};
use bpf::program_type::ProgramType;
use mir::{Func, Function, InstData, Module, SymbolKind};

use super::load::{ProgramName, load, program_names};
use super::run::{Observations, hex, observe};
use crate::fixture::Fixture;
use crate::link::{self, Linked};
use crate::observe::program_type;
use crate::packets::Packet;

/// What came out of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Programs that ran in both.
    pub programs: usize,
    /// Things that were seen in both.
    pub observations: usize,
    /// Runs that the interpreter gave up.
    pub faults: usize,
    /// Programs whose result depends on what only this kernel knows.
    pub left_out: usize,
    /// What differs: the first thing of each program.
    pub differences: Vec<String>,
}

/// Runs every program of an object in the kernel and in the MIR interpreter.
///
/// # Errors
/// The object cannot be lifted, or a fixture does not fit.
pub fn agree(
    bytes: &[u8],
    object_name: &str,
    packets: &[Packet],
    fixture: &Fixture,
) -> Result<Agreement, String> {
    let mut agreement = Agreement::default();
    let Ok(names) = program_names(bytes) else {
        return Ok(agreement);
    };
    let object = bpf::elf::read(bytes).map_err(|error| error.to_string())?;
    let linked = Linked::from_object(&object)?;
    for (func, function) in &linked.module.functions {
        let name = ProgramName {
            section: function.section.clone(),
            function: function.name.clone(),
        };
        let kind = program_type(function, object_name);
        let Some(kind) = kind.filter(|_| names.contains(&name)) else {
            continue;
        };
        if asks_the_kernel(&linked.module) {
            agreement.left_out += 1;
            continue;
        }
        let mut runs = Vec::new();
        for _ in 0..2 {
            if let Ok(loaded) = load(bytes, &name, object_name, fixture) {
                runs.push(observe(&loaded, packets, fixture, false)?);
            }
        }
        let [first, second] = &runs[..] else { continue };
        if first.is_empty() {
            continue;
        }
        agreement.programs += 1;
        let mut interpreted = Interpreted::new(&linked, func, kind, fixture)?;
        let refused = |packet: &&Packet| first.contains_key(&format!("{}: error", packet.name));
        let taken: Vec<&Packet> = packets.iter().filter(|packet| !refused(packet)).collect();
        interpreted.run_all(&taken)?;
        agreement.faults += interpreted.faulted.len();
        let stable = first
            .iter()
            .filter(|(what, value)| second.get(*what) == Some(*value));
        let mut differences = Vec::new();
        for (what, value) in stable {
            let Some(own) = interpreted.find(what) else {
                continue;
            };
            agreement.observations += 1;
            if !equal(what, value, own) {
                differences.push(format!(
                    "{what}\n    kernel      {value}\n    interpreter {own}"
                ));
            }
        }
        if let Some(shown) = differences.first() {
            let count = differences.len();
            let text = format!("{name}: {count} differ, first {shown}");
            agreement.differences.push(text);
        }
    }
    Ok(agreement)
}

/// Whether a module's programs see random numbers, or types, variables and functions of the kernel
/// that runs them.
fn asks_the_kernel(module: &Module) -> bool {
    let random = |function: &Function| {
        let mut insts = function
            .layout
            .blocks()
            .flat_map(|block| function.layout.insts(block));
        insts.any(|inst| match *function.dfg.inst(inst) {
            InstData::CallHelper { id, .. } => {
                helpers::by_id(id).is_some_and(|helper| helper.name == "get_prandom_u32")
            }
            _ => false,
        })
    };
    let variable = |symbol: &mir::SymbolData| symbol.kind == SymbolKind::Extern;
    !module.core_relos.is_empty()
        || !module.externals.is_empty()
        || module.symbols.values().any(variable)
        || module.functions.values().any(random)
}

/// The interpreter sees packets of layer-3 programs from their network header on, and one CPU.
fn equal(what: &str, kernel: &str, own: &str) -> bool {
    if what.ends_with(": packet") {
        kernel.ends_with(own)
    } else if what.starts_with("map ") {
        kernel.starts_with(own)
    } else {
        kernel == own
    }
}

struct Interpreted<'linked> {
    linked: &'linked Linked,
    func: Func,
    machine: Machine,
    seen: Observations,
    faulted: BTreeSet<String>,
}

impl<'linked> Interpreted<'linked> {
    fn new(
        linked: &'linked Linked,
        func: Func,
        kind: ProgramType,
        fixture: &Fixture,
    ) -> Result<Interpreted<'linked>, String> {
        Ok(Interpreted {
            linked,
            func,
            machine: link::machine(linked, kind, Options::default(), fixture)?,
            seen: Observations::new(),
            faulted: BTreeSet::new(),
        })
    }

    fn run_all(&mut self, packets: &[&Packet]) -> Result<(), String> {
        for packet in packets {
            self.machine
                .set_packet(&packet.bytes)
                .map_err(|fault| fault.to_string())?;
            let context = self.machine.context_address();
            let mut interpreter = self
                .linked
                .interpreter(&self.linked.module, &mut self.machine)?;
            self.machine.start_run();
            let name = &packet.name;
            match interpreter.run(&mut self.machine, self.func, &[context]) {
                Err(_) => {
                    self.faulted.insert(name.clone());
                }
                Ok(run) => {
                    let result = run.result & u64::from(u32::MAX);
                    self.seen
                        .insert(format!("{name}: return"), result.to_string());
                    self.seen
                        .insert(format!("{name}: packet"), hex(self.machine.packet()));
                }
            }
        }
        if self.faulted.is_empty() {
            self.read_maps();
        }
        Ok(())
    }

    fn read_maps(&mut self) {
        for (number, map) in (0..).zip(&self.linked.maps) {
            for (key, value) in self.machine.map_contents(number) {
                if value.iter().any(|byte| *byte != 0) {
                    let what = format!("map {}[{}]", map.name, hex(&key));
                    self.seen.insert(what, hex(&value));
                }
            }
        }
    }

    fn find(&self, what: &str) -> Option<&String> {
        self.seen.get(what)
    }
}
