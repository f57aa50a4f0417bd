//! The Linux driver's words taken apart into machine code, without the instructions that pass time,
//! and assembled anew: they do what the bytecode does, and there are fewer of them.
//!
//! Cases with functions of their own are left out, and those that the driver translates wrongly.

use std::collections::{BTreeMap, BTreeSet};

use backend_nfp::assemble::{Statistics, assemble};
use backend_nfp::firmware::{Abi, Watch};
use backend_nfp::isa::relocation::Kind;
use backend_nfp::isa::{Condition, Insn, NOP, Shift, ShiftOp, ecc};
use backend_nfp::machine::{
    BlockId, End, Item, MachineBlock, MachineFunction, MachineInsn, MachineProgram, Reference,
    Timing,
};
use backend_nfp::sim::HazardKind;
use libtest_mimic::{Arguments, Failed, Trial};
use testsuite::nfp::{Case, cases, compare, inputs};

/// An instruction of a case: address in the program, instruction, relocation.
type Found = (usize, Insn, Kind, u64);

fn taken_apart(case: &Case, start: u16, helpers: &[(u32, u16)]) -> Option<MachineProgram> {
    if case.words.is_empty() {
        return None;
    }
    let found: Vec<Found> = case
        .words
        .iter()
        .zip(&case.unrelocated)
        .enumerate()
        .map(|(at, (word, before))| {
            let bare = ecc::check(*word).ok()?;
            Some((at, Insn::decode(bare).ok()?, Kind::of(*before)?, bare))
        })
        .collect::<Option<_>>()?;
    let target = |insn: Insn| match insn {
        Insn::Branch { target, defer, .. }
        | Insn::BranchBit { target, defer, .. }
        | Insn::BranchByte { target, defer, .. } => Some((target, usize::from(defer))),
        _ => None,
    };
    let mut leaders = BTreeSet::from([0]);
    for (at, insn, kind, _) in &found {
        match kind {
            Kind::Push | Kind::Pop => return None,
            Kind::Helper => {}
            _ => {
                if let Some((to, defer)) = target(*insn) {
                    leaders.insert(at + 1 + defer);
                    if *kind != Kind::NextPacket {
                        leaders.insert(usize::from(to - start));
                    }
                }
                if matches!(insn, Insn::Jump { .. }) {
                    return None;
                }
            }
        }
    }
    let body = found.len() - 8;
    leaders.retain(|at| *at < body);
    let number: BTreeMap<usize, usize> = leaders.iter().copied().zip(0..).collect();
    let mut blocks = Vec::new();
    for (at, index) in &number {
        let next = leaders.range(at + 1..).next().copied().unwrap_or(body);
        let block = |to: usize| number.get(&to).copied().map(BlockId);
        let mut items: Vec<Item> = Vec::new();
        let mut end = None;
        let mut place = *at;
        let mut glue = 0;
        let mut last_csr = false;
        while place < next {
            let (_, insn, kind, bare) = found[place];
            place += 1;
            let machine = |insn, reference| MachineInsn {
                insn,
                reference,
                location: None,
                origin: 0,
            };
            if let (Some((to, _)), true) = (target(insn), kind != Kind::Helper) {
                let to = usize::from(to).wrapping_sub(start.into());
                end = Some(match (kind, insn) {
                    (Kind::NextPacket, _) => End::Done,
                    (
                        _,
                        Insn::Branch {
                            condition: Condition::Always,
                            ..
                        },
                    ) => End::Jump(block(to)?),
                    _ => End::Branch {
                        insn: machine(insn, Reference::None),
                        taken: block(to)?,
                        otherwise: BlockId(index + 1),
                    },
                });
                continue;
            }
            if bare == NOP {
                continue;
            }
            let reference = match kind {
                Kind::Helper => {
                    let (to, _) = target(insn)?;
                    let helper = helpers.iter().find(|(_, address)| *address == to)?;
                    Reference::Helper(helper.0)
                }
                Kind::Immediate => Reference::After,
                _ => Reference::None,
            };
            let joins = glue > 0
                || last_csr
                || matches!(
                    insn,
                    Insn::AluShift {
                        op: ShiftOp::Arithmetic,
                        ..
                    } | Insn::AluShift {
                        shift: Shift::RightIndirect | Shift::LeftIndirect | Shift::DoubleIndirect,
                        ..
                    } | Insn::MultiplyResult { .. }
                )
                || matches!(insn, Insn::Command(command) if command.indirect)
                || matches!((insn, items.last().and_then(|item| item.insns.last())),
                    (Insn::MultiplyStep { .. }, Some(last)) if matches!(last.insn, Insn::MultiplyStep { .. }));
            glue = match insn {
                Insn::Command(command) => usize::from(command.swap.unwrap_or(0)),
                Insn::Branch { defer, .. } => defer.into(),
                _ => usize::saturating_sub(glue, 1),
            };
            last_csr = matches!(insn, Insn::CsrRead { .. });
            if !joins || items.is_empty() {
                items.push(Item::default());
            }
            let item = items.last_mut()?;
            item.barrier |= kind == Kind::Helper;
            item.insns.push(machine(insn, reference));
            if kind == Kind::Immediate && !item.barrier {
                return None;
            }
        }
        let end = end.unwrap_or(End::Jump(BlockId(index + 1)));
        blocks.push(MachineBlock { items, end });
    }
    Some(MachineProgram {
        program_type: case.program_type,
        functions: vec![MachineFunction {
            name: case.name.clone(),
            blocks,
        }],
    })
}

