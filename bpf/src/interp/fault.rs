//! Why a run stopped before the program's exit.

use std::fmt;

use thiserror::Error;

use crate::insn::DecodeError;

use super::memory::RegionKind;

/// What an access wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// Reading.
    Load,
    /// Writing.
    Store,
    /// Reading and writing in one.
    Atomic,
}

impl fmt::Display for AccessKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AccessKind::Load => "load",
            AccessKind::Store => "store",
            AccessKind::Atomic => "atomic",
        })
    }
}

/// Where an address points that no access may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: null or a number.
    Nothing,
    /// Near a region, but outside its bytes.
    Outside {
        /// What the region is.
        region: RegionKind,
        /// Distance from the region's first accessible byte.
        offset: i64,
        /// The region's size in bytes.
        size: u64,
    },
    /// The address stands for a map, which has no bytes.
    MapHandle(u32),
    /// The address stands for a subprogram.
    Code,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Nothing => f.write_str("no memory there"),
            Place::Outside {
                region,
                offset,
                size,
            } => {
                write!(f, "offset {offset} of {region}, which has {size} bytes")
            }
            Place::MapHandle(map) => write!(f, "map {map} itself has no bytes"),
            Place::Code => f.write_str("code has no bytes"),
        }
    }
}

/// The reason of a [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FaultKind {
    /// Access outside of all memory.
    #[error("{access} of {size} bytes at {address:#x}: {place}")]
    OutOfBounds {
        /// What was tried.
        access: AccessKind,
        /// The address.
        address: u64,
        /// Bytes.
        size: u64,
        /// Where the address points.
        place: Place,
    },
    /// Store to memory that programs only read.
    #[error("store of {size} bytes at {address:#x}: {region} is read-only")]
    ReadOnly {
        /// The address.
        address: u64,
        /// Bytes.
        size: u64,
        /// What is there.
        region: RegionKind,
    },
    /// Load or store of a context field in a way that the kernel does not offer.
    #[error("{access} of {size} bytes at context offset {offset}: no such field")]
    Context {
        /// What was tried.
        access: AccessKind,
        /// Offset.
        offset: u64,
        /// Bytes.
        size: u64,
    },
    /// The program ran for too long.
    #[error("more than {0} instructions executed")]
    StepLimit(u64),
    /// More than eight nested frames.
    #[error("more than {0} nested calls")]
    CallDepth(usize),
    /// Values, records and frames together take too much.
    #[error("more than {0} bytes of memory in use")]
    MemoryLimit(usize),
    /// Control went where no instruction starts.
    #[error("jump to slot {0}, where no instruction starts")]
    BadTarget(i64),
    /// Slots that are not an instruction.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// Write of the frame pointer.
    #[error("write of the frame pointer r10")]
    FramePointer,
    /// Instruction that the interpreter cannot give a meaning.
    #[error("{0} cannot be interpreted")]
    Unsupported(String),
    /// Helper that no kernel has.
    #[error("helper {0} does not exist")]
    UnknownHelper(u32),
    /// Helper that the interpreter does not model.
    #[error("helper bpf_{0} is not modelled by the interpreter")]
    UnsupportedHelper(&'static str),
    /// Argument that no kernel accepts.
    #[error("helper bpf_{helper}: argument {argument} is not {expected}")]
    BadArgument {
        /// Helper.
        helper: &'static str,
        /// Which, from 1.
        argument: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// `ld_imm64` with a source nibble or number that the loader did not resolve.
    #[error("ld_imm64 with source {pseudo} and value {value:#x} names nothing")]
    Unresolved {
        /// Source nibble.
        pseudo: u8,
        /// Value.
        value: u64,
    },
}

/// Why a run stopped, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Function and slot within it, where known.
    pub at: Option<(String, usize)>,
    /// Why.
    pub kind: FaultKind,
}

impl Fault {
    /// The fault with a place, unless it has one: the innermost counts.
    #[must_use]
    pub fn at(self, function: &str, slot: usize) -> Fault {
        Fault {
            at: self.at.or_else(|| Some((function.to_owned(), slot))),
            ..self
        }
    }
}

impl<T: Into<FaultKind>> From<T> for Fault {
    fn from(kind: T) -> Fault {
        Fault {
            at: None,
            kind: kind.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some((function, slot)) => write!(f, "{function} at slot {slot}: {}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}
