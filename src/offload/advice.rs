//! What is in the way, why, and what to do, in plain words.

use backend_nfp::offload::{MapPart, Reason};
use bpf::helpers;
use bpf::insn::AtomicOp;
use bpf::maps::MapKind;
use verifier::program::Program;

use crate::verdict::context;

/// An obstacle in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advice {
    /// What is wrong, in one line.
    pub(super) problem: String,
    /// Why it is in the way.
    pub(super) reason: String,
    /// What to do.
    pub(super) remedy: String,
}

const FIRMWARE: &str = "use firmware that has it, and say so by --nfp-caps";

/// The words for a reason.
pub(super) fn of(program: &Program, reason: &Reason) -> Advice {
    let (problem, reason, remedy) = match reason {
        Reason::Helper(number) => return helper(*number),
        Reason::NotOffered(id) => return not_offered(*id),
        Reason::MapType { map, kind } => return map_type(map, *kind),
        Reason::MapSize {
            map,
            part,
            has,
            limit,
        } => return map_size(map, *part, *has, *limit),
        Reason::ContextField { offset, writes } => {
            return context_field(program, *offset, *writes);
        }
        Reason::Atomic { op, fetch } => return atomic(*op, *fetch),
        Reason::Refused => (
            "Linux's verifier refuses the program".to_owned(),
            "a program is verified before it goes to the card; what lies behind the refusal is looked at without knowledge of its values".to_owned(),
            "see what `bpfmill check` says without --target".to_owned(),
        ),
        Reason::Undecided(what) => (
            "it cannot be decided whether Linux's verifier takes the program".to_owned(),
            format!("this is not modelled: {what}"),
            "see what `bpfmill check` says without --target".to_owned(),
        ),
        Reason::ProgramType(kind) => (
            format!("the card runs no programs of type {}", kind.name()),
            "its firmware calls a program for each packet that arrives, from XDP or from a TC classifier".to_owned(),
            "keep the program on the host, or do the work on packets in an XDP program".to_owned(),
        ),
        Reason::ByteOrder => (
            "the program is big-endian".to_owned(),
            "programs and maps on the card follow little-endian hosts".to_owned(),
            "compile for bpfel".to_owned(),
        ),
        Reason::KernelFunction(name) => (
            format!("the kernel's function `{name}` is called"),
            "there is no kernel on the card".to_owned(),
            "do without it, or keep the program on the host".to_owned(),
        ),
        Reason::KernelSymbol(name) => (
            format!("the kernel's `{name}` is used"),
            "there is no kernel on the card".to_owned(),
            "put what is needed of it into a map from user space".to_owned(),
        ),
        Reason::FunctionAddress => (
            "the address of a function is taken".to_owned(),
            "functions that are called back are the host's: no firmware calls into a program's middle".to_owned(),
            "write the loop out, with a bound that the verifier sees".to_owned(),
        ),
        Reason::IndirectJump => (
            "a register says where to go".to_owned(),
            "addresses of the program's code are known to the loader of the card only".to_owned(),
            "compile without jump tables (-fno-jump-tables), and call functions by name".to_owned(),
        ),
        Reason::MayGoto => (
            "a loop ends by the kernel's budget".to_owned(),
            "the budget of may_goto is kept by the host's kernel".to_owned(),
            "give the loop a counter with a constant limit".to_owned(),
        ),
        Reason::Arena => (
            "memory of an arena is used".to_owned(),
            "an arena is shared with processes of the host".to_owned(),
            "use an array map".to_owned(),
        ),
        Reason::Ordered => (
            "an access has acquire or release semantics".to_owned(),
            "the card's memories order accesses of one program only".to_owned(),
            "use atomic additions to counters, which need no order".to_owned(),
        ),
        Reason::AtomicMemory(memory) => (
            format!("an atomic operation on {memory}"),
            "the engine that adds atomically belongs to the memory of maps".to_owned(),
            "use a plain addition: nobody else sees this memory".to_owned(),
        ),
        Reason::Metadata => (
            "the packet's metadata is used".to_owned(),
            "this firmware keeps nothing before the packet for the host".to_owned(),
            FIRMWARE.to_owned(),
        ),
        Reason::MixedMemory(memories) => (
            format!("one instruction uses {}", memories.join(" and ")),
            "each memory of the card has commands of its own, and which it is depends on the way here".to_owned(),
            "access each memory by an instruction of its own, in the branch that chooses it".to_owned(),
        ),
        Reason::KernelMemory(kind) => (
            format!("memory of the kernel is used ({kind})"),
            "the card reaches the stack, the packet and maps, and nothing of the host".to_owned(),
            "take what is needed from the packet or a map; parameters of global functions that point to memory become known if the function is static".to_owned(),
        ),
        Reason::MapStore(map) => (
            format!("a value of map `{map}` is stored to"),
            "this firmware lets programs add to values atomically and no more: cores would overwrite each other".to_owned(),
            "count with __sync_fetch_and_add, or update the element from the host".to_owned(),
        ),
        Reason::GlobalData(map) => (
            format!("a global variable in `{map}` is used"),
            "where the firmware puts a map's values is not known when the program is compiled".to_owned(),
            "use an array map and bpf_map_lookup_elem, a constant that the compiler can put in place, or say `maps.arrays` in --nfp-caps".to_owned(),
        ),
        Reason::MapCount { has, limit } => (
            format!("{has} maps are used, and the firmware has {limit}"),
            "each map has a number of its own in the firmware's table".to_owned(),
            "join maps with equal keys into one".to_owned(),
        ),
        Reason::MapElements { has, limit } => (
            format!("the maps have {has} elements together, and the firmware {limit}"),
            "all maps share one store of elements".to_owned(),
            "lower max_entries".to_owned(),
        ),
        Reason::MapMemory { has, limit } => (
            format!("the maps need {has} bytes, and the card gives {limit}"),
            "elements of all maps lie in the card's memories".to_owned(),
            "lower max_entries".to_owned(),
        ),
        Reason::MixedWord { map, offset } => (
            format!("byte {offset} of map `{map}`'s values is used atomically and plainly"),
            "words that are added to are kept big-endian, so a plain access would see their bytes swapped".to_owned(),
            "only add to the word, and read it from the host".to_owned(),
        ),
        Reason::CounterStart(map) => (
            format!("an element of map `{map}` may begin with counters that are not zero"),
            "words that are added to are kept big-endian, and only zero is the same in both orders".to_owned(),
            "clear the value before the update, and add afterwards".to_owned(),
        ),
        Reason::Argument { number, memory } => (
            format!("argument {number} lies in {memory}"),
            "the firmware reads keys and values from the stack only".to_owned(),
            "copy it to a variable on the stack first".to_owned(),
        ),
        Reason::ArgumentAlignment(number) => (
            format!("argument {number} does not begin at a word of the stack"),
            "the firmware finds it by an index that counts words of 4 bytes, known when the program is compiled".to_owned(),
            "declare the variable with __attribute__((aligned(4))), outside of arrays that are indexed".to_owned(),
        ),
        Reason::HeadDistance { reach } => (
            "the packet's beginning is moved too far".to_owned(),
            format!("it moves by {reach} bytes at most, so the helper would always fail"),
            "move it less, or keep the program on the host".to_owned(),
        ),
        Reason::TailGrows => (
            "the packet's end is moved away".to_owned(),
            "the card can only cut bytes off the end, so the helper would always fail".to_owned(),
            "only shorten packets, or keep the program on the host".to_owned(),
        ),
        Reason::EventProcessor => (
            "an event's flags are not known to be BPF_F_CURRENT_CPU".to_owned(),
            "which processor of the host takes an event is decided when it arrives".to_owned(),
            "pass BPF_F_CURRENT_CPU".to_owned(),
        ),
        Reason::Verdict => (
            "a verdict may be TC_ACT_OK, TC_ACT_RECLASSIFY or TC_ACT_PIPE".to_owned(),
            "the card drops a packet, sends it out, or passes it to the host; that filters there should not see it cannot be said".to_owned(),
            "return TC_ACT_UNSPEC (-1) to pass packets; where no other filter follows, say `tc_accept` in --nfp-caps".to_owned(),
        ),
        Reason::Stack { has, limit } => (
            format!("{has} bytes of stack are needed, and there are {limit}"),
            "frames of the longest chain of calls lie in local memory, in units of 64 bytes".to_owned(),
            "move large variables to a map, or inline what is called".to_owned(),
        ),
        Reason::NotCompiled(why) => (
            format!("it cannot be compiled for the card: {why}"),
            "the back end does not have what this would take".to_owned(),
            "keep the program on the host, or write this part in another way".to_owned(),
        ),
        Reason::TailCallInFunction => (
            "a function of the program makes a tail call".to_owned(),
            "a tail call leaves the packet to the host; from a function Linux would come back to the caller".to_owned(),
            "make the tail call in the program's main function".to_owned(),
        ),
        Reason::CodeSize {
            has,
            limit,
            is_exact,
        } => (
            match is_exact {
                true => format!("{has} words of code are needed, and {limit} fit"),
                false => format!("about {has} words of code are expected, and {limit} fit"),
            },
            "the program lies in the code store of each core".to_owned(),
            "unroll less, inline less, or keep a part on the host".to_owned(),
        ),
        Reason::PacketBytes { reach, limit } => (
            format!("byte {reach} of the packet is reached, and {limit} are at hand"),
            "only the packet's beginning lies in memory that programs access".to_owned(),
            "bound the offset by less, or lower the port's MTU".to_owned(),
        ),
    };
    Advice {
        problem,
        reason,
        remedy,
    }
}

