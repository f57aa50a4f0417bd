//! MIR to virtual code.
//!
//! ```text
//!   i64 value ─► two halves ─► bits of a word ─► a register, only if something needs one
//!   packet    ─► a read of transfer registers, shared by loads near each other
//!   stack     ─► local memory          map value ─► commands with 40-bit addresses
//! ```
//! One walk over the blocks in reverse postorder; each instruction is selected once, with both halves of
//! its result, and what turns out unread is removed afterwards ([`crate::lir::remove_dead`]).
//!
//! Soundness: every choice is local. [`half`] says why values may stay unmade, [`crate::window`] why
//! accesses may be put together. Condition codes are set right before they are read.
//!
//! Cost: linear in instructions, beside what `window` costs.

mod arithmetic;
mod call;
mod compare;
mod exit;
mod half;
pub(crate) mod immediate;
mod local;
mod memory;
mod shift;

pub(crate) use exit::SHOWN;

use std::collections::BTreeMap;

use bpf::program_type::ProgramType;
use cranelift_entity::SecondaryMap;
use mir::analysis::{ControlFlowGraph, DemandedBits, DominatorTree, KnownValues, LoopForest};
use mir::{BlockCall, Func, Function, Inst, InstData, Opcode, SourceLoc, Symbol, Type, Value};
use rustc_hash::FxHashMap;

use self::half::{Bits, Half, Pair, ZERO};
use crate::compile::MemoryUse;
use crate::isa::Bank;
use crate::lir::{Block, Edge, End, Fixed, Group, Lir, Op, Reg, Target};
use crate::space::{Space, Spaces};
use crate::window::{Plan, Planner};

/// Why a program cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the card cannot run {what}")]
pub struct SelectError {
    /// What it is.
    pub what: String,
    /// Where it is in the source.
    pub location: Option<SourceLoc>,
    /// Input slot plus one, 0 for none.
    pub origin: u32,
}

/// How a program is selected.
#[derive(Clone, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) program_type: ProgramType,
    /// Numbers of maps on the card, by symbol.
    pub(crate) maps: &'a BTreeMap<Symbol, u32>,
    /// Arrays whose place is known: address, bytes from one value to the next, elements.
    pub(crate) arrays: &'a BTreeMap<Symbol, (u64, u32, u32)>,
    /// What the firmware offers.
    pub(crate) capabilities: &'a crate::capabilities::Capabilities,
    /// Whether the first local-memory index holds the stack's address whenever it can.
    pub(crate) keep_index: bool,
    /// Whether the whole result is shown in outgoing transfer registers before the verdict.
    pub(crate) show_result: bool,
    /// Whether a helper of the program moves the packet.
    pub(crate) moves_packet: bool,
    /// Whether one does that, once, with its beginning.
    pub(crate) moves_once: bool,
    /// Whether loads are read together.
    pub(crate) read_together: bool,
    /// Whether stores are written together.
    pub(crate) write_together: bool,
}

/// What callers must know of a function that is compiled already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interface {
    /// Registers that it changes.
    pub(crate) clobbers: Vec<Fixed>,
    /// Registers in which it reads parameters.
    pub(crate) parameters: Vec<Fixed>,
}

/// A function of the program, and where its frame lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit<'a> {
    pub(crate) func: Func,
    pub(crate) function: &'a Function,
    pub(crate) spaces: &'a Spaces,
    /// Whether it is the program's entry.
    pub(crate) is_main: bool,
    /// Byte offset of its frame in the program's stack.
    pub(crate) frame: u32,
    /// Bytes below the frame pointer that it uses.
    pub(crate) depth: i64,
    /// The program's functions by their places.
    pub(crate) order: &'a [Func],
    /// Those that are compiled.
    pub(crate) interfaces: &'a FxHashMap<Func, Interface>,
}

/// State of the selection of a function.
pub(crate) struct Select<'a> {
    settings: &'a Settings<'a>,
    unit: Unit<'a>,
    function: &'a Function,
    known: KnownValues,
    demanded: DemandedBits,
    cfg: ControlFlowGraph,
    dominators: DominatorTree,
    plan: Plan,
    lir: Lir,
    block: Block,
    mir_block: mir::Block,
    /// Depth of arms whose code does not dominate what follows.
    arms: u32,
    location: Option<SourceLoc>,
    origin: u32,
    pairs: SecondaryMap<Value, Option<Pair>>,
    blocks: SecondaryMap<mir::Block, Option<Block>>,
    params: SecondaryMap<Value, (Option<Reg>, Option<Reg>)>,
    constants: FxHashMap<u32, Reg>,
    made: FxHashMap<Bits, (Reg, mir::Block)>,
    groups: FxHashMap<usize, Group>,
    exits: FxHashMap<u32, Block>,
    dynamic_exit: Option<Block>,
    local: local::Indices,
    windows: SecondaryMap<mir::Block, Option<local::Windows>>,
    return_address: Option<Reg>,
}

