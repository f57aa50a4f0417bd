//! Objects as text: the listings of `dis`, and the assembly of `dis --asm` and `build --emit asm`.
//!
//! ```text
//! object ─ line (slots to instructions) ─┬─ objdump (columns) ◄─ names, notes, core
//!                                        ├─ json
//!                                        └─ assembly (a file for the assembler)
//! ```
//!
//! The listing has the columns of llvm-objdump, and names in place of numbers on request. Nothing is
//! an error here: what does not decode is shown as bytes. Each table of a section is sorted once and
//! then walked beside the code, so that time is linear in the object but for these sorts.

mod assembly;
mod core;
mod differences;
mod json;
mod line;
mod names;
mod notes;
mod objdump;
mod raw;

pub use assembly::{Assembly, assembly, whole_assembly};
pub use differences::differences;
pub use json::write_json;
pub use line::{Line, Lines, lines, relocation_name};
pub use notes::Notes;
pub use objdump::{Shown, code_sections, listed, objdump};
pub use raw::{object_of, read_raw};
