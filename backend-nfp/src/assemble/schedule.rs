//! The order of items within a block.
//!
//! First an order that needs few instructions that do nothing: the list's own order, but an item that
//! would have to wait for an index register lets others go first; and a second one in which writes of
//! index registers, and what they need, go as early as they can. Then items are moved behind the
//! branch, into its defer slots, one by one from the end, as long as that does not make the code
//! longer. The shorter result is taken, of equal ones that with more in its slots, else the first.
//!
//! Soundness: an item comes behind all items that [`Effects::before`] wants before it, and what goes
//! behind the branch is nothing that the branch, or an item that stays, depends on. Slots run whether
//! the branch is taken or not. No item is divided. An item whose condition codes nobody reads must
//! not come between others that set and read them; behind the branch it cannot, unless codes are read
//! there too.
//!
//! Cost: a block is cut into windows of [`WINDOW`] items, and every pair within a window is looked at;
//! at most [`TRIES`] items are tried for slots.

use super::delays::{Context, Ending, Pending, Piece, Placed, Plan, place};
use super::effects::{Call, Effects};

/// Items that are ordered together.
const WINDOW: usize = 128;
/// Items that are tried for defer slots.
const TRIES: usize = 24;

/// What is known around a block.
pub(super) struct Around {
    /// What is pending at its start.
    pub(super) entry: Pending,
    /// Instructions behind its end that run at least before each index is used.
    pub(super) distance: [u8; 4],
    /// Whether condition codes may be read behind its end.
    pub(super) flags_live: bool,
}

/// Orders a block's items; `strong` as [`super::flags::strong`] has it.
pub(super) fn schedule(
    context: Context<'_>,
    items: &[usize],
    strong: &[bool],
    ending: Option<&Ending>,
    around: &Around,
) -> Plan {
    let cost = |plan: &Plan| {
        let placed = place(context, plan, ending, around.entry);
        (cost(&placed, around), usize::MAX - filled(context, plan))
    };
    let [own, early] = [false, true].map(|early| {
        let (order, strong) = in_order(context, items, strong, around, early);
        with_slots(context, order, &strong, ending, around)
    });
    if cost(&early) < cost(&own) {
        early
    } else {
        own
    }
}

/// Words, with those that a use behind the block will wait for.
fn cost(placed: &Placed, around: &Around) -> usize {
    let late = placed.exit.0.iter().zip(around.distance);
    let late = late.map(|(pending, distance)| pending.saturating_sub(distance));
    placed.words + usize::from(late.max().unwrap_or(0))
}

fn filled(context: Context<'_>, plan: &Plan) -> usize {
    let words = |item: &usize| context.graph.effects(*item).words;
    plan.slots.iter().map(words).sum()
}

/// Items in an order without regard to the branch.
fn in_order(
    context: Context<'_>,
    items: &[usize],
    strong: &[bool],
    around: &Around,
    early: bool,
) -> (Vec<usize>, Vec<bool>) {
    let mut now = around.entry;
    let mut order = Vec::with_capacity(items.len());
    let mut flags = Vec::with_capacity(items.len());
    let windows = items.chunks(WINDOW).zip(strong.chunks(WINDOW));
    let count = items.len().div_ceil(WINDOW);
    for (at, (items, strong)) in windows.enumerate() {
        let behind = if at + 1 == count {
            around.distance
        } else {
            [u8::MAX; 4]
        };
        for place in window(context, items, strong, &mut now, behind, early) {
            order.push(items[place]);
            flags.push(strong[place]);
        }
    }
    (order, flags)
}

/// Dependences among a few items.
struct Dependences {
    /// For each item, those that must come later.
    later: Vec<Vec<usize>>,
    /// For each item, how many must come first.
    first: Vec<usize>,
    /// Instructions from an item's start until all is done that waits for index registers.
    height: Vec<usize>,
}

impl Dependences {
    fn new(context: Context<'_>, effects: &[&Effects], strong: &[bool], behind: [u8; 4]) -> Self {
        let count = effects.len();
        let mut found = Dependences {
            later: vec![Vec::new(); count],
            first: vec![0; count],
            height: vec![0; count],
        };
        let delay = context.timing.lm_index;
        for one in (0..count).rev() {
            for two in one + 1..count {
                if !effects[one].before(effects[two], (strong[one], strong[two])) {
                    continue;
                }
                found.later[one].push(two);
                found.first[two] += 1;
                let next = found.height[two];
                let height = if effects[one].delays(effects[two]) {
                    next + delay + effects[one].words
                } else if next > 0 {
                    next + effects[one].words
                } else {
                    0
                };
                found.height[one] = found.height[one].max(height);
            }
            for (_, index) in &effects[one].sets {
                let late = delay.saturating_sub(behind[usize::from(*index)].into());
                if late > 0 {
                    let height = late + effects[one].words;
                    found.height[one] = found.height[one].max(height);
                }
            }
        }
        found
    }
}