/// Selects a function's instructions.
pub(crate) fn select(
    unit: Unit<'_>,
    settings: &Settings<'_>,
) -> Result<(Lir, MemoryUse), SelectError> {
    let function = unit.function;
    let cfg = ControlFlowGraph::compute(function);
    let dominators = DominatorTree::compute(&cfg);
    let loops = LoopForest::compute(&cfg, &dominators);
    let mut lir = Lir::default();
    let mut blocks = SecondaryMap::new();
    for &block in cfg.reverse_postorder() {
        blocks[block] = Some(lir.new_block(loops.depth(block)));
    }
    let Some(entry) = cfg.entry() else {
        return Err(SelectError {
            what: "a function without a body".to_owned(),
            location: None,
            origin: 0,
        });
    };
    let mut select = Select {
        settings,
        unit,
        function,
        known: KnownValues::compute(function, &cfg),
        demanded: DemandedBits::compute(function, &cfg),
        dominators,
        plan: Plan::default(),
        lir,
        block: Block(0),
        mir_block: entry,
        arms: 0,
        location: None,
        origin: 0,
        pairs: SecondaryMap::new(),
        blocks,
        params: SecondaryMap::new(),
        constants: FxHashMap::default(),
        made: FxHashMap::default(),
        groups: FxHashMap::default(),
        exits: FxHashMap::default(),
        dynamic_exit: None,
        local: local::Indices::default(),
        windows: SecondaryMap::new(),
        return_address: None,
        cfg,
    };
    select.plan = select.planner().plan();
    select.parameters(entry);
    let order = select.cfg.reverse_postorder().to_vec();
    for block in order {
        select.block(block)?;
    }
    let memory = select.plan.memory();
    Ok((select.lir, memory))
}

/// Registers of a function's parameter, low and high word.
fn parameter_registers(index: usize) -> [Fixed; 2] {
    let number = 2 * index as u8;
    [number, number + 1].map(|number| Fixed {
        bank: Bank::A,
        number,
    })
}

/// The register that a function finds its return address in.
const RETURN_ADDRESS: Fixed = Fixed {
    bank: Bank::B,
    number: 0,
};

impl<'a> Select<'a> {
    fn unsupported(&self, what: impl Into<String>) -> SelectError {
        SelectError {
            what: what.into(),
            location: self.location,
            origin: self.origin,
        }
    }

    fn space(&self, value: Value) -> Space {
        self.unit.spaces.get(self.unit.func, self.function, value)
    }

