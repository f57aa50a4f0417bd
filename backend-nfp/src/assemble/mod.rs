//! From [machine code](crate::machine) to words: the last stage.
//!
//! What is done, in this order: blocks become fewer ([`simplify`]), get an order ([`layout`]), the
//! items of each get an order that hides delays and fills defer slots ([`schedule`]), instructions
//! that do nothing go where delays are left ([`delays`]), and addresses are known ([`emit`]). Fewest
//! words come first, then fewest cycles lost after branches.
//!
//! Why sound: every path runs the same items as before, and two of them change places only where
//! neither can notice ([`effects`]). Tests run random machine programs as they stand and as they come
//! out of here, and compare all that the simulator can see.
//!
//! Cost: linear in the program, but for a logarithm, with factors that [`schedule`] and [`simplify`]
//! bound. Nothing here fails but what the caller got wrong, and that is an [`AssembleError`].

mod check;
mod delays;
mod effects;
mod emit;
mod error;
mod flags;
mod gather;
mod graph;
mod layout;
mod schedule;
mod share;
mod simplify;
#[cfg(test)]
mod tests;
mod verdict;

use mir::SourceLoc;

use self::delays::{Context, Ending, Pending, Plan};
use self::effects::Effects;
use self::graph::{Exit, Graph};
use self::layout::Layout;
use crate::isa::relocation::{Kind, Places, RelocationError, relocate};
use crate::isa::{Insn, NOP};
use crate::machine::{MachineProgram, Timing};

pub use error::AssembleError;

/// What a word is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The program's work.
    Item,
    /// The program's work in a defer slot of a branch.
    Slot,
    /// The branch at a block's end.
    Branch,
    /// Passes time until an index register holds what was written to it.
    Delay,
    /// Follows every program.
    Trailer,
}

/// A word of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The instruction. Targets within the program are addresses, as are numbers that are places;
    /// those of helpers are [`HELPER_BASE`](crate::isa::relocation::HELPER_BASE) and their number,
    /// and that of the way out is 0.
    pub insn: Insn,
    /// What a loader patches.
    pub kind: Kind,
    /// Position in the source.
    pub location: Option<SourceLoc>,
    /// Input slot plus one, 0 for none.
    pub origin: u32,
    /// Function that it is of, or one of them where functions share code.
    pub function: usize,
    /// What it is there for.
    pub role: Role,
}

/// What a program consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// All words, with the trailer.
    pub words: usize,
    /// Words that only pass time.
    pub delays: usize,
    /// Branches at ends of blocks.
    pub branches: usize,
    /// Defer slots that they offer.
    pub slots: usize,
    /// Of those, how many do the program's work.
    pub filled: usize,
}

/// A program's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// The words, with the trailer.
    pub words: Vec<Word>,
    /// Address of the first.
    pub start: u16,
    /// What they are.
    pub statistics: Statistics,
}

impl Assembled {
    /// The words as a file keeps them: relative to the program's start, marked with what a loader
    /// patches, without error code.
    #[must_use]
    pub fn unrelocated(&self) -> Vec<u64> {
        let word = |word: &Word| {
            let insn = match (word.kind, word.insn) {
                (
                    Kind::Branch,
                    Insn::Branch { target, .. }
                    | Insn::BranchBit { target, .. }
                    | Insn::BranchByte { target, .. },
                )
                | (Kind::Immediate, Insn::Immed { value: target, .. }) => {
                    emit::with_number(word.insn, target.saturating_sub(self.start))
                }
                _ => word.insn,
            };
            // All were encoded once; other targets and fewer defer slots fit as well.
            word.kind.mark(insn.encode().unwrap_or(NOP))
        };
        self.words.iter().map(word).collect()
    }

    /// The words as they go into the code store, with error codes.
    ///
    /// # Errors
    /// [`RelocationError`], for places where the program does not fit or helpers that there are not.
    pub fn relocated(&self, places: &Places<'_>) -> Result<Vec<u64>, RelocationError> {
        let words = self.unrelocated().into_iter();
        words.map(|word| relocate(word, places)).collect()
    }
}

/// Longest delay that is taken for meant.
const MOST_DELAY: usize = 64;
/// What the field for defer slots holds.
const MOST_SLOTS: usize = 3;

/// Makes words that start at an address.
///
/// # Errors
/// [`AssembleError`] where the program is not as [`crate::machine`] says, or does not fit.
pub fn assemble(
    program: &MachineProgram,
    timing: &Timing,
    start: u16,
) -> Result<Assembled, AssembleError> {
    if timing.lm_index > MOST_DELAY {
        return Err(AssembleError::Delay(timing.lm_index));
    }
    let timing = &Timing {
        branch_slots: timing.branch_slots.min(MOST_SLOTS),
        jump_slots: timing.jump_slots.min(MOST_SLOTS),
        ..*timing
    };
    let mut graph = Graph::new(program, timing)?;
    simplify::simplify(&mut graph);
    if verdict::give_early(&mut graph) {
        simplify::tidy(&mut graph);
    }
    let layout = layout::layout(&graph);
    let endings = endings(&graph, &layout, timing);
    let plans = plans(&graph, timing, &endings);
    let placed = delays::settle(&graph, timing, &layout.order, &plans, &endings);
    let (words, statistics) = emit::emit(&graph, &layout, &placed, timing, start)?;
    Ok(Assembled {
        words,
        start,
        statistics,
    })
}

/// The branches that blocks end with in this order.
fn endings(graph: &Graph<'_>, layout: &Layout, timing: &Timing) -> Vec<Option<Ending>> {
    let mut endings: Vec<Option<Ending>> = graph.nodes.iter().map(|_| None).collect();
    for node in &layout.order {
        let (insn, slots) = match &graph.nodes[*node].exit {
            Exit::Jump(_) if layout.follows[*node].is_some() => continue,
            Exit::Jump(_) | Exit::Done => (None, timing.branch_slots),
            Exit::Branch { insn, .. } => (Some(insn), timing.branch_slots),
            Exit::Return(insn) => (Some(insn), timing.jump_slots),
        };
        let effects = Effects::of_end(insn);
        endings[*node] = Some(Ending { effects, slots });
    }
    endings
}

/// An order for each block.
fn plans(graph: &Graph<'_>, timing: &Timing, endings: &[Option<Ending>]) -> Vec<Plan> {
    let order = graph.reached();
    let live = flags::live_at_entry(graph, &order);
    let distances = delays::distances(graph, timing, &order, endings);
    let mut entry = vec![Pending::default(); graph.nodes.len()];
    let mut plans = vec![Plan::default(); graph.nodes.len()];
    for node in order {
        let strong = flags::strong(graph, node, &live);
        let around = schedule::Around {
            entry: entry[node],
            distance: delays::behind(graph, node, &distances),
            flags_live: graph.successors(node).any(|next| live[next]),
        };
        let context = Context {
            graph,
            timing,
            returned: Pending::default(),
        };
        let items = &graph.nodes[node].items;
        let ending = endings[node].as_ref();
        let plan = schedule::schedule(context, items, &strong, ending, &around);
        let exit = delays::place(context, &plan, ending, entry[node]).exit;
        for next in graph.successors(node) {
            entry[next].join(exit);
        }
        plans[node] = plan;
    }
    plans
}
