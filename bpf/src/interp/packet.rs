//! The packet and the two contexts that describe it: `struct xdp_md` and `struct __sk_buff`.
//!
//! The packet region holds headroom, packet and tailroom; what programs may access is a window in
//! it. Sizes follow what `BPF_PROG_TEST_RUN` sets up (`net/bpf/test_run.c`): 256 bytes of
//! headroom, an XDP frame of a page with room for `skb_shared_info` behind. Programs on layer 3
//! (socket filters, cgroup, lightweight tunnels) see the packet from its network header on.
//!
//! Context fields lie in the context's region as plain numbers in their places of the user-space
//! structure. The pointer fields, four bytes wide there, are computed when loaded.

use crate::program_type::ProgramType;

use super::fault::{AccessKind, Fault, FaultKind};
use super::machine::Options;
use super::memory::{Memory, RegionId, RegionKind, put_number};

/// Bytes before the packet.
pub(super) const HEADROOM: usize = 256;
/// Size of the kernel's `struct xdp_frame`, which headroom always keeps.
const XDP_FRAME: usize = 40;
/// A page, the size of an XDP frame, less `struct skb_shared_info` in cache lines.
const XDP_HARD_END: usize = 4096 - 320;
/// Ethernet header.
pub(super) const ETHERNET: usize = 14;
/// Longest packet of an skb.
pub(super) const SKB_LIMIT: usize = 65_536 + ETHERNET;

/// Offsets in `struct __sk_buff`.
pub(super) mod skb {
    pub(in super::super) const LEN: usize = 0;
    pub(in super::super) const PKT_TYPE: usize = 4;
    pub(in super::super) const PROTOCOL: usize = 16;
    pub(in super::super) const VLAN_PRESENT: usize = 20;
    pub(in super::super) const VLAN_TCI: usize = 24;
    pub(in super::super) const VLAN_PROTO: usize = 28;
    pub(in super::super) const IFINDEX: usize = 40;
    pub(in super::super) const HASH: usize = 68;
    pub(in super::super) const DATA: usize = 76;
    pub(in super::super) const DATA_END: usize = 80;
    pub(in super::super) const FAMILY: usize = 88;
    pub(in super::super) const REMOTE_IP4: usize = 92;
    pub(in super::super) const LOCAL_IP4: usize = 96;
    pub(in super::super) const REMOTE_IP6: usize = 100;
    pub(in super::super) const LOCAL_IP6: usize = 116;
    pub(in super::super) const DATA_META: usize = 140;
    pub(in super::super) const WIRE_LEN: usize = 160;
    pub(in super::super) const SK: usize = 168;
    pub(in super::super) const SIZE: usize = 192;
    /// Ranges of fields that programs may store to.
    pub(in super::super) const WRITABLE: [(usize, usize); 6] = [
        (8, 16),
        (32, 36),
        (44, 68),
        (72, 76),
        (152, 160),
        (164, 168),
    ];
}

/// Size of `struct xdp_md`.
const XDP_MD: usize = 24;
/// Size of `struct bpf_sock`.
const SOCKET: usize = 80;

/// Which structure the context is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextKind {
    /// `struct xdp_md`
    Xdp,
    /// `struct __sk_buff`
    Skb,
    /// Bytes without pointers.
    Plain,
}

impl ContextKind {
    /// The context of programs of this type.
    #[must_use]
    pub fn of(program_type: ProgramType) -> ContextKind {
        match program_type {
            ProgramType::Xdp => ContextKind::Xdp,
            kind if kind.takes_skb() => ContextKind::Skb,
            _ => ContextKind::Plain,
        }
    }
}

/// Whether an skb program sees the Ethernet header.
fn sees_ethernet(program_type: ProgramType) -> bool {
    matches!(program_type, ProgramType::SchedCls | ProgramType::SchedAct)
}

/// The packet's place in its region and the context that describes it.
#[derive(Clone, Debug)]
pub struct Packet {
    pub(super) region: RegionId,
    pub(super) context: RegionId,
    pub(super) socket: RegionId,
    pub(super) kind: ContextKind,
    /// Start of metadata before the packet.
    pub(super) meta: usize,
    /// Start of the packet as the program sees it.
    pub(super) data: usize,
    /// End of the packet.
    pub(super) end: usize,
    /// Start of the Ethernet header.
    pub(super) mac: usize,
    /// Start of the network header.
    pub(super) network: usize,
}

