//! What a function's BTF type says of its arguments, as the kernel understands it.
//!
//! The kernel uses this to verify a global function on its own, and to check calls of it. For a
//! static function a type that it does not understand is no error: the function is verified with
//! the arguments of each call.

use bpf::btf::{Btf, TypeId, TypeKind};
use bpf::program_type::ProgramType;

/// What one argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A number.
    Number,
    /// The program's context.
    Context,
    /// Memory of this size; `nullable` unless tagged `nonnull`.
    Memory {
        /// Bytes.
        size: u32,
        /// Whether it may be null.
        nullable: bool,
    },
    /// A kind that this crate does not model: dynptrs, arenas, kernel structures.
    Other(&'static str),
}

/// What a function's type says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The arguments.
    Known(Vec<Argument>),
    /// The kernel refuses to use the type, with this message for a global function.
    Refused(String),
    /// There is no type.
    Missing,
}

const MAX_ARGUMENTS: usize = 5;

/// Reads the type of a function.
#[must_use]
pub(crate) fn signature(btf: &Btf, function: TypeId, program_type: ProgramType) -> Signature {
    let name = btf.name(function).to_owned();
    let Some((result, parameters)) = btf.prototype(function) else {
        return Signature::Refused(format!("Invalid type of function {name}()"));
    };
    if parameters.len() > MAX_ARGUMENTS {
        return Signature::Refused(format!(
            "Global function {name}() with {} > 5 args. Buggy compiler.",
            parameters.len()
        ));
    }
    if !is_number(btf, result) {
        return Signature::Refused(format!(
            "Global function {name}() doesn't return scalar. Only those are supported."
        ));
    }
    let mut arguments = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        let tags: Vec<&str> = btf
            .declaration_tags(function)
            .filter(|&(_, component)| usize::try_from(component) == Ok(index))
            .filter_map(|(tag, _)| tag.strip_prefix("arg:"))
            .collect();
        match argument(btf, parameter.target, &tags, index, &name, program_type) {
            Ok(argument) => arguments.push(argument),
            Err(message) => return Signature::Refused(message),
        }
    }
    Signature::Known(arguments)
}

/// Whether a function's result is a number.
#[must_use]
pub(crate) fn returns_number(btf: &Btf, function: TypeId) -> bool {
    btf.prototype(function)
        .is_some_and(|(result, _)| is_number(btf, result))
}

fn is_number(btf: &Btf, id: TypeId) -> bool {
    btf.resolved(id).is_some_and(|one| {
        matches!(
            one.kind,
            TypeKind::Int { .. } | TypeKind::Enum { .. } | TypeKind::Enum64 { .. }
        )
    })
}

fn argument(
    btf: &Btf,
    id: TypeId,
    tags: &[&str],
    index: usize,
    function: &str,
    program_type: ProgramType,
) -> Result<Argument, String> {
    let tagged = |tag: &str| tags.contains(&tag);
    let known = [
        "ctx",
        "trusted",
        "untrusted",
        "nonnull",
        "nullable",
        "arena",
    ];
    if tags.iter().any(|tag| !known.contains(tag)) {
        return Err(format!("arg#{index} has unsupported set of tags"));
    }
    let pointer = match btf.resolved(id).map(|one| &one.kind) {
        Some(TypeKind::Pointer { target }) => Some(*target),
        _ => None,
    };
    let invalid = || Err(format!("arg#{index} has invalid combination of tags"));
    let Some(target) = pointer else {
        if !tags.is_empty() {
            return Err(format!(
                "arg#{index} has pointer tag, but is not a pointer type"
            ));
        }
        if is_number(btf, id) {
            return Ok(Argument::Number);
        }
        return Err(format!(
            "Arg#{index} type {} in {function}() is not supported yet.",
            kind_name(btf, id)
        ));
    };
    if tagged("ctx") || is_context(btf, target, program_type) {
        return if tags.iter().any(|tag| *tag != "ctx") {
            invalid()
        } else {
            Ok(Argument::Context)
        };
    }
    let name = btf.resolve(target).map_or("", |target| btf.name(target));
    if name == "bpf_dynptr" {
        return if tags.is_empty() {
            Ok(Argument::Other("dynptr argument of a global function"))
        } else {
            invalid()
        };
    }
    if tagged("trusted") || tagged("untrusted") {
        return Ok(Argument::Other(
            "kernel structure as argument of a function",
        ));
    }
    if tagged("arena") {
        return Ok(Argument::Other("arena argument of a global function"));
    }
    if tagged("nullable") {
        return invalid();
    }
    match btf
        .size_of(target)
        .and_then(|size| u32::try_from(size).ok())
    {
        Some(size) => Ok(Argument::Memory {
            size,
            nullable: !tagged("nonnull"),
        }),
        None => Err(format!(
            "arg#{index} reference type('{} {name}') size cannot be determined: -22",
            kind_name(btf, target)
        )),
    }
}

