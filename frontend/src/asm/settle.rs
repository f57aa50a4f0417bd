//! Where everything lies, once the whole text is known: the sizes of numbers that depend on places, and
//! of gaps behind them.
//!
//! A number never shrinks again, so the rounds come to an end; after some of them it gets all the bytes
//! that it can need. Cost: the open numbers and all fragments, times the rounds.

use super::assembler::Assembler;
use super::ast::Expr;
use super::data::encode_leb;
use super::expression::Scope;
use super::layout::{
    Content, LEB_MAX, MAX_BYTES, Padding, Sections, TooLarge, no_operation, padding_bytes,
};

/// Rounds of [`Sections::settle`] before all open LEB128 numbers get their full size. Compilers'
/// output settles in two.
const SETTLE_ROUNDS: u32 = 16;

impl Sections {
    /// Finds the size of every open LEB128 number and with it the place of everything.
    /// `size_of` says how long a number is with the places as they are.
    pub fn settle(
        &mut self,
        mut size_of: impl FnMut(&Sections, Expr, bool) -> u64,
    ) -> Result<(), TooLarge> {
        let mut open = Vec::new();
        for (section, builder) in self.all.iter().enumerate() {
            for (index, fragment) in builder.fragments.iter().enumerate() {
                if let Content::Leb { value, signed } = fragment.content {
                    open.push((section, index, value, signed));
                }
            }
        }
        for round in 0.. {
            self.place_fragments()?;
            let mut grown = false;
            for &(section, index, value, signed) in &open {
                let wanted = match round {
                    0..SETTLE_ROUNDS => size_of(self, value, signed).clamp(1, LEB_MAX),
                    _ => LEB_MAX,
                };
                let fragment = &mut self.all[section].fragments[index];
                if wanted > fragment.size {
                    fragment.size = wanted;
                    grown = true;
                }
            }
            if !grown {
                break;
            }
        }
        Ok(())
    }

    fn place_fragments(&mut self) -> Result<(), TooLarge> {
        for section in &mut self.all {
            let mut offset: u64 = 0;
            for index in section.order() {
                let Some(fragment) = section.fragments.get_mut(index) else {
                    continue;
                };
                fragment.start = Some(offset);
                if let Content::Align { to, most, .. } = fragment.content {
                    fragment.size = padding_bytes(offset, to, most);
                }
                offset = offset.checked_add(fragment.size).ok_or(TooLarge)?;
            }
        }
        let total = self.all.iter().filter(|section| !section.is_nobits());
        let fragments = total.flat_map(|section| &section.fragments);
        let sizes = fragments.map(|fragment| fragment.size);
        match sizes.sum::<u64>() > MAX_BYTES {
            true => Err(TooLarge),
            false => Ok(()),
        }
    }
}

impl Assembler<'_> {
    /// Lays everything out.
    pub fn settle(&mut self) -> Result<(), TooLarge> {
        let mut sections =
            std::mem::replace(&mut self.sections, Sections::new(self.options.endian));
        let (arena, symbols) = (&self.arena, &self.symbols);
        let settled = sections.settle(|sections, value, signed| {
            let scope = Scope {
                arena,
                symbols,
                sections,
            };
            let mut bytes = Vec::with_capacity(10);
            encode_leb(scope.number(value).unwrap_or(0), signed, 1, &mut bytes);
            bytes.len() as u64
        });
        self.sections = sections;
        settled?;
        for section in 0..self.sections.all.len() {
            for index in 0..self.sections.all[section].fragments.len() {
                self.finish_fragment(section, index);
            }
        }
        Ok(())
    }

    /// Turns an open number or padding into bytes.
    fn finish_fragment(&mut self, section: usize, index: usize) {
        let fragment = &self.sections.all[section].fragments[index];
        let size = fragment.size as usize;
        let bytes = match fragment.content {
            Content::Bytes(_) => return,
            Content::Leb { value, signed } => {
                let mut bytes = Vec::with_capacity(size);
                match self.scope().evaluate(value) {
                    Ok(found) if found.as_number().is_some() => {
                        encode_leb(found.constant, signed, size, &mut bytes);
                    }
                    Ok(_) => {
                        let diagnostic = self.not_a_number(value, "a LEB128 value");
                        self.errors.push(diagnostic);
                    }
                    Err((problem, at)) => {
                        let diagnostic = self.no_value(problem, at);
                        self.errors.push(diagnostic);
                    }
                }
                bytes
            }
            Content::Align { padding, .. } => match padding {
                Padding::Byte(byte) => vec![byte; size],
                Padding::Instructions => no_operation(self.options.endian).repeat(size / 8),
            },
        };
        let section = &mut self.sections.all[section];
        let nobits = section.is_nobits();
        section.fragments[index].content = Content::Bytes(if nobits { Vec::new() } else { bytes });
    }
}
