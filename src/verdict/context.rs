//! Fields of contexts by name: which of them a refused access meant, and how it lies.
//!
//! The two contexts of packet programs, as `include/uapi/linux/bpf.h` declares them. Others are told
//! about in general.

use bpf::insn::Insn;
use bpf::program_type::ProgramType;

/// A structure: its name, and name, offset and bytes of each field.
type Structure = (&'static str, &'static [(&'static str, i64, i64)]);

const XDP_MD: Structure = (
    "xdp_md",
    &[
        ("data", 0, 4),
        ("data_end", 4, 4),
        ("data_meta", 8, 4),
        ("ingress_ifindex", 12, 4),
        ("rx_queue_index", 16, 4),
        ("egress_ifindex", 20, 4),
    ],
);

const SK_BUFF: Structure = (
    "__sk_buff",
    &[
        ("len", 0, 4),
        ("pkt_type", 4, 4),
        ("mark", 8, 4),
        ("queue_mapping", 12, 4),
        ("protocol", 16, 4),
        ("vlan_present", 20, 4),
        ("vlan_tci", 24, 4),
        ("vlan_proto", 28, 4),
        ("priority", 32, 4),
        ("ingress_ifindex", 36, 4),
        ("ifindex", 40, 4),
        ("tc_index", 44, 4),
        ("cb", 48, 20),
        ("hash", 68, 4),
        ("tc_classid", 72, 4),
        ("data", 76, 4),
        ("data_end", 80, 4),
        ("napi_id", 84, 4),
        ("family", 88, 4),
        ("remote_ip4", 92, 4),
        ("local_ip4", 96, 4),
        ("remote_ip6", 100, 16),
        ("local_ip6", 116, 16),
        ("remote_port", 132, 4),
        ("local_port", 136, 4),
        ("data_meta", 140, 4),
        ("flow_keys", 144, 8),
        ("tstamp", 152, 8),
        ("wire_len", 160, 4),
        ("gso_segs", 164, 4),
        ("sk", 168, 8),
        ("gso_size", 176, 4),
        ("tstamp_type", 180, 1),
        ("hwtstamp", 184, 8),
    ],
);

/// The structure and the field that a byte of a packet program's context belongs to.
pub fn field(kind: ProgramType, offset: i64) -> Option<(&'static str, &'static str)> {
    let (structure, fields) = match kind {
        ProgramType::Xdp => XDP_MD,
        kind if kind.takes_skb() => SK_BUFF,
        _ => return None,
    };
    let (name, ..) = fields
        .iter()
        .find(|one| (one.1..one.1 + one.2).contains(&offset))?;
    Some((structure, name))
}

/// Reason and suggestion for an access of `size` bytes at `offset`, where it is a field's.
pub(super) fn explain(
    kind: ProgramType,
    insn: Option<Insn>,
    offset: i64,
    size: i64,
) -> Option<(String, Option<String>)> {
    let (structure, fields) = match kind {
        ProgramType::Xdp => XDP_MD,
        kind if kind.takes_skb() => SK_BUFF,
        _ => return None,
    };
    let (base, writes) = match insn? {
        Insn::Load { base, .. } => (base, false),
        Insn::Store { base, .. } => (base, true),
        _ => return None,
    };
    let (verb, whole) = if writes {
        ("writes", "write")
    } else {
        ("reads", "read")
    };
    let held = |one: &&(&str, i64, i64)| (one.1..one.1 + one.2).contains(&offset);
    let Some(&(name, from, bytes)) = fields.iter().find(held) else {
        let end = fields.last().map_or(0, |one| one.1 + one.2);
        let reason = if offset >= end {
            format!("struct {structure} ends after {end} bytes")
        } else {
            format!("no field of struct {structure} lies at byte {offset}")
        };
        return Some((reason, None));
    };
    let unit = if bytes > 8 { 4 } else { bytes };
    let fits = offset % size == 0 && size <= unit && offset + size <= from + bytes;
    if fits && (size == unit || writes) {
        let reason = format!("programs of this type cannot {whole} `{name}` of struct {structure}");
        return Some((
            reason,
            Some("use what this type of program has instead".to_owned()),
        ));
    }
    let at = from + (offset - from) / unit * unit;
    Some((
        format!(
            "`{name}` of struct {structure} has {bytes} bytes from {from}, and this {verb} {size} at {offset}"
        ),
        Some(format!(
            "{whole} it whole, as in `*(u{} *)({base} + {at})`",
            unit * 8
        )),
    ))
}

#[cfg(test)]
mod tests {
    use super::explain;
    use bpf::insn::{Insn, MemWidth, Reg};
    use bpf::program_type::ProgramType;

    #[test]
    fn fields_are_named() {
        let load = |offset| Insn::Load {
            width: MemWidth::B8,
            signed: false,
            dst: Reg(2),
            base: Reg(1),
            offset,
        };
        let of = |offset: i16, size| {
            explain(ProgramType::Xdp, Some(load(offset)), offset.into(), size)
                .map(|(reason, _)| reason)
                .unwrap_or_default()
        };
        assert!(of(4, 8).contains("`data_end` of struct xdp_md has 4 bytes from 4"));
        assert!(of(24, 4).contains("ends after 24 bytes"));
        assert!(of(20, 4).contains("cannot read `egress_ifindex`"));
    }
}
