//! One object in, one object out: what `bpfmill build` does, as a function.

/// How much the compiler does between reading and writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Read and write: the container alone.
    Copy,
    /// Lift and emit.
    O0,
    /// All of the time-oriented pipeline.
    O2,
}

impl Level {
    /// Name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Level::Copy => "copy",
            Level::O0 => "-O 0",
            Level::O2 => "-O 2",
        }
    }
}

/// The levels that exist.
pub const LEVELS: &[Level] = &[Level::Copy];

/// Compiles an object at a level.
///
/// # Errors
/// What the compiler said, when the object is refused.
pub fn build(object: &[u8], level: Level) -> Result<Vec<u8>, String> {
    let parsed = bpf::elf::read(object).map_err(|error| error.to_string())?;
    match level {
        Level::Copy => bpf::elf::write(&parsed).map_err(|error| error.to_string()),
        Level::O0 | Level::O2 => Err("the compiler is not wired up".to_owned()),
    }
}
