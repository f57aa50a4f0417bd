//! Calls of helpers: whether they may be called, and what they leave behind.

use bpf::helpers::{Access, ArgKind, Helper, HelperFlags, by_id};
use bpf::maps::MapKind;

use super::memory::{self, Operation, Stored};
use super::{Flow, Walker};
use crate::helpers::{TAIL_CALL, arguments, fits_map, is_allowed};
use crate::state::{DynptrKind, Kind, MapRef, Reference, Register};
use crate::stop::{Check, gap, refuse, refuse_register};
use crate::verdict::Rule;

/// References that a state may hold. A loop that takes ever more of them would fill the memory, as it
/// does the kernel's.
const MAX_REFERENCES: usize = 2048;

/// What the arguments of a call said.
#[derive(Debug, Default)]
pub(super) struct Meta {
    /// The map.
    pub map: Option<MapRef>,
    /// The register whose reference is given up.
    pub released: Option<u8>,
    /// The reference among the arguments.
    pub reference: u32,
    /// Stack that the call writes: register and bytes.
    pub raw: Option<(u8, i64)>,
    /// Size of the memory that the call returns.
    pub size: u32,
    /// Largest size of a memory argument.
    pub largest: u64,
    /// The callback.
    pub callback: Option<usize>,
    /// The dynptr.
    pub dynptr: Option<super::dynptr::Found>,
    /// Whether the key of a lookup is known to be in the map.
    pub found: bool,
}

