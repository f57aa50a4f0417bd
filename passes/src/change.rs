//! A pass applied to a function, and the same pass applied again to another one.
//!
//! Who checks what a pass did wants to try it on less: an [`Application`] is everything that a pass
//! is given beside the function, and a [`Change`] lends it to a checker. Running a pass again costs
//! what running it costs; its remarks are dropped, and no analysis is shared.

use crate::analyses::Analyses;
use crate::pass::{Changed, Maps, PassContext, PassInfo, Taken};
use crate::remarks::Remarks;
use crate::target::Target;
use mir::{Func, Function, Inst, Module};
use std::collections::BTreeMap;

/// A pass with all that it may look at beside a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Application<'a> {
    pub(crate) info: &'static PassInfo,
    pub(crate) target: &'a Target,
    pub(crate) maps: &'a Maps,
    pub(crate) uses_arena: bool,
    pub(crate) directions: Option<&'a BTreeMap<Inst, Taken>>,
}

impl Application<'_> {
    /// Runs the pass on a function of a module.
    pub(crate) fn run(
        &self,
        module: &mut Module,
        func: Func,
        analyses: &mut Analyses,
        remarks: &mut Remarks,
    ) -> Changed {
        let mut function = std::mem::take(&mut module.functions[func]);
        let changed = self.info.pass.run(
            &mut function,
            &mut PassContext {
                module,
                target: self.target,
                analyses,
                remarks,
                pass: self.info.name,
                uses_arena: self.uses_arena,
                maps: self.maps,
                directions: self.directions,
            },
        );
        if changed.any() {
            function.resolve_aliases();
        }
        module.functions[func] = function;
        changed
    }
}

/// What a pass made of a function, for a checker.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The module after the pass.
    pub module: &'a Module,
    /// The function that changed.
    pub func: Func,
    /// That function before the pass.
    pub before: &'a Function,
    pub(crate) application: Application<'a>,
}

impl Change<'_> {
    /// Name of the pass.
    #[must_use]
    pub fn pass(&self) -> &'static str {
        self.application.info.name
    }

    /// Runs the pass in the same way on what a module has in the function's place.
    pub fn repeat(&self, module: &mut Module) -> Changed {
        let (mut analyses, mut remarks) = (Analyses::default(), Remarks::default());
        self.application
            .run(module, self.func, &mut analyses, &mut remarks)
    }
}
