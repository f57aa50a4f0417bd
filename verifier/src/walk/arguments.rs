//! Arguments of helpers.

use bpf::helpers::{Access, Arg, ArgKind, Helper, HelperFlags};
use bpf::insn::Reg;

use super::Walker;
use super::helper::{Meta, writes};
use crate::state::{DynptrKind, Kind, Register};
use crate::stop::{Check, refuse, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    pub(super) fn check_argument(
        &mut self,
        helper: &Helper,
        number: u8,
        argument: Arg,
        meta: &mut Meta,
    ) -> Check {
        if argument.kind == ArgKind::Unchecked {
            return Ok(());
        }
        self.check_readable(Reg(number))?;
        if argument.kind == ArgKind::Anything {
            return Ok(());
        }
        let register = *self.reg(number);
        if self.is_socket_value(argument.kind, meta) {
            return self.check_socket_value(number, meta);
        }
        let packet_ok = helper.flags.contains(HelperFlags::TAKES_PACKET);
        if register.kind.is_packet_or_end() && !(packet_ok && self.may_access_packet(false)) {
            return refuse_register(
                Rule::ArgumentType,
                number,
                "helper access to the packet is not allowed",
            );
        }
        if register.is_null() && argument.nullable {
            self.mark_precise(number)?;
        } else {
            self.check_argument_type(number, argument, helper)?;
            let memory = matches!(
                argument.kind,
                ArgKind::Mem(_) | ArgKind::FixedMem(..) | ArgKind::MapValue(_)
            );
            if argument.nullable && memory {
                // What may be null fits, and is from here on checked as if it were not.
                self.reg_mut(number).kind = register.kind.not_null();
            }
            if argument.kind == ArgKind::Dynptr && argument.releases {
                // Its offset is checked with its slots.
            } else if argument.releases {
                if register.offset != 0 && !register.is_scalar() {
                    return refuse_register(
                        Rule::NotAcquired,
                        number,
                        format!(
                            "R{number} must have zero offset when passed to release func or \
                             trusted arg to kfunc"
                        ),
                    );
                }
                self.check_unmoved_pointer(number)?;
            } else {
                self.check_argument_offset(number)?;
            }
        }
        if argument.releases && argument.kind != ArgKind::Dynptr {
            if register.reference == 0 && !register.is_null() {
                return refuse_register(
                    Rule::NotAcquired,
                    number,
                    format!("R{number} must be referenced when passed to release function"),
                );
            }
            meta.released = Some(number);
        }
        if register.reference != 0 {
            meta.reference = register.reference;
        }
        self.use_argument(helper, number, argument, meta)
    }

    /// What the argument does.
    fn use_argument(
        &mut self,
        helper: &Helper,
        number: u8,
        argument: Arg,
        meta: &mut Meta,
    ) -> Check {
        let register = *self.reg(number);
        match argument.kind {
            ArgKind::ConstMapPtr => self.use_map(register, meta),
            ArgKind::MapKey => self.use_key(helper, number, meta),
            ArgKind::MapValue(access) => {
                if argument.nullable && register.is_null() {
                    return Ok(());
                }
                let Some(map) = meta.map else {
                    return refuse(Rule::ArgumentValue, "invalid map_ptr to access map->value");
                };
                let of = &self.program.map(map.id).def;
                let size = i64::from(of.value_size);
                let mut raw = None;
                let raw_mode = (access == Access::Write).then_some(&mut raw);
                self.check_helper_memory(number, size, writes(argument.kind), false, raw_mode)?;
                meta.raw = raw.or(meta.raw);
                Ok(())
            }
            ArgKind::FixedMem(size, access) => {
                let mut raw = None;
                let raw_mode = (access == Access::Write).then_some(&mut raw);
                self.check_helper_memory(
                    number,
                    size.into(),
                    writes(argument.kind),
                    false,
                    raw_mode,
                )?;
                meta.raw = raw.or(meta.raw);
                if access == Access::Read {
                    return Ok(());
                }
                // What is written there is a number of the kernel's.
                let whole = super::memory::Access {
                    base: number,
                    offset: 0,
                    size,
                    operation: super::memory::Operation::Load {
                        dst: None,
                        signed: false,
                    },
                    aligned: true,
                };
                self.check_alignment(&register, &whole)
            }
            ArgKind::ConstSize | ArgKind::ConstSizeOrZero => {
                let zero_ok = argument.kind == ArgKind::ConstSizeOrZero;
                self.use_size(helper, number, zero_ok, meta)
            }
            ArgKind::ConstAllocSize => {
                let Some(size) = register.value.as_const() else {
                    return refuse_register(
                        Rule::ArgumentNotConstant,
                        number,
                        format!("R{number} is not a known constant'"),
                    );
                };
                meta.size = size as u32;
                self.mark_precise(number)
            }
            ArgKind::CallbackFn => {
                if let Kind::Function(function) = register.kind {
                    meta.callback = Some(function as usize);
                }
                Ok(())
            }
            ArgKind::Timer => {
                self.check_field(number, crate::program::FieldKind::Timer)?;
                if let Kind::MapValue { map, .. } = register.kind {
                    meta.map = Some(map);
                }
                Ok(())
            }
            ArgKind::ConstStr => self.check_constant_string(number),
            ArgKind::Dynptr => self.use_dynptr(helper, number, argument.releases, meta),
            ArgKind::DynptrUninit => {
                let kind = if helper.name == "dynptr_from_mem" {
                    DynptrKind::Local
                } else {
                    DynptrKind::Ringbuf
                };
                self.make_dynptr(number, kind, 0)
            }
            _ => Ok(()),
        }
    }

    fn use_dynptr(
        &mut self,
        helper: &Helper,
        number: u8,
        releases: bool,
        meta: &mut Meta,
    ) -> Check {
        if releases {
            return self.give_dynptr(number);
        }
        let found = self.dynptr(number, None)?;
        meta.dynptr = Some(found);
        if helper.name == "dynptr_data" {
            meta.reference = found.reference;
        }
        Ok(())
    }

    fn use_map(&self, register: Register, meta: &mut Meta) -> Check {
        let Kind::MapPtr(map) = register.kind else {
            return Ok(());
        };
        if let Some(of_timer) = meta.map
            && of_timer != map
        {
            return refuse(
                Rule::ArgumentValue,
                format!(
                    "timer pointer in R1 map_uid={} doesn't match map pointer in R2 map_uid={}",
                    of_timer.uid, map.uid
                ),
            );
        }
        meta.map = Some(map);
        Ok(())
    }

    fn use_key(&mut self, helper: &Helper, number: u8, meta: &mut Meta) -> Check {
        let Some(map) = meta.map else {
            return refuse(Rule::ArgumentValue, "invalid map_ptr to access map->key");
        };
        // Each depends on a known key, though only a lookup has a use for it.
        let found = self.finds_key(map, number)? && helper.name == "map_lookup_elem";
        let size = i64::from(self.program.map(map.id).def.key_size);
        self.check_helper_memory(number, size, false, false, None)?;
        meta.found = found;
        Ok(())
    }
}