/// Whether a pointer's target is the context structure of the program type, as users name it.
fn is_context(btf: &Btf, target: TypeId, program_type: ProgramType) -> bool {
    use ProgramType::*;
    let name = {
        // `bpf_user_pt_regs_t` is a typedef; its name counts, not what it stands for.
        let named = strip_qualifiers(btf, target);
        if btf.name(named) == "bpf_user_pt_regs_t" {
            "bpf_user_pt_regs_t"
        } else {
            btf.resolve(target).map_or("", |target| btf.name(target))
        }
    };
    match program_type {
        Kprobe => matches!(name, "bpf_user_pt_regs_t" | "pt_regs"),
        Xdp => name == "xdp_md",
        SockOps => name == "bpf_sock_ops",
        SkMsg => name == "sk_msg_md",
        SkLookup => name == "bpf_sk_lookup",
        SkReuseport => name == "sk_reuseport_md",
        CgroupSock => name == "bpf_sock",
        CgroupSockAddr => name == "bpf_sock_addr",
        CgroupDevice => name == "bpf_cgroup_dev_ctx",
        CgroupSysctl => name == "bpf_sysctl",
        CgroupSockopt => name == "bpf_sockopt",
        PerfEvent => matches!(name, "bpf_perf_event_data" | "pt_regs"),
        RawTracepoint | RawTracepointWritable => name == "bpf_raw_tracepoint_args",
        Netfilter => name == "bpf_nf_ctx",
        kind => kind.takes_skb() && name == "__sk_buff",
    }
}

fn strip_qualifiers(btf: &Btf, id: TypeId) -> TypeId {
    let mut id = id;
    for _ in 0..32 {
        match btf.get(id).map(|one| &one.kind) {
            Some(
                TypeKind::Const { target }
                | TypeKind::Volatile { target }
                | TypeKind::Restrict { target }
                | TypeKind::TypeTag { target },
            ) => id = *target,
            _ => break,
        }
    }
    id
}

/// The kernel's name of a kind of type.
fn kind_name(btf: &Btf, id: TypeId) -> &'static str {
    match btf.resolved(id).map(|one| &one.kind) {
        None => "UNKNOWN",
        Some(TypeKind::Int { .. }) => "INT",
        Some(TypeKind::Pointer { .. }) => "PTR",
        Some(TypeKind::Array { .. }) => "ARRAY",
        Some(TypeKind::Struct { .. }) => "STRUCT",
        Some(TypeKind::Union { .. }) => "UNION",
        Some(TypeKind::Enum { .. }) => "ENUM",
        Some(TypeKind::Forward) => "FWD",
        Some(TypeKind::Function { .. }) => "FUNC",
        Some(TypeKind::FunctionProto { .. }) => "FUNC_PROTO",
        Some(TypeKind::Float { .. }) => "FLOAT",
        Some(_) => "UNKNOWN",
    }
}
