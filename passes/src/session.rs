//! What lasts over all functions of a run: what passes may know, what they reported, who watches.
//!
//! A session is of one thread. Where functions are compiled in several, each gets one of its own from
//! a [`SessionSeed`], and what those reported is put together in order.

use crate::change::Change;
use crate::manager::Event;
use crate::pass::{Directions, Maps, PassInfo, PassKind};
use crate::remarks::{RemarkKey, RemarkKind, Remarks};
use mir::{Func, Function, Module, Opcode};
use std::sync::Arc;

/// Says what is wrong with a change.
type Checker<'s> = Box<dyn FnMut(&Change<'_>) -> Result<(), String> + 's>;

type Sink<'s> = Box<dyn FnMut(Event<'_>) + 's>;

/// State that lasts over all functions of a run.
#[derive(Default)]
pub struct Session<'s> {
    /// What passes reported.
    pub remarks: Remarks,
    applications: u64,
    pub(crate) sink: Option<Sink<'s>>,
    pub(crate) checker: Option<Checker<'s>>,
    pub(crate) maps: Arc<Maps>,
    pub(crate) directions: Directions,
    uses_arena: Option<bool>,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("remarks", &self.remarks)
            .field("applications", &self.applications)
            .finish_non_exhaustive()
    }
}

impl<'s> Session<'s> {
    /// Counts remarks, keeps none, shows nothing.
    #[must_use]
    pub fn new() -> Self {
        Session::default()
    }

    /// Keeps remarks beside counting them.
    #[must_use]
    pub fn keeping_remarks(mut self) -> Self {
        self.remarks = Remarks::new(true);
        self
    }

    /// Hands bisection lines and printed functions to `sink`.
    #[must_use]
    pub fn with_sink(mut self, sink: impl FnMut(Event<'_>) + 's) -> Self {
        self.sink = Some(Box::new(sink));
        self
    }

    /// Tells of the maps that symbols name; without it nothing is known of them.
    #[must_use]
    pub fn with_maps(mut self, maps: Maps) -> Self {
        self.maps = Arc::new(maps);
        self
    }

    /// Tells of branches that go one way only in the functions as they are now.
    #[must_use]
    pub fn with_directions(mut self, directions: Directions) -> Self {
        self.directions = directions;
        self
    }

    /// Has every change checked: an error is a failure of the pass.
    #[must_use]
    pub fn with_checker(
        mut self,
        checker: impl FnMut(&Change<'_>) -> Result<(), String> + 's,
    ) -> Self {
        self.checker = Some(Box::new(checker));
        self
    }

    /// Counts, and remarks on, what the back end did to a function for a pass.
    pub fn applied_in_back_end(
        &mut self,
        module: &Module,
        func: Func,
        pass: &'static str,
        message: &'static str,
    ) {
        let key = RemarkKey {
            pass,
            kind: RemarkKind::Applied,
            message,
        };
        let function = &module.functions[func];
        self.remarks.add(key, module, function, None, None);
    }

    pub(crate) fn show(&mut self, event: Event<'_>) {
        if let Some(sink) = &mut self.sink {
            sink(event);
        }
    }

    /// Counts an application and says whether it is within the limit.
    pub(crate) fn may_run(&mut self, limit: Option<u64>, info: &PassInfo, function: &str) -> bool {
        let Some(limit) = limit else { return true };
        if info.kind == PassKind::Required {
            return true;
        }
        self.applications += 1;
        let number = self.applications;
        let ran = number <= limit;
        self.show(Event::Bisect {
            number,
            pass: info.name,
            function,
            ran,
        });
        ran
    }

    /// Whether any function of the module handles arena pointers. Asked once, while all are there.
    pub(crate) fn uses_arena(&mut self, module: &Module) -> bool {
        *self.uses_arena.get_or_insert_with(|| uses_arena(module))
    }

    /// What sessions of single functions need, so that together they do what this one would. Nobody
    /// can watch those.
    pub fn seeds(&mut self, module: &Module) -> SessionSeeds<'_> {
        SessionSeeds {
            keeps_remarks: self.remarks.are_kept(),
            maps: &self.maps,
            directions: &self.directions,
            uses_arena: *self.uses_arena.get_or_insert_with(|| uses_arena(module)),
        }
    }
}

/// Sessions of single functions: see [`Session::seeds`].
#[derive(Clone, Copy, Debug)]
pub struct SessionSeeds<'a> {
    keeps_remarks: bool,
    maps: &'a Arc<Maps>,
    directions: &'a Directions,
    uses_arena: bool,
}

impl SessionSeeds<'_> {
    /// The one for a function.
    #[must_use]
    pub fn of(&self, func: Func) -> SessionSeed {
        let directions = self.directions.get_key_value(&func);
        SessionSeed {
            keeps_remarks: self.keeps_remarks,
            maps: Arc::clone(self.maps),
            directions: directions
                .map(|(&func, ways)| (func, ways.clone()))
                .into_iter()
                .collect(),
            uses_arena: self.uses_arena,
        }
    }
}

/// A session of one function that can begin in another thread.
#[derive(Clone, Debug)]
pub struct SessionSeed {
    keeps_remarks: bool,
    maps: Arc<Maps>,
    directions: Directions,
    uses_arena: bool,
}

impl SessionSeed {
    /// The session.
    #[must_use]
    pub fn session(self) -> Session<'static> {
        Session {
            remarks: Remarks::new(self.keeps_remarks),
            maps: self.maps,
            directions: self.directions,
            uses_arena: Some(self.uses_arena),
            ..Session::default()
        }
    }
}

/// Whether any function of a module handles arena pointers.
pub(crate) fn uses_arena(module: &Module) -> bool {
    module.functions.values().any(|function: &Function| {
        function.layout.blocks().any(|block| {
            function
                .layout
                .insts(block)
                .any(|inst| function.dfg.inst(inst).opcode() == Opcode::AddrSpaceCast)
        })
    })
}
