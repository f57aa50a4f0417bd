//! Divisions and remainders, which the machine does not have, in terms of what it has.
//!
//! **What.** By a number: a product with the number's inverse and a shift. By a register: a loop that
//! finds a bit of the quotient in each round. Signed ones divide the magnitudes.
//!
//! **Why sound.** For a dividend of at most *N* and an inverse *m* = ⌈2ˢ/*d*⌉, the quotient is
//! ⌊*xm*/2ˢ⌋ as long as *N*(*md* − 2ˢ) < 2ˢ: the error then stays below one part in *d*. An inverse of
//! 33 bits is applied as its low 32 bits, the half of what is left, and one shift less. Division by
//! zero gives zero and its remainder the dividend, as BPF has it. All is written as MIR, so its
//! interpreter checks it.
//!
//! **Cost.** Constant for each division.

use bpf::insn::Cond;
use mir::analysis::{ControlFlowGraph, KnownBits, KnownValues};
use mir::{Block, Cursor, Function, Inst, InstData, Opcode, Type, Value};

/// A division to replace.
struct Division {
    inst: Inst,
    opcode: Opcode,
    ty: Type,
    args: [Value; 2],
    /// What is known of dividend and divisor.
    known: [KnownBits; 2],
}

/// `get_prandom_u32`, by `enum bpf_func_id`.
const RANDOM: u32 = 7;
/// Says of random numbers that they have 32 bits, which the kernel's verifier does not know.
pub fn random_numbers(func: &mut Function) {
    let insts = func
        .layout
        .blocks()
        .flat_map(|block| func.layout.insts(block));
    let random: Vec<Inst> = insts
        .filter(|inst| {
            matches!(
                *func.dfg.inst(*inst),
                InstData::CallHelper { id: RANDOM, .. }
            )
        })
        .collect();
    for inst in random {
        let (Some(result), Some(next)) = (func.dfg.result(inst), func.layout.next_inst(inst))
        else {
            continue;
        };
        let mut cursor = Cursor::before(func, next).with_cause(inst);
        let low = cursor.ins().trunc(result);
        let known = cursor.ins().zext(low);
        let Some((narrowing, _)) = func.dfg.def_inst(low) else {
            continue;
        };
        for block in func.layout.blocks().collect::<Vec<_>>() {
            for inst in func.layout.insts(block).collect::<Vec<_>>() {
                if inst != narrowing {
                    func.dfg
                        .map_operands(inst, |value| if value == result { known } else { value });
                }
            }
        }
    }
}

/// Replaces all divisions and remainders of a function.
pub fn divisions(func: &mut Function) {
    let cfg = ControlFlowGraph::compute(func);
    let known = KnownValues::compute(func, &cfg);
    let mut found = Vec::new();
    for block in func.layout.blocks() {
        for inst in func.layout.insts(block) {
            if let InstData::Binary {
                opcode: opcode @ (Opcode::Udiv | Opcode::Urem | Opcode::Sdiv | Opcode::Srem),
                ty,
                args,
            } = *func.dfg.inst(inst)
            {
                let known = args.map(|arg| known.get(func, arg));
                found.push(Division {
                    inst,
                    opcode,
                    ty,
                    args,
                    known,
                });
            }
        }
    }
    for mut division in found {
        // An operand may be a division that was replaced.
        division.args = division.args.map(|arg| func.dfg.resolve(arg));
        replace(func, &division);
    }
    func.resolve_aliases();
}

fn replace(func: &mut Function, division: &Division) {
    let sign = 1u64 << (bits(division.ty) - 1);
    let positive = division.known.iter().all(|known| known.zeros & sign != 0);
    let signed = matches!(division.opcode, Opcode::Sdiv | Opcode::Srem) && !positive;
    let remainder = matches!(division.opcode, Opcode::Urem | Opcode::Srem);
    let value = if signed {
        signed_division(func, division, remainder)
    } else {
        let [dividend, divisor] = division.args;
        let [known, known_divisor] = division.known;
        let operation = Operation {
            inst: division.inst,
            remainder,
            dividend,
            divisor,
            largest: known.max(),
            largest_divisor: known_divisor.max(),
            not_zero: known_divisor.ones != 0,
            number: func
                .constant(divisor)
                .map(|number| unsigned(number, division.ty)),
        };
        operation.divide(func, division.ty)
    };
    func.replace_with_value(division.inst, value);
}

fn unsigned(number: i64, ty: Type) -> u64 {
    match ty {
        Type::I32 => u64::from(number as u32),
        Type::I64 => number.cast_unsigned(),
    }
}

