//! What passes report, as data: what was applied, what was missed, what was found out.
//!
//! Counts are always kept, one for each pass and message, so that every optimisation has a number.
//! The remarks themselves, which cost a string each, are only kept when somebody asked; what a pass
//! must search for to tell what it missed is searched, and counted, only then.

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

/// Where something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The source position.
    pub location: Option<Location>,
    /// The slot of the input function.
    pub origin: Option<u32>,
}

impl Place {
    fn of(module: &Module, func: &Function, inst: Inst) -> Place {
        let location = func.locations[inst].expand();
        let location = location.and_then(|location| module.locations.get(location));
        Place {
            location: location.copied(),
            origin: func.origins[inst].checked_sub(1),
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
    /// What it is about.
    pub place: Place,
    /// What is said.
    pub message: &'static str,
    /// What stood in the way, if that was one instruction.
    pub cause: Option<Place>,
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

    /// Adds what others reported, as if it had been reported here.
    pub fn append(&mut self, others: Remarks) {
        for (key, count) in others.counts {
            *self.counts.entry(key).or_default() += count;
        }
        if self.keep {
            let free = MAX_REMARKS.saturating_sub(self.list.len());
            self.list.extend(others.list.into_iter().take(free));
        }
    }

    /// Whether remarks are kept, and not only counted.
    #[must_use]
    pub fn are_kept(&self) -> bool {
        self.keep
    }

    pub(crate) fn add(
        &mut self,
        key: RemarkKey,
        module: &Module,
        func: &Function,
        inst: Option<Inst>,
        cause: Option<Inst>,
    ) {
        *self.counts.entry(key).or_default() += 1;
        if !self.keep || self.list.len() >= MAX_REMARKS {
            return;
        }
        let place = |inst| Place::of(module, func, inst);
        let RemarkKey {
            pass,
            kind,
            message,
        } = key;
        self.list.push(Remark {
            kind,
            pass,
            function: func.name.clone(),
            place: inst.map(place).unwrap_or_default(),
            message,
            cause: cause.map(place),
        });
    }
}
