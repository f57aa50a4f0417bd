//! Numbers for transfer registers.
//!
//! A read fills consecutive registers, and what it brought is used from there until another command
//! fills them or a call destroys all. Groups that are live at the same time get ranges apart. Words of
//! a group that is live over a call, or for which no range is left, are copied to general
//! registers behind the read.
//!
//! Soundness: two groups interfere if one is live where the other is filled; the checker of encoded
//! words follows transfer registers by itself.
//!
//! Cost: a data flow over blocks with sets of groups, again after each round of copies; each group
//! is copied at most once, so rounds are bounded by groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::lir::{Block, End, Group, Inst, Lir, Op, Reg, Source, Target};

/// Transfer registers that programs use (NFP.md, section 5).
const REGISTERS: u8 = 32;

/// First register of each group.
pub(crate) type Places = Vec<u8>;

/// Gives registers to groups.
pub(crate) fn allocate(lir: &mut Lir) -> Places {
    let mut copied = BTreeSet::new();
    loop {
        let (interference, over_calls) = interferences(lir);
        let mut places: Vec<Option<u8>> = vec![None; lir.groups.len()];
        let mut spilled: BTreeSet<Group> = over_calls.difference(&copied).copied().collect();
        if spilled.is_empty() {
            for group in (0..lir.groups.len() as u32).map(Group) {
                let words = lir.groups[group.0 as usize];
                let taken: Vec<(u8, u8)> = interference
                    .get(&group)
                    .into_iter()
                    .flatten()
                    .filter_map(|other| {
                        let first = places[other.0 as usize]?;
                        Some((first, first + lir.groups[other.0 as usize]))
                    })
                    .collect();
                let fits = |first: &u8| {
                    taken
                        .iter()
                        .all(|(from, to)| first + words <= *from || *to <= *first)
                };
                let place = (0..=REGISTERS.saturating_sub(words)).find(fits);
                match place {
                    Some(place) => places[group.0 as usize] = Some(place),
                    None if !copied.contains(&group) => {
                        spilled.insert(group);
                    }
                    // Someone that is in its way leaves.
                    None => spilled.extend(
                        interference
                            .get(&group)
                            .into_iter()
                            .flatten()
                            .filter(|other| !copied.contains(other)),
                    ),
                }
            }
        }
        if spilled.is_empty() {
            return places
                .into_iter()
                .map(|place| place.unwrap_or_default())
                .collect();
        }
        for group in spilled {
            copy_out(lir, group);
            copied.insert(group);
        }
    }
}

fn group_of(source: Source) -> Option<Group> {
    match source {
        Source::Transfer(group, _) => Some(group),
        _ => None,
    }
}

/// Groups that are live at the same time, and those that are live over calls.
fn interferences(lir: &Lir) -> (BTreeMap<Group, BTreeSet<Group>>, BTreeSet<Group>) {
    let live_out = live_out(lir);
    let mut together: BTreeMap<Group, BTreeSet<Group>> = BTreeMap::new();
    let mut over_calls = BTreeSet::new();
    for (block, out) in lir.blocks.iter().zip(live_out) {
        let mut live = out;
        live.extend(end_groups(block.end.as_ref()));
        for inst in block.insts.iter().rev() {
            match &inst.op {
                Op::Read(_, group) => {
                    live.remove(group);
                    for other in &live {
                        together.entry(*group).or_default().insert(*other);
                        together.entry(*other).or_default().insert(*group);
                    }
                }
                Op::Helper(_) | Op::Call(_) => over_calls.extend(live.iter().copied()),
                _ => {}
            }
            live.extend(inst.op.sources().into_iter().filter_map(group_of));
        }
    }
    (together, over_calls)
}

fn end_groups(end: Option<&End>) -> Option<Group> {
    match end {
        Some(End::Branch(branch, ..)) => branch.source().and_then(group_of),
        _ => None,
    }
}

fn live_out(lir: &Lir) -> Vec<BTreeSet<Group>> {
    let mut used: Vec<BTreeSet<Group>> = Vec::new();
    let mut filled: Vec<BTreeSet<Group>> = Vec::new();
    let mut predecessors = vec![Vec::new(); lir.blocks.len()];
    for (at, block) in (0..).zip(&lir.blocks) {
        let mut live: BTreeSet<Group> = end_groups(block.end.as_ref()).into_iter().collect();
        let mut fills = BTreeSet::new();
        for inst in block.insts.iter().rev() {
            if let Op::Read(_, group) = inst.op {
                live.remove(&group);
                fills.insert(group);
            }
            live.extend(inst.op.sources().into_iter().filter_map(group_of));
        }
        used.push(live);
        filled.push(fills);
        for edge in block.end.iter().flat_map(End::edges) {
            predecessors[edge.block.index()].push(Block(at));
        }
    }
    let mut out = vec![BTreeSet::new(); lir.blocks.len()];
    let mut work: Vec<Block> = (0..lir.blocks.len() as u32).map(Block).collect();
    while let Some(block) = work.pop() {
        let at = block.index();
        let mut live_in: BTreeSet<Group> = out[at].difference(&filled[at]).copied().collect();
        live_in.extend(used[at].iter().copied());
        for predecessor in &predecessors[at] {
            let before = out[predecessor.index()].len();
            out[predecessor.index()].extend(live_in.iter().copied());
            if out[predecessor.index()].len() != before {
                work.push(*predecessor);
            }
        }
    }
    out
}

/// Copies a group's words to registers behind its read.
fn copy_out(lir: &mut Lir, group: Group) {
    let mut copies: BTreeMap<u8, Reg> = BTreeMap::new();
    let mut regs = lir.regs;
    let mut replace = |source: &mut Source| {
        if let Source::Transfer(found, word) = *source
            && found == group
        {
            let reg = *copies.entry(word).or_insert_with(|| {
                regs += 1;
                Reg(regs - 1)
            });
            *source = Source::Reg(reg);
        }
    };
    for block in &mut lir.blocks {
        for inst in &mut block.insts {
            inst.op.for_each_source(&mut replace);
        }
        if let Some(End::Branch(branch, ..)) = &mut block.end
            && let Some(source) = branch.source_mut()
        {
            replace(source);
        }
    }
    lir.regs = regs;
    for block in &mut lir.blocks {
        let Some(at) = block
            .insts
            .iter()
            .position(|inst| matches!(inst.op, Op::Read(_, found) if found == group))
        else {
            continue;
        };
        // What is not waited for at once arrives with its signal.
        let signal = match &block.insts[at].op {
            Op::Read(access, _) => access.signal,
            _ => None,
        };
        let arrives = signal.and_then(|signal| {
            let waits = block.insts.iter().skip(at).position(
                |inst| matches!(inst.op, Op::Wait(signals) if signals >> signal & 1 != 0),
            )?;
            Some(at + waits)
        });
        let at = arrives.unwrap_or(at);
        let (location, origin) = (block.insts[at].location, block.insts[at].origin);
        let moves = copies.iter().map(|(word, reg)| Inst {
            op: Op::Copy(Source::Transfer(group, *word)),
            target: Target::Reg(*reg),
            location,
            origin,
        });
        block.insts.splice(at + 1..at + 1, moves);
    }
}
