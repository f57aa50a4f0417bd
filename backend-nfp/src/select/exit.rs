//! The end of a program: from the number that a program returns to the firmware's verdict.
//!
//! The firmware wants bits in A0 (NFP.md, section 5). Where the number is known, so are the bits, and
//! all ways that end alike share one block; else the bits come out of a table by a shift, and all
//! ways share that block.

use bpf::program_type::ProgramType;
use mir::{BlockCall, InstData, Value};

use super::half::{Half, Pair, Word};
use super::{Select, SelectError};
use crate::isa::{AluOp, Condition, Shift, ShiftOp};
use crate::lir::{Block, Branch, Edge, End, Fixed, Op, Reg, Source, Target};

/// Place of the verdict's byte in its word.
const VERDICT: u32 = 16;
/// Bytes of XDP's verdicts: aborted, drop, pass, transmit.
const XDP: u32 = 0x4411_2282;
/// Bytes of TC's verdicts, 0 to 3 and 4 to 7.
const TC: [u32; 2] = [0x1122_1111, 0x4411_0202];
/// What numbers beyond those mean.
const XDP_OTHER: u32 = 0x82;
const TC_OTHER: u32 = 0x11;
/// Where a test finds the whole result: outgoing transfer registers.
pub(crate) const SHOWN: [u8; 2] = [30, 31];

/// The firmware's word for a result.
fn verdict(program_type: ProgramType, result: u32) -> u32 {
    let byte = match (program_type, result) {
        (ProgramType::Xdp, 0..4) => XDP >> (8 * result) & 0xff,
        (ProgramType::Xdp, _) => XDP_OTHER,
        (_, 0..4) => TC[0] >> (8 * result) & 0xff,
        (_, 4..8) => TC[1] >> (8 * (result - 4)) & 0xff,
        _ => TC_OTHER,
    };
    byte << VERDICT
}

