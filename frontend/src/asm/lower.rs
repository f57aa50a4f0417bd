//! From an instruction as written to its bytes.
//!
//! Here the operands have to suit each other: widths, tied registers, ranges. A field that refers
//! to a symbol becomes a fixup and is left zero (a call to a symbol: -1, as if it were undefined).

use bpf::diagnostic::{Diagnostic, Span};
use bpf::insn::{
    AluOp, AtomicOp, CallTarget, Insn, MemWidth, Operand as InsnOperand, Pseudo, Reg, Width,
};

use super::assembler::{Assembler, FixupKind};
use super::ast::{Address, Expr, Instruction, JumpKind, Node, Operand, RegisterOperand, Spanned};

/// An instruction and the field of it that refers to a symbol.
type Lowered = (Insn, Option<(FixupKind, Expr)>);

impl Assembler<'_> {
    /// Assembles one instruction into the section that grows.
    pub fn instruction(&mut self, instruction: &Instruction, span: Span) -> Result<(), Diagnostic> {
        let (insn, fixup) = self.lower(instruction)?;
        let endian = self.options.endian;
        let mut bytes = [0; 16];
        let mut length = 0;
        for slot in insn.encode() {
            bytes[length..length + 8].copy_from_slice(&slot.to_bytes(endian));
            length += 8;
        }
        let place = self.emit(&bytes[..length], span)?;
        self.instructions.push((place, span));
        if let Some((kind, value)) = fixup {
            if kind != FixupKind::Immediate {
                self.register_all(value);
            }
            self.add_fixup(place, kind, value);
        }
        Ok(())
    }

    fn lower(&mut self, instruction: &Instruction) -> Result<Lowered, Diagnostic> {
        let plain = |insn| Ok((insn, None));
        match *instruction {
            Instruction::Alu { dst, op, src } => self.alu(dst, op, src),
            Instruction::Negate { dst, src } => {
                tied(dst, src, "a negation changes a register in place")?;
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
                    return Err(Diagnostic::error(
                        "byte order can only be changed in a whole register",
                    )
                    .with_primary(dst.span, format!("write `r{}`", dst.value.reg.0))
                    .with_secondary(word, ""));
                }
                tied(dst, src, "a change of byte order happens in place")?;
                plain(Insn::Endian {
                    op,
                    bits,
                    dst: dst.value.reg,
                })
            }
            Instruction::LoadWide { dst, value } => self.load_wide(dst, value),
            Instruction::LoadPseudo { dst, pseudo, value } => self.load_pseudo(dst, pseudo, value),
            Instruction::AddrSpaceCast { dst, src, to, from } => {
                whole(dst, "an address space cast")?;
                whole(src, "an address space cast")?;
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
                        .with_primary(dst.span, format!("write `r{}`", dst.value.reg.0))
                        .with_secondary(width.span, ""));
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
                        .with_primary(register.span, format!("this has to be `{word}`")));
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
            Instruction::Exit => plain(Insn::Exit),
        }
    }

    fn alu(
        &mut self,
        dst: RegisterOperand,
        op: AluOp,
        src: Operand,
    ) -> Result<Lowered, Diagnostic> {
        let mut width = dst.value.width;
        // `r1 = w2` is how the compiler prints a move that clears the upper half.
        if let Operand::Register(src) = src
            && op == AluOp::Mov
            && width == Width::W64
        {
            width = src.value.width;
        }
        let (src, fixup) = self.operand(src, Some((dst, width)))?;
        let insn = Insn::Alu {
            width,
            op,
            dst: dst.value.reg,
            src,
        };
        Ok((insn, fixup))
    }

    fn load_wide(&mut self, dst: RegisterOperand, value: Expr) -> Result<Lowered, Diagnostic> {
        whole(dst, "a 64-bit immediate")?;
        self.plain_start(value, "an immediate")?;
        self.bind(value)?;
        let number = self.value(value)?.as_number();
        let insn = Insn::LoadImm64 {
            dst: dst.value.reg,
            pseudo: Pseudo(0),
            imm: number.unwrap_or(0) as u64,
        };
        let fixup = match number {
            Some(_) => None,
            None => Some((FixupKind::Wide, value)),
        };
        Ok((insn, fixup))
    }

    fn load_pseudo(
        &mut self,
        dst: RegisterOperand,
        pseudo: Expr,
        value: Expr,
    ) -> Result<Lowered, Diagnostic> {
        whole(dst, "a 64-bit immediate")?;
        let kind = self.absolute(pseudo, "the kind of a `ld_pseudo`")?;
        let kind = u8::try_from(kind).ok().filter(|kind| *kind < 16);
        let kind = kind.ok_or_else(|| {
            Diagnostic::error("the kind of a `ld_pseudo` is 0 to 15")
                .with_primary(pseudo.span, "it has 4 bits in the instruction")
        })?;
        let imm = self.absolute(value, "the immediate of a `ld_pseudo`")? as u64;
        let insn = Insn::LoadImm64 {
            dst: dst.value.reg,
            pseudo: Pseudo(kind),
            imm,
        };
        Ok((insn, None))
    }

    fn address_space(&mut self, space: Expr) -> Result<u16, Diagnostic> {
        let number = self.absolute(space, "an address space")?;
        u16::try_from(number).map_err(|_| {
            Diagnostic::error("an address space is a number from 0 to 65535")
                .with_primary(space.span, "")
        })
    }

    fn store(
        &mut self,
        width: Spanned<MemWidth>,
        signed: bool,
        address: Address,
        src: Operand,
    ) -> Result<Lowered, Diagnostic> {
        if signed {
            return Err(Diagnostic::error("a store has no sign to extend")
                .with_primary(width.span, "write the width with `u`"));
        }
        let source = match src {
            Operand::Register(src) if width.value == MemWidth::B64 => {
                value_width(src, width.value)?;
                Some(src.value.width)
            }
            Operand::Register(src) => Some(src.value.width),
            Operand::Value(_) => None,
        };
        let (base, offset) = self.address(address)?;
        let (src, fixup) = self.operand(src, source.map(|width| (address.base, width)))?;
        let insn = Insn::Store {
            width: width.value,
            base,
            offset,
            src,
        };
        Ok((insn, fixup))
    }

    fn update(
        &mut self,
        width: Spanned<MemWidth>,
        op: Spanned<AtomicOp>,
        address: Address,
        src: Operand,
    ) -> Result<Lowered, Diagnostic> {
        atomic_width(width)?;
        let src = match src {
            Operand::Register(src) => src,
            Operand::Value(value) => {
                return Err(Diagnostic::error("an atomic update takes a register")
                    .with_primary(value.span, "load this into a register first"));
            }
        };
        // `lock *(u32 *)(r1 + 0) += r2` is older than the 32-bit registers.
        let old = width.value == MemWidth::B32 && op.value == AtomicOp::Add;
        if !old || src.value.width == Width::W32 {
            value_width(src, width.value)?;
        }
        self.atomic(width.value, op.value, false, address, src)
    }

    fn atomic(
        &mut self,
        width: MemWidth,
        op: AtomicOp,
        fetch: bool,
        address: Address,
        src: RegisterOperand,
    ) -> Result<Lowered, Diagnostic> {
        let (base, offset) = self.address(address)?;
        let insn = Insn::Atomic {
            width,
            op,
            fetch,
            base,
            offset,
            src: src.value.reg,
        };
        Ok((insn, None))
    }

    fn load_packet(
        &mut self,
        dst: RegisterOperand,
        width: Spanned<MemWidth>,
        index: Operand,
    ) -> Result<Lowered, Diagnostic> {
        if dst.value.reg != Reg(0) || dst.value.width != Width::W64 {
            return Err(Diagnostic::error("a packet load always fills r0")
                .with_primary(dst.span, "write `r0`"));
        }
        if width.value == MemWidth::B64 {
            return Err(Diagnostic::error("a packet load reads at most 4 bytes")
                .with_primary(width.span, "u8, u16 or u32"));
        }
        if let Operand::Register(index) = index {
            whole(index, "the index of a packet load")?;
            let insn = Insn::LoadInd {
                width: width.value,
                src: index.value.reg,
                imm: 0,
            };
            return Ok((insn, None));
        }
        let (operand, fixup) = self.operand(index, None)?;
        let imm = match operand {
            InsnOperand::Imm(imm) => imm,
            InsnOperand::Reg(_) => 0,
        };
        let insn = Insn::LoadAbs {
            width: width.value,
            imm,
        };
        Ok((insn, fixup))
    }

    fn call(&mut self, target: Expr) -> Result<Lowered, Diagnostic> {
        self.plain_start(target, "a call's target")?;
        self.bind(target)?;
        match self.value(target)?.as_number() {
            Some(number) => {
                let number = self.fit_imm32(number, target.span)?;
                let target = CallTarget::Helper(number);
                Ok((Insn::Call { target }, None))
            }
            None => {
                let insn = Insn::Call {
                    target: CallTarget::Subprogram(-1),
                };
                Ok((insn, Some((FixupKind::Call, target))))
            }
        }
    }

    /// A source operand; `width` is what a register has to be, with the operand that demands it.
    fn operand(
        &mut self,
        operand: Operand,
        width: Option<(RegisterOperand, Width)>,
    ) -> Result<(InsnOperand, Option<(FixupKind, Expr)>), Diagnostic> {
        match operand {
            Operand::Register(src) => match width {
                Some((other, width)) if width != src.value.width => Err(mixed(other, src)),
                _ => Ok((InsnOperand::Reg(src.value.reg), None)),
            },
            Operand::Value(value) => {
                self.plain_start(value, "an immediate")?;
                self.bind(value)?;
                match self.value(value)?.as_number() {
                    Some(number) => {
                        let number = self.fit_imm32(number, value.span)?;
                        Ok((InsnOperand::Imm(number), None))
                    }
                    None => Ok((InsnOperand::Imm(0), Some((FixupKind::Immediate, value)))),
                }
            }
        }
    }

    fn fit_imm32(&self, number: i64, at: Span) -> Result<i32, Diagnostic> {
        let fits = (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(&number);
        if fits {
            return Ok(number as i32);
        }
        Err(Diagnostic::error(format!(
            "`{number}` does not fit the 32 bits of an immediate"
        ))
        .with_primary(at, format!("from {} to {}", i32::MIN, u32::MAX))
        .with_help("`r1 = … ll` loads 64 bits into a register"))
    }

    /// `(base + offset)`
    fn address(&mut self, address: Address) -> Result<(Reg, i16), Diagnostic> {
        if address.base.value.width == Width::W32 {
            return Err(
                Diagnostic::error("an address is a whole register").with_primary(
                    address.base.span,
                    format!("write `r{}`", address.base.value.reg.0),
                ),
            );
        }
        let Some(offset) = address.offset else {
            let base = address.base.value.reg.0;
            return Err(
                Diagnostic::error("an address has an offset, even if it is 0")
                    .with_primary(address.span, format!("write `r{base} + 0`")),
            );
        };
        let (signs, rest) = self.signs(offset.span);
        if signs > 1 || rest.starts_with(['(', '~', '!']) {
            return Err(Diagnostic::error("an offset has one sign and a number")
                .with_primary(offset.span, "such as `+ 4` or `- 4`"));
        }
        let number = self.absolute(offset, "an offset")?;
        match i16::try_from(number) {
            Ok(number) => Ok((address.base.value.reg, number)),
            Err(_) => Err(Diagnostic::error(format!(
                "the offset {number} does not fit the 16 bits of an address"
            ))
            .with_primary(offset.span, "from -32768 to 32767")
            .with_help("add it to the base register in an instruction of its own")),
        }
    }

    /// A jump's target: a number of slots, or a label.
    fn target(
        &mut self,
        target: Expr,
        kind: FixupKind,
    ) -> Result<(i16, Option<(FixupKind, Expr)>), Diagnostic> {
        self.plain_start(target, "a jump's target")?;
        let here = self
            .arena
            .nodes(target)
            .iter()
            .any(|node| node.value == Node::Here);
        if here {
            return Err(Diagnostic::error(
                "a jump's target is a label or a number of instructions",
            )
            .with_primary(target.span, "`.` is neither")
            .with_help("`goto +0` goes to the next instruction"));
        }
        self.bind(target)?;
        let value = self.value(target)?;
        if let Some(number) = value.as_number() {
            return match i16::try_from(number) {
                Ok(offset) => Ok((offset, None)),
                Err(_) => {
                    let diagnostic = Diagnostic::error(format!(
                        "a jump over {number} instructions does not fit 16 bits"
                    ))
                    .with_primary(target.span, "from -32768 to 32767");
                    Err(match kind {
                        FixupKind::LongBranch => {
                            diagnostic.with_help("a `gotol` reaches further when it names a label")
                        }
                        _ => diagnostic.with_help("`gotol label` reaches further (cpu v4)"),
                    })
                }
            };
        }
        match self.arena.single(target) {
            Some(Node::Place(_)) => Ok((0, Some((kind, target)))),
            _ => Err(
                Diagnostic::error("a jump's target is a label, without any arithmetic")
                    .with_primary(target.span, ""),
            ),
        }
    }

    /// An immediate may contain parentheses and operators but not begin with them, or it could not
    /// be told from an address or a conversion.
    fn plain_start(&self, value: Expr, what: &str) -> Result<(), Diagnostic> {
        let (signs, rest) = self.signs(value.span);
        let start = rest.chars().next().unwrap_or(' ');
        let message = match (signs, start) {
            (2.., _) => format!("{what} has one sign at most"),
            (_, '(' | '~' | '!') => format!("{what} cannot begin with `{start}`"),
            _ => return Ok(()),
        };
        let diagnostic = Diagnostic::error(message).with_primary(value.span, "");
        Err(match self.scope().number(value) {
            Some(number) => diagnostic.with_help(format!("write `{number}`")),
            None => diagnostic,
        })
    }

    /// How many signs an expression begins with, and what follows them.
    fn signs(&self, at: Span) -> (usize, &str) {
        let text = self.source.get(at.range()).unwrap_or("");
        let rest = text.trim_start_matches(['-', '+', ' ', '\t']);
        let signs = text.len() - rest.len();
        (text[..signs].matches(['-', '+']).count(), rest)
    }
}

