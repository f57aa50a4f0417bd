//! Packets: comparisons with the end, accesses of all widths, moves of beginning and end.

use bpf::program_type::ProgramType;

use super::maker::{Holds, Maker};
use crate::random_program::op::{self, JMP, SIZES};

impl Maker {
    /// Offsets of the packet's addresses in the context.
    fn fields(&self) -> (i16, i16) {
        match self.program_type {
            ProgramType::Xdp => (0, 4),
            _ => (76, 80),
        }
    }

    /// A pointer to the packet, of which some bytes are there.
    pub(super) fn load_packet(&mut self) -> Option<u8> {
        let context = self.context()?;
        let keep = [self.target(), self.target(), 6, 7, 8, 9];
        let data = keep
            .into_iter()
            .rev()
            .find(|one| self.held(*one) == Holds::Nothing && !self.counters.contains(one))
            .unwrap_or(keep[0]);
        self.packet_into(context, data);
        Some(data)
    }

    /// Loads the packet's beginning and compares with its end, or leaves.
    pub(super) fn packet_into(&mut self, context: u8, data: u8) {
        let (begin, end) = self.fields();
        let last = self.target_but(&[context, data]);
        let probe = self.target_but(&[context, data, last]);
        self.push(op::load(op::W, data, context, begin));
        self.push(op::load(op::W, last, context, end));
        self.write(last, Holds::Nothing);
        self.write(probe, Holds::Nothing);
        let reach = self.pick(&[14, 14, 20, 34, 34, 42, 60, 64]);
        self.push(op::copy(probe, data));
        self.push(op::alu(op::ADD, probe, reach));
        self.write(data, Holds::Nothing);
        match self.below(4) {
            0 => self.leave_if(op::JLT, last, Some(probe), 0),
            1 => self.leave_if(op::JGE, probe, Some(last), 0),
            _ => self.leave_if(op::JGT, probe, Some(last), 0),
        }
        self.write(data, Holds::Packet(reach));
        if self.chance(1, 4) {
            // The length, as a number.
            self.push(op::alu_reg(op::SUB, last, data));
            self.write(last, Holds::Number);
        }
    }

    fn at_packet(&mut self) -> Option<(u8, i32)> {
        let found = self.find(|one| matches!(one, Holds::Packet(_)));
        let register = match found {
            Some(register) => register,
            None => self.load_packet()?,
        };
        match self.held(register) {
            Holds::Packet(reach) => Some((register, reach)),
            _ => None,
        }
    }

    /// One load at a known place.
    pub(super) fn read_packet(&mut self, packet: u8, dst: u8) {
        let Holds::Packet(reach) = self.held(packet) else {
            return self.push(op::set(dst, 0));
        };
        if dst == packet {
            self.write(packet, Holds::Nothing);
        }
        let size = self.pick(&SIZES);
        let at = self.offset(size, reach);
        let signed = size != op::DW && self.chance(1, 5);
        self.push(match signed {
            true => op::load_signed(size, dst, packet, at),
            false => op::load(size, dst, packet, at),
        });
        if size != op::B && self.chance(1, 4) {
            let bits = 8 * op::bytes(size);
            let opcode = self.pick(&[0xdc, 0xd7]);
            self.push(op::slot(opcode, dst, 0, 0, bits));
        }
    }

    fn offset(&mut self, size: u8, reach: i32) -> i16 {
        let bytes = op::bytes(size);
        let last = (reach - bytes).max(0);
        let any = self.below(last as u64 + 1) as i32;
        let step = self.pick(&[1, 1, 2, bytes]);
        let near = self.pick(&[0, 4, 8, 12, last]).min(last);
        let at = if self.chance(1, 4) { near } else { any };
        (at / step * step) as i16
    }

    pub(super) fn write_packet(&mut self, packet: u8, reach: i32) {
        let size = self.pick(&SIZES);
        let at = self.offset(size, reach);
        if self.chance(1, 3) {
            let number = self.number();
            self.push(op::store_imm(size, packet, at, number));
        } else {
            let src = self.known_number(&[packet]);
            self.push(op::store(size, packet, at, src));
        }
    }

    /// Loads and stores, overlapping or not.
    pub(super) fn packet(&mut self) {
        let Some((packet, reach)) = self.at_packet() else {
            return;
        };
        match self.below(6) {
            0 => self.copy_run(packet, reach),
            1 => self.store_run(packet, reach),
            2 | 3 => self.variable(packet),
            _ => {
                for _ in 0..1 + self.below(6) {
                    if self.chance(1, 3) {
                        self.write_packet(packet, reach);
                    } else {
                        let dst = self.target_but(&[packet]);
                        self.read_packet(packet, dst);
                        self.write(dst, Holds::Number);
                    }
                }
            }
        }
    }

    /// Bytes copied from one place to another, which may overlap.
    fn copy_run(&mut self, packet: u8, reach: i32) {
        let size = self.pick(&SIZES);
        let bytes = op::bytes(size);
        let room = reach / bytes;
        let count = 1 + self.below(room.min(5) as u64) as i32;
        let last = (reach - count * bytes) as u64 + 1;
        let (from, to) = (self.below(last) as i32, self.below(last) as i32);
        let one = self.target_but(&[packet]);
        let down = self.chance(1, 3);
        for index in 0..count {
            let index = if down { count - 1 - index } else { index };
            self.push(op::load(size, one, packet, (from + index * bytes) as i16));
            self.push(op::store(size, packet, (to + index * bytes) as i16, one));
        }
        self.write(one, Holds::Number);
    }

