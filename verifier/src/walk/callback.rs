//! Functions that helpers call.
//!
//! A call that calls back is walked like the head of a loop: on one path the callback runs and comes
//! back to the call, on the other the call is done. What changed from round to round and no check
//! depended on is forgotten, so that the rounds become alike.

use bpf::maps::MapKind;

use super::Walker;
use crate::state::{Frame, Kind, MapRef, Register, ReturnRange, State};
use crate::stop::{Check, gap, refuse};
use crate::verdict::Rule;

const MAX_FRAMES: usize = 8;
const ANY: ReturnRange = (0, 1);

impl Walker<'_> {
    /// Whether the instruction calls back before it is done.
    pub(super) fn calls_back(&self, insn: usize) -> bool {
        use bpf::helpers::{HelperFlags, by_id};
        use bpf::insn::{CallTarget, Insn};

        if self.adds_to_tree(insn) {
            return true;
        }
        match self.program.insn(insn) {
            Some(Insn::Call {
                target: CallTarget::Helper(id),
            }) => u32::try_from(id)
                .ok()
                .and_then(by_id)
                .is_some_and(|helper| helper.flags.contains(HelperFlags::CALLS_BACK)),
            _ => false,
        }
    }

    /// Lets a path wait on which the callback runs with these arguments.
    fn push_callback(&mut self, function: usize, arguments: &[Register]) -> Check {
        if self.program.subprograms[function].global {
            return refuse(Rule::FunctionType, "callback function not static");
        }
        self.uses[function].callback = true;
        let number = self.state.frames.len();
        if number >= MAX_FRAMES {
            return refuse(
                Rule::CallDepth,
                format!("the call stack of {} frames is too deep", number + 1),
            );
        }
        let mut frame = Frame::new(number, function, Some(self.insn));
        frame.registers[1..=arguments.len()].copy_from_slice(arguments);
        frame.callback = Some(ANY);
        let start = self.program.subprograms[function].start;
        let state = self.push_branch(start)?;
        state.callback_depth += 1;
        state.frame_mut().callback_depth += 1;
        state.frames.push(frame);
        self.state.frame_mut().callback_depth = 0;
        Ok(())
    }

    /// Adding to a tree compares nodes of it.
    pub(super) fn call_comparison(&mut self, function: usize, node: Register) -> Check {
        self.push_callback(function, &[node, node])
    }

    /// `bpf_loop`: the callback gets the round and what was passed for it.
    pub(super) fn call_loop(&mut self, function: usize) -> Check {
        self.mark_precise(1)?;
        let rounds = self.reg(1).value.umax;
        if u64::from(self.state.frame().callback_depth) >= rounds {
            self.state.frame_mut().callback_depth = 0;
            return Ok(());
        }
        let passed = *self.reg(3);
        self.push_callback(function, &[Register::UNKNOWN, passed])
    }

    /// `for_each_map_elem`: the callback gets the map, a key, a value, and what was passed for it.
    pub(super) fn call_for_each(&mut self, function: usize, map: MapRef) -> Check {
        let kind = self.program.map(map.id).def.kind;
        if !matches!(
            kind,
            MapKind::Hash
                | MapKind::PercpuHash
                | MapKind::LruHash
                | MapKind::LruPercpuHash
                | MapKind::Array
                | MapKind::PercpuArray
        ) {
            return refuse(Rule::MapKind, "callback function not allowed for map");
        }
        let arguments = [
            *self.reg(1),
            Register::pointer(Kind::MapKey(map)),
            Register::pointer(Kind::MapValue {
                map,
                nullable: false,
            }),
            *self.reg(3),
        ];
        self.push_callback(function, &arguments)
    }

    /// A callback that runs later, by itself.
    pub(super) fn call_later(&mut self, function: usize, map: MapRef) -> Check {
        if self.program.subprograms[function].global {
            return refuse(Rule::FunctionType, "callback function not static");
        }
        if self.program.subprograms[function].tail_call {
            return gap("a tail call in a function that runs later");
        }
        self.uses[function].callback = true;
        self.uses[function].asynchronous = true;
        let mut frame = Frame::new(0, function, None);
        frame.registers[1] = Register::pointer(Kind::MapPtr(map));
        frame.registers[2] = Register::pointer(Kind::MapKey(map));
        frame.registers[3] = Register::pointer(Kind::MapValue {
            map,
            nullable: false,
        });
        frame.asynchronous = true;
        frame.async_entries = self.state.frame().async_entries + 1;
        let start = self.program.subprograms[function].start;
        let mut state = State::entry(frame, start as u32, false);
        state.history = (self.state.history.1, self.state.history.1);
        self.push_state(state, start)
    }
}
