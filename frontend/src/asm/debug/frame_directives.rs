//! `.cfi_*`: how a function's frame is found while it runs.
//!
//! Offsets are checked against what their encoding can hold: multiples of the data unit, and no
//! negative distance to the caller's frame, for which there is no encoding here.

use bpf::diagnostic::{Diagnostic, Span};

use super::frames::{DATA_UNIT, Frame, Pointer};
use crate::asm::assembler::Assembler;
use crate::asm::ast::{Directive, Expr, Node, Spanned};
use crate::asm::data::encode_leb;

const REGISTER: &str = "a register";
const OFFSET: &str = "an offset";
/// `DW_EH_PE_omit`
const NO_POINTER: i64 = 0xff;

/// A step's code under construction.
struct Code(Vec<u8>);

impl Code {
    fn new(opcode: u8) -> Code {
        Code(vec![opcode])
    }

    fn unsigned(mut self, number: u64) -> Code {
        encode_leb(number as i64, false, 1, &mut self.0);
        self
    }

    fn signed(mut self, number: i64) -> Code {
        encode_leb(number, true, 1, &mut self.0);
        self
    }
}

impl Assembler<'_> {
    /// Any `.cfi_*`.
    pub fn unwind(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let name = self.directive_name(directive).to_owned();
        match name.as_str() {
            ".cfi_sections" => return self.frame_sections(directive),
            ".cfi_startproc" => return self.open_frame(directive),
            _ => {}
        }
        let current = self.sections.current;
        let Some(frame) = self.debug.frames.open() else {
            return Err(
                Diagnostic::error(format!("`{name}` stands outside of any function"))
                    .with_primary(directive.span, "no `.cfi_startproc` comes before"),
            );
        };
        if frame.start.section != current {
            let opened = frame.opened;
            return Err(
                Diagnostic::error(format!("`{name}` is not in the function's section"))
                    .with_primary(directive.span, "in another section")
                    .with_secondary(opened, "the function begins here"),
            );
        }
        let place = self.sections.here();
        match name.as_str() {
            ".cfi_endproc" => {
                self.no_operands(directive)?;
                self.frame(directive)?.end = Some(place);
            }
            ".cfi_signal_frame" => {
                self.no_operands(directive)?;
                self.frame(directive)?.is_signal = true;
            }
            ".cfi_return_column" => {
                self.at_most(directive, 1)?;
                let column = self.frame_register(directive, 0)?;
                let Ok(number) = u8::try_from(column.value) else {
                    return Err(Diagnostic::error("a return column is below 256")
                        .with_primary(column.span, ""));
                };
                self.frame(directive)?.return_column = Some(number);
            }
            ".cfi_personality" => {
                let pointer = self.frame_pointer(directive)?;
                let frame = self.frame(directive)?;
                frame.personality = pointer.or(frame.personality);
            }
            ".cfi_lsda" => {
                let pointer = self.frame_pointer(directive)?;
                let frame = self.frame(directive)?;
                frame.lsda = pointer.or(frame.lsda);
            }
            ".cfi_label" => {
                self.at_most(directive, 1)?;
                let name = self.symbol(directive, 0)?;
                let symbol = self.named(name.value);
                self.frame(directive)?.label(place, symbol, name.span);
            }
            name => {
                let Some(code) = self.step(directive, name)? else {
                    return Err(Diagnostic::error(format!("`{name}` is not supported"))
                        .with_primary(directive.name.span, "")
                        .with_note("it is for frames of other processors"));
                };
                self.frame(directive)?.step(place, &code);
            }
        }
        Ok(())
    }

    fn frame(&mut self, directive: &Directive) -> Result<&mut Frame, Diagnostic> {
        let frame = self.debug.frames.open();
        frame.ok_or_else(|| {
            Diagnostic::error("no function is open").with_primary(directive.span, "")
        })
    }

    /// An encoding and a symbol; nothing for the encoding that says so.
    fn frame_pointer(&mut self, directive: &Directive) -> Result<Option<Pointer>, Diagnostic> {
        let encoding = self.number(directive, 0, "an encoding")?;
        if encoding.value == NO_POINTER {
            self.at_most(directive, 1)?;
            return Ok(None);
        }
        self.at_most(directive, 2)?;
        let size = u8::try_from(encoding.value)
            .ok()
            .and_then(|encoding| Some((encoding, pointer_size(encoding)?)));
        let Some((encoding, size)) = size else {
            return Err(Diagnostic::error("there is no such encoding of an address")
                .with_primary(encoding.span, "expected one like 0x1b")
                .with_note(
                    "its lowest four bits are 0, 3, 4 or, with a sign, 0xb, 0xc; above them are 0 or 0x10, and 0x80",
                ));
        };
        let name = self.symbol(directive, 1)?;
        Ok(Some(Pointer {
            encoding,
            size,
            symbol: self.named(name.value),
            at: name.span,
        }))
    }

    fn frame_sections(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        let (mut for_exceptions, mut for_debuggers) = (false, false);
        for index in 0..directive.operands.len().max(1) {
            let name = self.symbol(directive, index)?;
            match self.arena.name(name.value) {
                ".eh_frame" => for_exceptions = true,
                ".debug_frame" => for_debuggers = true,
                _ => {
                    return Err(Diagnostic::error("no frames are written into this section")
                        .with_primary(name.span, "expected `.eh_frame` or `.debug_frame`"));
                }
            }
        }
        self.debug.frames.for_exceptions = for_exceptions;
        self.debug.frames.for_debuggers = for_debuggers;
        Ok(())
    }

    fn open_frame(&mut self, directive: &Directive) -> Result<(), Diagnostic> {
        if let Some(open) = self.debug.frames.open() {
            let first = open.opened;
            return Err(Diagnostic::error("a function begins inside another one")
                .with_primary(directive.span, "")
                .with_secondary(first, "this one is still open"));
        }
        self.at_most(directive, 1)?;
        let is_simple = match self.item(directive, 0)? {
            None => false,
            Some(item) => {
                let name = self.symbol_item(item)?;
                if self.arena.name(name.value) != "simple" {
                    return Err(Diagnostic::error("this says nothing about a frame")
                        .with_primary(name.span, "expected `simple` or nothing"));
                }
                true
            }
        };
        let start = self.sections.here();
        let frame = Frame::new(directive.span, start, is_simple);
        self.debug.frames.all.push(frame);
        Ok(())
    }

    /// The code of a step; `None` for a directive that is not known.
    fn step(&mut self, directive: &Directive, name: &str) -> Result<Option<Vec<u8>>, Diagnostic> {
        let operands = match name {
            ".cfi_remember_state" | ".cfi_restore_state" | ".cfi_window_save" => 0,
            ".cfi_def_cfa" | ".cfi_offset" | ".cfi_rel_offset" | ".cfi_register" => 2,
            ".cfi_def_cfa_register"
            | ".cfi_def_cfa_offset"
            | ".cfi_adjust_cfa_offset"
            | ".cfi_restore"
            | ".cfi_undefined"
            | ".cfi_same_value" => 1,
            ".cfi_escape" => usize::MAX,
            _ => return Ok(None),
        };
        self.at_most(directive, operands)?;
        let code = match name {
            ".cfi_def_cfa" => {
                let register = self.frame_register(directive, 0)?;
                let distance = self.number(directive, 1, OFFSET)?;
                let distance = self.set_distance(directive, distance.value, distance.span)?;
                Code::new(0x0c).unsigned(register.value).unsigned(distance)
            }
            ".cfi_def_cfa_register" => {
                let register = self.frame_register(directive, 0)?;
                Code::new(0x0d).unsigned(register.value)
            }
            ".cfi_def_cfa_offset" => {
                let distance = self.number(directive, 0, OFFSET)?;
                let distance = self.set_distance(directive, distance.value, distance.span)?;
                Code::new(0x0e).unsigned(distance)
            }
            ".cfi_adjust_cfa_offset" => {
                let change = self.number(directive, 0, OFFSET)?;
                let distance = self.frame(directive)?.distance.saturating_add(change.value);
                let distance = self.set_distance(directive, distance, change.span)?;
                Code::new(0x0e).unsigned(distance)
            }
            ".cfi_offset" | ".cfi_rel_offset" => {
                let register = self.frame_register(directive, 0)?;
                let offset = self.number(directive, 1, OFFSET)?;
                let base = match name {
                    ".cfi_offset" => 0,
                    _ => self.frame(directive)?.distance,
                };
                let at = offset.span;
                saved_at(register.value, offset.value.saturating_sub(base), at)?
            }
            ".cfi_register" => {
                let register = self.frame_register(directive, 0)?;
                let holds = self.frame_register(directive, 1)?;
                Code::new(0x09)
                    .unsigned(register.value)
                    .unsigned(holds.value)
            }
            ".cfi_restore" => {
                let register = self.frame_register(directive, 0)?;
                short_or_long(0xc0, 0x06, register.value)
            }
            ".cfi_undefined" => Code::new(0x07).unsigned(self.frame_register(directive, 0)?.value),
            ".cfi_same_value" => Code::new(0x08).unsigned(self.frame_register(directive, 0)?.value),
            ".cfi_remember_state" => {
                let frame = self.frame(directive)?;
                frame.remembered.push(frame.distance);
                Code::new(0x0a)
            }
            ".cfi_restore_state" => {
                let frame = self.frame(directive)?;
                let Some(distance) = frame.remembered.pop() else {
                    return Err(Diagnostic::error("there is no state to restore")
                        .with_primary(directive.span, "no `.cfi_remember_state` comes before"));
                };
                frame.distance = distance;
                Code::new(0x0b)
            }
            ".cfi_window_save" => Code::new(0x2d),
            ".cfi_escape" => return self.escape(directive).map(Some),
            _ => return Ok(None),
        };
        Ok(Some(code.0))
    }

    fn escape(&mut self, directive: &Directive) -> Result<Vec<u8>, Diagnostic> {
        let mut bytes = Vec::with_capacity(directive.operands.len());
        for index in 0..directive.operands.len().max(1) {
            let number = self.number(directive, index, "a byte")?;
            self.check_size(number.value, 1, number.span)?;
            bytes.push(number.value as u8);
        }
        Ok(bytes)
    }

    /// Notes the distance to the caller's frame, which has to be one that can be written.
    fn set_distance(
        &mut self,
        directive: &Directive,
        distance: i64,
        at: Span,
    ) -> Result<u64, Diagnostic> {
        let Ok(distance) = u32::try_from(distance) else {
            return Err(Diagnostic::error(
                "the caller's frame is from 0 to 4294967295 bytes above the register",
            )
            .with_primary(at, format!("this makes it {distance}")));
        };
        self.frame(directive)?.distance = i64::from(distance);
        Ok(u64::from(distance))
    }

    /// Whether an expression is a name without a meaning up to here.
    fn is_unknown(&self, expr: Expr) -> bool {
        let Some(Node::Symbol(name)) = self.arena.single(expr) else {
            return false;
        };
        let symbol = self.symbols.find(name);
        symbol.is_none_or(|symbol| self.symbols.get(symbol).definition.is_none())
    }

    /// A register by number or by name.
    fn frame_register(
        &mut self,
        directive: &Directive,
        index: usize,
    ) -> Result<Spanned<u64>, Diagnostic> {
        let expr = self.expr(directive, index, REGISTER)?;
        let span = expr.span;
        if let Some(Node::Symbol(name)) = self.arena.single(expr) {
            let name = self.arena.name(name);
            if let Some(register) = crate::asm::words::register(name) {
                let value = u64::from(register.reg.0);
                return Ok(Spanned { value, span });
            }
            if self.is_unknown(expr) {
                return Err(Diagnostic::error(format!("there is no register `{name}`"))
                    .with_primary(span, "expected a name such as `r10`, or a number"));
            }
        }
        let number = self.absolute(expr, REGISTER)?;
        match u32::try_from(number) {
            Ok(number) => Ok(Spanned {
                value: u64::from(number),
                span,
            }),
            Err(_) => Err(Diagnostic::error("there is no such register")
                .with_primary(span, format!("its number would be {number}"))),
        }
    }
}

/// Bytes of an address in this encoding, if it is one that assemblers know and addresses fit into.
fn pointer_size(encoding: u8) -> Option<u8> {
    if encoding & 0x60 != 0 {
        return None;
    }
    match encoding & 0xf {
        // As long as addresses are.
        0 | 0x4 | 0xc => Some(8),
        0x3 | 0xb => Some(4),
        _ => None,
    }
}

/// A register is saved at an offset from the caller's frame.
fn saved_at(register: u64, offset: i64, at: Span) -> Result<Code, Diagnostic> {
    if offset % DATA_UNIT != 0 {
        return Err(Diagnostic::error("registers are saved at multiples of 4")
            .with_primary(at, format!("this is {offset} from the caller's frame")));
    }
    let units = offset / DATA_UNIT;
    Ok(match u64::try_from(units) {
        Ok(units) => short_or_long(0x80, 0x05, register).unsigned(units),
        Err(_) => Code::new(0x11).unsigned(register).signed(units),
    })
}

/// The register in the opcode, if it fits there.
fn short_or_long(short: u8, long: u8, register: u64) -> Code {
    match u8::try_from(register) {
        Ok(register @ 0..=0x3f) => Code::new(short | register),
        _ => Code::new(long).unsigned(register),
    }
}
