//! What a program costs the verifier and the stack: walked instructions by source line, stack by
//! slot and by chain of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};
use verifier::facts::Facts;
use verifier::program::{Meaning, Program};
use verifier::{Linker, Report};

/// Frames of a chain of calls; the kernel takes no more.
const MAX_FRAMES: usize = 8;
/// The kernel rounds a frame up to this many bytes.
const FRAME_UNIT: u32 = 16;

/// Instructions walked for one line of the source, or for one instruction where lines are not
/// known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hot {
    /// File and line, or the instruction.
    pub place: String,
    /// Its text.
    pub text: String,
    /// How often instructions of it were walked.
    pub visits: u64,
}

/// The lines that were walked most, first the one that was most.
#[must_use]
pub fn hottest(linker: &Linker<'_>, program: &Program, visits: &[u32], top: usize) -> Vec<Hot> {
    let mut lines: BTreeMap<String, Hot> = BTreeMap::new();
    for (slot, visits) in visits.iter().enumerate().filter(|(_, visits)| **visits > 0) {
        let (place, text) = match linker.line_of(program, slot) {
            Some(line) => (
                format!("{}:{}", line.file, line.line),
                line.text.trim().to_owned(),
            ),
            None => (
                format!("instruction {slot}"),
                super::places::insn_text(program, slot),
            ),
        };
        let hot = lines.entry(place.clone()).or_insert(Hot {
            place,
            text,
            visits: 0,
        });
        hot.visits += u64::from(*visits);
    }
    let mut lines: Vec<Hot> = lines.into_values().collect();
    lines.sort_by(|a, b| b.visits.cmp(&a.visits).then_with(|| a.place.cmp(&b.place)));
    lines.truncate(top);
    lines
}

/// The innermost loop around the instruction that was walked most: its first and last instruction.
#[must_use]
pub fn hottest_loop(program: &Program, visits: &[u32]) -> Option<(usize, usize)> {
    let (hot, _) = (0..).zip(visits).max_by_key(|(_, visits)| **visits)?;
    let back = program.ops.iter().enumerate().filter_map(|(from, op)| {
        let distance = i64::from(op.decoded()?.branch_offset()?);
        let to = usize::try_from(from as i64 + 1 + distance).ok()?;
        (to <= hot && hot <= from).then_some((to, from))
    });
    back.min_by_key(|(to, from)| from - to)
}

/// The chain of calls whose frames need most stack together, and how much.
fn deepest_chain(program: &Program, depths: &[u32]) -> (Vec<usize>, u32) {
    let functions = program.subprograms.iter().enumerate();
    let callees = functions.map(|(index, function)| {
        let slots = function.start..program.subprogram_end(index);
        let called = program.ops[slots].iter().filter_map(|op| match op.meaning {
            Meaning::Function(callee) => Some(callee),
            _ => None,
        });
        called.collect()
    });
    let callees: Vec<BTreeSet<usize>> = callees.collect();
    let own = |function: usize| {
        let depth = depths.get(function).copied().unwrap_or(0);
        depth.next_multiple_of(FRAME_UNIT)
    };
    // The deepest chain of so many frames that begins at each function.
    let mut best: Vec<(Vec<usize>, u32)> = (0..program.subprograms.len())
        .map(|function| (vec![function], own(function)))
        .collect();
    for _ in 1..MAX_FRAMES {
        let longer = (0..best.len()).map(|function| {
            let below = callees[function].iter().map(|&callee| &best[callee]);
            match below.max_by_key(|(_, bytes)| *bytes) {
                Some((chain, bytes)) => {
                    let chain = std::iter::once(function).chain(chain.iter().copied());
                    (chain.collect(), own(function) + bytes)
                }
                None => (vec![function], own(function)),
            }
        });
        best = longer.collect();
    }
    best.into_iter().next().unwrap_or_default()
}

