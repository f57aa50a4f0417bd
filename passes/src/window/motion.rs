//! May accesses of one block meet at one place?
//!
//! Stores move down to the last of them, loads up to the first. Every check walks over the
//! instructions that are passed, in the order in which they stand at that moment.

use super::obstacle::{Fact, Obstacle};
use super::{Context, Window};
use crate::facts::memory::{Memory, Range, Region, Touch};
use mir::opcode::Effect;
use mir::{Function, Inst};
use smallvec::SmallVec;

/// Instructions between the first and the last access. Parts of one copy or structure are close;
/// moving farther would keep values in registers for long.
pub(crate) const MAX_WALK: usize = 192;

/// Whether another CPU, user space or the kernel may watch this memory.
fn is_watched(range: &Range) -> bool {
    matches!(
        range.region,
        Region::Shared | Region::Unknown | Region::Context
    )
}

/// What an instruction that is passed has to do with bytes that it may touch.
fn meeting(moved: &Range, passed: &Range) -> Fact {
    match passed.region {
        Region::Unknown => Fact::Unknown,
        _ if moved.root == passed.root => Fact::Meets,
        _ => Fact::Distance,
    }
}

fn barrier(func: &Function, inst: Inst) -> Obstacle {
    let is_call = func.dfg.inst(inst).opcode().effect() == Effect::Calls;
    Obstacle::at(if is_call { Fact::Call } else { Fact::Ordered }, inst)
}

/// Whether the stores of a window may all stand where the last of them stands; if not, what is in
/// the way.
///
/// `own` are the loads of a copy, which no one expects to happen in an order with its stores.
pub(crate) fn may_sink(
    func: &Function,
    context: &Context<'_>,
    window: &Window,
    own: &[Inst],
) -> Result<(), Obstacle> {
    let far = Obstacle::new(Fact::Far);
    let place = |inst: Inst| context.places[inst];
    let first = window.parts.iter().min_by_key(|part| place(part.inst));
    let first = first.ok_or(far)?;
    let watched = is_watched(&first.range);
    let mut moved: SmallVec<[Range; 8]> = SmallVec::new();
    let mut left = window.parts.len();
    let mut next = Some(first.inst);
    for _ in 0..MAX_WALK {
        let inst = next.ok_or(far)?;
        next = func.layout.next_inst(inst);
        if let Some(part) = window.parts.iter().find(|part| part.inst == inst) {
            moved.push(part.range);
            left -= 1;
            if left == 0 {
                return Ok(());
            }
            continue;
        }
        match context.memory.touch(func, inst) {
            Touch::Nothing => {}
            Touch::Reads(range) | Touch::Writes(range) => {
                let meets = |moved: &&Range| context.memory.may_overlap(func, moved, &range);
                if let Some(moved) = moved.iter().find(meets) {
                    return Err(Obstacle::at(meeting(moved, &range), inst));
                }
                if watched && is_watched(&range) && !own.contains(&inst) {
                    return Err(Obstacle::at(Fact::Watched, inst));
                }
            }
            Touch::Barrier => return Err(barrier(func, inst)),
        }
    }
    Err(far)
}

/// Whether loads of these ranges may all stand where the first of them stands; if not, what is in
/// the way. `loads` are in the order of the block; `own` are the stores of a copy.
pub(crate) fn may_hoist(
    func: &Function,
    memory: &Memory,
    loads: &[(Inst, Range)],
    own: &[Inst],
) -> Result<(), Obstacle> {
    let far = Obstacle::new(Fact::Far);
    let &(first, range) = loads.first().ok_or(far)?;
    let watched = is_watched(&range);
    let mut written: SmallVec<[(Inst, Range); 8]> = SmallVec::new();
    let mut waiting = loads.iter().peekable();
    let mut next = Some(first);
    for _ in 0..MAX_WALK {
        let inst = next.ok_or(far)?;
        next = func.layout.next_inst(inst);
        if let Some((_, range)) = waiting.next_if(|&&(load, _)| load == inst) {
            let meets = |(_, write): &&(Inst, Range)| memory.may_overlap(func, write, range);
            if let Some((store, write)) = written.iter().find(meets) {
                return Err(Obstacle::at(meeting(range, write), *store));
            }
            if waiting.peek().is_none() {
                return Ok(());
            }
            continue;
        }
        match memory.touch(func, inst) {
            Touch::Nothing => {}
            Touch::Reads(range) if watched && is_watched(&range) => {
                return Err(Obstacle::at(Fact::Watched, inst));
            }
            Touch::Reads(_) => {}
            Touch::Writes(range) if watched && is_watched(&range) && !own.contains(&inst) => {
                return Err(Obstacle::at(Fact::Watched, inst));
            }
            Touch::Writes(range) => written.push((inst, range)),
            Touch::Barrier => return Err(barrier(func, inst)),
        }
    }
    Err(far)
}
