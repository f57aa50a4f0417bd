//! Reads of a packet's bytes, or of a map's value, for several loads at once: on a network card.
//!
//! **What.** Loads at constant offsets from one pointer, near each other and with nothing between that
//! may write there, become one command, which fills transfer registers; each load then reads those.
//! ```text
//!   r2 = *(u16 *)(r1 + 12)                mem[read32_swap, $xfer_0, *l$index1[2], 12, 4]
//!   if r2 != 8 goto out                   br!=byte[$xfer_0, 0, 0x8, out]
//!   r3 = *(u8 *)(r1 + 23)           ──►   br!=byte[$xfer_0, 1, 0x0, out]
//!   if r3 != 17 goto out                  br!=byte[$xfer_2, 3, 0x11, out]
//! ```
//!
//! **Why.** A command takes fifty cycles for a packet and some hundreds for a map; a transfer register
//! takes none.
//!
//! **Soundness, cost.** Those of the card's back end, which does it: in MIR there is nothing to do, and
//! code for the host is not changed. This is its name, its switch and its count.
//!
//! **Order.** Any.

use crate::pass::{Changed, Pass, PassContext};
use mir::Function;

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub struct PacketCache;

impl PacketCache {
    /// Its name, for who asks the back end.
    pub const NAME: &'static str = "packet-cache";
}

impl Pass for PacketCache {
    fn run(&self, _: &mut Function, _: &mut PassContext<'_>) -> Changed {
        Changed::No
    }
}