    fn planner(&self) -> Planner<'_> {
        Planner {
            func: self.unit.func,
            function: self.function,
            spaces: self.unit.spaces,
            cfg: &self.cfg,
            dominators: &self.dominators,
            program_type: self.settings.program_type,
            moves_packet: self.settings.moves_packet,
            read_together: self.settings.read_together,
            write_together: self.settings.write_together,
        }
    }

    fn new_block(&mut self) -> Block {
        let depth = self.lir.blocks[self.block.index()].depth;
        self.lir.new_block(depth)
    }

    /// Goes on in a block.
    fn start(&mut self, block: Block) {
        self.block = block;
        self.constants.clear();
    }

    /// Ends the current block.
    fn end(&mut self, end: End) {
        let (location, origin) = (self.location, self.origin);
        let block = &mut self.lir.blocks[self.block.index()];
        block.end = Some(end);
        block.location = location;
        block.origin = origin;
    }

    /// Makes the parameters of a function other than the program's entry, and of all blocks.
    fn parameters(&mut self, entry: mir::Block) {
        let mut fixed = Vec::new();
        if !self.unit.is_main {
            let address = self.lir.new_reg();
            self.return_address = Some(address);
            fixed.push((address, RETURN_ADDRESS));
        }
        for block in self.cfg.reverse_postorder().to_vec() {
            let params = self.function.dfg.block_params(block).to_vec();
            for (index, value) in params.into_iter().enumerate() {
                let (low, high) = self.halves(value);
                let low = low.then(|| self.lir.new_reg());
                let high = high.then(|| self.lir.new_reg());
                self.params[value] = (low, high);
                let half = |reg: Option<Reg>| reg.map_or(ZERO, Half::from);
                let pair = Pair {
                    low: half(low),
                    high: half(high),
                };
                self.pairs[value] = Some(self.refined(value, pair));
                if block == entry {
                    let places = parameter_registers(index);
                    fixed.extend(low.map(|reg| (reg, places[0])));
                    fixed.extend(high.map(|reg| (reg, places[1])));
                } else if let Some(target) = self.blocks[block] {
                    self.lir.blocks[target.index()]
                        .params
                        .extend(low.into_iter().chain(high));
                }
            }
        }
        if !self.unit.is_main {
            self.push(Op::Parameters(fixed), Target::Nothing);
        }
    }

    /// Which halves of a parameter need a register.
    fn halves(&self, value: Value) -> (bool, bool) {
        let known = self.known.get(self.function, value);
        if known.as_constant().is_some() {
            return (false, false);
        }
        match self.space(value) {
            Space::Context | Space::Handle(_) => (false, false),
            Space::Packet | Space::Stack | Space::SomeHandle => (true, false),
            Space::Map => (true, true),
            _ if self.function.dfg.value_type(value) == Type::I32 => (true, false),
            _ => {
                let half_known = |shift: u32| {
                    (known.zeros >> shift) as u32 | (known.ones >> shift) as u32 == u32::MAX
                };
                (!half_known(0), !half_known(32))
            }
        }
    }

    /// A pair with the halves that are known.
    fn refined(&self, value: Value, pair: Pair) -> Pair {
        if matches!(
            self.space(value),
            Space::Packet | Space::Stack | Space::Map | Space::Context | Space::Handle(_)
        ) {
            return pair;
        }
        let known = self.known.get(self.function, value);
        let half = |shift: u32, half: Half| {
            let (zeros, ones) = ((known.zeros >> shift) as u32, (known.ones >> shift) as u32);
            if zeros | ones == u32::MAX {
                Half::Const(ones)
            } else {
                half
            }
        };
        Pair {
            low: half(0, pair.low),
            high: half(32, pair.high),
        }
    }

    /// The halves of a value.
    fn pair(&mut self, value: Value) -> Result<Pair, SelectError> {
        let value = self.function.dfg.resolve(value);
        if let Some(constant) = self.function.dfg.raw_constant(value) {
            let ty = self.function.dfg.value_type(value);
            return Ok(match ty {
                Type::I32 => Pair::constant(u64::from(constant as u32)),
                Type::I64 => Pair::constant(constant.cast_unsigned()),
            });
        }
        match self.space(value) {
            Space::Handle(symbol) => {
                let id = self.settings.maps.get(&symbol).copied();
                let id = id.ok_or_else(|| self.unsupported("a map that it does not have"))?;
                return Ok(Pair::constant(id.into()));
            }
            Space::Context => return Ok(Pair::constant(0)),
            _ => {}
        }
        self.pairs[value].ok_or_else(|| self.unsupported("a value of this kind"))
    }

    fn block(&mut self, block: mir::Block) -> Result<(), SelectError> {
        let Some(target) = self.blocks[block] else {
            return Ok(());
        };
        self.mir_block = block;
        self.start(target);
        // Whoever comes here has settled the first index.
        self.local_done();
        let mut before = self.cfg.predecessors(block).iter();
        // What a loop does to the indices is not known yet.
        let is_loop = before.any(|one| self.cfg.is_retreating(one.block, block));
        let windows = self.windows[block].filter(|_| !is_loop);
        self.local.begin(windows);
        for inst in self.function.layout.insts(block) {
            self.location = self.function.locations[inst].expand();
            self.origin = self.function.origins[inst];
            self.inst(inst)?;
        }
        Ok(())
    }

    fn inst(&mut self, inst: Inst) -> Result<(), SelectError> {
        if self.function.is_patched(inst) {
            return Err(self.unsupported("a number that a loader patches"));
        }
        let result = self.function.dfg.result(inst);
        let pair = match *self.function.dfg.inst(inst) {
            InstData::Const { .. } => return Ok(()),
            InstData::Nullary {
                opcode: Opcode::Frame,
                ..
            } => Some(self.frame_address(0)),
            InstData::Nullary { .. } => Some(Pair::constant(0)),
            // Its number is found where it is used.
            InstData::SymbolAddr { .. } => return Ok(()),
            InstData::Unary { opcode, ty, arg } => Some(self.unary(opcode, ty, arg)?),
            InstData::Binary { opcode, ty, args } => match result {
                Some(result) => Some(self.sum_of_frame(result, opcode, ty, args)?),
                None => None,
            },
            InstData::Load {
                opcode,
                width,
                base,
                offset,
            } => Some(self.load(inst, opcode, width, base, offset)?),
            InstData::LoadAbs { width, imm, .. } => Some(self.load_absolute(inst, width, imm)?),
            InstData::LoadInd {
                width, imm, index, ..
            } => Some(self.load_indirect(width, imm, index)?),
            InstData::Store {
                width,
                base,
                value,
                offset,
                ..
            } => {
                self.store(inst, width, base, value, offset)?;
                None
            }
            InstData::AtomicRmw {
                op,
                width,
                fetch,
                offset,
                base,
                value,
            } => {
                if fetch || op != bpf::insn::AtomicOp::Add {
                    return Err(self.unsupported("this atomic operation"));
                }
                self.atomic_add(width, base, offset, value)?;
                None
            }
            InstData::CallHelper { id, args } => {
                let args = args.as_slice(&self.function.dfg.pool).to_vec();
                Some(self.helper(id, &args)?)
            }
            InstData::CallFunc { func, args } => {
                let args = args.as_slice(&self.function.dfg.pool).to_vec();
                Some(self.call_function(func, &args)?)
            }
            InstData::Jump { target } => {
                self.jump(&target)?;
                None
            }
            InstData::Branch { cond, ty, args, .. } => {
                let calls = self.function.dfg.successors(inst);
                if let [taken, other] = calls[..] {
                    self.branch(cond, ty, args, &taken, &other)?;
                }
                None
            }
            InstData::Return { arg } => {
                self.return_(arg)?;
                None
            }
            InstData::SpaceCast { .. }
            | InstData::CompareExchange { .. }
            | InstData::CallExternal { .. }
            | InstData::CallIndirect { .. }
            | InstData::MayGoto { .. } => return Err(self.unsupported("this instruction")),
        };
        if let (Some(result), Some(pair)) = (result, pair) {
            self.pairs[result] = Some(self.refined(result, pair));
        }
        Ok(())
    }

    /// A sum; constant addresses of the stack are computed from its base at once.
    fn sum_of_frame(
        &mut self,
        result: Value,
        opcode: Opcode,
        ty: Type,
        args: [Value; 2],
    ) -> Result<Pair, SelectError> {
        match crate::space::frame_offset(self.function, result) {
            Some(offset) => Ok(self.frame_address(offset)),
            None => self.binary(opcode, ty, args, result),
        }
    }

    /// Registers with a block call's arguments.
    fn arguments(&mut self, call: &BlockCall) -> Result<Vec<Reg>, SelectError> {
        let params = self.function.dfg.block_params(call.block).to_vec();
        let args = self.function.dfg.call_args(call).to_vec();
        let mut regs = Vec::new();
        for (param, arg) in params.into_iter().zip(args) {
            let (low, high) = self.params[param];
            if low.is_none() && high.is_none() {
                continue;
            }
            let pair = self.pair(arg)?;
            if low.is_some() {
                regs.push(self.register(pair.low));
            }
            if high.is_some() {
                regs.push(self.register(pair.high));
            }
        }
        Ok(regs)
    }

    /// Ends the current block with a way to another.
    fn jump(&mut self, call: &BlockCall) -> Result<(), SelectError> {
        if self.exit_by(call)? {
            return Ok(());
        }
        let Some(block) = self.blocks[call.block] else {
            return Err(self.unsupported("a block that is not there"));
        };
        let args = self.arguments(call)?.into_iter().collect();
        self.settle_index(call.block);
        self.windows[call.block] = Some(self.local.meet(self.windows[call.block]));
        self.end(End::Jump(Edge { block, args }));
        Ok(())
    }

    /// A block for one way of a branch, to be filled by [`Select::fill_way`].
    fn way(&mut self) -> (Block, Edge) {
        let block = self.new_block();
        (block, Edge::to(block))
    }

    fn fill_way(&mut self, block: Block, call: &BlockCall) -> Result<(), SelectError> {
        self.arms += 1;
        let local = self.local;
        self.start(block);
        let done = self.jump(call);
        self.local = local;
        self.arms -= 1;
        done
    }
}