impl Packet {
    /// Sets up a received frame, Ethernet header first.
    pub(super) fn new(
        memory: &mut Memory,
        program_type: ProgramType,
        options: &Options,
        frame: &[u8],
    ) -> Result<Packet, Fault> {
        let kind = ContextKind::of(program_type);
        let end = HEADROOM + frame.len();
        let size = if kind == ContextKind::Xdp {
            XDP_HARD_END.max(end)
        } else {
            end
        };
        let mut bytes = vec![0; size];
        bytes[HEADROOM..end].copy_from_slice(frame);
        let region = memory.add(RegionKind::Packet, true, bytes)?;
        let network = (HEADROOM + ETHERNET).min(end);
        let whole = kind != ContextKind::Skb || sees_ethernet(program_type);
        let data = if whole { HEADROOM } else { network };
        let socket = memory.add(RegionKind::Socket, false, vec![0; SOCKET])?;
        let size = if kind == ContextKind::Xdp {
            XDP_MD
        } else {
            skb::SIZE
        };
        let context = memory.add(RegionKind::Context, true, vec![0; size])?;
        let mac = HEADROOM;
        let packet = Packet {
            region,
            context,
            socket,
            kind,
            meta: data,
            data,
            end,
            mac,
            network,
        };
        match kind {
            ContextKind::Xdp => packet.set_field(memory, 12, 4, u64::from(options.ifindex)),
            ContextKind::Skb | ContextKind::Plain => packet.describe(memory, options, frame),
        }
        packet.publish(memory);
        Ok(packet)
    }

    /// Fills the fields of `struct __sk_buff` that come from the frame.
    fn describe(&self, memory: &mut Memory, options: &Options, frame: &[u8]) {
        let raw = |at: usize, size: usize| {
            let mut bytes = frame.get(at..at + size)?.to_vec();
            if memory.endian() == crate::insn::Endian::Little {
                bytes.reverse();
            }
            Some(
                bytes
                    .iter()
                    .fold(0u64, |value, byte| value << 8 | u64::from(*byte)),
            )
        };
        let protocol = raw(12, 2).unwrap_or(0);
        let kind = match frame.first().copied() {
            Some(0xff) => 1,
            Some(first) if first & 1 != 0 => 2,
            Some(_) if frame.iter().take(6).any(|byte| *byte != 0) => 3,
            _ => 0,
        };
        let mut fields = vec![
            (skb::PKT_TYPE, kind),
            (skb::PROTOCOL, protocol),
            (skb::IFINDEX, u64::from(options.ifindex)),
            (skb::WIRE_LEN, frame.len() as u64),
        ];
        match frame.get(12..14) {
            Some([0x08, 0x00]) => {
                fields.push((skb::FAMILY, 2));
                fields.push((skb::LOCAL_IP4, raw(26, 4).unwrap_or(0)));
                fields.push((skb::REMOTE_IP4, raw(30, 4).unwrap_or(0)));
            }
            Some([0x86, 0xdd]) => {
                fields.push((skb::FAMILY, 10));
                for word in 0..4 {
                    let at = word * 4;
                    fields.push((skb::LOCAL_IP6 + at, raw(22 + at, 4).unwrap_or(0)));
                    fields.push((skb::REMOTE_IP6 + at, raw(38 + at, 4).unwrap_or(0)));
                }
            }
            _ => {}
        }
        for (at, value) in fields {
            self.set_field(memory, at, 4, value);
        }
        let family = self.field(memory, skb::FAMILY, 4);
        let endian = memory.endian();
        if let Some(region) = memory.region_mut(self.socket) {
            put_number(&mut region.bytes[4..8], family, endian);
        }
    }

    /// Makes the window and the length in the context follow the packet's place.
    pub(super) fn publish(&self, memory: &mut Memory) {
        if let Some(region) = memory.region_mut(self.region) {
            region.valid = self.meta.min(self.data)..self.end;
        }
        if self.kind == ContextKind::Skb {
            self.set_field(memory, skb::LEN, 4, (self.end - self.data) as u64);
        }
    }

    /// Sets a context field.
    pub(super) fn set_field(&self, memory: &mut Memory, at: usize, size: usize, value: u64) {
        let endian = memory.endian();
        if let Some(bytes) = memory
            .region_mut(self.context)
            .and_then(|region| region.bytes.get_mut(at..at + size))
        {
            put_number(bytes, value, endian);
        }
    }

    /// Reads a context field.
    pub(super) fn field(&self, memory: &Memory, at: usize, size: usize) -> u64 {
        let bytes = memory.bytes(self.context).get(at..at + size).unwrap_or(&[]);
        super::memory::number(bytes, memory.endian())
    }

    fn pointer(&self, at: usize) -> u64 {
        self.region.address() + at as u64
    }

