//! Instructions as text, in the syntax of GNU objdump's disassembler for the NFP (`-M ctx4`).
//!
//! Why that syntax: a listing can be compared, line by line, with what an independent tool reads in
//! the same words.
//!
//! The text says what the instruction is. Two things that objdump shows otherwise are therefore not
//! repeated ([`Insn::objdump_differs`]): it counts next-neighbour registers modulo 32, and forgets
//! the upper index registers of a `byte_align`. Some things the syntax cannot say at all, such as
//! the shift amount of a `byte_align`, so text does not determine the word.
//!
//! Cost: linear in the text.

#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Formatter};

use super::csr;
use super::insn::{
    AluOp, Command, CommandAction, CommandMode, Condition, Destination, Insn, Mode, MultiplyPhase,
    MultiplySize, Shift, ShiftOp, Width,
};
use super::operand::{Bank, LmemAccess, Operand};

/// Next-neighbour registers that objdump tells apart.
const NEIGHBOURS_SHOWN: u8 = 32;

impl Insn {
    /// Whether objdump shows an operand of this instruction as another one than it is.
    #[must_use]
    pub fn objdump_differs(&self) -> bool {
        let far = |operand| matches!(operand, Operand::NextNeighbour(NEIGHBOURS_SHOWN..));
        match *self {
            Insn::Alu {
                a, b, destination, ..
            } => far(a) || far(b) || far(destination.operand),
            Insn::AluShift { op, a, b, .. } => {
                let upper = |operand| matches!(operand, Operand::Lmem { index: 2.., .. });
                op == ShiftOp::ByteAlign && (upper(a) || upper(b))
            }
            Insn::Immed { destination, .. } | Insn::MultiplyResult { destination, .. } => {
                far(destination.operand)
            }
            Insn::CsrWrite { source, .. } => far(source),
            Insn::Jump { operand, .. } => far(operand),
            Insn::MultiplyStep { a, b, .. } => far(a) || far(b),
            _ => false,
        }
    }
}

