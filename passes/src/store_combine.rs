//! Merges stores of constants to adjacent bytes.
//!
//! **What.**
//! ```text
//!   v1 = iconst 0
//!   store.u32 v0-8, v1      ──►    store.u64 v0-8, 0
//!   store.u32 v0-4, v1
//! ```
//!
//! **Why.** Compilers clear structures member by member, and the padding byte by byte. On the stack
//! of Cilium's programs runs of sixteen such stores are common.
//!
//! **Soundness.** See [`crate::widen`]. Eight bytes are merged only where the constant still fits
//! the immediate of a store, since else it would take two slots more. The key of a look-up that
//! succeeds is left alone: merged with its neighbour, the kernel would not know it any more.
//!
//! **Cost.** See [`crate::widen`].
//!
//! **Order.** After `simplify`, which folds offsets and makes constants of what is one; before
//! `memcpy`.

use mir::{Function, Opcode};

use crate::inline_lookup;
use crate::pass::{Changed, Pass, PassContext};
use crate::widen::{self, Merge, Region};

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct StoreCombine;

impl Pass for StoreCombine {
    fn run(&self, func: &mut Function, cx: &mut PassContext<'_>) -> Changed {
        let endian = cx.endian();
        let tracked = inline_lookup::tracked_keys(func, cx);
        widen::run(func, cx, "merged stores of constants", |func, region, _| {
            let pairs = widen::neighbours(region).into_iter();
            pairs
                .filter_map(|stores| {
                    let is_tracked = |index: usize| {
                        let access = &region.accesses[index];
                        widen::is_in_frame(access) && tracked.contains(&access.offset.into())
                    };
                    if stores.into_iter().any(is_tracked) {
                        return None;
                    }
                    let constant = |index: usize| constant(func, region, index);
                    let (low, high) = (constant(stores[0])?, constant(stores[1])?);
                    let width = region.accesses[stores[0]].width;
                    let value = Region::joined(low, high, width, endian);
                    i32::try_from(value).ok()?;
                    Some(Merge::Constants { stores, value })
                })
                .collect()
        })
    }
}

fn constant(func: &Function, region: &Region, store: usize) -> Option<i64> {
    let value = widen::stored(func, &region.accesses[store])?;
    let (def, data) = func.dfg.def_inst(value)?;
    (data.opcode() == Opcode::Iconst && !func.is_patched(def))
        .then(|| func.constant(value))
        .flatten()
}