/// An unsigned division.
struct Operation {
    /// The instruction that it is for: new ones come before it.
    inst: Inst,
    remainder: bool,
    dividend: Value,
    divisor: Value,
    largest: u64,
    largest_divisor: u64,
    not_zero: bool,
    number: Option<u64>,
}

fn bits(ty: Type) -> i64 {
    match ty {
        Type::I32 => 32,
        Type::I64 => 64,
    }
}

/// The magnitude of a value, and its sign as all bits.
fn magnitude(cursor: &mut Cursor<'_>, ty: Type, value: Value, known: KnownBits) -> (Value, Value) {
    if known.zeros >> (bits(ty) - 1) & 1 != 0 {
        return (value, cursor.ins().iconst(ty, 0));
    }
    let by = cursor.ins().iconst(ty, bits(ty) - 1);
    let sign = cursor.ins().binary(Opcode::Sshr, ty, value, by);
    let turned = cursor.ins().binary(Opcode::Bxor, ty, value, sign);
    (cursor.ins().binary(Opcode::Isub, ty, turned, sign), sign)
}

fn signed_division(func: &mut Function, division: &Division, remainder: bool) -> Value {
    let (inst, ty) = (division.inst, division.ty);
    let number = func.constant(division.args[1]);
    let mut cursor = Cursor::before(func, inst).with_cause(inst);
    let (dividend, sign) = magnitude(&mut cursor, ty, division.args[0], division.known[0]);
    let half = 1u64 << (bits(ty) - 1);
    let (divisor, divisor_sign, number) = match number {
        Some(number) => {
            let magnitude = match ty {
                Type::I32 => u64::from((number as i32).unsigned_abs()),
                Type::I64 => number.unsigned_abs(),
            };
            let divisor = cursor.ins().iconst(ty, magnitude.cast_signed());
            let sign = cursor.ins().iconst(ty, if number < 0 { -1 } else { 0 });
            (divisor, sign, Some(magnitude))
        }
        None => {
            let (divisor, sign) = magnitude(&mut cursor, ty, division.args[1], division.known[1]);
            (divisor, sign, None)
        }
    };
    let operation = Operation {
        inst,
        remainder,
        dividend,
        divisor,
        largest: half.min(division.known[0].max()),
        largest_divisor: half,
        not_zero: division.known[1].ones != 0,
        number,
    };
    let magnitude = operation.divide(func, ty);
    let mut cursor = Cursor::before(func, inst).with_cause(inst);
    let sign = match remainder {
        true => sign,
        false => cursor.ins().binary(Opcode::Bxor, ty, sign, divisor_sign),
    };
    let turned = cursor.ins().binary(Opcode::Bxor, ty, magnitude, sign);
    cursor.ins().binary(Opcode::Isub, ty, turned, sign)
}

impl Operation {
    fn divide(&self, func: &mut Function, ty: Type) -> Value {
        match self.number {
            Some(0) => {
                let mut cursor = Cursor::before(func, self.inst).with_cause(self.inst);
                match self.remainder {
                    true => self.dividend,
                    false => cursor.ins().iconst(ty, 0),
                }
            }
            Some(number) if number > self.largest => {
                let mut cursor = Cursor::before(func, self.inst).with_cause(self.inst);
                match self.remainder {
                    true => self.dividend,
                    false => cursor.ins().iconst(ty, 0),
                }
            }
            Some(number) if self.largest <= u64::from(u32::MAX) => {
                let mut cursor = Cursor::before(func, self.inst).with_cause(self.inst);
                self.by_number(&mut cursor, ty, number as u32)
            }
            _ => self.by_register(func, ty),
        }
    }

    /// By a number of 32 bits, of a dividend of 32 bits.
    fn by_number(&self, cursor: &mut Cursor<'_>, ty: Type, number: u32) -> Value {
        let dividend = match ty {
            Type::I32 => self.dividend,
            Type::I64 => cursor.ins().trunc(self.dividend),
        };
        let quotient = quotient(cursor, dividend, self.largest as u32, number);
        let result = if self.remainder {
            let number = cursor.ins().iconst(Type::I32, number.into());
            let whole = cursor
                .ins()
                .binary(Opcode::Imul, Type::I32, quotient, number);
            cursor
                .ins()
                .binary(Opcode::Isub, Type::I32, dividend, whole)
        } else {
            quotient
        };
        match ty {
            Type::I32 => result,
            Type::I64 => cursor.ins().zext(result),
        }
    }

