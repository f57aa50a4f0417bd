//! Which constants a register can hold, over all ways: a data flow, since the walk does not say.
//!
//! The walk leaves a way out once a state with other numbers was found safe, if no check depends on
//! them; what it saw of such numbers is not all that can be. Here nothing is left out: a register
//! holds one of a few constants, or anything. Only moves are understood, which is how compilers make
//! verdicts and flags. Values that functions return are followed to their callers.
//!
//! Cost: states are kept where blocks begin, and long blocks are cut; each register grows at most
//! [`MAX_VALUES`] + 1 times there, and a question walks through one block.

use std::collections::{BTreeMap, BTreeSet};

use bpf::insn::{AluOp, CallTarget, Insn, Operand, Reg, Width};
use verifier::program::{Meaning, Program};

/// Constants that are told apart before a register may hold anything.
const MAX_VALUES: usize = 8;
const REGISTERS: usize = 11;
/// Slots after which a block is cut, so that a question is answered soon.
const MAX_BLOCK: usize = 64;

/// What a register can hold; an empty set where nothing leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    OneOf(BTreeSet<u64>),
    Anything,
}

impl Known {
    /// Whether it is surely one of these constants.
    pub(super) fn all(&self, allowed: impl Fn(u64) -> bool) -> bool {
        match self {
            Known::OneOf(values) => values.iter().all(|value| allowed(*value)),
            Known::Anything => false,
        }
    }

    fn constant(value: u64) -> Known {
        Known::OneOf(BTreeSet::from([value]))
    }

    /// Adds what another can hold; whether that is more.
    fn join(&mut self, other: &Known) -> bool {
        let before = match (&mut *self, other) {
            (Known::Anything, _) => return false,
            (known, Known::Anything) => {
                *known = Known::Anything;
                return true;
            }
            (Known::OneOf(values), Known::OneOf(more)) => {
                let before = values.len();
                values.extend(more);
                (before, values.len())
            }
        };
        if before.1 > MAX_VALUES {
            *self = Known::Anything;
        }
        before.0 != before.1
    }
}

type State = [Known; REGISTERS];

/// The data flow over a program.
pub(super) struct Constants<'a> {
    program: &'a Program,
    /// What registers can hold where blocks begin.
    blocks: BTreeMap<usize, State>,
    /// What each function can return.
    returned: Vec<Known>,
}