impl Display for Insn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Insn::Alu {
                op,
                swapped,
                a,
                b,
                destination,
                mode,
            } => {
                let (left, right) = sides(swapped, a, b);
                write!(f, "alu[{}, ", Target(destination))?;
                match op {
                    AluOp::Move | AluOp::Not => f.write_str("--")?,
                    _ => left.fmt(f)?,
                }
                write!(f, ", {}, {right}]", alu_sign(op))?;
                flags(f, mode, destination.both)
            }
            Insn::AluShift {
                op,
                swapped,
                a,
                b,
                shift,
                destination,
                mode,
            } => {
                alu_shift(f, op, sides(swapped, a, b), shift, destination)?;
                flags(f, mode, destination.both)
            }
            Insn::LoadField {
                swapped,
                a,
                b,
                shift,
                mask,
                clear,
                load_conditions,
                both,
                mode,
            } => {
                let (place, source) = sides(swapped, a, b);
                let clear = if clear { "_w_clr" } else { "" };
                write!(f, "ld_field{clear}[{place}, {mask:04b}, {source}")?;
                match shift {
                    Shift::None => {}
                    Shift::Double(by) => write!(f, ", >>dbl{by}")?,
                    Shift::DoubleIndirect => f.write_str(", >>dbl0")?,
                    _ => write!(f, ", {}", Amount(shift))?,
                }
                f.write_str("]")?;
                option(f, load_conditions, "load_cc")?;
                flags(f, mode, both)
            }
            Insn::Immed {
                destination,
                value,
                width,
                byte_shift,
                invert,
                mode,
            } => immed(f, destination, value, (width, byte_shift, invert), mode),
            Insn::CsrRead { address: USTORE } => {
                write!(f, "urd[{}, *u$index0++]", Side(Operand::Gpr(0), Bank::A))
            }
            Insn::CsrRead { address } => write!(f, "local_csr_rd[{}]", Csr(address)),
            Insn::CsrWrite {
                address: USTORE,
                source,
                bank,
            } => write!(f, "uwr[*u$index0++, {}]", Side(source, bank)),
            Insn::CsrWrite {
                address,
                source,
                bank,
            } => write!(f, "local_csr_wr[{}, {}]", Csr(address), Side(source, bank)),
            Insn::Branch {
                condition,
                target,
                defer,
            } => {
                write!(f, "{}[.{target}]", branch_name(condition))?;
                deferred(f, defer)
            }
            Insn::BranchBit {
                operand,
                bank,
                bit,
                set,
                target,
                defer,
            } => {
                let name = if set { "br_bset" } else { "br_bclr" };
                write!(f, "{name}[{}, {bit}, .{target}]", Side(operand, bank))?;
                deferred(f, defer)
            }
            Insn::BranchByte {
                operand,
                bank,
                byte,
                value,
                equal,
                target,
                defer,
            } => {
                let (name, side) = (if equal { "br=" } else { "br!=" }, Side(operand, bank));
                write!(f, "{name}byte[{side}, {byte}, {value:#x}, .{target}]")?;
                deferred(f, defer)
            }
            Insn::Jump {
                operand,
                bank,
                offset,
                defer,
            } => {
                match (offset, Side(operand, bank)) {
                    (0, side) => write!(f, "rtn[{side}]")?,
                    (_, side) => write!(f, "jump[{side}, .{offset}]")?,
                }
                deferred(f, defer)
            }
            Insn::MultiplyStep {
                phase,
                swapped,
                a,
                b,
            } => {
                let (left, right) = sides(swapped, a, b);
                write!(f, "mul_step[{left}, {right}], {}", Phase(phase))
            }
            Insn::MultiplyResult { phase, destination } => {
                // A result that goes nowhere is shown as the number in the field.
                let place = Side(destination.operand, destination.bank);
                write!(f, "mul_step[{place}, --], {}", Phase(phase))?;
                flags(f, Mode::default(), destination.both)
            }
            Insn::Command(ref command) => command.fmt(f),
            Insn::ContextSwap {
                signals,
                any,
                defer,
            } => {
                context_swap(f, signals, any)?;
                deferred(f, defer)
            }
        }
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (a, b) = (Side(self.a, Bank::A), Side(self.b, Bank::B));
        write!(f, "mem[{}, $xfer_{}, ", self.name(), self.transfer)?;
        match self.mode {
            CommandMode::WideA => write!(f, "{a}, <<8, {b}")?,
            CommandMode::WideB => write!(f, "{b}, <<8, {a}")?,
            CommandMode::Short => write!(f, "{a}, {b}")?,
        }
        write!(f, ", {}]", u16::from(self.length) + 1)?;
        option(f, self.indirect, "indirect_ref")?;
        match (self.swap, self.signal) {
            (None, 0) => Ok(()),
            (None, signal) => write!(f, ", sig_done[sig{signal}]"),
            (Some(slots), 0) => f
                .write_str(", ctx_swap[--]")
                .and_then(|()| deferred(f, slots)),
            (Some(slots), signal) => {
                write!(f, ", ctx_swap[sig{signal}]")?;
                deferred(f, slots)
            }
        }
    }
}

impl Command {
    fn name(&self) -> &'static str {
        let wide = self.length & 4 != 0;
        match self.action {
            CommandAction::Read8 => "read8",
            CommandAction::Read32 => "read32",
            CommandAction::Read32Swap => "read32_swap",
            CommandAction::Write8Swap => "write8_swap",
            CommandAction::Write32Swap => "write32_swap",
            CommandAction::Add if wide => "add64",
            CommandAction::Add => "add",
            CommandAction::AddImmediate if wide => "add64_imm",
            CommandAction::AddImmediate => "add_imm",
        }
    }
}

/// An operand in the field of a bank.
#[derive(Clone, Copy)]
struct Side(Operand, Bank);

