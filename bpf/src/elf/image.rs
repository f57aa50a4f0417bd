//! A file that is about to be written, as the parts that it consists of.
//!
//! Most of an object are the bytes of its sections, which lie in memory already. Copying them into one
//! piece before they are written would cost as much memory again.

use std::borrow::Cow;
use std::io::{self, Write};

/// A file in parts.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// Byte offsets and what lies there, in order and apart. Zeroes are between them.
    parts: Vec<(u64, Cow<'a, [u8]>)>,
}

impl<'a> Image<'a> {
    /// From parts in any order. Of those that lie in each other's place the last one counts.
    pub(super) fn new(parts: Vec<(u64, Cow<'a, [u8]>)>) -> Image<'a> {
        let mut parts = parts;
        parts.retain(|(_, bytes)| !bytes.is_empty());
        let ranges = parts.iter();
        let ranges = ranges.map(|(start, bytes)| (*start, start + bytes.len() as u64));
        let mut ranges: Vec<(u64, u64)> = ranges.collect();
        ranges.sort_unstable();
        if ranges.is_sorted_by(|before, after| before.1 <= after.0) {
            parts.sort_by_key(|part| part.0);
            return Image { parts };
        }
        let mut whole = Vec::new();
        for (start, bytes) in &parts {
            let range = *start as usize..*start as usize + bytes.len();
            if whole.len() < range.end {
                whole.resize(range.end, 0);
            }
            if let Some(place) = whole.get_mut(range) {
                place.copy_from_slice(bytes);
            }
        }
        let parts = vec![(0, Cow::Owned(whole))];
        Image { parts }
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        let last = self.parts.last();
        last.map_or(0, |(start, bytes)| start + bytes.len() as u64)
    }

    /// Writes the whole file.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut written = 0;
        for (start, bytes) in &self.parts {
            let mut gap = io::Read::take(io::repeat(0), start.saturating_sub(written));
            io::copy(&mut gap, out)?;
            out.write_all(bytes)?;
            written = start + bytes.len() as u64;
        }
        Ok(())
    }

    /// The whole file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(usize::try_from(self.size()).unwrap_or(0));
        // Writing to memory cannot fail.
        let _ = self.write_to(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Cow, Image};

    fn image(parts: &[(u64, &'static [u8])]) -> Vec<u8> {
        let parts = parts.iter().map(|(at, bytes)| (*at, Cow::from(*bytes)));
        let image = Image::new(parts.collect());
        let mut written = Vec::new();
        image.write_to(&mut written).unwrap();
        assert_eq!(image.size(), written.len() as u64);
        assert_eq!(image.to_bytes(), written);
        written
    }

    #[test]
    fn parts_lie_where_they_belong() {
        assert_eq!(image(&[]), b"");
        assert_eq!(image(&[(2, b"cd"), (5, b""), (0, b"ab")]), b"abcd");
        assert_eq!(image(&[(3, b"d"), (1, b"b")]), b"\0b\0d");
        // The last one counts, wherever it begins.
        assert_eq!(image(&[(0, b"abcd"), (1, b"x"), (3, b"yz")]), b"axcyz");
        assert_eq!(image(&[(1, b"x"), (0, b"abcd")]), b"abcd");
        assert_eq!(image(&[(9, b""), (0, b"a")]), b"a");
    }
}
