//! Error numbers that helpers return, negative, as the kernel's `asm-generic/errno*.h` has them.

/// A negative error number as a register holds it.
pub(super) const fn error(number: u32) -> u64 {
    (-(number as i64)).cast_unsigned()
}

pub(super) const ENOENT: u64 = error(2);
pub(super) const E2BIG: u64 = error(7);
pub(super) const EAGAIN: u64 = error(11);
pub(super) const ENOMEM: u64 = error(12);
pub(super) const EACCES: u64 = error(13);
pub(super) const EFAULT: u64 = error(14);
pub(super) const EEXIST: u64 = error(17);
pub(super) const EINVAL: u64 = error(22);
pub(super) const ERANGE: u64 = error(34);
pub(super) const ENOTSUPP: u64 = error(524);
