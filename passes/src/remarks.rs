//! What passes report, as data: what was applied, what was missed, what was found out.
//!
//! Counts are always kept, one for each pass and message, so that every optimisation has a number.
//! The remarks themselves, which cost a string each, are only kept when somebody asked.

use mir::{Function, Inst, Location, Module};
use std::collections::BTreeMap;

/// Most remarks that are kept for one run; later ones are only counted. A program of the largest
/// size that the kernel takes (a million slots) with one remark a slot stays below it.
const MAX_REMARKS: usize = 1 << 20;

/// What a remark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemarkKind {
    /// Something was done.
    Applied,
    /// Something could not be done.
    Missed,
    /// Something was found out.
    Analysis,
}

impl RemarkKind {
    /// One word, for people and for JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RemarkKind::Applied => "applied",
            RemarkKind::Missed => "missed",
            RemarkKind::Analysis => "analysis",
        }
    }
}

/// One remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// What it says.
    pub kind: RemarkKind,
    /// The pass that says it.
    pub pass: &'static str,
    /// The function it is about.
    pub function: String,
    /// The source position it is about.
    pub location: Option<Location>,
    /// The slot of the input function it is about.
    pub origin: Option<u32>,
    /// What is said.
    pub message: &'static str,
}

/// How often a pass said the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemarkKey {
    /// The pass.
    pub pass: &'static str,
    /// What kind of thing.
    pub kind: RemarkKind,
    /// What.
    pub message: &'static str,
}

/// All remarks of a run, and their counts.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    keep: bool,
    list: Vec<Remark>,
    counts: BTreeMap<RemarkKey, u64>,
}

impl Remarks {
    /// Counts only, or with `keep` remarks too.
    #[must_use]
    pub fn new(keep: bool) -> Self {
        Remarks {
            keep,
            ..Remarks::default()
        }
    }

    /// The remarks, in the order in which they were made.
    #[must_use]
    pub fn list(&self) -> &[Remark] {
        &self.list
    }

    /// How often each thing was said, in the order of pass, kind and message.
    pub fn counts(&self) -> impl Iterator<Item = (RemarkKey, u64)> + '_ {
        self.counts.iter().map(|(&key, &count)| (key, count))
    }

    /// How often a pass applied anything.
    #[must_use]
    pub fn applied(&self, pass: &str) -> u64 {
        self.counts()
            .filter(|(key, _)| key.pass == pass && key.kind == RemarkKind::Applied)
            .map(|(_, count)| count)
            .sum()
    }

    pub(crate) fn add(
        &mut self,
        kind: RemarkKind,
        pass: &'static str,
        module: &Module,
        func: &Function,
        inst: Option<Inst>,
        message: &'static str,
    ) {
        *self
            .counts
            .entry(RemarkKey {
                pass,
                kind,
                message,
            })
            .or_default() += 1;
        if !self.keep || self.list.len() >= MAX_REMARKS {
            return;
        }
        let location = inst
            .and_then(|inst| func.locations[inst].expand())
            .and_then(|location| module.locations.get(location))
            .copied();
        self.list.push(Remark {
            kind,
            pass,
            function: func.name.clone(),
            location,
            origin: inst.and_then(|inst| func.origins[inst].checked_sub(1)),
            message,
        });
    }
}
