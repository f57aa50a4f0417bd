//! The executable meaning of MIR: an interpreter over the machine that also runs bytecode.
//!
//! Memory, maps, packet and helpers are [`bpf::interp::Machine`]'s, so that a program means the
//! same before the lift, in MIR, and after emission; only registers are replaced by values. A
//! pointer is a plain `u64` address of the machine. What a symbol's address is comes from the
//! caller ([`Interpreter::bind_symbols`], [`Interpreter::set_symbol`]); functions of the
//! module have addresses by their number.
//!
//! ```
//! use bpf::diagnostic::FileId;
//! use bpf::interp::{Machine, Options};
//! use bpf::program_type::ProgramType;
//! let text = "module little\n\nfunction fn0 \"six\" section \"\" params 1 {\n\
//!             block0(v0: i64):\n    v1 = iconst.i64 2\n    v2 = imul.i64 v0, v1\n    return v2\n}\n";
//! let module = mir::parse::module(FileId(0), text).unwrap();
//! let mut machine = Machine::new(module.endian, ProgramType::Xdp, Options::default());
//! let func = module.functions.keys().next().unwrap();
//! let run = mir::interp::Interpreter::new(&module).run(&mut machine, func, &[3]).unwrap();
//! assert_eq!(run.result, 6);
//! ```
//!
//! # Undefined values
//! An `undef` may be moved: as argument of a block or of a function of the module, and out of a
//! function. Any other use is one that the kernel refuses. By default it reads as [`UNDEFINED`];
//! in strict mode ([`Interpreter::strict`]) it is a fault.
//!
//! # Limits
//! Frames nest as deep as the kernel allows, and steps are counted, so that every run ends. The
//! module must be well-formed ([`crate::verify`]); on one that is not, a run gives a fault or a
//! wrong result but does not hang.

mod bind;
mod call;
mod step;

#[cfg(test)]
mod tests;

use crate::entity::{Block, Func, Inst, Symbol, Value};
use crate::function::Function;
use crate::module::{Module, SymbolKind};
use bpf::interp::{Fault, FaultKind, Machine, Memory};
use cranelift_entity::SecondaryMap;
use std::collections::BTreeSet;

/// What reading an undefined value gives: a number that no correct program computes with.
pub const UNDEFINED: u64 = 0x0dd0_beef_5ea1_ed00;

/// Frames that may nest: the kernel's `MAX_CALL_FRAMES`.
const MAX_FRAMES: usize = 8;

/// Rounds that `may_goto` allows a frame: the kernel's `BPF_MAX_LOOPS`.
const LOOP_BUDGET: u32 = 8 << 20;

/// MIR instructions for one of bytecode, in the worst case: a constant, two truncations, the
/// operation and an extension. The step limit of the machine counts bytecode.
const STEPS_PER_SLOT: u64 = 5;

/// A finished run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// What the function returned.
    pub result: u64,
    /// MIR instructions executed, called functions included.
    pub steps: u64,
}

/// Runs functions of a module.
#[derive(Clone, Debug)]
pub struct Interpreter<'m> {
    module: &'m Module,
    symbols: SecondaryMap<Symbol, Option<u64>>,
    programs: Vec<Option<Func>>,
    strict: bool,
    conformance: bool,
    /// Whether the conformance vectors' unwinding function ended the run.
    unwound: bool,
    steps: u64,
    step_limit: Option<u64>,
    loop_budget: u32,
    coverage: Option<Coverage>,
    frames: usize,
    /// Value tables of finished frames, to use again.
    spare: Vec<Vec<Cell>>,
}

/// What a run came by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Blocks that were run.
    pub blocks: BTreeSet<(Func, Block)>,
    /// Different numbers that branches compared; only so many of a run.
    pub comparisons: BTreeSet<(u64, u64)>,
}

/// Comparisons that are remembered of a run.
const MAX_COMPARISONS: usize = 256;

/// A value while a function runs.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    bits: u64,
    undefined: bool,
}

impl Cell {
    fn new(bits: u64) -> Cell {
        Cell {
            bits,
            undefined: false,
        }
    }

    fn undefined() -> Cell {
        Cell {
            bits: UNDEFINED,
            undefined: true,
        }
    }
}

impl<'m> Interpreter<'m> {
    /// An interpreter of a module in which only functions have addresses.
    #[must_use]
    pub fn new(module: &'m Module) -> Self {
        let mut symbols = SecondaryMap::new();
        for (id, symbol) in &module.symbols {
            if let SymbolKind::Function(func) = symbol.kind {
                symbols[id] = Some(function_address(func));
            }
        }
        Interpreter {
            module,
            symbols,
            programs: Vec::new(),
            strict: false,
            conformance: false,
            unwound: false,
            steps: 0,
            step_limit: None,
            loop_budget: LOOP_BUDGET,
            coverage: None,
            frames: 0,
            spare: Vec::new(),
        }
    }

