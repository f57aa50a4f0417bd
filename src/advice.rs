//! What a rule of the verifier means to the person who broke it, and what to do.
//!
//! One sentence that says the problem without the kernel's vocabulary, and one that can be acted
//! on. Rules that a message alone explains have no advice.

use verifier::Rule;

/// A rule in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What is wrong.
    pub reason: &'static str,
    /// What to do.
    pub suggestion: &'static str,
}

/// The advice for a rule, if there is one.
#[must_use]
#[rustfmt::skip]
pub fn of(rule: Rule) -> Option<Advice> {
    let (reason, suggestion) = match rule {
        Rule::UninitialisedRegister => (
            "the register is read on a path on which nothing was written to it; calls leave r1 to r5 unset",
            "write the register on every path, and keep values that must survive a call in r6 to r9",
        ),
        Rule::FramePointerWrite => (
            "r10 is the frame pointer and cannot be changed",
            "copy it first: `r2 = r10`, then `r2 += -8`",
        ),
        Rule::PointerArithmetic => (
            "only addition and subtraction are defined on a pointer, and not on every kind of pointer",
            "compute the offset as a number first and add it once to the pointer",
        ),
        Rule::NullPointerArithmetic => (
            "the pointer may be null here, and arithmetic would hide that",
            "compare the pointer with 0 before adding to it",
        ),
        Rule::NullDereference => (
            "the pointer may be null here: what returned it can fail",
            "compare that very register with 0, all 64 bits of it, and access the memory only where it is not 0",
        ),
        Rule::NotAPointer => (
            "the register holds a number, and numbers are not addresses",
            "check where the pointer was lost: 32-bit operations, byte swaps and partial loads make numbers of pointers",
        ),
        Rule::MixedPointers => (
            "the instruction is reached with different kinds of pointer in the register",
            "access each kind of memory by an instruction of its own",
        ),
        Rule::StackBounds => (
            "the access reaches outside of the 512 bytes below r10",
            "keep offsets from r10 between -512 and minus the size of the access",
        ),
        Rule::StackUninitialised => (
            "the stack is read before something was written there",
            "store to all bytes that are read or handed to the helper, padding included",
        ),
        Rule::SpillSize => (
            "part of a pointer that lies on the stack would be overwritten",
            "store pointers as 8 bytes at an 8-byte aligned place that nothing else uses",
        ),
        Rule::FillSize => (
            "only part of a pointer is read back from the stack",
            "read all 8 bytes of a spilled pointer",
        ),
        Rule::PacketBounds => (
            "no comparison on this path shows that the packet is long enough for this access",
            "compare the pointer plus the end of the access with data_end, on the same copy of the pointer, and leave when it is greater",
        ),
        Rule::MapValueBounds => (
            "the access can reach outside of the map's value",
            "bound the offset with an unsigned comparison or a mask so that offset plus size stays within the value",
        ),
        Rule::MemoryBounds => (
            "the access can reach outside of the memory",
            "bound the offset so that offset plus size stays within the memory",
        ),
        Rule::NegativeOffset => (
            "the offset can be negative: only its upper bound is known",
            "compare unsigned, mask the value, or check that it is not negative",
        ),
        Rule::UnboundedOffset => (
            "nothing bounds the number that was added to the pointer",
            "compare it with a constant, or mask it, before adding it",
        ),
        Rule::VariableOffset => (
            "this memory can only be accessed at a constant offset",
            "use a constant offset, or copy the data to where variable offsets are allowed",
        ),
        Rule::ContextAccess => (
            "programs of this type cannot access the context at this offset with this size",
            "access one whole field of the context, and only such as this type of program has",
        ),
        Rule::ModifiedContext => (
            "the context pointer was changed before the access",
            "use the unmodified context pointer, and put the field's offset into the access",
        ),
        Rule::ReadOnlyMemory | Rule::PacketWrite | Rule::MapKeyWrite => (
            "this memory can be read but not written",
            "write to memory of the program's own",
        ),
        Rule::ReferenceLeak => (
            "a reference that was acquired is not given back on this path",
            "release it on every path, error paths included",
        ),
        Rule::LockHeld => (
            "a lock or section that was entered is not left on this path",
            "leave it before the program or function ends",
        ),
        Rule::ArgumentType => (
            "the argument is not of a kind that the function takes",
            "hand over a pointer or number of the kind that the kernel's text names as expected",
        ),
        Rule::ArgumentSize => (
            "the size argument is zero, negative or not bounded",
            "bound the size with an unsigned comparison before the call",
        ),
        Rule::ReturnValue => (
            "the result is not in the range that programs of this type may return",
            "set r0 to one of the type's verdicts on every path",
        ),
        Rule::Unreachable => (
            "no path leads to this instruction",
            "remove it",
        ),
        Rule::JumpOutOfRange => (
            "the jump leaves the function",
            "jump to an instruction of the same function",
        ),
        Rule::FallsOff => (
            "control runs past the function's last instruction",
            "end every path with `exit` or a jump",
        ),
        Rule::InfiniteLoop => (
            "the loop comes back to the same state, so it would never end",
            "change and bound a counter that the loop's condition tests",
        ),
        Rule::TooComplex => (
            "there are more paths than the kernel is ready to walk",
            "make loops shorter, use bpf_loop, or split the work into functions that are verified on their own",
        ),
        Rule::StackDepth => (
            "the frames along a chain of calls need more than 512 bytes of stack together",
            "move large variables into a per-CPU array map",
        ),
        Rule::TailCallInSubprogram => (
            "a program with tail calls may use 256 bytes of stack a frame",
            "use less stack, or do the tail call elsewhere",
        ),
        Rule::HelperNotAllowed => (
            "programs of this type cannot call this helper",
            "use a helper that the type offers, or another program type",
        ),
        Rule::HelperUnknown => (
            "the kernel has no helper with this number",
            "check the number, or name a newer kernel with --kernel",
        ),
        Rule::GplOnly => (
            "the helper is only for programs under a licence that is compatible with the GPL",
            "put the program's licence, if it is one, into the section `license`",
        ),
        _ => return None,
    };
    Some(Advice { reason, suggestion })
}
