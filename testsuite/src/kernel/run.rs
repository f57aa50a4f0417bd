//! Runs a loaded program on packets and writes down what can be seen from outside.

use std::collections::BTreeMap;

use libbpf_rs::{ProgramInput, ProgramType};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use super::load::Loaded;
use super::maps;
use crate::fixture::Fixture;
use crate::packets::Packet;

/// Room for a packet which a program made longer.
const OUTPUT_BYTES: usize = 1 << 16;
/// Size of `struct __sk_buff`.
const SKB_BYTES: usize = 192;

/// What was seen: a name for each thing, and what it was.
pub type Observations = BTreeMap<String, String>;

/// Fills the maps (with `seeded`, those too that the fixture does not mention), runs the program on
/// every packet in turn, and reads the maps at the end. Empty
/// for program types that cannot be run on packets.
///
/// # Errors
/// The fixture does not fit the object.
pub fn observe(
    loaded: &Loaded,
    packets: &[Packet],
    fixture: &Fixture,
    seeded: bool,
) -> Result<Observations, String> {
    let mut seen = Observations::new();
    let Some(takes_skb) = loaded.program_type().and_then(packet_kind) else {
        return Ok(seen);
    };
    let Some(program) = loaded.find() else {
        return Ok(seen);
    };
    stay_on_one_cpu();
    maps::fill(&loaded.object, fixture, seeded)?;
    let mut output = vec![0; OUTPUT_BYTES];
    let mut context = [0; SKB_BYTES];
    for packet in packets {
        let input = ProgramInput {
            data_in: Some(&packet.bytes),
            data_out: Some(&mut output),
            context_out: takes_skb.then_some(&mut context[..]),
            ..ProgramInput::default()
        };
        let name = &packet.name;
        match program.test_run(input) {
            Err(error) => {
                seen.insert(format!("{name}: error"), format!("{:?}", error.kind()));
            }
            Ok(result) => {
                seen.insert(format!("{name}: return"), result.return_value.to_string());
                if let Some(data) = result.data {
                    seen.insert(format!("{name}: packet"), hex(data));
                }
                if let Some(context) = result.context.filter(|context| context.len() >= 68) {
                    for (field, range) in [("mark", 8..12), ("priority", 32..36), ("cb", 48..68)] {
                        seen.insert(format!("{name}: {field}"), hex(&context[range]));
                    }
                }
            }
        }
    }
    for ((map, key), value) in maps::read(&loaded.object) {
        seen.insert(format!("map {map}[{}]", hex(&key)), hex(&value));
    }
    Ok(seen)
}

/// Whether test runs on packets exist for the type, and if so, whether its context is a socket
/// buffer.
pub(super) fn packet_kind(kind: ProgramType) -> Option<bool> {
    match kind {
        ProgramType::Xdp => Some(false),
        ProgramType::SchedCls
        | ProgramType::SchedAct
        | ProgramType::SocketFilter
        | ProgramType::CgroupSkb
        | ProgramType::LwtIn
        | ProgramType::LwtOut
        | ProgramType::LwtXmit => Some(true),
        _ => None,
    }
}

/// Per-CPU maps depend on where a program runs.
pub(super) fn stay_on_one_cpu() {
    let mut set = CpuSet::new();
    let _unsupported = set
        .set(0)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
