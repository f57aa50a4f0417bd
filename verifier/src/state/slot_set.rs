//! A set of stack slots of one frame: a bit for each, since a frame has 512 bytes of stack.

/// Numbers of slots, each below 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotSet(u64);

impl SlotSet {
    /// Whether a slot is in the set.
    #[must_use]
    pub fn contains(self, index: usize) -> bool {
        index < 64 && self.0 >> index & 1 != 0
    }

    /// Adds a slot.
    pub fn insert(&mut self, index: usize) {
        debug_assert!(index < 64, "a frame has 64 slots");
        if index < 64 {
            self.0 |= 1 << index;
        }
    }

    /// Takes a slot out.
    pub fn remove(&mut self, index: usize) {
        if index < 64 {
            self.0 &= !(1 << index);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The slots, from the highest address down.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let index = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(index)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::SlotSet;

    #[test]
    fn members_are_those_inserted() {
        let mut set = SlotSet::default();
        for index in [63, 0, 17, 17] {
            set.insert(index);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 17, 63]);
        assert!(set.contains(17) && !set.contains(16) && !set.contains(64));
        for index in [0, 17, 64, 63] {
            assert!(!set.is_empty());
            set.remove(index);
        }
        assert!(set.is_empty());
    }
}
