//! Alignment of accesses.

use super::Walker;
use super::memory::Access;
use crate::domain::Tnum;
use crate::state::{Kind, Register};
use crate::stop::{Check, refuse_register};
use crate::verdict::Rule;

impl Walker<'_> {
    /// The access must be aligned to its size where that is asked for: always on the stack and for
    /// atomics, else on machines that need it.
    pub(super) fn check_alignment(&self, pointer: &Register, access: &Access) -> Check {
        let size = access.size;
        let strict = self.options.strict_alignment || access.aligned;
        let (name, strict) = match pointer.kind {
            Kind::Packet(_) | Kind::PacketMeta(_) => {
                // Network headers begin two bytes past a multiple of four.
                let place = i64::from(pointer.offset) + i64::from(access.offset) + 2;
                let bits = pointer.value.bits + Tnum::constant(place.cast_unsigned());
                if !strict || size == 1 || bits.is_aligned(size.into()) {
                    return Ok(());
                }
                return refuse_register(
                    Rule::Misaligned,
                    access.base,
                    format!(
                        "misaligned packet access off 2+{}+{}+{} size {size}",
                        pointer.value.bits, pointer.offset, access.offset
                    ),
                );
            }
            Kind::FlowKeys => ("flow keys ", strict),
            Kind::MapKey(_) => ("key ", strict),
            Kind::MapValue {
                nullable: false, ..
            } => ("value ", strict),
            Kind::Context => ("context ", strict),
            Kind::Stack(_) => ("stack ", true),
            Kind::Socket {
                nullable: false,
                kind,
            } => match kind {
                crate::state::SocketKind::Full => ("sock ", strict),
                crate::state::SocketKind::Common => ("sock_common ", strict),
                crate::state::SocketKind::Tcp => ("tcp_sock ", strict),
                crate::state::SocketKind::Xdp => ("xdp_sock ", strict),
            },
            _ => ("", strict),
        };
        let place = i64::from(pointer.offset) + i64::from(access.offset);
        let bits = pointer.value.bits + Tnum::constant(place.cast_unsigned());
        if !strict || size == 1 || bits.is_aligned(size.into()) {
            return Ok(());
        }
        refuse_register(
            Rule::Misaligned,
            access.base,
            format!(
                "misaligned {name}access off {}+{}+{} size {size}",
                pointer.value.bits, pointer.offset, access.offset
            ),
        )
    }
}