    /// Stores to adjacent places, in some order.
    fn store_run(&mut self, packet: u8, reach: i32) {
        let mut at = self.below(1 + (reach / 2) as u64) as i32;
        let down = self.chance(1, 3);
        for _ in 0..2 + self.below(5) {
            let size = self.pick(&[op::B, op::H, op::H, op::W, op::DW]);
            let bytes = op::bytes(size);
            if down {
                at -= bytes;
            }
            if at < 0 || at + bytes > reach {
                break;
            }
            if self.chance(1, 2) {
                let number = self.number();
                self.push(op::store_imm(size, packet, at as i16, number));
            } else {
                let src = self.known_number(&[packet]);
                self.push(op::store(size, packet, at as i16, src));
            }
            if !down {
                at += bytes;
            }
            if self.chance(1, 4) {
                self.arithmetic();
            }
        }
    }

    /// Accesses behind something of variable length.
    fn variable(&mut self, packet: u8) {
        let Some(context) = self.context() else {
            return;
        };
        let index = self.target();
        let number = self.numeric();
        if self.held(packet) == Holds::Nothing || index == packet {
            return;
        }
        if index != number {
            self.push(op::copy(index, number));
        }
        let mask = self.pick(&[7, 15, 60, 63, 255]);
        self.push(op::alu(op::AND, index, mask));
        self.write(index, Holds::Number);
        let pointer = self.target_but(&[packet, context, index]);
        let probe = self.target_but(&[packet, context, index, pointer]);
        let end = self.target_but(&[packet, context, index, pointer, probe]);
        self.push(op::copy(pointer, packet));
        self.push(op::alu_reg(op::ADD, pointer, index));
        self.write(pointer, Holds::Stack(0));
        let reach = self.pick(&[1, 2, 4, 8, 16]);
        self.push(op::copy(probe, pointer));
        self.push(op::alu(op::ADD, probe, reach));
        self.write(probe, Holds::Nothing);
        let (_, field) = self.fields();
        self.push(op::load(op::W, end, context, field));
        self.write(end, Holds::Nothing);
        let over = self.fork(op::slot(op::JGT | JMP | 8, probe, end, 0, 0));
        self.through_any(pointer, reach);
        self.land(&over);
        self.write(pointer, Holds::Nothing);
    }

    fn through_any(&mut self, pointer: u8, reach: i32) {
        for _ in 0..1 + self.below(4) {
            let size = self.pick(&SIZES);
            let last = reach - op::bytes(size);
            if last < 0 {
                continue;
            }
            let at = self.below(last as u64 + 1) as i16;
            if self.chance(1, 2) {
                let dst = self.target_but(&[pointer]);
                self.push(op::load(size, dst, pointer, at));
                self.write(dst, Holds::Number);
            } else {
                let src = self.known_number(&[pointer]);
                self.push(op::store(size, pointer, at, src));
            }
        }
    }

    /// Moves the packet's beginning or end; the context stays.
    pub(super) fn adjust(&mut self) {
        if self.program_type != ProgramType::Xdp || self.function != 0 {
            return self.legacy();
        }
        let Some(context) = self.context() else {
            return;
        };
        let tail = self.chance(1, 2);
        // In a loop it moves again.
        let most = match self.counters.len() {
            0 => self.head,
            1 => self.head / 4,
            _ => 0,
        };
        if !tail && most <= 0 {
            return;
        }
        let constant = self.chance(1, 2);
        let by = match tail {
            true => -1 - self.below(40) as i32,
            false => self.below(2 * most as u64 + 1) as i32 - most,
        };
        if !tail {
            self.head = 0;
        }
        if constant {
            self.push(op::set(2, by));
        } else {
            let number = self.known_number(&[context]);
            if number != 2 {
                self.push(op::copy(2, number));
            }
            let mask = match tail {
                true => 63,
                false => (most / 2 + 1).max(2).ilog2() as i32,
            };
            let mask = if tail { mask } else { (1 << mask) - 1 };
            self.push(op::alu(op::AND, 2, mask));
            if tail {
                self.push(op::alu(op::SUB, 2, 64));
            } else if self.chance(1, 2) {
                self.push(op::alu(op::NEG, 2, 0));
            }
        }
        self.push(op::copy(1, context));
        self.push(op::call(if tail { 65 } else { 44 }));
        self.clobber(Holds::Number);
        for register in 0..10 {
            if matches!(self.held(register), Holds::Packet(_)) {
                self.write(register, Holds::Nothing);
            }
        }
    }

    /// A legacy load of a classifier.
    pub(super) fn legacy(&mut self) {
        if self.program_type == ProgramType::Xdp || self.held(6) != Holds::Context {
            return;
        }
        if self.function != 0 {
            return;
        }
        let size = self.pick(&[op::B, op::H, op::W]);
        let at = self.pick(&[0, 1, 2, 6, 9, 12, 13, 20]);
        if self.chance(2, 3) {
            self.push(op::slot(0x20 | size, 0, 0, 0, at));
        } else {
            let index = self.known_number(&[6]);
            if self.counters.contains(&index) {
                return;
            }
            self.push(op::alu(op::AND, index, 31));
            self.push(op::slot(0x40 | size, 0, index, 0, at));
        }
        self.clobber(Holds::Number);
    }
}
