//! Numbers as instructions: one `immed` for what has 16 bits at some byte, or whose complement
//! does; two for anything else.

use crate::isa::Width;

/// An `immed` by its fields: value, width, byte shift, and whether the result is inverted.
pub(crate) type Piece = (u16, Width, u8, bool);

/// How many instructions a number takes.
pub(crate) fn cost(value: u32) -> usize {
    pieces(value).len()
}

/// How many instructions a number takes as an operand: none if it is one of eight bits.
pub(crate) fn operand_cost(value: u32) -> usize {
    match u8::try_from(value) {
        Ok(_) => 0,
        Err(_) => cost(value),
    }
}

/// The instructions that make a number, the first of which sets all bits.
pub(crate) fn pieces(value: u32) -> smallvec::SmallVec<[Piece; 2]> {
    for (bits, invert) in [(value, false), (!value, true)] {
        for shift in 0..3u8 {
            let payload = bits >> (8 * shift);
            if payload <= 0xffff && payload << (8 * shift) == bits {
                let piece = (payload as u16, Width::Whole, shift, invert);
                return smallvec::smallvec![piece];
            }
        }
    }
    smallvec::smallvec![
        ((value & 0xffff) as u16, Width::Whole, 0, false),
        ((value >> 16) as u16, Width::Half, 2, false)
    ]
}

#[cfg(test)]
mod tests {
    use super::pieces;
    use crate::isa::Width;

    fn run(value: u32) -> u32 {
        pieces(value).iter().fold(0xdead_beef, |old, piece| {
            let (payload, width, shift, invert) = *piece;
            let new = u32::from(payload) << (8 * shift);
            match width {
                Width::Whole if invert => !new,
                Width::Whole => new,
                _ => old & 0xffff | new,
            }
        })
    }

    #[test]
    fn numbers_are_made() {
        let edges = [
            0,
            1,
            255,
            256,
            0xffff,
            0x1_0000,
            0xff_ff00,
            0x1234_5678,
            u32::MAX,
        ];
        for edge in edges {
            for value in [edge, !edge, edge.rotate_left(13), edge.wrapping_mul(77)] {
                assert_eq!(run(value), value);
            }
        }
        assert_eq!(pieces(0xffff_fff0).len(), 1);
        assert_eq!(pieces(0x1234_5678).len(), 2);
    }
}