impl<'a> Constants<'a> {
    pub(super) fn of(program: &'a Program) -> Constants<'a> {
        let functions = program.subprograms.len();
        let mut constants = Constants {
            program,
            blocks: BTreeMap::new(),
            returned: vec![Known::OneOf(BTreeSet::new()); functions],
        };
        let leaders = leaders(program);
        let mut callers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        let mut work: BTreeSet<usize> = BTreeSet::new();
        let anything = || std::array::from_fn(|_| Known::Anything);
        for function in &program.subprograms {
            constants.blocks.insert(function.start, anything());
            work.insert(function.start);
        }
        while let Some(block) = work.pop_first() {
            let Some(mut state) = constants.blocks.get(&block).cloned() else {
                continue;
            };
            let mut slot = block;
            while let Some(insn) = program.insn(slot) {
                if let Some(callee) = constants.callee(slot, &insn) {
                    callers.entry(callee).or_default().insert(block);
                }
                constants.step(slot, &insn, &mut state);
                if insn == Insn::Exit {
                    let function = program.subprogram_at(slot);
                    if let Some(returned) = constants.returned.get_mut(function)
                        && returned.join(&state[0])
                    {
                        work.extend(callers.get(&function).into_iter().flatten());
                    }
                    break;
                }
                let next = next(program, slot);
                if let Some(target) = target(slot, &insn) {
                    constants.flow(target, &state, &mut work);
                }
                if insn.is_terminator() && !falls_through(&insn) {
                    break;
                }
                if leaders.contains(&next) {
                    constants.flow(next, &state, &mut work);
                    break;
                }
                slot = next;
            }
        }
        constants
    }

    /// What a register can hold before an instruction.
    pub(super) fn before(&self, slot: usize, reg: Reg) -> Known {
        let Some((block, state)) = self.blocks.range(..=slot).next_back() else {
            return Known::Anything;
        };
        let (mut at, mut state) = (*block, state.clone());
        while at < slot {
            let Some(insn) = self.program.insn(at) else {
                return Known::Anything;
            };
            self.step(at, &insn, &mut state);
            at = next(self.program, at);
        }
        let known = state.get(usize::from(reg.0));
        known.cloned().unwrap_or(Known::Anything)
    }

    fn flow(&mut self, block: usize, state: &State, work: &mut BTreeSet<usize>) {
        let Some(known) = self.blocks.get_mut(&block) else {
            self.blocks.insert(block, state.clone());
            work.insert(block);
            return;
        };
        let mut more = false;
        for (known, new) in known.iter_mut().zip(state) {
            more |= known.join(new);
        }
        if more {
            work.insert(block);
        }
    }

    fn callee(&self, slot: usize, insn: &Insn) -> Option<usize> {
        match (insn, &self.program.ops.get(slot)?.meaning) {
            (
                Insn::Call {
                    target: CallTarget::Subprogram(_),
                },
                Meaning::Function(callee),
            ) => Some(*callee),
            _ => None,
        }
    }

    fn step(&self, slot: usize, insn: &Insn, state: &mut State) {
        let moved = match *insn {
            Insn::Alu {
                width,
                op: AluOp::Mov,
                dst,
                src,
            } => {
                let known = match src {
                    Operand::Imm(imm) => Known::constant(i64::from(imm).cast_unsigned()),
                    Operand::Reg(src) => state
                        .get(usize::from(src.0))
                        .cloned()
                        .unwrap_or(Known::Anything),
                };
                Some((dst, narrowed(known, width)))
            }
            Insn::LoadImm64 { dst, imm, .. } if matches!(self.program.ops.get(slot), Some(op) if op.meaning == Meaning::Plain) => {
                Some((dst, Known::constant(imm)))
            }
            Insn::Call { .. } => {
                let returned = self
                    .callee(slot, insn)
                    .and_then(|callee| self.returned.get(callee).cloned());
                Some((Reg(0), returned.unwrap_or(Known::Anything)))
            }
            _ => None,
        };
        for written in insn.writes().iter() {
            if let Some(known) = state.get_mut(usize::from(written.0)) {
                *known = Known::Anything;
            }
        }
        if let Some((dst, known)) = moved
            && let Some(place) = state.get_mut(usize::from(dst.0))
        {
            *place = known;
        }
    }
}

fn narrowed(known: Known, width: Width) -> Known {
    match known {
        Known::OneOf(values) if width == Width::W32 => {
            let low = |value: &u64| value & u64::from(u32::MAX);
            Known::OneOf(values.iter().map(low).collect())
        }
        other => other,
    }
}

fn next(program: &Program, slot: usize) -> usize {
    slot + program.ops.get(slot).map_or(1, |op| op.slots())
}

fn target(slot: usize, insn: &Insn) -> Option<usize> {
    let offset = insn.branch_offset()?;
    slot.checked_add(1)?.checked_add_signed(offset as isize)
}

/// Whether the instruction after a jump can be the next one.
fn falls_through(insn: &Insn) -> bool {
    matches!(insn, Insn::Branch { .. } | Insn::MayGoto { .. })
}

/// Slots at which blocks begin: where jumps lead, what follows them, and some between.
fn leaders(program: &Program) -> BTreeSet<usize> {
    let mut leaders = BTreeSet::new();
    for slot in 0..program.ops.len() {
        if slot.is_multiple_of(MAX_BLOCK) {
            // The second half of a wide instruction is never come to.
            leaders.insert(slot);
        }
        if let Some(insn) = program.insn(slot)
            && let Some(target) = target(slot, &insn)
        {
            leaders.insert(target);
            leaders.insert(next(program, slot));
        }
    }
    leaders
}

#[cfg(test)]
mod tests {
    use bpf::insn::{Reg, Slot};
    use bpf::program_type::ProgramType;
    use verifier::program::Program;

    use super::{Constants, Known};

    fn returned(slots: &[(u8, u8, u8, i16, i32)]) -> Known {
        let slots = slots.iter().map(|&(opcode, dst, src, offset, imm)| Slot {
            opcode,
            dst,
            src,
            offset,
            imm,
        });
        let slots: Vec<Slot> = slots.collect();
        let program = Program::from_slots(ProgramType::SchedCls, None, &slots, Vec::new());
        let program = program.expect("calls lead to functions");
        let last = program.subprogram_end(0) - 1;
        Constants::of(&program).before(last, Reg(0))
    }

    const SET_2: (u8, u8, u8, i16, i32) = (0xb7, 0, 0, 0, 2);
    const SKIP_IF_R1: (u8, u8, u8, i16, i32) = (0x55, 1, 0, 1, 0);
    const EXIT: (u8, u8, u8, i16, i32) = (0x95, 0, 0, 0, 0);

    #[test]
    fn ways_that_meet_bring_both_constants() {
        let minus = (0xb4, 0, 0, 0, -1);
        let known = returned(&[SET_2, SKIP_IF_R1, minus, EXIT]);
        assert!(
            known.all(|value| [2, 0xffff_ffff].contains(&value)),
            "{known:?}"
        );
        assert!(!known.all(|value| value == 2));
        // r0 += 1 in a loop
        assert_eq!(
            returned(&[SET_2, (0x07, 0, 0, 0, 1), (0x55, 1, 0, -2, 0), EXIT]),
            Known::Anything
        );
    }

    #[test]
    fn what_functions_return_is_followed() {
        let call = (0x85, 0, 1, 0, 1);
        let known = returned(&[call, EXIT, SET_2, SKIP_IF_R1, (0xb7, 0, 0, 0, 7), EXIT]);
        assert!(known.all(|value| [2, 7].contains(&value)), "{known:?}");
        assert!(!known.all(|value| value == 2));
    }
}