impl Walker<'_> {
    pub(super) fn call_helper(&mut self, number: i32) -> Check<Flow> {
        let helper = u32::try_from(number).ok().and_then(by_id);
        let Some(helper) = helper else {
            return refuse(
                Rule::HelperUnknown,
                format!("invalid func unknown#{number}"),
            );
        };
        let name = format!("bpf_{}#{}", helper.name, helper.id);
        self.check_callable(helper, &name)?;
        let mut meta = Meta::default();
        let arguments = arguments(helper, self.program.program_type);
        for (index, argument) in arguments.enumerate() {
            self.check_argument(helper, index as u8 + 1, argument, &mut meta)?;
        }
        self.check_map_use(helper, &meta)?;
        self.write_raw(&meta)?;
        self.release(helper, &name, &meta)?;
        let calls_later = self.special_calls(helper, &meta)?;
        if calls_later == Special::Gap {
            return gap(format!("helper {name}"));
        }
        self.clear_caller_saved();
        self.set_result(helper, &name, &meta)?;
        if let Some(map) = meta.map {
            let kind = self.program.map(map.id).def.kind;
            if !fits_map(kind, helper.id, self.program.program_type) {
                return refuse(
                    Rule::MapKind,
                    format!("cannot pass map_type {} into func {name}", kind.number()),
                );
            }
        }
        if helper.id == TAIL_CALL {
            return self.after_tail_call();
        }
        if helper.flags.contains(HelperFlags::CHANGES_PACKET) {
            self.forget_packets();
        }
        Ok(Flow::Next)
    }

    /// Only a tail call that failed comes back, with nothing changed. In a function, one that did not
    /// fail returns to the caller.
    fn after_tail_call(&mut self) -> Check<Flow> {
        if self.state.current() == 0 {
            return Ok(Flow::Next);
        }
        let next = self.insn + 1;
        self.push_branch(next)?;
        self.forget_packets();
        self.set(0, Register::UNKNOWN);
        self.leave().map(Flow::To)
    }

    fn check_callable(&self, helper: &Helper, name: &str) -> Check {
        let program = self.program;
        let allowed = is_allowed(
            program.program_type,
            program.attach_type,
            helper.id,
            self.options.kernel,
        );
        match allowed {
            None => return gap(format!("helpers of {} programs", program.program_type)),
            Some(false) => {
                return refuse(
                    Rule::HelperNotAllowed,
                    format!("program of this type cannot use helper {name}"),
                );
            }
            Some(true) => {}
        }
        if helper.flags.contains(HelperFlags::GPL_ONLY) && !program.gpl {
            return refuse(
                Rule::GplOnly,
                "cannot call GPL-restricted function from non-GPL compatible program",
            );
        }
        if helper.flags.contains(HelperFlags::MAY_SLEEP) {
            if !self.state.sleepable {
                return refuse(
                    Rule::MaySleep,
                    "helper call might sleep in a non-sleepable prog",
                );
            }
            if self.state.rcu != 0 || self.state.preempt != 0 {
                return gap("helpers that may sleep inside RCU or preemption sections");
            }
        }
        Ok(())
    }

    fn check_map_use(&mut self, helper: &Helper, meta: &Meta) -> Check {
        let Some(map) = meta.map else {
            return Ok(());
        };
        let writes = matches!(helper.id, 2 | 3 | 87 | 88);
        if writes && !self.program.map(map.id).can_write() {
            return refuse(Rule::MapPermission, "write into map forbidden");
        }
        if helper.id == TAIL_CALL && self.program.map(map.id).def.kind != MapKind::ProgArray {
            return refuse(Rule::MapKind, "expected prog array map for tail call");
        }
        if helper.id == TAIL_CALL {
            let entries = u64::from(self.program.map(map.id).def.max_entries);
            let index = self.reg(3).value.as_const();
            if self.reg(3).is_scalar() && index.is_some_and(|index| index < entries) {
                self.mark_precise(3)?;
            }
        }
        Ok(())
    }

    /// Stack that the helper fills becomes data.
    fn write_raw(&mut self, meta: &Meta) -> Check {
        let Some((register, size)) = meta.raw else {
            return Ok(());
        };
        for offset in 0..size {
            self.access(memory::Access {
                base: register,
                offset: offset as i32,
                size: 1,
                operation: Operation::Store(Stored::Unknown),
                aligned: false,
            })?;
        }
        Ok(())
    }

    fn release(&mut self, helper: &Helper, name: &str, meta: &Meta) -> Check {
        let Some(register) = meta.released else {
            return Ok(());
        };
        debug_assert!(helper.flags.contains(HelperFlags::RELEASES));
        if meta.reference != 0 && self.release_reference(meta.reference) {
            return Ok(());
        }
        if meta.reference == 0 && self.reg(register).is_null() {
            return Ok(());
        }
        refuse_register(
            Rule::NotAcquired,
            register,
            format!("func {name} reference has not been acquired before"),
        )
    }

    /// A reference is held from here on.
    pub(super) fn hold(&mut self, id: u32) -> Check {
        if self.state.references.len() >= MAX_REFERENCES {
            return gap("more references at once than are followed");
        }
        self.state.references.push(Reference {
            id,
            insn: self.insn,
        });
        Ok(())
    }

    pub(super) fn release_reference(&mut self, id: u32) -> bool {
        let before = self.state.references.len();
        self.state.references.retain(|reference| reference.id != id);
        if self.state.references.len() == before {
            return false;
        }
        self.state.for_each_register(|register| {
            if register.reference == id {
                *register = Register::UNKNOWN;
            }
        });
        true
    }

    /// What some helpers do beside looking at their arguments.
    fn special_calls(&mut self, helper: &Helper, meta: &Meta) -> Check<Special> {
        let map = meta.map.unwrap_or(MapRef {
            id: crate::program::MapId(0),
            uid: 0,
        });
        match (helper.name, meta.callback) {
            ("tail_call", _) => {
                self.check_nothing_held("tail_call", true)?;
            }
            ("get_local_storage", _) => {
                if !self.reg(2).is_null() {
                    return refuse_register(
                        Rule::ArgumentValue,
                        2,
                        "get_local_storage() doesn't support non-zero flags",
                    );
                }
                self.mark_precise(2)?;
            }
            ("loop", Some(function)) => self.call_loop(function)?,
            ("for_each_map_elem", Some(function)) => self.call_for_each(function, map)?,
            ("timer_set_callback", Some(function)) => {
                if let Kind::MapValue { map, .. } = self.reg(1).kind {
                    self.call_later(function, map)?;
                }
            }
            ("dynptr_from_mem", _) => {
                let kind = self.reg(1).kind;
                if !matches!(kind, Kind::MapValue { .. }) {
                    return refuse_register(
                        Rule::ArgumentType,
                        1,
                        format!(
                            "Unsupported reg type {} for bpf_dynptr_from_mem data",
                            kind.name()
                        ),
                    );
                }
            }
            ("dynptr_write", _)
                if meta
                    .dynptr
                    .is_some_and(|found| found.kind == DynptrKind::Skb) =>
            {
                self.forget_packets();
            }
            ("spin_lock" | "spin_unlock", _) if self.compares_nodes() => {
                return refuse(
                    Rule::CallbackContext,
                    "can't spin_{lock,unlock} in rbtree cb",
                );
            }
            ("spin_lock", _) => self.take_lock(1)?,
            ("spin_unlock", _) => self.give_lock(1)?,
            (
                "snprintf" | "find_vma" | "user_ringbuf_drain" | "get_func_ip" | "get_func_arg"
                | "get_func_ret" | "get_func_arg_cnt",
                _,
            ) => return Ok(Special::Gap),
            _ => {}
        }
        Ok(Special::Done)
    }
}

/// Whether a special helper was dealt with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    Done,
    Gap,
}

/// Whether memory behind an argument is written.
pub(super) fn writes(kind: ArgKind) -> bool {
    matches!(
        kind,
        ArgKind::Mem(Access::Write | Access::ReadWrite)
            | ArgKind::FixedMem(_, Access::Write | Access::ReadWrite)
            | ArgKind::MapValue(Access::Write | Access::ReadWrite)
    )
}
