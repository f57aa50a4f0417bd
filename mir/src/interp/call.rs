//! Calls: frames, functions of the module, helpers with their callbacks, tail calls.

use super::step::Next;
use super::{Cell, Frame, Interpreter, MAX_FRAMES, function_address, unsupported};
use crate::entity::{External, Func, Value};
use bpf::interp::{FRAME_SIZE, Fault, FaultKind, Machine, Meaning, Outcome};

/// The conformance vectors' helper, by uBPF's convention.
const UNWIND: u32 = 5;

/// How a function ends.
pub(super) enum Exit {
    Return(Cell),
    /// Goes on with this program of a program array and this context.
    TailCall(u32, Cell),
}

impl<'m> Interpreter<'m> {
    /// Calls a function, and what it tail-calls, in frames of their own.
    pub(super) fn call(
        &mut self,
        machine: &mut Machine,
        func: Func,
        args: &[Cell],
    ) -> Result<Cell, Fault> {
        if self.frames >= MAX_FRAMES {
            return Err(FaultKind::CallDepth(MAX_FRAMES).into());
        }
        self.frames += 1;
        let mut exit = self.call_once(machine, func, args);
        while let Ok(Exit::TailCall(number, context)) = exit {
            exit = match self.programs.get(number as usize).copied().flatten() {
                Some(program) => self.call_once(machine, program, &[context]),
                None => Err(unsupported(format!("a tail call of program {number}"))),
            };
        }
        self.frames -= 1;
        match exit? {
            Exit::Return(cell) => Ok(cell),
            Exit::TailCall(..) => Err(unsupported("a tail call of a tail call")),
        }
    }

    fn call_once(&mut self, machine: &mut Machine, id: Func, args: &[Cell]) -> Result<Exit, Fault> {
        let func = self.function(id)?;
        let Some(entry) = func.layout.entry() else {
            let name = &func.name;
            return Err(unsupported(format!("a call of {name}, which has no body,")));
        };
        let (lowest, stack) = machine.push_frame(FRAME_SIZE)?;
        let mut values = self.spare.pop().unwrap_or_default();
        values.clear();
        values.resize(func.dfg.value_count(), Cell::default());
        let mut frame = Frame {
            id,
            func,
            values,
            pointer: lowest + FRAME_SIZE as u64,
            loop_budget: self.loop_budget,
        };
        for (index, &param) in func.dfg.block_params(entry).iter().enumerate() {
            let cell = args.get(index).copied().unwrap_or(Cell::undefined());
            frame.set(param, cell);
        }
        let exit = self.run_blocks(machine, &mut frame, entry);
        self.spare.push(frame.values);
        machine.pop_frame(stack);
        exit
    }

    /// What an instruction that calls a function comes to. Once the run is unwound, every function
    /// ends with the result that the innermost ended with.
    pub(super) fn returned(&self, cell: Cell) -> Next {
        if self.unwound {
            Next::Exit(Exit::Return(cell))
        } else {
            Next::Value(cell)
        }
    }

    /// Calls what an address stands for.
    pub(super) fn call_address(
        &mut self,
        machine: &mut Machine,
        address: u64,
        args: &[Cell],
    ) -> Result<Cell, Fault> {
        match machine.memory().meaning(address) {
            Meaning::Code(number) if self.module.functions.len() > number as usize => {
                let func = Func::from_u32(number);
                debug_assert_eq!(function_address(func), address);
                self.call(machine, func, args)
            }
            _ => Err(unsupported(format!("a call of address {address:#x}"))),
        }
    }

    pub(super) fn call_helper(
        &mut self,
        machine: &mut Machine,
        frame: &Frame<'_>,
        id: u32,
        args: &[Value],
    ) -> Result<Next, Fault> {
        let first = args.first().map(|&arg| frame.get(arg));
        let first = first.unwrap_or(Cell::undefined());
        if self.conformance && id == UNWIND {
            self.unwound = self.read(first)? == 0;
            return Ok(self.returned(first));
        }
        let mut registers = [super::UNDEFINED; 5];
        for (register, &arg) in registers.iter_mut().zip(args) {
            *register = self.read(frame.get(arg))?;
        }
        let outcome = machine.call_helper(id, registers, &mut |machine, address, args| {
            let args = args.map(Cell::new);
            let result = self.call_address(machine, address, &args)?;
            self.read(result)
        })?;
        Ok(match outcome {
            Outcome::Value(value) => Next::Value(Cell::new(value)),
            Outcome::TailCall(program) => Next::Exit(Exit::TailCall(program, first)),
        })
    }

    pub(super) fn call_external(&self, external: External) -> Result<u64, Fault> {
        match self.module.externals.get(external) {
            Some(data) => bpf::interp::bytecode::kernel_function(&data.name).map(|()| 0),
            None => Err(unsupported(format!(
                "a call of {external}, which does not exist,"
            ))),
        }
    }
}