    /// Makes uses of undefined values faults.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Makes helper 5 the unwinding function of the bpf_conformance vectors: it returns its
    /// argument, and ends the run when that is zero.
    #[must_use]
    pub fn with_conformance_helpers(mut self) -> Self {
        self.conformance = true;
        self
    }

    /// Sets how many MIR instructions a run may take. Without it, the machine's limit of bytecode
    /// instructions counts, several for one.
    #[must_use]
    pub fn with_step_limit(mut self, steps: u64) -> Self {
        self.step_limit = Some(steps);
        self
    }

    /// Sets how many rounds `may_goto` allows each call of a function, instead of the kernel's.
    #[must_use]
    pub fn with_loop_budget(mut self, rounds: u32) -> Self {
        self.loop_budget = rounds;
        self
    }

    /// Remembers which blocks are run, and what is compared.
    #[must_use]
    pub fn with_coverage(mut self) -> Self {
        self.coverage = Some(Coverage::default());
        self
    }

    /// What was run since the last time, if it is remembered.
    pub fn take_coverage(&mut self) -> Coverage {
        self.coverage
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn cover(&mut self, func: Func, block: Block) {
        if let Some(coverage) = &mut self.coverage {
            coverage.blocks.insert((func, block));
        }
    }

    fn note_comparison(&mut self, a: u64, b: u64) {
        if let Some(coverage) = &mut self.coverage
            && a != b
            && coverage.comparisons.len() < MAX_COMPARISONS
        {
            coverage.comparisons.insert((a, b));
        }
    }

    /// Says what a symbol's address is: of a map [`Memory::map_address`], of data its bytes'.
    pub fn set_symbol(&mut self, symbol: Symbol, address: u64) {
        self.symbols[symbol] = Some(address);
    }

    /// Says which function a program array of the machine means by a number.
    pub fn set_program(&mut self, number: u32, func: Func) {
        let index = number as usize;
        if self.programs.len() <= index {
            self.programs.resize(index + 1, None);
        }
        self.programs[index] = Some(func);
    }

    /// Runs a function. Missing arguments are undefined, as the registers are.
    ///
    /// # Errors
    /// What the machine refuses, and what no run can do: see [`FaultKind`]. The place of a fault
    /// is the function and the slot of the input that the instruction came from.
    pub fn run(&mut self, machine: &mut Machine, func: Func, args: &[u64]) -> Result<Run, Fault> {
        self.steps = 0;
        self.frames = 0;
        self.unwound = false;
        machine.start_run();
        let args: Vec<Cell> = args.iter().map(|&bits| Cell::new(bits)).collect();
        let result = self.call(machine, func, &args)?;
        let result = self.read(result)?;
        Ok(Run {
            result,
            steps: self.steps,
        })
    }

    fn count_step(&mut self, machine: &Machine) -> Result<(), Fault> {
        let limit = self.step_limit.unwrap_or_else(|| {
            let slots = machine.options().step_limit;
            slots.saturating_mul(STEPS_PER_SLOT)
        });
        if self.steps >= limit {
            return Err(FaultKind::StepLimit(limit).into());
        }
        self.steps += 1;
        Ok(())
    }

    /// The number in a cell that something looks at.
    fn read(&self, cell: Cell) -> Result<u64, Fault> {
        if cell.undefined && self.strict {
            return Err(unsupported("reading an undefined value"));
        }
        Ok(cell.bits)
    }

    fn function(&self, func: Func) -> Result<&'m Function, Fault> {
        let found = self.module.functions.get(func);
        found.ok_or_else(|| unsupported(format!("a call of {func}, which does not exist,")))
    }
}

/// The address that stands for a function of the module.
#[must_use]
pub fn function_address(func: Func) -> u64 {
    Memory::code_address(func.as_u32())
}

fn unsupported(what: impl Into<String>) -> Fault {
    FaultKind::Unsupported(what.into()).into()
}

/// A fault with the place of the instruction that caused it.
fn place(fault: Fault, func: &Function, inst: Inst) -> Fault {
    match func.origins[inst].checked_sub(1) {
        Some(slot) => fault.at(&func.name, slot as usize),
        None => fault,
    }
}

/// The values of one running function.
struct Frame<'m> {
    id: Func,
    func: &'m Function,
    values: Vec<Cell>,
    /// One past the highest byte of the stack frame.
    pointer: u64,
    /// What `may_goto` has left.
    loop_budget: u32,
}

impl Frame<'_> {
    fn get(&self, value: Value) -> Cell {
        let index = self.func.dfg.resolve(value).as_u32() as usize;
        self.values.get(index).copied().unwrap_or_default()
    }

    fn set(&mut self, value: Value, cell: Cell) {
        if let Some(place) = self.values.get_mut(value.as_u32() as usize) {
            *place = cell;
        }
    }
}
