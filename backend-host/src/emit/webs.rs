//! Copies between registers go when both ends can be the same register everywhere.
//!
//! A *web* is what one register holds over a connected part of the function: all definitions that
//! reach a common use. When a copy leads from one web to another, one of them is moved to the
//! other's register, if that is free wherever the web is live and no instruction of the web names
//! its register implicitly (arguments, results, `r0` at the end). Then the copy is nothing, and the
//! two webs are one. Blocks that the allocator made for such copies on an edge become empty.
//!
//! Moving a web changes no instruction but in its register, so the verifier sees the same program.
//!
//! **Cost.** Webs are found in one pass. An attempt looks at all places of a web; all attempts
//! together look at no more than [`BUDGET`] places for each line.

use super::copies::{Code, copy, live_at_end, renamed, successors};
use super::lines::{End, Line};
use super::places::{Places, Set};
use bpf::insn::{AluOp, Insn, Reg};

/// Places to look at for each line of the function. Most webs are a few lines long.
const BUDGET: usize = 64;

/// Registers that can hold a web: all but the frame pointer.
const REGISTERS: u8 = 10;

/// What a register holds within one block from a definition (or the start) to its last use.
#[derive(Debug)]
struct Segment {
    block: usize,
    /// First and last point where it is live. Point *n* of a block is before its line *n*.
    first: usize,
    last: usize,
    /// Lines that read it, write it.
    touched: Vec<(usize, bool, bool)>,
}

#[derive(Debug)]
struct Web {
    reg: Reg,
    segments: Vec<usize>,
    /// An instruction names the register implicitly.
    fixed: bool,
}

struct Webs {
    segments: Vec<Segment>,
    /// The web of a segment, or a web that was joined with it.
    parents: Vec<usize>,
    webs: Vec<Web>,
    /// What is live at each point of each block.
    live: Vec<Vec<Set>>,
    /// Copies: block, line, source segment, destination segment.
    copies: Vec<(usize, usize, usize, usize)>,
    budget: usize,
}

/// Removes copies by moving webs; says whether there was one.
pub(super) fn coalesce(code: &mut Code<'_>) -> bool {
    let Some(mut webs) = Webs::find(code) else {
        return false;
    };
    let mut removed: Vec<Vec<usize>> = vec![Vec::new(); code.bodies.len()];
    for (block, line, from, to) in std::mem::take(&mut webs.copies) {
        let (from, to) = (webs.root(from), webs.root(to));
        let (source, destination) = (webs.webs[from].reg, webs.webs[to].reg);
        let done = source == destination
            || webs.recolour(code, from, destination)
            || webs.recolour(code, to, source);
        if done {
            removed[block].push(line);
            webs.join(from, to);
        }
    }
    let mut changed = false;
    for (body, removed) in code.bodies.iter_mut().zip(removed) {
        changed |= !removed.is_empty();
        let mut number = 0;
        let mut removed = removed.into_iter().peekable();
        body.retain(|_| {
            let gone = removed.next_if_eq(&number).is_some();
            number += 1;
            !gone
        });
    }
    changed
}

impl Webs {
    fn find(code: &Code<'_>) -> Option<Webs> {
        let live = live_at_end(code)?;
        let mut webs = Webs {
            segments: Vec::new(),
            parents: Vec::new(),
            webs: Vec::new(),
            live: Vec::with_capacity(live.len()),
            copies: Vec::new(),
            budget: code
                .bodies
                .iter()
                .map(|body| body.len() + 1)
                .sum::<usize>()
                .saturating_mul(BUDGET),
        };
        for (body, live) in code.bodies.iter().zip(live) {
            let mut points = vec![live.at_end; body.len() + 1];
            for (index, line) in body.iter().enumerate().rev() {
                points[index] = code.places.before(line, points[index + 1]);
            }
            webs.live.push(points);
        }
        let mut at_start = Vec::with_capacity(code.bodies.len());
        let mut at_end = Vec::with_capacity(code.bodies.len());
        for block in 0..code.bodies.len() {
            let (start, end) = webs.find_in(code, block);
            at_start.push(start);
            at_end.push(end);
        }
        for (block, end) in code.ends.iter().enumerate() {
            for next in successors(end).into_iter().flatten() {
                for reg in 0..usize::from(REGISTERS) {
                    if let (Some(a), Some(b)) = (at_end[block][reg], at_start[next][reg]) {
                        webs.join(a, b);
                    }
                }
            }
        }
        Some(webs)
    }

    /// Finds the segments of a block, and gives those at its start and end, by register.
    fn find_in(&mut self, code: &Code<'_>, block: usize) -> (Held, Held) {
        let body = &code.bodies[block];
        let mut held: Held = [None; REGISTERS as usize];
        for reg in (0..REGISTERS).map(Reg) {
            if self.live[block][0].contains(Places::register(reg)) {
                let segment = self.add(block, reg, 0);
                // Parameters come in fixed registers.
                self.webs[segment].fixed |= block == 0;
                held[usize::from(reg.0)] = Some(segment);
            }
        }
        let start = held;
        for (index, line) in body.iter().enumerate() {
            self.visit(code, block, index, line, &mut held);
        }
        if let End::Branch(line, ..) | End::Return(line) = &code.ends[block] {
            self.visit(code, block, body.len(), line, &mut held);
        }
        // What is held but not live any more ends at its last reader.
        for (reg, held) in held.iter_mut().enumerate() {
            if !self.live[block][body.len()].contains(reg) {
                *held = None;
            } else if let Some(segment) = *held {
                self.segments[segment].last = body.len();
            }
        }
        (start, held)
    }

