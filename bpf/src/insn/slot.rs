//! The 8-byte slot: the unit in which the kernel counts program length and branch distance.
//!
//! Layout (RFC 9669 section 3): `opcode(8) regs(8) offset(16) imm(32)`. On little-endian objects
//! the destination is the low nibble of `regs`; on big-endian objects it is the high nibble.

/// Byte order of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endian {
    /// `bpfel`
    Little,
    /// `bpfeb`
    Big,
}

/// One slot with its fields in host representation; every bit pattern is representable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Operation code, the whole byte.
    pub opcode: u8,
    /// Destination nibble, 0 to 15.
    pub dst: u8,
    /// Source nibble, 0 to 15.
    pub src: u8,
    /// Offset field, signed.
    pub offset: i16,
    /// Immediate field, signed.
    pub imm: i32,
}

impl Slot {
    /// Bytes in a slot.
    pub const SIZE: usize = 8;

    /// Reads a slot; total, every pattern has a meaning as fields.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 8], endian: Endian) -> Slot {
        let [opcode, regs, o0, o1, i0, i1, i2, i3] = bytes;
        match endian {
            Endian::Little => Slot {
                opcode,
                dst: regs & 0xf,
                src: regs >> 4,
                offset: i16::from_le_bytes([o0, o1]),
                imm: i32::from_le_bytes([i0, i1, i2, i3]),
            },
            Endian::Big => Slot {
                opcode,
                dst: regs >> 4,
                src: regs & 0xf,
                offset: i16::from_be_bytes([o0, o1]),
                imm: i32::from_be_bytes([i0, i1, i2, i3]),
            },
        }
    }

    /// Writes a slot; the inverse of [`Slot::from_bytes`].
    #[inline]
    #[must_use]
    pub fn to_bytes(self, endian: Endian) -> [u8; 8] {
        let (regs, offset, imm) = match endian {
            Endian::Little => (
                (self.src << 4) | (self.dst & 0xf),
                self.offset.to_le_bytes(),
                self.imm.to_le_bytes(),
            ),
            Endian::Big => (
                (self.dst << 4) | (self.src & 0xf),
                self.offset.to_be_bytes(),
                self.imm.to_be_bytes(),
            ),
        };
        [
            self.opcode,
            regs,
            offset[0],
            offset[1],
            imm[0],
            imm[1],
            imm[2],
            imm[3],
        ]
    }
}
