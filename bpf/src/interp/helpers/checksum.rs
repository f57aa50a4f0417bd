//! Internet checksums: differences, and replacement in headers.

use crate::insn::Endian;
use crate::interp::errno::{EFAULT, EINVAL};
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;
use crate::interp::memory::{number, put_number};

use super::Call;
use super::xdp::with_packet;

/// `BPF_F_HDR_FIELD_MASK`, `BPF_F_PSEUDO_HDR`, `BPF_F_MARK_MANGLED_0`, `BPF_F_MARK_ENFORCE`
const FIELD_MASK: u64 = 0xf;
const PSEUDO: u64 = 1 << 4;
const MANGLED_ZERO: u64 = 1 << 5;
const ENFORCE: u64 = 1 << 6;
/// `BPF_F_IPV6` of newer kernels.
const IPV6: u64 = 1 << 7;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "csum_diff" => {
            let (from_size, to_size) = (call.size(1), call.size(3));
            if (from_size | to_size) & 3 != 0 {
                return Ok(Some(EINVAL));
            }
            let endian = machine.memory.endian();
            let from = call.bytes(machine, 0, 1)?;
            let to = call.bytes(machine, 2, 3)?;
            difference(&from, &to, call.low(4), endian)
        }
        "csum_update" => EINVAL,
        "csum_level" => 0,
        "l3_csum_replace" => replace(machine, call, call.args[4], !FIELD_MASK)?,
        "l4_csum_replace" => replace(
            machine,
            call,
            call.args[4],
            !(FIELD_MASK | PSEUDO | MANGLED_ZERO | ENFORCE | IPV6),
        )?,
        _ => return Ok(None),
    }))
}

/// One's complement sum of two 32-bit sums.
fn add(a: u32, b: u32) -> u32 {
    let (sum, carry) = a.overflowing_add(b);
    sum.wrapping_add(u32::from(carry))
}

/// Sum of bytes as 16-bit words in the machine's order.
fn sum(bytes: &[u8], seed: u32, endian: Endian) -> u32 {
    bytes.chunks(2).fold(seed, |total, word| {
        let word = [word[0], word.get(1).copied().unwrap_or(0)];
        add(total, number(&word, endian) as u32)
    })
}

/// A 32-bit sum in 16 bits.
fn fold(sum: u32) -> u32 {
    let once = (sum & 0xffff) + (sum >> 16);
    (once & 0xffff) + (once >> 16)
}

/// The kernel folds the difference to 16 bits since 6.13; before, the upper half depended on the
/// architecture's summing.
fn difference(from: &[u8], to: &[u8], seed: u32, endian: Endian) -> u64 {
    let total = match (from.is_empty(), to.is_empty()) {
        (false, false) => add(sum(to, seed, endian), !sum(from, 0, endian)),
        (true, false) => sum(to, seed, endian),
        (false, true) => !sum(from, !seed, endian),
        (true, true) => seed,
    };
    u64::from(fold(total))
}

/// Replaces a part of what a checksum in the packet covers.
fn replace(machine: &mut Machine, call: &Call, flags: u64, refused: u64) -> Result<u64, Fault> {
    let transport = call.helper.name == "l4_csum_replace";
    let offset = call.low(1);
    let (from, to) = (call.args[2], call.args[3]);
    let endian = machine.memory.endian();
    if flags & refused != 0 {
        return Ok(EINVAL);
    }
    if offset > 0xffff || offset & 1 != 0 {
        return Ok(EFAULT);
    }
    with_packet(machine, call, |machine, packet| {
        let Some(field) = packet.bytes_mut(&mut machine.memory, offset as usize, 2) else {
            return EFAULT;
        };
        let old = number(field, endian) as u32;
        let optional = transport && flags & MANGLED_ZERO != 0;
        if optional && flags & ENFORCE == 0 && old == 0 {
            return 0;
        }
        let (from, to) = (from as u32, to as u32);
        let new = match flags & FIELD_MASK {
            0 if from != 0 || call.args[2] != 0 => return EINVAL,
            0 => add(to, !old),
            // csum_replace2: ~(~check + ~from + to), with 16-bit words.
            2 if !transport => {
                let without = add(!old & 0xffff, !from & 0xffff);
                add(fold(without), to & 0xffff)
            }
            2 => add(add(!old, !(from & 0xffff)), to & 0xffff),
            4 => add(add(!old, !from), to),
            _ => return EINVAL,
        };
        let mut folded = !fold(new) & 0xffff;
        if optional && folded == 0 {
            folded = 0xffff;
        }
        put_number(field, u64::from(folded), endian);
        0
    })
}
