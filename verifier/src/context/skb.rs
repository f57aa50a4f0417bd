//! `__sk_buff`.

use bpf::program_type::ProgramType;

use super::{Access, Field, PACKET, number, pointer, socket};
use crate::state::{Kind, SocketKind};

const SIZE: i64 = 192;
const MARK: (i64, i64) = (8, 12);
const QUEUE_MAPPING: (i64, i64) = (12, 16);
const PRIORITY: (i64, i64) = (32, 36);
const TC_INDEX: (i64, i64) = (44, 48);
const CONTROL: (i64, i64) = (48, 68);
const TC_CLASSID: (i64, i64) = (72, 76);
const DATA: (i64, i64) = (76, 80);
const DATA_END: (i64, i64) = (80, 84);
const SOCKET_FIELDS: (i64, i64) = (88, 140);
const DATA_META: (i64, i64) = (140, 144);
const TIMESTAMP: (i64, i64) = (152, 160);
const WIRE_LENGTH: (i64, i64) = (160, 164);
const TIMESTAMP_TYPE: i64 = 180;
const HARDWARE_TIMESTAMP: (i64, i64) = (184, 192);

struct Rules {
    hidden: &'static [(i64, i64)],
    writable: &'static [(i64, i64)],
}

fn rules(program_type: ProgramType) -> Rules {
    use ProgramType::*;
    match program_type {
        SocketFilter => Rules {
            hidden: &[
                TC_CLASSID,
                DATA,
                DATA_META,
                DATA_END,
                SOCKET_FIELDS,
                TIMESTAMP,
                WIRE_LENGTH,
                HARDWARE_TIMESTAMP,
            ],
            writable: &[CONTROL],
        },
        CgroupSkb => Rules {
            hidden: &[TC_CLASSID, DATA_META, WIRE_LENGTH],
            writable: &[MARK, PRIORITY, CONTROL, TIMESTAMP],
        },
        SkSkb => Rules {
            hidden: &[
                TC_CLASSID,
                DATA_META,
                TIMESTAMP,
                WIRE_LENGTH,
                HARDWARE_TIMESTAMP,
                MARK,
            ],
            writable: &[TC_INDEX, PRIORITY],
        },
        SchedCls | SchedAct => Rules {
            hidden: &[SOCKET_FIELDS],
            writable: &[
                MARK,
                TC_INDEX,
                PRIORITY,
                TC_CLASSID,
                CONTROL,
                TIMESTAMP,
                QUEUE_MAPPING,
            ],
        },
        _ => Rules {
            hidden: &[
                TC_CLASSID,
                SOCKET_FIELDS,
                DATA_META,
                TIMESTAMP,
                WIRE_LENGTH,
                HARDWARE_TIMESTAMP,
            ],
            writable: &[MARK, PRIORITY, CONTROL],
        },
    }
}

pub(super) fn skb(access: Access, program_type: ProgramType) -> Field {
    let rules = rules(program_type);
    let among = |ranges: &[(i64, i64)]| ranges.iter().any(|(from, to)| access.within(*from, *to));
    if among(rules.hidden) || (access.write && !among(rules.writable)) {
        return Field::Refused;
    }
    let classifier = matches!(program_type, ProgramType::SchedCls | ProgramType::SchedAct);
    if classifier && access.offset == TIMESTAMP_TYPE {
        return number(access.size == 1);
    }
    if !access.is_regular(SIZE) {
        return Field::Refused;
    }
    let whole = !access.signed && access.size == 4;
    match access.offset {
        48..68 => number(access.offset + access.size <= CONTROL.1),
        76..80 => pointer(whole, PACKET),
        80..84 => pointer(whole, Kind::PacketEnd),
        140..144 => pointer(whole, Kind::PacketMeta(0)),
        92..132 => number(access.size == 4),
        144..152 => Field::Refused,
        152..160 => number(access.size == 8),
        184..192 => number(!access.write && access.size == 8),
        168..176 => pointer(
            !access.write && access.size == 8,
            socket(SocketKind::Common, true),
        ),
        180..184 => Field::Refused,
        _ if access.write => number(access.size == 4),
        _ => number(access.is_narrow(4)),
    }
}
