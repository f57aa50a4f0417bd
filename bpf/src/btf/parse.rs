//! `.BTF` to typed data.

use super::error::{BtfError, BtfErrorKind as Error};
use super::kinds::*;
use super::{Btf, Strings, Unknown, cycles};
use crate::bytes::{u16_at, u32_at};
use crate::insn::Endian;

const MAGIC: u16 = 0xeb9f;
const HEADER_SIZE: usize = 24;
const SECTION: &str = ".BTF";

impl Btf {
    /// Parses the bytes of a `.BTF` section.
    ///
    /// # Errors
    /// When the section is malformed, with the byte offset in it.
    pub fn parse(bytes: &[u8], endian: Endian) -> Result<Btf, BtfError> {
        let header = header(bytes, endian, SECTION, HEADER_SIZE)?;
        let [type_offset, type_length, string_offset, string_length] =
            [8, 12, 16, 20].map(|offset| u32_at(bytes, offset, endian).unwrap_or(0));
        let types = part(
            bytes,
            header.size,
            "the type section",
            type_offset,
            type_length,
        )?;
        let strings = part(
            bytes,
            header.size,
            "the string section",
            string_offset,
            string_length,
        )?;
        if strings.start < types.end {
            let kind = Error::Misplaced {
                what: "the string section",
                start: strings.start as u64,
                length: string_length,
            };
            return Err(error(strings.start, kind));
        }
        let table = &bytes[strings.clone()];
        if !table.is_empty() && (table.first() != Some(&0) || table.last() != Some(&0)) {
            return Err(error(strings.start, Error::UnterminatedStrings));
        }
        if let Err(invalid) = std::str::from_utf8(table) {
            let at = invalid.valid_up_to();
            return Err(error(strings.start + at, Error::BadString(at as u32)));
        }
        let mut btf = Btf {
            endian,
            version: header.version,
            flags: header.flags,
            types: Vec::new(),
            strings: Strings::from_bytes(table.to_vec()),
            unknown: Unknown {
                header: bytes[HEADER_SIZE..header.size].to_vec(),
                before_types: bytes[header.size..types.start].to_vec(),
                before_strings: bytes[types.end..strings.start].to_vec(),
                at_end: bytes[strings.end..].to_vec(),
            },
        };
        let mut reader = Reader {
            bytes: &bytes[..types.end],
            at: types.start,
            endian,
        };
        while reader.at < types.end {
            let start = reader.at;
            let id = btf.types.len() as u32 + 1;
            let parsed = reader.parse_type(id).map_err(|kind| error(start, kind))?;
            btf.types.push(parsed);
        }
        btf.check(types.start)?;
        Ok(btf)
    }

    /// Checks every reference, then that no type contains itself.
    fn check(&self, types_start: usize) -> Result<(), BtfError> {
        let mut start = types_start;
        let mut starts = Vec::with_capacity(self.types.len());
        for (number, one) in (1u32..).zip(&self.types) {
            starts.push(start);
            let mut kind = None;
            one.for_each_reference(|target| {
                if target.0 as usize > self.types.len() {
                    kind.get_or_insert(Error::BadType {
                        id: number,
                        target: target.0,
                    });
                }
            });
            one.for_each_string(|offset| {
                if !self.strings.contains(offset) {
                    kind.get_or_insert(Error::BadString(offset.0));
                }
            });
            if let Some(kind) = kind {
                return Err(error(start, kind));
            }
            start += one.encoded_size();
        }
        match cycles::find(&self.types) {
            Some(TypeId(id)) => {
                let start = starts.get(id as usize - 1).copied().unwrap_or(types_start);
                Err(error(start, Error::Cycle { id }))
            }
            None => Ok(()),
        }
    }
}

impl Type {
    fn for_each_string(&self, mut visit: impl FnMut(StringOffset)) {
        visit(self.name);
        match &self.kind {
            TypeKind::Struct { members, .. } | TypeKind::Union { members, .. } => {
                members.iter().for_each(|member| visit(member.name));
            }
            TypeKind::Enum { values, .. } => values.iter().for_each(|value| visit(value.name)),
            TypeKind::Enum64 { values, .. } => values.iter().for_each(|value| visit(value.name)),
            TypeKind::FunctionProto { parameters, .. } => {
                parameters
                    .iter()
                    .for_each(|parameter| visit(parameter.name));
            }
            _ => {}
        }
    }
}

/// The part of the header that both sections share.
pub(super) struct Header {
    pub version: u8,
    pub flags: u8,
    pub size: usize,
}

pub(super) fn header(
    bytes: &[u8],
    endian: Endian,
    section: &'static str,
    minimum: usize,
) -> Result<Header, BtfError> {
    let error = |offset, kind| BtfError {
        section,
        offset,
        kind,
    };
    let truncated = || error(bytes.len() as u64, Error::Truncated("the header"));
    let magic = u16_at(bytes, 0, endian).ok_or_else(truncated)?;
    if magic != MAGIC {
        return Err(error(0, Error::Magic(magic)));
    }
    let (Some(&version), Some(&flags)) = (bytes.get(2), bytes.get(3)) else {
        return Err(truncated());
    };
    if version != 1 {
        return Err(error(2, Error::Version(version)));
    }
    let size = u32_at(bytes, 4, endian).ok_or_else(truncated)? as usize;
    if size < minimum || size > bytes.len() {
        return Err(error(4, Error::Truncated("the header")));
    }
    Ok(Header {
        version,
        flags,
        size,
    })
}

