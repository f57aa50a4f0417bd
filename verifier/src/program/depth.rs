//! Stack use along call chains.
//!
//! The kernel walks calls and function addresses from the main function; what it adds up is each
//! function's deepest access, rounded up. The walk visits each call of each chain, as the kernel's
//! does, so its cost is the number of chains; chains are at most eight frames long.

use bpf::program_type::ProgramType;

use super::cfg::culprit;
use super::{Meaning, Program};
use crate::stop::{Check, refuse_at};
use crate::verdict::Rule;
use crate::walk::throws;

const MAX_STACK: u32 = 512;
const MAX_FRAMES: usize = 8;
/// Above this depth of callers a function may not make a tail call.
const MAX_BEFORE_TAIL_CALL: u32 = 256;
/// A main function with less keeps its frame on the kernel's stack.
const PRIVATE_FROM: u32 = 64;
/// More chains than any program that loads has.
const MAX_STEPS: usize = 4_000_000;

/// What is known of each function's use of the stack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Use {
    /// Deepest access in bytes.
    pub depth: u32,
    /// Whether it is called later, on a stack of its own.
    pub asynchronous: bool,
    /// Whether it is called back.
    pub callback: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// On the kernel's stack.
    Shared,
    /// On memory of its own.
    Private,
}

/// Checks every chain of calls from the main function and from those that run later.
pub(crate) fn check(program: &Program, uses: &[Use]) -> Check {
    let tail_call = program.subprograms.iter().any(|one| one.tail_call);
    let traced = matches!(
        program.program_type,
        ProgramType::Kprobe
            | ProgramType::Tracepoint
            | ProgramType::PerfEvent
            | ProgramType::RawTracepoint
    );
    for root in (0..program.subprograms.len()).rev() {
        if root == 0 || uses[root].asynchronous {
            let private = root == 0 && traced && !tail_call;
            check_chain(program, uses, root, private)?;
        }
    }
    Ok(())
}

fn rounded(depth: u32) -> u32 {
    depth.next_multiple_of(16)
}

fn check_chain(program: &Program, uses: &[Use], root: usize, private: bool) -> Check {
    struct Level {
        function: usize,
        next: usize,
        added: u32,
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut depth = 0;
    let mut steps = 0;
    let mut enter = Some(root);
    loop {
        if let Some(function) = enter.take() {
            let start = program.subprograms[function].start;
            let callers = levels.iter().map(|level| level.function);
            let called_back = callers.chain([function]).any(|one| uses[one].callback);
            let subprogram = &program.subprograms[function];
            if subprogram.reads_packet && called_back {
                return refuse_at(
                    Rule::PacketReadContext,
                    culprit(program, subprogram, Rule::PacketReadContext),
                    "cannot use BPF_LD_[ABS|IND] within callback",
                );
            }
            if function != 0 && subprogram.tail_call && depth >= MAX_BEFORE_TAIL_CALL {
                return refuse_at(
                    Rule::TailCallInSubprogram,
                    culprit(program, subprogram, Rule::TailCallInSubprogram),
                    format!(
                        "tail_calls are not allowed when call stack of previous frames is {depth} \
                         bytes. Too large"
                    ),
                );
            }
            let own = rounded(uses[function].depth);
            let frame = if private && own >= PRIVATE_FROM {
                Frame::Private
            } else {
                Frame::Shared
            };
            let added = if frame == Frame::Shared { own } else { 0 };
            if own > MAX_STACK {
                return refuse_at(
                    Rule::StackDepth,
                    start,
                    format!("stack size of subprog {function} is {own}. Too large"),
                );
            }
            depth += added;
            if depth > MAX_STACK {
                return refuse_at(
                    Rule::StackDepth,
                    start,
                    format!(
                        "combined stack size of {} calls is {depth}. Too large",
                        levels.len() + 1
                    ),
                );
            }
            levels.push(Level {
                function,
                next: start,
                added,
            });
        }
        let frames = levels.len();
        let Some(level) = levels.last_mut() else {
            return Ok(());
        };
        let end = program.subprogram_end(level.function);
        let call = (level.next..end).find_map(|slot| match program.ops[slot].meaning {
            Meaning::Function(callee) => Some((slot, Some(callee))),
            Meaning::Kfunc(_) if throws(program, slot) => Some((slot, None)),
            _ => None,
        });
        let Some((slot, callee)) = call else {
            depth -= level.added;
            levels.pop();
            continue;
        };
        level.next = slot + 1;
        steps += 1;
        if steps > MAX_STEPS {
            return crate::stop::gap("a call graph with millions of chains");
        }
        let Some(callee) = callee else {
            let function = level.function;
            if levels.iter().any(|level| uses[level.function].callback) {
                return refuse_at(
                    Rule::CallbackContext,
                    slot,
                    format!(
                        "bpf_throw kfunc (insn {slot}) cannot be called from callback subprog \
                         {function}"
                    ),
                );
            }
            continue;
        };
        let is_address = program.ops[slot].slots() == 2;
        if is_address && uses[callee].asynchronous {
            continue;
        }
        if program.exception_callbacks.contains(&Some(callee)) {
            return refuse_at(
                Rule::CallbackContext,
                slot,
                format!("insn {slot} cannot call exception cb directly"),
            );
        }
        if frames >= MAX_FRAMES {
            return refuse_at(
                Rule::CallDepth,
                slot,
                format!("the call stack of {frames} frames is too deep !"),
            );
        }
        enter = Some(callee);
    }
}