    fn visit(&mut self, code: &Code<'_>, block: usize, index: usize, line: &Line, held: &mut Held) {
        let (reads, writes) = (code.places.reads(line), code.places.writes(line));
        let mut source = None;
        for reg in (0..REGISTERS).map(Reg) {
            let place = Places::register(reg);
            let (is_read, is_written) = (reads.contains(place), writes.contains(place));
            let slot = &mut held[usize::from(reg.0)];
            let renamable = renamed(&line.insn, reg, Reg(REGISTERS), true, true).is_some();
            if is_read {
                // Whatever is read is live before; if not, this is no place to be clever.
                let segment = *slot.get_or_insert_with(|| self.add(block, reg, index));
                self.webs[segment].fixed |= !renamable;
                let entry = &mut self.segments[segment];
                entry.last = entry.last.max(index);
                entry
                    .touched
                    .push((index, true, is_written && is_tied(line, reg)));
                if copy(line).is_some_and(|(src, _)| src == reg) {
                    source = Some(segment);
                }
            }
            if is_written && !(is_read && is_tied(line, reg)) {
                let segment = self.add(block, reg, index + 1);
                self.webs[segment].fixed |= !renamable;
                self.segments[segment].touched.push((index, false, true));
                *slot = Some(segment);
            }
        }
        if let (Some(source), Some((_, dst))) = (source, copy(line))
            && let Some(destination) = held[usize::from(dst.0)]
        {
            self.copies.push((block, index, source, destination));
        }
    }

    fn add(&mut self, block: usize, reg: Reg, first: usize) -> usize {
        let number = self.segments.len();
        self.segments.push(Segment {
            block,
            first,
            last: first,
            touched: Vec::new(),
        });
        self.parents.push(number);
        self.webs.push(Web {
            reg,
            segments: vec![number],
            fixed: false,
        });
        number
    }

    fn root(&mut self, mut segment: usize) -> usize {
        while self.parents[segment] != segment {
            self.parents[segment] = self.parents[self.parents[segment]];
            segment = self.parents[segment];
        }
        segment
    }

    fn join(&mut self, a: usize, b: usize) {
        let (mut a, mut b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        if self.webs[a].segments.len() < self.webs[b].segments.len() {
            std::mem::swap(&mut a, &mut b);
        }
        let moved = std::mem::take(&mut self.webs[b].segments);
        self.parents[b] = a;
        self.webs[a].segments.extend(moved);
        self.webs[a].fixed |= self.webs[b].fixed;
    }

    /// Moves a web to another register, if that is free.
    fn recolour(&mut self, code: &mut Code<'_>, web: usize, to: Reg) -> bool {
        let from = self.webs[web].reg;
        if self.webs[web].fixed || to == Reg::FRAME || !self.is_free(code, web, to) {
            return false;
        }
        let (old, new) = (Places::register(from), Places::register(to));
        for &number in &self.webs[web].segments {
            let segment = &self.segments[number];
            let block = segment.block;
            for &(index, reads, writes) in &segment.touched {
                let line = match code.bodies[block].get_mut(index) {
                    Some(line) => Some(line),
                    None => match &mut code.ends[block] {
                        End::Branch(line, ..) => Some(line),
                        _ => None,
                    },
                };
                if let Some(line) = line
                    && let Some(insn) = renamed(&line.insn, from, to, reads, writes)
                {
                    line.insn = insn;
                }
            }
            for live in &mut self.live[block][segment.first..=segment.last] {
                *live = live.renamed(old, new);
            }
        }
        self.webs[web].reg = to;
        true
    }

    /// Whether a register holds nothing and gets nothing wherever a web is live.
    fn is_free(&mut self, code: &Code<'_>, web: usize, reg: Reg) -> bool {
        let place = Places::register(reg);
        for &number in &self.webs[web].segments {
            let segment = &self.segments[number];
            let (block, first, last) = (segment.block, segment.first, segment.last);
            let Some(budget) = self.budget.checked_sub(last - first + 1) else {
                return false;
            };
            self.budget = budget;
            let points = &self.live[block][first..=last];
            let lines = &code.bodies[block][first..last];
            if points.iter().any(|live| live.contains(place))
                || lines
                    .iter()
                    .any(|line| code.places.writes(line).contains(place))
            {
                return false;
            }
        }
        true
    }
}

/// For each register the segment that it holds.
type Held = [Option<usize>; REGISTERS as usize];

/// Whether a register is read and written by being one operand.
fn is_tied(line: &Line, reg: Reg) -> bool {
    match line.insn {
        Insn::Alu { op, dst, .. } => op != AluOp::Mov && dst == reg,
        Insn::Neg { dst, .. } | Insn::Endian { dst, .. } => dst == reg,
        Insn::Atomic { fetch, src, .. } => fetch && src == reg,
        // The rest that reads what it writes names it in two places, or implicitly.
        _ => false,
    }
}
