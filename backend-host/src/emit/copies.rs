//! Copies that the allocator made and that need not be.
//!
//! The allocator decides range by range: where it splits a value's range it copies, even when the
//! value could have been made where it is needed (`w0 = 5; r9 = r0`) or used where it lies
//! (`r0 = r9; if r0 == 0`). With registers known, three rewrites take turns until none applies:
//! 1. [`coalesce`]: what is computed in one register only to be copied to another is computed
//!    there; and what is copied only to be changed is changed where it lies.
//! 2. [`propagate`](super::partition::propagate): an operand is read from the register where its value has been the longest,
//!    which leaves copies unused; a reload of what a register holds becomes a copy; a copy of what
//!    is there already goes.
//! 3. [`remove_unused`]: copies, constants, reloads and spills that nobody reads go.
//!
//! Then [`webs`](super::webs) looks at what is left across blocks.
//!
//! **Soundness for the verifier.** Only 64-bit copies are seen through, and those have the same
//! identity to the verifier, in spill slots too: what a comparison teaches of one it teaches of all.
//! Fewer copies leave less to be taught. Registers that instructions name implicitly are left
//! alone; so are the program's own stack slots.
//!
//! **Cost.** At most [`MAX_ROUNDS`] rounds; each is a few passes over the lines, and the two data
//! flow problems inside settle in as many passes over the blocks as loops are nested deep, at most
//! [`MAX_PASSES`].

use super::lines::{End, Line};
use super::places::{Places, Set};
use bpf::insn::{AluOp, AtomicOp, Insn, Operand as Source, Reg, Width};

/// A copy that one rewrite removes can enable another; later rounds find next to nothing.
const MAX_ROUNDS: usize = 4;

/// Passes until a data flow problem must have settled; else nothing is done.
const MAX_PASSES: usize = 40;

/// Lines to look back or ahead for the other end of a value's range.
const MAX_DISTANCE: usize = 48;

/// The allocated function.
pub(super) struct Code<'a> {
    pub(super) bodies: &'a mut [Vec<Line>],
    pub(super) ends: &'a mut [End],
    pub(super) places: Places,
}

/// Removes copies, and keeps constants in registers that are free then.
pub(super) fn remove(code: &mut Code<'_>) {
    settle(code);
    let mut changed = super::webs::coalesce(code);
    changed |= super::reuse::constants(code);
    if changed {
        settle(code);
    }
}

/// The three rewrites in turns.
fn settle(code: &mut Code<'_>) {
    for _ in 0..MAX_ROUNDS {
        let Some(live) = live_at_end(code) else {
            return;
        };
        let mut changed = remove_unused(code, &live);
        changed |= coalesce(code, &live);
        changed |= super::partition::propagate(code, MAX_PASSES);
        if !changed {
            return;
        }
    }
    if let Some(live) = live_at_end(code) {
        remove_unused(code, &live);
    }
}

/// Blocks where control goes from an end.
pub(super) fn successors(end: &End) -> [Option<usize>; 2] {
    match end {
        End::Jump(target) => [Some(*target), None],
        End::Branch(_, taken, other) => [Some(*taken), Some(*other)],
        End::Return(_) => [None, None],
    }
}

/// What is read later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    /// After the last line of the body.
    pub(super) at_end: Set,
    /// After the block's end.
    out: Set,
}

/// What is live at the end of each block; none if that takes too long.
pub(super) fn live_at_end(code: &Code<'_>) -> Option<Vec<Live>> {
    liveness(code).map(|(_, at_end)| at_end)
}

/// What is live at the start of each block; none if that takes too long.
pub(super) fn live_at_start(code: &Code<'_>) -> Option<Vec<Set>> {
    liveness(code).map(|(at_start, _)| at_start)
}

