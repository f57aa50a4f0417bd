//! From allocated virtual code to slots.
//!
//! Registers go into templates, moves of the allocator become 64-bit `mov`, store or load, those that
//! need not be are removed ([`copies`]), blocks that turned out empty are skipped, branches are turned so that the next block follows, and a
//! jump to a lone `exit` is that `exit`. Then slots are numbered and distances filled in.
//!
//! What is recorded beside the slots (relocations, calls, CO-RE records, source positions, origins)
//! is all that [`crate::link()`] needs to put the function into an object.

mod arrange;
mod copies;
mod held;
mod hoist;
mod lines;
mod order;
mod partition;
mod places;
mod relax;
mod reuse;
mod search;
mod shared;
mod sharing;
mod slots;
mod tails;
#[cfg(test)]
mod tests;
mod webs;

use arrange::arrange;
use copies::Code;
use lines::{End, Line, Target};
use places::Places;

pub use search::{CHOICES, emit_function};

use crate::lir::{FRAME, Lir, LirInst, LirOp, assign};
use crate::regalloc::Allocator;
use crate::select::{Strategy, select};
use crate::{EmitError, Options, frame, undefined};
use bpf::insn::{AluOp, Cpu, Insn, MemWidth, Operand as Source, Pseudo, Reg, RegSet, Slot, Width};
use mir::{CoreRelo, External, Func, Function, Module, SourceLoc, Symbol};
use regalloc2::{
    Allocation, AllocationKind, Edit, InstOrEdit, OperandConstraint, OperandKind, Output,
};

/// A compiled function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmittedFunction {
    /// Its code. Calls and symbol references have zero where [`crate::link()`] fills in.
    pub slots: Vec<Slot>,
    /// `ld_imm64` of a symbol, by slot.
    pub symbols: Vec<(u32, Symbol)>,
    /// Calls inside the module, by slot.
    pub calls: Vec<(u32, Func)>,
    /// Calls out of the module, by slot.
    pub externals: Vec<(u32, External)>,
    /// CO-RE records, by slot.
    pub core_relos: Vec<(u32, CoreRelo)>,
    /// Where a source position begins, by slot.
    pub locations: Vec<(u32, SourceLoc)>,
    /// For each slot the input slot that it came from, plus one; 0 for none.
    pub origins: Vec<u32>,
    /// Bytes of stack used.
    pub stack: u32,
    /// Values spilled.
    pub spills: u32,
    /// Jumps that the order of blocks saves over the one in MIR.
    pub jumps_saved: u32,
}

/// Compiles a function with the choices of a strategy.
fn emit_with(
    module: &Module,
    function: &Function,
    frame: frame::FrameUse,
    options: &Options,
    strategy: Strategy,
    allocator: &mut Allocator,
) -> Result<EmittedFunction, EmitError> {
    for init_undef in [false, true] {
        let lir = select(
            module,
            function,
            options,
            Strategy {
                init_undef,
                ..strategy
            },
        )?;
        let output = allocator.allocate(&lir, options.check_allocation)?;
        let moves = if lir.has_undef_flow {
            undefined::find_moves(&lir, &output)
        } else {
            undefined::Moves::default()
        };
        if !moves.uncertain {
            return Emitter::new(module, options, &lir, &output, moves, frame)?.run();
        }
    }
    Err(EmitError::Undefined)
}

struct Emitter<'a> {
    module: &'a Module,
    options: &'a Options,
    lir: &'a Lir,
    output: &'a Output,
    moves: undefined::Moves,
    places: Places,
    /// Bytes of stack that the program uses itself.
    own: u32,
}

/// Spill slots of the allocator beyond which nothing is tried.
const MAX_SLOTS: usize = 512;

/// Bytes of the program's own stack beyond which nothing is tried.
const MAX_FRAME: u32 = 4096;

impl<'a> Emitter<'a> {
    fn new(
        module: &'a Module,
        options: &'a Options,
        lir: &'a Lir,
        output: &'a Output,
        moves: undefined::Moves,
        frame: frame::FrameUse,
    ) -> Result<Self, EmitError> {
        let own = frame.depth.next_multiple_of(8);
        if output.num_spillslots > 0 && frame.unknown {
            return Err(EmitError::UnknownFrame);
        }
        // What is left of the slots is held against the limit at the end.
        if output.num_spillslots > MAX_SLOTS || (output.num_spillslots > 0 && own > MAX_FRAME) {
            return Err(EmitError::Stack {
                needed: own.saturating_add(8 * output.num_spillslots.min(MAX_SLOTS) as u32),
                limit: options.stack_limit,
            });
        }
        let places = Places {
            spill_base: -(own as i32) - 8,
            slots: output.num_spillslots,
        };
        Ok(Emitter {
            module,
            options,
            lir,
            output,
            moves,
            places,
            own,
        })
    }

