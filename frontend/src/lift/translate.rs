//! Bytecode to MIR, block by block, with SSA construction.
//!
//! Blocks are translated in reverse postorder. A block with one predecessor starts with that
//! predecessor's registers; any other starts with a parameter for each live register, and
//! [`trivial`] removes the redundant ones afterwards. Every predecessor of a block
//! has a register file at its end when its terminator is made, so arguments are known at once: a
//! value for each live register, `undef` for one that nobody wrote.

use super::LiftError;
use super::blocks::{Bytecode, Exit, Item, Meaning};
use super::liveness;
use super::records::FunctionRecords;
use super::signatures::ParameterMask;
use super::trivial;
use bpf::insn::{
    AluOp, AtomicOp, CallTarget, EndianOp, Insn, MemWidth, Operand, Reg, RegSet, Width,
};
use cranelift_entity::EntityRef;
use mir::{
    Block, Cursor, Func, Function, Inst, InstData, Module, Opcode, SymbolData, SymbolKind, Type,
    Value,
};

/// Registers that values live in: `r0` to `r10`.
const REGISTERS: usize = 11;

type Registers = [Option<Value>; REGISTERS];

/// Translates one function.
pub(super) fn translate(
    module: &mut Module,
    func: Func,
    code: &Bytecode,
    masks: &[ParameterMask],
    records: &FunctionRecords,
) -> Result<Function, LiftError> {
    check_registers(code)?;
    let live = liveness::live_in(module, masks, code);
    let declaration = &module.functions[func];
    let mut body = Function::new(declaration.name.clone());
    body.section.clone_from(&declaration.section);
    body.global = declaration.global;
    body.parameter_count = masks[func.index()].count();

    let order = code.reverse_postorder();
    let mut predecessors = vec![0usize; code.blocks.len()];
    for &block in &order {
        for next in code.blocks[block].exit.successors() {
            predecessors[next] += 1;
        }
    }
    let entry = body.append_new_block();
    let mut registers: Registers = [None; REGISTERS];
    for index in 0..usize::from(body.parameter_count) {
        registers[index + 1] = Some(body.dfg.append_block_param(entry, Type::I64));
    }
    // The entry block must have no predecessors: it is the first basic block only if no jump goes
    // there.
    let blocks: Vec<Block> = (0..code.blocks.len())
        .map(|index| {
            if index == 0 && predecessors[0] == 0 {
                entry
            } else {
                body.dfg.make_block()
            }
        })
        .collect();
    let mut translator = Translator {
        module,
        masks,
        func: body,
        block: entry,
        entry,
        registers,
        undef: None,
        frame: None,
        item: None,
        records,
    };
    // The layout keeps the input's order, which is what its branches fall through by.
    let mut in_place: Vec<usize> = order.clone();
    in_place.sort_unstable();
    for &index in in_place.iter().filter(|&&index| blocks[index] != entry) {
        translator.func.layout.append_block(blocks[index]);
    }
    let mut at_start: Vec<Option<Registers>> = vec![None; code.blocks.len()];
    for &index in &order {
        let merges = predecessors[index] + usize::from(index == 0) > 1;
        if merges {
            let mut file: Registers = [None; REGISTERS];
            for reg in live[index].iter().filter(|reg| reg.0 < 10) {
                file[usize::from(reg.0)] = Some(
                    translator
                        .func
                        .dfg
                        .append_block_param(blocks[index], Type::I64),
                );
            }
            if index == 0 {
                let args = translator.block_args(live[0]);
                Cursor::at_end(&mut translator.func, entry)
                    .ins()
                    .jump(blocks[0], &args);
            }
            translator.registers = file;
        } else if index != 0 {
            // Reverse postorder has put the one predecessor before.
            translator.registers = at_start[index].unwrap_or([None; REGISTERS]);
        }
        translator.block = blocks[index];
        let basic = &code.blocks[index];
        for item in &code.items[basic.items.clone()] {
            translator.item(item)?;
        }
        let mut call = |translator: &mut Translator<'_>, next: usize| {
            let merges = predecessors[next] + usize::from(next == 0) > 1;
            if merges {
                (blocks[next], translator.block_args(live[next]))
            } else {
                at_start[next] = Some(translator.registers);
                (blocks[next], Vec::new())
            }
        };
        match basic.exit {
            Exit::Return => {
                let value = translator.read(Reg(0));
                let inst = translator.cursor().ins().return_(value);
                translator.note(inst);
            }
            Exit::Jump(next) => {
                let (block, args) = call(&mut translator, next);
                let inst = translator.cursor().ins().jump(block, &args);
                translator.note(inst);
            }
            Exit::Branch(taken, not_taken) => {
                let condition = translator.condition(&code.items[basic.items.end - 1]);
                let (taken, taken_args) = call(&mut translator, taken);
                let (other, other_args) = call(&mut translator, not_taken);
                let (taken, other) = ((taken, &taken_args[..]), (other, &other_args[..]));
                let mut cursor = translator.cursor();
                let inst = match condition {
                    Some((cond, ty, args)) => cursor.ins().branch(cond, ty, args, taken, other),
                    None => cursor.ins().may_goto(taken, other),
                };
                translator.note(inst);
            }
        }
    }
    let mut func = translator.func;
    trivial::remove_redundant_parameters(&mut func);
    Ok(func)
}