fn liveness(code: &Code<'_>) -> Option<(Vec<Set>, Vec<Live>)> {
    // What a block reads before it writes it, and what it writes; so the lines are looked at once.
    let mut summaries = Vec::with_capacity(code.bodies.len());
    for (body, end) in code.bodies.iter().zip(code.ends.iter()) {
        let at_end = match end {
            End::Branch(line, ..) | End::Return(line) => code.places.reads(line),
            End::Jump(_) => Set::EMPTY,
        };
        let (mut read, mut written) = (at_end, Set::EMPTY);
        for line in body.iter().rev() {
            let writes = code.places.writes(line);
            read = read.without(writes).union(code.places.reads(line));
            written = written.union(writes);
        }
        summaries.push((at_end, read, written));
    }
    let mut at_start = vec![Set::EMPTY; code.bodies.len()];
    for _ in 0..MAX_PASSES {
        let mut changed = false;
        for (block, &(_, read, written)) in summaries.iter().enumerate().rev() {
            let live = read.union(live_out(&code.ends[block], &at_start).without(written));
            changed |= at_start[block] != live;
            at_start[block] = live;
        }
        if !changed {
            let ends = code.ends.iter().zip(&summaries);
            let at_end = ends
                .map(|(end, &(read, ..))| {
                    let out = live_out(end, &at_start);
                    Live {
                        at_end: out.union(read),
                        out,
                    }
                })
                .collect();
            return Some((at_start, at_end));
        }
    }
    None
}

fn live_out(end: &End, at_start: &[Set]) -> Set {
    let next = successors(end).into_iter().flatten();
    next.fold(Set::EMPTY, |out, next| out.union(at_start[next]))
}

/// Removes copies, constants, reloads and spills that nobody reads.
fn remove_unused(code: &mut Code<'_>, live: &[Live]) -> bool {
    let mut changed = false;
    for (block, body) in code.bodies.iter_mut().enumerate() {
        let mut live = live[block].at_end;
        let before = body.len();
        let mut keep = vec![true; before];
        for (line, keep) in body.iter().zip(&mut keep).rev() {
            let removable = match line.insn {
                Insn::Alu { op: AluOp::Mov, .. } => line.core_relo.is_none(),
                Insn::Load { .. } | Insn::Store { .. } => code.places.slot(&line.insn).is_some(),
                _ => false,
            };
            if removable && !code.places.writes(line).intersects(live) {
                *keep = false;
            } else {
                live = code.places.before(line, live);
            }
        }
        let mut keep = keep.into_iter();
        body.retain(|_| keep.next().unwrap_or(true));
        changed |= body.len() != before;
    }
    changed
}

/// Source and destination of a 64-bit copy between registers.
pub(super) fn copy(line: &Line) -> Option<(Reg, Reg)> {
    match line.insn {
        Insn::Alu {
            width: Width::W64,
            op: AluOp::Mov,
            dst,
            src: Source::Reg(src),
        } if line.core_relo.is_none() => Some((src, dst)),
        _ => None,
    }
}

/// Removes copies by renaming the range on one side of them.
fn coalesce(code: &mut Code<'_>, live: &[Live]) -> bool {
    let mut changed = false;
    for (block, body) in code.bodies.iter_mut().enumerate() {
        if !body.iter().any(|line| copy(line).is_some()) {
            continue;
        }
        let mut after = vec![Set::EMPTY; body.len()];
        let mut at_line = live[block].at_end;
        for (line, after) in body.iter().zip(&mut after).rev() {
            *after = at_line;
            at_line = code.places.before(line, at_line);
        }
        let mut range = Ranges {
            places: code.places,
            body,
            after,
            end: &mut code.ends[block],
            live_out: live[block].out,
        };
        let mut keep = vec![true; range.body.len()];
        for (at, keep) in keep.iter_mut().enumerate() {
            if let Some((src, dst)) = copy(&range.body[at])
                && src != dst
                && src != Reg::FRAME
                && !range.after[at].contains(Places::register(src))
                && (range.rename_before(at, src, dst) || range.rename_after(at, src, dst))
            {
                *keep = false;
                changed = true;
            }
        }
        let mut keep = keep.into_iter();
        body.retain(|_| keep.next().unwrap_or(true));
    }
    changed
}

/// One block, while copies are removed from it.
struct Ranges<'a> {
    places: Places,
    body: &'a mut Vec<Line>,
    /// What is live after each line.
    after: Vec<Set>,
    end: &'a mut End,
    /// What is live after the end.
    live_out: Set,
}

