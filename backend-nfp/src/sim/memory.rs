//! Memory behind commands: the packet's and external memory.
//!
//! Regions by their first address. Those of 32-bit addresses (the packet, named by the buffer bit,
//! packet number and offset of NFP.md, section 5) and those of 40 bits do not meet. What a
//! command reaches must lie in one region. Words that were added to are remembered: the host
//! driver keeps those in the other byte order (NFP.md, section 6).

use std::collections::{BTreeMap, BTreeSet};

use super::fault::FaultKind;

/// Which addresses a region has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RegionKind {
    /// 32-bit addresses: packet memory.
    Packet,
    /// 40-bit addresses: external memory.
    External,
}

/// A piece of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Whether commands may write.
    pub writable: bool,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Cycles of a command, where they are not those of all memory of this kind.
    pub latency: Option<u64>,
    /// So many at the end are something else's: commands may read them, since they read whole words
    /// from any byte on.
    pub behind: usize,
}

/// All regions.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    regions: BTreeMap<(RegionKind, u64), Region>,
    added: BTreeSet<u64>,
}

impl Memory {
    /// Puts a region at an address, in place of what was there.
    pub fn insert(&mut self, kind: RegionKind, address: u64, region: Region) {
        self.regions.insert((kind, address), region);
    }

    /// Takes a region away.
    pub fn remove(&mut self, kind: RegionKind, address: u64) {
        self.regions.remove(&(kind, address));
    }

    /// Words of external memory that were added to.
    #[must_use]
    pub fn added(&self) -> &BTreeSet<u64> {
        &self.added
    }

    pub(super) fn note_added(&mut self, address: u64) {
        self.added.insert(address);
    }

    /// Cycles of a command to an address, where its region has its own.
    #[must_use]
    pub fn latency(&self, kind: RegionKind, address: u64) -> Option<u64> {
        let below = self.regions.range(..=(kind, address)).next_back();
        let ((found, _), region) = below?;
        region.latency.filter(|_| *found == kind)
    }

    fn find(
        &mut self,
        kind: RegionKind,
        address: u64,
        size: usize,
        write: bool,
    ) -> Result<&mut [u8], FaultKind> {
        let nothing = FaultKind::Memory { address, size };
        let below = self.regions.range_mut(..=(kind, address)).next_back();
        let ((_, start), region) = below
            .filter(|((found, _), _)| *found == kind)
            .ok_or(nothing)?;
        if write && !region.writable {
            return Err(FaultKind::ReadOnly { address, size });
        }
        let offset = usize::try_from(address - start).map_err(|_| nothing)?;
        let end = offset.checked_add(size).ok_or(nothing)?;
        let own = region.bytes.len().saturating_sub(region.behind);
        if write && end > own {
            return Err(nothing);
        }
        region.bytes.get_mut(offset..end).ok_or(nothing)
    }

    /// Bytes at an address.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn read(
        &mut self,
        kind: RegionKind,
        address: u64,
        size: usize,
    ) -> Result<&[u8], FaultKind> {
        Ok(self.find(kind, address, size, false)?)
    }

    /// Bytes at an address, to be changed by a command.
    ///
    /// # Errors
    /// When there is no memory, or it is read-only.
    pub fn write(
        &mut self,
        kind: RegionKind,
        address: u64,
        size: usize,
    ) -> Result<&mut [u8], FaultKind> {
        self.find(kind, address, size, true)
    }

    /// Bytes at an address, to be changed by the firmware or the host.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn patch(
        &mut self,
        kind: RegionKind,
        address: u64,
        size: usize,
    ) -> Result<&mut [u8], FaultKind> {
        self.find(kind, address, size, false)
    }
}
