//! Which passes run, in which order, at which level.
//!
//! The pipelines are literal lists; a comment beside a line says what its place depends on.
//! `--passes` replaces the list, `--disable` takes passes out of it, `--enable` adds those that
//! are missing at its end. `P@function` applies `--enable` or `--disable` to one function only.

use crate::pass::{PassInfo, PassKind};
use crate::registry::{UnknownPass, find};
use crate::target::Target;

/// How much to optimise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum OptLevel {
    /// Lift and emit.
    O0,
    /// What is cheap and certain.
    O1,
    /// For time.
    #[default]
    O2,
    /// For slots.
    Os,
}

const O0: &[&str] = &[];

const O1: &[&str] = &[
    // Before anything changes the function, since what the verifier found is of the input.
    "decided-branch",
    // Fewer blocks make everything after it cheaper.
    "simplify-cfg",
    // Turns loads and stores into values that the rest can see through.
    "promote-stack",
    "simplify",
    // Removes what the three above left unused, so that sizes compared at the end are true.
    "dce",
    // The back end's, when all others are done.
    "layout",
];

/// The passes for time, with others before the last.
macro_rules! for_time_and {
    ($($extra:literal),*) => {
        &[
            // Before anything changes the function, since what the verifier found is of the input.
            "decided-branch",
            // Fewer blocks make everything after it cheaper, and promote-stack needs reachable code.
            "simplify-cfg",
            // First of the value passes: a reload becomes the value itself, with its constants and bits.
            "promote-stack",
            // Operations of 32 bits come with extensions that mostly nobody needs: what asks for the
            // only use of a value must not count them.
            "dce",
            // Canonical forms (constant on the right, folded addresses) are what gvn compares.
            "simplify",
            // Reloads are values now, so what loops carry can be followed to where it is asked for.
            "same-answer",
            // Likewise, error paths pass constants to the checks after them. Then what
            // follows sees longer blocks.
            "jump-thread",
            "simplify-cfg",
            // Before gvn, which may find the whole load elsewhere, and before narrow32 changes the shifts.
            "load-combine",
            "gvn",
            // Equal addresses look equal now; what it finds is folded with the rest below.
            "forward-memory",
            // Before narrow32: unused uses must not demand bits.
            "dce",
            "narrow32",
            // narrow32 leaves extensions of truncations and constants to fold.
            "simplify",
            // Narrowed forms of the same computation are equal now where the wide ones were not.
            "gvn",
            "dce",
            // Keys have their constants; what a check guards goes with simplify-cfg.
            "inline-lookup",
            // Through loops, with what the passes above made constant; it decides branches that
            // jump-thread would lead edges past one by one.
            "sccp",
            // Once more with what gvn and forward-memory found to be the same.
            "same-answer",
            "jump-thread",
            // Branches that simplify decided leave blocks to merge and parameters with one argument.
            "simplify-cfg",
            // Merged blocks brought definitions and uses together.
            "simplify",
            // In the longest blocks, with constants and offsets in their final form.
            "store-combine",
            "memcpy",
            // What was merged overwrites more at once.
            "dead-store",
            $($extra,)*
            // Everything before it only disconnects instructions.
            "dce",
            // No unused use holds a computation back, and nothing else wants it where it was.
            "sink",
            // The back end's, when all others are done.
            "layout",
        ]
    };
}

const O2: &[&str] = for_time_and!();

/// [`O2`] and what trades time for slots, which sees the accesses in their final form.
const OS: &[&str] = for_time_and!("atomic-add", "hoist");

impl OptLevel {
    /// All levels.
    pub const ALL: [OptLevel; 4] = [OptLevel::O0, OptLevel::O1, OptLevel::O2, OptLevel::Os];

    /// What follows `-O`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OptLevel::O0 => "0",
            OptLevel::O1 => "1",
            OptLevel::O2 => "2",
            OptLevel::Os => "s",
        }
    }

    /// The level of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<OptLevel> {
        OptLevel::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The passes of this level, in order.
    #[must_use]
    pub fn pass_names(self) -> &'static [&'static str] {
        match self {
            OptLevel::O0 => O0,
            OptLevel::O1 => O1,
            OptLevel::O2 => O2,
            OptLevel::Os => OS,
        }
    }
}

/// What to run and how to watch it.
#[derive(Clone, Debug, Default)]
pub struct PipelineOptions {
    /// Level whose list is taken.
    pub level: OptLevel,
    /// For whom we compile.
    pub target: Target,
    /// Exactly these passes in this order, in place of the level's.
    pub passes: Option<Vec<String>>,
    /// Passes to add; `P@function` for one function.
    pub enable: Vec<String>,
    /// Passes to leave out; `P@function` for one function.
    pub disable: Vec<String>,
    /// Passes after which the function's text is reported; `all` for every one.
    pub print_after: Vec<String>,
    /// Report the function's text after each pass that changed it.
    pub print_changed: bool,
    /// Run well-formedness rules after each pass in release builds too.
    pub verify_each: bool,
    /// Run only this many optional passes, counted over all functions, and report each.
    pub bisect_limit: Option<u64>,
}

/// A pass, everywhere or in one function.
#[derive(Clone, Debug)]
struct Selector {
    info: &'static PassInfo,
    function: Option<String>,
}

impl Selector {
    fn parse(text: &str) -> Result<Selector, UnknownPass> {
        match text.split_once('@') {
            Some((pass, function)) => Ok(Selector {
                info: find(pass)?,
                function: Some(function.to_owned()),
            }),
            None => Ok(Selector {
                info: find(text)?,
                function: None,
            }),
        }
    }