impl Display for Side {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bank = match self.1 {
            Bank::A => 'A',
            Bank::B => 'B',
        };
        match self.0 {
            Operand::Gpr(number) => write!(f, "gpr{bank}_{number}"),
            Operand::Absolute(number) => write!(f, "@gpr{bank}_{number}"),
            Operand::Transfer(number) => write!(f, "$xfer_{number}"),
            Operand::Lmem { index, access } => {
                write!(f, "*l$index{index}")?;
                match access {
                    LmemAccess::Offset(0) => Ok(()),
                    LmemAccess::Offset(words) => write!(f, "[{words}]"),
                    LmemAccess::PostIncrement => f.write_str("++"),
                    LmemAccess::PostDecrement => f.write_str("--"),
                }
            }
            Operand::NextNeighbour(number) => write!(f, "n$reg_{number}"),
            Operand::Immediate(value) => write!(f, "{value:#x}"),
            Operand::Nothing => f.write_str("0x0"),
        }
    }
}

/// A destination, of a class that has a sign for none.
struct Target(Destination);

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.operand {
            Operand::Nothing => f.write_str("--"),
            operand => Side(operand, self.0.bank).fmt(f),
        }
    }
}

/// Left and right operand.
fn sides(swapped: bool, a: Operand, b: Operand) -> (Side, Side) {
    let (a, b) = (Side(a, Bank::A), Side(b, Bank::B));
    if swapped { (b, a) } else { (a, b) }
}

/// Direction and amount of a shift.
struct Amount(Shift);

impl Display for Amount {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Shift::None => f.write_str(">>rot0"),
            Shift::RotateRight(by) => write!(f, ">>rot{by}"),
            Shift::Left(by) => write!(f, "<<{by}"),
            Shift::Right(by) | Shift::Double(by) => write!(f, ">>{by}"),
            Shift::LeftIndirect => f.write_str("<<indirect"),
            Shift::RightIndirect | Shift::DoubleIndirect => f.write_str(">>indirect"),
        }
    }
}

/// Size and place in its sequence of a multiplication's instruction.
struct Phase(MultiplyPhase);

impl Display for Phase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let size = |size| match size {
            MultiplySize::By8 => "24x8",
            MultiplySize::By16 => "16x16",
            MultiplySize::By32 => "32x32",
        };
        match self.0 {
            MultiplyPhase::Start => f.write_str("start"),
            MultiplyPhase::Step(of, step) => write!(f, "{}_step{}", size(of), u16::from(step) + 1),
            MultiplyPhase::Low(of) => write!(f, "{}_last", size(of)),
            MultiplyPhase::High(of) => write!(f, "{}_last2", size(of)),
        }
    }
}

/// A control and status register by its name, where it has one.
struct Csr(u16);

impl Display for Csr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match csr::name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

/// The register through which earlier engines reached their instruction store. objdump reads its use
/// as that.
const USTORE: u16 = 4;

fn option(f: &mut Formatter<'_>, set: bool, name: &str) -> fmt::Result {
    if set { write!(f, ", {name}") } else { Ok(()) }
}

fn flags(f: &mut Formatter<'_>, mode: Mode, both: bool) -> fmt::Result {
    option(f, mode.keep_conditions, "no_cc")?;
    option(f, both, "gpr_wrboth")?;
    option(f, mode.predicated, "predicate_cc")
}

fn deferred(f: &mut Formatter<'_>, slots: u8) -> fmt::Result {
    match slots {
        0 => Ok(()),
        _ => write!(f, ", defer[{slots}]"),
    }
}

