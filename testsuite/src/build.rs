//! One object in, one object out: what `bpfmill build` does, as a function of bytes.

use bpfmill::compile::{CompileOptions, Compiled, compile};
use passes::OptLevel;

/// How much the compiler does between reading and writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Read and write: the container alone.
    Copy,
    /// Lift and emit.
    O0,
    /// All of the time-oriented pipeline.
    O2,
    /// All rounds of the size-oriented one.
    Os,
}

impl Level {
    /// Name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Copy => "copy",
            Level::O0 => "-O 0",
            Level::O2 => "-O 2",
            Level::Os => "-O s",
        }
    }
}

/// The levels that exist.
pub const LEVELS: &[Level] = &[Level::Copy, Level::O0, Level::O2, Level::Os];

/// Compiles an object at a level.
///
/// # Errors
/// What the compiler said, when the object is refused.
pub fn build(object: &[u8], level: Level) -> Result<Vec<u8>, String> {
    let parsed = bpf::elf::read(object).map_err(|error| error.to_string())?;
    let result = match level {
        Level::Copy => parsed,
        Level::O0 => compiled(&parsed, OptLevel::O0)?.object,
        Level::O2 => compiled(&parsed, OptLevel::O2)?.object,
        Level::Os => compiled(&parsed, OptLevel::Os)?.object,
    };
    bpf::elf::write(&result).map_err(|error| error.to_string())
}

fn compiled(object: &bpf::object::Object, level: OptLevel) -> Result<Compiled, String> {
    let options = CompileOptions::at_level(level);
    compile(object, &options, |_| ()).map_err(|error| error.to_string())
}
