//! The commands, one file each: its options are its help text, `run` is what it does.

pub mod asm;
pub mod bisect;
pub mod build;
mod build_card;
mod build_split;
pub mod check;
pub mod dis;
pub mod explain;
pub mod optimiser;
pub mod passes;
pub mod run;
mod run_card;
pub mod show;
pub mod test;

use bpf::insn::Endian;
use clap::{Args, ValueEnum};
use frontend::asm::{AsmOptions, Syntax};

use crate::input::Assembly;

/// Byte order of assembled text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EndianArg {
    /// `bpfel`
    #[default]
    Little,
    /// `bpfeb`
    Big,
}

impl From<EndianArg> for Endian {
    fn from(argument: EndianArg) -> Endian {
        match argument {
            EndianArg::Little => Endian::Little,
            EndianArg::Big => Endian::Big,
        }
    }
}

/// How instructions are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SyntaxArg {
    /// `r1 = r2`, as LLVM and the kernel's verifier have it
    #[default]
    Llvm,
    /// `mov %r1, %r2`, as GNU as and the conformance suite have it
    Classic,
}

/// The options of all commands that read assembly.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct TextArgs {
    /// Byte order of assembly
    #[arg(long, value_enum, default_value_t)]
    endian: EndianArg,
    /// How instructions of assembly are written
    #[arg(long, value_enum, default_value_t)]
    syntax: SyntaxArg,
}

impl TextArgs {
    /// Byte order of assembly.
    #[must_use]
    pub fn endian(self) -> Endian {
        self.endian.into()
    }
}

impl From<TextArgs> for Assembly {
    fn from(arguments: TextArgs) -> Assembly {
        let mut options = AsmOptions::new(arguments.endian());
        options.syntax = match arguments.syntax {
            SyntaxArg::Llvm => Syntax::Llvm,
            SyntaxArg::Classic => Syntax::Classic,
        };
        Assembly {
            options,
            folders: Vec::new(),
            beside: None,
        }
    }
}
