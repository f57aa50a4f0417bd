//! Addresses, targets, words.
//!
//! Cost: linear.

use super::delays::{Piece, Placed};
use super::error::AssembleError;
use super::graph::{Exit, Graph};
use super::layout::Layout;
use super::{Role, Statistics, Word};
use crate::isa::relocation::{HELPER_BASE, Kind};
use crate::isa::{Condition, Destination, Insn, Mode, Operand, TARGETS, TRAILER, Width};
use crate::machine::{MachineInsn, Reference, Timing};

/// The instruction that does nothing.
pub(super) const NOTHING: Insn = Insn::Immed {
    destination: Destination {
        operand: Operand::Nothing,
        bank: crate::isa::Bank::A,
        both: false,
    },
    value: 0,
    width: Width::Whole,
    byte_shift: 0,
    invert: false,
    mode: Mode {
        keep_conditions: false,
        predicated: false,
    },
};

/// Where a word's target is.
#[derive(Clone, Copy)]
enum Goal {
    Nowhere,
    Node(usize),
    Leave,
    Helper(u32),
    /// A number of words from the program's start.
    Place(usize),
}

/// Puts blocks one after another.
pub(super) fn emit(
    graph: &Graph<'_>,
    layout: &Layout,
    placed: &[Placed],
    timing: &Timing,
    start: u16,
) -> Result<(Vec<Word>, Statistics), AssembleError> {
    let mut emitter = Emitter {
        graph,
        timing,
        words: Vec::new(),
        statistics: Statistics::default(),
    };
    let mut places = vec![0; graph.nodes.len()];
    for node in &layout.order {
        places[*node] = emitter.words.len();
        emitter.block(*node, layout.follows[*node], &placed[*node]);
    }
    let Emitter {
        mut words,
        mut statistics,
        ..
    } = emitter;
    let function = words.last().map_or(0, |(word, _)| word.function);
    words.extend(std::iter::repeat_n(
        (nothing(function, Role::Trailer), Goal::Nowhere),
        TRAILER,
    ));
    statistics.words = words.len();
    if words.len() > usize::from(TARGETS.saturating_sub(start)) {
        let words = words.len();
        return Err(AssembleError::Size { words, start });
    }
    // Fits: below the limit just checked.
    let address = |place: usize| start + place as u16;
    let words = words.into_iter().map(|(mut word, goal)| {
        let (kind, number) = match goal {
            Goal::Nowhere => (Kind::None, 0),
            Goal::Leave => (Kind::NextPacket, 0),
            Goal::Helper(helper) => (Kind::Helper, HELPER_BASE + helper as u16),
            Goal::Node(node) => (Kind::Branch, address(places[node])),
            Goal::Place(place) => (Kind::Immediate, address(place)),
        };
        word.kind = kind;
        if kind != Kind::None {
            word.insn = with_number(word.insn, number);
        }
        word
    });
    Ok((words.collect(), statistics))
}

fn nothing(function: usize, role: Role) -> Word {
    Word {
        insn: NOTHING,
        kind: Kind::None,
        location: None,
        origin: 0,
        function,
        role,
    }
}

struct Emitter<'a> {
    graph: &'a Graph<'a>,
    timing: &'a Timing,
    words: Vec<(Word, Goal)>,
    statistics: Statistics,
}

