//! Why adjacent accesses stay apart, for people.

use super::motion::MAX_WALK;
use mir::Inst;

/// What was missing for one wide access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A call stands between the accesses.
    Call,
    /// An atomic operation does, or an instruction that a loader patches.
    Ordered,
    /// An access of the same bytes does.
    Meets,
    /// One through a pointer to anything does.
    Unknown,
    /// One of the same kind of memory does, at a distance that is not known.
    Distance,
    /// One that others can watch does, of memory that they can watch.
    Watched,
    /// More than [`MAX_WALK`] instructions do.
    Far,
    /// The wide access would not be aligned.
    Unaligned,
    /// A pointer plus a variable, or one of no known kind, is aligned to nothing.
    NoAlignment,
    /// The target has no unaligned accesses.
    StrictAlign,
    /// The bytes are the key of a look-up that the kernel follows.
    Key,
}

/// What keeps accesses apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// What is missing.
    pub(crate) fact: Fact,
    /// The instruction that stands in the way.
    pub(crate) inst: Option<Inst>,
}

const _: () = assert!(MAX_WALK == 192, "the message says how many");

macro_rules! messages {
    ($name:ident, $verb:literal) => {
        /// In words.
        pub(crate) fn $name(self) -> &'static str {
            match self.fact {
                Fact::Call => concat!($verb, ": a call in between may use this memory"),
                Fact::Ordered => concat!(
                    $verb,
                    ": an atomic operation or a relocated access in between keeps the order"
                ),
                Fact::Meets => concat!($verb, ": an access in between is of the same bytes"),
                Fact::Unknown => concat!(
                    $verb,
                    ": what the pointer of an access in between points to is not known"
                ),
                Fact::Distance => concat!(
                    $verb,
                    ": how far the pointer of an access in between is from these bytes is not known"
                ),
                Fact::Watched => concat!(
                    $verb,
                    ": another CPU could see the order of these and of an access in between"
                ),
                Fact::Far => concat!($verb, ": more than 192 instructions stand in between"),
                Fact::Unaligned => {
                    concat!(
                        $verb,
                        ": the wide access would not be aligned, as the kernel demands here"
                    )
                }
                Fact::NoAlignment => {
                    concat!(
                        $verb,
                        ": how this address is aligned, as the kernel demands here, is not known"
                    )
                }
                Fact::Key => concat!(
                    $verb,
                    ": the kernel must know the key of a look-up by itself"
                ),
                Fact::StrictAlign => {
                    concat!(
                        $verb,
                        ": how a packet is aligned is not known, and --strict-align was asked for"
                    )
                }
            }
        }
    };
}

impl Obstacle {
    /// One that is no instruction.
    pub(crate) fn new(fact: Fact) -> Obstacle {
        Obstacle { fact, inst: None }
    }

    /// One that is an instruction.
    pub(crate) fn at(fact: Fact, inst: Inst) -> Obstacle {
        Obstacle {
            fact,
            inst: Some(inst),
        }
    }

    messages!(not_merged, "not merged");
    messages!(not_joined, "not joined");
}