    /// By a loop over the dividend's bits.
    fn by_register(&self, func: &mut Function, ty: Type) -> Value {
        let short =
            self.largest <= u64::from(u32::MAX) && self.largest_divisor <= u64::from(u32::MAX);
        let width = if short { Type::I32 } else { ty };
        let narrow = |cursor: &mut Cursor<'_>, value| match (ty, width) {
            (Type::I64, Type::I32) => cursor.ins().trunc(value),
            _ => value,
        };
        let Some(before) = func.layout.inst_block(self.inst) else {
            return self.dividend;
        };
        let rest = split_before(func, self.inst);
        let result = func.dfg.append_block_param(rest, width);
        let head = add_block(func, before);
        let (round, rest_bits) = (
            func.dfg.append_block_param(head, Type::I32),
            func.dfg.append_block_param(head, width),
        );
        let left = func.dfg.append_block_param(head, width);
        let next = add_block(func, head);
        let next_bits = func.dfg.append_block_param(next, width);
        let next_left = func.dfg.append_block_param(next, width);
        let (fits, more) = (add_block(func, head), add_block(func, head));

        let mut cursor = Cursor::at_end(func, before).with_cause(self.inst);
        let dividend = narrow(&mut cursor, self.dividend);
        let divisor = narrow(&mut cursor, self.divisor);
        let rounds = cursor.ins().iconst(Type::I32, bits(width));
        let zero = cursor.ins().iconst(width, 0);
        let start = [rounds, dividend, zero];
        if self.not_zero {
            cursor.ins().jump(head, &start);
        } else {
            let without = if self.remainder { dividend } else { zero };
            cursor.ins().branch(
                Cond::Eq,
                width,
                [divisor, zero],
                (rest, &[without]),
                (head, &start),
            );
        }
        // One more bit of the dividend joins what is left.
        let mut cursor = Cursor::at_end(func, head).with_cause(self.inst);
        let one = cursor.ins().iconst(width, 1);
        let top = cursor.ins().iconst(width, bits(width) - 1);
        let bit = cursor.ins().binary(Opcode::Ushr, width, rest_bits, top);
        let shifted = cursor.ins().binary(Opcode::Ishl, width, left, one);
        let joined = cursor.ins().binary(Opcode::Bor, width, shifted, bit);
        let moved = cursor.ins().binary(Opcode::Ishl, width, rest_bits, one);
        // What was moved out at the top makes it larger than any divisor.
        let high = cursor.ins().binary(Opcode::Ushr, width, left, top);
        let zero = cursor.ins().iconst(width, 0);
        cursor
            .ins()
            .branch(Cond::Ne, width, [high, zero], (fits, &[]), (more, &[]));
        let mut cursor = Cursor::at_end(func, more).with_cause(self.inst);
        cursor.ins().branch(
            Cond::Ge,
            width,
            [joined, divisor],
            (fits, &[]),
            (next, &[moved, joined]),
        );
        let mut cursor = Cursor::at_end(func, fits).with_cause(self.inst);
        let less = cursor.ins().binary(Opcode::Isub, width, joined, divisor);
        let one = cursor.ins().iconst(width, 1);
        let set = cursor.ins().binary(Opcode::Bor, width, moved, one);
        cursor.ins().jump(next, &[set, less]);
        let mut cursor = Cursor::at_end(func, next).with_cause(self.inst);
        let one = cursor.ins().iconst(Type::I32, 1);
        let fewer = cursor.ins().binary(Opcode::Isub, Type::I32, round, one);
        let none = cursor.ins().iconst(Type::I32, 0);
        let found = if self.remainder { next_left } else { next_bits };
        cursor.ins().branch(
            Cond::Ne,
            Type::I32,
            [fewer, none],
            (head, &[fewer, next_bits, next_left]),
            (rest, &[found]),
        );
        if ty == width {
            return result;
        }
        let mut cursor = Cursor::before(func, self.inst).with_cause(self.inst);
        cursor.ins().zext(result)
    }
}

fn add_block(func: &mut Function, after: Block) -> Block {
    let block = func.dfg.make_block();
    func.layout.insert_block_after(block, after);
    block
}

/// Moves an instruction and all behind it to a new block.
fn split_before(func: &mut Function, inst: Inst) -> Block {
    let Some(block) = func.layout.inst_block(inst) else {
        return func.append_new_block();
    };
    let rest = add_block(func, block);
    let mut at = Some(inst);
    while let Some(inst) = at {
        at = func.layout.next_inst(inst);
        func.layout.remove_inst(inst);
        func.layout.append_inst(inst, rest);
    }
    rest
}

