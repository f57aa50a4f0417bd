//! Programs of a network card on packets, in the simulator.
//!
//! What the firmware is like comes from a capability file ([`Abi`]). What runs are words of a file
//! ([`words`]) that some other tool, or a person, wrote, or a program of an object that is compiled here
//! ([`compiled`]), with its maps ([`maps`]). Each packet runs on the same card, so that what a
//! program left in maps is there for the next one; what they took together is a [`Summary`].

mod compiled;
mod maps;
mod profile;
mod summary;
mod told;
mod words;

use backend_nfp::capabilities::Capabilities;
use backend_nfp::firmware::{Abi, Action, Card, Outcome};
use backend_nfp::sim::{self, Profile};

use self::maps::OnCard;
use self::profile::Place;
use crate::card::offloaded::Refused;
use crate::failure::Failure;
use crate::{offload, packet_file};

pub use compiled::{Choice, Source};
pub use profile::Costs;
pub use summary::Summary;

/// What a program did with one packet.
#[derive(Debug)]
pub struct Simulated {
    /// What the simulator says.
    pub outcome: Outcome,
    /// Whether the packet is what it was.
    pub unchanged: bool,
    /// Events that it sent to the host, each with its map's name.
    pub events: Vec<(String, Vec<u8>)>,
}

/// What runs.
#[derive(Clone, Copy, Debug)]
pub enum Code<'a> {
    /// A file of words.
    Words(&'a str),
    /// A program that is compiled first.
    Program(Choice<'a>),
}

/// What a simulation needs.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// What runs.
    pub code: Code<'a>,
    /// Capability file; the open firmware without.
    pub capabilities: Option<&'a str>,
    /// Packets, as [`packet_file::read_all`] takes them.
    pub packets: &'a [String],
    /// Contents of maps before the first run, as `NAME=FILE.json`.
    pub maps: &'a [String],
    /// Whether it is counted what each line costs.
    pub profile: bool,
}

/// A card with a program.
#[derive(Debug)]
pub struct Simulation {
    name: String,
    program: sim::Program,
    card: Card,
    maps: OnCard,
    places: Vec<Place>,
    summary: Summary,
}

impl Setup<'_> {
    /// Makes a card, its maps and the program; `source` is the object, for a program that is compiled.
    ///
    /// # Errors
    /// A file cannot be read or is wrong, or the card cannot run the program.
    pub fn prepare(&self, source: Option<Source<'_>>) -> Result<Simulation, Refused> {
        let capabilities = match self.capabilities {
            Some(path) => offload::capabilities(path)?,
            None => Capabilities::default(),
        };
        let mut card = Card::new(Abi::from(&capabilities));
        let (name, program, maps, places) = match self.code {
            Code::Words(path) => {
                let program = words::read(path, &capabilities)?;
                (path.to_owned(), program, OnCard::default(), Vec::new())
            }
            Code::Program(choice) => {
                let source = source
                    .ok_or_else(|| Failure::Usage("an object or assembly is needed".to_owned()))?;
                let ready = compiled::compile(choice, source, &capabilities, &card.abi)?;
                let maps = OnCard::create(&mut card, &ready.maps, &ready.placed, &ready.counters);
                (ready.name, ready.program, maps, ready.places)
            }
        };
        for argument in self.maps {
            maps.fill(&mut card, argument)?;
        }
        if self.profile {
            card.profile = Some(Profile::of(&program));
        }
        Ok(Simulation {
            name,
            program,
            card,
            maps,
            places,
            summary: Summary::new(&capabilities),
        })
    }

    /// The packets.
    ///
    /// # Errors
    /// As [`packet_file::read_all`].
    pub fn packets(&self) -> Result<Vec<Vec<u8>>, Failure> {
        packet_file::read_all(self.packets)
    }
}

impl Simulation {
    /// Runs the program on a packet.
    ///
    /// # Errors
    /// The program does what no card does.
    pub fn packet(&mut self, packet: &[u8]) -> Result<Simulated, Failure> {
        let outcome = self.card.run(&self.program, packet);
        let outcome = outcome.map_err(|fault| {
            let index = fault.at.checked_sub(self.program.start());
            let place = index.and_then(|index| self.places.get(index as usize));
            let place = place.map(Place::behind).unwrap_or_default();
            Failure::refused(format!("{}: {fault}{place}", self.name))
        })?;
        self.summary.add(&outcome);
        Ok(Simulated {
            unchanged: outcome.packet == packet,
            outcome,
            events: self.maps.take_events(&mut self.card),
        })
    }

    /// What all packets took so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What the maps hold, in the form of [`crate::map_file::json`].
    pub fn maps(&mut self) -> serde_json::Value {
        self.maps.contents(&mut self.card)
    }

    /// Whether the program comes from an object, which says what its maps are.
    #[must_use]
    pub fn has_maps(&self) -> bool {
        !self.maps.is_empty()
    }

    /// What each line cost so far, if it was counted.
    #[must_use]
    pub fn costs(&self) -> Option<Costs> {
        let profile = self.card.profile.as_ref()?;
        Some(Costs::of(profile, &self.program, &self.places))
    }
}

impl Simulated {
    /// Whether the packet goes on, to the host or to the wire.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.outcome.verdict.action != Action::Drop
    }
}
