//! Checks machine words against every rule of the machine and of the firmware that is known.
//!
//! [`check`] takes the words that a loader would put into the code store. From these alone, through
//! [`crate::isa`] and nothing else of what made them, it finds where control goes ([`flow`]) and what
//! holds there on every path ([`state`]), and compares with the rules:
//!
//! - each word is an instruction with its error code and uses only what programs may (`shape`);
//! - control stays within the program, the firmware's end and its helpers; defer slots hold what they
//!   can; the program's trailer is there and never reached;
//! - whatever needs an instruction right before it has it: amounts of indirect shifts, signs of
//!   arithmetic ones, overrides of commands, steps of products, results of register reads;
//! - an index register of local memory is not used before it holds, and offsets meet clear bits;
//! - nothing that matters (a branch, an address, data that go to memory, a verdict, an argument)
//!   depends on a bit that nobody defined on some path: registers, condition codes, transfer
//!   registers over the whole length of a command, also an overridden one, and words of the stack;
//! - the firmware's registers and words stay as they are.
//!
//! Why: order, slots, registers and addresses are decided by different parts of a code generator, and
//! each mistake there gives a program that mostly works. An independent checker of what comes out
//! finds them for all inputs, where a simulator needs the right one.
//!
//! Soundness: the facts at an address hold on every path of the graph, which has every path that a
//! card could take, calls matched with their returns. What depends on values is not refused: places
//! in local memory that do not follow from the words ([`Report::unproved`]), what addresses of
//! commands reach, and the bytes of a helper's key, whose size the words do not give. Delays are counted in instructions, so that cycles lost after branches, of which
//! nobody knows how many there are, help nobody. A jump or a return address that does not follow
//! from the words is refused.
//!
//! Cost: linear in the words times how much a state can lose, in practice two or three times; bounded,
//! with [`Rule::Effort`] beyond. Any words give a result.

mod command;
mod compute;
mod flow;
mod local;
mod multiply;
mod rules;
mod shape;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod value;
mod violation;

pub use rules::{HelperRules, Rules};
pub use violation::{Rule, Use, Violation};

use crate::isa::{Insn, NOP, TARGETS, TRAILER, ecc};

/// What is known of words that keep to the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Words, with the trailer.
    pub words: usize,
    /// Words that control can reach.
    pub reached: usize,
    /// Calls of functions of the program that return, each counted for every way to it.
    pub calls: usize,
    /// How deep calls nest.
    pub depth: usize,
    /// Instructions whose place in local memory does not follow from the words.
    pub unproved: usize,
    /// Instructions that were followed, counted each time.
    pub effort: usize,
}

/// Checks words that lie at an address.
///
/// # Errors
/// All rules that are broken, in the order of addresses; at most some hundreds.
pub fn check(words: &[u64], start: u16, rules: &Rules) -> Result<Report, Vec<Violation>> {
    let mut found = step::Found::default();
    let first = u32::from(start);
    let most = rules.size.min(usize::from(TARGETS.saturating_sub(start)));
    if words.len() > most {
        let words = words.len();
        let rule = Rule::Size { words, most };
        return Err(vec![Violation { at: first, rule }]);
    }
    let trailer = words.last_chunk::<TRAILER>();
    let ends = trailer.is_some_and(|words| words.iter().all(|word| *word == ecc::protect(NOP)));
    let code = if ends {
        &words[..words.len() - TRAILER]
    } else {
        found.add(first + words.len() as u32, Rule::Trailer);
        words
    };
    let mut insns = Vec::with_capacity(code.len());
    for (at, word) in (first..).zip(code) {
        match ecc::check(*word).and_then(Insn::decode) {
            Ok(insn) => {
                for rule in shape::broken(insn, rules) {
                    found.add(at, rule);
                }
                insns.push(Some(insn));
            }
            Err(error) => {
                found.add(at, error.into());
                insns.push(None);
            }
        }
    }
    let summary = flow::walk(&insns, start, rules, &mut found);
    if found.violations.is_empty() {
        return Ok(Report {
            words: words.len(),
            reached: summary.reached.len(),
            calls: summary.closed.len(),
            depth: summary.depth,
            unproved: found.unproved.len(),
            effort: summary.effort,
        });
    }
    found.violations.sort_by_key(|violation| violation.at);
    Err(found.violations)
}
