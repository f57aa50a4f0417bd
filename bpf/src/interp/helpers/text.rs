//! Formatted output and text to numbers.

use crate::interp::errno::{EINVAL, ERANGE};
use crate::interp::fault::Fault;
use crate::interp::machine::Machine;

use super::Call;
use super::format::format;
use super::trace::text;

/// Longest text that the helpers look at.
const TEXT_LIMIT: u64 = 4096;

pub(super) fn call(machine: &mut Machine, call: &Call) -> Result<Option<u64>, Fault> {
    Ok(Some(match call.helper.name {
        "trace_printk" => {
            let form = call.bytes(machine, 0, 1)?;
            let Some(line) = format(machine, &form, &call.args[2..]) else {
                return Ok(Some(EINVAL));
            };
            machine.print(String::from_utf8_lossy(&line).into_owned());
            line.len() as u64
        }
        "trace_vprintk" => {
            let form = call.bytes(machine, 0, 1)?;
            let values = numbers(machine, call, 2, 3)?;
            let Some(line) = format(machine, &form, &values) else {
                return Ok(Some(EINVAL));
            };
            machine.print(String::from_utf8_lossy(&line).into_owned());
            line.len() as u64
        }
        "snprintf" => {
            let form = text(machine, call.args[2], TEXT_LIMIT).unwrap_or_default();
            let values = numbers(machine, call, 3, 4)?;
            let Some(mut line) = format(machine, &form, &values) else {
                return Ok(Some(EINVAL));
            };
            let wanted = line.len() as u64 + 1;
            let room = usize::try_from(call.size(1)).unwrap_or(0);
            line.truncate(room.saturating_sub(1));
            if room > 0 {
                line.push(0);
            }
            call.write(machine, 0, &line)?;
            wanted
        }
        "seq_printf" | "seq_write" | "seq_printf_btf" => 0,
        "strncmp" => {
            let size = call.size(1);
            let left = machine.memory.slice(call.args[0], size)?.to_vec();
            let right = text(machine, call.args[2], TEXT_LIMIT).unwrap_or_default();
            compare(&left, &right, size)
        }
        "strtol" | "strtoul" => parse(machine, call)?,
        _ => return Ok(None),
    }))
}

fn numbers(machine: &Machine, call: &Call, pointer: usize, size: usize) -> Result<Vec<u64>, Fault> {
    let bytes = call.bytes(machine, pointer, size)?;
    let endian = machine.memory.endian();
    Ok(bytes
        .chunks(8)
        .map(|chunk| crate::interp::memory::number(chunk, endian))
        .collect())
}

fn compare(left: &[u8], right: &[u8], size: u64) -> u64 {
    for place in 0..usize::try_from(size).unwrap_or(0) {
        let a = left.get(place).copied().unwrap_or(0);
        let b = right.get(place).copied().unwrap_or(0);
        if a != b {
            return if a < b { (-1i64).cast_unsigned() } else { 1 };
        }
        if a == 0 {
            break;
        }
    }
    0
}

/// A number at the start of a text: gives the characters used, writes the number.
fn parse(machine: &mut Machine, call: &Call) -> Result<u64, Fault> {
    let bytes = call.bytes(machine, 0, 1)?;
    let signed = call.helper.name == "strtol";
    let base = match call.args[2] & 0x1f {
        0 => None,
        base @ (8 | 10 | 16) => Some(base as u32),
        _ => return Ok(EINVAL),
    };
    let spaces = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let mut rest = &bytes[spaces..];
    let negative = signed && rest.first() == Some(&b'-');
    if negative || rest.first() == Some(&b'+') {
        rest = &rest[1..];
    }
    let hexadecimal = matches!(rest, [b'0', b'x' | b'X', ..]);
    let base = base.unwrap_or(match rest {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', ..] => 8,
        _ => 10,
    });
    if base == 16 && hexadecimal {
        rest = &rest[2..];
    }
    let digits = rest
        .iter()
        .take_while(|byte| char::from(**byte).is_digit(base))
        .count();
    if digits == 0 {
        return Ok(EINVAL);
    }
    let value = rest[..digits].iter().try_fold(0u64, |value, byte| {
        let digit = u64::from(char::from(*byte).to_digit(base)?);
        value.checked_mul(u64::from(base))?.checked_add(digit)
    });
    let limit = i64::MAX.cast_unsigned() + u64::from(negative);
    let Some(value) = value.filter(|value| !signed || *value <= limit) else {
        return Ok(ERANGE);
    };
    let value = if negative {
        value.wrapping_neg()
    } else {
        value
    };
    machine.memory.store(call.args[3], 8, value)?;
    Ok((bytes.len() - rest.len() + digits) as u64)
}