    /// Loads from the context; pointer fields give pointers.
    pub(super) fn load_context(&self, memory: &Memory, at: usize, size: u64) -> Result<u64, Fault> {
        let pointers = match self.kind {
            ContextKind::Xdp => [
                Some((0, self.data)),
                Some((4, self.end)),
                Some((8, self.meta)),
            ],
            ContextKind::Skb => [
                Some((skb::DATA, self.data)),
                Some((skb::DATA_END, self.end)),
                Some((skb::DATA_META, self.meta)),
            ],
            ContextKind::Plain => [None; 3],
        };
        for (field, place) in pointers.into_iter().flatten() {
            if at == field && size == 4 {
                return Ok(self.pointer(place));
            }
            if at < field + 4 && field < at.saturating_add(size as usize) {
                return Err(no_field(AccessKind::Load, at, size));
            }
        }
        if self.kind == ContextKind::Skb && at == skb::SK && size == 8 {
            return Ok(self.socket.address());
        }
        memory.load(self.context.address() + at as u64, size)
    }

    /// Whether programs may store to these bytes of the context.
    pub(super) fn check_store(&self, at: usize, size: u64) -> Result<(), Fault> {
        let end = at.saturating_add(size as usize);
        let allowed = match self.kind {
            ContextKind::Plain => true,
            ContextKind::Skb => skb::WRITABLE
                .iter()
                .any(|(from, to)| *from <= at && end <= *to),
            ContextKind::Xdp => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(no_field(AccessKind::Store, at, size))
        }
    }

    /// The packet as the program sees it.
    pub(super) fn bytes<'memory>(&self, memory: &'memory Memory) -> &'memory [u8] {
        memory
            .bytes(self.region)
            .get(self.data..self.end)
            .unwrap_or(&[])
    }

    /// The packet's bytes at an offset, to change.
    pub(super) fn bytes_mut<'memory>(
        &self,
        memory: &'memory mut Memory,
        at: usize,
        size: usize,
    ) -> Option<&'memory mut [u8]> {
        let start = self.data.checked_add(at)?;
        let end = start.checked_add(size).filter(|end| *end <= self.end)?;
        memory.region_mut(self.region)?.bytes.get_mut(start..end)
    }

    /// Moves the start of an XDP packet; false when there is no room.
    pub(super) fn adjust_head(&mut self, memory: &mut Memory, by: i64) -> bool {
        let metadata = self.data - self.meta;
        let Some(data) = shifted(self.data, by) else {
            return false;
        };
        if data < XDP_FRAME + metadata || data + ETHERNET > self.end {
            return false;
        }
        if let Some(region) = memory.region_mut(self.region) {
            region
                .bytes
                .copy_within(self.meta..self.data, data - metadata);
        }
        self.meta = data - metadata;
        self.data = data;
        self.publish(memory);
        true
    }

    /// Moves the end of an XDP packet; false when there is no room.
    pub(super) fn adjust_tail(&mut self, memory: &mut Memory, by: i64) -> bool {
        let Some(end) = shifted(self.end, by) else {
            return false;
        };
        let Some(region) = memory.region_mut(self.region) else {
            return false;
        };
        if end > region.bytes.len() || end < self.data + ETHERNET {
            return false;
        }
        if end > self.end {
            region.bytes[self.end..end].fill(0);
        }
        self.end = end;
        self.publish(memory);
        true
    }

    /// Moves the start of the metadata before the packet; `None` when there is no room, `false`
    /// when the size is not one that the kernel accepts.
    pub(super) fn adjust_meta(&mut self, memory: &mut Memory, by: i64) -> Option<bool> {
        let meta = shifted(self.meta, by).filter(|at| *at >= XDP_FRAME && *at <= self.data)?;
        let size = self.data - meta;
        if !size.is_multiple_of(4) || size > 255 {
            return Some(false);
        }
        self.meta = meta;
        self.publish(memory);
        Some(true)
    }

    /// Rebuilds an skb whose bytes from the Ethernet header on become `frame`. Old pointers into
    /// the packet mean nothing afterwards, as after the helpers that do such things.
    pub(super) fn rebuild(&mut self, memory: &mut Memory, frame: &[u8]) {
        let seen = self.data - self.mac;
        let mut bytes = vec![0; HEADROOM];
        bytes.extend_from_slice(frame);
        memory.replace(self.region, bytes);
        self.network = self.network - self.mac + HEADROOM;
        self.mac = HEADROOM;
        self.data = (HEADROOM + seen).min(HEADROOM + frame.len());
        self.meta = self.data;
        self.end = HEADROOM + frame.len();
        self.publish(memory);
    }

    /// Bytes from the Ethernet header on.
    pub(super) fn frame(&self, memory: &Memory) -> Vec<u8> {
        memory
            .bytes(self.region)
            .get(self.mac..self.end)
            .unwrap_or(&[])
            .to_vec()
    }
}

fn shifted(place: usize, by: i64) -> Option<usize> {
    usize::try_from(i64::try_from(place).ok()?.checked_add(by)?).ok()
}

fn no_field(access: AccessKind, at: usize, size: u64) -> Fault {
    FaultKind::Context {
        access,
        offset: at as u64,
        size,
    }
    .into()
}
