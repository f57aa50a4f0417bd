//! Which helpers each program type may call.
//!
//! Asked of Linux 6.18 for each pair of type and helper, with a program that calls the helper and no
//! more: whatever else it says, it says "cannot use helper" when the type may not call it. Some rows
//! depend on how a kernel is configured. Types that the asked kernel does not load by themselves
//! (those that attach by kernel types) are not here.

use bpf::program_type::{AttachType, ProgramType};

use crate::version::Kernel;

type Ranges = &'static [(u32, u32)];

/// What every type may call.
#[rustfmt::skip]
const COMMON: Ranges = &[
    (1, 3), (5, 8), (12, 12), (14, 17), (22, 22), (35, 35), (37, 37), (42, 42), (55, 55), (80, 80),
    (87, 89), (93, 94), (105, 106), (109, 109), (112, 115), (117, 118), (120, 120), (123, 123),
    (125, 125), (130, 134), (141, 141), (148, 149), (153, 154), (156, 158), (164, 165), (169, 172),
    (175, 177), (180, 182), (191, 191), (194, 195), (197, 203), (208, 211),
];

#[rustfmt::skip]
fn special(program_type: ProgramType, attach: Option<AttachType>) -> Option<Ranges> {
    use AttachType as At;
    use ProgramType::*;
    Some(match program_type {
        SocketFilter => &[(25, 26), (46, 47), (68, 68), (122, 122), (136, 140), (160, 160), (178, 178), (196, 196)],
        Kprobe | Tracepoint | RawTracepoint | RawTracepointWritable =>
            &[(4, 4), (25, 25), (27, 27), (45, 45), (67, 67), (173, 174)],
        PerfEvent => &[(4, 4), (25, 25), (27, 27), (45, 45), (56, 56), (67, 67), (119, 119), (173, 174)],
        SchedCls | SchedAct => &[
            (9, 11), (13, 13), (18, 21), (23, 26), (28, 34), (38, 41), (43, 43), (46, 48), (50, 50),
            (66, 66), (68, 69), (79, 79), (83, 86), (95, 100), (107, 108), (110, 110), (122, 122),
            (124, 124), (135, 140), (151, 152), (155, 155), (160, 160), (163, 163), (178, 178),
            (192, 192), (196, 196), (204, 207),
        ],
        Xdp => &[
            (23, 23), (25, 25), (28, 28), (44, 44), (51, 51), (54, 54), (65, 65), (69, 69), (84, 86),
            (99, 100), (110, 110), (136, 140), (160, 160), (163, 163), (178, 178), (188, 190),
            (196, 196), (204, 207),
        ],
        CgroupSkb => &[
            (25, 26), (46, 47), (68, 68), (79, 79), (81, 81), (83, 86), (95, 99), (107, 108),
            (122, 122), (128, 129), (136, 140), (160, 160), (178, 178), (196, 196),
        ],
        CgroupSock => &[
            (25, 25), (46, 46), (81, 81), (107, 107), (122, 122), (160, 160), (186, 187),
        ],
        LwtIn => &[
            (24, 26), (28, 28), (33, 34), (39, 39), (73, 73), (136, 140), (160, 160), (178, 178),
            (196, 196),
        ],
        LwtOut => &[
            (24, 26), (28, 28), (33, 34), (39, 39), (136, 140), (160, 160), (178, 178), (196, 196),
        ],
        LwtXmit => &[
            (9, 11), (13, 13), (20, 21), (23, 26), (28, 30), (33, 34), (38, 41), (43, 43), (73, 73),
            (135, 140), (160, 160), (178, 178), (196, 196),
        ],
        LwtSeg6local => &[
            (24, 26), (28, 28), (33, 34), (39, 39), (74, 76), (136, 140), (160, 160), (178, 178),
            (196, 196),
        ],
        SockOps => &[
            (25, 25), (46, 46), (49, 49), (53, 53), (57, 57), (59, 59), (70, 70), (81, 81), (96, 96),
            (107, 108), (122, 122), (136, 140), (142, 144), (160, 160), (178, 178), (196, 196),
        ],
        SkSkb => &[
            (9, 9), (25, 26), (38, 39), (43, 43), (46, 47), (50, 50), (52, 52), (72, 72), (84, 86),
            (99, 99), (136, 140), (160, 160), (178, 178), (196, 196),
        ],
        CgroupDevice => &[(25, 25), (81, 81), (186, 187)],
        SkMsg => &[
            (25, 25), (60, 63), (71, 71), (90, 91), (107, 108), (122, 122), (136, 140), (160, 160),
            (178, 178), (196, 196),
        ],
        CgroupSockAddr => match attach {
            Some(At::CgroupInet4Connect | At::CgroupInet6Connect) => &[
                (25, 25), (46, 46), (49, 49), (57, 57), (64, 64), (81, 81), (84, 86), (99, 99),
                (107, 108), (122, 122), (136, 140), (160, 160), (178, 178), (186, 187), (196, 196),
            ],
            Some(At::CgroupInet4Bind | At::CgroupInet6Bind | At::CgroupUdp4Sendmsg
                | At::CgroupUdp6Sendmsg | At::CgroupUnixConnect | At::CgroupUnixSendmsg) => &[
                (25, 25), (46, 46), (49, 49), (57, 57), (81, 81), (84, 86), (99, 99), (107, 108),
                (122, 122), (136, 140), (160, 160), (178, 178), (186, 187), (196, 196),
            ],
            _ => &[
                (25, 25), (46, 46), (49, 49), (57, 57), (81, 81), (84, 86), (99, 99), (107, 108),
                (122, 122), (136, 140), (160, 160), (178, 178), (196, 196),
            ],
        },
        SkReuseport => &[(26, 26), (46, 46), (68, 68), (82, 82), (160, 160)],
        FlowDissector => &[(26, 26), (136, 140), (160, 160), (178, 178), (196, 196)],
        CgroupSysctl => &[(25, 25), (81, 81), (101, 104), (160, 160), (186, 187)],
        CgroupSockopt => match attach {
            Some(At::CgroupSetsockopt) =>
                &[(25, 25), (49, 49), (57, 57), (81, 81), (96, 96), (107, 108), (122, 122), (186, 187)],
            _ => &[(25, 25), (81, 81), (96, 96), (107, 108), (122, 122), (186, 187)],
        },
        SkLookup => &[
            (25, 25), (86, 86), (124, 124), (136, 140), (160, 160), (178, 178), (196, 196),
        ],
        Syscall => &[
            (4, 4), (25, 25), (27, 27), (45, 46), (67, 67), (107, 108), (111, 111), (121, 121),
            (136, 140), (147, 147), (162, 162), (166, 168), (173, 173), (178, 179), (188, 188),
            (196, 196),
        ],
        Netfilter => &[],
        Tracing | StructOps | Ext | Lsm | LircMode2 => return None,
    })
}

/// Whether a program may call a helper; `None` when it is not known.
#[must_use]
pub(crate) fn is_allowed(
    program_type: ProgramType,
    attach: Option<AttachType>,
    helper: u32,
    kernel: Kernel,
) -> Option<bool> {
    let special = special(program_type, attach)?;
    let listed = |ranges: Ranges| {
        ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&helper))
    };
    Some(helper <= kernel.last_helper() && (listed(COMMON) || listed(special)))
}

#[cfg(test)]
mod tests {
    use super::{ProgramType, is_allowed};
    use crate::version::Kernel;

    #[test]
    fn types_have_their_own_helpers() {
        let may = |kind, helper| is_allowed(kind, None, helper, Kernel::V6_18);
        assert_eq!(may(ProgramType::Xdp, 44), Some(true));
        assert_eq!(may(ProgramType::SocketFilter, 44), Some(false));
        assert_eq!(may(ProgramType::Tracing, 1), None);
        let old = is_allowed(ProgramType::Xdp, None, 188, Kernel::V5_10);
        assert_eq!(old, Some(false));
    }
}
