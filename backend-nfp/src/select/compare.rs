//! Comparisons and the branches that depend on them.
//!
//! A byte or two of a word against a number are branches on bytes; a single bit is a branch on a
//! bit; the packet's end is its length, with which constant distances from its beginning compare.

use bpf::insn::Cond;
use mir::{BlockCall, Type, Value};

use super::half::{Bits, Half, Pair, Word, ZERO};
use super::immediate::operand_cost;
use super::{Select, SelectError};
use crate::isa::{AluOp, Condition};
use crate::lir::{Branch, Edge, End, Op, Source, Target};
use crate::space::Space;
use crate::window::Root;

impl Select<'_> {
    pub(super) fn branch(
        &mut self,
        cond: Cond,
        ty: Type,
        args: [Value; 2],
        taken: &BlockCall,
        other: &BlockCall,
    ) -> Result<(), SelectError> {
        let (yes, no) = (self.way(), self.way());
        if !self.compare_packet(cond, args, &yes.1, &no.1)? {
            let (a, b) = (self.pair(args[0])?, self.pair(args[1])?);
            let wide = ty == Type::I64
                && self.space(args[0]) != Space::Packet
                && self.space(args[1]) != Space::Packet;
            self.compare(cond, wide, a, b, yes.1, no.1)?;
        }
        self.fill_way(yes.0, taken)?;
        self.fill_way(no.0, other)
    }

    /// Comparisons of two addresses in the packet.
    fn compare_packet(
        &mut self,
        cond: Cond,
        args: [Value; 2],
        yes: &Edge,
        no: &Edge,
    ) -> Result<bool, SelectError> {
        let is_packet = |value| self.space(value) == Space::Packet;
        if !is_packet(args[0]) || !is_packet(args[1]) {
            return Ok(false);
        }
        let planner = self.planner();
        let (a, b) = (planner.address(args[0]), planner.address(args[1]));
        let (cond, a, b) = match (a.0, b.0) {
            (Root::Data, Root::DataEnd) => (cond, a, b),
            (Root::DataEnd, Root::Data) => (cond.exchanged(), b, a),
            _ => return Ok(false),
        };
        // Beginning + distance against beginning + length.
        let Some(distance) = a.1.checked_sub(b.1).and_then(|by| u32::try_from(by).ok()) else {
            return Ok(false);
        };
        let length = Pair::of(self.length());
        let distance = Pair::constant(distance.into());
        self.compare(cond, false, distance, length, yes.clone(), no.clone())?;
        Ok(true)
    }

    /// Ends the block with a comparison.
    pub(super) fn compare(
        &mut self,
        cond: Cond,
        wide: bool,
        a: Pair,
        b: Pair,
        yes: Edge,
        no: Edge,
    ) -> Result<(), SelectError> {
        let both_short = wide && a.high == ZERO && b.high == ZERO;
        let wide = wide && !both_short;
        // Numbers without an upper half are positive, however high their low half is.
        let cond = match cond {
            Cond::Sgt if both_short => Cond::Gt,
            Cond::Sge if both_short => Cond::Ge,
            Cond::Slt if both_short => Cond::Lt,
            Cond::Sle if both_short => Cond::Le,
            cond => cond,
        };
        match cond {
            Cond::Eq => self.equal(wide, a, b, yes, no),
            Cond::Ne => self.equal(wide, a, b, no, yes),
            Cond::Set => self.any_set(wide, a, b, yes, no),
            _ => {
                self.order(cond, wide, a, b, yes, no);
                Ok(())
            }
        }
    }

    fn end_if(&mut self, condition: Condition, yes: Edge, no: Edge) {
        self.end(End::Branch(Branch::Conditions(condition), yes, no));
    }

    /// A branch to `yes` where two values are equal.
    fn equal(
        &mut self,
        wide: bool,
        a: Pair,
        b: Pair,
        yes: Edge,
        no: Edge,
    ) -> Result<(), SelectError> {
        let (a, b) = match a.low.as_const() {
            Some(_) => (b, a),
            None => (a, b),
        };
        if !wide {
            return self.equal_half(a.low, b.low, yes, no);
        }
        if b.as_constant() == Some(0) {
            let sources = self.sources(a.low, a.high, false);
            self.push(Op::Alu(AluOp::Or, sources.0, sources.1), Target::Nothing);
            self.end_if(Condition::Equal, yes, no);
            return Ok(());
        }
        // Halves one after the other; the second is asked where the first are equal.
        let (next, edge) = self.way();
        self.equal_half(a.low, b.low, edge, no.clone())?;
        self.arms += 1;
        self.start(next);
        let done = self.equal_half(a.high, b.high, yes, no);
        self.arms -= 1;
        done
    }

    fn equal_half(&mut self, a: Half, b: Half, yes: Edge, no: Edge) -> Result<(), SelectError> {
        let (a, b) = match a {
            Half::Const(_) => (b, a),
            Half::Bits(_) => (a, b),
        };
        let always = |select: &mut Self, yes: bool, edges: (Edge, Edge)| {
            // The other way's block stays without predecessors.
            let to = if yes { edges.0 } else { edges.1 };
            select.end(End::Jump(to));
        };
        match (a, b) {
            (Half::Const(a), Half::Const(b)) => {
                always(self, a == b, (yes, no));
                return Ok(());
            }
            (Half::Bits(bits), Half::Const(value)) => {
                if value & !bits.mask != 0 {
                    always(self, false, (yes, no));
                    return Ok(());
                }
                if self.equal_bytes(bits, value, &yes, &no) {
                    return Ok(());
                }
                if value == 0 {
                    self.test(a);
                    self.end_if(Condition::Equal, yes, no);
                    return Ok(());
                }
            }
            _ => {}
        }
        let (x, y) = self.sources(a, b, false);
        self.push(Op::Alu(AluOp::Sub, x, y), Target::Nothing);
        self.end_if(Condition::Equal, yes, no);
        Ok(())
    }

    /// One bit, or one or two whole bytes, of a word against a number.
    fn equal_bytes(&mut self, bits: Bits, value: u32, yes: &Edge, no: &Edge) -> bool {
        let by = u32::from(bits.rotate);
        let (mask, value) = (bits.mask.rotate_left(by), value.rotate_left(by));
        if matches!(bits.word, Word::Local(..)) {
            return false;
        }
        if mask.count_ones() == 1 {
            let source = self.short_word(bits.word);
            let bit = mask.trailing_zeros() as u8;
            self.end(End::Branch(
                Branch::Bit(source, bit, value != 0),
                yes.clone(),
                no.clone(),
            ));
            return true;
        }
        let Some(bytes) = Bits::byte_mask(mask) else {
            return false;
        };
        let places: Vec<u8> = (0..4).filter(|byte| bytes >> byte & 1 != 0).collect();
        // Zero in two bytes is one test and one branch as well; a number of more is a comparison.
        let most = 2;
        if places.len() > most {
            return false;
        }
        let Some((last, first)) = places.split_last() else {
            return false;
        };
        let source = self.short_word(bits.word);
        let branch = |byte: u8| Branch::Byte(source, byte, (value >> (8 * byte)) as u8, true);
        for byte in first {
            let (next, edge) = self.way();
            let through = no.clone();
            self.end(End::Branch(branch(*byte), edge, through));
            self.start(next);
        }
        self.end(End::Branch(branch(*last), yes.clone(), no.clone()));
        true
    }

    /// Sets condition codes by a half.
    fn test(&mut self, half: Half) {
        if let Half::Bits(bits) = half {
            let by = u32::from(bits.rotate);
            let mask = bits.mask.rotate_left(by);
            if mask != u32::MAX {
                // Where the bits lie makes no difference to whether one is set.
                let word = Half::from(bits.word);
                let (a, b) = self.sources(word, Half::Const(mask), false);
                self.push(Op::Alu(AluOp::And, a, b), Target::Nothing);
                return;
            }
        }
        let source = self.source(half);
        let op = Op::Alu(AluOp::Move, Source::Nothing, source);
        self.push(op, Target::Nothing);
    }

    /// A branch to `yes` where two values have a bit in common.
    fn any_set(
        &mut self,
        wide: bool,
        a: Pair,
        b: Pair,
        yes: Edge,
        no: Edge,
    ) -> Result<(), SelectError> {
        let (a, b) = match a.as_constant() {
            Some(_) => (b, a),
            None => (a, b),
        };
        let high_matters =
            wide && a.high != ZERO && b.high != ZERO && a.high.possible() & b.high.possible() != 0;
        if !high_matters {
            return self.set_half(a.low, b.low, yes, no);
        }
        if b.low == ZERO {
            return self.set_half(a.high, b.high, yes, no);
        }
        let low = self.meet(a.low, b.low);
        let high = self.meet(a.high, b.high);
        let sources = self.sources(low, high, false);
        self.push(Op::Alu(AluOp::Or, sources.0, sources.1), Target::Nothing);
        self.end_if(Condition::NotEqual, yes, no);
        Ok(())
    }

    fn meet(&mut self, a: Half, b: Half) -> Half {
        match (a, b) {
            (a, Half::Const(mask)) => a.and(mask),
            (Half::Const(mask), b) => b.and(mask),
            _ => self.alu(AluOp::And, a, b),
        }
    }

    fn set_half(&mut self, a: Half, b: Half, yes: Edge, no: Edge) -> Result<(), SelectError> {
        if a.as_const().is_some() || b.as_const().is_some() {
            let met = self.meet(a, b);
            return self.equal_half(met, ZERO, no, yes);
        }
        let (x, y) = self.sources(a, b, false);
        self.push(Op::Alu(AluOp::And, x, y), Target::Nothing);
        self.end_if(Condition::NotEqual, yes, no);
        Ok(())
    }

    fn order(&mut self, cond: Cond, wide: bool, a: Pair, b: Pair, yes: Edge, no: Edge) {
        // Less, or greater or equal, of one order or the other.
        let (condition, a, b) = match cond {
            Cond::Lt => (Condition::CarryClear, a, b),
            Cond::Ge => (Condition::CarrySet, a, b),
            Cond::Gt => (Condition::CarryClear, b, a),
            Cond::Le => (Condition::CarrySet, b, a),
            Cond::Slt => (Condition::Less, a, b),
            Cond::Sge => (Condition::GreaterOrEqual, a, b),
            Cond::Sgt => (Condition::Less, b, a),
            _ => (Condition::GreaterOrEqual, b, a),
        };
        let (a, b, condition) = nearer(a, b, condition, wide);
        // Signs of 64-bit numbers without an upper half are all plus.
        if !wide {
            if condition_on_sign(condition) && b.low == ZERO && a.low.as_const().is_none() {
                let bits = a.low;
                if let Half::Bits(found) = bits
                    && found.mask >> 31 != 0
                    && !matches!(found.word, Word::Local(..))
                {
                    let source = self.short_word(found.word);
                    let bit = ((31 + u32::from(found.rotate)) % 32) as u8;
                    let set = condition == Condition::Less;
                    self.end(End::Branch(Branch::Bit(source, bit, set), yes, no));
                    return;
                }
            }
            let (x, y) = self.sources(a.low, b.low, false);
            self.push(Op::Alu(AluOp::Sub, x, y), Target::Nothing);
            self.end_if(condition, yes, no);
            return;
        }
        if condition_on_sign(condition)
            && b.as_constant() == Some(0)
            && let Half::Bits(found) = a.high
            && found.mask >> 31 != 0
        {
            let source = self.short_word(found.word);
            let bit = ((31 + u32::from(found.rotate)) % 32) as u8;
            let set = condition == Condition::Less;
            self.end(End::Branch(Branch::Bit(source, bit, set), yes, no));
            return;
        }
        let low = self.sources(a.low, b.low, false);
        let high = self.sources(a.high, b.high, false);
        if b.low != ZERO {
            self.push(Op::Alu(AluOp::Sub, low.0, low.1), Target::Nothing);
            self.push(Op::Alu(AluOp::SubCarry, high.0, high.1), Target::Nothing);
        } else {
            // Nothing is borrowed from the upper half.
            self.push(Op::Alu(AluOp::Sub, high.0, high.1), Target::Nothing);
        }
        self.end_if(condition, yes, no);
    }
}

