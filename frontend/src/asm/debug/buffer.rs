//! Bytes of a generated section: numbers in the object's byte order, LEB128 numbers, lengths that
//! are known when their contents end, and references to places in other sections.
//!
//! A reference has its addend in place, as everywhere in BPF objects. Cost: linear.

use bpf::diagnostic::Span;
use bpf::insn::Endian;
use bpf::object::{R_BPF_64_ABS32, R_BPF_64_ABS64};

use super::frames::Pointer;
use crate::asm::data::{encode_leb, integer_bytes, low_bytes};
use crate::asm::relocate::PendingRelocation;
use crate::asm::symbols::SymbolIndex;

/// In an encoding: from the field itself (`DW_EH_PE_pcrel`).
const RELATIVE: u8 = 0x10;

/// A length field to be filled in: the index behind it.
pub struct OpenLength(usize);

/// Bytes that will stand in a section behind `base` others.
pub struct Buffer {
    endian: Endian,
    base: u64,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where addresses stand among them.
    pub references: Vec<PendingRelocation>,
    /// Where values of symbols go, which are not known to be addresses.
    pub values: Vec<SymbolValue>,
    /// Symbols that stand for bytes among them, by the number of the byte.
    pub labels: Vec<(usize, SymbolIndex, Span)>,
}

/// A field that a symbol's value goes into.
#[derive(Clone, Copy, Debug)]
pub struct SymbolValue {
    /// Its first byte among those of the buffer.
    pub start: usize,
    /// Its bytes.
    pub size: u8,
    /// The symbol.
    pub symbol: SymbolIndex,
    /// Whether it counts from the field.
    pub is_relative: bool,
    /// Where that is named.
    pub at: Span,
}

impl Buffer {
    /// Empty.
    pub fn new(endian: Endian, base: u64) -> Buffer {
        Buffer {
            endian,
            base,
            bytes: Vec::new(),
            references: Vec::new(),
            values: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Offset in the section of what is written next.
    pub fn position(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Appends a byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Appends the low `size` bytes of a number.
    pub fn integer(&mut self, number: u64, size: u8) {
        let bytes = integer_bytes(number as i64, self.endian);
        let low = low_bytes(&bytes, size, self.endian);
        self.bytes.extend_from_slice(low);
    }

    /// Appends an unsigned LEB128 number.
    pub fn unsigned(&mut self, number: u64) {
        encode_leb(number as i64, false, 1, &mut self.bytes);
    }

    /// Appends a signed LEB128 number.
    pub fn signed(&mut self, number: i64) {
        encode_leb(number, true, 1, &mut self.bytes);
    }

    /// Appends a string and its end.
    pub fn string(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
    }

    /// Appends 4 bytes that refer to an offset in another debugging section.
    pub fn offset(&mut self, section: SymbolIndex, offset: u64) {
        self.reference(R_BPF_64_ABS32, section);
        self.integer(offset, 4);
    }

    /// Appends 8 bytes that hold an address.
    pub fn address(&mut self, section: SymbolIndex, offset: u64) {
        self.reference(R_BPF_64_ABS64, section);
        self.integer(offset, 8);
    }

    /// Appends the value that a symbol will have.
    pub fn symbol_value(&mut self, pointer: Pointer) {
        self.values.push(SymbolValue {
            start: self.bytes.len(),
            size: pointer.size,
            symbol: pointer.symbol,
            is_relative: pointer.encoding & RELATIVE != 0,
            at: pointer.at,
        });
        self.integer(0, pointer.size);
    }

    fn reference(&mut self, kind: u32, symbol: SymbolIndex) {
        self.references.push(PendingRelocation {
            offset: self.position(),
            kind,
            symbol,
        });
    }

    /// Begins something that is preceded by its length in 4 bytes.
    pub fn open_length(&mut self) -> OpenLength {
        self.integer(0, 4);
        OpenLength(self.bytes.len())
    }

    /// Ends it. A length beyond 4 bytes is never seen: the section would be refused.
    pub fn close_length(&mut self, open: OpenLength) {
        let OpenLength(start) = open;
        let length = (self.bytes.len() - start) as i64;
        let bytes = integer_bytes(length, self.endian);
        let low = low_bytes(&bytes, 4, self.endian);
        if let Some(field) = self.bytes.get_mut(start - 4..start) {
            field.copy_from_slice(low);
        }
    }

    /// Appends zeros up to a multiple of `to` in the section, a power of two.
    pub fn align(&mut self, to: u64) {
        while !self.position().is_multiple_of(to) {
            self.bytes.push(0);
        }
    }
}