fn main() {
    let arguments = Arguments::from_args();
    let found = cases();
    let missing = found.is_none();
    let name = if missing {
        "reassembled: no driver output beside this checkout"
    } else {
        "reassembled"
    };
    let trial = Trial::test(name, move || reassembled(found.unwrap_or_default()));
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(missing)]).exit();
}

fn reassembled(cases: Vec<Case>) -> Result<(), Failed> {
    let abi = Abi {
        helpers: vec![(1, 200), (25, 500)],
        ..Abi::default()
    };
    let places = abi.places();
    let (mut count, mut before, mut after, mut issue) = (0, 0, 0, (0, 0));
    let mut nops = 0;
    let mut all = Statistics::default();
    let mut wrong = Vec::new();
    for case in cases {
        let Some(program) = taken_apart(&case, abi.start, &abi.helpers) else {
            continue;
        };
        let inputs = inputs(&case.name, 60);
        let old = compare(&case, &case.words, &abi, Watch::Nowhere, &inputs)?;
        let assembled = assemble(&program, &Timing::default(), abi.start)?;
        let words = assembled.relocated(&places)?;
        let new = compare(&case, &words, &abi, Watch::Nowhere, &inputs)?;
        let bad = |kind: &HazardKind| *kind != HazardKind::ShiftAmount;
        if old.differences.is_empty()
            && (!new.differences.is_empty() || new.hazards.iter().any(|hazard| bad(&hazard.kind)))
        {
            wrong.push(format!(
                "{}: {:?} {:?}",
                case.name,
                new.differences.first(),
                new.hazards
            ));
        }
        count += 1;
        before += case.words.len() - 8;
        nops += case.words[..case.words.len() - 8]
            .iter()
            .filter(|word| **word == ecc::protect(NOP))
            .count();
        after += words.len() - 8;
        issue.0 += old.issue;
        issue.1 += new.issue;
        all.delays += assembled.statistics.delays;
        all.branches += assembled.statistics.branches;
        all.slots += assembled.statistics.slots;
        all.filled += assembled.statistics.filled;
    }
    let figures = format!(
        "{count} cases: {before} words ({nops} pass time) to {after}, cycles {issue:?}, {all:?}"
    );
    if !wrong.is_empty() {
        return Err(format!("{wrong:#?}").into());
    }
    // A little room, so that other orders of equal worth do not matter.
    if count != 203 || after > 6300 || issue.1 * 100 > issue.0 * 89 {
        return Err(figures.into());
    }
    Ok(())
}
