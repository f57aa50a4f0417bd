//! Would Linux load it: the kernel verifier's verdict, computed without a kernel.

pub mod domain;