fn condition_on_sign(condition: Condition) -> bool {
    matches!(condition, Condition::Less | Condition::GreaterOrEqual)
}

/// Comparisons with a number that is one more than a cheaper one: `a < 256` is `!(255 < a)`.
fn nearer(a: Pair, b: Pair, condition: Condition, wide: bool) -> (Pair, Pair, Condition) {
    let inverse = match condition {
        Condition::CarryClear => Condition::CarrySet,
        Condition::CarrySet => Condition::CarryClear,
        Condition::Less => Condition::GreaterOrEqual,
        _ => Condition::Less,
    };
    let signed = condition_on_sign(condition);
    let range = |value: u64| match (wide, signed) {
        (true, _) => value,
        (false, true) => i64::from(value as i32).cast_unsigned(),
        (false, false) => value & u64::from(u32::MAX),
    };
    let cost = |value: u64| {
        let high = if wide { (value >> 32) as u32 } else { 0 };
        operand_cost(value as u32) + operand_cost(high)
    };
    if let Some(value) = b.as_constant() {
        // a < v is !(v - 1 < a).
        let value = range(value);
        let lowest = match (signed, wide) {
            (false, _) => value == 0,
            (true, true) => value == i64::MIN.cast_unsigned(),
            (true, false) => value as u32 == 0x8000_0000,
        };
        let less = value.wrapping_sub(1);
        if !lowest && cost(less) < cost(value) {
            return (Pair::constant(less), a, inverse);
        }
    } else if let Some(value) = a.as_constant() {
        // v < a is !(a < v + 1).
        let value = range(value);
        let highest = match (signed, wide) {
            (false, true) => value == u64::MAX,
            (false, false) => value == u64::from(u32::MAX),
            (true, true) => value == i64::MAX.cast_unsigned(),
            (true, false) => value as u32 == 0x7fff_ffff,
        };
        let more = value.wrapping_add(1);
        if !highest && (cost(more) < cost(value) || signed && more == 0) {
            return (b, Pair::constant(more), inverse);
        }
    }
    (a, b, condition)
}
