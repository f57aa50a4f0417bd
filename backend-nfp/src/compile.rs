//! A program of MIR to words: the stages of the back end in order.
//!
//! ```text
//!   mir ─[select]► lir ─[remove_dead]► ─[transfers]► ─[banks]► ─[allocate]► ─[emit]► machine code
//!                                                                                        │
//!   words ◄──────────────────────────────────────────────────────────────[assemble]◄─────┘
//! ```
//! Functions are compiled before their callers, which then know what a call changes. Frames lie at
//! fixed places: a function's behind those of all its callers.
//!
//! Spill slots have to lie where one instruction reaches them. How many there are is known only when
//! registers are allocated, so a function that spills is compiled again with room for them at the
//! beginning of its frame: at most [`ROUNDS`] times.

use std::collections::BTreeMap;

use bpf::program_type::ProgramType;
use mir::analysis::ControlFlowGraph;
use mir::{Block, Func, Function, InstData, Module, Symbol};
use rustc_hash::FxHashMap;

use crate::allocate::{self, AllocationError, fixed};
use crate::assemble::{AssembleError, Assembled, assemble};
use crate::capabilities::Capabilities;
use crate::emit::{self, EmitError};
use crate::firmware::Abi;
use crate::lir::{Fixed, arrange, forward, locals, overlap, remove_dead, retarget};
use crate::machine::{MachineFunction, MachineProgram, Timing};
use crate::select::{Interface, SelectError, Settings, Unit, select};
use crate::space::{Spaces, callees};
use crate::window::{MOVES_HEAD, MOVES_PACKET};
use crate::{banks, depth, transfers};

/// How often a program is compiled for its spill slots.
const ROUNDS: usize = 4;

/// Outgoing transfer registers in which [`Options::show_result`] leaves the result's words.
pub const SHOWN: [u8; 2] = crate::select::SHOWN;

/// Origin of instructions that make a verdict of a number, and are of no instruction of the program.
pub const VERDICT: u32 = u32::MAX;

/// What is compiled.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    /// The module.
    pub module: &'a Module,
    /// The function that runs for a packet.
    pub entry: Func,
    /// Its type.
    pub program_type: ProgramType,
    /// Numbers of the maps on the card, by symbol.
    pub maps: BTreeMap<Symbol, u32>,
    /// Arrays in which look-ups are made by the program itself: the address of the first value, bytes
    /// from one to the next, elements.
    pub arrays: BTreeMap<Symbol, (u64, u32, u32)>,
    /// Bytes of stack that functions use, by name, as far as somebody knows.
    pub depths: BTreeMap<String, u32>,
}

/// How it is compiled.
#[derive(Clone, Debug)]
pub struct Options {
    /// What hardware needs time for.
    pub timing: Timing,
    /// Whether the result is left whole in outgoing transfer registers 30 and 31: for tests.
    pub show_result: bool,
    /// Whether loads are read together.
    pub read_together: bool,
    /// Whether stores are written together.
    pub write_together: bool,
    /// Whether commands run at the same time, for a word each time that they are waited for together.
    pub overlap: bool,
    /// Whether the register allocator's result is proved.
    pub check_allocation: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            timing: Timing::default(),
            show_result: false,
            read_together: true,
            write_together: true,
            overlap: true,
            check_allocation: cfg!(debug_assertions),
        }
    }
}

/// Why a program cannot be compiled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CompileError {
    /// The card cannot do something.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// Too many registers are needed.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The allocator failed.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    /// Addresses do not fit.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// A function calls itself.
    #[error("function {0} calls itself")]
    Recursion(String),
    /// The frames of a chain of calls are too large.
    #[error("the stack takes {needed} bytes, and the card has {limit}")]
    Stack {
        /// Bytes that are needed.
        needed: u32,
        /// Bytes that there are.
        limit: u32,
    },
}

/// Accesses to packets and maps, and the commands that they became.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Loads of the program.
    pub loads: usize,
    /// Commands that read for them.
    pub reads: usize,
    /// Stores of the program.
    pub stores: usize,
    /// Commands that write for them.
    pub writes: usize,
}

/// A compiled program.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Its instructions.
    pub assembled: Assembled,
    /// Bytes of stack.
    pub stack: u32,
    /// General registers that it changes.
    pub registers: Vec<Fixed>,
    /// Spill slots of all functions.
    pub spills: u32,
    /// How memory is used.
    pub memory: MemoryUse,
    /// The functions that [`Word::function`](crate::assemble::Word::function) numbers.
    pub functions: Vec<Func>,
}