/// The quotient of a dividend of at most `largest` and a number of 32 bits.
fn quotient(cursor: &mut Cursor<'_>, dividend: Value, largest: u32, number: u32) -> Value {
    let ty = Type::I32;
    if number.is_power_of_two() {
        let by = cursor.ins().iconst(ty, number.trailing_zeros().into());
        return cursor.ins().binary(Opcode::Ushr, ty, dividend, by);
    }
    if number > largest / 2 {
        // Zero or one: what is carried out of the upper bit when the complement is added.
        let wide = cursor.ins().zext(dividend);
        let rest = cursor
            .ins()
            .iconst(Type::I64, (1i64 << 32) - i64::from(number));
        let sum = cursor.ins().binary(Opcode::Iadd, Type::I64, wide, rest);
        return upper(cursor, sum, 32);
    }
    if let Some((inverse, by)) = inverse(largest, number) {
        return product(cursor, dividend, largest, inverse, by);
    }
    let even = number.trailing_zeros();
    if even > 0
        && let Some((inverse, by)) = inverse(largest >> even, number >> even)
    {
        let shift = cursor.ins().iconst(ty, even.into());
        let dividend = cursor.ins().binary(Opcode::Ushr, ty, dividend, shift);
        return product(cursor, dividend, largest >> even, inverse, by);
    }
    // An inverse of 33 bits.
    let by = 32 + (32 - number.leading_zeros());
    let inverse = (1u128 << by).div_ceil(u128::from(number)) as u64 as u32;
    let part = product(cursor, dividend, largest, inverse, 32);
    let one = cursor.ins().iconst(ty, 1);
    let left = cursor.ins().binary(Opcode::Isub, ty, dividend, part);
    let half = cursor.ins().binary(Opcode::Ushr, ty, left, one);
    let sum = cursor.ins().binary(Opcode::Iadd, ty, half, part);
    let by = cursor.ins().iconst(ty, i64::from(by) - 33);
    cursor.ins().binary(Opcode::Ushr, ty, sum, by)
}

/// The inverse of a number of at most 32 bits for dividends up to `largest`, and its shift.
fn inverse(largest: u32, number: u32) -> Option<(u32, u32)> {
    let number = u64::from(number);
    (0..=63).find_map(|by: u32| {
        let power = 1u128 << by;
        let inverse = power.div_ceil(u128::from(number));
        let error = inverse * u128::from(number) - power;
        let good = u128::from(largest) * error < power;
        let inverse = u32::try_from(inverse).ok()?;
        good.then_some((inverse, by))
    })
}

/// A product of a dividend and an inverse, moved right.
fn product(cursor: &mut Cursor<'_>, dividend: Value, largest: u32, inverse: u32, by: u32) -> Value {
    let product = u64::from(largest) * u64::from(inverse);
    if by < 32 && u32::try_from(product).is_ok() {
        let factor = cursor.ins().iconst(Type::I32, inverse.into());
        let product = cursor
            .ins()
            .binary(Opcode::Imul, Type::I32, dividend, factor);
        let by = cursor.ins().iconst(Type::I32, by.into());
        return cursor.ins().binary(Opcode::Ushr, Type::I32, product, by);
    }
    let wide = cursor.ins().zext(dividend);
    let factor = cursor.ins().iconst(Type::I64, inverse.into());
    let product = cursor.ins().binary(Opcode::Imul, Type::I64, wide, factor);
    upper(cursor, product, by)
}

fn upper(cursor: &mut Cursor<'_>, value: Value, by: u32) -> Value {
    let by = cursor.ins().iconst(Type::I64, by.into());
    let moved = cursor.ins().binary(Opcode::Ushr, Type::I64, value, by);
    cursor.ins().trunc(moved)
}

#[cfg(test)]
mod tests {
    use super::inverse;

    #[test]
    fn inverses_are_right_at_the_edges() {
        for number in (3..2000u32).chain([641, 12_345, 0x7fff_ffff]) {
            for largest in [
                number.saturating_mul(3),
                0xffff,
                0xf_ffff,
                u32::MAX >> 1,
                u32::MAX,
            ] {
                let Some((inverse, by)) = inverse(largest, number) else {
                    continue;
                };
                let multiples = [1, 2, largest / number / 2, largest / number];
                for multiple in multiples {
                    let Some(dividend) = number.checked_mul(multiple) else {
                        continue;
                    };
                    let dividends = [dividend.saturating_sub(1), dividend];
                    for dividend in dividends.into_iter().filter(|one| *one <= largest) {
                        let found = (u64::from(dividend) * u64::from(inverse)) >> by;
                        assert_eq!(found, u64::from(dividend / number), "{dividend} / {number}");
                    }
                }
            }
        }
    }
}