/// `r11` and above have no meaning to the kernel, and `r10` cannot be written.
fn check_registers(code: &Bytecode) -> Result<(), LiftError> {
    for item in &code.items {
        let refuse = |reg: Reg| {
            Err(LiftError::Register {
                slot: item.slot,
                register: reg.0,
            })
        };
        if let Some(reg) = item
            .insn
            .reads()
            .iter()
            .find(|reg| usize::from(reg.0) >= REGISTERS)
        {
            return refuse(reg);
        }
        if let Some(reg) = item.insn.writes().iter().find(|reg| reg.0 >= 10) {
            return refuse(reg);
        }
    }
    Ok(())
}

struct Translator<'a> {
    module: &'a mut Module,
    masks: &'a [ParameterMask],
    func: Function,
    block: Block,
    entry: Block,
    registers: Registers,
    undef: Option<Value>,
    frame: Option<Value>,
    item: Option<Item>,
    records: &'a FunctionRecords,
}

impl Translator<'_> {
    fn cursor(&mut self) -> Cursor<'_> {
        Cursor::at_end(&mut self.func, self.block)
    }

    /// Gives an instruction the current item's origin and source position.
    fn note(&mut self, inst: Inst) {
        if let Some(item) = self.item {
            self.func.origins[inst] = item.slot + 1;
            self.func.locations[inst] = self.records.location(item.slot).into();
        }
    }

    fn make(&mut self, data: InstData) -> Inst {
        let inst = self.cursor().insert(data);
        self.note(inst);
        inst
    }

    fn value(&mut self, data: InstData) -> Value {
        let inst = self.make(data);
        match self.func.dfg.result(inst) {
            Some(value) => value,
            None => self.undef(),
        }
    }

    fn at_entry(&mut self, opcode: Opcode) -> Value {
        let inst = self.func.dfg.make_inst(InstData::Nullary {
            opcode,
            ty: Type::I64,
        });
        self.func.layout.prepend_inst(inst, self.entry);
        match self.func.dfg.result(inst) {
            Some(value) => value,
            None => self.func.dfg.make_result(inst, Type::I64),
        }
    }

    fn undef(&mut self) -> Value {
        match self.undef {
            Some(value) => value,
            None => {
                let value = self.at_entry(Opcode::Undef);
                *self.undef.insert(value)
            }
        }
    }

    fn read(&mut self, reg: Reg) -> Value {
        if reg.0 == 10 {
            return match self.frame {
                Some(value) => value,
                None => {
                    let value = self.at_entry(Opcode::Frame);
                    *self.frame.insert(value)
                }
            };
        }
        match self.registers.get(usize::from(reg.0)).copied().flatten() {
            Some(value) => value,
            None => self.undef(),
        }
    }

    fn write(&mut self, reg: Reg, value: Value) {
        if let Some(place) = self.registers.get_mut(usize::from(reg.0)) {
            *place = Some(value);
        }
    }

    /// Arguments for a merge block with these live registers.
    fn block_args(&mut self, live: RegSet) -> Vec<Value> {
        let live: Vec<Reg> = live.iter().filter(|reg| reg.0 < 10).collect();
        live.into_iter().map(|reg| self.read(reg)).collect()
    }

    /// The lower half of a register.
    fn read_low(&mut self, reg: Reg) -> Value {
        let value = self.read(reg);
        self.low(value)
    }

    fn low(&mut self, value: Value) -> Value {
        // The half that was extended is the half that is wanted. A `w` move of a whole register is
        // an exception: the kernel does not link the copy to its source, so what a comparison
        // teaches of one it does not teach of the other, and uses must stay with the copy.
        if let Some((
            _,
            &InstData::Unary {
                opcode: Opcode::Zext,
                arg,
                ..
            },
        )) = self.func.dfg.def_inst(value)
        {
            let is_truncation = self
                .func
                .dfg
                .def_inst(arg)
                .is_some_and(|(_, data)| data.opcode() == Opcode::Trunc);
            if !is_truncation {
                return arg;
            }
        }
        self.value(InstData::Unary {
            opcode: Opcode::Trunc,
            ty: Type::I32,
            arg: value,
        })
    }

    fn zext(&mut self, value: Value) -> Value {
        self.value(InstData::Unary {
            opcode: Opcode::Zext,
            ty: Type::I64,
            arg: value,
        })
    }

    /// A constant from an instruction's immediate; a CO-RE record on it makes it a patched one.
    fn immediate(&mut self, ty: Type, imm: i32, patched: bool) -> Value {
        let inst = self.make(InstData::Const {
            ty,
            imm: i64::from(imm),
        });
        if patched {
            self.patch(inst);
        }
        match self.func.dfg.result(inst) {
            Some(value) => value,
            None => self.undef(),
        }
    }

    fn core_relo(&self) -> Option<mir::CoreRelo> {
        self.records.relocations.get(&self.item?.slot).copied()
    }

    fn patch(&mut self, inst: Inst) {
        self.func.core_relos[inst] = self.core_relo().into();
    }

    fn operand(&mut self, ty: Type, operand: Operand) -> Value {
        match (operand, ty) {
            (Operand::Reg(reg), Type::I64) => self.read(reg),
            (Operand::Reg(reg), Type::I32) => self.read_low(reg),
            (Operand::Imm(imm), _) => self.immediate(ty, imm, true),
        }
    }

    /// The condition of a block's last item; `None` for `may_goto`.
    fn condition(&mut self, item: &Item) -> Option<(bpf::insn::Cond, Type, [Value; 2])> {
        let Insn::Branch {
            width,
            cond,
            dst,
            src,
            ..
        } = item.insn
        else {
            return None;
        };
        let ty = type_of(width);
        let left = self.operand(ty, Operand::Reg(dst));
        let right = self.operand(ty, src);
        Some((cond, ty, [left, right]))
    }

    fn item(&mut self, item: &Item) -> Result<(), LiftError> {
        self.item = Some(*item);
        if self.core_relo().is_some() && !is_patchable(&item.insn) {
            return Err(LiftError::CoreRelocation { slot: item.slot });
        }
        match item.insn {
            Insn::Alu {
                width: Width::W64,
                op,
                dst,
                src,
            } => {
                let right = self.operand(Type::I64, src);
                let result = match binary_opcode(op) {
                    None => right,
                    Some(opcode) => {
                        let left = self.read(dst);
                        self.value(InstData::Binary {
                            opcode,
                            ty: Type::I64,
                            args: [left, right],
                        })
                    }
                };
                self.write(dst, result);
            }
            Insn::Alu {
                width: Width::W32,
                op,
                dst,
                src,
            } => {
                let right = self.operand(Type::I32, src);
                let low = match binary_opcode(op) {
                    None => right,
                    Some(opcode) => {
                        let left = self.read_low(dst);
                        self.value(InstData::Binary {
                            opcode,
                            ty: Type::I32,
                            args: [left, right],
                        })
                    }
                };
                let result = self.zext(low);
                self.write(dst, result);
            }
            Insn::Neg { width, dst } => {
                let ty = type_of(width);
                let arg = self.operand(ty, Operand::Reg(dst));
                let negated = self.value(InstData::Unary {
                    opcode: Opcode::Ineg,
                    ty,
                    arg,
                });
                self.write_typed(dst, ty, negated);
            }
            Insn::Movsx {
                width: Width::W64,
                bits: 32,
                dst,
                src,
            } => {
                let arg = self.read_low(src);
                let result = self.value(InstData::Unary {
                    opcode: Opcode::Sext,
                    ty: Type::I64,
                    arg,
                });
                self.write(dst, result);
            }
            Insn::Movsx {
                width,
                bits,
                dst,
                src,
            } => {
                let ty = type_of(width);
                let arg = self.operand(ty, Operand::Reg(src));
                let opcode = if bits == 8 {
                    Opcode::Sext8
                } else {
                    Opcode::Sext16
                };
                let result = self.value(InstData::Unary { opcode, ty, arg });
                self.write_typed(dst, ty, result);
            }
            Insn::AddrSpaceCast {
                dst,
                src,
                dst_space,
                src_space,
            } => {
                let arg = self.read(src);
                let result = self.value(InstData::SpaceCast {
                    dst_space,
                    src_space,
                    arg,
                });
                self.write(dst, result);
            }
            Insn::Endian { op, bits, dst } => {
                let arg = self.read(dst);
                let opcode = endian_opcode(op, bits);
                let result = self.value(InstData::Unary {
                    opcode,
                    ty: Type::I64,
                    arg,
                });
                self.write(dst, result);
            }
            Insn::LoadImm64 { dst, imm, .. } => {
                let result = self.wide_immediate(item, imm);
                self.write(dst, result);
            }
            Insn::Load {
                width,
                signed,
                dst,
                base,
                offset,
            } => {
                let opcode = if signed { Opcode::Sload } else { Opcode::Load };
                self.load(opcode, width, dst, base, offset);
            }
            Insn::LoadAcquire {
                width,
                dst,
                base,
                offset,
            } => {
                self.load(Opcode::LoadAcquire, width, dst, base, offset);
            }
            Insn::Store {
                width,
                base,
                offset,
                src,
            } => {
                let value = match src {
                    Operand::Reg(reg) => self.read(reg),
                    Operand::Imm(imm) => self.immediate(Type::I64, imm, false),
                };
                self.store(Opcode::Store, width, base, offset, value);
            }
            Insn::StoreRelease {
                width,
                base,
                offset,
                src,
            } => {
                let value = self.read(src);
                self.store(Opcode::StoreRelease, width, base, offset, value);
            }
            Insn::Atomic {
                width,
                op: AtomicOp::Cmpxchg,
                base,
                offset,
                src,
                ..
            } => {
                let (base, expected, value) = (self.read(base), self.read(Reg(0)), self.read(src));
                let result = self.value(InstData::CompareExchange {
                    width,
                    offset,
                    base,
                    expected,
                    value,
                });
                self.write(Reg(0), result);
            }
            Insn::Atomic {
                width,
                op,
                fetch,
                base,
                offset,
                src,
            } => {
                let (base, value) = (self.read(base), self.read(src));
                let offset = i32::from(offset);
                let inst = self.make(InstData::AtomicRmw {
                    op,
                    width,
                    fetch,
                    offset,
                    base,
                    value,
                });
                if let Some(old) = self.func.dfg.result(inst) {
                    self.write(src, old);
                }
            }
            Insn::LoadAbs { width, imm } => {
                let ctx = self.read(Reg(6));
                self.call(InstData::LoadAbs { width, imm, ctx });
            }
            Insn::LoadInd { width, src, imm } => {
                let (ctx, index) = (self.read(Reg(6)), self.read(src));
                self.call(InstData::LoadInd {
                    width,
                    imm,
                    ctx,
                    index,
                });
            }
            Insn::Call { target } => self.call_item(item, target),
            Insn::Callx { dst } => {
                let callee = self.read(dst);
                let args = self.arguments(5, |_| true);
                let args = self.func.dfg.value_list(&args);
                self.call(InstData::CallIndirect { callee, args });
            }
            // The block's exit translates these.
            Insn::Goto { .. } | Insn::MayGoto { .. } | Insn::Branch { .. } | Insn::Exit => {}
            Insn::Gotox { .. } => return Err(LiftError::IndirectJump { slot: item.slot }),
        }
        Ok(())
    }

    fn write_typed(&mut self, reg: Reg, ty: Type, value: Value) {
        let value = if ty == Type::I32 {
            self.zext(value)
        } else {
            value
        };
        self.write(reg, value);
    }

    /// `ld_imm64`: a symbol, a plain constant, or one that a CO-RE record patches. The last stays
    /// a symbol of its own, because the loader wants to find the same wide form.
    fn wide_immediate(&mut self, item: &Item, imm: u64) -> Value {
        if let Meaning::Symbol(symbol) = item.meaning {
            return self.value(InstData::SymbolAddr { symbol });
        }
        if self.core_relo().is_none() {
            return self.value(InstData::Const {
                ty: Type::I64,
                imm: imm as i64,
            });
        }
        let symbol = self.module.symbols.push(SymbolData {
            name: "core".to_owned(),
            kind: SymbolKind::Other,
            object_symbol: None,
            pseudo: 0,
            imm,
        });
        let inst = self.make(InstData::SymbolAddr { symbol });
        self.patch(inst);
        match self.func.dfg.result(inst) {
            Some(value) => value,
            None => self.undef(),
        }
    }

    fn load(&mut self, opcode: Opcode, width: MemWidth, dst: Reg, base: Reg, offset: i16) {
        let base = self.read(base);
        let inst = self.make(InstData::Load {
            opcode,
            width,
            base,
            offset: offset.into(),
        });
        self.patch(inst);
        if let Some(value) = self.func.dfg.result(inst) {
            self.write(dst, value);
        }
    }

    fn store(&mut self, opcode: Opcode, width: MemWidth, base: Reg, offset: i16, value: Value) {
        let base = self.read(base);
        let inst = self.make(InstData::Store {
            opcode,
            width,
            base,
            value,
            offset: offset.into(),
        });
        self.patch(inst);
    }

    /// A call: result in `r0`, `r1` to `r5` lost.
    fn call(&mut self, data: InstData) {
        let result = self.value(data);
        self.write(Reg(0), result);
        for register in &mut self.registers[1..=5] {
            *register = None;
        }
    }

    /// Values of the first `count` argument registers; `undef` for those not taken.
    fn arguments(&mut self, count: usize, taken: impl Fn(usize) -> bool) -> Vec<Value> {
        (0..count.min(5))
            .map(|index| {
                if taken(index) {
                    self.read(Reg(index as u8 + 1))
                } else {
                    self.undef()
                }
            })
            .collect()
    }

    fn call_item(&mut self, item: &Item, target: CallTarget) {
        let data = match (item.meaning, target) {
            (Meaning::Function(func), _) => {
                let mask = self.masks[func.index()];
                let args = self.arguments(usize::from(mask.count()), |index| mask.contains(index));
                InstData::CallFunc {
                    func,
                    args: self.func.dfg.value_list(&args),
                }
            }
            (Meaning::External(external), _) => {
                let count = usize::from(self.module.externals[external].parameter_count);
                let args = self.arguments(count, |_| true);
                InstData::CallExternal {
                    external,
                    args: self.func.dfg.value_list(&args),
                }
            }
            (_, CallTarget::Helper(id) | CallTarget::Subprogram(id) | CallTarget::Kfunc(id)) => {
                let args = self.arguments(liveness::helper_arguments(id), |_| true);
                InstData::CallHelper {
                    id: id as u32,
                    args: self.func.dfg.value_list(&args),
                }
            }
        };
        self.call(data);
    }
}