impl Ranges<'_> {
    /// Computes the source of the copy at `at` in its destination.
    fn rename_before(&mut self, at: usize, src: Reg, dst: Reg) -> bool {
        let (source, destination) = (Places::register(src), Places::register(dst));
        let mut lines = Vec::new();
        for index in (at.saturating_sub(MAX_DISTANCE)..at).rev() {
            let line = &self.body[index];
            let (reads, writes) = (self.places.reads(line), self.places.writes(line));
            if reads.contains(destination) || writes.contains(destination) {
                return false;
            }
            if !reads.contains(source) && !writes.contains(source) {
                continue;
            }
            let Some(insn) = renamed(&line.insn, src, dst, true, true) else {
                return false;
            };
            lines.push((index, insn));
            if writes.contains(source) && !reads.contains(source) {
                self.rename(lines, at, index..at, source, destination);
                return true;
            }
        }
        false
    }

    /// Goes on with the source of the copy at `at` in place of its destination, until that is no
    /// longer needed.
    fn rename_after(&mut self, at: usize, src: Reg, dst: Reg) -> bool {
        let (source, destination) = (Places::register(src), Places::register(dst));
        let mut lines = Vec::new();
        if !self.after[at].contains(destination) {
            return false;
        }
        for index in at + 1..self.body.len().min(at + MAX_DISTANCE) {
            let line = &self.body[index];
            let (reads, writes) = (self.places.reads(line), self.places.writes(line));
            if reads.contains(source) || writes.contains(source) {
                return false;
            }
            if reads.contains(destination) || writes.contains(destination) {
                let Some(insn) = renamed(&line.insn, dst, src, true, true) else {
                    return false;
                };
                lines.push((index, insn));
            }
            if !self.after[index].contains(destination) {
                self.rename(lines, at, at..index, destination, source);
                return true;
            }
        }
        // The last reader may be the branch.
        let End::Branch(line, ..) = &mut *self.end else {
            return false;
        };
        if at + MAX_DISTANCE < self.body.len()
            || self.live_out.contains(destination)
            || self.live_out.contains(source)
            || self.places.reads(line).contains(source)
        {
            return false;
        }
        let Some(insn) = renamed(&line.insn, dst, src, true, true) else {
            return false;
        };
        line.insn = insn;
        let range = at..self.body.len();
        self.rename(lines, at, range, destination, source);
        true
    }

    /// Writes renamed instructions and takes the copy at `at` out; after the lines of `range`, one
    /// place is live instead of another.
    fn rename(
        &mut self,
        lines: Vec<(usize, Insn)>,
        at: usize,
        range: std::ops::Range<usize>,
        old: usize,
        new: usize,
    ) {
        for (index, insn) in lines {
            self.body[index].insn = insn;
        }
        // What is taken out must not look like a reader or writer to the copies after it.
        self.body[at].insn = Insn::Goto {
            offset: 0,
            long: false,
        };
        for live in &mut self.after[range] {
            *live = live.renamed(old, new);
        }
    }
}

/// The instruction with one register in place of another, where it reads it and where it writes
/// it; none if it names registers implicitly. What it reads and writes by one operand it must be
/// asked to rename as both.
pub(super) fn renamed(insn: &Insn, from: Reg, to: Reg, reads: bool, writes: bool) -> Option<Insn> {
    let mut insn = *insn;
    let swap = |reg: &mut Reg, wanted: bool| {
        if wanted && *reg == from {
            *reg = to;
        }
    };
    let swap_source = |source: &mut Source| {
        if let Source::Reg(reg) = source {
            swap(reg, reads);
        }
    };
    match &mut insn {
        Insn::Alu {
            op: AluOp::Mov,
            dst,
            src,
            ..
        } => {
            swap(dst, writes);
            swap_source(src);
        }
        Insn::Alu { dst, src, .. } => {
            swap(dst, reads && writes);
            swap_source(src);
        }
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } => swap(dst, reads && writes),
        Insn::LoadImm64 { dst, .. } => swap(dst, writes),
        Insn::Movsx { dst, src, .. } => {
            swap(dst, writes);
            swap(src, reads);
        }
        Insn::Load { dst, base, .. } => {
            swap(dst, writes);
            swap(base, reads);
        }
        Insn::Store { base, src, .. } => {
            swap(base, reads);
            swap_source(src);
        }
        Insn::Atomic {
            op,
            fetch,
            base,
            src,
            ..
        } if *op != AtomicOp::Cmpxchg => {
            swap(base, reads);
            swap(src, reads && (writes || !*fetch));
        }
        Insn::Branch { dst, src, .. } => {
            swap(dst, reads);
            swap_source(src);
        }
        _ => return None,
    }
    Some(insn)
}