    fn run(self) -> Result<EmittedFunction, EmitError> {
        let mut bodies = Vec::with_capacity(self.lir.blocks.len());
        let mut ends = Vec::with_capacity(self.lir.blocks.len());
        for block in 0..self.lir.blocks.len() {
            let (body, end) = self.block(block);
            bodies.push(body);
            ends.push(end);
        }
        let mut code = Code {
            bodies: &mut bodies,
            ends: &mut ends,
            places: self.places,
        };
        copies::remove(&mut code);
        let slots = slots::compact(&mut code);
        let stack = self.own.saturating_add(8 * slots as u32);
        if slots > 0 && stack > self.options.stack_limit {
            return Err(EmitError::Stack {
                needed: stack,
                limit: self.options.stack_limit,
            });
        }
        let reorders = self.options.order_blocks;
        let arranged = arrange(bodies, ends, &self.lir.layout, self.places, reorders);
        let emitted = EmittedFunction {
            jumps_saved: arranged.jumps_saved as u32,
            stack,
            spills: slots as u32,
            ..EmittedFunction::default()
        };
        self.encode(arranged.blocks, emitted)
    }

    fn block(&self, block: usize) -> (Vec<Line>, End) {
        let mut lines = Vec::new();
        let mut end = None;
        let start = self.lir.blocks[block].insts.start;
        let mut edit = self
            .output
            .edits
            .partition_point(|(point, _)| point.inst().index() < start);
        let mut cause: Option<&LirInst> = self.lir.insts.get(start);
        for item in undefined::items(self.lir, self.output, block) {
            match item {
                InstOrEdit::Edit(Edit::Move { from, to }) => {
                    if from != to && !self.moves.dropped.contains(&edit) {
                        lines.push(self.copy(*from, *to, cause));
                    }
                    edit += 1;
                }
                InstOrEdit::Inst(inst) => {
                    let data = &self.lir.insts[inst.index()];
                    cause = Some(data);
                    let successors = &self.lir.blocks[block].successors;
                    match data.op {
                        LirOp::Undef | LirOp::Parameters => {}
                        LirOp::Jump => end = Some(End::Jump(successors[0].block)),
                        LirOp::Branch(_) => {
                            let line = self.line(data, inst);
                            end = Some(End::Branch(line, successors[0].block, successors[1].block));
                        }
                        LirOp::Return => end = Some(End::Return(self.line(data, inst))),
                        _ => lines.push(self.line(data, inst)),
                    }
                }
            }
        }
        // Every block ends in a terminator: selection has pushed one.
        let end = end.unwrap_or(End::Return(Line {
            insn: Insn::Exit,
            target: Target::None,
            location: None,
            origin: 0,
            core_relo: None,
            arguments: RegSet::EMPTY,
        }));
        (lines, end)
    }

    fn copy(&self, from: Allocation, to: Allocation, cause: Option<&LirInst>) -> Line {
        let insn = match (from.kind(), to.kind()) {
            (AllocationKind::Reg, AllocationKind::Stack) => Insn::Store {
                width: MemWidth::B64,
                base: FRAME,
                offset: self.spill_offset(to),
                src: Source::Reg(register(from)),
            },
            (AllocationKind::Stack, _) => Insn::Load {
                width: MemWidth::B64,
                signed: false,
                dst: register(to),
                base: FRAME,
                offset: self.spill_offset(from),
            },
            _ => Insn::Alu {
                width: Width::W64,
                op: AluOp::Mov,
                dst: register(to),
                src: Source::Reg(register(from)),
            },
        };
        Line {
            insn,
            target: Target::None,
            location: cause.and_then(|inst| inst.location),
            origin: cause.map_or(0, |inst| inst.origin),
            core_relo: None,
            arguments: RegSet::EMPTY,
        }
    }

    fn spill_offset(&self, allocation: Allocation) -> i16 {
        let slot = allocation.as_stack().map_or(0, |slot| slot.index());
        self.places.offset(slot)
    }