/// The same register on both sides.
fn tied(dst: RegisterOperand, src: RegisterOperand, why: &str) -> Result<(), Diagnostic> {
    if dst.value == src.value {
        return Ok(());
    }
    Err(
        Diagnostic::error(format!("{why}: both registers have to be the same"))
            .with_primary(src.span, format!("write `{}`", spelled(dst)))
            .with_secondary(dst.span, "the result goes here"),
    )
}

fn whole(register: RegisterOperand, what: &str) -> Result<(), Diagnostic> {
    if register.value.width == Width::W64 {
        return Ok(());
    }
    Err(Diagnostic::error(format!("{what} needs a whole register"))
        .with_primary(register.span, format!("write `r{}`", register.value.reg.0)))
}

/// A value of 8 bytes is in an `r` register, a smaller one in a `w` register.
fn value_width(register: RegisterOperand, width: MemWidth) -> Result<(), Diagnostic> {
    let wanted = match width {
        MemWidth::B64 => Width::W64,
        _ => Width::W32,
    };
    if register.value.width == wanted {
        return Ok(());
    }
    let (what, letter) = match wanted {
        Width::W64 => ("8 bytes need a whole register", 'r'),
        Width::W32 => ("less than 8 bytes are in the lower half of a register", 'w'),
    };
    Err(Diagnostic::error(what).with_primary(
        register.span,
        format!("write `{letter}{}`", register.value.reg.0),
    ))
}

