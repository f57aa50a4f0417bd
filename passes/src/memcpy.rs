//! Turns runs of loads and stores that copy adjacent bytes into wider ones.
//!
//! **What.**
//! ```text
//!   v2 = load.u16 v0+6
//!   store.u16 v1+0, v2      ──►    v4 = load.u32 v0+6
//!   v3 = load.u16 v0+8             store.u32 v1+0, v4
//!   store.u16 v1+2, v3
//! ```
//! In any order, with other work in between, and where two ranges change places (MAC addresses) as
//! well: then the loads of both come before the stores of both, as they must.
//!
//! **Why.** A copy costs two slots for each access. Compilers copy addresses by the alignment that
//! the structure promises, often two bytes at a time.
//!
//! **Soundness.** See [`crate::widen`]. What is loaded is used by the store alone. Overlapping ranges
//! keep the order of their accesses; where that leaves none, nothing is merged.
//!
//! **Cost.** See [`crate::widen`].
//!
//! **Order.** After `store-combine`; before `dce`.

use mir::Function;

use crate::pass::{Changed, Pass, PassContext};
use crate::widen::{self, Merge, Region};

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct Memcpy;

impl Pass for Memcpy {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        widen::run(func, cx, "widened a copy", |func, region, uses| {
            let source = |store: usize| {
                let value = widen::stored(func, &region.accesses[store])?;
                let load = region.load_of(func, value)?;
                let same_width = region.accesses[load].width == region.accesses[store].width;
                (same_width && uses.of(func, value) == 1).then_some(load)
            };
            candidates(region, source)
        })
    }
}

fn candidates(
    region: &Region,
    mut source: impl FnMut(usize) -> Option<usize>,
) -> Vec<Merge> {
    let pairs = widen::neighbours(region).into_iter();
    pairs
        .filter_map(|stores| {
            let loads = [source(stores[0])?, source(stores[1])?];
            let beside = region.are_neighbours(loads[0], loads[1]);
            beside.then_some(Merge::Copies { stores, loads })
        })
        .collect()
}
