//! Packets: their addresses, comparisons with their end, accesses, and calls that change them.

use super::generator::{Generator, Holds};
use super::op::{self, JMP};

impl Generator {
    /// Loads the packet's addresses into registers.
    pub fn load_packet(&mut self) {
        let Some((begin, end, meta)) = self.sort.packet else {
            return;
        };
        let Some(context) = self.find(|one| one == Holds::Context) else {
            return;
        };
        let size = if self.wrong() { op::DW } else { op::W };
        let data = self.target_but(&[context]);
        self.push(op::load(size, data, context, begin));
        self.write(data, Holds::Packet);
        let last = self.target_but(&[context, data]);
        self.push(op::load(op::W, last, context, end));
        self.write(last, Holds::PacketEnd);
        self.reach = 0;
        if let Some(offset) = meta
            && self.chance(1, 4)
        {
            let register = self.target_but(&[context, data, last]);
            self.push(op::load(op::W, register, context, offset));
            self.write(register, Holds::Meta);
        }
    }

    /// Something with the packet.
    pub fn packet(&mut self) {
        let (Some(begin), Some(end)) = (
            self.find(|one| matches!(one, Holds::Packet)),
            self.find(|one| matches!(one, Holds::PacketEnd)),
        ) else {
            return self.load_packet();
        };
        if let Some(meta) = self.find(|one| one == Holds::Meta)
            && self.chance(1, 4)
        {
            return self.compare_and_access(meta, begin);
        }
        if self.reach > 0 && self.chance(1, 3) {
            let reach = self.reach;
            return self.packet_access(begin, reach);
        }
        self.compare_and_access(begin, end);
    }

    /// Compares a pointer with a limit and accesses what is known to be there.
    fn compare_and_access(&mut self, begin: u8, end: u8) {
        let mut away = Vec::new();
        let mut base = begin;
        let mut known = self.pick(&[1, 2, 4, 8, 14, 20, 34, 64]);
        if self.chance(1, 3) {
            // Behind something of variable length.
            let most = self.pick(&[15, 60, 255, 4096, 65535, 1 << 20]);
            let bounded = self.bounded(most, &[begin, end]);
            base = self.target_but(&[begin, end, bounded.register]);
            self.push(op::copy(base, begin));
            self.push(op::alu_reg(op::ADD, base, bounded.register));
            away = bounded.away;
            self.write(base, Holds::Other);
        }
        let probe = self.target_but(&[begin, end, base]);
        self.push(op::copy(probe, base));
        self.push(op::alu(op::ADD, probe, known));
        self.write(probe, Holds::Other);
        if self.wrong() {
            known += self.pick(&[1, -1, 4]);
        }
        // The comparison, whether operands change places, whether the jump leads away, and whether
        // equality is left out.
        let (condition, swapped, leaves) = self.pick(&[
            (op::JGT, false, true),
            (op::JGE, false, true),
            (op::JLE, false, false),
            (op::JLT, false, false),
            (op::JLT, true, true),
            (op::JLE, true, true),
            (op::JGE, true, false),
            (op::JGT, true, false),
        ]);
        let (dst, src) = if swapped { (end, probe) } else { (probe, end) };
        let condition = if self.wrong() {
            self.pick(&op::CONDITIONS)
        } else {
            condition
        };
        let branch = op::slot(condition | JMP | 8, dst, src, 0, 0);
        if leaves {
            away.push(self.fork(branch));
        } else {
            let inside = self.fork(branch);
            away.push(self.fork(op::goto(0)));
            self.land_alone(&inside);
        }
        if base == begin {
            self.reach = known;
        }
        for _ in 0..1 + self.below(2) {
            self.packet_access(base, known);
        }
        if self.chance(1, 3) && self.depth < 2 {
            self.depth += 1;
            let count = 1 + self.below(3);
            self.statements(count);
            self.depth -= 1;
        }
        for fork in &away {
            self.land(fork);
        }
    }

    fn packet_access(&mut self, base: u8, known: i32) {
        let held = self.holds.get(usize::from(base)).copied();
        if !self.sort.writes_packet && !self.wrong() {
            let size = self.pick(&op::SIZES);
            let room = known - op::bytes(size);
            if room >= 0 {
                let (dst, offset) = (self.target_but(&[base]), self.below(room as u64 + 1));
                self.push(op::load(size, dst, base, offset as i16));
                self.write(dst, Holds::Number);
            }
            return;
        }
        self.access(base, known);
        if let Some(held) = held {
            self.write(base, held);
        }
    }

    /// A call that may move the packet, after which its addresses are of no use.
    pub fn change_packet(&mut self) {
        if self.sort.changes.is_empty() && !self.wrong() {
            return;
        }
        let Some(context) = self.find(|one| one == Holds::Context) else {
            return;
        };
        let helper = self.pick(&[39, 44, 54, 65, 43, 38]);
        let helper = if self.sort.changes.is_empty() {
            helper
        } else {
            self.pick(self.sort.changes)
        };
        self.push(op::copy(1, context));
        let number = self.pick(&[0, 4, 14, -4]);
        self.push(op::set(2, number));
        self.push(op::set(3, 0));
        self.push(op::set(4, 0));
        self.push(op::call(helper));
        self.clobber(Holds::Number);
        if !self.wrong() {
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
    }
}
