//! Memory that helpers read and write, and its sizes.
//!
//! An argument that is a size bounds the memory of the argument before it; both ends of what the size
//! can be are checked. Linear in the bytes of stack that a helper may touch, at most 512.

use bpf::helpers::{Access, ArgKind, Helper};
use bpf::program_type::ProgramType;

use super::Walker;
use super::helper::{Meta, writes};
use crate::state::Kind;
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    pub(super) fn use_size(
        &mut self,
        helper: &Helper,
        number: u8,
        zero_ok: bool,
        meta: &mut Meta,
    ) -> Check {
        let value = self.reg(number).value;
        meta.largest = value.umax;
        if value.smin < 0 {
            return refuse_register(
                Rule::ArgumentSize,
                number,
                format!("R{number} min value is negative, either use unsigned or 'var &= const'"),
            );
        }
        if value.umin == 0 && !zero_ok {
            return refuse_register(
                Rule::ArgumentSize,
                number,
                format!(
                    "R{number} invalid zero-sized read: u64=[{},{}]",
                    value.umin, value.umax
                ),
            );
        }
        if value.umax >= MAX_SIZE {
            return refuse_register(
                Rule::ArgumentSize,
                number,
                format!(
                    "R{number} unbounded memory access, use 'var &= const' or 'if (var < const)'"
                ),
            );
        }
        let memory = helper
            .args
            .get(usize::from(number).wrapping_sub(2))
            .map_or(ArgKind::Anything, |argument| argument.kind);
        let mut raw = None;
        let fills = matches!(memory, ArgKind::Mem(Access::Write)) && value.as_const().is_some();
        self.check_helper_memory(
            number - 1,
            value.umax.cast_signed(),
            writes(memory),
            zero_ok,
            fills.then_some(&mut raw),
        )?;
        meta.raw = raw.or(meta.raw);
        self.mark_precise(number)
    }

    /// Memory that a helper accesses. With `raw`, stack of known place is only remembered: the
    /// helper writes it without reading.
    pub(super) fn check_helper_memory(
        &mut self,
        number: u8,
        size: i64,
        write: bool,
        zero_ok: bool,
        raw: Option<&mut Option<(u8, i64)>>,
    ) -> Check {
        let register = *self.reg(number);
        let offset = register.offset;
        match register.kind {
            Kind::Packet(_) | Kind::PacketMeta(_) => {
                self.check_packet(number, offset, size, zero_ok)
            }
            Kind::MapKey(map) => {
                if write {
                    return self.refuse_write(number, register.kind);
                }
                let limit = self.program.map(map.id).def.key_size;
                self.check_region(number, offset.into(), size, limit, false)
            }
            Kind::MapValue {
                map,
                nullable: false,
            } => {
                self.check_map_permission(map, write, offset, size as u32)?;
                self.check_map_value(number, offset.into(), size, zero_ok, false)
            }
            Kind::Memory {
                size: limit,
                nullable: false,
                read_only,
                ..
            } => {
                if read_only && write {
                    return self.refuse_write(number, register.kind);
                }
                self.check_region(number, offset.into(), size, limit, zero_ok)
            }
            Kind::Stack(frame) => {
                self.check_helper_stack(number, usize::from(frame), size, (write, zero_ok), raw)
            }
            Kind::Context if self.program.program_type == ProgramType::Syscall => {
                gap("context of syscall programs as memory")
            }
            _ if zero_ok && size == 0 && register.is_null() => Ok(()),
            kind => refuse_register(
                Rule::ArgumentType,
                number,
                format!("R{number} type={} expected=fp", kind.name()),
            ),
        }
    }

    pub(super) fn check_constant_string(&mut self, number: u8) -> Check {
        let register = *self.reg(number);
        let Kind::MapValue { map, .. } = register.kind else {
            return gap("a string outside of map values");
        };
        let of = self.program.map(map.id);
        if !of.is_constant() {
            return refuse_register(
                Rule::ArgumentValue,
                number,
                format!("R{number} does not point to a readonly map'"),
            );
        }
        let Some(moved) = register.value.as_const() else {
            return refuse_register(
                Rule::ArgumentValue,
                number,
                format!("R{number} is not a constant address'"),
            );
        };
        let size = i64::from(of.def.value_size) - i64::from(register.offset);
        self.check_map_value(number, register.offset.into(), size, false, false)?;
        let of = self.program.map(map.id);
        let start = i64::from(register.offset) + moved.cast_signed();
        let text = of
            .def
            .data
            .as_ref()
            .zip(usize::try_from(start).ok())
            .and_then(|(data, start)| data.get(start..));
        match text {
            Some(text) if text.contains(&0) => Ok(()),
            Some(_) => refuse(Rule::ArgumentValue, "string is not zero-terminated"),
            None => gap("a string whose text is not known"),
        }
    }
}

/// Sizes that are not bounded below this are refused (`BPF_MAX_VAR_SIZ`).
const MAX_SIZE: u64 = 1 << 29;