/// The deepest chain of calls, with the bytes of each frame.
#[must_use]
pub fn chain_text(program: &Program, depths: &[u32]) -> String {
    let (chain, bytes) = deepest_chain(program, depths);
    let frames = chain.iter().filter_map(|index| {
        let function = program.subprograms.get(*index)?;
        let own = depths.get(*index)?.next_multiple_of(FRAME_UNIT);
        Some(format!("{} {own}", function.name))
    });
    let frames: Vec<String> = frames.collect();
    format!("{} = {bytes} bytes", frames.join(" + "))
}

/// Costs as JSON.
#[must_use]
pub fn json(
    linker: &Linker<'_>,
    program: &Program,
    report: &Report,
    facts: &Facts,
    top: usize,
) -> Value {
    let lines = hottest(linker, program, &report.visits, top);
    let lines = lines
        .iter()
        .map(|hot| json!({"place": hot.place, "text": hot.text, "visits": hot.visits}));
    let functions = program
        .subprograms
        .iter()
        .enumerate()
        .map(|(index, function)| {
            json!({
                "name": function.name,
                "stack": report.depths.get(index),
                "slots": slots(facts, index).into_iter().map(|(offset, insns)| json!({
                    "offset": offset,
                    "insns": insns,
                })).collect::<Vec<_>>(),
            })
        });
    let (chain, bytes) = deepest_chain(program, &report.depths);
    let names = chain
        .iter()
        .filter_map(|index| program.subprograms.get(*index));
    json!({
        "program": program.name,
        "insns": program.ops.len(),
        "processed": report.stats.processed,
        "states": report.stats.states,
        "peak_states": report.stats.peak_states,
        "lines": lines.collect::<Vec<_>>(),
        "functions": functions.collect::<Vec<_>>(),
        "deepest_chain": {
            "functions": names.map(|one| one.name.as_str()).collect::<Vec<_>>(),
            "bytes": bytes,
        },
    })
}

/// The 8-byte slots of a function's stack, each with the instructions that access it.
fn slots(facts: &Facts, function: usize) -> BTreeMap<i16, BTreeSet<u32>> {
    let mut slots: BTreeMap<i16, BTreeSet<u32>> = BTreeMap::new();
    for access in facts.stack.iter().filter(|one| one.function == function) {
        let first = access.offset.div_euclid(8) * 8;
        let end = i32::from(access.offset) + i32::from(access.size);
        for offset in (i32::from(first)..end).step_by(8) {
            if let Ok(offset) = i16::try_from(offset) {
                slots.entry(offset).or_default().insert(access.insn);
            }
        }
    }
    slots
}

/// Costs for people.
#[must_use]
pub fn text(
    linker: &Linker<'_>,
    program: &Program,
    report: &Report,
    facts: &Facts,
    top: usize,
) -> String {
    let stats = &report.stats;
    let mut text = format!(
        "  {} slots; {} instructions walked, {} states kept, {} at once\n",
        program.ops.len(),
        stats.processed,
        stats.states,
        stats.peak_states
    );
    for hot in hottest(linker, program, &report.visits, top) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "  {:8}  {}  {}", hot.visits, hot.place, hot.text);
    }
    for (index, function) in program.subprograms.iter().enumerate() {
        let depth = report.depths.get(index).copied().unwrap_or(0);
        let _ = writeln!(text, "  stack of {}: {depth} bytes", function.name);
        for (offset, insns) in slots(facts, index) {
            let shown: Vec<String> = insns.iter().take(8).map(|insn| insn.to_string()).collect();
            let more = if insns.len() > 8 { " …" } else { "" };
            let _ = writeln!(
                text,
                "    fp{offset}: accessed at {}{more}",
                shown.join(" ")
            );
        }
    }
    let (chain, bytes) = deepest_chain(program, &report.depths);
    let names = chain
        .iter()
        .filter_map(|index| program.subprograms.get(*index));
    let names: Vec<&str> = names.map(|one| one.name.as_str()).collect();
    let _ = writeln!(
        text,
        "  deepest chain: {} with {bytes} bytes",
        names.join(" → ")
    );
    text
}
