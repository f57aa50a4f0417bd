//! Which of the choices that selection leaves open are tried: the shortest result is kept.
//!
//! No one choice is best. A copy of a result costs a slot where the allocator could have done
//! without, and saves several where it would have split the value's range around it. A register
//! kept for the context saves reloads of it, and is missing for everything else. So a few
//! strategies are tried one after the other, each changing one choice of the best so far, in the
//! order in which they were found to save the most. Every strategy's result is right.
//!
//! **Cost.** Two or three times selection, allocation and clean-up; five times when slots matter
//! most.

use super::{EmittedFunction, emit_with};
use crate::regalloc::Allocator;
use crate::select::Strategy;
use crate::{EmitError, Options, frame};
use mir::{Func, Function, InstData, Module};

/// What is tried first.
const FIRST: Strategy = Strategy {
    init_undef: false,
    copy_return: false,
    copy_call_results: true,
    constants_on_edges: true,
    pin_parameter: false,
    share_frame_addresses: true,
};

/// Changes to the best strategy so far: the register for the context, results left where calls put
/// them. And when slots matter most: constants made early, frame addresses made at each use.
const CHANGES: [fn(Strategy) -> Strategy; 4] = [
    |best| Strategy {
        pin_parameter: true,
        ..best
    },
    |best| Strategy {
        copy_return: true,
        copy_call_results: false,
        ..best
    },
    |best| Strategy {
        constants_on_edges: false,
        ..best
    },
    |best| Strategy {
        share_frame_addresses: false,
        ..best
    },
];

/// How many of [`CHANGES`] are tried when time matters too.
const QUICK: usize = 2;

/// Compiles one function. `allocator` may have served other functions before.
///
/// # Errors
/// When the function cannot be said at the instruction set level, or does not fit a limit; the
/// caller then keeps the input.
pub fn emit_function(
    module: &Module,
    func: Func,
    options: &Options,
    allocator: &mut Allocator,
) -> Result<EmittedFunction, EmitError> {
    let function = &module.functions[func];
    let frame = frame::frame_use(function);
    let may_pin = pays_to_pin(function);
    let first = emit_with(module, function, frame, options, FIRST, allocator);
    let (mut best, mut strategy) = (first, FIRST);
    for (number, change) in CHANGES.iter().enumerate() {
        // What does not fit the stack yet is worth every try.
        if number >= QUICK && !options.thorough && best.is_ok() {
            break;
        }
        let next = change(strategy);
        if next.pin_parameter && !may_pin {
            continue;
        }
        let emitted = emit_with(module, function, frame, options, next, allocator);
        if is_better(&emitted, &best) {
            (best, strategy) = (emitted, next);
        }
    }
    best
}

/// Whether a result is shorter than another, or at least nearer to fitting the stack.
fn is_better(
    new: &Result<EmittedFunction, EmitError>,
    old: &Result<EmittedFunction, EmitError>,
) -> bool {
    match (new, old) {
        (Ok(new), Ok(old)) => new.slots.len() < old.slots.len(),
        (Ok(_), Err(_)) => true,
        (Err(EmitError::Stack { needed: new, .. }), Err(EmitError::Stack { needed: old, .. })) => {
            new < old
        }
        (Err(_), _) => false,
    }
}

/// Whether a register for the first parameter may pay: it is used beside calls. Legacy packet loads
/// want the context in a certain register.
fn pays_to_pin(function: &Function) -> bool {
    let entry = function.layout.entry();
    let context = entry.and_then(|entry| function.dfg.block_params(entry).first().copied());
    let Some(context) = context else {
        return false;
    };
    let (mut calls, mut uses) = (0, 0);
    for block in function.layout.blocks() {
        for inst in function.layout.insts(block) {
            let data = function.dfg.inst(inst);
            match data {
                InstData::LoadAbs { .. } | InstData::LoadInd { .. } => return false,
                InstData::CallHelper { .. }
                | InstData::CallFunc { .. }
                | InstData::CallExternal { .. }
                | InstData::CallIndirect { .. } => calls += 1,
                _ => {}
            }
            data.for_each_arg(&function.dfg.pool, |value| {
                uses += u32::from(value == context);
            });
        }
    }
    calls > 1 && uses > 2
}
