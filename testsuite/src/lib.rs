//! What the tests of bpfmill share: file tests, example programs, packets, interpreters as oracle,
//! and the kernel as oracle.

pub mod build;
pub mod checked;
pub mod fixture;
#[cfg(feature = "kernel")]
pub mod kernel;
pub mod link;
pub mod llvm_mc;
pub mod nfp;
pub mod objects;
pub mod observe;
pub mod properties;
pub mod random_mir;
pub mod random_program;
pub mod recompile;
pub mod verifier_score;

pub use bpfmill::packets;
