//! Calls: helpers that take memory with its size, maps, functions of the program, tail calls, and
//! the loads of the packet that are calls in disguise.

use super::environment::{self, KEYED};
use super::generator::{Generator, Holds};
use super::op;

impl Generator {
    /// Memory of so many bytes in a register; `written` if it must hold something.
    fn memory_argument(&mut self, register: u8, bytes: i32, written: bool) {
        let value = self.find(|one| matches!(one, Holds::Value(_) | Holds::Record(_)));
        if let Some(value) = value.filter(|one| *one > 5 && self.random.below(3) == 0) {
            self.push(op::copy(register, value));
            self.write(register, Holds::Other);
            return;
        }
        let offset = (bytes + 7) / 8 * 8;
        if written && !self.wrong() {
            for at in 0..offset / 8 {
                let index = at as usize;
                if !self.written.get(index).copied().unwrap_or(true) {
                    let number = self.number();
                    self.push(op::store_imm(op::DW, 10, (-8 - 8 * at) as i16, number));
                    self.written[index] = true;
                }
            }
        }
        self.push(op::copy(register, 10));
        let offset = if self.wrong() { offset - 8 } else { offset };
        self.push(op::alu(op::ADD, register, -offset));
        self.write(register, Holds::Stack(-offset));
    }

    /// A size in a register: known, or bounded. Returns the jumps around the call.
    fn size_argument(
        &mut self,
        register: u8,
        bytes: i32,
        zero: bool,
    ) -> Vec<super::generator::Fork> {
        if self.chance(1, 2) {
            let size = if self.wrong() {
                self.pick(&[0, bytes + 1, -1])
            } else {
                bytes
            };
            self.push(op::set(register, size));
            self.write(register, Holds::Number);
            return Vec::new();
        }
        let bounded = self.bounded(bytes, &[]);
        let mut away = bounded.away;
        if !zero && !self.wrong() {
            away.push(self.fork(op::slot(op::JEQ | op::JMP, bounded.register, 0, 0, 0)));
        }
        // Kept where the arguments that follow do not touch it.
        if bounded.register != register {
            self.push(op::copy(register, bounded.register));
        }
        self.write(register, Holds::Number);
        away
    }

    /// A helper that reads or writes memory of a size.
    pub fn helper_with_memory(&mut self) {
        let bytes = self.pick(&[1, 4, 8, 12, 16, 24, 64]);
        let context = self.find(|one| one == Holds::Context);
        let away = match self.below(9) {
            // skb_load_bytes, xdp_load_bytes
            0 | 1 if context.is_some_and(|one| one > 5) && self.sort.reads_packet => {
                let helper = if self.sort.buffer { 26 } else { 189 };
                let away = self.size_argument(4, bytes, false);
                self.memory_argument(3, bytes, false);
                self.push(op::set(2, 0));
                self.push(op::copy(1, context.unwrap_or(6)));
                self.push(op::call(helper));
                away
            }
            // skb_store_bytes, xdp_store_bytes
            2 if context.is_some_and(|one| one > 5) && self.sort.writes_packet => {
                let helper = if self.sort.buffer { 9 } else { 190 };
                let away = self.size_argument(4, bytes, false);
                self.memory_argument(3, bytes, true);
                self.push(op::set(2, 0));
                self.push(op::copy(1, context.unwrap_or(6)));
                self.push(op::set(5, 0));
                self.push(op::call(helper));
                self.forget_packet();
                away
            }
            // csum_diff
            3 if self.sort.checksums => {
                let away = self.size_argument(4, bytes & !3, true);
                self.memory_argument(3, bytes, true);
                self.push(op::set(1, 0));
                self.push(op::set(2, 0));
                self.push(op::set(5, 0));
                self.push(op::call(28));
                away
            }
            // ringbuf_output
            4 => {
                let away = self.size_argument(3, bytes, true);
                self.memory_argument(2, bytes, true);
                self.map(1, environment::RINGBUF);
                self.push(op::set(4, 0));
                self.push(op::call(130));
                away
            }
            // get_current_comm, or probe_read_kernel
            5 => {
                let helper = self.pick(&[16, 113, 115]);
                let away = self.size_argument(2, bytes, helper != 16);
                self.memory_argument(1, bytes, false);
                let from = self.number();
                self.push(op::set(3, from));
                self.push(op::call(helper));
                away
            }
            // perf_event_output
            6 if context.is_some_and(|one| one > 5) => {
                let away = self.size_argument(5, bytes, true);
                self.memory_argument(4, bytes, true);
                self.map(2, environment::EVENTS);
                self.push(op::slot(op::MOV | op::ALU32, 3, 0, 0, -1));
                self.push(op::copy(1, context.unwrap_or(6)));
                self.push(op::call(25));
                away
            }
            // trace_printk
            7 => {
                let away = self.size_argument(2, bytes, false);
                self.memory_argument(1, bytes, true);
                if let Some(argument) = self.find(|one| one == Holds::Number) {
                    self.push(op::copy(3, argument));
                }
                self.push(op::call(6));
                away
            }
            // strtol
            _ => {
                let away = self.size_argument(2, bytes, false);
                self.memory_argument(1, bytes, true);
                self.push(op::set(3, 0));
                self.push(op::copy(4, 10));
                let at = self.pick(&[-8, -16, -88]);
                self.push(op::alu(op::ADD, 4, at));
                self.push(op::call(105));
                away
            }
        };
        self.clobber(Holds::Number);
        for fork in &away {
            self.land(fork);
        }
    }