/// Whether a CO-RE record can apply to an instruction (libbpf's `bpf_core_patch_insn`).
fn is_patchable(insn: &Insn) -> bool {
    matches!(
        insn,
        Insn::Alu {
            src: Operand::Imm(_),
            ..
        } | Insn::Load { .. }
            | Insn::Store { .. }
            | Insn::LoadImm64 { .. }
    )
}

fn type_of(width: Width) -> Type {
    match width {
        Width::W32 => Type::I32,
        Width::W64 => Type::I64,
    }
}

/// The operation; `None` for a move.
fn binary_opcode(op: AluOp) -> Option<Opcode> {
    Some(match op {
        AluOp::Add => Opcode::Iadd,
        AluOp::Sub => Opcode::Isub,
        AluOp::Mul => Opcode::Imul,
        AluOp::Div => Opcode::Udiv,
        AluOp::Sdiv => Opcode::Sdiv,
        AluOp::Or => Opcode::Bor,
        AluOp::And => Opcode::Band,
        AluOp::Lsh => Opcode::Ishl,
        AluOp::Rsh => Opcode::Ushr,
        AluOp::Mod => Opcode::Urem,
        AluOp::Smod => Opcode::Srem,
        AluOp::Xor => Opcode::Bxor,
        AluOp::Arsh => Opcode::Sshr,
        AluOp::Mov => return None,
    })
}

fn endian_opcode(op: EndianOp, bits: u8) -> Opcode {
    match (op, bits) {
        (EndianOp::Be, 16) => Opcode::Be16,
        (EndianOp::Be, 32) => Opcode::Be32,
        (EndianOp::Be, _) => Opcode::Be64,
        (EndianOp::Le, 16) => Opcode::Le16,
        (EndianOp::Le, 32) => Opcode::Le32,
        (EndianOp::Le, _) => Opcode::Le64,
        (EndianOp::Bswap, 16) => Opcode::Bswap16,
        (EndianOp::Bswap, 32) => Opcode::Bswap32,
        (EndianOp::Bswap, _) => Opcode::Bswap64,
    }
}
