//! What plain instructions read and write, by operation code.
//!
//! Most instructions only compute, load, store or branch, and what such a one does to registers depends
//! on nothing but its operation code and the two register fields. A table that is made from
//! [`Insn::decode`] itself says it without decoding each of a million. All others (calls, atomic
//! operations, byte swaps, far jumps) are to be decoded.

use std::sync::LazyLock;

use bpf::insn::{Insn, MemWidth, Operand, Reg, RegSet, Slot};

/// Probes: registers that are told apart in what an instruction reads and writes.
const DST: Reg = Reg(1);
const SRC: Reg = Reg(2);

/// What an operation code says of a plain instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect(u8);

const PLAIN: u8 = 1;
const READS_DST: u8 = 1 << 1;
const READS_SRC: u8 = 1 << 2;
const WRITES_DST: u8 = 1 << 3;
const WIDE: u8 = 1 << 4;
const NARROW_STORE: u8 = 1 << 5;
const BRANCHES: u8 = 1 << 6;
const GOES_ON: u8 = 1 << 7;

/// The effects of all operation codes.
#[derive(Clone, Copy, Debug)]
pub struct Effects(&'static [u8; 256]);

impl Effects {
    /// The table.
    pub fn table() -> Effects {
        static TABLE: LazyLock<[u8; 256]> =
            LazyLock::new(|| std::array::from_fn(|opcode| derived(opcode as u8)));
        Effects(&TABLE)
    }

    /// The effect of a slot, if it begins a plain instruction.
    #[inline]
    pub fn of(self, slot: Slot) -> Option<Effect> {
        self.of_opcode(slot.opcode)
    }

    /// The effect of an operation code, if it is one of a plain instruction.
    #[inline]
    pub fn of_opcode(self, opcode: u8) -> Option<Effect> {
        let effect = Effect(self.0[usize::from(opcode)]);
        effect.has(PLAIN).then_some(effect)
    }
}

impl Effect {
    #[inline]
    fn has(self, what: u8) -> bool {
        self.0 & what != 0
    }

    /// The registers that the instruction reads.
    #[inline]
    pub fn reads(self, slot: Slot) -> RegSet {
        let set = RegSet::EMPTY.with_if(Reg(slot.dst), self.has(READS_DST));
        set.with_if(Reg(slot.src), self.has(READS_SRC))
    }

    /// The registers that it writes.
    #[inline]
    pub fn writes(self, slot: Slot) -> RegSet {
        self.writes_to(Reg(slot.dst))
    }

    /// The registers that it writes if this is its destination.
    #[inline]
    pub fn writes_to(self, dst: Reg) -> RegSet {
        RegSet::EMPTY.with_if(dst, self.has(WRITES_DST))
    }

    /// Whether it takes two slots.
    #[inline]
    pub fn is_wide(self) -> bool {
        self.has(WIDE)
    }

    /// Whether it stores an immediate in less than 32 bits.
    #[inline]
    pub fn is_narrow_store(self) -> bool {
        self.has(NARROW_STORE)
    }

    /// Whether its offset leads to another instruction.
    #[inline]
    pub fn branches(self) -> bool {
        self.has(BRANCHES)
    }

    /// Whether control goes on behind it.
    #[inline]
    pub fn goes_on(self) -> bool {
        self.has(GOES_ON)
    }
}

/// The bits of an operation code, 0 if it is none of a plain instruction.
fn derived(opcode: u8) -> u8 {
    let probe = Slot {
        opcode,
        dst: DST.0,
        ..Slot::default()
    };
    // One of the two is what the operation code takes.
    let probes = [
        Slot {
            src: SRC.0,
            ..probe
        },
        probe,
    ];
    let mut decoded = probes
        .iter()
        .filter_map(|probe| Insn::decode(&[*probe, Slot::default()]).ok());
    let Some((insn, slots)) = decoded.next() else {
        return 0;
    };
    let is_plain = matches!(
        insn,
        Insn::Alu { .. }
            | Insn::Neg { .. }
            | Insn::LoadImm64 { .. }
            | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::Branch { .. }
            | Insn::Goto { long: false, .. }
    );
    let is_narrow_store = matches!(
        insn,
        Insn::Store {
            width: MemWidth::B8 | MemWidth::B16,
            src: Operand::Imm(_),
            ..
        }
    );
    let bits = [
        (is_plain, PLAIN),
        (insn.reads().contains(DST), READS_DST),
        (insn.reads().contains(SRC), READS_SRC),
        (insn.writes().contains(DST), WRITES_DST),
        (slots == 2, WIDE),
        (is_narrow_store, NARROW_STORE),
        (insn.branch_offset().is_some(), BRANCHES),
        (!insn.is_terminator(), GOES_ON),
    ];
    let bits = bits.into_iter().filter(|(holds, _)| is_plain && *holds);
    bits.fold(0, |all, (_, bit)| all | bit)
}

#[cfg(test)]
mod tests {
    use super::{Effects, Insn, MemWidth, Operand, Slot};

    /// Every operation code with all registers, and fields that change the meaning of some.
    #[test]
    fn the_table_agrees_with_decoding() {
        let effects = Effects::table();
        let mut plain = 0;
        for opcode in 0..=u8::MAX {
            for registers in 0..=u8::MAX {
                for (offset, imm) in [(0, 0), (1, 0), (8, 0), (16, 0), (32, 0), (1, 1), (0, 7)] {
                    let slot = Slot {
                        opcode,
                        dst: registers & 15,
                        src: registers >> 4,
                        offset,
                        imm,
                    };
                    let Ok((insn, slots)) = Insn::decode(&[slot, Slot::default()]) else {
                        continue;
                    };
                    let Some(effect) = effects.of(slot) else {
                        continue;
                    };
                    plain += 1;
                    assert_eq!(effect.reads(slot), insn.reads(), "{insn}");
                    assert_eq!(effect.writes(slot), insn.writes(), "{insn}");
                    assert_eq!(effect.is_wide(), slots == 2, "{insn}");
                    assert_eq!(effect.goes_on(), !insn.is_terminator(), "{insn}");
                    let distance = effect.branches().then_some(i32::from(slot.offset));
                    assert_eq!(distance, insn.branch_offset(), "{insn}");
                    let narrow = matches!(
                        insn,
                        Insn::Store {
                            width: MemWidth::B8 | MemWidth::B16,
                            src: Operand::Imm(_),
                            ..
                        }
                    );
                    assert_eq!(effect.is_narrow_store(), narrow, "{insn}");
                }
            }
        }
        assert!(plain > 10_000, "{plain} plain instructions");
    }
}
