//! Bit fields of a word.

/// The field of `width` bits that starts at bit `low`.
pub(super) fn field(word: u64, low: u32, width: u32) -> u64 {
    word >> low & ((1 << width) - 1)
}

/// Whether a bit is set.
pub(super) fn bit(word: u64, at: u32) -> bool {
    word >> at & 1 != 0
}

/// A bit where `set` says so.
pub(super) fn flag(set: bool, at: u32) -> u64 {
    u64::from(set) << at
}

/// Low 13 bits of a branch target, and the place of its highest bit.
const TARGET_LOW: u32 = 22;
const TARGET_HIGH: u32 = 40;

/// A branch target in its two fields.
pub(super) fn put_target(target: u16) -> u64 {
    (u64::from(target) & 0x1fff) << TARGET_LOW | flag(target >> 13 & 1 != 0, TARGET_HIGH)
}

/// The branch target of a word.
pub(super) fn target(word: u64) -> u16 {
    (field(word, TARGET_LOW, 13) | field(word, TARGET_HIGH, 1) << 13) as u16
}

/// All bits that hold a branch target.
pub(super) const TARGET_MASK: u64 = 0x1fff << TARGET_LOW | 1 << TARGET_HIGH;