fn atomic_width(width: Spanned<MemWidth>) -> Result<(), Diagnostic> {
    match width.value {
        MemWidth::B32 | MemWidth::B64 => Ok(()),
        _ => Err(Diagnostic::error("an atomic update is 4 or 8 bytes wide")
            .with_primary(width.span, "u32 or u64")),
    }
}

fn extend(
    dst: RegisterOperand,
    from: Spanned<MemWidth>,
    signed: bool,
    src: RegisterOperand,
) -> Result<Lowered, Diagnostic> {
    if !signed {
        return Err(Diagnostic::error("only the sign can be extended")
            .with_primary(from.span, "s8, s16 or s32")
            .with_help("the upper bits are cleared by `&=`, or by writing `w1 = w2` for 32 bits"));
    }
    if dst.value.width != src.value.width {
        return Err(mixed(dst, src));
    }
    let bits = match from.value {
        MemWidth::B8 => 8,
        MemWidth::B16 => 16,
        _ if dst.value.width == Width::W64 => 32,
        _ => {
            return Err(
                Diagnostic::error("32 bits already fill the lower half of a register")
                    .with_primary(from.span, "s8 or s16")
                    .with_secondary(dst.span, ""),
            );
        }
    };
    let insn = Insn::Movsx {
        width: dst.value.width,
        bits,
        dst: dst.value.reg,
        src: src.value.reg,
    };
    Ok((insn, None))
}

fn mixed(one: RegisterOperand, other: RegisterOperand) -> Diagnostic {
    let letter = match one.value.width {
        Width::W64 => 'r',
        Width::W32 => 'w',
    };
    Diagnostic::error("an instruction works on whole registers or on lower halves, not on both")
        .with_primary(other.span, format!("write `{letter}{}`", other.value.reg.0))
        .with_secondary(one.span, "")
}

fn spelled(register: RegisterOperand) -> String {
    let letter = match register.value.width {
        Width::W64 => 'r',
        Width::W32 => 'w',
    };
    format!("{letter}{}", register.value.reg.0)
}
