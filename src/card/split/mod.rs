//! One object for two machines: programs that can be offloaded go to the card, the others stay.
//!
//! ```text
//!                 ┌─[examined, compiled]──► programs of the card ──► NAME.nffw
//!   object ───────┤
//!                 └─[host::without]──► the object without them ─[passes]──► HOST.o
//! ```
//! **What.** Each program is examined and compiled for the card; whatever keeps one from it, that one
//! stays on the host, which is told with the reason. Maps have the numbers that they have without a
//! split, so which programs stay changes nothing about those that go.
//!
//! **Why sound.** The half of the card is made as for the card alone. The half of the host is the input
//! without functions that nothing in it needs ([`host`]).
//!
//! **Cost.** That of both compilations, and of the examination of every program.

pub mod host;
mod references;
pub mod report;

use std::collections::BTreeSet;

use backend_nfp::placement::Placement;
use bpf::diagnostic::{Diagnostic, SourceMap};
use verifier::ProgramId;
use verifier::program::{MapId, Meaning, Program};

use super::offloaded::{Cause, Job, Offloaded};
use super::{CardProgram, FIRST_MAP};
use crate::failure::Failure;

/// Where a program goes.
#[derive(Debug)]
pub enum Side {
    /// To the card.
    Card(Box<Offloaded>),
    /// To the host.
    Host(Stays),
}

/// Why a program stays on the host.
#[derive(Debug)]
pub struct Stays {
    /// Reasons in a line each, with the code of an obstacle where it is one.
    pub reasons: Vec<(Option<&'static str>, String)>,
    /// The obstacles, with the text that they point into.
    pub obstacles: Vec<(SourceMap, Diagnostic)>,
}

/// A program and where it goes.
#[derive(Debug)]
pub struct Decision {
    /// The program.
    pub id: ProgramId,
    /// Name of its type, as far as the object says.
    pub program_type: Option<&'static str>,
    /// Numbers of the maps that it uses, as they are on the card.
    pub maps: BTreeSet<u32>,
    /// Where it goes.
    pub side: Side,
}

/// What becomes of an object.
#[derive(Debug)]
pub struct Split {
    /// Each program, in the order of the object.
    pub programs: Vec<Decision>,
    /// Where maps lie on the card.
    pub placed: Vec<Placement>,
}

/// Decides for each program; one that is not `wanted` stays. What the pass manager says comes line by
/// line.
///
/// # Errors
/// What is wrong with more than a program: switches, passes.
pub fn split(
    job: &Job<'_>,
    programs: &[ProgramId],
    wanted: impl Fn(&ProgramId) -> bool,
    mut events: impl FnMut(String),
) -> Result<Split, Failure> {
    let mut split = Split {
        programs: Vec::new(),
        placed: Vec::new(),
    };
    for id in programs {
        let linked = job.linker.link(id, &job.checker());
        let (program_type, maps) = match &linked {
            Ok(program) => (Some(program.program_type.name()), maps_of(job, program)),
            Err(_) => (None, BTreeSet::new()),
        };
        let side = match wanted(id) {
            true => split.side(job, id, &maps, &mut events)?,
            false => Side::Host(Stays::because(None, "not asked for by --prog")),
        };
        split.programs.push(Decision {
            id: id.clone(),
            program_type,
            maps,
            side,
        });
    }
    Ok(split)
}

impl Split {
    /// Programs of the card.
    pub fn card(&self) -> impl Iterator<Item = &CardProgram> {
        let card = self.programs.iter().filter_map(|one| match &one.side {
            Side::Card(made) => Some(&made.program),
            Side::Host(_) => None,
        });
        card.into_iter()
    }

    /// Which programs those are.
    #[must_use]
    pub fn going(&self) -> Vec<ProgramId> {
        let card = self.programs.iter().filter(|one| one.is_on_card());
        card.map(|one| one.id.clone()).collect()
    }

    fn side(
        &mut self,
        job: &Job<'_>,
        id: &ProgramId,
        maps: &BTreeSet<u32>,
        events: &mut impl FnMut(String),
    ) -> Result<Side, Failure> {
        let made = match job.program(id, events) {
            Ok(made) => made,
            Err(refused) if refused.cause == Cause::Command => return Err(refused.failure),
            Err(refused) => {
                let obstacles = refused.obstacles;
                let line = |(_, one): &(SourceMap, Diagnostic)| (one.code, one.message.clone());
                let reasons = match obstacles.is_empty() {
                    true => vec![(None, words(&refused.failure))],
                    false => obstacles.iter().map(line).collect(),
                };
                return Ok(Side::Host(Stays { reasons, obstacles }));
            }
        };
        let mut going = self.going();
        going.push(id.clone());
        if let Err(error) = host::check(&job.assembled.object, &going) {
            return Ok(Side::Host(Stays::because(None, error.to_string())));
        }
        let mut all = maps.clone();
        let on_card = self.programs.iter().filter(|one| one.is_on_card());
        all.extend(on_card.flat_map(|one| one.maps.iter().copied()));
        let programs = self.card().chain([&made.program]);
        let there = |number: u32| all.contains(&number);
        match job.object.placements_of(programs, there, job.capabilities) {
            Ok(placed) => self.placed = placed,
            // Those before it have the room.
            Err(error) => {
                let stays = Stays::because(Some("nfp-map-memory"), error.to_string());
                return Ok(Side::Host(stays));
            }
        }
        Ok(Side::Card(Box::new(made)))
    }
}

impl Decision {
    /// Whether it goes to the card.
    #[must_use]
    pub fn is_on_card(&self) -> bool {
        matches!(self.side, Side::Card(_))
    }
}

impl Stays {
    fn because(code: Option<&'static str>, why: impl Into<String>) -> Stays {
        Stays {
            reasons: vec![(code, why.into())],
            obstacles: Vec::new(),
        }
    }
}

/// A failure in a line.
fn words(failure: &Failure) -> String {
    match failure {
        Failure::Refused { diagnostics, .. } => {
            let words: Vec<&str> = diagnostics.iter().map(|one| one.message.as_str()).collect();
            words.join("; ")
        }
        other => other.to_string(),
    }
}

/// Numbers of the maps that a program names.
fn maps_of(job: &Job<'_>, program: &Program) -> BTreeSet<u32> {
    let named = program.ops.iter().filter_map(|op| match op.meaning {
        Meaning::Map(id) | Meaning::MapValue(id, _) => Some(id),
        _ => None,
    });
    let number = |id: MapId| job.object.number_at(program.map(id).def.place?);
    named
        .filter_map(number)
        .filter(|number| *number >= FIRST_MAP)
        .collect()
}
