//! What a rule of the verifier means to the person who broke it, and what to do.
//!
//! One sentence that says the problem without the kernel's vocabulary, and one that can be acted
//! on. [`crate::explain`] has the whole page, and the title.

use verifier::Rule;

/// A rule in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What is wrong.
    pub reason: &'static str,
    /// What to do.
    pub suggestion: &'static str,
}

/// The advice for a rule.
#[must_use]
#[rustfmt::skip]
pub fn of(rule: Rule) -> Advice {
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
        Rule::PointerOffset => (
            "the offset can be so large that sums of it could wrap around",
            "bound the number to what the object has before adding it to the pointer",
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
        Rule::RangeInvariant => (
            "what is known of a number on this path contradicts itself, so the path cannot be taken; only kernels that test themselves refuse it",
            "leave out the comparison that earlier ones have decided",
        ),
        Rule::StackBounds => (
            "the access reaches outside of the 512 bytes below r10",
            "keep offsets from r10 between -512 and minus the size of the access",
        ),
        Rule::StackUninitialised => (
            "these bytes of the stack hold an object of the kernel, such as a dynptr or an iterator, and not data",
            "use the object through its functions only, and keep data elsewhere",
        ),
        Rule::SpillSize => (
            "only part of a pointer is stored: what comes out is neither a pointer nor a number that may be known",
            "store all 8 bytes of a pointer, 8-byte aligned; where a number is wanted, take one that is not an address",
        ),
        Rule::FillSize => (
            "only part of a pointer is read back from the stack",
            "read all 8 bytes of a spilled pointer",
        ),
        Rule::SpillToCaller => (
            "an address in this function's stack would outlive it in the caller's stack",
            "store the value instead of its address, or use memory that the caller hands over",
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
        Rule::ReadOnlyMemory => (
            "this memory belongs to the kernel: it can be read but not written",
            "use the helper that makes this change, or write to memory of the program's own",
        ),
        Rule::PacketWrite => (
            "programs of this type can read the packet but not write to it",
            "only read it, or make the change in a tc or XDP program",
        ),
        Rule::MapKeyWrite => (
            "the map finds its entries by their keys, so a key cannot be changed in place",
            "change the value only, or insert the entry under its new key and delete the old one",
        ),
        Rule::MapPermission => (
            "the map was made so that programs cannot access it in this way; constants are in such maps",
            "use a map without the flag, or, for what changes, a global variable that is not const",
        ),
        Rule::SpecialField => (
            "the access touches a lock, timer, list or pointer that is the kernel's",
            "use the functions for it, and access the other fields one by one",
        ),
        Rule::SocketAccess => (
            "sockets of this kind have no such field, or it has another size",
            "access one whole field; for more than the first ones call bpf_sk_fullsock or bpf_tcp_sock before",
        ),
        Rule::FlowKeysAccess => (
            "the access reaches outside of the 56 bytes of struct bpf_flow_keys",
            "use the fields of struct bpf_flow_keys only",
        ),
        Rule::BufferAccess => (
            "the tracepoint's buffer can only be accessed at constant offsets from its start",
            "use constant offsets that are not negative",
        ),
        Rule::MapPointerAccess => (
            "the register holds the map itself, not a value in it",
            "look the value up with bpf_map_lookup_elem, and access what it returns",
        ),
        Rule::Misaligned => (
            "the address is not a multiple of the size of the access",
            "use an aligned offset, or access smaller pieces and put them together",
        ),
        Rule::AtomicTarget => (
            "atomic operations have no meaning on this kind of memory",
            "load, change and store the value, or keep it in a map",
        ),
        Rule::ReferenceLeak => (
            "a reference that was acquired is not given back on this path",
            "release it on every path, error paths included",
        ),
        Rule::NotAcquired => (
            "what is given back is not something that the program took, or it was given back or moved before",
            "release exactly the pointer that was acquired, once",
        ),
        Rule::LockHeld => (
            "a lock or section that was entered is not left on this path",
            "leave it before the program or function ends",
        ),
        Rule::LockMissing => (
            "the lock or section is not held on this path",
            "take it on every path that leads here, from the same lookup as what it protects",
        ),
        Rule::ArgumentType => (
            "the argument is not of a kind that the function takes",
            "hand over a pointer or number of the kind that the kernel's text names as expected",
        ),
        Rule::ArgumentSize => (
            "the size argument is zero, negative or not bounded",
            "bound the size with an unsigned comparison before the call",
        ),
        Rule::ArgumentNotConstant => (
            "the argument must have one value that is known before the program runs",
            "use a constant, the same on every path to the call",
        ),
        Rule::ArgumentValue => (
            "the argument is of the right kind, but what it leads to is not what the function works on",
            "initialise the object on every path, and hand over exactly its address",
        ),
        Rule::MapKind => (
            "the helper does not work on maps of this kind",
            "use a map of a kind that the helper works on",
        ),
        Rule::FunctionArgument => (
            "the argument is not what the type of the called function promises",
            "hand over what the type says, or make the function static so that it is checked with these arguments",
        ),
        Rule::FunctionType => (
            "the function has no type that the kernel can check, or is not static where it must be",
            "compile with -g, declare callbacks static, and give global functions arguments of checkable types",
        ),
        Rule::ReturnValue => (
            "the result is not in the range that programs of this type may return",
            "set r0 to one of the type's verdicts on every path",
        ),
        Rule::ReturnsPointer => (
            "the function returns an address in its own stack, which ends with it",
            "return the value, or write it to memory that the caller hands over",
        ),
        Rule::CallbackContext => (
            "this cannot be done in a callback, or only the kernel may call the function",
            "return from the callback, and act on the result in the caller",
        ),
        Rule::CallWhileLocked => (
            "nothing may be called while a lock is held but what unlocks it",
            "call before taking the lock, or after giving it back",
        ),
        Rule::MaySleep => (
            "the function may wait, and the program runs where nothing may",
            "load the program as a sleepable one (a section such as `uprobe.s`), or use a function that does not wait",
        ),
        Rule::PacketReadContext => (
            "this load may end the program, which is not possible in this function",
            "load in the main function, or use bpf_skb_load_bytes",
        ),
        Rule::UnknownInstruction => (
            "the kernel has no such instruction",
            "compile for an older instruction set (-mcpu), name a newer kernel with --kernel, or call functions by name",
        ),
        Rule::ReservedField => (
            "a field that the instruction does not use is not zero",
            "clear the fields that the instruction does not use",
        ),
        Rule::BadConstant => (
            "the constant has no meaning in this instruction",
            "shift by less than the width, divide by other numbers than 0, and name maps that exist",
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
            "let the condition test a counter that changes and has a limit; do not wait for memory to change",
        ),
        Rule::TooComplex => (
            "there are more paths than the kernel is ready to walk",
            "make loops shorter, use bpf_loop, or split the work into functions that are verified on their own",
        ),
        Rule::StackDepth => (
            "the frames along a chain of calls need more than 512 bytes of stack together",
            "move large variables into a per-CPU array map",
        ),
        Rule::CallDepth => (
            "more than eight functions would be active at once",
            "make loops of recursive functions, and inline some of the chain",
        ),
        Rule::TailCallInSubprogram => (
            "a function with a tail call must be known to return int, and its callers must use less than 256 bytes of stack",
            "do the tail call in the main function, or compile with -g and use less stack",
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
        Rule::MapNotAllowed => (
            "programs of this type cannot use maps of this kind, or with such values",
            "use another kind of map, or keep the lock, timer or list out of its values",
        ),
        Rule::InstructionNotAllowed => (
            "programs of this type have no socket buffer that this instruction could read",
            "read the packet by pointer, after a comparison with data_end",
        ),
    };
    Advice { reason, suggestion }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_one_sentence_without_an_end() {
        for rule in Rule::ALL {
            let advice = of(*rule);
            for text in [advice.reason, advice.suggestion] {
                assert!(text.len() > 8 && !text.ends_with('.'), "{}", rule.code());
            }
        }
    }
}
