use super::*;
use crate::cursor::Cursor;
use crate::eval;
use bpf::insn::Endian;

fn with_ctx() -> (Function, Value) {
    let mut func = Function::new("f");
    let block = func.append_new_block();
    let ctx = func.dfg.append_block_param(block, Type::I64);
    (func, ctx)
}

fn demanded(func: &Function) -> DemandedBits {
    DemandedBits::compute(func, &ControlFlowGraph::compute(func))
}

#[test]
fn a_narrow_store_demands_few_bits_of_a_sum() {
    let (mut func, ctx) = with_ctx();
    let entry = func.layout.entry().unwrap();
    let mut cursor = Cursor::at_end(&mut func, entry);
    let a = cursor.ins().load(Opcode::Load, MemWidth::B64, ctx, 0);
    let b = cursor.ins().load(Opcode::Load, MemWidth::B64, ctx, 8);
    let unused = cursor.ins().binary(Opcode::Imul, Type::I64, a, b);
    let sum = cursor.ins().binary(Opcode::Iadd, Type::I64, a, b);
    cursor
        .ins()
        .store(Opcode::Store, MemWidth::B16, ctx, 16, sum);
    let zero = cursor.ins().iconst(Type::I64, 0);
    cursor.ins().return_(zero);
    let bits = demanded(&func);
    assert_eq!(bits.get(sum), 0xffff);
    assert_eq!(bits.get(a), 0xffff);
    assert_eq!(bits.get(ctx), u64::MAX);
    assert_eq!(bits.get(unused), 0);
    assert!(bits.upper_half_is_unused(b) && !bits.upper_half_is_unused(zero));
}

#[test]
fn shift_pairs_demand_the_lower_half_only() {
    let (mut func, ctx) = with_ctx();
    let entry = func.layout.entry().unwrap();
    let mut cursor = Cursor::at_end(&mut func, entry);
    let amount = cursor.ins().iconst(Type::I64, 32);
    let up = cursor.ins().binary(Opcode::Ishl, Type::I64, ctx, amount);
    let down = cursor.ins().binary(Opcode::Ushr, Type::I64, up, amount);
    cursor.ins().return_(down);
    let bits = demanded(&func);
    assert_eq!(bits.get(ctx), 0xffff_ffff);
    assert_eq!(bits.get(amount), 63);
}

#[test]
fn demands_pass_through_block_parameters() {
    let (mut func, ctx) = with_ctx();
    let entry = func.layout.entry().unwrap();
    let head = func.append_new_block();
    let exit = func.append_new_block();
    let x = func.dfg.append_block_param(head, Type::I64);
    Cursor::at_end(&mut func, entry).ins().jump(head, &[ctx]);
    let mut cursor = Cursor::at_end(&mut func, head);
    let one = cursor.ins().iconst(Type::I64, 1);
    let next = cursor.ins().binary(Opcode::Ushr, Type::I64, x, one);
    cursor
        .ins()
        .branch(Cond::Set, Type::I64, [x, one], (head, &[next]), (exit, &[]));
    Cursor::at_end(&mut func, exit).ins().return_(one);
    // One more bit each round, and given up in time.
    assert_eq!(demanded(&func).get(ctx), u64::MAX);
}

#[test]
fn what_a_loader_patches_demands_everything() {
    let (mut func, ctx) = with_ctx();
    let entry = func.layout.entry().unwrap();
    let mut cursor = Cursor::at_end(&mut func, entry);
    let mask = cursor.ins().iconst(Type::I64, 0xff);
    let masked = cursor.ins().binary(Opcode::Band, Type::I64, ctx, mask);
    cursor.ins().return_(masked);
    assert_eq!(demanded(&func).get(ctx), 0xff);
    let inst = func.layout.first_inst(entry).unwrap();
    func.core_relos[inst] = Some(crate::CoreRelo::from_u32(0)).into();
    assert_eq!(demanded(&func).get(ctx), u64::MAX);
}

/// Operands that agree on the demanded bits must give results that agree on the bits demanded.
#[test]
fn every_rule_is_sound() {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..20_000 {
        let out = random() & random() >> (random() % 64);
        let (a, b, noise) = (random() >> (random() % 64), random(), random());
        for &opcode in Opcode::ALL {
            for ty in [Type::I32, Type::I64] {
                let out = out & type_mask(ty);
                if let Some(result) = eval::binary(opcode, ty, a, b) {
                    for sibling in [None, Some(b)] {
                        let asked = binary_demand(opcode, ty, sibling, out);
                        let other = a ^ (noise & !asked);
                        let again = eval::binary(opcode, ty, other, b).unwrap();
                        assert_eq!(result & out, again & out, "{opcode} {ty} {a:x} {b:x}");
                    }
                }
                let source = match opcode {
                    Opcode::Sext | Opcode::Zext => Type::I32,
                    _ => Type::I64,
                };
                for endian in [Endian::Little, Endian::Big] {
                    let a = a & type_mask(source);
                    if let Some(result) = eval::unary(opcode, ty, a, endian) {
                        let asked = unary_demand(opcode, ty, out);
                        let other = a ^ (noise & !asked & type_mask(source));
                        let again = eval::unary(opcode, ty, other, endian).unwrap();
                        assert_eq!(result & out, again & out, "{opcode} {ty} {a:x}");
                    }
                }
            }
        }
    }
}
