//! Reading and writing 16- and 32-bit words of either byte order.

use crate::insn::Endian;

/// The word at a byte offset, if it lies inside.
pub(crate) fn u32_at(bytes: &[u8], offset: usize, endian: Endian) -> Option<u32> {
    let word = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(match endian {
        Endian::Little => u32::from_le_bytes(*word),
        Endian::Big => u32::from_be_bytes(*word),
    })
}

/// Appends a word.
pub(crate) fn put_u32(out: &mut Vec<u8>, value: u32, endian: Endian) {
    out.extend(match endian {
        Endian::Little => value.to_le_bytes(),
        Endian::Big => value.to_be_bytes(),
    });
}

/// The word at a byte offset, if it lies inside.
pub(crate) fn u16_at(bytes: &[u8], offset: usize, endian: Endian) -> Option<u16> {
    let word = bytes.get(offset..)?.first_chunk::<2>()?;
    Some(match endian {
        Endian::Little => u16::from_le_bytes(*word),
        Endian::Big => u16::from_be_bytes(*word),
    })
}

/// Appends a word.
pub(crate) fn put_u16(out: &mut Vec<u8>, value: u16, endian: Endian) {
    out.extend(match endian {
        Endian::Little => value.to_le_bytes(),
        Endian::Big => value.to_be_bytes(),
    });
}
