//! A buffer in the frame that is written and read in pieces: initialised field by field, copied
//! in runs, filled with bytes of one value, and read back as bytes joined to one value.

use super::{Random, constant};
use bpf::insn::MemWidth;
use mir::{Block, Cursor, Function, Opcode, Type, Value};

/// Where the buffer begins.
const START: i32 = -64;

/// Bytes of it.
const BYTES: i32 = 32;

const WIDTHS: [(MemWidth, i32); 4] = [
    (MemWidth::B8, 1),
    (MemWidth::B16, 2),
    (MemWidth::B32, 4),
    (MemWidth::B64, 8),
];

/// Offset of an aligned run of pieces.
fn place(random: &mut Random, bytes: i32, count: i32) -> i32 {
    let last = (BYTES - bytes * count) / bytes;
    START + bytes * random.below(last as usize + 1) as i32
}

fn load(func: &mut Function, block: Block, width: MemWidth, offset: i32) -> Value {
    let mut cursor = Cursor::at_end(func, block);
    let frame = cursor.ins().frame();
    cursor.ins().load(Opcode::Load, width, frame, offset)
}

fn store(func: &mut Function, block: Block, width: MemWidth, offset: i32, value: Value) {
    let mut cursor = Cursor::at_end(func, block);
    let frame = cursor.ins().frame();
    cursor
        .ins()
        .store(Opcode::Store, width, frame, offset, value);
}

fn shift(func: &mut Function, block: Block, opcode: Opcode, value: Value, bits: i32) -> Value {
    if bits == 0 {
        return value;
    }
    let mut cursor = Cursor::at_end(func, block);
    let amount = cursor.ins().iconst(Type::I64, i64::from(bits));
    cursor.ins().binary(opcode, Type::I64, value, amount)
}

/// Writes the whole buffer.
pub(super) fn fill(func: &mut Function, block: Block, value: Value) {
    for word in 0..BYTES / 8 {
        store(func, block, MemWidth::B64, START + 8 * word, value);
    }
}

/// A value that depends on the whole buffer.
pub(super) fn digest(func: &mut Function, block: Block, mut value: Value) -> Value {
    for word in 0..BYTES / 8 {
        let loaded = load(func, block, MemWidth::B64, START + 8 * word);
        let mut cursor = Cursor::at_end(func, block);
        let three = cursor.ins().iconst(Type::I64, 3);
        value = cursor.ins().binary(Opcode::Imul, Type::I64, value, three);
        value = cursor.ins().binary(Opcode::Bxor, Type::I64, value, loaded);
    }
    value
}

/// Does something with a run of pieces. What it read joins `wide`.
pub(super) fn step(random: &mut Random, func: &mut Function, block: Block, wide: &mut Vec<Value>) {
    let (width, bytes) = random.pick(&WIDTHS[..3]);
    let count = 2 + random.below(3) as i32;
    let to = place(random, bytes, count);
    // The last piece first, sometimes.
    let turned = random.below(3) == 0;
    let order = move |piece: i32| if turned { count - 1 - piece } else { piece };
    match random.below(6) {
        0 => {
            for piece in 0..count {
                let value = match random.below(4) {
                    0 => random.pick(wide),
                    1 => constant(random, func, block, Type::I64),
                    _ => Cursor::at_end(func, block).ins().iconst(Type::I64, 0),
                };
                store(func, block, width, to + bytes * order(piece), value);
            }
        }
        1 => {
            let value = random.pick(wide);
            for piece in 0..count {
                let part = shift(func, block, Opcode::Ushr, value, 8 * bytes * piece);
                store(func, block, width, to + bytes * order(piece), part);
            }
        }
        2 => {
            let from = place(random, bytes, count);
            for piece in 0..count {
                let value = load(func, block, width, from + bytes * order(piece));
                store(func, block, width, to + bytes * order(piece), value);
            }
        }
        3 => {
            let from = place(random, bytes, count);
            let values: Vec<Value> = (0..count)
                .map(|piece| load(func, block, width, from + bytes * piece))
                .collect();
            for piece in 0..count {
                let value = values[order(piece) as usize];
                store(func, block, width, to + bytes * order(piece), value);
            }
        }
        4 => {
            let opcode = random.pick(&[Opcode::Bor, Opcode::Iadd, Opcode::Bxor]);
            let mut joined = load(func, block, width, to + bytes * order(0));
            for piece in 1..count {
                let loaded = load(func, block, width, to + bytes * order(piece));
                let part = shift(func, block, Opcode::Ishl, loaded, 8 * bytes * piece);
                let mut cursor = Cursor::at_end(func, block);
                joined = cursor.ins().binary(opcode, Type::I64, joined, part);
            }
            wide.push(joined);
        }
        _ => {
            let (width, bytes) = random.pick(&WIDTHS);
            let from = place(random, bytes, 1);
            let value = load(func, block, width, from);
            wide.push(value);
        }
    }
}
