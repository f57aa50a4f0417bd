//! Maps: keys, look-ups with their checks, values, updates, events.

use bpf::maps::MapKind;

use super::maker::{Holds, Maker};
use super::{EVENTS, MAPS};
use crate::random_program::op::{self, JMP, SIZES};

impl Maker {
    fn map(&mut self, register: u8, map: usize) {
        self.push(op::slot(0x18, register, 1, 0, map as i32));
        self.push(op::slot(0, 0, 0, 0, 0));
        self.write(register, Holds::Nothing);
    }

    /// A place on the stack for so many bytes, at a word.
    fn room(&mut self, bytes: i32) -> Option<i32> {
        let last = (self.frame - bytes) / 4;
        (last >= 0).then(|| 4 * self.below(last as u64 + 1) as i32 - self.frame)
    }

    /// A number or a small one at a place of the stack.
    fn put_word(&mut self, at: i32, small: bool) {
        match self.below(3) {
            0 => {
                let number = match small {
                    true => self.below(9) as i32,
                    false => self.number(),
                };
                self.push(op::store_imm(op::W, 10, at as i16, number));
            }
            1 if small => {
                let from = self.numeric();
                let to = self.target();
                if to != from {
                    self.push(op::copy(to, from));
                }
                self.push(op::alu(op::AND, to, 7));
                self.write(to, Holds::Number);
                self.push(op::store(op::W, 10, at as i16, to));
            }
            _ => {
                let from = self.numeric();
                self.push(op::store(op::W, 10, at as i16, from));
            }
        }
    }

    /// A key on the stack.
    fn key(&mut self, map: usize) -> Option<i32> {
        let bytes = MAPS[map].key;
        let at = self.room(bytes)?;
        if self.chance(7, 8) {
            self.put_word(at, true);
            let rest = self.chance(7, 8);
            for word in 1..bytes / 4 {
                if rest {
                    self.push(op::store_imm(op::W, 10, (at + 4 * word) as i16, 0));
                }
            }
        }
        Some(at)
    }

    fn point(&mut self, register: u8, at: i32) {
        self.push(op::copy(register, 10));
        self.push(op::alu(op::ADD, register, at));
        self.write(register, Holds::Nothing);
    }

    fn arguments(&mut self, map: usize, key: i32) {
        if self.chance(1, 2) {
            self.map(1, map);
            self.point(2, key);
        } else {
            self.point(2, key);
            self.map(1, map);
        }
    }

    /// Looks a value up, and uses it if it is there.
    pub(super) fn lookup(&mut self) {
        let map = self.below(EVENTS as u64) as usize;
        let Some(key) = self.key(map) else { return };
        self.arguments(map, key);
        self.push(op::call(1));
        self.clobber(Holds::Nothing);
        let keep = [6u8, 7, 8, 9]
            .into_iter()
            .find(|one| matches!(self.held(*one), Holds::Nothing) && !self.counters.contains(one))
            .filter(|_| self.chance(2, 3));
        let register = keep.unwrap_or(0);
        if register != 0 {
            self.push(op::copy(register, 0));
        }
        if self.chance(1, 4) {
            self.leave_if(op::JEQ, register, None, 0);
            self.write(register, Holds::Value(map));
            return self.use_value(register, map);
        }
        let away = self.fork(op::slot(op::JEQ | JMP, register, 0, 0, 0));
        self.write(register, Holds::Value(map));
        self.use_value(register, map);
        self.depth += 1;
        if self.chance(1, 8) && register != 0 {
            self.event();
        }
        if self.depth < 4 && self.chance(1, 2) {
            let count = 1 + self.below(3);
            self.statements(count);
            if self.held(register) == Holds::Value(map) {
                self.use_value(register, map);
            }
        }
        self.depth -= 1;
        self.land(&away);
    }

    /// Accesses of a value.
    pub(super) fn use_value(&mut self, value: u8, map: usize) {
        let bytes = MAPS[map].value;
        if MAPS[map].counts {
            for _ in 0..1 + self.below(3) {
                self.add_to(value, bytes);
            }
            return;
        }
        if self.chance(1, 4) {
            return self.value_variable(value, bytes);
        }
        for _ in 0..1 + self.below(5) {
            let size = self.pick(&SIZES);
            let last = bytes - op::bytes(size);
            let at = self.below(last as u64 + 1) as i32;
            let step = self.pick(&[1, op::bytes(size)]);
            let at = (at / step * step) as i16;
            match self.below(4) {
                0 => {
                    let src = self.known_number(&[value]);
                    self.push(op::store(size, value, at, src));
                }
                1 => {
                    let number = self.number();
                    self.push(op::store_imm(size, value, at, number));
                }
                _ => {
                    let dst = self.target_but(&[value]);
                    let signed = size != op::DW && self.chance(1, 5);
                    self.push(match signed {
                        true => op::load_signed(size, dst, value, at),
                        false => op::load(size, dst, value, at),
                    });
                    self.write(dst, Holds::Number);
                }
            }
        }
    }

