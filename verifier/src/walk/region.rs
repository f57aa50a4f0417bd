//! Bounds of accesses to packets, map values, and other memory of known size.

use bpf::program_type::ProgramType;

use super::Walker;
use super::pointer::MAX_OFFSET;
use crate::program::FieldKind;
use crate::state::{Kind, MapRef};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    pub(super) fn refuse_negative<T>(&self, register: u8) -> Check<T> {
        refuse_register(
            Rule::NegativeOffset,
            register,
            format!(
                "R{register} min value is negative, either use unsigned index or do a if \
                 (index >=0) check."
            ),
        )
    }

    /// Whether `size` bytes at a known offset lie in memory of `limit` bytes.
    fn check_bounds(
        &self,
        register: u8,
        offset: i64,
        size: i64,
        limit: u32,
        zero_ok: bool,
    ) -> Check {
        let size_ok = size > 0 || (size == 0 && zero_ok);
        if offset >= 0 && size_ok && offset + size <= limit.into() {
            return Ok(());
        }
        let pointer = self.reg(register);
        let (rule, text) = match pointer.kind {
            Kind::MapKey(_) => (
                Rule::MemoryBounds,
                format!("invalid access to map key, key_size={limit} off={offset} size={size}"),
            ),
            Kind::MapValue { .. } => (
                Rule::MapValueBounds,
                format!("invalid access to map value, value_size={limit} off={offset} size={size}"),
            ),
            Kind::Packet(_) | Kind::PacketMeta(_) | Kind::PacketEnd => (
                Rule::PacketBounds,
                format!(
                    "invalid access to packet, off={offset} size={size}, \
                     R{register}(id={},off={offset},r={limit})",
                    pointer.id
                ),
            ),
            _ => (
                Rule::MemoryBounds,
                format!("invalid access to memory, mem_size={limit} off={offset} size={size}"),
            ),
        };
        refuse_register(rule, register, text)
    }

    /// Whether `size` bytes at any possible offset of a pointer lie in memory of `limit` bytes.
    pub(super) fn check_region(
        &self,
        register: u8,
        offset: i64,
        size: i64,
        limit: u32,
        zero_ok: bool,
    ) -> Check {
        let value = self.reg(register).value;
        if value.smin < 0 {
            let least = value.smin.checked_add(offset);
            if least.is_none_or(|least| i32::try_from(least).is_err() || least < 0) {
                return self.refuse_negative(register);
            }
        }
        let least = value.smin.saturating_add(offset);
        let outside =
            |end: &str| format!("R{register} {end} value is outside of the allowed memory range");
        self.check_bounds(register, least, size, limit, zero_ok)
            .map_err(|stop| stop.and(outside("min")))?;
        if value.umax >= MAX_OFFSET as u64 {
            return refuse_register(
                Rule::UnboundedOffset,
                register,
                format!(
                    "R{register} unbounded memory access, make sure to bounds check any such access"
                ),
            );
        }
        let most = value.umax.cast_signed() + offset;
        self.check_bounds(register, most, size, limit, zero_ok)
            .map_err(|stop| stop.and(outside("max")))
    }

    pub(super) fn check_map_permission(
        &self,
        map: MapRef,
        write: bool,
        offset: i32,
        size: u32,
    ) -> Check {
        let of = self.program.map(map.id);
        let (allowed, what) = if write {
            (of.can_write(), "write into")
        } else {
            (of.can_read(), "read from")
        };
        if allowed {
            return Ok(());
        }
        refuse(
            Rule::MapPermission,
            format!(
                "{what} map forbidden, value_size={} off={offset} size={size}",
                of.def.value_size
            ),
        )
    }

    /// An access to a map's value; special fields are out of bounds.
    pub(super) fn check_map_value(
        &self,
        register: u8,
        offset: i64,
        size: i64,
        zero_ok: bool,
        direct: bool,
    ) -> Check {
        let pointer = self.reg(register);
        let Kind::MapValue { map, .. } = pointer.kind else {
            return gap("a map value of another kind");
        };
        let of = self.program.map(map.id);
        self.check_region(register, offset, size, of.def.value_size, zero_ok)?;
        for field in &of.record.fields {
            let (from, to) = (
                i64::from(field.offset),
                i64::from(field.offset) + i64::from(field.size),
            );
            let least = pointer.value.smin.saturating_add(offset);
            let most = pointer
                .value
                .umax
                .cast_signed()
                .saturating_add(offset + size);
            if least >= to || from >= most {
                continue;
            }
            if field.kind != FieldKind::Pointer {
                return refuse_register(
                    Rule::SpecialField,
                    register,
                    format!(
                        "{} cannot be accessed directly by load/store",
                        field.kind.name()
                    ),
                );
            }
            if !direct {
                return refuse_register(
                    Rule::SpecialField,
                    register,
                    "kptr cannot be accessed indirectly by helper",
                );
            }
            let Some(known) = pointer.value.as_const() else {
                return refuse_register(
                    Rule::SpecialField,
                    register,
                    "kptr access cannot have variable offset",
                );
            };
            let place = known.cast_signed() + offset;
            if place != from {
                return refuse_register(
                    Rule::SpecialField,
                    register,
                    format!("kptr access misaligned expected={from} off={place}"),
                );
            }
            if size != 8 {
                return refuse_register(
                    Rule::SpecialField,
                    register,
                    "kptr access size must be BPF_DW",
                );
            }
        }
        Ok(())
    }

    /// Whether the program type gives access to the packet by pointer.
    pub(super) fn may_access_packet(&self, write: bool) -> bool {
        use ProgramType::*;
        match self.program.program_type {
            LwtIn | LwtOut | LwtSeg6local | SkReuseport | FlowDissector | CgroupSkb => !write,
            SchedCls | SchedAct | Xdp | LwtXmit | SkSkb | SkMsg | CgroupSockopt => true,
            _ => false,
        }
    }

    pub(super) fn check_packet(
        &self,
        register: u8,
        offset: i32,
        size: i64,
        zero_ok: bool,
    ) -> Check {
        let pointer = self.reg(register);
        if pointer.value.smin < 0 {
            return self.refuse_negative(register);
        }
        let range = pointer.kind.range().unwrap_or(0);
        let Ok(limit) = u32::try_from(range) else {
            return refuse_register(
                Rule::PacketBounds,
                register,
                format!("R{register} offset is outside of the packet"),
            );
        };
        self.check_bounds(register, offset.into(), size, limit, zero_ok)
            .map_err(|stop| stop.and(format!("R{register} offset is outside of the packet")))
    }
}