/// Compiles a program.
///
/// # Errors
/// [`CompileError`]
pub fn compile(
    program: &Program<'_>,
    capabilities: &Capabilities,
    abi: &Abi,
    options: &Options,
) -> Result<Compiled, CompileError> {
    let order = callees_first(program)?;
    let spaces = Spaces::compute(program.module, program.entry, program.program_type);
    let mut reserved: FxHashMap<Func, u32> = FxHashMap::default();
    let mut round = 0;
    loop {
        round += 1;
        let mut attempt = Attempt {
            program,
            capabilities,
            abi,
            options,
            spaces: &spaces,
            reserved: &reserved,
            interfaces: FxHashMap::default(),
            machine: FxHashMap::default(),
            spills: FxHashMap::default(),
            stack: 0,
            memory: MemoryUse::default(),
        };
        attempt.run(&order)?;
        let spilled: Vec<(Func, u32)> = attempt
            .spills
            .iter()
            .filter(|(func, slots)| **slots > reserved.get(*func).copied().unwrap_or(0))
            .map(|(func, slots)| (*func, *slots))
            .collect();
        if spilled.is_empty() {
            return attempt.finish(&order);
        }
        if round == ROUNDS {
            let most = spilled.iter().map(|(_, slots)| *slots).max();
            let most = most.unwrap_or_default() as usize;
            return Err(EmitError::Spills(most).into());
        }
        reserved.extend(spilled);
    }
}

/// Functions that the entry reaches, each behind those that it calls.
fn callees_first(program: &Program<'_>) -> Result<Vec<Func>, CompileError> {
    let calls = |func: Func| {
        let mut found: Vec<Func> = callees(&program.module.functions[func]).collect();
        found.dedup();
        found
    };
    let mut order = Vec::new();
    let mut open = vec![program.entry];
    let mut stack = vec![calls(program.entry)];
    while let Some(left) = stack.last_mut() {
        let Some(func) = left.pop() else {
            stack.pop();
            order.extend(open.pop());
            continue;
        };
        if open.contains(&func) {
            let name = program.module.functions[func].name.clone();
            return Err(CompileError::Recursion(name));
        }
        if !order.contains(&func) {
            open.push(func);
            stack.push(calls(func));
        }
    }
    Ok(order)
}

/// Whether control can come back to a block.
fn in_cycle(function: &Function, block: Block) -> bool {
    let cfg = ControlFlowGraph::compute(function);
    let mut seen = std::collections::BTreeSet::new();
    let mut work = vec![block];
    while let Some(at) = work.pop() {
        for &next in cfg.successors(at) {
            if next == block {
                return true;
            }
            if seen.insert(next) {
                work.push(next);
            }
        }
    }
    false
}

/// Registers in which a function reads parameters.
fn parameters(lir: &crate::lir::Lir) -> Vec<Fixed> {
    let first = lir.blocks.first().and_then(|block| block.insts.first());
    match first.map(|inst| &inst.op) {
        Some(crate::lir::Op::Parameters(params)) => {
            params.iter().map(|(_, place)| *place).collect()
        }
        _ => Vec::new(),
    }
}

struct Attempt<'a> {
    program: &'a Program<'a>,
    capabilities: &'a Capabilities,
    abi: &'a Abi,
    options: &'a Options,
    spaces: &'a Spaces,
    reserved: &'a FxHashMap<Func, u32>,
    interfaces: FxHashMap<Func, Interface>,
    machine: FxHashMap<Func, MachineFunction>,
    spills: FxHashMap<Func, u32>,
    stack: u32,
    memory: MemoryUse,
}

