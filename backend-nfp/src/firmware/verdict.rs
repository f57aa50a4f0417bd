//! The verdict that a program leaves in A0 (NFP.md, section 5).

/// Bits of the verdict.
const PASS: u32 = 1 << 16;
const DROP: u32 = 1 << 17;
const REDIRECT: u32 = 1 << 18;
/// The lowest bit of what is counted.
const COUNTERS: u32 = 20;

/// What becomes of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// To the host.
    Pass,
    /// Nowhere.
    Drop,
    /// Back to the wire.
    Transmit,
}

/// What the firmware counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Passed packets.
    Pass,
    /// Dropped packets.
    Drop,
    /// Redirected packets.
    Redirect,
    /// Programs that ended with an error.
    Abort,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of the packet.
    pub action: Action,
    /// What is counted, if one thing is.
    pub counter: Option<Counter>,
    /// The whole word.
    pub bits: u32,
}

impl Verdict {
    /// Reads a verdict as the firmware does: a packet to drop is dropped whatever else is set, one to
    /// pass is passed, any other is transmitted.
    #[must_use]
    pub fn decode(bits: u32) -> Verdict {
        let action = if bits & DROP != 0 {
            Action::Drop
        } else if bits & PASS != 0 {
            Action::Pass
        } else {
            Action::Transmit
        };
        let counter = match bits >> COUNTERS & 15 {
            1 => Some(Counter::Pass),
            2 => Some(Counter::Drop),
            4 => Some(Counter::Redirect),
            8 => Some(Counter::Abort),
            _ => None,
        };
        Verdict {
            action,
            counter,
            bits,
        }
    }

    /// Whether the bits are a verdict that programs give: one action.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        (self.bits & (PASS | DROP | REDIRECT)).count_ones() == 1
    }
}
