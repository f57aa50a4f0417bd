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
pub struct Effect {
    reads_dst: bool,
    reads_src: bool,
    writes_dst: bool,
    /// Whether it takes two slots.
    pub is_wide: bool,
    /// Whether it stores an immediate in less than 32 bits.
    pub is_narrow_store: bool,
    /// Whether its offset leads to another instruction.
    pub branches: bool,
    /// Whether control goes on behind it.
    pub goes_on: bool,
}

/// The effects of all operation codes.
#[derive(Clone, Copy, Debug)]
pub struct Effects(&'static [Option<Effect>; 256]);

impl Effects {
    /// The table.
    pub fn table() -> Effects {
        static TABLE: LazyLock<[Option<Effect>; 256]> =
            LazyLock::new(|| std::array::from_fn(|opcode| derived(opcode as u8)));
        Effects(&TABLE)
    }

    /// The effect of a slot, if it begins a plain instruction.
    #[inline]
    pub fn of(self, slot: Slot) -> Option<Effect> {
        self.0[usize::from(slot.opcode)]
    }
}

impl Effect {
    /// The registers that the instruction reads.
    #[inline]
    pub fn reads(self, slot: Slot) -> RegSet {
        let set = RegSet::EMPTY.with_if(Reg(slot.dst), self.reads_dst);
        set.with_if(Reg(slot.src), self.reads_src)
    }

    /// The registers that it writes.
    #[inline]
    pub fn writes(self, slot: Slot) -> RegSet {
        RegSet::EMPTY.with_if(Reg(slot.dst), self.writes_dst)
    }
}

fn derived(opcode: u8) -> Option<Effect> {
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
    let (insn, slots) = decoded.next()?;
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
    is_plain.then(|| Effect {
        reads_dst: insn.reads().contains(DST),
        reads_src: insn.reads().contains(SRC),
        writes_dst: insn.writes().contains(DST),
        is_wide: slots == 2,
        is_narrow_store,
        branches: insn.branch_offset().is_some(),
        goes_on: !insn.is_terminator(),
    })
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
                    assert_eq!(effect.is_wide, slots == 2, "{insn}");
                    assert_eq!(effect.goes_on, !insn.is_terminator(), "{insn}");
                    let distance = effect.branches.then_some(i32::from(slot.offset));
                    assert_eq!(distance, insn.branch_offset(), "{insn}");
                    let narrow = matches!(
                        insn,
                        Insn::Store {
                            width: MemWidth::B8 | MemWidth::B16,
                            src: Operand::Imm(_),
                            ..
                        }
                    );
                    assert_eq!(effect.is_narrow_store, narrow, "{insn}");
                }
            }
        }
        assert!(plain > 10_000, "{plain} plain instructions");
    }
}
