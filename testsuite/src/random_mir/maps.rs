//! Helpers: maps with their keys on the stack, numbers, and those that read memory.

use bpf::insn::{Cond, MemWidth};
use mir::{Func, Opcode, Symbol, Type, Value};

use super::maker::{KEYS, Kind, Maker, Region, VALUE};

const LOOKUP: u32 = 1;
const UPDATE: u32 = 2;
const DELETE: u32 = 3;
const KTIME: u32 = 5;
const PRANDOM: u32 = 7;
const CSUM_DIFF: u32 = 28;
const ADJUST_HEAD: u32 = 44;

impl Maker<'_> {
    /// An address in the frame.
    fn frame_address(&mut self, offset: i32) -> Value {
        let frame = self.at_end().ins().frame();
        let offset = self.at_end().ins().iconst(Type::I64, i64::from(offset));
        self.at_end()
            .ins()
            .binary(Opcode::Iadd, Type::I64, frame, offset)
    }

    /// Writes a key of a map to the frame and gives its place. Now and then the key that is there
    /// already is used again.
    fn key(&mut self) -> i32 {
        let place = self.pick(&KEYS);
        let key = match self.random.below(4) {
            0 => return place,
            1 => self.wide(),
            _ => {
                let key = self.random.below(10) as i64;
                self.at_end().ins().iconst(Type::I64, key)
            }
        };
        let frame = self.at_end().ins().frame();
        self.at_end()
            .ins()
            .store(Opcode::Store, MemWidth::B32, frame, place, key);
        place
    }

    fn look_up(&mut self, symbol: Symbol, key: i32) -> Value {
        let map = self.at_end().ins().symbol(symbol);
        let key = self.frame_address(key);
        self.at_end().ins().call_helper(LOOKUP, &[map, key])
    }

    /// Look-ups of a key, one after the other or each after the last one's check, and statements that
    /// may use the values.
    pub(super) fn with_element(&mut self) {
        let number = self.random.next_u64();
        let Some((symbol, map)) = self.world.map(number) else {
            return;
        };
        let size = map.value_size as i32;
        let key = self.key();
        let (at_once, later) = self.pick(&[(1, 0), (1, 0), (1, 1), (2, 0)]);
        let mut elements = Vec::new();
        for round in 0..at_once {
            if round > 0 {
                self.between(key);
            }
            elements.push(Some(self.look_up(symbol, key)));
        }
        elements.resize(at_once + later, None);
        for element in elements {
            let element = match element {
                Some(element) => element,
                None => self.look_up(symbol, key),
            };
            let zero = self.at_end().ins().iconst(Type::I64, 0);
            let region = Region {
                kind: Kind::Shared,
                base: Some(element),
                start: 0,
                size,
            };
            self.where_holds(Cond::Ne, [element, zero], |maker| {
                maker.scope.regions.push(region);
                match maker.random.below(3) {
                    0 => maker.counter_in(&region),
                    _ => maker.accesses(),
                }
                maker.statements();
            });
        }
    }

    /// Something between two look-ups of a key.
    fn between(&mut self, key: i32) {
        match self.random.below(5) {
            0 => {
                let (value, frame) = (self.value(), self.at_end().ins().frame());
                let offset = key + self.pick(&[0, 1, 3]);
                self.at_end()
                    .ins()
                    .store(Opcode::Store, MemWidth::B8, frame, offset, value);
            }
            1 => self.accesses(),
            2 => self.ask(),
            3 => self.change_map(),
            _ => {}
        }
    }

    /// Stores or deletes an element.
    pub(super) fn change_map(&mut self) {
        let number = self.random.next_u64();
        let Some((symbol, _)) = self.world.map(number) else {
            return;
        };
        let key = self.key();
        let map = self.at_end().ins().symbol(symbol);
        let key = self.frame_address(key);
        let result = if self.random.below(3) == 0 {
            self.at_end().ins().call_helper(DELETE, &[map, key])
        } else {
            for offset in (VALUE..VALUE + 32).step_by(8) {
                let value = self.value();
                let frame = self.at_end().ins().frame();
                self.at_end()
                    .ins()
                    .store(Opcode::Store, MemWidth::B64, frame, offset, value);
            }
            let (value, flags) = (
                self.frame_address(VALUE),
                self.at_end().ins().iconst(Type::I64, 0),
            );
            self.at_end()
                .ins()
                .call_helper(UPDATE, &[map, key, value, flags])
        };
        self.add(result);
    }

    /// A helper that gives a number.
    pub(super) fn ask(&mut self) {
        let result = match self.random.below(4) {
            0 => self.at_end().ins().call_helper(KTIME, &[]),
            1 | 2 => self.at_end().ins().call_helper(PRANDOM, &[]),
            _ => {
                let from = self.frame_address(-64);
                let size = self.at_end().ins().iconst(Type::I64, 16);
                let (null, seed) = (self.at_end().ins().iconst(Type::I64, 0), self.wide());
                self.at_end()
                    .ins()
                    .call_helper(CSUM_DIFF, &[null, null, from, size, seed])
            }
        };
        self.add(result);
    }

    /// A call of the other function, in the one that may.
    pub(super) fn call(&mut self) {
        let module = &self.world.lifted.module;
        let callee = module
            .functions
            .iter()
            .find(|(_, function)| function.section != "xdp")
            .map(|(func, _)| func);
        let Some(func) = callee.filter(|_| self.context.is_some()) else {
            return;
        };
        let args = self.arguments(func);
        let result = self.at_end().ins().call_func(func, &args);
        self.add(result);
    }

    fn arguments(&mut self, func: Func) -> Vec<Value> {
        let count = self.world.lifted.module.functions[func].parameter_count;
        (0..count).map(|_| self.value()).collect()
    }

    /// Moves the packet's start, after which no pointer into it may be used.
    pub(super) fn move_packet(&mut self) {
        let Some(context) = self.context else { return };
        let distance = self.pick(&[-8, -4, 4, 8, 14]);
        let distance = self.at_end().ins().iconst(Type::I64, distance);
        let result = self
            .at_end()
            .ins()
            .call_helper(ADJUST_HEAD, &[context, distance]);
        self.add(result);
        self.scope.regions.retain(|one| one.kind != Kind::Packet);
    }

    /// The packet's bounds, and statements that may use its first bytes.
    pub(super) fn with_packet(&mut self) {
        let Some(context) = self.context else { return };
        let data = self
            .at_end()
            .ins()
            .load(Opcode::Load, MemWidth::B32, context, 0);
        let end = self
            .at_end()
            .ins()
            .load(Opcode::Load, MemWidth::B32, context, 4);
        let size = self.pick(&[8, 14, 20, 34, 54]);
        let length = self.at_end().ins().iconst(Type::I64, i64::from(size));
        let last = self
            .at_end()
            .ins()
            .binary(Opcode::Iadd, Type::I64, data, length);
        let region = Region {
            kind: Kind::Packet,
            base: Some(data),
            start: 0,
            size,
        };
        self.where_holds(Cond::Le, [last, end], |maker| {
            maker.scope.regions.push(region);
            maker.accesses();
            maker.statements();
        });
    }
}
