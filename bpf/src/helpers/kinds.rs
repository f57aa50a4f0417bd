//! What the table says of a helper.

use bitflags::bitflags;

/// What a helper does with memory behind a pointer argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only reads; all bytes must be initialised.
    Read,
    /// Only writes; the bytes need not be initialised before (since 4.9 for most helpers).
    Write,
    /// Reads and writes.
    ReadWrite,
}

/// Kind of an argument, after the kernel's `enum bpf_arg_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgKind {
    /// Any initialised value.
    Anything,
    /// A number, not a pointer.
    Scalar,
    /// Handed over when set, but the kernel's verifier does not look at it: it may as well be
    /// unset (the values for a format string, for example).
    Unchecked,
    /// A map.
    ConstMapPtr,
    /// Points to a key of the map in an earlier argument; read.
    MapKey,
    /// Points to a value of the map in an earlier argument.
    MapValue(Access),
    /// Points to as many bytes as the next [`ArgKind::ConstSize`] argument says.
    Mem(Access),
    /// Points to this many bytes.
    FixedMem(u32, Access),
    /// Size of the memory in the argument before, not zero.
    ConstSize,
    /// Size of the memory in the argument before.
    ConstSizeOrZero,
    /// Size of the memory that the helper returns.
    ConstAllocSize,
    /// The program's context, unmodified.
    Ctx,
    /// The context, or a socket in program types whose context has none.
    CtxOrSocket,
    /// Points into the stack, handed on to the callback.
    Stack,
    /// Address of a subprogram.
    CallbackFn,
    /// Points to a `struct bpf_spin_lock` in a map value or object.
    SpinLock,
    /// Points to a `struct bpf_timer` in a map value.
    Timer,
    /// Points to a dynptr on the stack, which the helper reads.
    Dynptr,
    /// Points to stack that becomes a dynptr.
    DynptrUninit,
    /// A full socket.
    Socket,
    /// Any socket, kernel or mirrored.
    SockCommon,
    /// Memory reserved in a ring buffer.
    RingbufMem,
    /// Kernel structure of this type, by BTF.
    BtfId(&'static str),
    /// Per-CPU kernel variable, by BTF.
    PercpuBtfId,
    /// Zero-terminated text in read-only data.
    ConstStr,
    /// Points to a map value's kernel-pointer field.
    KptrDestination,
    /// Object of the type of the kernel-pointer field, whose ownership moves.
    KptrObject,
}

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arg {
    /// What it must be.
    pub kind: ArgKind,
    /// Whether a null pointer (or zero) will do as well.
    pub nullable: bool,
    /// Whether the call gives up the reference.
    pub releases: bool,
}

/// Kind of a result, after the kernel's `enum bpf_return_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReturnKind {
    /// A number.
    Integer,
    /// Nothing: `r0` is unset.
    Void,
    /// Points to a value of the map argument.
    MapValue,
    /// Full socket.
    Socket,
    /// Any socket.
    SockCommon,
    /// TCP socket.
    TcpSock,
    /// Reserved ring-buffer record, of the size in the [`ArgKind::ConstAllocSize`] argument.
    RingbufMem,
    /// Memory of a dynptr, of the size in the [`ArgKind::ConstAllocSize`] argument.
    DynptrMem,
    /// This CPU's copy of a kernel variable.
    PercpuMem,
    /// Kernel structure of this type.
    BtfId(&'static str),
    /// Object of the kernel-pointer field's type.
    KptrObject,
}

bitflags! {
    /// Properties that a compiler needs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct HelperFlags: u16 {
        /// Packet pointers taken before the call are invalid after it.
        const CHANGES_PACKET = 1;
        /// The result is a reference that must be released.
        const ACQUIRES = 1 << 1;
        /// Gives up the reference in an argument with [`Arg::releases`].
        const RELEASES = 1 << 2;
        /// Calls a subprogram before it returns.
        const CALLS_BACK = 1 << 3;
        /// Remembers a subprogram that runs later.
        const CALLS_BACK_LATER = 1 << 4;
        /// Does not return when it succeeds.
        const TAIL_CALL = 1 << 5;
        /// Only in programs that may sleep.
        const MAY_SLEEP = 1 << 6;
        /// Only in programs under a GPL-compatible licence.
        const GPL_ONLY = 1 << 7;
        /// Memory arguments may point into the packet.
        const TAKES_PACKET = 1 << 8;
        /// Kernels since 6.12 keep `r1` to `r5` that are not arguments.
        const FASTCALL = 1 << 9;
    }
}

