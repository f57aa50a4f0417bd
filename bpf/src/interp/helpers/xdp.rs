//! XDP packets, and redirection by interface for XDP and traffic control.

use crate::interp::errno::{EACCES, EFAULT, EINVAL};
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;
use crate::interp::packet::{ContextKind, Packet};

use super::Call;

/// `XDP_ABORTED`, `XDP_REDIRECT`
const XDP_ABORTED: u64 = 0;
const XDP_REDIRECT: u64 = 4;
/// `TC_ACT_SHOT`, `TC_ACT_REDIRECT`
const TC_SHOT: u64 = 2;
const TC_REDIRECT: u64 = 7;
/// `BPF_F_INGRESS`
const INGRESS: u64 = 1;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    let xdp = machine.context_kind() == ContextKind::Xdp;
    Ok(Some(match call.helper.name {
        "xdp_adjust_head" => with_packet(machine, call, |machine, packet| {
            verdict(
                packet.adjust_head(&mut machine.memory, call.signed(1)),
                EINVAL,
            )
        })?,
        "xdp_adjust_tail" => with_packet(machine, call, |machine, packet| {
            verdict(
                packet.adjust_tail(&mut machine.memory, call.signed(1)),
                EINVAL,
            )
        })?,
        "xdp_adjust_meta" => with_packet(machine, call, |machine, packet| {
            match packet.adjust_meta(&mut machine.memory, call.signed(1)) {
                Some(allowed) => verdict(allowed, EACCES),
                None => EINVAL,
            }
        })?,
        "xdp_get_buff_len" => machine.packet().len() as u64,
        "xdp_load_bytes" => {
            let (offset, size) = (call.size(1) as usize, call.size(3) as usize);
            match machine.packet().get(offset..offset.saturating_add(size)) {
                Some(bytes) => {
                    let bytes = bytes.to_vec();
                    call.write(machine, 2, &bytes)?;
                    0
                }
                None => EINVAL,
            }
        }
        "xdp_store_bytes" => {
            let bytes = call.bytes(machine, 2, 3)?;
            let offset = call.size(1) as usize;
            with_packet(machine, call, |machine, packet| {
                match packet.bytes_mut(&mut machine.memory, offset, bytes.len()) {
                    Some(target) => {
                        target.copy_from_slice(&bytes);
                        0
                    }
                    None => EINVAL,
                }
            })?
        }
        "redirect" if xdp => {
            if call.args[1] == 0 {
                XDP_REDIRECT
            } else {
                XDP_ABORTED
            }
        }
        "redirect" => {
            if call.args[1] & !INGRESS == 0 {
                TC_REDIRECT
            } else {
                TC_SHOT
            }
        }
        "redirect_peer" => {
            if call.args[1] == 0 {
                TC_REDIRECT
            } else {
                TC_SHOT
            }
        }
        // sizeof(struct bpf_redir_neigh) is 20.
        "redirect_neigh" => {
            let short = call.signed(2) != 0 && call.signed(2) < 20;
            if short || call.args[3] != 0 {
                TC_SHOT
            } else {
                TC_REDIRECT
            }
        }
        "clone_redirect" => {
            if call.args[2] & !INGRESS == 0 {
                0
            } else {
                EINVAL
            }
        }
        _ => return Ok(None),
    }))
}

fn verdict(done: bool, error: u64) -> u64 {
    if done { 0 } else { error }
}

/// Runs on the packet; without one, or with another context than the machine's own, the call is
/// one that no kernel takes.
pub(super) fn with_packet(
    machine: &mut Machine,
    call: &Call,
    run: impl FnOnce(&mut Machine, &mut Packet) -> u64,
) -> Result<u64, Fault> {
    if call.args[0] != machine.context_address() {
        return Err(call.bad(0, "the context"));
    }
    let Some(mut packet) = machine.packet.take() else {
        return Ok(EFAULT);
    };
    let result = run(machine, &mut packet);
    machine.packet = Some(packet);
    Ok(result)
}
