//! Typed data to `.BTF`.

use super::Btf;
use super::kinds::*;
use crate::bytes::{put_u16, put_u32};

const HEADER_SIZE: u32 = 24;

impl Btf {
    /// The bytes of the section. Lists longer than 65535 entries cannot be expressed and are cut.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let endian = self.endian;
        let unknown = &self.unknown;
        let type_length: usize = self.types.iter().map(Type::encoded_size).sum();
        let type_offset = unknown.before_types.len() as u32;
        let string_offset = type_offset + type_length as u32 + unknown.before_strings.len() as u32;
        let mut out = Vec::new();
        put_u16(&mut out, 0xeb9f, endian);
        out.extend([self.version, self.flags]);
        let words = [
            HEADER_SIZE + unknown.header.len() as u32,
            type_offset,
            type_length as u32,
            string_offset,
            self.strings.bytes().len() as u32,
        ];
        words
            .into_iter()
            .for_each(|word| put_u32(&mut out, word, endian));
        out.extend(&unknown.header);
        out.extend(&unknown.before_types);
        for one in &self.types {
            encode(one, |word| put_u32(&mut out, word, endian));
        }
        out.extend(&unknown.before_strings);
        out.extend(self.strings.bytes());
        out.extend(&unknown.at_end);
        out
    }

    /// Byte offset of a type in the section, which is what relocations in `.rel.BTF` count from.
    #[must_use]
    pub fn type_position(&self, id: TypeId) -> Option<usize> {
        let index = (id.0 as usize).checked_sub(1)?;
        let before = self.types.get(..index)?;
        let header = HEADER_SIZE as usize + self.unknown.header.len();
        let start = header + self.unknown.before_types.len();
        Some(start + before.iter().map(Type::encoded_size).sum::<usize>())
    }
}

fn encode(one: &Type, mut put: impl FnMut(u32)) {
    let length = |count: usize| count.min(0xffff) as u32;
    let (kind, count, size_or_type) = match &one.kind {
        TypeKind::Int { size, .. } => (1, 0, *size),
        TypeKind::Pointer { target } => (2, 0, target.0),
        TypeKind::Array { .. } => (3, 0, 0),
        TypeKind::Struct { size, members } => (4, length(members.len()), *size),
        TypeKind::Union { size, members } => (5, length(members.len()), *size),
        TypeKind::Enum { size, values } => (6, length(values.len()), *size),
        TypeKind::Forward => (7, 0, 0),
        TypeKind::Typedef { target } => (8, 0, target.0),
        TypeKind::Volatile { target } => (9, 0, target.0),
        TypeKind::Const { target } => (10, 0, target.0),
        TypeKind::Restrict { target } => (11, 0, target.0),
        TypeKind::Function { proto, linkage } => (12, u32::from(*linkage), proto.0),
        TypeKind::FunctionProto { result, parameters } => (13, length(parameters.len()), result.0),
        TypeKind::Variable { target, .. } => (14, 0, target.0),
        TypeKind::DataSection { size, variables } => (15, length(variables.len()), *size),
        TypeKind::Float { size } => (16, 0, *size),
        TypeKind::DeclTag { target, .. } => (17, 0, target.0),
        TypeKind::TypeTag { target } => (18, 0, target.0),
        TypeKind::Enum64 { size, values } => (19, length(values.len()), *size),
    };
    put(one.name.0);
    put(u32::from(one.kind_flag) << 31 | kind << 24 | count);
    put(size_or_type);
    match &one.kind {
        TypeKind::Int {
            encoding,
            offset,
            bits,
            ..
        } => {
            put(u32::from_le_bytes([*bits, 0, *offset, *encoding]));
        }
        TypeKind::Array {
            element,
            index,
            count,
        } => {
            [element.0, index.0, *count].into_iter().for_each(put);
        }
        TypeKind::Struct { members, .. } | TypeKind::Union { members, .. } => {
            for member in members {
                [member.name.0, member.target.0, member.offset]
                    .into_iter()
                    .for_each(&mut put);
            }
        }
        TypeKind::Enum { values, .. } => {
            for value in values {
                [value.name.0, value.value].into_iter().for_each(&mut put);
            }
        }
        TypeKind::Enum64 { values, .. } => {
            for value in values {
                let halves = [value.value as u32, (value.value >> 32) as u32];
                put(value.name.0);
                halves.into_iter().for_each(&mut put);
            }
        }
        TypeKind::FunctionProto { parameters, .. } => {
            for parameter in parameters {
                [parameter.name.0, parameter.target.0]
                    .into_iter()
                    .for_each(&mut put);
            }
        }
        TypeKind::DataSection { variables, .. } => {
            for variable in variables {
                let words = [variable.target.0, variable.offset, variable.size];
                words.into_iter().for_each(&mut put);
            }
        }
        TypeKind::Variable { linkage, .. } => put(*linkage),
        TypeKind::DeclTag { component, .. } => put(*component as u32),
        TypeKind::Pointer { .. }
        | TypeKind::Forward
        | TypeKind::Typedef { .. }
        | TypeKind::Volatile { .. }
        | TypeKind::Const { .. }
        | TypeKind::Restrict { .. }
        | TypeKind::Function { .. }
        | TypeKind::Float { .. }
        | TypeKind::TypeTag { .. } => {}
    }
}