/// The byte range of a part, given relative to the header's end.
fn part(
    bytes: &[u8],
    base: usize,
    what: &'static str,
    offset: u32,
    length: u32,
) -> Result<std::ops::Range<usize>, BtfError> {
    let start = base as u64 + u64::from(offset);
    let end = start + u64::from(length);
    if end > bytes.len() as u64 {
        return Err(error(
            base,
            Error::Misplaced {
                what,
                start,
                length,
            },
        ));
    }
    Ok(start as usize..end as usize)
}

fn error(offset: usize, kind: Error) -> BtfError {
    BtfError {
        section: SECTION,
        offset: offset as u64,
        kind,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    endian: Endian,
}

impl Reader<'_> {
    fn word(&mut self) -> Result<u32, Error> {
        let word = u32_at(self.bytes, self.at, self.endian).ok_or(Error::Truncated("a type"))?;
        self.at += 4;
        Ok(word)
    }

    fn string(&mut self) -> Result<StringOffset, Error> {
        self.word().map(StringOffset)
    }

    fn type_id(&mut self) -> Result<TypeId, Error> {
        self.word().map(TypeId)
    }

    /// A list whose entries take at least `entry_size` bytes, so that a count cannot ask for more
    /// memory than the bytes that are left could fill.
    fn list<T>(
        &mut self,
        count: u32,
        entry_size: usize,
        mut entry: impl FnMut(&mut Self) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let left = self.bytes.len().saturating_sub(self.at);
        if count as usize * entry_size > left {
            return Err(Error::Truncated("a type"));
        }
        let mut list = Vec::with_capacity(count as usize);
        for _ in 0..count {
            list.push(entry(self)?);
        }
        Ok(list)
    }

    fn parse_type(&mut self, id: u32) -> Result<Type, Error> {
        let name = self.string()?;
        let info = self.word()?;
        let size_or_type = self.word()?;
        let (target, size) = (TypeId(size_or_type), size_or_type);
        let count = info & 0xffff;
        let kind_number = (info >> 24) & 0x1f;
        let reserved_if = |condition: bool| {
            if condition {
                Err(Error::Reserved { id })
            } else {
                Ok(())
            }
        };
        reserved_if(info & 0x60ff_0000 != 0)?;
        let has_count = matches!(kind_number, 4 | 5 | 6 | 12 | 13 | 15 | 19);
        reserved_if(!has_count && count != 0)?;
        let kind = match kind_number {
            1 => {
                let data = self.word()?;
                reserved_if(data & 0xf000_ff00 != 0)?;
                let [bits, _, offset, encoding] = data.to_le_bytes();
                TypeKind::Int {
                    size,
                    encoding,
                    offset,
                    bits,
                }
            }
            2 => TypeKind::Pointer { target },
            3 => {
                reserved_if(size != 0)?;
                let (element, index) = (self.type_id()?, self.type_id()?);
                TypeKind::Array {
                    element,
                    index,
                    count: self.word()?,
                }
            }
            4 => TypeKind::Struct {
                size,
                members: self.members(count)?,
            },
            5 => TypeKind::Union {
                size,
                members: self.members(count)?,
            },
            6 => {
                let values = self.list(count, 8, |reader| {
                    Ok(EnumValue {
                        name: reader.string()?,
                        value: reader.word()?,
                    })
                })?;
                TypeKind::Enum { size, values }
            }
            7 => {
                reserved_if(size != 0)?;
                TypeKind::Forward
            }
            8 => TypeKind::Typedef { target },
            9 => TypeKind::Volatile { target },
            10 => TypeKind::Const { target },
            11 => TypeKind::Restrict { target },
            12 => TypeKind::Function {
                proto: target,
                linkage: count as u16,
            },
            13 => {
                let parameters = self.list(count, 8, |reader| {
                    Ok(Parameter {
                        name: reader.string()?,
                        target: reader.type_id()?,
                    })
                })?;
                TypeKind::FunctionProto {
                    result: target,
                    parameters,
                }
            }
            14 => TypeKind::Variable {
                target,
                linkage: self.word()?,
            },
            15 => {
                let variables = self.list(count, 12, |reader| {
                    let (target, offset) = (reader.type_id()?, reader.word()?);
                    Ok(SectionVariable {
                        target,
                        offset,
                        size: reader.word()?,
                    })
                })?;
                TypeKind::DataSection { size, variables }
            }
            16 => TypeKind::Float { size },
            17 => TypeKind::DeclTag {
                target,
                component: self.word()? as i32,
            },
            18 => TypeKind::TypeTag { target },
            19 => {
                let values = self.list(count, 12, |reader| {
                    let name = reader.string()?;
                    let (low, high) = (reader.word()?, reader.word()?);
                    Ok(EnumValue64 {
                        name,
                        value: u64::from(high) << 32 | u64::from(low),
                    })
                })?;
                TypeKind::Enum64 { size, values }
            }
            kind => return Err(Error::UnknownKind { id, kind }),
        };
        Ok(Type {
            name,
            kind_flag: info >> 31 != 0,
            kind,
        })
    }

    fn members(&mut self, count: u32) -> Result<Vec<Member>, Error> {
        self.list(count, 12, |reader| {
            let (name, target) = (reader.string()?, reader.type_id()?);
            Ok(Member {
                name,
                target,
                offset: reader.word()?,
            })
        })
    }
}