impl Select<'_> {
    fn is_xdp(&self) -> bool {
        self.settings.program_type == ProgramType::Xdp
    }

    /// The block that ends the program with a verdict.
    fn exit_with(&mut self, bits: u32) -> Block {
        if let Some(block) = self.exits.get(&bits) {
            return *block;
        }
        let block = self.new_block();
        self.exits.insert(bits, block);
        let before = self.block;
        let constants = std::mem::take(&mut self.constants);
        self.block = block;
        let reg = self.emit(Op::Immediate(bits));
        self.end(End::Done(reg));
        self.block = before;
        self.constants = constants;
        block
    }

    fn jump_to_exit(&mut self, bits: u32) {
        let block = self.exit_with(bits);
        self.local_done();
        self.end(End::Jump(Edge::to(block)));
    }

    /// What the index registers point to is as in the beginning, or nobody's matter.
    pub(super) fn local_done(&mut self) {
        self.local = super::local::Indices::default();
    }

    /// Ends the block with a way out of the program that its caller may not come back from: what a
    /// legacy load does beyond the packet's end.
    pub(super) fn edge_to_zero(&mut self) -> Edge {
        let block = if self.settings.show_result {
            let block = self.new_block();
            let before = self.block;
            let constants = std::mem::take(&mut self.constants);
            let local = self.local;
            self.block = block;
            self.finish(Pair::constant(0), 0);
            self.block = before;
            self.constants = constants;
            self.local = local;
            block
        } else {
            self.exit_with(verdict(self.settings.program_type, 0))
        };
        Edge::to(block)
    }

    /// Ends the block by leaving the program, if all that a jump leads to is a return.
    pub(super) fn exit_by(&mut self, call: &BlockCall) -> Result<bool, SelectError> {
        let block = call.block;
        let Some(inst) = self.function.layout.first_inst(block) else {
            return Ok(false);
        };
        let InstData::Return { arg } = *self.function.dfg.inst(inst) else {
            return Ok(false);
        };
        let arg = self.function.dfg.resolve(arg);
        let params = self.function.dfg.block_params(block);
        let value = match params.iter().position(|param| *param == arg) {
            Some(index) => self.function.dfg.call_args(call).get(index).copied(),
            None => Some(arg),
        };
        let Some(value) = value else {
            return Ok(false);
        };
        // One block that returns is left to itself, unless it would have to be told what.
        if params.is_empty() && self.function.constant(value).is_none() {
            return Ok(false);
        }
        self.return_(value)?;
        Ok(true)
    }

    pub(super) fn return_(&mut self, value: Value) -> Result<(), SelectError> {
        let pair = self.pair(value)?;
        let Some(address) = self.return_address else {
            let most = self.known.get(self.function, value).max();
            self.finish(pair, most);
            return Ok(());
        };
        let (low, high) = (self.register(pair.low), self.register(pair.high));
        self.restore_index();
        let places = super::parameter_registers(0);
        let results: Vec<(Fixed, Reg)> = places.into_iter().zip([low, high]).collect();
        self.end(End::Return(address, results));
        Ok(())
    }

    /// Ends the program with a result of which the largest possible value is known.
    fn finish(&mut self, pair: Pair, most: u64) {
        if self.settings.show_result {
            for (half, place) in [pair.low, pair.high].into_iter().zip(SHOWN) {
                let reg = self.register(half);
                let op = Op::Alu(AluOp::Move, Source::Nothing, Source::Reg(reg));
                self.push(op, Target::Out(place));
            }
        }
        if let Half::Const(result) = pair.low {
            self.jump_to_exit(verdict(self.settings.program_type, result));
            return;
        }
        let result = self.register(pair.low);
        let within = match self.dynamic_exit {
            Some(block) => block,
            None => {
                let block = self.new_block();
                self.dynamic_exit = Some(block);
                self.make_dynamic_exit(block);
                block
            }
        };
        self.local_done();
        let (largest, other) = if self.is_xdp() {
            (3u8, XDP_OTHER)
        } else {
            (7, TC_OTHER)
        };
        let edge = Edge::with(within, [result]);
        if most <= largest.into() {
            self.end(End::Jump(edge));
            return;
        }
        let check = self.checked_exit(largest, other << VERDICT, edge.block);
        self.end(End::Jump(Edge {
            block: check,
            args: edge.args,
        }));
    }

    /// What follows makes a verdict of a number, as every program's end does that returns one: none of
    /// the program's own instructions.
    fn as_verdict(&mut self) -> (Option<mir::SourceLoc>, u32) {
        let before = (self.location, self.origin);
        (self.location, self.origin) = (None, crate::compile::VERDICT);
        before
    }

    /// The block, with the result as parameter, that tells results beyond the largest from others.
    fn checked_exit(&mut self, largest: u8, other: u32, within: Block) -> Block {
        if let Some(block) = self.exits.get(&u32::MAX) {
            return *block;
        }
        let block = self.new_block();
        self.exits.insert(u32::MAX, block);
        let before = self.block;
        let constants = std::mem::take(&mut self.constants);
        let place = self.as_verdict();
        let outside = self.exit_with(other);
        let inside = self.new_block();
        let result = self.lir.new_reg();
        self.lir.blocks[block.index()].params.push(result);
        self.block = block;
        let op = Op::Alu(AluOp::Sub, Source::Immediate(largest), Source::Reg(result));
        self.push(op, Target::Nothing);
        let edge = |block| Edge::to(block);
        self.end(End::Branch(
            Branch::Conditions(Condition::CarrySet),
            edge(inside),
            edge(outside),
        ));
        self.block = inside;
        self.end(End::Jump(Edge::with(within, [result])));
        (self.location, self.origin) = place;
        self.block = before;
        self.constants = constants;
        block
    }

    /// The block that makes a verdict of a result within the table.
    fn make_dynamic_exit(&mut self, block: Block) {
        let before = self.block;
        let constants = std::mem::take(&mut self.constants);
        let result = self.lir.new_reg();
        self.lir.blocks[block.index()].params.push(result);
        self.block = block;
        let place = self.as_verdict();
        self.arms += 1;
        let amount = self.emit(Op::Shift(
            ShiftOp::Move,
            Source::Nothing,
            Source::Reg(result),
            Shift::Left(3),
        ));
        let table = if self.is_xdp() {
            self.emit(Op::Immediate(XDP))
        } else {
            self.tc_table(result)
        };
        let byte = self.emit(Op::IndirectShift {
            amount: Source::Reg(amount),
            op: ShiftOp::Move,
            left: Source::Nothing,
            right: Source::Reg(table),
            to_left: false,
        });
        let byte = Half::from(Word::Reg(byte))
            .left(VERDICT)
            .and(0xff << VERDICT);
        let verdict = self.register(byte);
        self.end(End::Done(verdict));
        (self.location, self.origin) = place;
        self.arms -= 1;
        self.block = before;
        self.constants = constants;
    }

    /// The half of TC's table that bit 2 of the result chooses.
    fn tc_table(&mut self, result: Reg) -> Reg {
        let chosen = self.lir.new_reg();
        let (first, second, join) = (self.new_block(), self.new_block(), self.new_block());
        let edge = |block| Edge::to(block);
        self.end(End::Branch(
            Branch::Bit(Source::Reg(result), 2, true),
            edge(second),
            edge(first),
        ));
        for (block, table) in [(first, TC[0]), (second, TC[1])] {
            self.block = block;
            let table = self.emit(Op::Immediate(table));
            self.end(End::Jump(Edge::with(join, [table])));
        }
        self.block = join;
        self.lir.blocks[join.index()].params.push(chosen);
        chosen
    }
}
