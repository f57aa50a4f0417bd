//! Blocks that end alike share their ends.
//!
//! Blocks that go to the same place, or leave the function, often do the same last things: an error
//! path sets a code and reports it. Blocks with the same end are divided by their last
//! instruction; each part of two or more gives what is common to all of it to a new block and goes
//! there. Then the part is divided again, so that what fewer have in common is shared by fewer.
//!
//! **Why it pays.** One of the blocks runs on into the new one, which runs on to where that block
//! ran on to; the others jump as they did. So *n* blocks with *k* instructions in common save
//! *(n − 1) × k* slots. Blocks that leave the function jump now where they had an `exit`.
//!
//! **Soundness for the verifier.** No path changes, and [`sharing`](super::sharing) says what paths
//! may share. A shared instruction has the source position of one of them: a line of code can have
//! only one, and positions still rise and begin at the function's first slot.
//!
//! **Cost.** Every line is looked at once for its key, and each round of a part takes lines off it.

use super::copies::Code;
use super::lines::{End, Line};
use super::places::Places;
use super::sharing::{Entry, Key, Sharing, entries, parameter};
use bpf::insn::Insn;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What blocks must have in common to be looked at together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Jump(usize),
    Return,
}

struct Tails<'a> {
    bodies: &'a mut Vec<Vec<Line>>,
    ends: &'a mut Vec<End>,
    layout: &'a mut Vec<usize>,
    entries: Vec<Vec<Entry>>,
}

/// Makes blocks share their ends; `layout` gets the new blocks. Says whether there were any.
pub(super) fn share(
    bodies: &mut Vec<Vec<Line>>,
    ends: &mut Vec<End>,
    layout: &mut Vec<usize>,
    places: Places,
) -> bool {
    let mut groups: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    for &block in layout.iter() {
        match &ends[block] {
            _ if bodies[block].is_empty() => {}
            End::Jump(target) => groups.entry(Kind::Jump(*target)).or_default().push(block),
            End::Return(_) => groups.entry(Kind::Return).or_default().push(block),
            End::Branch(..) => {}
        }
    }
    groups.retain(|_, group| group.len() > 1);
    if groups.is_empty() || uses_arena(bodies) {
        return false;
    }
    let before = bodies.len();
    let held = parameter(&Code {
        bodies: &mut *bodies,
        ends: &mut *ends,
        places,
    });
    let mut found = vec![Vec::new(); bodies.len()];
    for &block in groups.values().flatten() {
        found[block] = entries(&bodies[block], held[block], places);
    }
    let mut tails = Tails {
        bodies,
        ends,
        layout,
        entries: found,
    };
    let mut work: Vec<Vec<usize>> = groups.into_values().collect();
    while let Some(group) = work.pop() {
        let mut parts: Vec<(Key, Vec<usize>)> = Vec::new();
        let mut numbers = FxHashMap::default();
        for block in group {
            if let Some(&(key, _)) = tails.entries[block].last() {
                let number = *numbers.entry(key).or_insert(parts.len());
                if number == parts.len() {
                    parts.push((key, Vec::new()));
                }
                parts[number].1.push(block);
            }
        }
        for (_, part) in parts {
            if part.len() > 1 && tails.split(&part) {
                work.push(part);
            }
        }
    }
    tails.bodies.len() > before
}

/// Whether pointers to an arena may be there, on which the kernel makes 64-bit arithmetic 32-bit: for
/// all paths through the instruction.
fn uses_arena(bodies: &[Vec<Line>]) -> bool {
    let mut lines = bodies.iter().flatten();
    lines.any(|line| matches!(line.insn, Insn::AddrSpaceCast { .. }))
}

impl Tails<'_> {
    /// Gives what is common to a part to a new block; says whether there was anything.
    fn split(&mut self, part: &[usize]) -> bool {
        let (model, rest) = (part[0], &part[1..]);
        let mut length = self.entries[model].len();
        for &other in rest {
            let pairs = self.entries[model].iter().rev();
            let equal = pairs
                .zip(self.entries[other].iter().rev())
                .take_while(|(a, b)| a.0 == b.0);
            length = length.min(equal.count());
        }
        // The longest run whose lines need none before it.
        let body = &self.entries[model];
        let (mut first, mut best) = (body.len(), None);
        for at in (body.len() - length..body.len()).rev() {
            match body[at].1 {
                Sharing::Never => break,
                Sharing::From(needed) => first = first.min(needed),
            }
            if first >= at {
                best = Some(at);
            }
        }
        let Some(at) = best else {
            return false;
        };
        let shared = self.bodies[model].len() - at;
        let new = self.bodies.len();
        let lines = self.bodies[model].split_off(at);
        let end = std::mem::replace(&mut self.ends[model], End::Jump(new));
        for &other in rest {
            let kept = self.bodies[other].len() - shared;
            self.bodies[other].truncate(kept);
            self.ends[other] = End::Jump(new);
        }
        for &block in part {
            let kept = self.bodies[block].len();
            self.entries[block].truncate(kept);
        }
        self.bodies.push(lines);
        self.ends.push(end);
        self.entries.push(Vec::new());
        let last = self
            .layout
            .iter()
            .rposition(|block| part.contains(block))
            .map_or(self.layout.len(), |position| position + 1);
        self.layout.insert(last, new);
        true
    }
}
