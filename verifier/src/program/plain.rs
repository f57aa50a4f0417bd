//! A program from the very stream that the kernel is given, where no object is: maps are named by
//! their place in a list (`BPF_PSEUDO_MAP_IDX`, `BPF_PSEUDO_MAP_IDX_VALUE`), functions by distance.
//!
//! A function begins wherever a call or address leads, as the kernel has it. Linear in the slots.

use std::collections::BTreeSet;

use bpf::insn::{Insn, Slot};
use bpf::object::SectionId;
use bpf::program_type::{AttachType, ProgramType};

use super::maps::{Map, MapId};
use super::origin::Origin;
use super::prototype::Signature;
use super::{Meaning, Op, Program, Subprogram};

/// `BPF_PSEUDO_CALL`
const PSEUDO_CALL: u8 = 1;
/// `BPF_PSEUDO_FUNC`
const PSEUDO_FUNC: u8 = 4;
/// `BPF_PSEUDO_MAP_IDX`
const PSEUDO_MAP: u8 = 5;
/// `BPF_PSEUDO_MAP_IDX_VALUE`
const PSEUDO_MAP_VALUE: u8 = 6;

impl Program {
    /// The program whose slots these are, without types, under the GPL. `None` if there are none, or
    /// a call leads out of them, which the kernel refuses before all else.
    #[must_use]
    pub fn from_slots(
        program_type: ProgramType,
        attach_type: Option<AttachType>,
        slots: &[Slot],
        maps: Vec<Map>,
    ) -> Option<Program> {
        let mut ops = Vec::with_capacity(slots.len());
        let mut wide = false;
        for (index, &slot) in slots.iter().enumerate() {
            let insn = if wide {
                Ok(None)
            } else {
                super::decode(&slots[index..]).map(Some)
            };
            wide = !wide && slot.opcode == 0x18;
            ops.push(Op {
                slot,
                insn,
                meaning: Meaning::Plain,
                relocation: None,
            });
        }
        let mut starts = BTreeSet::from([0]);
        for place in 0..ops.len() {
            if let Some(start) = function(place, &ops[place])? {
                starts.insert(usize::try_from(start).ok().filter(|at| *at < ops.len())?);
            }
        }
        if ops.is_empty() {
            return None;
        }
        let starts: Vec<usize> = starts.into_iter().collect();
        for place in 0..ops.len() {
            ops[place].meaning = match function(place, &ops[place])? {
                Some(start) => {
                    let start = usize::try_from(start).ok()?;
                    Meaning::Function(starts.binary_search(&start).ok()?)
                }
                None => named(&ops, place, &maps),
            };
        }
        let mut program = Program {
            name: "main".to_owned(),
            section: String::new(),
            program_type,
            attach_type,
            sleepable: false,
            gpl: true,
            origins: (0..ops.len() as u64)
                .map(|at| Origin {
                    section: SectionId(0),
                    offset: at * Slot::SIZE as u64,
                })
                .collect(),
            ops,
            subprograms: starts
                .iter()
                .map(|&start| Subprogram {
                    name: format!("function_{start}"),
                    start,
                    global: false,
                    signature: Signature::Missing,
                    returns_number: false,
                    tail_call: false,
                    reads_packet: false,
                    changes_packet: false,
                })
                .collect(),
            maps,
            has_func_info: false,
            exception_callbacks: Vec::new(),
            btf: None,
        };
        super::cfg::summarise(&mut program);
        Some(program)
    }
}

/// Where the function begins that a slot refers to, if it refers to one; `None` if that is nowhere.
fn function(place: usize, op: &Op) -> Option<Option<i64>> {
    // By the fields that the kernel looks at here.
    let refers = match op.slot.opcode {
        0x85 => op.slot.src == PSEUDO_CALL,
        0x18 => op.slot.src == PSEUDO_FUNC,
        _ => false,
    };
    if !refers || matches!(op.insn, Ok(None)) {
        return Some(None);
    }
    let distance = op.slot.imm;
    let start = place as i64 + 1 + i64::from(distance);
    (start >= 0).then_some(Some(start))
}

/// What a wide constant stands for.
fn named(ops: &[Op], place: usize, maps: &[Map]) -> Meaning {
    let op = &ops[place];
    let Some(Insn::LoadImm64 { pseudo, .. }) = op.decoded() else {
        return Meaning::Plain;
    };
    let map = u32::try_from(op.slot.imm)
        .ok()
        .filter(|id| (*id as usize) < maps.len());
    match (pseudo.0, map) {
        (0, _) => Meaning::Plain,
        (PSEUDO_MAP, Some(id)) => Meaning::Map(MapId(id)),
        (PSEUDO_MAP_VALUE, Some(id)) => {
            let at = ops.get(place + 1).map_or(0, |next| next.slot.imm);
            Meaning::MapValue(MapId(id), at.cast_unsigned())
        }
        _ => Meaning::Unresolved,
    }
}
