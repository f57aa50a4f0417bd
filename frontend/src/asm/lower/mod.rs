//! From an instruction as written to its bytes.
//!
//! Here the operands have to suit each other: widths, tied registers, ranges. A field that refers
//! to a symbol becomes a fixup and is left zero (a call to a symbol: -1, as if it were undefined).

mod arithmetic;
mod atomic;
mod jump;
mod memory;
mod operand;

use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::{AtomicOp, Insn, MemWidth, Reg, Width};

use super::assembler::{Assembler, FixupKind};
use super::ast::{Expr, Instruction, JumpKind};
use super::layout::Place;
use arithmetic::extend;
use atomic::atomic_width;
use operand::{LOWER_HALF, both_whole, of_width, tied, value_width, whole};

/// An instruction and the field of it that refers to a symbol.
type Lowered = (Insn, Option<(FixupKind, Expr)>);

impl Assembler<'_> {
    /// Assembles one instruction into the section that grows.
    pub fn instruction(&mut self, instruction: &Instruction, span: Span) -> Result<(), Diagnostic> {
        let (insn, fixup) = self.lower(instruction)?;
        let endian = self.options.endian;
        let encoded = insn.encode();
        let place = match encoded.as_slice() {
            [first, second] => {
                let both = [first.to_bytes(endian), second.to_bytes(endian)];
                self.place(&both, span)
            }
            slots => {
                let first = slots.first().map(|slot| slot.to_bytes(endian));
                self.place(first.as_slice(), span)
            }
        }?;
        if let Some((kind, value)) = fixup {
            if kind != FixupKind::Immediate {
                self.register_all(value);
            }
            self.add_fixup(place, kind, value);
        }
        Ok(())
    }

    /// Puts an instruction into the section that grows.
    pub fn place(&mut self, slots: &[[u8; 8]], span: Span) -> Result<Place, Diagnostic> {
        let bytes = slots.as_flattened();
        let place = self.emit(bytes, span)?;
        if self.bundles.is_on() {
            self.check_bundled(place, bytes.len() as u64, span)?;
        }
        self.instructions.push(place, span);
        Ok(place)
    }

    fn lower(&mut self, instruction: &Instruction) -> Result<Lowered, Diagnostic> {
        let plain = |insn| Ok((insn, None));
        match *instruction {
            Instruction::Alu { dst, op, src } => self.alu(dst, op, src),
            Instruction::Negate { dst, src } => {
                tied(dst, src, "a negation changes a register in place", None)?;
                plain(Insn::Neg {
                    width: dst.value.width,
                    dst: dst.value.reg,
                })
            }
            Instruction::Extend {
                dst,
                from,
                signed,
                src,
            } => extend(dst, from, signed, src),
            Instruction::ByteOrder {
                dst,
                op,
                bits,
                word,
                src,
            } => {
                if dst.value.width == Width::W32 {
                    both_whole(
                        dst,
                        src,
                        "byte order can only be changed in a whole register",
                    )
                    .map_err(|error| error.with_secondary(word, ""))?;
                }
                tied(dst, src, "a change of byte order happens in place", None)?;
                plain(Insn::Endian {
                    op,
                    bits,
                    dst: dst.value.reg,
                })
            }
            Instruction::LoadWide { dst, value } => self.load_wide(dst, value),
            Instruction::LoadPseudo { dst, pseudo, value } => self.load_pseudo(dst, pseudo, value),
            Instruction::AddrSpaceCast { dst, src, to, from } => {
                both_whole(dst, src, "an address space cast needs whole registers")?;
                plain(Insn::AddrSpaceCast {
                    dst: dst.value.reg,
                    src: src.value.reg,
                    dst_space: self.address_space(to)?,
                    src_space: self.address_space(from)?,
                })
            }
            Instruction::Load {
                dst,
                width,
                signed,
                address,
            } => {
                if dst.value.width == Width::W32 && (signed || width.value == MemWidth::B64) {
                    let what = match signed {
                        true => "a load that extends the sign",
                        false => "a load of 8 bytes",
                    };
                    return Err(Diagnostic::error(format!("{what} fills a whole register"))
                        .with_primary(dst.span, LOWER_HALF)
                        .with_secondary(width.span, "")
                        .with_replacement(dst.span, of_width(dst, Width::W64)));
                }
                let (base, offset) = self.address(address)?;
                plain(Insn::Load {
                    width: width.value,
                    signed,
                    dst: dst.value.reg,
                    base,
                    offset,
                })
            }
            Instruction::Store {
                width,
                signed,
                address,
                src,
            } => self.store(width, signed, address, src),
            Instruction::Update {
                width,
                op,
                address,
                src,
            } => self.update(width, op, address, src),
            Instruction::Fetch {
                dst,
                op,
                width,
                address,
                src,
            } => {
                atomic_width(width)?;
                value_width(src, width.value)?;
                tied(
                    dst,
                    src,
                    "the old value comes back in the operand's register",
                    Some(address.base),
                )?;
                self.atomic(width.value, op, true, address, src)
            }
            Instruction::Exchange {
                dst,
                width,
                address,
                src,
            } => {
                value_width(src, width)?;
                tied(
                    dst,
                    src,
                    "the old value comes back in the operand's register",
                    Some(address.base),
                )?;
                self.atomic(width, AtomicOp::Xchg, true, address, src)
            }
            Instruction::CompareExchange {
                dst,
                width,
                address,
                expected,
                src,
            } => {
                for register in [dst, expected] {
                    value_width(register, width)?;
                    let word = if width == MemWidth::B32 { "w0" } else { "r0" };
                    if register.value.reg != Reg(0) {
                        return Err(Diagnostic::error(
                            "a compare-and-exchange compares with register 0 and returns there",
                        )
                        .with_primary(register.span, format!("this has to be `{word}`"))
                        .with_replacement(register.span, word));
                    }
                }
                value_width(src, width)?;
                self.atomic(width, AtomicOp::Cmpxchg, true, address, src)
            }
            Instruction::LoadAcquire {
                dst,
                width,
                address,
            } => {
                value_width(dst, width.value)?;
                let (base, offset) = self.address(address)?;
                plain(Insn::LoadAcquire {
                    width: width.value,
                    dst: dst.value.reg,
                    base,
                    offset,
                })
            }
            Instruction::StoreRelease {
                width,
                address,
                src,
            } => {
                value_width(src, width.value)?;
                let (base, offset) = self.address(address)?;
                plain(Insn::StoreRelease {
                    width: width.value,
                    base,
                    offset,
                    src: src.value.reg,
                })
            }
            Instruction::LoadPacket { dst, width, index } => self.load_packet(dst, width, index),
            Instruction::LoadPacketAt {
                dst,
                width,
                index,
                displacement,
            } => self.load_packet_at(dst, width, index, displacement),
            Instruction::Branch {
                dst,
                cond,
                src,
                target,
            } => {
                let width = dst.value.width;
                let (src, unknown) = self.operand(src, Some((dst, width)))?;
                let (offset, fixup) = self.target(target, FixupKind::Branch)?;
                let insn = Insn::Branch {
                    width,
                    cond: cond.value,
                    dst: dst.value.reg,
                    src,
                    offset,
                };
                Ok((insn, unknown.or(fixup)))
            }
            Instruction::Jump { kind, target } => {
                let field = match kind {
                    JumpKind::Gotol => FixupKind::LongBranch,
                    _ => FixupKind::Branch,
                };
                if kind == JumpKind::Gotol
                    && let Some(offset) = self.long_distance(target)
                {
                    return plain(Insn::Goto { offset, long: true });
                }
                let (offset, fixup) = self.target(target, field)?;
                let insn = match kind {
                    JumpKind::MayGoto => Insn::MayGoto { offset },
                    kind => Insn::Goto {
                        offset: i32::from(offset),
                        long: kind == JumpKind::Gotol,
                    },
                };
                Ok((insn, fixup))
            }
            Instruction::Gotox { dst } => {
                whole(dst, "an indirect jump")?;
                plain(Insn::Gotox { dst: dst.value.reg })
            }
            Instruction::Callx { dst } => {
                whole(dst, "an indirect call")?;
                plain(Insn::Callx { dst: dst.value.reg })
            }
            Instruction::Call { target } => self.call(target),
            Instruction::CallLocal { target } => self.call_local(target),
            Instruction::CallKernel { number } => self.call_kernel(number),
            Instruction::Exit => plain(Insn::Exit),
        }
    }
}
