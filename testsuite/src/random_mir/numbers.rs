//! Arithmetic: single operations, and the pairs of which passes make something else.

use mir::{Format, Opcode, Type, Value};

use super::maker::Maker;

impl Maker<'_> {
    /// Small numbers, powers of two, masks and noise.
    pub(super) fn constant(&mut self, ty: Type) -> Value {
        let noise = self.random.next_u64();
        let number = match self.random.below(5) {
            0 => noise % 70,
            1 => 1 << (noise % 64),
            2 => u64::MAX >> (noise % 64),
            3 => self.pick(&[0, 1, 8, 16, 24, 32, 0xff, 0xffff, 0xffff_ffff, u64::MAX]),
            _ => noise,
        };
        self.at_end().ins().iconst(ty, number.cast_signed())
    }

    /// A number from others.
    pub(super) fn number(&mut self) {
        let value = match self.random.below(8) {
            0 => self.halves(),
            1 => self.field(),
            2 => self.again(),
            3 => self.unary(),
            _ => self.binary(),
        };
        self.add(value);
    }

    fn ty(&mut self) -> Type {
        self.pick(&[Type::I32, Type::I64])
    }

    fn binary(&mut self) -> Value {
        let ty = self.ty();
        let all = Opcode::ALL.iter().copied();
        let all: Vec<Opcode> = all.filter(|one| one.format() == Format::Binary).collect();
        let opcode = self.pick(&all);
        let left = self.of(ty);
        let right = match self.random.below(3) {
            0 => self.of(ty),
            _ => self.constant(ty),
        };
        let (left, right) = match self.random.below(6) {
            0 => (right, left),
            _ => (left, right),
        };
        self.at_end().ins().binary(opcode, ty, left, right)
    }

    fn unary(&mut self) -> Value {
        let ty = self.ty();
        let all = Opcode::ALL.iter().copied();
        let all: Vec<Opcode> = all.filter(|one| one.format() == Format::Unary).collect();
        let opcode = self.pick(&all);
        let (from, to) = match opcode {
            Opcode::Sext | Opcode::Zext => (Type::I32, Type::I64),
            Opcode::Trunc => (Type::I64, Type::I32),
            Opcode::Ineg | Opcode::Sext8 | Opcode::Sext16 => (ty, ty),
            _ => (Type::I64, Type::I64),
        };
        let arg = self.of(from);
        self.at_end().ins().unary(opcode, to, arg)
    }

    /// The lower half of a sum of 64 bits, in one of the ways in which compilers take it.
    fn halves(&mut self) -> Value {
        let (a, b) = (self.wide(), self.value());
        let opcode = self.pick(&[Opcode::Iadd, Opcode::Isub, Opcode::Imul, Opcode::Ishl]);
        let sum = self.at_end().ins().binary(opcode, Type::I64, a, b);
        match self.random.below(4) {
            0 => {
                let low = self.at_end().ins().trunc(sum);
                self.scope.narrow.push(low);
                self.at_end().ins().zext(low)
            }
            1 => {
                let mask = self.at_end().ins().iconst(Type::I64, 0xffff_ffff);
                self.at_end()
                    .ins()
                    .binary(Opcode::Band, Type::I64, sum, mask)
            }
            2 => {
                let low = self.at_end().ins().trunc(sum);
                self.at_end().ins().sext(low)
            }
            _ => {
                let back = self.pick(&[Opcode::Ushr, Opcode::Sshr]);
                let amount = self.at_end().ins().iconst(Type::I64, 32);
                let up = self
                    .at_end()
                    .ins()
                    .binary(Opcode::Ishl, Type::I64, sum, amount);
                self.at_end().ins().binary(back, Type::I64, up, amount)
            }
        }
    }

    /// Some bits of a number.
    fn field(&mut self) -> Value {
        let ty = self.ty();
        let number = self.of(ty);
        let mask = self.constant(ty);
        let amount = self.random.below(16) as i64 * 2;
        let amount = self.at_end().ins().iconst(ty, amount);
        let opcode = self.pick(&[Opcode::Ushr, Opcode::Ishl]);
        match self.random.below(2) {
            0 => {
                let masked = self.at_end().ins().binary(Opcode::Band, ty, number, mask);
                self.at_end().ins().binary(opcode, ty, masked, amount)
            }
            _ => {
                let shifted = self.at_end().ins().binary(opcode, ty, number, amount);
                self.at_end().ins().binary(Opcode::Band, ty, shifted, mask)
            }
        }
    }

    /// What was computed before, once more.
    fn again(&mut self) -> Value {
        let ty = self.ty();
        let value = self.of(ty);
        let Some((_, &data)) = self.func.dfg.def_inst(value) else {
            return value;
        };
        let is_number = matches!(
            data.opcode().format(),
            Format::Binary | Format::Unary | Format::Const
        );
        if !is_number {
            return value;
        }
        let inst = self.at_end().insert(data);
        self.func.dfg.result(inst).unwrap_or(value)
    }
}
