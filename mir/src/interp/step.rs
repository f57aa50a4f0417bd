//! One instruction after another.

use super::call::Exit;
use super::{Cell, Frame, Interpreter, place, unsupported};
use crate::entity::{Block, Inst, Symbol, Value};
use crate::eval;
use crate::inst::{BlockCall, InstData};
use crate::opcode::Opcode;
use bpf::insn::{AtomicOp, MemWidth};
use bpf::interp::{Fault, FaultKind, Machine, Meaning};
use smallvec::SmallVec;

/// What follows an instruction.
pub(super) enum Next {
    /// The next one, with this result.
    Value(Cell),
    Nothing,
    Goto(BlockCall),
    Exit(Exit),
}

impl Interpreter<'_> {
    /// Runs from the start of a block to the end of the function.
    pub(super) fn run_blocks(
        &mut self,
        machine: &mut Machine,
        frame: &mut Frame<'_>,
        entry: Block,
    ) -> Result<Exit, Fault> {
        let func = frame.func;
        let mut next = func.layout.first_inst(entry);
        self.cover(frame.id, entry);
        while let Some(inst) = next {
            self.count_step(machine)
                .map_err(|fault| place(fault, func, inst))?;
            let outcome = self
                .step(machine, frame, inst)
                .map_err(|fault| place(fault, func, inst))?;
            next = match outcome {
                Next::Value(cell) => {
                    if let Some(result) = func.dfg.result(inst) {
                        frame.set(result, cell);
                    }
                    func.layout.next_inst(inst)
                }
                Next::Nothing => func.layout.next_inst(inst),
                Next::Exit(exit) => return Ok(exit),
                Next::Goto(call) => {
                    // All arguments are read before the first parameter is written.
                    let args: SmallVec<[Cell; 12]> = func
                        .dfg
                        .call_args(&call)
                        .iter()
                        .map(|&arg| frame.get(arg))
                        .collect();
                    for (&param, cell) in func.dfg.block_params(call.block).iter().zip(args) {
                        frame.set(param, cell);
                    }
                    self.cover(frame.id, call.block);
                    func.layout.first_inst(call.block)
                }
            };
        }
        Err(unsupported("a block without terminator"))
    }

    fn number(&self, frame: &Frame<'_>, value: Value) -> Result<u64, Fault> {
        self.read(frame.get(value))
    }

    fn address(&self, frame: &Frame<'_>, base: Value, offset: i32) -> Result<u64, Fault> {
        let base = self.number(frame, base)?;
        Ok(base.wrapping_add_signed(i64::from(offset)))
    }

    fn symbol(&self, symbol: Symbol) -> Result<u64, Fault> {
        if let Some(address) = self.symbols[symbol] {
            return Ok(address);
        }
        let (pseudo, value) = self
            .module
            .symbols
            .get(symbol)
            .map_or((0, 0), |data| (data.pseudo, data.imm));
        Err(FaultKind::Unresolved { pseudo, value }.into())
    }

    fn step(
        &mut self,
        machine: &mut Machine,
        frame: &mut Frame<'_>,
        inst: Inst,
    ) -> Result<Next, Fault> {
        let func = frame.func;
        let pool = &func.dfg.pool;
        let result = match *func.dfg.inst(inst) {
            InstData::Nullary {
                opcode: Opcode::Frame,
                ..
            } => frame.pointer,
            InstData::Nullary { .. } => return Ok(Next::Value(Cell::undefined())),
            InstData::Const { ty, imm } => eval::to_type(ty, imm.cast_unsigned()),
            InstData::SymbolAddr { symbol } => self.symbol(symbol)?,
            InstData::Unary { opcode, ty, arg } => {
                let arg = self.number(frame, arg)?;
                eval::unary(opcode, ty, arg, self.module.endian).ok_or_else(|| wrong(opcode))?
            }
            // The machine has one address space.
            InstData::SpaceCast { arg, .. } => self.number(frame, arg)?,
            InstData::Binary {
                opcode,
                ty,
                args: [a, b],
            } => {
                let (a, b) = (self.number(frame, a)?, self.number(frame, b)?);
                eval::binary(opcode, ty, a, b).ok_or_else(|| wrong(opcode))?
            }
            InstData::Load {
                opcode,
                width,
                base,
                offset,
            } => {
                let value = machine.load(self.address(frame, base, offset)?, width)?;
                match opcode {
                    Opcode::Sload => sign_extend(value, width),
                    _ => value,
                }
            }
            InstData::Store {
                width,
                base,
                value,
                offset,
                ..
            } => {
                let address = self.address(frame, base, offset)?;
                machine.store(address, width, self.number(frame, value)?)?;
                return Ok(Next::Nothing);
            }
            InstData::AtomicRmw {
                op,
                width,
                fetch,
                offset,
                base,
                value,
            } => {
                let address = self.address(frame, base, offset)?;
                let old = machine.atomic(address, width, op, self.number(frame, value)?, 0)?;
                if !fetch {
                    return Ok(Next::Nothing);
                }
                old
            }
            InstData::CompareExchange {
                width,
                offset,
                base,
                expected,
                value,
            } => {
                let address = self.address(frame, base, offset.into())?;
                let expected = self.number(frame, expected)?;
                let value = self.number(frame, value)?;
                machine.atomic(address, width, AtomicOp::Cmpxchg, value, expected)?
            }
            InstData::LoadAbs { width, imm, .. } => {
                return Ok(packet_load(machine, imm.cast_unsigned(), width));
            }
            InstData::LoadInd {
                width, imm, index, ..
            } => {
                let index = self.number(frame, index)? as u32;
                let offset = index.wrapping_add_signed(imm);
                return Ok(packet_load(machine, offset, width));
            }
            InstData::CallHelper { id, args } => {
                return self.call_helper(machine, frame, id, args.as_slice(pool));
            }
            InstData::CallFunc { func: callee, args } => {
                let args = cells(frame, args.as_slice(pool));
                let cell = self.call(machine, callee, &args)?;
                return Ok(self.returned(cell));
            }
            InstData::CallIndirect { callee, args } => {
                let (address, args) = (self.number(frame, callee)?, args.as_slice(pool));
                // A number is a helper's, as in the bytecode interpreter.
                if let (Meaning::Nothing, Ok(id)) =
                    (machine.memory().meaning(address), u32::try_from(address))
                {
                    return self.call_helper(machine, frame, id, args);
                }
                let cell = self.call_address(machine, address, &cells(frame, args))?;
                return Ok(self.returned(cell));
            }
            InstData::CallExternal { external, .. } => self.call_external(external)?,
            InstData::Jump { target } => return Ok(Next::Goto(target)),
            InstData::Branch {
                cond,
                ty,
                args: [a, b],
                ..
            } => {
                let (a, b) = (self.number(frame, a)?, self.number(frame, b)?);
                self.note_comparison(a, b);
                return Ok(successor(frame, inst, eval::compare(cond, ty, a, b)));
            }
            InstData::MayGoto { .. } => {
                let exhausted = frame.loop_budget == 0;
                frame.loop_budget = frame.loop_budget.saturating_sub(1);
                return Ok(successor(frame, inst, exhausted));
            }
            InstData::Return { arg } => {
                return Ok(Next::Exit(Exit::Return(frame.get(arg))));
            }
        };
        Ok(Next::Value(Cell::new(result)))
    }
}

fn successor(frame: &Frame<'_>, inst: Inst, taken: bool) -> Next {
    let calls = frame.func.dfg.successors(inst);
    match calls.get(usize::from(!taken)) {
        Some(&call) => Next::Goto(call),
        None => Next::Nothing,
    }
}

fn cells(frame: &Frame<'_>, values: &[Value]) -> SmallVec<[Cell; 5]> {
    values.iter().map(|&value| frame.get(value)).collect()
}

/// A legacy packet load; out of bounds it ends the function with 0.
fn packet_load(machine: &Machine, offset: u32, width: MemWidth) -> Next {
    match machine.load_packet(offset, width) {
        Some(value) => Next::Value(Cell::new(value)),
        None => Next::Exit(Exit::Return(Cell::new(0))),
    }
}

fn sign_extend(value: u64, width: MemWidth) -> u64 {
    match width {
        MemWidth::B8 => value as i8 as u64,
        MemWidth::B16 => value as i16 as u64,
        MemWidth::B32 => value as i32 as u64,
        MemWidth::B64 => value,
    }
}

fn wrong(opcode: Opcode) -> Fault {
    unsupported(opcode.name())
}