/// A helper function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helper {
    /// Number in the immediate of `call`.
    pub id: u32,
    /// Name without `bpf_`.
    pub name: &'static str,
    /// Arguments in `r1` and on.
    pub args: &'static [Arg],
    /// What `r0` holds after the call.
    pub returns: ReturnKind,
    /// Whether a returned pointer may be null.
    pub returns_null: bool,
    /// Properties.
    pub flags: HelperFlags,
}

impl Helper {
    /// Number of registers that the call reads.
    #[must_use]
    pub fn arg_count(&self) -> usize {
        self.args.len()
    }
}

/// Short names that keep a table row on a line.
pub(super) mod constants {
    use super::{Access, Arg, ArgKind, Helper, HelperFlags, ReturnKind};

    const fn plain(kind: ArgKind) -> Arg {
        Arg {
            kind,
            nullable: false,
            releases: false,
        }
    }

    const fn nullable(kind: ArgKind) -> Arg {
        Arg {
            kind,
            nullable: true,
            releases: false,
        }
    }

    const fn released(kind: ArgKind) -> Arg {
        Arg {
            kind,
            nullable: false,
            releases: true,
        }
    }

    pub(in crate::helpers) const ANY: Arg = plain(ArgKind::Anything);
    pub(in crate::helpers) const SCALAR: Arg = plain(ArgKind::Scalar);
    pub(in crate::helpers) const UNCHECKED: Arg = plain(ArgKind::Unchecked);
    pub(in crate::helpers) const MAP: Arg = plain(ArgKind::ConstMapPtr);
    pub(in crate::helpers) const KEY: Arg = plain(ArgKind::MapKey);
    pub(in crate::helpers) const VALUE: Arg = plain(ArgKind::MapValue(Access::Read));
    pub(in crate::helpers) const VALUE_NULL: Arg = nullable(ArgKind::MapValue(Access::Read));
    pub(in crate::helpers) const VALUE_OUT: Arg = plain(ArgKind::MapValue(Access::Write));
    pub(in crate::helpers) const MEM_IN: Arg = plain(ArgKind::Mem(Access::Read));
    pub(in crate::helpers) const MEM_IN_NULL: Arg = nullable(ArgKind::Mem(Access::Read));
    pub(in crate::helpers) const MEM_OUT: Arg = plain(ArgKind::Mem(Access::Write));
    pub(in crate::helpers) const MEM_INOUT: Arg = plain(ArgKind::Mem(Access::ReadWrite));
    pub(in crate::helpers) const MEM_INOUT_NULL: Arg = nullable(ArgKind::Mem(Access::ReadWrite));
    pub(in crate::helpers) const SIZE: Arg = plain(ArgKind::ConstSize);
    pub(in crate::helpers) const SIZE0: Arg = plain(ArgKind::ConstSizeOrZero);
    pub(in crate::helpers) const ALLOC_SIZE: Arg = plain(ArgKind::ConstAllocSize);
    pub(in crate::helpers) const CTX: Arg = plain(ArgKind::Ctx);
    pub(in crate::helpers) const CTX_NULL: Arg = nullable(ArgKind::Ctx);
    pub(in crate::helpers) const CTX_OR_SOCK: Arg = plain(ArgKind::CtxOrSocket);
    pub(in crate::helpers) const STACK_NULL: Arg = nullable(ArgKind::Stack);
    pub(in crate::helpers) const FUNC: Arg = plain(ArgKind::CallbackFn);
    pub(in crate::helpers) const SPIN_LOCK: Arg = plain(ArgKind::SpinLock);
    pub(in crate::helpers) const TIMER: Arg = plain(ArgKind::Timer);
    pub(in crate::helpers) const DYNPTR: Arg = plain(ArgKind::Dynptr);
    pub(in crate::helpers) const DYNPTR_OUT: Arg = plain(ArgKind::DynptrUninit);
    pub(in crate::helpers) const DYNPTR_RELEASE: Arg = released(ArgKind::Dynptr);
    pub(in crate::helpers) const SOCK_COMMON: Arg = plain(ArgKind::SockCommon);
    pub(in crate::helpers) const SOCK_COMMON_NULL: Arg = nullable(ArgKind::SockCommon);
    pub(in crate::helpers) const SOCK_RELEASE: Arg = released(ArgKind::SockCommon);
    pub(in crate::helpers) const RINGBUF_MEM: Arg = released(ArgKind::RingbufMem);
    pub(in crate::helpers) const PERCPU: Arg = plain(ArgKind::PercpuBtfId);
    pub(in crate::helpers) const CONST_STR: Arg = plain(ArgKind::ConstStr);
    pub(in crate::helpers) const KPTR_SLOT: Arg = plain(ArgKind::KptrDestination);
    pub(in crate::helpers) const KPTR_NEW: Arg = Arg {
        kind: ArgKind::KptrObject,
        nullable: true,
        releases: true,
    };