impl Emitter<'_> {
    fn block(&mut self, node: usize, follows: Option<usize>, placed: &Placed) {
        let function = self.graph.nodes[node].function;
        let split = placed
            .pieces
            .iter()
            .position(|piece| *piece == Piece::Branch)
            .unwrap_or(placed.pieces.len());
        let behind: usize = placed
            .pieces
            .iter()
            .skip(split + 1)
            .map(|piece| match piece {
                Piece::Item(item) => self.graph.effects(*item).words,
                Piece::Nop | Piece::Branch => 1,
            })
            .sum();
        let mut rest = None;
        for (at, piece) in placed.pieces.iter().enumerate() {
            match piece {
                Piece::Nop => {
                    self.statistics.delays += 1;
                    self.words
                        .push((nothing(function, Role::Delay), Goal::Nowhere));
                }
                Piece::Item(item) => self.item(*item, function, at > split),
                Piece::Branch => rest = self.branch(node, follows, behind),
            }
        }
        if let Some(to) = rest {
            // Neither successor follows.
            let always = Insn::Branch {
                condition: Condition::Always,
                target: 0,
                defer: 0,
            };
            let from = self.words.last().map(|(word, _)| *word);
            let mut word = nothing(function, Role::Branch);
            word.insn = always;
            if let Some(from) = from {
                (word.location, word.origin) = (from.location, from.origin);
            }
            let goal = self.goal(to);
            self.words.push((word, goal));
            self.statistics.branches += 1;
            self.statistics.slots += self.timing.branch_slots;
        }
    }

    fn goal(&self, node: usize) -> Goal {
        if self.graph.leaves(node) {
            Goal::Leave
        } else {
            Goal::Node(node)
        }
    }

    fn item(&mut self, item: usize, function: usize, slot: bool) {
        let item = self.graph.pool[item];
        let after = self.words.len() + item.insns.len();
        for found in &item.insns {
            let goal = match found.reference {
                Reference::None => Goal::Nowhere,
                Reference::Function(function) => match self.graph.entries.get(function) {
                    Some(entry) => Goal::Node(*entry),
                    None => Goal::Nowhere,
                },
                Reference::Helper(helper) => Goal::Helper(helper),
                Reference::After => Goal::Place(after),
            };
            let role = if slot { Role::Slot } else { Role::Item };
            if slot {
                self.statistics.filled += 1;
            }
            self.words
                .push((word(found, found.insn, function, role), goal));
        }
    }

    /// The branch at a node's end; gives the successor that a further branch must go to.
    fn branch(&mut self, node: usize, follows: Option<usize>, behind: usize) -> Option<usize> {
        let Graph { nodes, .. } = self.graph;
        let function = nodes[node].function;
        // Fits: slots are few.
        let defer = behind as u8;
        self.statistics.branches += 1;
        self.statistics.slots += self.timing.branch_slots;
        let (found, insn, goal, rest) = match nodes[node].exit {
            Exit::Branch {
                insn,
                taken,
                otherwise,
            } if follows == Some(taken) => {
                (Some(insn), inverse(insn.insn), self.goal(otherwise), None)
            }
            Exit::Branch {
                insn,
                taken,
                otherwise,
            } => {
                let rest = (follows != Some(otherwise)).then_some(otherwise);
                (Some(insn), insn.insn, self.goal(taken), rest)
            }
            Exit::Jump(to) => (None, always(), self.goal(to), None),
            Exit::Done => (None, always(), Goal::Leave, None),
            Exit::Return(insn) => {
                self.statistics.slots += self.timing.jump_slots;
                self.statistics.slots -= self.timing.branch_slots;
                (Some(insn), insn.insn, Goal::Nowhere, None)
            }
        };
        // A jump is where the item before it is.
        let last = self.words.last().map(|(word, _)| *word);
        let insn = with_defer(insn, defer);
        let mut made = nothing(function, Role::Branch);
        made.insn = insn;
        if let Some(found) = found {
            (made.location, made.origin) = (found.location, found.origin);
        } else if let Some(last) = last.filter(|last| last.function == function) {
            (made.location, made.origin) = (last.location, last.origin);
        }
        self.words.push((made, goal));
        rest
    }
}

fn word(found: &MachineInsn, insn: Insn, function: usize, role: Role) -> Word {
    Word {
        insn,
        kind: Kind::None,
        location: found.location,
        origin: found.origin,
        function,
        role,
    }
}

fn always() -> Insn {
    Insn::Branch {
        condition: Condition::Always,
        target: 0,
        defer: 0,
    }
}

/// The branch that is taken where this one is not.
pub(super) fn inverse(mut insn: Insn) -> Insn {
    match &mut insn {
        Insn::Branch { condition, .. } => {
            *condition = match *condition {
                Condition::Equal => Condition::NotEqual,
                Condition::NotEqual => Condition::Equal,
                Condition::Negative => Condition::Positive,
                Condition::Positive => Condition::Negative,
                Condition::CarrySet => Condition::CarryClear,
                Condition::CarryClear => Condition::CarrySet,
                Condition::Overflow => Condition::NoOverflow,
                Condition::NoOverflow => Condition::Overflow,
                Condition::GreaterOrEqual => Condition::Less,
                Condition::Less => Condition::GreaterOrEqual,
                Condition::LessOrEqual => Condition::Greater,
                Condition::Greater => Condition::LessOrEqual,
                // Became a jump before.
                Condition::Always => Condition::Always,
            };
        }
        Insn::BranchBit { set, .. } => *set = !*set,
        Insn::BranchByte { equal, .. } => *equal = !*equal,
        _ => {}
    }
    insn
}

fn with_defer(mut insn: Insn, slots: u8) -> Insn {
    match &mut insn {
        Insn::Branch { defer, .. }
        | Insn::BranchBit { defer, .. }
        | Insn::BranchByte { defer, .. }
        | Insn::Jump { defer, .. } => *defer = slots,
        _ => {}
    }
    insn
}

/// An instruction with another target, or another number.
pub(super) fn with_number(mut insn: Insn, number: u16) -> Insn {
    match &mut insn {
        Insn::Branch { target, .. }
        | Insn::BranchBit { target, .. }
        | Insn::BranchByte { target, .. } => *target = number,
        Insn::Immed { value, .. } => *value = number,
        _ => {}
    }
    insn
}