    fn line(&self, data: &LirInst, inst: regalloc2::Inst) -> Line {
        let allocations = self.output.inst_allocs(inst);
        let mut regs: Vec<Reg> = Vec::with_capacity(allocations.len());
        let mut arguments = RegSet::EMPTY;
        for (operand, &allocation) in data.operands.iter().zip(allocations) {
            let tied = matches!(operand.constraint(), OperandConstraint::Reuse(_));
            let fixed = matches!(operand.constraint(), OperandConstraint::FixedReg(_));
            if fixed && operand.kind() == OperandKind::Use {
                arguments = arguments.with(register(allocation));
            }
            let implicit = fixed || (tied && operand.kind() == OperandKind::Def);
            if !implicit {
                regs.push(register(allocation));
            }
        }
        let (insn, target) = match data.op {
            LirOp::Insn(template) | LirOp::Branch(template) => {
                (assign(template, &regs), Target::None)
            }
            LirOp::Symbol(symbol) => {
                let data = &self.module.symbols[symbol];
                let dst = regs.first().copied().unwrap_or(Reg(0));
                let insn = Insn::LoadImm64 {
                    dst,
                    pseudo: Pseudo(data.pseudo),
                    imm: data.imm,
                };
                (insn, Target::Symbol(symbol))
            }
            LirOp::CallFunc(func) => {
                let target = bpf::insn::CallTarget::Subprogram(-1);
                (Insn::Call { target }, Target::Func(func))
            }
            LirOp::CallExternal(external) => {
                let data = &self.module.externals[external];
                let target = match data.pseudo {
                    0 => bpf::insn::CallTarget::Helper(data.imm),
                    1 => bpf::insn::CallTarget::Subprogram(data.imm),
                    _ => bpf::insn::CallTarget::Kfunc(data.imm),
                };
                (Insn::Call { target }, Target::External(external))
            }
            LirOp::Undef | LirOp::Parameters | LirOp::Jump | LirOp::Return => {
                (Insn::Exit, Target::None)
            }
        };
        Line {
            insn,
            target,
            location: data.location,
            origin: data.origin,
            core_relo: data.core_relo,
            arguments,
        }
    }

    fn encode(
        &self,
        mut blocks: Vec<(usize, Vec<Line>)>,
        mut result: EmittedFunction,
    ) -> Result<EmittedFunction, EmitError> {
        if self.options.cpu >= Cpu::V4 {
            relax::relax(&mut blocks);
        }
        let starts = relax::starts(&blocks);
        let mut current = None;
        for line in blocks.into_iter().flat_map(|(_, lines)| lines) {
            let slot = result.slots.len() as u32;
            let mut insn = line.insn;
            match line.target {
                Target::None => {}
                Target::Symbol(symbol) => result.symbols.push((slot, symbol)),
                Target::Func(func) => result.calls.push((slot, func)),
                Target::External(external) => result.externals.push((slot, external)),
                Target::Block(block) => {
                    let distance = starts[block] - i64::from(slot) - 1;
                    set_distance(&mut insn, distance, self.options.cpu >= Cpu::V4)?;
                }
            }
            if let Some(relo) = line.core_relo {
                result.core_relos.push((slot, relo));
            }
            if line.location.is_some() && line.location != current {
                current = line.location;
                result
                    .locations
                    .extend(line.location.map(|location| (slot, location)));
            }
            for &encoded in insn.encode().as_slice() {
                result.slots.push(encoded);
                result.origins.push(line.origin);
            }
        }
        // The kernel wants a position on the first instruction of a function that has any.
        if let Some((slot, _)) = result.locations.first_mut() {
            *slot = 0;
        }
        Ok(result)
    }
}

fn set_distance(insn: &mut Insn, distance: i64, long_jumps: bool) -> Result<(), EmitError> {
    let range = EmitError::BranchRange { distance };
    match insn {
        Insn::Branch { offset, .. } | Insn::MayGoto { offset } => {
            *offset = i16::try_from(distance).map_err(|_| range)?;
        }
        Insn::Goto { offset, long } => {
            *offset = i32::try_from(distance).map_err(|_| range.clone())?;
            *long = i16::try_from(distance).is_err();
            if *long && !long_jumps {
                return Err(range);
            }
        }
        _ => {}
    }
    Ok(())
}

fn register(allocation: Allocation) -> Reg {
    Reg(allocation.as_reg().map_or(0, |preg| preg.hw_enc() as u8))
}
