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
use clap::ValueEnum;

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