fn name_of(id: u32) -> String {
    helpers::by_id(id).map_or_else(|| format!("number {id}"), |one| format!("bpf_{}", one.name))
}

fn helper(number: i32) -> Advice {
    let id = u32::try_from(number).unwrap_or(0);
    let remedy = match name_of(id).as_str() {
        "bpf_trace_printk" | "bpf_trace_vprintk" => "leave debugging output out, or send an event",
        "bpf_ktime_get_ns"
        | "bpf_ktime_get_boot_ns"
        | "bpf_ktime_get_coarse_ns"
        | "bpf_ktime_get_tai_ns"
        | "bpf_jiffies64" => {
            "let the host keep the time: pass what needs it on, or age elements from user space"
        }
        "bpf_csum_diff" => "add the 16-bit words in the program",
        "bpf_get_smp_processor_id" => "count in an ordinary array by atomic addition",
        "bpf_redirect" | "bpf_redirect_map" | "bpf_clone_redirect" | "bpf_redirect_peer"
        | "bpf_redirect_neigh" => {
            "return XDP_TX to send the packet out of the port it came from, or leave the way to the host"
        }
        "bpf_skb_load_bytes"
        | "bpf_skb_load_bytes_relative"
        | "bpf_xdp_load_bytes"
        | "bpf_skb_store_bytes"
        | "bpf_xdp_store_bytes"
        | "bpf_skb_pull_data" => "access the packet by pointer, after a comparison with data_end",
        "bpf_ringbuf_output" | "bpf_ringbuf_reserve" => {
            "use bpf_perf_event_output, where the firmware offers it"
        }
        "bpf_loop" | "bpf_for_each_map_elem" => {
            "write the loop out, with a bound that the verifier sees"
        }
        _ => "do without it, or keep the program on the host",
    };
    Advice {
        problem: format!("the card has no helper `{}`", name_of(id)),
        reason: "helpers are functions of the host's kernel; firmware has those for maps, events, random numbers and the packet's ends".to_owned(),
        remedy: remedy.to_owned(),
    }
}

