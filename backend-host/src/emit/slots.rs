//! Spill slots are given out anew after copies are removed.
//!
//! That removes spills too, and shortens how long others are needed. A slot that is left takes the
//! number of an earlier one when the two never hold a value at the same time, and the lowest number
//! that is free else. A frame stays as small as what is really spilled needs, which decides whether
//! a function fits the stack.
//!
//! **Soundness for the verifier.** A slot is written in full before it is read, as before.
//!
//! **Cost.** One look at the lines after liveness is known; slots are at most [`Places::TRACKED`].

use super::copies::{Code, live_at_end};
use super::places::{Places, Set};
use bpf::insn::Insn;

/// Renumbers slots and returns how many there are.
pub(super) fn compact(code: &mut Code<'_>) -> usize {
    let places = code.places;
    let mut used = vec![false; places.slots];
    for line in code.bodies.iter().flatten() {
        if let Some(slot) = places.slot_number(&line.insn) {
            used[slot] = true;
        }
    }
    let mut interferes = vec![vec![false; places.slots]; places.slots];
    let known = find_interference(code, &mut interferes);
    let mut colours: Vec<Option<usize>> = vec![None; places.slots];
    let mut count = 0;
    for slot in 0..places.slots {
        if !used[slot] {
            continue;
        }
        let mut colour = 0;
        let is_taken = |colour| {
            let mut same = (0..slot).filter(|&other| colours[other] == Some(colour));
            same.any(|other| !known || interferes[slot][other])
        };
        while is_taken(colour) {
            colour += 1;
        }
        colours[slot] = Some(colour);
        count = count.max(colour + 1);
    }
    let lines = code.bodies.iter_mut().flatten();
    for line in lines {
        if let Some(slot) = places.slot_number(&line.insn)
            && let Some(colour) = colours[slot]
            && let Insn::Load { offset, .. } | Insn::Store { offset, .. } = &mut line.insn
        {
            *offset = places.offset(colour);
        }
    }
    count
}

/// Finds which slots hold values at the same time; says whether that is known.
fn find_interference(code: &Code<'_>, interferes: &mut [Vec<bool>]) -> bool {
    let Some(live) = live_at_end(code) else {
        return false;
    };
    if code.places.slots > Places::TRACKED {
        return false;
    }
    let slots = |places: Set| places.iter().filter_map(Places::slot_of_place);
    for (block, body) in code.bodies.iter().enumerate() {
        let mut after = live[block].at_end;
        for line in body.iter().rev() {
            // What is written is held beside all that is live after it.
            for written in slots(code.places.writes(line)) {
                for other in slots(after).filter(|&other| other != written) {
                    interferes[written][other] = true;
                    interferes[other][written] = true;
                }
            }
            after = code.places.before(line, after);
        }
    }
    true
}
