//! Calls: helpers of the firmware, helpers that are a few instructions, functions of the program.
//!
//! A helper of the firmware finds the map's number in A0, the key where the first local-memory index
//! points, a new value where the third one points, and flags in the registers of the fourth argument
//! (NFP.md, section 5). Functions of the program are called with what they change known, since they
//! are compiled before their callers; their frames lie at fixed places, since nothing recurses.

use mir::{Func, Value};

use super::half::{Half, Pair};
use super::memory::{VECTOR, VECTOR_ADDRESS, VECTOR_LENGTH};
use super::{RETURN_ADDRESS, Select, SelectError, parameter_registers};
use crate::isa::{AluOp, Condition};
use crate::lir::{Branch, Call, Edge, End, Helper, Op, Reg, Source, Target};
use crate::space::{Space, frame_offset};

/// Numbers of helpers (`enum bpf_func_id`).
mod id {
    pub(super) const LOOKUP: u32 = 1;
    pub(super) const UPDATE: u32 = 2;
    pub(super) const DELETE: u32 = 3;
    pub(super) const TIME: u32 = 5;
    pub(super) const RANDOM: u32 = 7;
    pub(super) const PERF_EVENT: u32 = 25;
    pub(super) const ADJUST_HEAD: u32 = 44;
    pub(super) const ADJUST_TAIL: u32 = 65;
}
/// What a pointer of an event's data points to, as the firmware is told (NFP.md, section 5).
mod pointer {
    pub(super) const SCALAR: u32 = 1;
    pub(super) const MAP_VALUE: u32 = 4;
    pub(super) const STACK: u32 = 6;
    pub(super) const PACKET: u32 = 8;
}
/// Shortest packet: an Ethernet header.
const SHORTEST: u8 = 14;
/// Shortest frame on a wire, without its check sum.
const SHORTEST_FRAME: i64 = 60;
/// The error of a move that cannot be: `-EINVAL`.
const INVALID: i64 = -22;

/// Words that a helper finds in registers: numbers, and values.
#[derive(Debug, Default)]
struct Words {
    constants: Vec<(u8, u32, bool)>,
    registers: Vec<(u8, Source)>,
}

