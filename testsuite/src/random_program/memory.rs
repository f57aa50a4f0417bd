//! Accesses: the stack, the context, values of maps and other memory.

use super::environment::{self, value_size};
use super::generator::{Generator, Holds, STACK_SLOTS};
use super::op::{self, SIZES};

impl Generator {
    /// A place in the stack that fits a size.
    fn stack_place(&mut self, size: u8, written: bool) -> i16 {
        if self.wrong() {
            return self.pick(&[-1, 0, 8, -512, -520, -516, -3, -6]);
        }
        let mut index = self.below(STACK_SLOTS as u64);
        if written {
            let full: Vec<u64> = (0..STACK_SLOTS as u64)
                .filter(|one| self.written[*one as usize])
                .collect();
            if !full.is_empty() {
                index = self.pick(&full);
            }
        }
        let inside = self.below(8 / op::bytes(size) as u64) as i32 * op::bytes(size);
        (-8 - 8 * index as i32 + inside) as i16
    }

    fn note_written(&mut self, size: u8, offset: i16) {
        if size == op::DW && offset < 0 && offset % 8 == 0 {
            let index = (-offset / 8 - 1) as usize;
            if let Some(slot) = self.written.get_mut(index) {
                *slot = true;
            }
        }
    }

    pub fn stack_store(&mut self) {
        let size = self.pick(&[op::B, op::H, op::W, op::DW, op::DW, op::DW]);
        let offset = self.stack_place(size, false);
        if self.chance(1, 3) {
            let number = self.number();
            self.push(op::store_imm(size, 10, offset, number));
        } else {
            let src = self.numeric();
            self.push(op::store(size, 10, offset, src));
        }
        self.note_written(size, offset);
    }

    pub fn stack_load(&mut self) {
        if !self.written.contains(&true) && self.chance(9, 10) {
            return self.stack_store();
        }
        let size = self.pick(&SIZES);
        let (dst, offset) = (self.target(), self.stack_place(size, true));
        let signed = size != op::DW && self.chance(1, 4);
        self.push(if signed {
            op::load_signed(size, dst, 10, offset)
        } else {
            op::load(size, dst, 10, offset)
        });
        self.write(dst, Holds::Number);
    }

    /// Puts a pointer on the stack and takes it back.
    pub fn spill(&mut self) {
        let Some(register) = self.find(|one| !matches!(one, Holds::Nothing | Holds::Number)) else {
            return;
        };
        let size = if self.wrong() { op::W } else { op::DW };
        let offset = self.stack_place(size, false);
        self.push(op::store(size, 10, offset, register));
        self.note_written(size, offset);
        for _ in 0..self.below(2) {
            self.arithmetic();
        }
        let dst = self.target();
        self.push(op::load(size, dst, 10, offset));
        let held = self.holds.get(usize::from(register)).copied();
        self.write(dst, held.unwrap_or(Holds::Other));
        // What is there is no number.
        if let Some(slot) = self.written.get_mut((-offset / 8 - 1).max(0) as usize) {
            *slot = false;
        }
    }

    /// An access of the stack at an offset that is not known.
    pub fn stack_variable(&mut self) {
        let deep = self.pick(&[-16, -32, -64]);
        let bounded = self.bounded(-deep - 8, &[10]);
        let dst = self.target_but(&[bounded.register]);
        self.push(op::copy(dst, 10));
        if self.chance(1, 2) {
            self.push(op::alu(op::ADD, dst, deep));
            self.push(op::alu_reg(op::ADD, dst, bounded.register));
        } else {
            self.push(op::alu_reg(op::ADD, dst, bounded.register));
            self.push(op::alu(op::ADD, dst, deep));
        }
        self.write(dst, Holds::Stack(0));
        let (size, offset) = (self.pick(&SIZES), self.pick(&[0, 0, 0, 1, 4]));
        if self.chance(1, 2) {
            let into = self.target_but(&[dst]);
            self.push(op::load(size, into, dst, offset));
            self.write(into, Holds::Number);
        } else {
            let src = self.numeric();
            self.push(op::store(size, dst, offset, src));
        }
        for fork in &bounded.away {
            self.land(fork);
        }
    }

    fn size_code(bytes: u8) -> u8 {
        match bytes {
            1 => op::B,
            2 => op::H,
            4 => op::W,
            _ => op::DW,
        }
    }

    /// Reads a number from the context, if it is at hand.
    pub fn read_field(&mut self, dst: u8) -> bool {
        let Some(context) = self.find(|one| one == Holds::Context) else {
            return false;
        };
        let (mut offset, bytes) = self.pick(self.sort.fields);
        let mut size = Self::size_code(bytes);
        if self.wrong() {
            offset += self.pick(&[-4, -1, 1, 2, 4, 8]);
        }
        if self.wrong() {
            size = self.pick(&SIZES);
        }
        let signed = size != op::DW && self.chance(1, 10);
        self.push(if signed {
            op::load_signed(size, dst, context, offset)
        } else {
            op::load(size, dst, context, offset)
        });
        self.write(dst, Holds::Number);
        true
    }

    /// An access of the context.
    pub fn field(&mut self) {
        if self.sort.writable.is_empty() || self.chance(1, 2) {
            let dst = self.target();
            self.read_field(dst);
            return;
        }
        let Some(context) = self.find(|one| one == Holds::Context) else {
            return;
        };
        let src = self.numeric();
        let (mut offset, bytes) = self.pick(self.sort.writable);
        let size = Self::size_code(bytes);
        if self.wrong() {
            offset += self.pick(&[-4, -2, 1, 4, 8]);
        }
        if self.chance(1, 4) {
            let number = self.number();
            self.push(op::store_imm(size, context, offset, number));
        } else {
            self.push(op::store(size, context, offset, src));
        }
    }

