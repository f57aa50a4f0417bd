//! May accesses of one block meet at one place?
//!
//! Stores move down to the last of them, loads up to the first. Every check walks over the
//! instructions that are passed, in the order in which they stand at that moment.

use super::{Context, Window};
use crate::facts::memory::{Memory, Range, Region, Touch};
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

/// Whether the stores of a window may all stand where the last of them stands.
///
/// `own` are the loads of a copy, which no one expects to happen in an order with its stores.
pub(crate) fn may_sink(
    func: &Function,
    context: &Context<'_>,
    window: &Window,
    own: &[Inst],
) -> bool {
    let place = |inst: Inst| context.places[inst];
    let Some(first) = window.parts.iter().min_by_key(|part| place(part.inst)) else {
        return false;
    };
    let watched = is_watched(&first.range);
    let mut moved: SmallVec<[Range; 8]> = SmallVec::new();
    let mut left = window.parts.len();
    let mut next = Some(first.inst);
    for _ in 0..MAX_WALK {
        let Some(inst) = next else { return false };
        next = func.layout.next_inst(inst);
        if let Some(part) = window.parts.iter().find(|part| part.inst == inst) {
            moved.push(part.range);
            left -= 1;
            if left == 0 {
                return true;
            }
            continue;
        }
        match context.memory.touch(func, inst) {
            Touch::Nothing => {}
            Touch::Reads(range) | Touch::Writes(range) => {
                if watched && is_watched(&range) && !own.contains(&inst)
                    || moved
                        .iter()
                        .any(|moved| context.memory.may_overlap(moved, &range))
                {
                    return false;
                }
            }
            Touch::Barrier => return false,
        }
    }
    false
}

/// Whether loads of these ranges may all stand where the first of them stands. `loads` are in the
/// order of the block; `own` are the stores of a copy.
pub(crate) fn may_hoist(
    func: &Function,
    memory: &Memory,
    loads: &[(Inst, Range)],
    own: &[Inst],
) -> bool {
    let Some(&(first, range)) = loads.first() else {
        return false;
    };
    let watched = is_watched(&range);
    let mut written: SmallVec<[Range; 8]> = SmallVec::new();
    let mut waiting = loads.iter().peekable();
    let mut next = Some(first);
    for _ in 0..MAX_WALK {
        let Some(inst) = next else { return false };
        next = func.layout.next_inst(inst);
        if let Some((_, range)) = waiting.next_if(|&&(load, _)| load == inst) {
            if written.iter().any(|write| memory.may_overlap(write, range)) {
                return false;
            }
            if waiting.peek().is_none() {
                return true;
            }
            continue;
        }
        match memory.touch(func, inst) {
            Touch::Nothing => {}
            Touch::Reads(range) if watched && is_watched(&range) => return false,
            Touch::Reads(_) => {}
            Touch::Writes(range) if watched && is_watched(&range) && !own.contains(&inst) => {
                return false;
            }
            Touch::Writes(range) => written.push(range),
            Touch::Barrier => return false,
        }
    }
    false
}
