//! Memory as regions with virtual addresses.
//!
//! Every object that a program can point to (a stack frame, the packet, a map value) is a region
//! with 4 GiB of address space of its own, so a pointer is a plain `u64`, arithmetic on it can
//! leave the object without ever reaching another, and an access outside is a fault that knows
//! which object was meant. Finding the region is an index by the upper half of the address.
//!
//! A region's bytes do not start at the beginning of its range, so that small negative offsets
//! still name it. Bytes in use are counted against a limit: no program can exhaust the host.

use std::fmt;
use std::ops::Range;

use crate::insn::Endian;

use super::fault::{AccessKind, Fault, FaultKind, Place};

/// Upper half of the first region's addresses.
const FIRST_REGION: u64 = 0x1000;
/// Where bytes start in a region's range.
const START: u64 = 0x1_0000;
/// Upper half of addresses that stand for maps.
const MAP_HANDLES: u64 = 0x0f00;
/// Upper half of addresses that stand for subprograms.
const CODE: u64 = 0x0f01;

/// What a region is, for messages and for comparing runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegionKind {
    /// A stack frame.
    Stack,
    /// The program's context.
    Context,
    /// The packet, headroom and tailroom included.
    Packet,
    /// A value of this map.
    MapValue(u32),
    /// A record reserved in this ring buffer.
    Record(u32),
    /// A socket.
    Socket,
    /// Memory handed to the program by its caller.
    Memory,
}

impl fmt::Display for RegionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegionKind::Stack => f.write_str("the stack"),
            RegionKind::Context => f.write_str("the context"),
            RegionKind::Packet => f.write_str("the packet"),
            RegionKind::MapValue(map) => write!(f, "a value of map {map}"),
            RegionKind::Record(map) => write!(f, "a record of ring buffer {map}"),
            RegionKind::Socket => f.write_str("a socket"),
            RegionKind::Memory => f.write_str("the memory argument"),
        }
    }
}

/// A region.
#[derive(Clone, Debug)]
pub struct Region {
    /// What it is.
    pub kind: RegionKind,
    /// Whether programs may store to it.
    pub writable: bool,
    /// The part of the bytes that programs may access.
    pub valid: Range<usize>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Index of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegionId(u32);

impl RegionId {
    /// Address of the region's first byte.
    #[must_use]
    pub fn address(self) -> u64 {
        (FIRST_REGION + u64::from(self.0)) << 32 | START
    }
}

/// What an address means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// Byte of a region, possibly outside its bytes.
    Region(RegionId, i64),
    /// A map.
    Map(u32),
    /// A subprogram, by its first slot.
    Code(u32),
    /// Nothing: a number.
    Nothing,
}

/// All regions.
#[derive(Clone, Debug)]
pub struct Memory {
    regions: Vec<Option<Region>>,
    /// Places of removed regions. Only stack frames take them again: a stale pointer into
    /// anything else must not find something new.
    free: Vec<RegionId>,
    in_use: usize,
    limit: usize,
    endian: Endian,
}

impl Memory {
    /// Memory without regions that will hold at most `limit` bytes.
    #[must_use]
    pub fn new(endian: Endian, limit: usize) -> Memory {
        Memory {
            regions: Vec::new(),
            free: Vec::new(),
            in_use: 0,
            limit,
            endian,
        }
    }

    /// Byte order of loads and stores.
    #[must_use]
    pub fn endian(&self) -> Endian {
        self.endian
    }

    /// The address that stands for a map.
    #[must_use]
    pub fn map_address(map: u32) -> u64 {
        MAP_HANDLES << 32 | u64::from(map) << 8
    }

    /// The address that stands for the subprogram at a slot.
    #[must_use]
    pub fn code_address(slot: u32) -> u64 {
        CODE << 32 | u64::from(slot)
    }

