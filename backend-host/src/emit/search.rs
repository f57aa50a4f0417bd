//! Which of the choices that selection leaves open are tried: the shortest result is kept.
//!
//! No one choice is best. A copy of a result costs a slot where the allocator could have done
//! without, and saves several where it would have split the value's range around it. A constant
//! made on an edge needs a block there, and presses on no register before. So a few strategies are
//! tried one after the other, in the order in which they were found to save the most over many
//! programs. Every strategy's result is right.
//!
//! **Cost.** Selection, allocation and clean-up once for each: five times, and twice for large
//! functions, where time matters and the others gain next to nothing. Large is from [`LARGE`]
//! instructions where size matters most, and from [`LARGE_ENOUGH`] elsewhere: that halves the time
//! of emission and costs one slot in a thousand. Once for those of more than [`HUGE`].

use super::{EmittedFunction, emit_with};
use crate::regalloc::Allocator;
use crate::select::Strategy;
use crate::{EmitError, Options, frame};
use mir::{Func, Module};

/// How many choices there are.
pub const CHOICES: usize = 5;

/// What is tried.
const STRATEGIES: [Strategy; CHOICES] = [
    Strategy {
        init_undef: false,
        copy_return: true,
        copy_call_results: true,
        constants_on_edges: true,
        share_frame_addresses: false,
    },
    Strategy {
        init_undef: false,
        copy_return: true,
        copy_call_results: false,
        constants_on_edges: true,
        share_frame_addresses: false,
    },
    Strategy {
        init_undef: false,
        copy_return: false,
        copy_call_results: false,
        constants_on_edges: true,
        share_frame_addresses: true,
    },
    Strategy {
        init_undef: false,
        copy_return: false,
        copy_call_results: true,
        constants_on_edges: false,
        share_frame_addresses: true,
    },
    Strategy {
        init_undef: false,
        copy_return: true,
        copy_call_results: false,
        constants_on_edges: false,
        share_frame_addresses: false,
    },
];

/// Instructions from which the first choice is taken, if it can be emitted.
const HUGE: usize = 8192;

/// How many of [`STRATEGIES`] are tried for a large function.
const QUICK: usize = 2;

/// Instructions from which a function is large, where size matters most.
const LARGE: usize = 2048;

/// Instructions from which a function is large elsewhere.
const LARGE_ENOUGH: usize = 256;

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
    let limit = match options.thorough {
        true => LARGE,
        false => LARGE_ENOUGH,
    };
    let count = function.inst_count();
    let tries = match count {
        _ if count > HUGE => 1,
        _ if count > limit => QUICK,
        _ => CHOICES,
    };
    let mut best: Result<EmittedFunction, EmitError> = Err(EmitError::Declaration);
    if let Some(&strategy) = options.choice.and_then(|choice| STRATEGIES.get(choice)) {
        return emit_with(module, function, frame, options, strategy, allocator);
    }
    for (number, &strategy) in STRATEGIES.iter().enumerate() {
        // What cannot be emitted yet is worth every try.
        if number >= tries && best.is_ok() {
            break;
        }
        let emitted = emit_with(module, function, frame, options, strategy, allocator);
        let is_better = match (&emitted, &best) {
            (Ok(emitted), Ok(best)) => emitted.slots.len() < best.slots.len(),
            // Of errors the first is told.
            (emitted, best) => best.is_err() && (emitted.is_ok() || number == 0),
        };
        if is_better {
            best = emitted;
        }
    }
    best
}
