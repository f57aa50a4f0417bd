//! The running kernel as an oracle: does its verifier accept a program, and what does the program
//! do on packets.
//!
//! A program is loaded alone, so that one refusal says nothing about its neighbours. What two runs
//! of the *same* program don't reproduce (time, random numbers, memory it never wrote) says nothing
//! about a compiler; so the program is run several times, and what differs among those is left out
//! of the comparison.
//!
//! libbpf prints verifier logs through one process-wide callback: use this from one thread.

mod capability;
mod compare;
mod duration;
mod interpreter;
mod legacy;
mod load;
mod maps;
mod run;
mod stream;
mod verdict;

pub use capability::missing_capability;
pub use compare::{Comparison, Reference, compare, reference};
pub use duration::{Figures, Timing, figures, longest, quantile, takes_packets, time};
pub use interpreter::{Agreement, agree};
pub use legacy::{define_by_btf, mark_programs};
pub use load::{Loaded, ProgramName, Refusal, load, program_names};
pub use run::{Observations, observe};
pub use stream::{Asker, Said};
pub use verdict::{Answer, verdict};
