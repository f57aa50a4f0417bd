//! Accesses of memory: runs over adjacent bytes, and single ones that repeat or overwrite others.

use bpf::insn::{AtomicOp, MemWidth};
use mir::{Opcode, Type, Value};

use super::maker::{Kind, Maker, Region};

const WIDTHS: [(MemWidth, i32); 4] = [
    (MemWidth::B8, 1),
    (MemWidth::B16, 2),
    (MemWidth::B32, 4),
    (MemWidth::B64, 8),
];

impl Maker<'_> {
    fn region(&mut self) -> Region {
        let regions = self.scope.regions.clone();
        self.pick(&regions)
    }

    /// Where a run of pieces begins in a region, if it has room for it. The kernel wants accesses
    /// of the stack aligned.
    fn place(&mut self, region: &Region, bytes: i32, count: i32) -> Option<i32> {
        let step = match region.kind {
            Kind::Packet => 1,
            Kind::Frame | Kind::Shared => bytes,
        };
        let room = (region.size - bytes * count) / step;
        let room = u64::try_from(room).ok()?;
        Some(region.start + step * self.random.below(room + 1) as i32)
    }

    /// Base and offset of an access, with the sum computed for some.
    fn address(&mut self, region: &Region, offset: i32) -> (Value, i32) {
        let base = match region.base {
            Some(base) => base,
            None => self.at_end().ins().frame(),
        };
        if self.random.below(4) > 0 {
            return (base, offset);
        }
        let rest = self.pick(&[0, 0, 4, -4]);
        let part = self
            .at_end()
            .ins()
            .iconst(Type::I64, i64::from(offset - rest));
        let sum = self
            .at_end()
            .ins()
            .binary(Opcode::Iadd, Type::I64, base, part);
        (sum, rest)
    }

    fn load(&mut self, region: &Region, width: MemWidth, offset: i32) -> Value {
        let (base, offset) = self.address(region, offset);
        self.at_end().ins().load(Opcode::Load, width, base, offset)
    }

    fn store(&mut self, region: &Region, width: MemWidth, offset: i32, value: Value) {
        let (base, offset) = self.address(region, offset);
        self.at_end()
            .ins()
            .store(Opcode::Store, width, base, offset, value);
    }

    fn shift(&mut self, opcode: Opcode, value: Value, bits: i32) -> Value {
        if bits == 0 {
            return value;
        }
        let ty = self.func.dfg.value_type(value);
        let amount = self.at_end().ins().iconst(ty, i64::from(bits));
        self.at_end().ins().binary(opcode, ty, value, amount)
    }

    /// Something between two pieces of a run, now and then: one that has nothing to do with it, or
    /// an access of the run's own bytes.
    fn pause(&mut self, run: &Region) {
        match self.random.below(16) {
            0 => self.number(),
            1 => self.single(),
            2 => self.byte_of(run),
            _ => {}
        }
    }

    /// An access of one byte of a few.
    fn byte_of(&mut self, run: &Region) {
        let Some(offset) = self.place(run, 1, 1) else {
            return;
        };
        if self.random.below(3) == 0 {
            let loaded = self.load(run, MemWidth::B8, offset);
            self.add(loaded);
        } else {
            let value = self.value();
            self.store(run, MemWidth::B8, offset, value);
        }
    }

    /// An access, or several that belong together.
    pub(super) fn accesses(&mut self) {
        match self.random.below(11) {
            0..=5 => {
                // A place that is too small for a run is for a single access.
                if self.run().is_none() {
                    self.single();
                }
            }
            6 => {
                let region = self.region();
                self.counter_in(&region);
            }
            7 => self.overwritten(),
            8 => self.variable(),
            9 => self.atomic(),
            _ => self.single(),
        }
    }

    /// A run of pieces of adjacent bytes.
    fn run(&mut self) -> Option<()> {
        let (width, bytes) = self.pick(&WIDTHS[..3]);
        let count = self.pick(&[2, 2, 3, 4, 4, 8]);
        let to = self.region();
        let from = self.region();
        let start = self.place(&to, bytes, count)?;
        let source = self.place(&from, bytes, count)?;
        let size = bytes * count;
        let written = Region { start, size, ..to };
        let read = Region {
            start: source,
            size,
            ..from
        };
        let turned = self.random.below(3) == 0;
        let order = |piece: i32| if turned { count - 1 - piece } else { piece };
        match self.random.below(6) {
            0 => {
                for piece in 0..count {
                    let value = self.value();
                    self.store(&to, width, start + bytes * order(piece), value);
                    self.pause(&written);
                }
            }
            1 => {
                let ty = self.pick(&[Type::I32, Type::I64, Type::I64]);
                let (value, end) = (self.of(ty), ty.bits() as i32);
                let first = self.pick(&[0, 0, 0, 8, 16]);
                let down = self.random.below(2) == 0;
                for piece in 0..count {
                    let place = if down { count - 1 - piece } else { piece };
                    let bits = (first + 8 * bytes * piece) % end;
                    let part = self.shift(Opcode::Ushr, value, bits);
                    self.store(&to, width, start + bytes * place, part);
                    self.pause(&written);
                }
            }
            2 => {
                for piece in 0..count {
                    let value = self.load(&from, width, source + bytes * order(piece));
                    self.pause(&read);
                    self.store(&to, width, start + bytes * order(piece), value);
                }
            }
            3 => {
                let mut values = Vec::new();
                for piece in 0..count {
                    values.push(self.load(&from, width, source + bytes * piece));
                    self.pause(&read);
                }
                for piece in 0..count {
                    let value = values[order(piece) as usize];
                    self.store(&to, width, start + bytes * order(piece), value);
                }
                let value = self.pick(&values);
                self.add(value);
            }
            _ => self.joined(&read, width, bytes, count.min(8 / bytes), turned),
        }
        Some(())
    }

    /// Adjacent bytes as one number.
    fn joined(&mut self, from: &Region, width: MemWidth, bytes: i32, count: i32, turned: bool) {
        let opcode = self.pick(&[Opcode::Bor, Opcode::Bor, Opcode::Iadd, Opcode::Bxor]);
        let narrow = bytes * count <= 4 && self.random.below(3) == 0;
        let mut joined = None;
        for piece in 0..count {
            let at = if turned { count - 1 - piece } else { piece };
            let mut loaded = self.load(from, width, from.start + bytes * at);
            if narrow {
                loaded = self.at_end().ins().trunc(loaded);
            }
            self.pause(from);
            let part = self.shift(Opcode::Ishl, loaded, 8 * bytes * piece);
            let ty = self.func.dfg.value_type(part);
            joined = Some(match joined {
                None => part,
                Some(joined) => self.at_end().ins().binary(opcode, ty, joined, part),
            });
        }
        if let Some(joined) = joined {
            self.add(joined);
        }
    }

    /// One load, or one store with perhaps a load of what it stored.
    fn single(&mut self) {
        let region = self.region();
        let (width, bytes) = self.pick(&WIDTHS);
        let Some(offset) = self.place(&region, bytes, 1) else {
            return;
        };
        if self.random.below(2) == 0 {
            let value = self.value();
            self.store(&region, width, offset, value);
            if self.random.below(2) == 0 {
                return;
            }
        }
        let loaded = if width == MemWidth::B64 || self.random.below(4) > 0 {
            self.load(&region, width, offset)
        } else {
            let (base, offset) = self.address(&region, offset);
            self.at_end().ins().load(Opcode::Sload, width, base, offset)
        };
        self.add(loaded);
    }

    /// An addition in memory.
    pub(super) fn counter_in(&mut self, region: &Region) {
        let (width, bytes) = self.pick(&WIDTHS);
        let Some(offset) = self.place(region, bytes, 1) else {
            return;
        };
        let old = self.load(region, width, offset);
        let amount = self.value();
        let new = self
            .at_end()
            .ins()
            .binary(Opcode::Iadd, Type::I64, old, amount);
        let (start, size) = (offset, bytes);
        if self.random.below(4) == 0 {
            self.byte_of(&Region {
                start,
                size,
                ..*region
            });
        }
        self.store(region, width, offset, new);
    }

    /// Two stores of which the second takes some or all of what the first wrote.
    fn overwritten(&mut self) {
        let region = self.region();
        let (width, bytes) = self.pick(&WIDTHS);
        let Some(offset) = self.place(&region, bytes, 1) else {
            return;
        };
        let (first, second) = (self.value(), self.value());
        self.store(&region, width, offset, first);
        self.pause(&region);
        let (width, bytes) = match self.random.below(3) {
            0 => self.pick(&WIDTHS),
            _ => (width, bytes),
        };
        if offset % bytes == 0 && offset + bytes <= region.start + region.size {
            self.store(&region, width, offset, second);
        }
    }

    /// An access of a byte at a computed place.
    fn variable(&mut self) {
        let region = self.region();
        let room = u64::try_from(region.size).unwrap_or(1);
        let mask = (room.next_power_of_two() / 2).max(1) - 1;
        let (number, mask) = (
            self.wide(),
            self.at_end().ins().iconst(Type::I64, mask as i64),
        );
        let index = self
            .at_end()
            .ins()
            .binary(Opcode::Band, Type::I64, number, mask);
        let base = match region.base {
            Some(base) => base,
            None => self.at_end().ins().frame(),
        };
        let address = self
            .at_end()
            .ins()
            .binary(Opcode::Iadd, Type::I64, base, index);
        if self.random.below(2) == 0 {
            let value = self.value();
            self.at_end()
                .ins()
                .store(Opcode::Store, MemWidth::B8, address, region.start, value);
        } else {
            let loaded =
                self.at_end()
                    .ins()
                    .load(Opcode::Load, MemWidth::B8, address, region.start);
            self.add(loaded);
        }
    }

    /// An atomic operation, which the kernel refuses on packets.
    fn atomic(&mut self) {
        let region = self.region();
        let (width, bytes) = self.pick(&WIDTHS[2..]);
        if region.kind == Kind::Packet {
            return;
        }
        let Some(offset) = self.place(&region, bytes, 1) else {
            return;
        };
        let op = self.pick(&[AtomicOp::Add, AtomicOp::Or, AtomicOp::And, AtomicOp::Xor]);
        let fetch = self.random.below(2) == 0;
        let value = self.value();
        let (base, offset) = self.address(&region, offset);
        let inst = self
            .at_end()
            .ins()
            .atomic_rmw(op, width, fetch, base, offset, value);
        if let Some(old) = self.func.dfg.result(inst) {
            self.add(old);
        }
    }
}
