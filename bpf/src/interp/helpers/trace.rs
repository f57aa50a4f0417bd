//! Reading memory that may not be there.

use crate::interp::errno::EFAULT;
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;
use crate::interp::memory::Meaning;

use super::Call;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "probe_read"
        | "probe_read_kernel"
        | "probe_read_user"
        | "copy_from_user"
        | "copy_from_user_task" => {
            let size = call.size(1);
            if size == 0 {
                return Ok(Some(0));
            }
            match machine.memory.slice(call.args[2], size).map(<[u8]>::to_vec) {
                Ok(bytes) => {
                    call.write(machine, 0, &bytes)?;
                    0
                }
                Err(_) => {
                    machine.memory.slice_mut(call.args[0], size)?.fill(0);
                    EFAULT
                }
            }
        }
        "probe_read_str" | "probe_read_kernel_str" | "probe_read_user_str" => {
            let size = call.size(1);
            if size == 0 {
                return Ok(Some(0));
            }
            match text(machine, call.args[2], size - 1) {
                Some(mut bytes) => {
                    bytes.push(0);
                    call.write(machine, 0, &bytes)?;
                    bytes.len() as u64
                }
                None => {
                    machine.memory.slice_mut(call.args[0], size)?.fill(0);
                    EFAULT
                }
            }
        }
        _ => return Ok(None),
    }))
}

/// Text at an address up to its zero byte or `limit` bytes.
pub(super) fn text(machine: &Machine, address: u64, limit: u64) -> Option<Vec<u8>> {
    let Meaning::Region(id, offset) = machine.memory.meaning(address) else {
        return None;
    };
    let region = machine.memory.region(id)?;
    let start = usize::try_from(offset).ok()?;
    if !region.valid.contains(&start) {
        return None;
    }
    let rest = region.bytes.get(start..region.valid.end)?;
    let length = rest
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(rest.len());
    let length = length.min(usize::try_from(limit).unwrap_or(usize::MAX));
    rest.get(..length).map(<[u8]>::to_vec)
}
