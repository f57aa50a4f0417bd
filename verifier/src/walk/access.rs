//! What may be read and written of the context, of map values, sockets and buffers.
//!
//! Each access is checked once, in constant time; tables of fields are those of the program type.

use super::Walker;
use super::memory::{Access, Operation};
use crate::context::{self, Field};
use crate::program::FieldKind;
use crate::state::{Kind, Register};
use crate::stop::{Check, gap, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    /// Accesses the context; gives what was loaded if it is not an ordinary number.
    pub(super) fn access_context(
        &mut self,
        pointer: &Register,
        access: Access,
    ) -> Check<Option<Register>> {
        self.check_unmoved(pointer, access.base, pointer.kind, false)?;
        let signed = matches!(access.operation, Operation::Load { signed: true, .. });
        let wanted = context::Access {
            offset: access.offset.into(),
            size: access.size.into(),
            write: access.operation.is_store(),
            signed,
        };
        let kind = self.program.program_type;
        let field = match self.options.offloaded && context::is_written_on_device(kind, wanted) {
            true => Field::Number,
            false => context::access(kind, self.program.attach_type, wanted),
        };
        match field {
            Field::Refused => refuse_register(
                Rule::ContextAccess,
                access.base,
                format!(
                    "invalid bpf_context access off={} size={}",
                    access.offset, access.size
                ),
            ),
            Field::Number => Ok(None),
            Field::Unmodelled(what) => gap(what),
            Field::Pointer(kind) => {
                let id = if kind.is_nullable() { self.new_id() } else { 0 };
                Ok(Some(Register {
                    id,
                    ..Register::pointer(kind)
                }))
            }
        }
    }

    /// Accesses a map's value; gives what was loaded if it is known.
    pub(super) fn access_map_value(
        &mut self,
        pointer: &Register,
        map: crate::state::MapRef,
        access: Access,
    ) -> Check<Option<u64>> {
        let program = self.program;
        let of = program.map(map.id);
        self.check_map_permission(map, access.operation.is_store(), access.offset, access.size)?;
        self.check_map_value(
            access.base,
            access.offset.into(),
            access.size.into(),
            false,
            true,
        )?;
        let place = i64::from(access.offset) + pointer.value.bits.value.cast_signed();
        let is_pointer_field =
            pointer.value.as_const().is_some()
                && of.record.fields.iter().any(|field| {
                    field.kind == FieldKind::Pointer && i64::from(field.offset) == place
                });
        if is_pointer_field {
            return gap("kernel pointers in map values");
        }
        let loads = matches!(access.operation, Operation::Load { dst: Some(_), .. });
        if !loads || pointer.value.as_const().is_none() || !of.is_constant() {
            return Ok(None);
        }
        if self.options.loader_decides {
            return Ok(None);
        }
        if of.of_kernel {
            self.assume("a value of the kernel's configuration");
            return Ok(None);
        }
        self.reads_constants = true;
        Ok(of.constant(place, access.size, self.big_endian))
    }

    pub(super) fn access_socket(
        &self,
        pointer: &Register,
        kind: crate::state::SocketKind,
        access: Access,
    ) -> Check {
        if pointer.value.smin < 0 {
            return self.refuse_negative(access.base);
        }
        let allowed = context::socket_field(
            kind,
            context::Access {
                offset: access.offset.into(),
                size: access.size.into(),
                write: false,
                signed: false,
            },
        );
        if allowed {
            return Ok(());
        }
        refuse_register(
            Rule::SocketAccess,
            access.base,
            format!(
                "R{} invalid {} access off={} size={}",
                access.base,
                pointer.kind.name(),
                access.offset,
                access.size
            ),
        )
    }

    pub(super) fn check_buffer(&self, pointer: &Register, what: &str, access: Access) -> Check {
        if access.offset < 0 {
            return refuse_register(
                Rule::BufferAccess,
                access.base,
                format!(
                    "R{} invalid {what} buffer access: off={}, size={}",
                    access.base, access.offset, access.size
                ),
            );
        }
        if !pointer.value.is_zero() {
            return refuse_register(
                Rule::BufferAccess,
                access.base,
                format!(
                    "R{} invalid variable buffer offset: off={}, var_off={}",
                    access.base, access.offset, pointer.value.bits
                ),
            );
        }
        Ok(())
    }

    /// The pointer must be as it was given, or at most moved by a constant.
    pub(super) fn check_unmoved(
        &self,
        pointer: &Register,
        register: u8,
        kind: Kind,
        moved_ok: bool,
    ) -> Check {
        let name = kind.name();
        let offset = pointer.offset;
        if offset < 0 {
            return refuse_register(
                Rule::ModifiedContext,
                register,
                format!("negative offset {name} ptr R{register} off={offset} disallowed"),
            );
        }
        if !moved_ok && offset != 0 {
            return refuse_register(
                Rule::ModifiedContext,
                register,
                format!("dereference of modified {name} ptr R{register} off={offset} disallowed"),
            );
        }
        if !pointer.value.is_zero() {
            return refuse_register(
                Rule::ModifiedContext,
                register,
                format!(
                    "variable {name} access var_off={} disallowed",
                    pointer.value.bits
                ),
            );
        }
        Ok(())
    }
}
