//! The order of blocks in which the fewest jumps are left.
//!
//! A block that ends in a jump or a branch saves a slot when one of its destinations follows. Which
//! block follows which is a matching of blocks with blocks: each is followed by at most one and
//! follows at most one. The order that selection chose is a matching to begin with; augmenting
//! paths make it larger, and what need not move stays where it was. Pairs that would close a circle are
//! given up. The chains that remain are written in the order of their first blocks. Where nothing is
//! won the first order stays.
//!
//! The order changes no path through the function, so the verifier sees the same program.
//!
//! **Cost.** Each of at most [`MAX_PHASES`] phases looks at each block once.

use super::lines::End;
use bpf::insn::Insn;

/// Phases in which the matching may grow; most functions need two.
const MAX_PHASES: usize = 6;

/// How many blocks may get another follower for the sake of one.
const MAX_DEPTH: usize = 48;

/// Destinations that may follow a block to save it a jump, the better one first.
fn candidates(end: &End) -> [Option<usize>; 2] {
    match end {
        End::Jump(target) => [Some(*target), None],
        End::Branch(line, taken, other) => {
            let turns = matches!(line.insn, Insn::Branch { cond, .. } if cond.inverted().is_some());
            [Some(*other), turns.then_some(*taken)]
        }
        End::Return(_) => [None, None],
    }
}

struct Matching<'a> {
    ends: &'a [End],
    /// Blocks that may follow another: all that are written but the first.
    open: Vec<bool>,
    next: Vec<Option<usize>>,
    previous: Vec<Option<usize>>,
    /// Blocks looked at as followers in this phase.
    seen: Vec<bool>,
}

impl Matching<'_> {
    fn pair(&mut self, block: usize, next: usize) {
        self.next[block] = Some(next);
        self.previous[next] = Some(block);
    }

    /// How many blocks run on into one that saves them a jump.
    fn size(&self) -> usize {
        self.next.iter().flatten().count()
    }

    /// Finds a follower for a block, and new ones for those that must give theirs up.
    fn augment(&mut self, block: usize, depth: usize) -> bool {
        for next in candidates(&self.ends[block]).into_iter().flatten() {
            if !self.open[next] || self.seen[next] {
                continue;
            }
            self.seen[next] = true;
            let free = match self.previous[next] {
                None => true,
                Some(holder) => holder != block && depth > 0 && self.augment(holder, depth - 1),
            };
            if free {
                self.pair(block, next);
                return true;
            }
        }
        false
    }

    /// Gives up a pair of each circle.
    fn cut(&mut self, order: &[usize]) {
        let mut chained = vec![false; self.ends.len()];
        let starts = order
            .iter()
            .filter(|&&block| self.previous[block].is_none());
        let mut follow: Vec<usize> = starts.copied().collect();
        while let Some(block) = follow.pop() {
            chained[block] = true;
            follow.extend(self.next[block]);
        }
        for &start in order {
            if chained[start] {
                continue;
            }
            if let Some(before) = self.previous[start].take() {
                self.next[before] = None;
            }
            let mut at = Some(start);
            while let Some(block) = at {
                chained[block] = true;
                at = self.next[block];
            }
        }
    }
}

/// Orders the blocks of `order` anew; its first stays the first. Says how many jumps that saves.
pub(super) fn fewest_jumps(ends: &[End], order: &[usize]) -> (Vec<usize>, usize) {
    let Some(&first) = order.first() else {
        return (Vec::new(), 0);
    };
    let mut matching = Matching {
        ends,
        open: vec![false; ends.len()],
        next: vec![None; ends.len()],
        previous: vec![None; ends.len()],
        seen: vec![false; ends.len()],
    };
    for &block in &order[1..] {
        matching.open[block] = block != first;
    }
    for pair in order.windows(2) {
        if candidates(&ends[pair[0]]).contains(&Some(pair[1])) && matching.open[pair[1]] {
            matching.pair(pair[0], pair[1]);
        }
    }
    let before = matching.size();
    for _ in 0..MAX_PHASES {
        matching.seen.fill(false);
        let mut grown = false;
        for &block in order {
            if matching.next[block].is_none() {
                grown |= matching.augment(block, MAX_DEPTH);
            }
        }
        if !grown {
            break;
        }
    }
    matching.cut(order);
    // New circles can cost more than was won.
    let after = matching.size();
    if after <= before {
        return (order.to_vec(), 0);
    }
    let mut result = Vec::with_capacity(order.len());
    for &head in order {
        if matching.previous[head].is_some() {
            continue;
        }
        let mut at = Some(head);
        while let Some(block) = at {
            result.push(block);
            at = matching.next[block];
        }
    }
    (result, after - before)
}
