//! A program's blocks in one list, checked once so that later stages need not.
//!
//! Blocks of all functions are nodes of one graph, so that equal code is shared between functions as
//! it is within one. Items are in a pool and nodes hold their numbers; items with the same words and
//! references have the same *class*, which is what makes two pieces of code equal (where they come
//! from in the source does not).
//!
//! Cost: linear in the program, with a logarithm for classes.

use std::collections::BTreeMap;

use super::check::{ItemKey, Position};
use super::effects::{Call, Effects};
use super::error::AssembleError;
use crate::machine::{End, Item, MachineInsn, MachineProgram, Timing};

/// How control leaves a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exit {
    /// To a node.
    Jump(usize),
    /// To one of two nodes.
    Branch {
        insn: MachineInsn,
        taken: usize,
        otherwise: usize,
    },
    /// The program is done.
    Done,
    /// Back to a caller.
    Return(MachineInsn),
}

/// What makes ends equal: words, and where they go.
pub(super) type ExitKey = (u8, u64, usize, usize);

/// A block.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) function: usize,
    pub(super) items: Vec<usize>,
    pub(super) exit: Exit,
}

/// All blocks of a program.
pub(super) struct Graph<'a> {
    /// Items of all blocks.
    pub(super) pool: Vec<&'a Item>,
    /// Class of each.
    pub(super) class: Vec<usize>,
    /// What items of a class do.
    pub(super) effects: Vec<Effects>,
    pub(super) nodes: Vec<Node>,
    /// Entry of each function.
    pub(super) entries: Vec<usize>,
}

impl<'a> Graph<'a> {
    /// The blocks of a program.
    ///
    /// # Errors
    /// [`AssembleError`] where the program is not what [`crate::machine`] says.
    pub(super) fn new(
        program: &'a MachineProgram,
        timing: &Timing,
    ) -> Result<Graph<'a>, AssembleError> {
        let mut graph = Graph {
            pool: Vec::new(),
            class: Vec::new(),
            effects: Vec::new(),
            nodes: Vec::new(),
            entries: Vec::new(),
        };
        if program.functions.is_empty() {
            return Err(AssembleError::Empty { function: 0 });
        }
        let mut classes: BTreeMap<ItemKey, usize> = BTreeMap::new();
        for (function, source) in program.functions.iter().enumerate() {
            let base = graph.nodes.len();
            graph.entries.push(base);
            if source.blocks.is_empty() {
                return Err(AssembleError::Empty { function });
            }
            for (block, machine) in source.blocks.iter().enumerate() {
                let place = Position { function, block };
                let mut items = Vec::new();
                for item in &machine.items {
                    if item.insns.is_empty() {
                        continue;
                    }
                    let key = place.item(item, program.functions.len())?;
                    let class = match classes.get(&key) {
                        Some(class) => *class,
                        None => {
                            let class = graph.effects.len();
                            graph.effects.push(place.effects(item, timing)?);
                            classes.insert(key, class);
                            class
                        }
                    };
                    items.push(graph.pool.len());
                    graph.pool.push(item);
                    graph.class.push(class);
                }
                let target = |target: usize| {
                    if target < source.blocks.len() {
                        Ok(base + target)
                    } else {
                        Err(AssembleError::Block {
                            function,
                            block,
                            target,
                        })
                    }
                };
                let exit = match machine.end {
                    End::Jump(to) => Exit::Jump(target(to.0)?),
                    End::Branch {
                        insn,
                        taken,
                        otherwise,
                    } => Exit::Branch {
                        insn: place.branch(insn)?,
                        taken: target(taken.0)?,
                        otherwise: target(otherwise.0)?,
                    },
                    End::Done => Exit::Done,
                    End::Return(insn) => Exit::Return(place.jump(insn)?),
                };
                graph.nodes.push(Node {
                    function,
                    items,
                    exit,
                });
            }
        }
        Ok(graph)
    }

    /// What an item does.
    pub(super) fn effects(&self, item: usize) -> &Effects {
        &self.effects[self.class[item]]
    }

    /// Where control can go from a node within its function.
    pub(super) fn successors(&self, node: usize) -> impl Iterator<Item = usize> + use<> {
        let (one, two) = match self.nodes[node].exit {
            Exit::Jump(to) => (Some(to), None),
            Exit::Branch {
                taken, otherwise, ..
            } => (Some(taken), Some(otherwise)),
            Exit::Done | Exit::Return(_) => (None, None),
        };
        one.into_iter().chain(two)
    }

    /// Whether a node does nothing and is done: a branch to it can leave the program.
    pub(super) fn leaves(&self, node: usize) -> bool {
        let node = &self.nodes[node];
        node.items.is_empty() && matches!(node.exit, Exit::Done)
    }

    /// What makes ends of nodes equal.
    pub(super) fn exit_key(&self, node: usize) -> ExitKey {
        // Words of ends were made before, without an error.
        let word = |insn: MachineInsn| insn.insn.encode().unwrap_or_default();
        match self.nodes[node].exit {
            Exit::Jump(to) => (0, 0, to, 0),
            Exit::Branch {
                insn,
                taken,
                otherwise,
            } => (1, word(insn), taken, otherwise),
            Exit::Done => (2, 0, 0, 0),
            Exit::Return(insn) => (3, word(insn), 0, 0),
        }
    }

    /// Nodes that can be reached, each before its successors unless a loop forbids it, functions one
    /// after another.
    pub(super) fn reached(&self) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut order = Vec::new();
        let mut roots = std::collections::VecDeque::from([self.entries[0]]);
        while let Some(root) = roots.pop_front() {
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            let mut finished = Vec::new();
            let mut stack = vec![(root, self.successors(root))];
            while let Some((node, successors)) = stack.last_mut() {
                let node = *node;
                match successors.next() {
                    Some(next) if !seen[next] => {
                        seen[next] = true;
                        stack.push((next, self.successors(next)));
                    }
                    Some(_) => {}
                    None => {
                        finished.push(node);
                        stack.pop();
                    }
                }
            }
            for node in finished.into_iter().rev() {
                order.push(node);
                roots.extend(self.callees(node));
            }
        }
        order
    }

    /// Entries of the functions that a node calls.
    fn callees(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        self.nodes[node]
            .items
            .iter()
            .filter_map(|item| match self.effects(*item).call {
                Some(Call::Function(function)) => self.entries.get(function).copied(),
                _ => None,
            })
    }

    /// How many branches, jumps and calls lead to each node; an entry counts as called twice.
    pub(super) fn uses(&self, reached: &[usize]) -> Vec<usize> {
        let mut uses = vec![0usize; self.nodes.len()];
        for entry in &self.entries {
            uses[*entry] += 2;
        }
        for node in reached {
            for next in self.successors(*node) {
                uses[next] += 1;
            }
        }
        uses
    }

    /// Changes where control goes, everywhere.
    pub(super) fn redirect(&mut self, map: &[usize]) {
        for node in &mut self.nodes {
            match &mut node.exit {
                Exit::Jump(to) => *to = map[*to],
                Exit::Branch {
                    taken, otherwise, ..
                } => {
                    *taken = map[*taken];
                    *otherwise = map[*otherwise];
                }
                Exit::Done | Exit::Return(_) => {}
            }
        }
        for entry in &mut self.entries {
            *entry = map[*entry];
        }
    }
}
