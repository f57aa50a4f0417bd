//! Machine programs that are wrong in any way are refused or assembled, and end either way.

use super::parts::Random;
use super::{LESS, generate};
use crate::assemble::assemble;
use crate::isa::{Insn, WORD_MASK};
use crate::machine::{BlockId, End, Item, MachineProgram, Reference, Timing};

/// Any instruction at all.
fn any(random: &mut Random) -> Insn {
    loop {
        if let Ok(insn) = Insn::decode(random.next() & WORD_MASK) {
            return insn;
        }
    }
}

fn break_something(program: &mut MachineProgram, random: &mut Random) {
    let function = random.below(program.functions.len());
    let blocks = &mut program.functions[function].blocks;
    let count = blocks.len();
    let block = random.below(count);
    let block = &mut blocks[block];
    let mut target = || BlockId(random.below(count + 1));
    let (one, two) = (target(), target());
    match random.below(6) {
        0 => block.end = End::Jump(one),
        1 => match &mut block.end {
            End::Branch {
                insn,
                taken,
                otherwise,
            } => {
                (*taken, *otherwise) = (one, two);
                if random.below(2) == 0 {
                    insn.insn = any(random);
                }
            }
            End::Return(insn) => insn.insn = any(random),
            End::Jump(_) | End::Done => block.end = End::Done,
        },
        2 => block.items.push(Item::default()),
        _ => {
            let count = block.items.len().max(1);
            if let Some(item) = block.items.get_mut(random.below(count)) {
                item.barrier = random.below(2) == 0;
                item.transfers_read = Some((random.next() as u8, random.next() as u8));
                let count = item.insns.len().max(1);
                if let Some(insn) = item.insns.get_mut(random.below(count)) {
                    match random.below(3) {
                        0 => insn.insn = any(random),
                        1 => {
                            insn.reference = match random.below(4) {
                                0 => Reference::None,
                                1 => Reference::After,
                                2 => Reference::Function(random.below(4)),
                                _ => Reference::Helper(random.next() as u32 >> random.below(32)),
                            }
                        }
                        _ => {
                            let other = *insn;
                            item.insns.push(other);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn broken_programs_are_refused_or_assembled() {
    let mut accepted = 0;
    for seed in 0..6000 / LESS {
        let mut random = Random(seed);
        let mut program = generate::program(&mut random);
        for _ in 0..=random.below(3) {
            break_something(&mut program, &mut random);
        }
        let timing = Timing {
            lm_index: random.below(6),
            branch_slots: random.below(6),
            jump_slots: random.below(6),
        };
        if let Ok(assembled) = assemble(&program, &timing, random.below(1 << 14) as u16) {
            accepted += 1;
            for word in &assembled.words {
                assert!(word.insn.encode().is_ok(), "{seed}: {word:?}");
            }
        }
    }
    assert!((1000 / LESS..5000 / LESS).contains(&accepted), "{accepted}");
}
