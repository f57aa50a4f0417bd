//! What random programs are made for: types of programs with the fields of their contexts, and the
//! maps that every program may use.

use bpf::maps::{MapDef, MapKind, READ_ONLY_PROG};
use bpf::program_type::{AttachType, ProgramType};

/// A type of program.
#[derive(Debug)]
pub struct Sort {
    /// Type.
    pub program_type: ProgramType,
    /// Where it attaches, where loading depends on it.
    pub attach_type: Option<AttachType>,
    /// Where in the context the packet's addresses are: begin, end, and metadata.
    pub(super) packet: Option<(i16, i16, Option<i16>)>,
    /// Fields that are numbers: offset and size.
    pub(super) fields: &'static [(i16, u8)],
    /// Those of them that programs may write.
    pub(super) writable: &'static [(i16, u8)],
    /// Whether the context is a socket buffer.
    pub(super) buffer: bool,
    /// Whether programs may write to the packet.
    pub(super) writes_packet: bool,
    /// Whether helpers read from its packet.
    pub(super) reads_packet: bool,
    /// Whether it may compute checksums.
    pub(super) checksums: bool,
    /// Whether it may look sockets up.
    pub(super) sockets: bool,
    /// Helpers for packets: calls that change it, with number of arguments.
    pub(super) changes: &'static [i32],
}

/// All that programs are made of.
pub static SORTS: &[Sort] = &[
    Sort {
        program_type: ProgramType::Xdp,
        attach_type: Some(AttachType::Xdp),
        packet: Some((0, 4, Some(8))),
        fields: &[(12, 4), (16, 4)],
        writable: &[],
        buffer: false,
        writes_packet: true,
        reads_packet: true,
        checksums: true,
        sockets: true,
        changes: &[44, 54, 65],
    },
    Sort {
        program_type: ProgramType::SchedCls,
        attach_type: None,
        packet: Some((76, 80, Some(140))),
        fields: &[
            (0, 4),
            (4, 4),
            (8, 4),
            (12, 4),
            (16, 4),
            (16, 2),
            (16, 1),
            (24, 4),
            (32, 4),
            (36, 4),
            (40, 4),
            (44, 4),
            (48, 4),
            (52, 8),
            (56, 1),
            (68, 4),
            (72, 4),
            (84, 4),
            (152, 8),
            (160, 4),
            (164, 4),
            (176, 4),
            (184, 8),
            (182, 1),
        ],
        writable: &[
            (8, 4),
            (12, 4),
            (32, 4),
            (44, 4),
            (48, 4),
            (56, 8),
            (64, 4),
            (50, 2),
            (72, 4),
            (152, 8),
        ],
        buffer: true,
        writes_packet: true,
        reads_packet: true,
        checksums: true,
        sockets: true,
        changes: &[39, 43, 38],
    },
    Sort {
        program_type: ProgramType::SocketFilter,
        attach_type: None,
        packet: None,
        fields: &[
            (0, 4),
            (4, 4),
            (8, 4),
            (8, 2),
            (16, 4),
            (16, 1),
            (32, 4),
            (48, 4),
            (56, 8),
            (164, 4),
        ],
        writable: &[(48, 4), (56, 8), (60, 1)],
        buffer: true,
        writes_packet: false,
        reads_packet: true,
        checksums: false,
        sockets: false,
        changes: &[],
    },
    Sort {
        program_type: ProgramType::CgroupSkb,
        attach_type: Some(AttachType::CgroupInetEgress),
        packet: Some((76, 80, None)),
        fields: &[
            (0, 4),
            (4, 4),
            (8, 4),
            (16, 4),
            (32, 4),
            (48, 4),
            (88, 4),
            (92, 4),
            (132, 4),
            (152, 8),
        ],
        writable: &[(8, 4), (32, 4), (48, 4), (56, 8), (152, 8)],
        buffer: true,
        writes_packet: false,
        reads_packet: true,
        checksums: false,
        sockets: true,
        changes: &[],
    },
    Sort {
        program_type: ProgramType::Kprobe,
        attach_type: None,
        packet: None,
        fields: &[
            (0, 8),
            (8, 8),
            (104, 8),
            (112, 8),
            (112, 4),
            (160, 8),
            (96, 2),
            (40, 1),
        ],
        writable: &[],
        buffer: false,
        writes_packet: false,
        reads_packet: false,
        checksums: false,
        sockets: false,
        changes: &[],
    },
    Sort {
        program_type: ProgramType::RawTracepoint,
        attach_type: None,
        packet: None,
        fields: &[(0, 8), (8, 8), (88, 8), (16, 8)],
        writable: &[],
        buffer: false,
        writes_packet: false,
        reads_packet: false,
        checksums: false,
        sockets: false,
        changes: &[],
    },
];

/// A map that programs may use, by its place in [`maps`].
pub(super) type MapIndex = u8;

pub(super) const ARRAY: MapIndex = 0;
pub(super) const HASH: MapIndex = 1;
pub(super) const PER_CPU: MapIndex = 2;
pub(super) const SINGLE: MapIndex = 3;
pub(super) const RINGBUF: MapIndex = 4;
pub(super) const PROGRAMS: MapIndex = 5;
pub(super) const READ_ONLY: MapIndex = 6;
pub(super) const EVENTS: MapIndex = 7;
pub(super) const QUEUE: MapIndex = 8;
/// Maps whose values are found by keys.
pub(super) const KEYED: [MapIndex; 5] = [ARRAY, HASH, PER_CPU, SINGLE, READ_ONLY];

/// The maps.
#[must_use]
pub fn maps() -> Vec<MapDef> {
    let mut read_only = MapDef::new("read_only", MapKind::Array, 4, 24, 3);
    read_only.flags = READ_ONLY_PROG;
    vec![
        MapDef::new("array", MapKind::Array, 4, 48, 4),
        MapDef::new("hash", MapKind::Hash, 8, 33, 16),
        MapDef::new("per_cpu", MapKind::PercpuArray, 4, 16, 2),
        MapDef::new("single", MapKind::Array, 4, 64, 1),
        MapDef::new("ringbuf", MapKind::Ringbuf, 0, 0, 4096),
        MapDef::new("programs", MapKind::ProgArray, 4, 4, 4),
        read_only,
        MapDef::new("events", MapKind::PerfEventArray, 4, 4, 4),
        MapDef::new("queue", MapKind::Queue, 0, 12, 4),
    ]
}

/// Bytes of a map's key.
pub(super) fn key_size(map: MapIndex) -> i32 {
    if map == HASH { 8 } else { 4 }
}

/// Bytes of a map's value.
pub(super) fn value_size(map: MapIndex) -> i32 {
    match map {
        ARRAY => 48,
        HASH => 33,
        PER_CPU => 16,
        SINGLE => 64,
        READ_ONLY => 24,
        QUEUE => 12,
        _ => 4,
    }
}
