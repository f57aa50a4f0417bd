//! Which helpers take which kinds of maps.
//!
//! Two rules must both hold: some kinds are only for certain helpers, and some helpers only take
//! certain kinds.

use bpf::maps::MapKind;
use bpf::program_type::ProgramType;

/// The helper that continues in another program.
pub(crate) const TAIL_CALL: u32 = 12;

/// Whether a helper takes a map of a kind, in a program of a type.
#[must_use]
pub(crate) fn fits_map(kind: MapKind, helper: u32, program_type: ProgramType) -> bool {
    kind_takes(kind, helper, program_type) && helper_takes(helper, kind)
}

fn kind_takes(kind: MapKind, helper: u32, program_type: ProgramType) -> bool {
    match kind {
        MapKind::ProgArray => helper == TAIL_CALL,
        MapKind::PerfEventArray => matches!(helper, 22 | 25 | 111 | 55 | 121),
        MapKind::Ringbuf => matches!(helper, 130 | 131 | 134 | 198 | 199 | 200),
        MapKind::UserRingbuf => helper == 209,
        MapKind::StackTrace => helper == 27,
        MapKind::CgroupArray => matches!(helper, 33 | 37),
        MapKind::CgroupStorage | MapKind::PercpuCgroupStorage => helper == 81,
        MapKind::Devmap | MapKind::DevmapHash | MapKind::Xskmap => matches!(helper, 51 | 1),
        MapKind::Cpumap => helper == 51,
        MapKind::ArrayOfMaps | MapKind::HashOfMaps => helper == 1,
        MapKind::Sockmap => {
            matches!(helper, 52 | 53 | 60 | 82 | 1) || may_update_sockets(helper, program_type)
        }
        MapKind::Sockhash => {
            matches!(helper, 72 | 70 | 71 | 82 | 1) || may_update_sockets(helper, program_type)
        }
        MapKind::ReuseportSockarray => helper == 82,
        MapKind::Queue | MapKind::Stack => matches!(helper, 87..=89),
        MapKind::SkStorage => matches!(helper, 107 | 108 | 194),
        MapKind::InodeStorage => matches!(helper, 145 | 146 | 194),
        MapKind::TaskStorage => matches!(helper, 156 | 157 | 194),
        MapKind::CgrpStorage => matches!(helper, 210 | 211 | 194),
        MapKind::BloomFilter => matches!(helper, 87 | 89),
        _ => true,
    }
}

fn may_update_sockets(helper: u32, program_type: ProgramType) -> bool {
    use ProgramType::*;
    let delete = helper == 3;
    matches!(helper, 2 | 3)
        && match program_type {
            SockOps => delete,
            SocketFilter | SchedCls | SchedAct | Xdp | SkReuseport | FlowDissector | SkLookup => {
                true
            }
            _ => false,
        }
}

fn helper_takes(helper: u32, kind: MapKind) -> bool {
    match helper {
        TAIL_CALL => kind == MapKind::ProgArray,
        22 | 25 | 55 | 111 | 121 => kind == MapKind::PerfEventArray,
        130 | 131 | 134 | 198..=200 => kind == MapKind::Ringbuf,
        209 => kind == MapKind::UserRingbuf,
        27 => kind == MapKind::StackTrace,
        33 | 37 => kind == MapKind::CgroupArray,
        51 => matches!(
            kind,
            MapKind::Devmap | MapKind::DevmapHash | MapKind::Cpumap | MapKind::Xskmap
        ),
        52 | 53 | 60 => kind == MapKind::Sockmap,
        70..=72 => kind == MapKind::Sockhash,
        81 => matches!(kind, MapKind::CgroupStorage | MapKind::PercpuCgroupStorage),
        82 => matches!(
            kind,
            MapKind::ReuseportSockarray | MapKind::Sockmap | MapKind::Sockhash
        ),
        88 => matches!(kind, MapKind::Queue | MapKind::Stack),
        87 | 89 => matches!(kind, MapKind::Queue | MapKind::Stack | MapKind::BloomFilter),
        195 => matches!(
            kind,
            MapKind::PercpuArray | MapKind::PercpuHash | MapKind::LruPercpuHash
        ),
        107 | 108 => kind == MapKind::SkStorage,
        145 | 146 => kind == MapKind::InodeStorage,
        156 | 157 => kind == MapKind::TaskStorage,
        210 | 211 => kind == MapKind::CgrpStorage,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{MapKind, ProgramType, fits_map};

    #[test]
    fn both_sides_must_agree() {
        assert!(fits_map(MapKind::Hash, 1, ProgramType::Xdp));
        assert!(!fits_map(MapKind::ProgArray, 1, ProgramType::Xdp));
        assert!(!fits_map(MapKind::Hash, 12, ProgramType::Xdp));
        assert!(fits_map(MapKind::Sockmap, 2, ProgramType::Xdp));
        assert!(!fits_map(MapKind::Sockmap, 2, ProgramType::SkMsg));
    }
}
