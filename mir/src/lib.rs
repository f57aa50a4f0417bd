//! MIR: the language in which bpfmill thinks about a BPF program.
//!
//! A [`Module`] holds functions; a [`Function`] is two tables and an order: the *contents*
//! ([`DataFlowGraph`]: instructions, values, blocks) and the *layout* ([`Layout`]: which block and
//! which instruction follows which). It is SSA with block parameters and no phi.
//!
//! Values have a width (`i32`, `i64`) and nothing else. A register of bytecode may be a pointer on
//! one path and a number on another, so pointer kinds, bounds and known bits are facts that
//! analyses compute, never part of the language. A 32-bit operation is an `i32` operation followed
//! by an explicit `zext`. Memory is ordered. What a loader patches (CO-RE fields, map addresses,
//! externs) stays symbolic.
//!
//! ```text
//!   bpf::Object ── frontend::lift ──► Module ── passes ──► Module ── backend ──► code
//!                                      │  ▲
//!                                 text form (print, parse)
//! ```

pub mod analysis;
pub mod builder;
mod compact;
pub mod cursor;
pub mod dfg;
pub mod entity;
pub mod eval;
pub mod function;
pub mod inst;
pub mod interp;
pub mod layout;
pub mod module;
pub mod opcode;
pub mod parse;
pub mod print;
pub mod types;
pub mod verify;

pub use builder::InstBuilder;
pub use cursor::Cursor;
pub use dfg::{DataFlowGraph, ValueDef};
pub use entity::{Block, CoreRelo, External, Func, Inst, SourceLoc, Symbol, Targets, Value};
pub use function::Function;
pub use inst::{BlockCall, InstData, ValueList};
pub use layout::Layout;
pub use module::{CoreRelocation, ExternalData, Location, Module, SymbolData, SymbolKind};
pub use opcode::{Format, Opcode};
pub use types::Type;
