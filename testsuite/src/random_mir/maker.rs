//! A function in the making: where instructions go, and what they may use.

use bpf::insn::MemWidth;
use mir::{Block, Cursor, Function, Opcode, Type, Value};

use super::World;
use crate::packets::Random;

/// The kind of memory that a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The stack.
    Frame,
    /// The packet.
    Packet,
    /// The value of a map.
    Shared,
}

/// Bytes that may be read and written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) kind: Kind,
    /// What offsets count from; of the stack, whichever `frame` is made for an access.
    pub(super) base: Option<Value>,
    pub(super) start: i32,
    pub(super) size: i32,
}

/// What instructions at a place may use.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Numbers of 64 bits.
    pub(super) wide: Vec<Value>,
    /// Numbers of 32 bits.
    pub(super) narrow: Vec<Value>,
    pub(super) regions: Vec<Region>,
}

/// The buffer in the frame.
const BUFFER: Region = Region {
    kind: Kind::Frame,
    base: None,
    start: -64,
    size: 48,
};
/// Bytes in the frame for a map's value; the largest has so many.
pub(super) const VALUE: i32 = -96;
/// Where keys of maps stand.
pub(super) const KEYS: [i32; 2] = [-8, -16];
/// The lowest byte that is used of the frame.
const LOWEST: i32 = VALUE;

/// See the module documentation.
pub(super) struct Maker<'w> {
    pub(super) world: &'w World,
    pub(super) random: Random,
    pub(super) func: Function,
    pub(super) block: Block,
    pub(super) scope: Scope,
    /// The context, in a program.
    pub(super) context: Option<Value>,
    /// Statements that may still be made.
    pub(super) fuel: u64,
    /// Branches and loops around this place.
    pub(super) depth: u32,
}

impl<'w> Maker<'w> {
    /// Begins a function with the head of another one.
    pub(super) fn new(world: &'w World, head: &Function, random: Random) -> Maker<'w> {
        let mut func = Function::new(head.name.clone());
        (func.section, func.global) = (head.section.clone(), head.global);
        func.parameter_count = head.parameter_count;
        let block = func.append_new_block();
        let mut scope = Scope::default();
        for _ in 0..func.parameter_count {
            scope
                .wide
                .push(func.dfg.append_block_param(block, Type::I64));
        }
        let context = (func.section == "xdp").then(|| scope.wide.remove(0));
        Maker {
            world,
            random,
            func,
            block,
            scope,
            context,
            fuel: 0,
            depth: 0,
        }
    }

    /// The whole function, of at most so many statements.
    pub(super) fn function(mut self, fuel: u64) -> Function {
        self.fuel = fuel;
        let seven = self.at_end().ins().iconst(Type::I64, 7);
        let four = self.at_end().ins().iconst(Type::I32, 4);
        self.scope.wide.push(seven);
        self.scope.narrow.push(four);
        // The kernel refuses to read what nobody wrote.
        for offset in (LOWEST..0).step_by(8) {
            let value = self.value();
            let frame = self.at_end().ins().frame();
            self.at_end()
                .ins()
                .store(Opcode::Store, MemWidth::B64, frame, offset, value);
        }
        self.scope.regions.push(BUFFER);
        self.statements();
        self.leave();
        self.func
    }

    /// Returns something that depends on much of what was computed.
    pub(super) fn leave(&mut self) {
        let mut sum = self.wide();
        for _ in 0..self.random.below(4) {
            let (other, three) = (self.wide(), self.at_end().ins().iconst(Type::I64, 3));
            sum = self
                .at_end()
                .ins()
                .binary(Opcode::Imul, Type::I64, sum, three);
            sum = self
                .at_end()
                .ins()
                .binary(Opcode::Bxor, Type::I64, sum, other);
        }
        if self.random.below(2) == 0 {
            for offset in (BUFFER.start..BUFFER.start + BUFFER.size).step_by(8) {
                let frame = self.at_end().ins().frame();
                let word = self
                    .at_end()
                    .ins()
                    .load(Opcode::Load, MemWidth::B64, frame, offset);
                sum = self
                    .at_end()
                    .ins()
                    .binary(Opcode::Iadd, Type::I64, sum, word);
            }
        }
        self.at_end().ins().return_(sum);
    }

    /// Inserts at the end of the block.
    pub(super) fn at_end(&mut self) -> Cursor<'_> {
        Cursor::at_end(&mut self.func, self.block)
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.below(from.len() as u64) as usize]
    }

    /// One that was made lately, mostly: what is computed in steps is used in steps.
    fn recent(&mut self, count: usize) -> usize {
        let count = count as u64;
        let back = self.random.below(count).min(self.random.below(count));
        (count - 1 - back) as usize
    }

    /// A number of 64 bits.
    pub(super) fn wide(&mut self) -> Value {
        let index = self.recent(self.scope.wide.len());
        self.scope.wide[index]
    }

    /// A number of 32 bits.
    pub(super) fn narrow(&mut self) -> Value {
        let index = self.recent(self.scope.narrow.len());
        self.scope.narrow[index]
    }

    /// A number of a type.
    pub(super) fn of(&mut self, ty: Type) -> Value {
        match ty {
            Type::I32 => self.narrow(),
            Type::I64 => self.wide(),
        }
    }

    /// A constant or something computed, of 64 bits.
    pub(super) fn value(&mut self) -> Value {
        match self.random.below(3) {
            0 => self.constant(Type::I64),
            1 => self.at_end().ins().iconst(Type::I64, 0),
            _ => self.wide(),
        }
    }

    /// Notes a number that later instructions may use.
    pub(super) fn add(&mut self, value: Value) {
        match self.func.dfg.value_type(value) {
            Type::I32 => self.scope.narrow.push(value),
            Type::I64 => self.scope.wide.push(value),
        }
    }
}