/// An order of a window's items, as places in it.
fn window(
    context: Context<'_>,
    items: &[usize],
    strong: &[bool],
    now: &mut Pending,
    behind: [u8; 4],
    early: bool,
) -> Vec<usize> {
    let effects: Vec<&Effects> = items
        .iter()
        .map(|item| context.graph.effects(*item))
        .collect();
    let mut dependences = Dependences::new(context, &effects, strong, behind);
    let mut ready: Vec<usize> = (0..items.len())
        .filter(|item| dependences.first[*item] == 0)
        .collect();
    let mut order = Vec::with_capacity(items.len());
    loop {
        let key = |item: usize| {
            let height = if early { dependences.height[item] } else { 0 };
            (now.wait(effects[item]), usize::MAX - height, item)
        };
        let best = ready.iter().enumerate().min_by_key(|(_, item)| key(**item));
        let Some((at, item)) = best.map(|(at, item)| (at, *item)) else {
            return order;
        };
        ready.swap_remove(at);
        now.pass(now.wait(effects[item]));
        now.run(effects[item], context.timing);
        match effects[item].call {
            Some(Call::Function(_)) => *now = context.returned,
            Some(Call::Helper) => *now = Pending::default(),
            None => {}
        }
        order.push(item);
        for later in std::mem::take(&mut dependences.later[item]) {
            dependences.first[later] -= 1;
            if dependences.first[later] == 0 {
                ready.push(later);
            }
        }
    }
}

/// Moves items behind the branch.
fn with_slots(
    context: Context<'_>,
    order: Vec<usize>,
    strong: &[bool],
    ending: Option<&Ending>,
    around: &Around,
) -> Plan {
    let plan = Plan {
        body: order,
        slots: Vec::new(),
    };
    let Some(ending) = ending else {
        return plan;
    };
    let graph = context.graph;
    let worth = |plan: &Plan| cost(&place(context, plan, Some(ending), around.entry), around);
    let mut best = plan;
    let mut words = worth(&best);
    let mut used = 0;
    // Places of items that stay, from the end; the branch stays.
    let mut stay: Vec<usize> = Vec::new();
    let all = best.body.clone();
    let mut slots: Vec<usize> = Vec::new();
    for at in (all.len().saturating_sub(TRIES)..all.len()).rev() {
        if used >= ending.slots {
            break;
        }
        let effects = graph.effects(all[at]);
        // Behind the branch, and so behind all that reads them, codes that nobody reads are in nobody's
        // way.
        let read = slots
            .iter()
            .any(|slot| graph.effects(all[*slot]).reads_flags);
        let free = !strong[at] && !effects.reads_flags && !read && !around.flags_live;
        let needs = |other: &Effects, other_strong| {
            if free {
                effects.before_by_places(other)
            } else {
                effects.before(other, (strong[at], other_strong))
            }
        };
        let needed = needs(&ending.effects, false)
            || stay
                .iter()
                .any(|other| needs(graph.effects(all[*other]), strong[*other]));
        let delayed = slots
            .iter()
            .any(|slot| effects.delays(graph.effects(all[*slot])));
        let fits = used + effects.words <= ending.slots;
        if effects.in_slots && fits && !needed && !delayed {
            slots.push(at);
            let mut tried = Plan::default();
            for (place, item) in all.iter().enumerate() {
                if slots.contains(&place) {
                    tried.slots.push(*item);
                } else {
                    tried.body.push(*item);
                }
            }
            let new = worth(&tried);
            let kept = place(context, &tried, Some(ending), around.entry);
            let within = slots_within(context, &kept, ending);
            if new <= words && within {
                (best, words) = (tried, new);
                used += effects.words;
                continue;
            }
            slots.pop();
        }
        stay.push(at);
    }
    best
}

/// Whether what is behind the branch fits its slots.
fn slots_within(context: Context<'_>, placed: &Placed, ending: &Ending) -> bool {
    let behind = placed.pieces.iter().rev();
    let behind = behind.take_while(|piece| **piece != Piece::Branch);
    let words: usize = behind
        .map(|piece| match piece {
            Piece::Item(item) => context.graph.effects(*item).words,
            Piece::Nop | Piece::Branch => 1,
        })
        .sum();
    words <= ending.slots
}