    /// What an address means.
    #[must_use]
    pub fn meaning(&self, address: u64) -> Meaning {
        let low = address & 0xffff_ffff;
        match address >> 32 {
            MAP_HANDLES => Meaning::Map((low >> 8) as u32),
            CODE => Meaning::Code(low as u32),
            high => {
                let index = high
                    .checked_sub(FIRST_REGION)
                    .and_then(|at| u32::try_from(at).ok());
                let id = index.map(RegionId).filter(|id| self.region(*id).is_some());
                match id {
                    Some(id) => Meaning::Region(id, low.cast_signed() - START.cast_signed()),
                    None => Meaning::Nothing,
                }
            }
        }
    }

    /// Adds a region, all of its bytes accessible.
    ///
    /// # Errors
    /// [`FaultKind::MemoryLimit`].
    pub fn add(
        &mut self,
        kind: RegionKind,
        writable: bool,
        bytes: Vec<u8>,
    ) -> Result<RegionId, Fault> {
        let in_use = self
            .in_use
            .saturating_add(bytes.len())
            .saturating_add(size_of::<Region>());
        let id =
            u32::try_from(self.regions.len()).map_err(|_| FaultKind::MemoryLimit(self.limit))?;
        if in_use > self.limit {
            return Err(FaultKind::MemoryLimit(self.limit).into());
        }
        self.in_use = in_use;
        let valid = 0..bytes.len();
        let region = Region {
            kind,
            writable,
            valid,
            bytes,
        };
        let free = if kind == RegionKind::Stack {
            self.free.pop()
        } else {
            None
        };
        if let Some((free, place)) =
            free.and_then(|id| Some((id, self.regions.get_mut(id.0 as usize)?)))
        {
            *place = Some(region);
            return Ok(free);
        }
        self.regions.push(Some(region));
        Ok(RegionId(id))
    }

    /// Fails when a region of this size would not fit, before it is made.
    pub(super) fn check_room(&self, size: u64) -> Result<(), Fault> {
        let free = self.limit.saturating_sub(self.in_use) as u64;
        if size <= free {
            Ok(())
        } else {
            Err(FaultKind::MemoryLimit(self.limit).into())
        }
    }

    /// Counts bytes that are kept outside of regions; false when there is no room.
    pub(super) fn keep(&mut self, size: usize) -> bool {
        let in_use = self
            .in_use
            .saturating_add(size)
            .saturating_add(size_of::<Vec<u8>>());
        let fits = in_use <= self.limit;
        if fits {
            self.in_use = in_use;
        }
        fits
    }

    /// Removes a region; later accesses to it fault.
    pub fn remove(&mut self, id: RegionId) {
        let index = id.0 as usize;
        if let Some(region) = self.regions.get_mut(index).and_then(Option::take) {
            self.in_use -= region.bytes.len() + size_of::<Region>();
            self.free.push(id);
        }
    }

