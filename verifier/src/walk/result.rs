//! What is known of the result of a helper.
//!
//! The kind comes from the helper's prototype, the bounds from the kernel's special cases. Constant time,
//! but for a key on the stack, whose bytes are looked at.

use bpf::helpers::{Helper, HelperFlags, ReturnKind};
use bpf::maps::MapKind;

use super::Walker;
use super::helper::Meta;
use crate::program::{FieldKind, Program};
use crate::state::{Kind, MapRef, Register, SocketKind};
use crate::stop::{Check, gap};

impl Walker<'_> {
    pub(super) fn set_result(&mut self, helper: &Helper, name: &str, meta: &Meta) -> Check {
        let nullable = helper.returns_null && !meta.found;
        let socket = |kind| Register::pointer(Kind::Socket { kind, nullable });
        let mut result = match helper.returns {
            ReturnKind::Integer => Register::UNKNOWN,
            ReturnKind::Void => Register::UNSET,
            ReturnKind::MapValue => match meta.map {
                Some(map) => Register::pointer(Kind::MapValue { map, nullable }),
                None => return gap(format!("helper {name} without a map")),
            },
            ReturnKind::Socket => socket(SocketKind::Full),
            ReturnKind::SockCommon => socket(SocketKind::Common),
            ReturnKind::TcpSock => socket(SocketKind::Tcp),
            ReturnKind::RingbufMem => Register::pointer(Kind::Memory {
                size: meta.size,
                nullable,
                read_only: false,
                ringbuf: true,
            }),
            ReturnKind::DynptrMem => {
                let found = meta.dynptr;
                Register {
                    dynptr: found.map_or(0, |found| found.id),
                    reference: meta.reference,
                    ..Register::pointer(Kind::Memory {
                        size: meta.size,
                        nullable,
                        read_only: false,
                        ringbuf: false,
                    })
                }
            }
            ReturnKind::PercpuMem | ReturnKind::BtfId(_) | ReturnKind::KptrObject => {
                return gap(format!("result of helper {name}"));
            }
        };
        if let Kind::MapValue {
            map,
            nullable: false,
        } = result.kind
        {
            let of = self.program.map(map.id);
            if of.def.kind.holds_maps() {
                result.kind = found(
                    self.program,
                    Kind::MapValue {
                        map,
                        nullable: true,
                    },
                    0,
                );
            }
            if super::lock::may_hold_lock(self.program, result.kind) {
                result.id = self.new_id();
            }
        }
        if let Some(map) = meta.map
            && matches!(result.kind, Kind::MapValue { .. })
        {
            let of = self.program.map(map.id);
            if of.def.kind.holds_maps() && of.inner.is_none() {
                return gap("a map of maps whose inner maps are not defined");
            }
        }
        if result.kind.is_nullable() {
            result.id = self.new_id();
        }
        let map_kind = meta.map.map(|map| self.program.map(map.id).def.kind);
        let acquires = helper.flags.contains(HelperFlags::ACQUIRES)
            || (helper.name == "map_lookup_elem"
                && matches!(map_kind, Some(MapKind::Sockmap | MapKind::Sockhash)));
        let casts = matches!(helper.name, "tcp_sock" | "sk_fullsock");
        if casts {
            result.reference = meta.reference;
        } else if acquires {
            let id = self.new_id();
            self.hold(id)?;
            (result.id, result.reference) = (id, id);
        }
        self.refine_result(helper, meta, &mut result)?;
        self.set(0, result);
        Ok(())
    }

    fn refine_result(&self, helper: &Helper, meta: &Meta, result: &mut Register) -> Check {
        const MAX_ERROR: i64 = 4095;
        match helper.name {
            "get_stack"
            | "get_task_stack"
            | "probe_read_str"
            | "probe_read_kernel_str"
            | "probe_read_user_str" => {
                let most = i64::try_from(meta.largest).unwrap_or(i64::MAX);
                result.value.smax = most;
                result.value.smax32 = most as i32;
                result.value.smin = -MAX_ERROR;
                result.value.smin32 = -MAX_ERROR as i32;
                result.value.sync();
            }
            "get_smp_processor_id" => {
                const MOST: u32 = 8192;
                let processors = match self.options.processors {
                    0 => MOST,
                    known => known.min(MOST),
                };
                let last = processors - 1;
                result.value.umax = last.into();
                result.value.umax32 = last;
                result.value.smin = 0;
                result.value.smax = last.into();
                result.value.smin32 = 0;
                result.value.smax32 = last.cast_signed();
                result.value.sync();
            }
            _ => {}
        }
        self.settle(result, "retval")
    }

    /// Whether a lookup in an array has a known key below its length.
    pub(super) fn finds_key(&mut self, map: MapRef, register: u8) -> Check<bool> {
        if !self.options.kernel.knows_array_lookups_succeed() {
            return Ok(false);
        }
        let def = &self.program.map(map.id).def;
        let entries = u64::from(def.max_entries);
        if !matches!(def.kind, MapKind::Array | MapKind::PercpuArray) || def.key_size != 4 {
            return Ok(false);
        }
        let key = *self.reg(register);
        let (Kind::Stack(frame), Some(moved)) = (key.kind, key.value.as_const()) else {
            return Ok(false);
        };
        let offset = i64::from(key.offset) + moved.cast_signed();
        let (index, byte) = super::stack::place(offset);
        let frame = usize::from(frame);
        let Some(slot) = self
            .state
            .frames
            .get(frame)
            .and_then(|one| one.stack.get(index))
        else {
            return Ok(false);
        };
        let zeroes =
            (0..4).all(|at| byte >= at && slot.bytes[byte - at] == crate::state::Byte::Zero);
        if zeroes {
            return Ok(entries > 0);
        }
        // As much of a spill as the key is long, to its end: the kernel takes it for all of the number.
        let spilled = (0..=byte)
            .rev()
            .take_while(|at| slot.bytes[*at] == crate::state::Byte::Spill);
        let whole = slot.is_spilled_scalar() && spilled.count() == 4;
        let number = slot.spilled.value.as_const();
        let Some(number) = number.filter(|_| whole) else {
            return Ok(false);
        };
        // Whether it is found or not: the kernel depends on it either way.
        self.mark_slot_precise(frame, index)?;
        Ok(number < entries)
    }
}

/// The kind of a lookup's result once it is known not to be null.
pub(super) fn found(program: &Program, kind: Kind, id: u32) -> Kind {
    let Kind::MapValue {
        map,
        nullable: true,
    } = kind
    else {
        return kind.not_null();
    };
    let of = program.map(map.id);
    if let Some(inner) = of.inner {
        let record = &program.map(inner).record;
        let tells_apart = record.has(FieldKind::Timer) || record.has(FieldKind::Workqueue);
        return Kind::MapPtr(MapRef {
            id: inner,
            uid: if tells_apart { id } else { 0 },
        });
    }
    let socket = |kind| Kind::Socket {
        kind,
        nullable: false,
    };
    match of.def.kind {
        MapKind::Xskmap => socket(SocketKind::Xdp),
        MapKind::Sockmap | MapKind::Sockhash => socket(SocketKind::Full),
        _ => kind.not_null(),
    }
}