    /// A pointer to memory of known size, and the size.
    fn somewhere(&mut self) -> Option<(u8, i32)> {
        let register = self.find(|one| {
            matches!(
                one,
                Holds::Value(_) | Holds::Memory(_) | Holds::Record(_) | Holds::Socket
            )
        })?;
        let bytes = match self.holds.get(usize::from(register)).copied() {
            Some(Holds::Value(map)) => value_size(map),
            Some(Holds::Memory(bytes) | Holds::Record(bytes)) => bytes,
            Some(Holds::Socket) => 76,
            _ => 16,
        };
        Some((register, bytes))
    }

    /// An access of a value, a record, or a socket.
    pub fn memory(&mut self) {
        let Some((base, bytes)) = self.somewhere() else {
            return self.lookup();
        };
        self.access(base, bytes);
    }

    /// An access of `bytes` bytes of memory, at a known place or a bounded one.
    pub fn access(&mut self, base: u8, bytes: i32) {
        let size = self.pick(&SIZES);
        let last = bytes - op::bytes(size);
        if last < 0 && !self.wrong() {
            return;
        }
        let mut away = Vec::new();
        let (mut pointer, mut room) = (base, last);
        let socket = self.holds.get(usize::from(base)) == Some(&Holds::Socket);
        if self.chance(1, 2) && (!socket || self.wrong()) {
            let fixed = if self.chance(1, 3) {
                self.below(last.max(0) as u64 + 1) as i32
            } else {
                0
            };
            let bounded = self.bounded(last - fixed, &[base]);
            pointer = self.target_but(&[base, bounded.register]);
            self.push(op::copy(pointer, base));
            if self.chance(1, 4) && fixed > 0 {
                self.push(op::alu(op::ADD, pointer, fixed));
                self.push(op::alu_reg(op::ADD, pointer, bounded.register));
                room = 0;
            } else if self.chance(1, 8) {
                self.push(op::alu(op::ADD, pointer, bounded.most));
                self.push(op::alu_reg(op::SUB, pointer, bounded.register));
                room = last - bounded.most;
            } else {
                self.push(op::alu_reg(op::ADD, pointer, bounded.register));
                room = last - bounded.most;
            }
            away = bounded.away;
            let held = self.holds.get(usize::from(base)).copied();
            self.write(
                pointer,
                if held.is_some() {
                    Holds::Other
                } else {
                    Holds::Nothing
                },
            );
        }
        let offset = match self.below(4) {
            0 => room,
            1 => 0,
            _ => self.below(room.max(0) as u64 + 1) as i32,
        };
        let offset = if self.wrong() {
            self.pick(&[room + 1, -1, room + 8, -8])
        } else {
            offset.max(0)
        };
        let step = if self.chance(1, 2) {
            op::bytes(size)
        } else {
            1
        };
        self.one_access(size, pointer, (offset / step * step) as i16, socket);
        for fork in &away {
            self.land(fork);
        }
    }

    fn one_access(&mut self, size: u8, pointer: u8, offset: i16, only_read: bool) {
        match self.below(if only_read { 4 } else { 8 }) {
            0 if size != op::DW => {
                let dst = self.target_but(&[pointer]);
                self.push(op::load_signed(size, dst, pointer, offset));
                self.write(dst, Holds::Number);
            }
            0..=3 => {
                let dst = self.target();
                self.push(op::load(size, dst, pointer, offset));
                self.write(dst, Holds::Number);
            }
            4 | 5 => {
                let number = self.number();
                self.push(op::store_imm(size, pointer, offset, number));
            }
            _ => {
                let src = self.numeric();
                self.push(op::store(size, pointer, offset, src));
            }
        }
    }

    /// An atomic operation on the stack or other memory.
    pub fn atomic(&mut self) {
        let operation = self.pick(&op::ATOMICS);
        let mut size = self.pick(&[op::W, op::DW]);
        if operation >= 0x100 {
            size = self.pick(&SIZES);
        }
        if self.wrong() {
            size = self.pick(&SIZES);
        }
        let (base, offset) = if self.chance(1, 3)
            && let Some((base, bytes)) = self.somewhere()
        {
            let steps = (bytes / op::bytes(size)).max(1) as u64;
            (base, (self.below(steps) as i32 * op::bytes(size)) as i16)
        } else {
            (10, self.stack_place(size, true))
        };
        let mut register = self.numeric();
        if operation == 0xf1 && self.holds[0] != Holds::Number {
            self.push(op::set(0, 0));
            self.write(0, Holds::Number);
        }
        if register == base {
            register = self.target_but(&[base]);
            self.fresh_number(register);
        }
        if operation == 0x100 {
            self.push(op::atomic(size, register, offset, base, operation));
        } else {
            self.push(op::atomic(size, base, offset, register, operation));
        }
    }

    /// A byte of the one value of an array, addressed directly.
    pub fn direct_value(&mut self) {
        let dst = self.target();
        let map = if self.wrong() {
            environment::ARRAY
        } else {
            environment::SINGLE
        };
        let at = self.pick(&[0, 0, 8, 32, 60, 63]);
        let at = if self.wrong() { 64 } else { at };
        self.push(op::slot(0x18, dst, 6, 0, map.into()));
        self.push(op::slot(0, 0, 0, 0, at));
        self.write(dst, Holds::Memory(64 - at));
        if self.chance(3, 4) {
            self.access(dst, 64 - at);
        }
    }
}
