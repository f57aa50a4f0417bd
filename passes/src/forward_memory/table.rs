//! What memory is known to hold at one point.

use super::{constant_part, is_call};
use crate::facts::memory::{Memory, Range, Region};
use crate::facts::reach::{self, Reach};
use mir::{Function, Inst, Opcode, Value};

/// Most entries. A value that was touched so long ago is not worth a register.
pub(super) const MAX_ENTRIES: usize = 48;

/// Instructions over which a value may be kept in a register instead of being loaded again. Measured:
/// less finds less, more makes functions need more stack than there is.
pub(super) const MAX_AGE: u32 = 100;

/// How the content is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The low bytes of this value were stored.
    Stored(Value),
    /// This kind of load gave this value.
    Loaded(Opcode, Value),
}

/// Bytes whose content is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) range: Range,
    pub(super) source: Source,
    /// Whether there was a call since.
    pub(super) over_call: bool,
    /// Instructions since.
    pub(super) age: u32,
}

impl Entry {
    pub(super) fn new(range: Range, source: Source) -> Entry {
        Entry {
            range,
            source,
            over_call: false,
            age: 0,
        }
    }
}

/// What is known, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    entries: Vec<Entry>,
}

impl Table {
    pub(super) fn add(&mut self, entry: Entry) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.remove(0);
        }
        self.entries.push(entry);
    }

    /// An instruction is passed.
    pub(super) fn pass(&mut self) {
        for entry in &mut self.entries {
            entry.age += 1;
        }
    }

    /// The entry that has all these bytes; one that has no others is preferred.
    pub(super) fn covering(&self, range: &Range) -> Option<Entry> {
        let covers = |entry: &&Entry| {
            entry.range.root == range.root
                && entry.range.start <= range.start
                && entry.range.end() >= range.end()
        };
        let exact = self
            .entries
            .iter()
            .rev()
            .find(|entry| entry.range == *range);
        exact
            .or_else(|| self.entries.iter().rev().find(covers))
            .copied()
    }

    /// The bytes of all entries.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range> + '_ {
        self.entries.iter().map(|entry| entry.range)
    }

    /// Whether the bytes are known to hold what a store of a value would write.
    pub(super) fn holds(&self, func: &Function, range: &Range, value: Value, little: bool) -> bool {
        let Some(entry) = self.covering(range) else {
            return false;
        };
        let bits = u32::try_from(range.size * 8).unwrap_or(u32::MAX);
        let low =
            |constant: i64| constant.cast_unsigned() & (u64::MAX >> 64u32.saturating_sub(bits));
        match entry.source {
            Source::Stored(stored) => {
                let part = || {
                    constant_part(func, stored, Opcode::Load, range, &entry.range, little)
                        .zip(func.constant(value))
                };
                stored == value && entry.range == *range
                    || part().is_some_and(|(old, new)| low(old) == low(new))
            }
            // All of the bytes are in the value that was loaded.
            Source::Loaded(Opcode::Load, loaded) => loaded == value && entry.range == *range,
            Source::Loaded(..) => false,
        }
    }

    /// Forgets what a store may change. A field of the context can change others: the kernel makes
    /// more of such a store than a store.
    pub(super) fn write(&mut self, func: &Function, memory: &Memory, range: &Range) {
        let context = range.region == Region::Context;
        self.entries.retain(|entry| {
            !(memory.may_overlap(func, &entry.range, range)
                || context && entry.range.region == Region::Context)
        });
    }

    /// Forgets what a call or an atomic operation may change, and what is not worth keeping.
    pub(super) fn pass_barrier(&mut self, func: &Function, memory: &Memory, inst: Inst) {
        if self.entries.is_empty() {
            return;
        }
        let mut written = reach::written_by(func, memory, inst);
        if !is_call(func, inst) {
            written.push(Reach::All);
        }
        self.entries.retain(|entry| {
            entry.range.region == Region::Frame
                && matches!(entry.source, Source::Stored(_))
                && !written.iter().any(|reach| reach.may_meet(&entry.range))
        });
        for entry in &mut self.entries {
            entry.over_call = true;
        }
    }

    /// Forgets what another table does not say too.
    pub(super) fn keep_common(&mut self, other: &Table) {
        self.entries.retain_mut(|entry| {
            let same = |one: &&Entry| one.range == entry.range && one.source == entry.source;
            let found = other.entries.iter().find(same);
            entry.over_call |= found.is_some_and(|one| one.over_call);
            entry.age = found.map_or(0, |one| one.age.max(entry.age));
            found.is_some()
        });
    }
}
