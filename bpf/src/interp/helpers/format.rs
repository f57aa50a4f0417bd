//! The kernel's `printf` formats as far as `bpf_bprintf_prepare` takes them.

use crate::interp::machine::Machine;

use super::trace::text;

/// Longest output.
const LIMIT: usize = 1024;

/// Formats; `None` for what the kernel refuses.
pub(super) fn format(machine: &Machine, form: &[u8], values: &[u64]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut values = values.iter().copied();
    let end = form
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(form.len());
    let mut rest = &form[..end];
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        if let Some((b'%', tail)) = rest.split_first() {
            out.push(b'%');
            rest = tail;
            continue;
        }
        let flags = rest
            .iter()
            .take_while(|byte| b"-+ #0".contains(byte))
            .count();
        let (flags, tail) = rest.split_at(flags);
        let digits = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let width: usize = std::str::from_utf8(&tail[..digits])
            .ok()?
            .parse()
            .unwrap_or(0);
        let tail = &tail[digits..];
        let long = tail.iter().take_while(|byte| **byte == b'l').count();
        let (conversion, tail) = tail.get(long..)?.split_first()?;
        rest = tail;
        let value = values.next().unwrap_or(0);
        let narrow = if long == 0 {
            value & 0xffff_ffff
        } else {
            value
        };
        let piece = match conversion {
            b'd' | b'i' if long == 0 => (narrow as u32).cast_signed().to_string(),
            b'd' | b'i' => narrow.cast_signed().to_string(),
            b'u' => narrow.to_string(),
            b'x' if flags.contains(&b'#') => format!("{narrow:#x}"),
            b'x' => format!("{narrow:x}"),
            b'X' => format!("{narrow:X}"),
            b'c' => char::from((value & 0x7f) as u8).to_string(),
            b'p' => {
                // What kind of address follows does not matter: it is none of the kernel's.
                let kind = rest
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric())
                    .count();
                rest = &rest[kind..];
                format!("{value:016x}")
            }
            b's' => {
                let bytes = text(machine, value, LIMIT as u64).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            _ => return None,
        };
        let width = width.min(LIMIT);
        let padded = match (flags.contains(&b'-'), flags.contains(&b'0')) {
            (true, _) => format!("{piece:<width$}"),
            (false, true) => format!("{piece:0>width$}"),
            (false, false) => format!("{piece:>width$}"),
        };
        out.extend_from_slice(padded.as_bytes());
        if out.len() > LIMIT {
            out.truncate(LIMIT);
            return Some(out);
        }
    }
    Some(out)
}