    /// Gives a region other bytes, all of them accessible, at the same address.
    pub fn replace(&mut self, id: RegionId, bytes: Vec<u8>) {
        let Some(region) = self.regions.get_mut(id.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        self.in_use = self
            .in_use
            .saturating_sub(region.bytes.len())
            .saturating_add(bytes.len());
        region.valid = 0..bytes.len();
        region.bytes = bytes;
    }

    /// A region by index.
    #[must_use]
    pub fn region(&self, id: RegionId) -> Option<&Region> {
        self.regions.get(id.0 as usize)?.as_ref()
    }

    /// A region by index, to change.
    pub fn region_mut(&mut self, id: RegionId) -> Option<&mut Region> {
        self.regions.get_mut(id.0 as usize)?.as_mut()
    }

    /// All bytes of a region; empty when it is gone.
    #[must_use]
    pub fn bytes(&self, id: RegionId) -> &[u8] {
        self.region(id).map_or(&[], |region| &region.bytes)
    }

    fn locate(&self, address: u64, size: u64) -> Option<(RegionId, Range<usize>)> {
        let index = (address >> 32).checked_sub(FIRST_REGION)?;
        let id = RegionId(u32::try_from(index).ok()?);
        let region = self.region(id)?;
        let start = usize::try_from((address & 0xffff_ffff).checked_sub(START)?).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        (region.valid.start <= start && end <= region.valid.end).then_some((id, start..end))
    }

    fn fault(&self, access: AccessKind, address: u64, size: u64) -> Fault {
        let place = match self.meaning(address) {
            Meaning::Map(map) => Place::MapHandle(map),
            Meaning::Code(_) => Place::Code,
            Meaning::Nothing => Place::Nothing,
            Meaning::Region(id, offset) => match self.region(id) {
                Some(region) => Place::Outside {
                    region: region.kind,
                    offset: offset - i64::try_from(region.valid.start).unwrap_or(i64::MAX),
                    size: region.valid.len() as u64,
                },
                None => Place::Nothing,
            },
        };
        FaultKind::OutOfBounds {
            access,
            address,
            size,
            place,
        }
        .into()
    }

    /// The bytes at an address, to read.
    ///
    /// # Errors
    /// [`FaultKind::OutOfBounds`].
    pub fn slice(&self, address: u64, size: u64) -> Result<&[u8], Fault> {
        let found = self
            .locate(address, size)
            .and_then(|(id, range)| self.bytes(id).get(range));
        found.ok_or_else(|| self.fault(AccessKind::Load, address, size))
    }

    /// The bytes at an address, to write.
    ///
    /// # Errors
    /// [`FaultKind::OutOfBounds`] and [`FaultKind::ReadOnly`].
    pub fn slice_mut(&mut self, address: u64, size: u64) -> Result<&mut [u8], Fault> {
        let Some((id, range)) = self.locate(address, size) else {
            return Err(self.fault(AccessKind::Store, address, size));
        };
        let limit = self.limit;
        let found = self.regions.get_mut(id.0 as usize).and_then(Option::as_mut);
        let Some(region) = found else {
            return Err(FaultKind::MemoryLimit(limit).into());
        };
        if !region.writable {
            return Err(FaultKind::ReadOnly {
                address,
                size,
                region: region.kind,
            }
            .into());
        }
        region
            .bytes
            .get_mut(range)
            .ok_or_else(|| FaultKind::MemoryLimit(limit).into())
    }

    /// The context's region and the offset in it, when the address is there.
    #[must_use]
    pub fn context_offset(&self, address: u64, size: u64) -> Option<(RegionId, usize)> {
        let (id, range) = self.locate(address, size)?;
        let region = self.region(id)?;
        (region.kind == RegionKind::Context).then_some((id, range.start))
    }

    /// Loads a number of `size` bytes, at most eight.
    ///
    /// # Errors
    /// [`FaultKind::OutOfBounds`].
    pub fn load(&self, address: u64, size: u64) -> Result<u64, Fault> {
        Ok(number(self.slice(address, size)?, self.endian))
    }

    /// Stores the low `size` bytes of a number, at most eight.
    ///
    /// # Errors
    /// [`FaultKind::OutOfBounds`] and [`FaultKind::ReadOnly`].
    pub fn store(&mut self, address: u64, size: u64, value: u64) -> Result<(), Fault> {
        let endian = self.endian;
        put_number(self.slice_mut(address, size)?, value, endian);
        Ok(())
    }
}

/// The number that at most eight bytes spell.
#[must_use]
pub fn number(bytes: &[u8], endian: Endian) -> u64 {
    let join = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    match endian {
        Endian::Little => bytes.iter().rev().fold(0, join),
        Endian::Big => bytes.iter().fold(0, join),
    }
}

/// Spells the low bytes of a number.
pub fn put_number(bytes: &mut [u8], value: u64, endian: Endian) {
    let size = bytes.len().min(8);
    match endian {
        Endian::Little => bytes[..size].copy_from_slice(&value.to_le_bytes()[..size]),
        Endian::Big => bytes[..size].copy_from_slice(&value.to_be_bytes()[8 - size..]),
    }
}
