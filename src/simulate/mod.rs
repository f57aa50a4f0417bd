//! Machine words of a network card on packets, in the simulator.
//!
//! What the firmware is like comes from a capability file ([`Abi`]); words come from a file
//! ([`words`]) that some other tool, or a person, wrote. Each packet runs on the same card, so that what
//! a program left in maps is there for the next one.

mod told;
mod words;

use backend_nfp::capabilities::Capabilities;
use backend_nfp::firmware::{Abi, Action, Card, Outcome};

use crate::failure::Failure;
use crate::{offload, packet_file};

/// What a program did with one packet.
#[derive(Debug)]
pub struct Simulated {
    /// What the simulator says.
    pub outcome: Outcome,
    /// Whether the packet is what it was.
    pub unchanged: bool,
}

/// What a simulation needs.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// File of words.
    pub words: &'a str,
    /// Capability file; the open firmware without.
    pub capabilities: Option<&'a str>,
    /// Packets, as [`packet_file::read_all`] takes them.
    pub packets: &'a [String],
}

impl Setup<'_> {
    /// Runs the words on each packet in turn, and hands over what they did.
    ///
    /// # Errors
    /// A file cannot be read or is wrong, a program does what no card does, and what the receiver
    /// says.
    pub fn each(
        &self,
        mut receive: impl FnMut(&Simulated) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let capabilities = match self.capabilities {
            Some(path) => offload::capabilities(path)?,
            None => Capabilities::default(),
        };
        let program = words::read(self.words, &capabilities)?;
        let mut card = Card::new(Abi::from(&capabilities));
        for packet in packet_file::read_all(self.packets)? {
            let outcome = card
                .run(&program, &packet)
                .map_err(|fault| Failure::refused(format!("{}: {fault}", self.words)))?;
            let unchanged = outcome.packet == packet;
            receive(&Simulated { outcome, unchanged })?;
        }
        Ok(())
    }
}

impl Simulated {
    /// Whether the packet goes on, to the host or to the wire.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.outcome.verdict.action != Action::Drop
    }
}
