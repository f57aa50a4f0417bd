//! What may be absent, and what must be given back: values of maps, records, sockets.

use super::environment::{self, KEYED, MapIndex, key_size};
use super::generator::{Generator, Holds};
use super::op::{self, JMP};

impl Generator {
    /// Puts a map's address into a register.
    pub fn map(&mut self, register: u8, map: MapIndex) {
        let map = if self.wrong() {
            self.below(9) as MapIndex
        } else {
            map
        };
        self.push(op::slot(0x18, register, 5, 0, map.into()));
        self.push(op::slot(0, 0, 0, 0, 0));
        self.write(register, Holds::Other);
    }

    /// Puts a key on the stack, and its address into a register.
    pub fn key(&mut self, register: u8, map: MapIndex) {
        let offset = self.pick(&[-8, -16, -24, -4, -8]);
        let offset = if key_size(map) == 8 {
            offset / 8 * 8 - 8
        } else {
            offset
        };
        if !self.wrong() {
            let size = if key_size(map) == 8 { op::DW } else { op::W };
            let known = self.pick(&[0, 0, 1, 2, 3, 4, 9]);
            match self.below(4) {
                0 => {
                    let src = self.numeric();
                    self.push(op::store(size, 10, offset as i16, src));
                }
                1 => {
                    let src = self.target();
                    self.push(op::set(src, known));
                    self.write(src, Holds::Number);
                    self.push(op::store(size, 10, offset as i16, src));
                }
                _ => self.push(op::store_imm(size, 10, offset as i16, known)),
            }
        }
        self.push(op::copy(register, 10));
        self.push(op::alu(op::ADD, register, offset));
        self.write(register, Holds::Stack(offset));
    }

    /// Looks a value up, and looks whether it was found; accesses follow.
    pub fn lookup(&mut self) {
        let map = self.pick(&KEYED);
        self.key(2, map);
        self.map(1, map);
        self.push(op::call(1));
        self.clobber(Holds::Nothing);
        if self.chance(1, 10) && map != environment::HASH {
            // A known key may need no check.
            self.access(0, environment::value_size(map));
            return;
        }
        let keep = self.pick(&[0, 0, 6, 7, 8, 9, 2, 3]);
        if keep != 0 {
            self.push(op::copy(keep, 0));
            self.write(keep, Holds::Nothing);
        }
        if self.wrong() {
            self.push(op::alu(op::ADD, keep, 4));
        }
        self.checked(keep, Holds::Value(map));
    }

    /// Checks that a register is not null; on the way that it is not, it holds `found`.
    fn checked(&mut self, register: u8, found: Holds) {
        let checked = if self.chance(1, 4) { 0 } else { register };
        if self.wrong() {
            return self.write(register, found);
        }
        match self.below(4) {
            // The program ends where there is nothing.
            0 if self.held == 0 => {
                let over = self.fork(op::slot(op::JNE | JMP, checked, 0, 0, 0));
                self.push(op::set(0, 0));
                self.push(op::exit());
                self.land_alone(&over);
                self.write(register, found);
            }
            1 => {
                let inside = self.fork(op::slot(op::JNE | JMP, checked, 0, 0, 0));
                let away = self.fork(op::goto(0));
                self.land_alone(&inside);
                self.used(register, found);
                self.land(&away);
            }
            _ => {
                let away = self.fork(op::slot(op::JEQ | JMP, checked, 0, 0, 0));
                self.used(register, found);
                self.land(&away);
            }
        }
    }

    fn used(&mut self, register: u8, found: Holds) {
        self.write(register, found);
        let bytes = match found {
            Holds::Value(map) => environment::value_size(map),
            Holds::Record(bytes) => bytes,
            _ => 76,
        };
        for _ in 0..self.below(3) {
            if self.holds.get(usize::from(register)) == Some(&found) {
                self.access(register, bytes);
            }
        }
        self.depth += 1;
        if self.depth < 3 {
            let count = self.below(4);
            self.statements(count);
        }
        self.depth -= 1;
    }

    /// Reserves a record of a ring buffer, and gives it back.
    pub fn reserve(&mut self) {
        let bytes = self.pick(&[8, 16, 5, 64]);
        self.map(1, environment::RINGBUF);
        self.push(op::set(2, bytes));
        self.push(op::set(3, 0));
        self.push(op::call(131));
        self.clobber(Holds::Nothing);
        let keep = self.pick(&[6, 7, 8, 9]);
        self.push(op::copy(keep, 0));
        self.write(keep, Holds::Nothing);
        let away = self.fork(op::slot(op::JEQ | JMP, keep, 0, 0, 0));
        self.held += 1;
        self.used(keep, Holds::Record(bytes));
        self.held -= 1;
        if !self.wrong() {
            if self.holds[keep as usize] != Holds::Record(bytes) && !self.wrong() {
                // It went away: nothing can be given back.
                self.push(op::goto(0));
            }
            self.push(op::copy(1, keep));
            self.push(op::set(2, 0));
            let helper = self.pick(&[132, 133]);
            self.push(op::call(helper));
            self.clobber(Holds::Nothing);
        }
        self.write(keep, Holds::Nothing);
        if self.wrong() {
            self.push(op::load(op::W, 0, keep, 0));
        }
        self.land(&away);
    }

    /// Looks a socket up and releases it.
    pub fn look_up_socket(&mut self) {
        if !self.sort.sockets && !self.wrong() {
            return;
        }
        let Some(context) = self.find(|one| one == Holds::Context) else {
            return;
        };
        for offset in [-8, -16] {
            self.push(op::store_imm(op::DW, 10, offset, 0));
        }
        self.written[..2].fill(true);
        self.push(op::copy(1, context));
        self.push(op::copy(2, 10));
        self.push(op::alu(op::ADD, 2, -16));
        self.push(op::set(3, 12));
        self.push(op::set(4, 0));
        self.push(op::set(5, 0));
        let helper = self.pick(&[84, 85, 99]);
        self.push(op::call(helper));
        self.clobber(Holds::Nothing);
        let keep = self.pick(&[6, 7, 8, 9]);
        self.push(op::copy(keep, 0));
        let away = self.fork(op::slot(op::JEQ | JMP, keep, 0, 0, 0));
        self.held += 1;
        self.used(keep, Holds::Socket);
        self.held -= 1;
        if self.chance(1, 6) {
            // Another view of it.
            let helper = self.pick(&[95, 96, 98]);
            self.push(op::copy(1, keep));
            self.push(op::call(helper));
            self.clobber(Holds::Nothing);
            let none = self.fork(op::slot(op::JEQ | JMP, 0, 0, 0, 0));
            let (dst, offset) = (self.target_but(&[keep]), self.pick(&[0, 4, 8, 44, 80]));
            self.push(op::load(op::W, dst, 0, offset));
            self.write(dst, Holds::Number);
            self.land(&none);
        }
        if !self.wrong() {
            self.push(op::copy(1, keep));
            self.push(op::call(86));
            self.clobber(Holds::Nothing);
        }
        self.write(keep, Holds::Nothing);
        self.land(&away);
    }
}