fn not_offered(id: u32) -> Advice {
    let reason = match helpers::by_id(id).map(|helper| helper.name) {
        Some("tail_call") => {
            "the next program would run on the host, and this firmware cannot go on there"
        }
        Some("map_update_elem" | "map_delete_elem") => {
            "this firmware lets programs look elements up and count in them; the host puts them in and takes them out"
        }
        Some("perf_event_output") => "this firmware sends no events to the host",
        _ => "the capabilities in use do not list it",
    };
    let remedy = match helpers::by_id(id).map(|helper| helper.name) {
        Some("map_update_elem" | "map_delete_elem") => {
            format!("change the map from user space, or {FIRMWARE}")
        }
        Some("tail_call") => format!("call a function instead, or {FIRMWARE}"),
        _ => FIRMWARE.to_owned(),
    };
    Advice {
        problem: format!("this firmware does not offer `{}`", name_of(id)),
        reason: reason.to_owned(),
        remedy,
    }
}

fn map_type(map: &str, kind: MapKind) -> Advice {
    let remedy = match kind {
        MapKind::PercpuArray => "use an array; the card adds atomically",
        MapKind::PercpuHash | MapKind::LruHash | MapKind::LruPercpuHash => {
            "use a hash map, and let user space take old elements out"
        }
        MapKind::LpmTrie => "use a hash map for each prefix length that occurs",
        MapKind::ArrayOfMaps | MapKind::HashOfMaps => {
            "use one map, with what chose the inner map as a part of its key"
        }
        MapKind::Ringbuf => {
            "use a perf_event_array and bpf_perf_event_output, where the firmware offers it"
        }
        _ => "use a hash or an array, or keep the program on the host",
    };
    Advice {
        problem: format!("map `{map}` is of type {}", kind.name()),
        reason: "the firmware of the capabilities in use does not have this type".to_owned(),
        remedy: remedy.to_owned(),
    }
}