impl Attempt<'_> {
    /// Where each function's frame lies, and its depth.
    fn frames(&mut self, order: &[Func]) -> Result<FxHashMap<Func, (u32, i64)>, CompileError> {
        let mut frames: FxHashMap<Func, (u32, i64)> = FxHashMap::default();
        for &func in order.iter().rev() {
            let function = &self.program.module.functions[func];
            let known = self.program.depths.get(&function.name).copied();
            let depth = depth::of(func, function, self.spaces, known);
            let (start, _) = *frames.entry(func).or_default();
            frames.insert(func, (start, depth));
            let reserved = self.reserved.get(&func).copied().unwrap_or(0);
            let end = start + 4 * reserved + depth as u32;
            self.stack = self.stack.max(end);
            let function = &self.program.module.functions[func];
            for block in function.layout.blocks() {
                for inst in function.layout.insts(block) {
                    if let InstData::CallFunc { func: callee, .. } = *function.dfg.inst(inst) {
                        let frame = frames.entry(callee).or_default();
                        frame.0 = frame.0.max(end);
                    }
                }
            }
        }
        let limit = self.capabilities.stack;
        if self.stack > limit {
            let needed = self.stack;
            return Err(CompileError::Stack { needed, limit });
        }
        Ok(frames)
    }

    /// Whether a helper moves the packet, and whether that happens at most once, at its beginning:
    /// only then is it where the firmware put it, and as long as a frame.
    fn moves_packet(&self, order: &[Func]) -> (bool, bool) {
        let mut calls = Vec::new();
        for &func in order {
            let function = &self.program.module.functions[func];
            for block in function.layout.blocks() {
                for inst in function.layout.insts(block) {
                    if let InstData::CallHelper { id, .. } = *function.dfg.inst(inst)
                        && MOVES_PACKET.contains(&id)
                    {
                        calls.push((func, block, id));
                    }
                }
            }
        }
        let once = match calls[..] {
            [(func, block, MOVES_HEAD)] => {
                func == self.program.entry && !in_cycle(&self.program.module.functions[func], block)
            }
            _ => false,
        };
        (!calls.is_empty(), once)
    }

    fn run(&mut self, order: &[Func]) -> Result<(), CompileError> {
        let frames = self.frames(order)?;
        let (moves_packet, moves_once) = self.moves_packet(order);
        for &func in order {
            let (frame, depth) = frames.get(&func).copied().unwrap_or_default();
            let reserved = self.reserved.get(&func).copied().unwrap_or(0);
            let settings = Settings {
                program_type: self.program.program_type,
                maps: &self.program.maps,
                arrays: &self.program.arrays,
                capabilities: self.capabilities,
                keep_index: reserved > 0,
                show_result: self.options.show_result,
                moves_packet,
                moves_once,
                read_together: self.options.read_together,
                write_together: self.options.write_together,
            };
            let interfaces = std::mem::take(&mut self.interfaces);
            let unit = Unit {
                func,
                function: &self.program.module.functions[func],
                spaces: self.spaces,
                is_main: func == self.program.entry,
                frame: frame + 4 * reserved,
                depth,
                order,
                interfaces: &interfaces,
            };
            let selected = select(unit, &settings);
            self.interfaces = interfaces;
            let (lir, memory) = selected?;
            self.memory.loads += memory.loads;
            self.memory.reads += memory.reads;
            self.memory.stores += memory.stores;
            self.memory.writes += memory.writes;
            self.function(func, lir, frame / 4)?;
        }
        Ok(())
    }

    fn function(
        &mut self,
        func: Func,
        mut lir: crate::lir::Lir,
        first_spill: u32,
    ) -> Result<(), CompileError> {
        arrange(&mut lir);
        forward(&mut lir);
        remove_dead(&mut lir);
        retarget(&mut lir);
        locals(&mut lir);
        if self.options.overlap {
            overlap(&mut lir);
        }
        let parameters = parameters(&lir);
        let places = transfers::allocate(&mut lir);
        let banks = banks::assign(&mut lir);
        let check = self.options.check_allocation;
        let output = allocate::allocate(&lir, &banks, self.abi, check)?;
        let slots = output.num_spillslots as u32;
        self.spills.insert(func, slots);
        if slots > self.reserved.get(&func).copied().unwrap_or(0) {
            // It will be compiled again, with room; its callers only need to know that it is there.
            let clobbers = Vec::new();
            let interface = Interface {
                clobbers,
                parameters,
            };
            self.interfaces.insert(func, interface);
            return Ok(());
        }
        let name = &self.program.module.functions[func].name;
        let machine = emit::emit(name, &lir, &places, &output, first_spill)?;
        let clobbers = self.changed(&lir, &output);
        let interface = Interface {
            clobbers,
            parameters,
        };
        self.interfaces.insert(func, interface);
        self.machine.insert(func, machine);
        Ok(())
    }

    /// Registers that a function changes.
    fn changed(&self, lir: &crate::lir::Lir, output: &regalloc2::Output) -> Vec<Fixed> {
        let mut changed: std::collections::BTreeSet<Fixed> = output
            .allocs
            .iter()
            .filter_map(|allocation| allocation.as_reg())
            .map(fixed)
            .collect();
        for (_, regalloc2::Edit::Move { to, .. }) in &output.edits {
            changed.extend(to.as_reg().map(fixed));
        }
        for inst in lir.blocks.iter().flat_map(|block| &block.insts) {
            match &inst.op {
                crate::lir::Op::Helper(_) => {
                    changed.extend(allocate::destroyed_registers(self.abi))
                }
                crate::lir::Op::Call(call) => changed.extend(call.clobbers.iter().copied()),
                _ => {}
            }
        }
        changed.into_iter().collect()
    }

    fn finish(mut self, order: &[Func]) -> Result<Compiled, CompileError> {
        let mut functions = Vec::new();
        // The entry is the last to be compiled and the first of the program.
        let mut names = Vec::new();
        for func in order.iter().rev() {
            if let Some(function) = self.machine.remove(func) {
                functions.push(function);
                names.push(*func);
            }
        }
        let program = MachineProgram {
            program_type: self.program.program_type,
            functions,
        };
        let assembled = assemble(&program, &self.options.timing, self.abi.start)?;
        let registers = self.interfaces.remove(&self.program.entry);
        Ok(Compiled {
            assembled,
            stack: self.stack,
            registers: registers.unwrap_or_default().clobbers,
            spills: self.spills.values().sum(),
            memory: self.memory,
            functions: names,
        })
    }
}