    pub(in crate::helpers) const fn fixed(size: u32, access: Access) -> Arg {
        plain(ArgKind::FixedMem(size, access))
    }

    pub(in crate::helpers) const fn btf(name: &'static str) -> Arg {
        plain(ArgKind::BtfId(name))
    }

    pub(in crate::helpers) const fn btf_null(name: &'static str) -> Arg {
        nullable(ArgKind::BtfId(name))
    }

    type Return = (ReturnKind, bool);

    pub(in crate::helpers) const INT: Return = (ReturnKind::Integer, false);
    pub(in crate::helpers) const VOID: Return = (ReturnKind::Void, false);
    pub(in crate::helpers) const VALUE_PTR: Return = (ReturnKind::MapValue, false);
    pub(in crate::helpers) const MAYBE_VALUE: Return = (ReturnKind::MapValue, true);
    pub(in crate::helpers) const MAYBE_SOCKET: Return = (ReturnKind::Socket, true);
    pub(in crate::helpers) const MAYBE_COMMON: Return = (ReturnKind::SockCommon, true);
    pub(in crate::helpers) const MAYBE_TCP: Return = (ReturnKind::TcpSock, true);
    pub(in crate::helpers) const MAYBE_RECORD: Return = (ReturnKind::RingbufMem, true);
    pub(in crate::helpers) const MAYBE_SLICE: Return = (ReturnKind::DynptrMem, true);
    pub(in crate::helpers) const MAYBE_PERCPU: Return = (ReturnKind::PercpuMem, true);
    pub(in crate::helpers) const PERCPU_PTR: Return = (ReturnKind::PercpuMem, false);
    pub(in crate::helpers) const MAYBE_KPTR: Return = (ReturnKind::KptrObject, true);

    pub(in crate::helpers) const fn object(name: &'static str) -> Return {
        (ReturnKind::BtfId(name), false)
    }

    pub(in crate::helpers) const fn maybe_object(name: &'static str) -> Return {
        (ReturnKind::BtfId(name), true)
    }

    pub(in crate::helpers) const PACKET: HelperFlags = HelperFlags::CHANGES_PACKET;
    pub(in crate::helpers) const ACQUIRE: HelperFlags = HelperFlags::ACQUIRES;
    pub(in crate::helpers) const RELEASE: HelperFlags = HelperFlags::RELEASES;
    pub(in crate::helpers) const CALLBACK: HelperFlags = HelperFlags::CALLS_BACK;
    pub(in crate::helpers) const LATER: HelperFlags = HelperFlags::CALLS_BACK_LATER;
    pub(in crate::helpers) const TAIL: HelperFlags = HelperFlags::TAIL_CALL;
    pub(in crate::helpers) const SLEEP: HelperFlags = HelperFlags::MAY_SLEEP;
    pub(in crate::helpers) const GPL: HelperFlags = HelperFlags::GPL_ONLY;
    pub(in crate::helpers) const PKT_ARG: HelperFlags = HelperFlags::TAKES_PACKET;
    pub(in crate::helpers) const FAST: HelperFlags = HelperFlags::FASTCALL;

    pub(in crate::helpers) const fn helper(
        id: u32,
        name: &'static str,
        args: &'static [Arg],
        returns: Return,
        flags: &[HelperFlags],
    ) -> Helper {
        let mut bits = 0;
        let mut at = 0;
        while at < flags.len() {
            bits |= flags[at].bits();
            at += 1;
        }
        let flags = HelperFlags::from_bits_retain(bits);
        Helper {
            id,
            name,
            args,
            returns: returns.0,
            returns_null: returns.1,
            flags,
        }
    }
}