    fn forget_packet(&mut self) {
        self.reach = 0;
        for held in &mut self.holds {
            if matches!(
                held,
                Holds::Packet | Holds::PacketEnd | Holds::Meta | Holds::Other
            ) {
                *held = Holds::Nothing;
            }
        }
    }

    /// Any helper, with arguments that may be what it takes.
    pub fn any_helper(&mut self) {
        let context = self.find(|one| one == Holds::Context);
        for argument in 1..6 {
            match self.below(6) {
                0 | 1 => {
                    let number = self.pick(&[0, 0, 1, 4, 8, 16]);
                    self.push(op::set(argument, number));
                }
                2 => {
                    let offset = self.pick(&[-8, -16, -64]);
                    self.push(op::copy(argument, 10));
                    self.push(op::alu(op::ADD, argument, offset));
                }
                3 => {
                    let map = self.pick(&KEYED);
                    self.map(argument, map);
                }
                _ if argument == 1 => self.push(op::copy(1, context.unwrap_or(10))),
                _ => {
                    let from = self.find(|one| one != Holds::Nothing);
                    self.push(op::copy(argument, from.unwrap_or(10)));
                }
            }
        }
        let helper = self.below(212) as i32;
        self.push(op::call(helper));
        self.clobber(Holds::Nothing);
        self.forget_packet();
    }

    /// Stores into maps, deletes, pushes and pops.
    pub fn map_helper(&mut self) {
        match self.below(4) {
            0 => {
                let map = self.pick(&KEYED);
                let bytes = environment::value_size(map);
                self.key(2, map);
                self.memory_argument(3, bytes, true);
                self.map(1, map);
                self.push(op::set(4, 0));
                self.push(op::call(2));
            }
            1 => {
                let map = self.pick(&KEYED);
                self.key(2, map);
                self.map(1, map);
                self.push(op::call(3));
            }
            2 => {
                self.memory_argument(2, 12, true);
                self.map(1, environment::QUEUE);
                self.push(op::set(3, 0));
                self.push(op::call(87));
            }
            _ => {
                self.memory_argument(2, 12, false);
                self.map(1, environment::QUEUE);
                let helper = self.pick(&[88, 89]);
                self.push(op::call(helper));
            }
        }
        self.clobber(Holds::Number);
    }

    /// A call of a function of the program: the second one on, of those behind.
    pub fn call_function(&mut self) {
        let next = self.function + 1;
        let function = if self.functions >= next && self.chance(1, 2) {
            next + self.below((self.functions - self.function) as u64) as usize
        } else if self.functions < 4 {
            self.functions += 1;
            self.functions
        } else {
            return;
        };
        for argument in 1..3 {
            match self.below(5) {
                0 | 1 => {
                    let offset = self.pick(&[-8, -16, -64]);
                    self.push(op::copy(argument, 10));
                    self.push(op::alu(op::ADD, argument, offset));
                }
                2 => {
                    let from = self.find(|one| one != Holds::Nothing);
                    self.push(op::copy(argument, from.unwrap_or(10)));
                }
                _ => {
                    let number = self.number();
                    self.push(op::set(argument, number));
                }
            }
            self.write(argument, Holds::Other);
        }
        self.calls.push((self.slots.len(), function));
        self.push(op::slot(0x85, 0, 1, 0, 0));
        self.clobber(Holds::Number);
    }

    pub fn tail_call(&mut self) {
        let Some(context) = self.find(|one| one == Holds::Context) else {
            return;
        };
        if self.function != 0 && !self.wrong() {
            return;
        }
        if self.chance(1, 2) {
            let index = self.pick(&[0, 1, 3, 4]);
            self.push(op::set(3, index));
        } else if let Some(index) = self.find(|one| one == Holds::Number) {
            self.push(op::copy(3, index));
        } else {
            return;
        }
        self.push(op::copy(1, context));
        self.map(2, environment::PROGRAMS);
        self.push(op::call(12));
        self.clobber(Holds::Number);
    }

    /// `ld_abs` and `ld_ind`.
    pub fn legacy_load(&mut self) {
        if (!self.sort.buffer || self.function != 0) && !self.wrong() {
            return;
        }
        if self.holds[6] != Holds::Context {
            let Some(context) = self.find(|one| one == Holds::Context) else {
                return;
            };
            self.push(op::copy(6, context));
            self.write(6, Holds::Context);
        }
        let (size, offset) = (
            self.pick(&[op::B, op::H, op::W]),
            self.pick(&[0, 12, 23, -4096]),
        );
        if self.chance(1, 2) {
            self.push(op::slot(0x20 | size, 0, 0, 0, offset));
        } else {
            let index = self.numeric();
            self.push(op::slot(0x40 | size, 0, index, 0, offset));
        }
        self.clobber(Holds::Number);
    }
}