fn map_size(map: &str, part: MapPart, has: u64, limit: u64) -> Advice {
    let (what, remedy) = match part {
        MapPart::Key => (
            "a key",
            "leave out of the key what does not tell elements apart, or hash it",
        ),
        MapPart::Value => (
            "a value",
            "split the value over several maps with the same key",
        ),
        MapPart::Element => (
            "key and value together, each rounded up to 8,",
            "make one of them smaller, or split the value over two maps",
        ),
    };
    let has_have = if part == MapPart::Element {
        "have"
    } else {
        "has"
    };
    Advice {
        problem: format!("{what} of map `{map}` {has_have} {has} bytes, and {limit} fit"),
        reason: "the firmware compares and copies an element as one block of fixed size".to_owned(),
        remedy: remedy.to_owned(),
    }
}

fn context_field(program: &Program, offset: i64, writes: bool) -> Advice {
    let verb = if writes { "written" } else { "read" };
    let field = context::field(program.program_type, offset);
    let problem = match &field {
        Some((structure, name)) => format!("`{name}` of struct {structure} is {verb}"),
        None => format!("byte {offset} of the context is {verb}"),
    };
    let remedy = match field.map(|(_, name)| name) {
        Some("rx_queue_index") if writes => FIRMWARE,
        Some("ingress_ifindex" | "ifindex" | "egress_ifindex") => {
            "load the program for each port, or keep the number in an array map"
        }
        Some("protocol" | "vlan_tci" | "vlan_present" | "vlan_proto") => "read it from the packet",
        Some("hash") => "compute a hash from the packet's addresses",
        _ => "do without it, or keep the program on the host",
    };
    Advice {
        problem,
        reason: "on the card there are the packet's beginning, end and length, and nothing else of the context".to_owned(),
        remedy: remedy.to_owned(),
    }
}

fn atomic(op: AtomicOp, fetch: bool) -> Advice {
    let what = match op {
        AtomicOp::Add => "addition",
        AtomicOp::Or => "bitwise or",
        AtomicOp::And => "bitwise and",
        AtomicOp::Xor => "bitwise exclusive or",
        AtomicOp::Xchg => "exchange",
        AtomicOp::Cmpxchg => "comparison and exchange",
    };
    let with = if fetch && op == AtomicOp::Add {
        " that gives the old value"
    } else {
        ""
    };
    Advice {
        problem: format!("an atomic {what}{with}"),
        reason: "the interface to the card's memory has atomic addition without a result"
            .to_owned(),
        remedy: "count with __sync_fetch_and_add and do not use what it returns".to_owned(),
    }
}