    /// An atomic addition.
    fn add_to(&mut self, value: u8, bytes: i32) {
        let size = self.pick(&[op::W, op::DW]);
        // Words of 4 and of 8 bytes lie apart: either is turned as a whole.
        let half = bytes / 2;
        let steps = (half / op::bytes(size)) as u64;
        let at = self.below(steps) as i32 * op::bytes(size);
        let at = if size == op::W { at } else { at + half };
        let src = if self.chance(1, 2) {
            let register = self.target_but(&[value]);
            let number = self.number();
            self.push(op::set(register, number));
            self.write(register, Holds::Number);
            register
        } else {
            self.known_number(&[value])
        };
        self.push(op::atomic(size, value, at as i16, src, 0));
    }

    /// An access at a computed place of a value.
    fn value_variable(&mut self, value: u8, bytes: i32) {
        let room = 1 << (bytes / 2).max(1).ilog2();
        let index = self.target_but(&[value]);
        let number = self.known_number(&[value, index]);
        if index != number {
            self.push(op::copy(index, number));
        }
        self.push(op::alu(op::AND, index, room - 1));
        self.write(index, Holds::Number);
        let pointer = self.target_but(&[value, index]);
        self.push(op::copy(pointer, value));
        self.push(op::alu_reg(op::ADD, pointer, index));
        self.write(pointer, Holds::Stack(0));
        for _ in 0..1 + self.below(3) {
            let size = self.pick(&SIZES);
            let last = bytes - room + 1 - op::bytes(size);
            if last < 0 {
                continue;
            }
            let at = self.below(last as u64 + 1) as i16;
            if self.chance(1, 2) {
                let dst = self.target_but(&[pointer, value]);
                self.push(op::load(size, dst, pointer, at));
                self.write(dst, Holds::Number);
            } else {
                let src = self.known_number(&[pointer, value]);
                self.push(op::store(size, pointer, at, src));
            }
        }
        self.write(pointer, Holds::Nothing);
    }

    /// Forgets pointers to elements of hash maps, before what may put another element in
    /// the place of one: the old element's bytes are still there for the interpreter, as for
    /// Linux, while a card writes over them. Nobody can rely on either.
    pub(super) fn forget_elements(&mut self) {
        for held in &mut self.holds {
            if matches!(held, Holds::Value(map) if MAPS[*map].kind == MapKind::Hash) {
                *held = Holds::Nothing;
            }
        }
    }

    /// An update or a deletion.
    pub(super) fn change_map(&mut self) {
        let map = self.pick(&[0, 1, 2, 5, 0, 2]);
        let Some(key) = self.key(map) else { return };
        // An array's element stays where it is: what was read of it may not be kept.
        let kept = (6..10).find(|one| self.held(*one) == Holds::Value(map));
        let kept = kept.filter(|_| MAPS[map].kind == MapKind::Array);
        if let Some(value) = kept {
            self.use_value(value, map);
        }
        if self.chance(1, 3) && MAPS[map].kind == MapKind::Hash {
            self.arguments(map, key);
            self.push(op::call(3));
        } else {
            let Some(value) = self.room(MAPS[map].value) else {
                return;
            };
            self.arguments(map, key);
            self.point(3, value);
            let flags = self.pick(&[0, 0, 1, 2]);
            self.push(op::set(4, flags));
            self.push(op::call(2));
        }
        self.clobber(Holds::Number);
        self.forget_elements();
        if let Some(value) = kept {
            self.use_value(value, map);
        }
    }

    /// An event with bytes of the stack, the packet, or a value.
    pub(super) fn event(&mut self) {
        let Some(context) = self.context() else {
            return;
        };
        // The verifier gives XDP's packets to no event.
        let value = self.find(|one| matches!(one, Holds::Value(map) if !MAPS[map].counts));
        let from = value.filter(|_| self.chance(2, 3));
        let size;
        match from {
            Some(from) if from != 4 => {
                size = self.pick(&[1, 4, 8]);
                self.push(op::copy(4, from));
            }
            Some(_) => size = 8,
            None => {
                if self.frame < 8 {
                    return;
                }
                size = 1 + self.below(self.frame as u64) as i32;
                let at = 4 * self.below(((self.frame - size) / 4) as u64 + 1) as i32;
                self.push(op::copy(4, 10));
                self.push(op::alu(op::ADD, 4, at - self.frame));
            }
        }
        if context != 1 {
            self.push(op::copy(1, context));
        }
        self.map(2, EVENTS);
        self.push(op::slot(0x18, 3, 0, 0, -1));
        let append = self.pick(&[0, 0, 14, 5]);
        self.push(op::slot(0, 0, 0, 0, append));
        self.push(op::set(5, size));
        self.push(op::call(25));
        self.clobber(Holds::Number);
    }
}
