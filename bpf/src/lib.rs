//! What exists without bpfmill: the BPF instruction set, the ELF object that carries programs, BTF,
//! the kernel's helper functions and program types, source positions and diagnostics as data, and
//! an interpreter for bytecode.
//!
//! Nothing in this crate knows of the compiler's own IR. Every table states its source: RFC 9669,
//! the kernel's `include/uapi/linux/bpf.h`, or the kernel's documentation.

pub mod btf;
mod bytes;
pub mod diagnostic;
pub mod elf;
pub mod helpers;
pub mod insn;
pub mod interp;
pub mod maps;
pub mod object;
pub mod program_type;