impl Select<'_> {
    pub(super) fn helper(&mut self, helper: u32, args: &[Value]) -> Result<Pair, SelectError> {
        match (helper, args) {
            (id::LOOKUP | id::DELETE, [map, key, ..]) => {
                self.point_to_key(*key)?;
                self.map_helper(helper, *map, Words::default())
            }
            (id::UPDATE, [map, key, value, flags, ..]) => {
                self.point_to_key(*key)?;
                let value = self.pair(*value)?.low;
                self.set_value(value);
                let flags = self.pair(*flags)?;
                let mut words = Words::default();
                self.pass(4, flags, &mut words);
                self.map_helper(helper, *map, words)
            }
            (id::TIME, _) => self.call_firmware(helper, Words::default()),
            (id::RANDOM, _) => Ok(Pair::of(self.emit(Op::Random).into())),
            (id::PERF_EVENT, [_, map, flags, data, size]) => {
                self.perf_event(*map, *flags, *data, *size)
            }
            (id::ADJUST_HEAD, [_, by, ..]) => self.adjust_head(*by),
            (id::ADJUST_TAIL, [_, by, ..]) => self.adjust_tail(*by),
            _ => Err(self.unsupported("this helper")),
        }
    }

    /// Passes an argument in the registers of a parameter, counted from 1.
    fn pass(&mut self, parameter: u8, pair: Pair, words: &mut Words) {
        let halves = [(2 * parameter, pair.low), (2 * parameter + 1, pair.high)];
        for (number, half) in halves {
            match half {
                Half::Const(value) => words.constants.push((number, value, true)),
                half => {
                    let reg = self.register(half);
                    words.registers.push((number, Source::Reg(reg)));
                }
            }
        }
    }

    fn point_to_key(&mut self, key: Value) -> Result<(), SelectError> {
        if self.space(key) != Space::Stack {
            return Err(self.unsupported("a key that is not on the stack"));
        }
        let at = frame_offset(self.function, key).and_then(|at| self.stack_byte(at));
        let address = self.pair(key)?.low;
        self.set_key(at, address);
        Ok(())
    }

    fn map_helper(
        &mut self,
        helper: u32,
        map: Value,
        mut words: Words,
    ) -> Result<Pair, SelectError> {
        if !matches!(self.space(map), Space::Handle(_) | Space::SomeHandle) {
            return Err(self.unsupported("a map that is not named"));
        }
        match self.pair(map)?.low {
            Half::Const(map) => words.constants.push((0, map, false)),
            map => {
                let reg = self.register(map);
                words.registers.push((0, Source::Reg(reg)));
            }
        }
        self.call_firmware(helper, words)
    }

    fn call_firmware(&mut self, helper: u32, words: Words) -> Result<Pair, SelectError> {
        if !self.settings.capabilities.helpers.contains_key(&helper) {
            return Err(self.unsupported("a helper that its firmware does not have"));
        }
        let (low, high) = (self.lir.new_reg(), self.lir.new_reg());
        let call = Helper {
            id: helper,
            constants: words.constants,
            arguments: words.registers,
            low: Some(low),
            high: Some(high),
        };
        self.push(Op::Helper(Box::new(call)), Target::Nothing);
        self.constants.clear();
        self.after_helper();
        Ok(Pair {
            low: low.into(),
            high: high.into(),
        })
    }

    fn perf_event(
        &mut self,
        map: Value,
        flags: Value,
        data: Value,
        size: Value,
    ) -> Result<Pair, SelectError> {
        let kind = match self.space(data) {
            Space::Stack => pointer::STACK,
            Space::Packet => pointer::PACKET,
            Space::Map => pointer::MAP_VALUE,
            Space::Number | Space::Zero | Space::Unset => pointer::SCALAR,
            _ => return Err(self.unsupported("an event with data of this kind")),
        };
        let mut words = Words::default();
        for (parameter, value) in [(2, map), (3, flags), (4, data), (5, size)] {
            let pair = self.pair(value)?;
            self.pass(parameter, pair, &mut words);
        }
        words.constants.push((1, kind, false));
        // The firmware reads the stack by address; the first index stays where programs expect it.
        self.call_firmware(id::PERF_EVENT, words)
    }

    /// A word of the packet vector with something added or taken off.
    fn change_vector(&mut self, op: AluOp, word: u8, by: Source) {
        let local = Source::Local(VECTOR, word);
        self.push(Op::Alu(op, local, by), Target::Local(VECTOR, word));
    }

    /// The block goes on at `next` where a condition holds, else at `failed`.
    fn unless(&mut self, condition: Condition, failed: &Edge) {
        let (next, edge) = self.way();
        self.end(End::Branch(
            Branch::Conditions(condition),
            failed.clone(),
            edge,
        ));
        self.start(next);
    }

    /// What a move of the packet gives: zero, or an error.
    fn moved(&mut self, failed: crate::lir::Block) -> Pair {
        let done = self.new_block();
        let results = [self.lir.new_reg(), self.lir.new_reg()];
        for (block, result) in [(None, 0i64), (Some(failed), INVALID)] {
            if let Some(block) = block {
                self.start(block);
            }
            let pair = Pair::constant(result.cast_unsigned());
            let args = [pair.low, pair.high].map(|half| self.register(half));
            self.end(End::Jump(Edge::with(done, args)));
        }
        self.arms -= 1;
        self.start(done);
        self.lir.blocks[done.index()].params = results.to_vec();
        Pair {
            low: results[0].into(),
            high: results[1].into(),
        }
    }

    fn adjust_head(&mut self, by: Value) -> Result<Pair, SelectError> {
        let Some(limits) = self.settings.capabilities.adjust_head else {
            return Err(self.unsupported("a helper that its firmware does not have"));
        };
        let pair = self.pair(by)?;
        let once = self.settings.moves_once;
        if let Some(by) = pair.low.as_const()
            && once
            && (-i64::from(limits.guaranteed_sub)..=i64::from(limits.guaranteed_add))
                .contains(&i64::from(by as i32))
            && i64::from(by as i32) <= SHORTEST_FRAME - i64::from(SHORTEST)
        {
            // Always possible, as the firmware says, and enough is left of any frame.
            let (up, down, by) = match by as i32 {
                by if by < 0 => (AluOp::Sub, AluOp::Add, by.unsigned_abs()),
                by => (AluOp::Add, AluOp::Sub, by.unsigned_abs()),
            };
            let by = self.source(Half::Const(by));
            self.change_vector(up, VECTOR_ADDRESS, by);
            self.change_vector(down, VECTOR_LENGTH, by);
            return Ok(Pair::constant(0));
        }
        self.arms += 1;
        let by = self.register(pair.low);
        let failed = self.way();
        // The address's low half is the place in the packet's buffer.
        let address = Source::Local(VECTOR, VECTOR_ADDRESS);
        let place = self.emit(Op::Alu(AluOp::Add16, Source::Reg(by), address));
        let least = self.source(Half::Const(limits.min));
        let test = Op::Alu(AluOp::Sub, Source::Reg(place), least);
        self.push(test, Target::Nothing);
        self.unless(Condition::CarryClear, &failed.1);
        let most = self.source(Half::Const(limits.max));
        let test = Op::Alu(AluOp::Sub, most, Source::Reg(place));
        self.push(test, Target::Nothing);
        self.unless(Condition::CarryClear, &failed.1);
        let length = self.length();
        let left = self.alu(AluOp::Sub, length, by.into());
        self.long_enough(left, &failed.1);
        self.push(
            Op::Field {
                old: Some(address),
                source: Source::Reg(place),
                shift: crate::isa::Shift::None,
                mask: 3,
            },
            Target::Local(VECTOR, VECTOR_ADDRESS),
        );
        self.change_vector(AluOp::Sub, VECTOR_LENGTH, Source::Reg(by));
        Ok(self.moved(failed.0))
    }

    fn long_enough(&mut self, length: Half, failed: &Edge) {
        let source = self.source(length);
        let test = Op::Alu(AluOp::Sub, source, Source::Immediate(SHORTEST));
        self.push(test, Target::Nothing);
        self.unless(Condition::Negative, failed);
    }

    fn adjust_tail(&mut self, by: Value) -> Result<Pair, SelectError> {
        if !self.settings.capabilities.adjust_tail {
            return Err(self.unsupported("a helper that its firmware does not have"));
        }
        let by = self.pair(by)?.low;
        self.arms += 1;
        let failed = self.way();
        let length = self.length();
        if let Half::Const(by) = by {
            if (by as i32) >= 0 {
                // Only zero and growth: the sum does not wrap, which the card refuses.
                self.end(End::Jump(failed.1.clone()));
                let next = self.new_block();
                self.start(next);
                return Ok(self.moved(failed.0));
            }
            let less = by.wrapping_neg();
            let less = self.source(Half::Const(less));
            let length = self.source(length);
            let left = self.emit(Op::Alu(AluOp::Sub, length, less));
            self.long_enough(left.into(), &failed.1);
            self.change_vector(AluOp::Sub, VECTOR_LENGTH, less);
            return Ok(self.moved(failed.0));
        }
        let by = self.register(by);
        let length = self.source(length);
        let left = self.emit(Op::Alu(AluOp::Add, length, Source::Reg(by)));
        self.unless(Condition::CarryClear, &failed.1);
        self.long_enough(left.into(), &failed.1);
        self.change_vector(AluOp::Add, VECTOR_LENGTH, Source::Reg(by));
        Ok(self.moved(failed.0))
    }

    pub(super) fn call_function(
        &mut self,
        func: Func,
        args: &[Value],
    ) -> Result<Pair, SelectError> {
        // The entry is the last to be compiled and the first of the program.
        let place = self.unit.order.iter().rev().position(|one| *one == func);
        let (Some(function), Some(interface)) = (place, self.unit.interfaces.get(&func)) else {
            return Err(self.unsupported("a call of this function"));
        };
        self.restore_index();
        let mut arguments = Vec::new();
        for (index, arg) in args.iter().enumerate() {
            if self.space(*arg) == Space::Context {
                continue;
            }
            let pair = self.pair(*arg)?;
            for (place, half) in parameter_registers(index)
                .into_iter()
                .zip([pair.low, pair.high])
            {
                if interface.parameters.contains(&place) {
                    arguments.push((place, Source::Reg(self.register(half))));
                }
            }
        }
        let results: [Reg; 2] = [self.lir.new_reg(), self.lir.new_reg()];
        let mut clobbers = interface.clobbers.clone();
        clobbers.push(RETURN_ADDRESS);
        let call = Call {
            function,
            arguments,
            results: parameter_registers(0).into_iter().zip(results).collect(),
            clobbers,
        };
        self.push(Op::Call(Box::new(call)), Target::Nothing);
        self.constants.clear();
        self.local.forget_windows();
        Ok(Pair {
            low: results[0].into(),
            high: results[1].into(),
        })
    }
}
