//! What an item reads and writes, and which of two items must come first.
//!
//! Everything is derived from the instructions ([`super::gather`]). Places are bits of a few words: general registers of
//! both banks, transfer registers of both directions (a read takes the *in* file, a write goes to the
//! *out* file), index registers. Words of local memory are apart when they are at different offsets
//! of one index: an index that moved in between orders them anyway. Through different indices they
//! may be one word. Commands, and control registers other than indices, keep their order among each
//! other.
//!
//! Condition codes: an item that sets them *for a reader* (a strong one) is ordered against all that
//! set or read them; those whose flags nobody reads (weak ones) are free among each other.
//!
//! Soundness: what is not understood (absolute registers, next neighbours, waits) is a barrier, and
//! so are calls, whatever the item says. What an instruction leaves for the next one (an amount, the
//! previous result, a product) stays inside an item by its definition.
//!
//! Cost: constant for a pair of items.

/// A set of places.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    /// Bank A in the low half, bank B in the high one.
    pub(super) gprs: u64,
    pub(super) incoming: u64,
    pub(super) outgoing: u64,
    pub(super) indices: u8,
}

impl Places {
    fn meets(self, other: Places) -> bool {
        self.gprs & other.gprs != 0
            || self.incoming & other.incoming != 0
            || self.outgoing & other.outgoing != 0
            || self.indices & other.indices != 0
    }
}

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A function of the program.
    Function(usize),
    /// Code of the firmware.
    Helper,
}

/// What an item, or the branch at a block's end, does.
#[derive(Clone, Debug, Default)]
pub(super) struct Effects {
    pub(super) reads: Places,
    pub(super) writes: Places,
    /// Offsets of local memory, for each index.
    pub(super) local_reads: [u16; 4],
    pub(super) local_writes: [u16; 4],
    /// Asks a memory unit for something.
    pub(super) command: bool,
    /// Touches control registers other than indices.
    pub(super) control: bool,
    pub(super) barrier: bool,
    /// Whether it is one only because it waits for signals: then its registers are known.
    pub(super) waits: bool,
    /// Reads condition codes that it did not set.
    pub(super) reads_flags: bool,
    /// Sets condition codes, or leaves them undefined.
    pub(super) sets_flags: bool,
    /// Instructions.
    pub(super) words: usize,
    /// Whether it may stand in defer slots.
    pub(super) in_slots: bool,
    /// Index registers that must be ready, with how many of the item's instructions run before.
    pub(super) uses: Vec<(usize, u8)>,
    /// Index registers that are written, with the last instruction that does.
    pub(super) sets: Vec<(usize, u8)>,
    /// A use of an index register in the item that set it: instructions between.
    pub(super) own_delay: Option<usize>,
    /// Does nothing but put a number into general registers.
    pub(super) number: bool,
    /// What it calls.
    pub(super) call: Option<Call>,
}

impl Effects {
    /// Whether `later`, which comes later, must stay behind. `strong` says for each of the two
    /// whether what it leaves in the condition codes is read.
    pub(super) fn before(&self, later: &Effects, strong: (bool, bool)) -> bool {
        self.before_by_places(later)
            || self.sets_flags && (later.reads_flags || later.sets_flags && (strong.0 || strong.1))
            || self.reads_flags && later.sets_flags
    }

    /// The same, without regard to condition codes.
    pub(super) fn before_by_places(&self, later: &Effects) -> bool {
        self.barrier
            || later.barrier
            || self.writes.meets(later.reads)
            || self.writes.meets(later.writes)
            || self.reads.meets(later.writes)
            || self.command && later.command
            || self.control && later.control
            || self.meets_local(later)
    }

    /// Whether the item sets an index register that the other one uses.
    pub(super) fn delays(&self, later: &Effects) -> bool {
        let used = |index: u8| later.uses.iter().any(|(_, used)| *used == index);
        self.sets.iter().any(|(_, index)| used(*index))
    }

    /// General registers that are read: bank A in the low half, bank B in the high one. With what is
    /// not understood, all of them.
    pub(super) fn registers_read(&self) -> u64 {
        if self.barrier && !self.waits {
            u64::MAX
        } else {
            self.reads.gprs
        }
    }

    /// General registers that are written; as for [`Effects::registers_read`].
    pub(super) fn registers_written(&self) -> u64 {
        if self.barrier && !self.waits {
            u64::MAX
        } else {
            self.writes.gprs
        }
    }

    /// Whether the item does nothing but put a number into general registers.
    pub(super) fn is_number(&self) -> bool {
        self.number
    }

    fn meets_local(&self, later: &Effects) -> bool {
        let touches = |writes: &[u16; 4], reads: &[u16; 4], others: &[u16; 4]| {
            (0..4).any(|one| {
                writes[one] != 0
                    && (0..4).any(|two| {
                        let touched = reads[two] | others[two];
                        if one == two {
                            writes[one] & touched != 0
                        } else {
                            touched != 0
                        }
                    })
            })
        };
        touches(&self.local_writes, &later.local_reads, &later.local_writes)
            || touches(&later.local_writes, &self.local_reads, &[0; 4])
    }
}