fn alu_shift(
    f: &mut Formatter<'_>,
    op: ShiftOp,
    (left, right): (Side, Side),
    shift: Shift,
    destination: Destination,
) -> fmt::Result {
    let place = Target(destination);
    let sign = match op {
        ShiftOp::ByteAlign => {
            return match shift {
                Shift::Left(_) | Shift::LeftIndirect => {
                    write!(f, "byte_align_le[{place}, {left}]")
                }
                _ => write!(f, "byte_align_be[{place}, {right}]"),
            };
        }
        _ if matches!(shift, Shift::Double(_) | Shift::DoubleIndirect) => {
            return write!(f, "dbl_shf[{place}, {left}, {right}, {}]", Amount(shift));
        }
        ShiftOp::Arithmetic => return write!(f, "asr[{place}, {right}, {}]", Amount(shift)),
        ShiftOp::Move => "B",
        ShiftOp::Not => "~B",
        ShiftOp::And => "AND",
        ShiftOp::NotAnd => "~AND",
        ShiftOp::AndNot => "AND~",
        ShiftOp::Or => "OR",
    };
    write!(f, "alu_shf[{place}, ")?;
    match op {
        ShiftOp::Move | ShiftOp::Not => f.write_str("--")?,
        _ => left.fmt(f)?,
    }
    write!(f, ", {sign}, {right}, {}]", Amount(shift))
}

fn immed(
    f: &mut Formatter<'_>,
    destination: Destination,
    value: u16,
    (width, byte_shift, invert): (Width, u8, bool),
    mode: Mode,
) -> fmt::Result {
    if (destination.operand, value) == (Operand::Nothing, 0) {
        return f.write_str("nop");
    }
    let value = u32::from(value);
    let value = if invert { !value } else { value };
    let place = Target(destination);
    match width {
        Width::Byte => write!(f, "immed_b{byte_shift}[{place}, {:#x}]", value & 0xff)?,
        Width::Half => write!(
            f,
            "immed_w{}[{place}, {:#x}]",
            byte_shift / 2,
            value & 0xffff
        )?,
        Width::Whole if byte_shift == 0 => write!(f, "immed[{place}, {value:#x}]")?,
        Width::Whole => {
            let bits = u16::from(byte_shift) * 8;
            write!(f, "immed[{place}, {value:#x}, <<{bits}]")?;
        }
    }
    flags(f, mode, destination.both)
}

fn context_swap(f: &mut Formatter<'_>, signals: u16, any: bool) -> fmt::Result {
    match signals {
        0 => return f.write_str("ctx_arb[kill]"),
        1 => f.write_str("ctx_arb[voluntary]")?,
        _ => {
            f.write_str("ctx_arb[")?;
            let mut separator = "";
            for signal in (1..16).filter(|signal| signals >> signal & 1 != 0) {
                write!(f, "{separator}sig{signal}")?;
                separator = ", ";
            }
            f.write_str("]")?;
        }
    }
    option(f, any, "any")
}

fn alu_sign(op: AluOp) -> &'static str {
    match op {
        AluOp::Move => "B",
        AluOp::Add => "+",
        AluOp::Not => "~B",
        AluOp::Add16 => "+16",
        AluOp::And => "AND",
        AluOp::Add8 => "+8",
        AluOp::NotAnd => "~AND",
        AluOp::SubCarry => "-carry",
        AluOp::AndNot => "AND~",
        AluOp::AddCarry => "+carry",
        AluOp::Or => "OR",
        AluOp::Sub => "-",
        AluOp::Xor => "XOR",
        AluOp::SubReverse => "B-A",
    }
}

fn branch_name(condition: Condition) -> &'static str {
    match condition {
        Condition::Equal => "beq",
        Condition::NotEqual => "bne",
        Condition::Negative => "bmi",
        Condition::Positive => "bpl",
        Condition::CarrySet => "bcs",
        Condition::CarryClear => "bcc",
        Condition::Overflow => "bvs",
        Condition::NoOverflow => "bvc",
        Condition::GreaterOrEqual => "bge",
        Condition::Less => "blt",
        Condition::LessOrEqual => "ble",
        Condition::Greater => "bgt",
        Condition::Always => "br",
    }
}
