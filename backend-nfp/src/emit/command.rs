//! Commands to memory and calls: instructions that come with others that must stand beside them.

use super::{EmitError, Emitter, PLAIN, Placed, nowhere, register};
use crate::isa::{Bank, Command, Condition, Destination, Insn, Width};
use crate::lir::{Access, Addend, Fixed, Inst};
use crate::machine::{Item, Reference};
use crate::select::immediate::pieces;

/// Units that a command moves without an override.
const SHORT: u8 = 8;
/// Signal that a command raises when it is waited for.
const SIGNAL: u8 = 1;
/// Fields of an override (NFP.md, section 3): its length counts, and its place.
const OVERRIDE_LENGTH: u16 = 1 << 7;
const LENGTH_PLACE: u16 = 8;
/// The data of an override is the number to add.
const OVERRIDE_DATA: u32 = 2 << 3;
/// Lengths of additions, as the driver of Linux has them.
const ADD_LENGTH: u32 = 8;
const WIDE_ADD: u8 = 4;
/// Defer slots of a call that hold what it needs.
const CALL_SLOTS: usize = 2;

impl Emitter<'_> {
    /// A branch to a helper or function, with constants and the return address in its slots.
    pub(super) fn call(&mut self, reference: Reference, constants: &[(u8, u32, bool)]) {
        let mut setup = Vec::new();
        for (number, value, both) in constants {
            let (bank, number) = (Bank::A, *number);
            for (value, width, byte_shift, invert) in pieces(*value) {
                setup.push(Insn::Immed {
                    destination: Destination {
                        both: *both,
                        ..register(Fixed { bank, number })
                    },
                    value,
                    width,
                    byte_shift,
                    invert,
                    mode: PLAIN,
                });
            }
        }
        let early = setup.len().saturating_sub(CALL_SLOTS - 1);
        let slots = setup.split_off(early);
        setup.into_iter().for_each(|insn| self.push(insn));
        let branch = Insn::Branch {
            condition: Condition::Always,
            target: 0,
            defer: slots.len() as u8 + 1,
        };
        self.insns.push((branch, reference));
        slots.into_iter().for_each(|insn| self.push(insn));
        let (bank, number) = (Bank::B, 0);
        let address = Insn::Immed {
            destination: register(Fixed { bank, number }),
            value: 0,
            width: Width::Whole,
            byte_shift: 0,
            invert: false,
            mode: PLAIN,
        };
        self.insns.push((address, Reference::After));
    }

    pub(super) fn command(
        &mut self,
        access: &Access,
        first: u8,
        a: Placed,
        b: Placed,
    ) -> Result<(), EmitError> {
        let long = access.count > SHORT;
        if long {
            let value = u16::from(access.count - 1) << LENGTH_PLACE | OVERRIDE_LENGTH;
            self.push(Insn::Immed {
                destination: nowhere(),
                value,
                width: Width::Whole,
                byte_shift: 0,
                invert: false,
                mode: PLAIN,
            });
        }
        if access.count == 0 {
            return Err(EmitError::Internal("a command that moves nothing"));
        }
        self.push(Insn::Command(Command {
            action: access.action,
            mode: access.mode,
            a: a.operand,
            b: b.operand,
            transfer: first,
            length: if long { 0 } else { access.count - 1 },
            signal: access.signal.unwrap_or(SIGNAL),
            swap: access.signal.is_none().then_some(0),
            indirect: long,
        }));
        Ok(())
    }

    pub(super) fn add(
        &mut self,
        inst: &Inst,
        access: &Access,
        addend: Addend,
        item: &mut Item,
    ) -> Result<(), EmitError> {
        let (a, b) = (self.source(access.a)?, self.source(access.b)?);
        let wide = access.count == 2;
        let length = if wide { WIDE_ADD } else { 0 };
        let indirect = matches!(addend, Addend::Immediate(_));
        if let Addend::Immediate(value) = addend {
            let length = ADD_LENGTH | u32::from(length);
            let number = u32::from(value) << 16
                | length << LENGTH_PLACE
                | u32::from(OVERRIDE_LENGTH)
                | OVERRIDE_DATA;
            let destination = self.target(inst.target)?;
            self.number(number, destination);
        } else {
            item.transfers_read = Some((access.outgoing, access.count));
        }
        self.push(Insn::Command(Command {
            action: access.action,
            mode: access.mode,
            a: a.operand,
            b: b.operand,
            transfer: access.outgoing,
            length,
            signal: match indirect {
                true => 0,
                false => access.signal.unwrap_or(SIGNAL),
            },
            swap: (!indirect && access.signal.is_none()).then_some(0),
            indirect,
        }));
        Ok(())
    }
}