    fn applies_to(&self, function: &str) -> bool {
        self.function.as_deref().is_none_or(|name| name == function)
    }
}

/// The passes after which to report text.
#[derive(Clone, Debug)]
enum PrintAfter {
    All,
    Passes(Vec<&'static str>),
}

/// A resolved pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    steps: Vec<&'static PassInfo>,
    enable: Vec<Selector>,
    disable: Vec<Selector>,
    print_after: PrintAfter,
    pub(crate) target: Target,
    pub(crate) print_changed: bool,
    pub(crate) verify_each: bool,
    pub(crate) bisect_limit: Option<u64>,
}

impl Pipeline {
    /// Resolves names.
    ///
    /// # Errors
    /// When a name is not that of a pass; the message lists all.
    pub fn build(options: &PipelineOptions) -> Result<Pipeline, UnknownPass> {
        let steps = match &options.passes {
            Some(names) => names
                .iter()
                .map(|name| find(name))
                .collect::<Result<_, _>>()?,
            None => options
                .level
                .pass_names()
                .iter()
                .map(|name| find(name))
                .collect::<Result<_, _>>()?,
        };
        let selectors = |list: &[String]| -> Result<Vec<Selector>, UnknownPass> {
            list.iter().map(|text| Selector::parse(text)).collect()
        };
        let print_after = if options.print_after.iter().any(|name| name == "all") {
            PrintAfter::All
        } else {
            PrintAfter::Passes(
                options
                    .print_after
                    .iter()
                    .map(|name| find(name).map(|info| info.name))
                    .collect::<Result<_, _>>()?,
            )
        };
        Ok(Pipeline {
            steps,
            enable: selectors(&options.enable)?,
            disable: selectors(&options.disable)?,
            print_after,
            target: options.target,
            print_changed: options.print_changed,
            verify_each: options.verify_each,
            bisect_limit: options.bisect_limit,
        })
    }

    /// Passes that need not be in the registry: how somebody runs one of their own.
    #[must_use]
    pub fn of(steps: Vec<&'static PassInfo>, target: Target) -> Pipeline {
        Pipeline {
            steps,
            enable: Vec::new(),
            disable: Vec::new(),
            print_after: PrintAfter::Passes(Vec::new()),
            target,
            print_changed: false,
            verify_each: false,
            bisect_limit: None,
        }
    }

    /// The passes that run on a function of this name, in order.
    #[must_use]
    pub fn steps(&self, function: &str) -> Vec<&'static PassInfo> {
        let mut steps = self.steps.clone();
        for selector in self.enable.iter().filter(|s| s.applies_to(function)) {
            if !steps.iter().any(|step| step.name == selector.info.name) {
                steps.push(selector.info);
            }
        }
        steps.retain(|step| {
            step.kind == PassKind::Required
                || !self
                    .disable
                    .iter()
                    .any(|s| s.info.name == step.name && s.applies_to(function))
        });
        steps
    }

    /// Whether a pass runs on a function of this name.
    #[must_use]
    pub fn runs(&self, pass: &str, function: &str) -> bool {
        self.steps(function).iter().any(|step| step.name == pass)
    }

    /// Whether a pass that runs on a function of this name asks for [`crate::Directions`].
    #[must_use]
    pub fn uses_directions(&self, function: &str) -> bool {
        self.runs("decided-branch", function)
    }

    pub(crate) fn prints_after(&self, pass: &str) -> bool {
        match &self.print_after {
            PrintAfter::All => true,
            PrintAfter::Passes(names) => names.contains(&pass),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &PipelineOptions, function: &str) -> Vec<&'static str> {
        Pipeline::build(options)
            .unwrap()
            .steps(function)
            .iter()
            .map(|step| step.name)
            .collect()
    }

    #[test]
    fn every_level_resolves() {
        for level in OptLevel::ALL {
            let options = PipelineOptions {
                level,
                ..PipelineOptions::default()
            };
            assert_eq!(names(&options, "f"), level.pass_names());
        }
    }

    #[test]
    fn switches_apply_to_all_or_to_one_function() {
        let options = PipelineOptions {
            level: OptLevel::O1,
            enable: vec!["gvn".into()],
            disable: vec!["simplify".into(), "dce@main".into()],
            ..PipelineOptions::default()
        };
        assert_eq!(
            names(&options, "main"),
            [
                "decided-branch",
                "simplify-cfg",
                "promote-stack",
                "layout",
                "gvn"
            ]
        );
        assert_eq!(
            names(&options, "other"),
            [
                "decided-branch",
                "simplify-cfg",
                "promote-stack",
                "dce",
                "layout",
                "gvn"
            ]
        );
    }

    #[test]
    fn a_list_replaces_the_level() {
        let options = PipelineOptions {
            passes: Some(vec!["gvn".into(), "dce".into(), "gvn".into()]),
            ..PipelineOptions::default()
        };
        assert_eq!(names(&options, "f"), ["gvn", "dce", "gvn"]);
    }

    #[test]
    fn unknown_names_are_refused_everywhere() {
        let wrong = vec!["nothing".to_owned()];
        for options in [
            PipelineOptions {
                passes: Some(wrong.clone()),
                ..PipelineOptions::default()
            },
            PipelineOptions {
                enable: wrong.clone(),
                ..PipelineOptions::default()
            },
            PipelineOptions {
                disable: wrong.clone(),
                ..PipelineOptions::default()
            },
            PipelineOptions {
                print_after: wrong.clone(),
                ..PipelineOptions::default()
            },
        ] {
            assert_eq!(
                Pipeline::build(&options).unwrap_err(),
                UnknownPass {
                    name: "nothing".into()
                }
            );
        }
    }
}
