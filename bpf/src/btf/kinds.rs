//! The kinds of types, as `include/uapi/linux/btf.h` lists them, under whole names.

/// Id of a type: 0 is `void`, 1 the first type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

impl TypeId {
    /// `void`, or the absence of a type.
    pub const VOID: TypeId = TypeId(0);
}

/// Byte offset in the string table; 0 is the empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StringOffset(pub u32);

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Name; the empty string for types without.
    pub name: StringOffset,
    /// The flag whose meaning depends on the kind: bit fields in structs and unions, signedness of
    /// enumerations, union for forward declarations, attribute for tags.
    pub kind_flag: bool,
    /// The rest.
    pub kind: TypeKind,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// Integer.
    Int {
        /// Bytes.
        size: u32,
        /// 1 signed, 2 character, 4 boolean.
        encoding: u8,
        /// First bit of the value.
        offset: u8,
        /// Bits of the value.
        bits: u8,
    },
    /// Pointer.
    Pointer {
        /// What is pointed to.
        target: TypeId,
    },
    /// Array.
    Array {
        /// Type of an element.
        element: TypeId,
        /// Type of the index.
        index: TypeId,
        /// Number of elements.
        count: u32,
    },
    /// Structure.
    Struct {
        /// Bytes.
        size: u32,
        /// Members by offset.
        members: Vec<Member>,
    },
    /// Union.
    Union {
        /// Bytes.
        size: u32,
        /// Members.
        members: Vec<Member>,
    },
    /// Enumeration of up to 32 bits.
    Enum {
        /// Bytes.
        size: u32,
        /// Values.
        values: Vec<EnumValue>,
    },
    /// Declaration of a structure or union without its members.
    Forward,
    /// Another name for a type.
    Typedef {
        /// The type.
        target: TypeId,
    },
    /// `volatile`
    Volatile {
        /// The type qualified.
        target: TypeId,
    },
    /// `const`
    Const {
        /// The type qualified.
        target: TypeId,
    },
    /// `restrict`
    Restrict {
        /// The type qualified.
        target: TypeId,
    },
    /// Function, defined or extern.
    Function {
        /// A [`TypeKind::FunctionProto`].
        proto: TypeId,
        /// 0 static, 1 global, 2 extern.
        linkage: u16,
    },
    /// Result and parameters of a function.
    FunctionProto {
        /// Type of the result; void for none.
        result: TypeId,
        /// Parameters; a last one without name and type stands for variable arguments.
        parameters: Vec<Parameter>,
    },
    /// Variable.
    Variable {
        /// Its type.
        target: TypeId,
        /// 0 static, 1 global, 2 extern.
        linkage: u32,
    },
    /// The variables of an ELF section; the name is the section's.
    DataSection {
        /// Bytes; compilers leave it 0 for the loader to fill in.
        size: u32,
        /// Variables by offset.
        variables: Vec<SectionVariable>,
    },
    /// Floating point number.
    Float {
        /// Bytes.
        size: u32,
    },
    /// Tag on a declaration; the name is the tag.
    DeclTag {
        /// The declaration.
        target: TypeId,
        /// Member or parameter by index, -1 for the declaration itself.
        component: i32,
    },
    /// Tag on a type; the name is the tag.
    TypeTag {
        /// The type tagged.
        target: TypeId,
    },
    /// Enumeration of 64 bits.
    Enum64 {
        /// Bytes.
        size: u32,
        /// Values.
        values: Vec<EnumValue64>,
    },
}

/// Member of a structure or union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name; empty for anonymous structures and unions.
    pub name: StringOffset,
    /// Type.
    pub target: TypeId,
    /// Position as the file has it: see [`Member::bit_offset`].
    pub offset: u32,
}

impl Member {
    /// Offset in bits from the start of the structure, whose `kind_flag` must be given.
    #[must_use]
    pub fn bit_offset(&self, kind_flag: bool) -> u32 {
        if kind_flag {
            self.offset & 0x00ff_ffff
        } else {
            self.offset
        }
    }

    /// Bits of a bit field, 0 for an ordinary member.
    #[must_use]
    pub fn bit_size(&self, kind_flag: bool) -> u32 {
        if kind_flag { self.offset >> 24 } else { 0 }
    }
}

/// Value of an enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnumValue {
    /// Name.
    pub name: StringOffset,
    /// Value, two's complement.
    pub value: u32,
}

/// Value of a 64-bit enumeration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnumValue64 {
    /// Name.
    pub name: StringOffset,
    /// Value, two's complement.
    pub value: u64,
}

/// Parameter of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Name, may be empty.
    pub name: StringOffset,
    /// Type.
    pub target: TypeId,
}

/// Variable in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionVariable {
    /// A [`TypeKind::Variable`], or a [`TypeKind::Function`] in `.ksyms`.
    pub target: TypeId,
    /// Byte offset in the section; compilers leave it 0 with a relocation in `.rel.BTF`.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

impl Type {
    /// Bytes that the type takes in the type section.
    #[must_use]
    pub fn encoded_size(&self) -> usize {
        const HEADER: usize = 12;
        HEADER
            + match &self.kind {
                TypeKind::Int { .. } | TypeKind::Variable { .. } | TypeKind::DeclTag { .. } => 4,
                TypeKind::Array { .. } => 12,
                TypeKind::Struct { members, .. } | TypeKind::Union { members, .. } => {
                    members.len() * 12
                }
                TypeKind::Enum { values, .. } => values.len() * 8,
                TypeKind::Enum64 { values, .. } => values.len() * 12,
                TypeKind::FunctionProto { parameters, .. } => parameters.len() * 8,
                TypeKind::DataSection { variables, .. } => variables.len() * 12,
                TypeKind::Pointer { .. }
                | TypeKind::Forward
                | TypeKind::Typedef { .. }
                | TypeKind::Volatile { .. }
                | TypeKind::Const { .. }
                | TypeKind::Restrict { .. }
                | TypeKind::Function { .. }
                | TypeKind::Float { .. }
                | TypeKind::TypeTag { .. } => 0,
            }
    }

    /// The one type that a pointer, qualifier, name, variable, function or tag refers to.
    #[must_use]
    pub fn target(&self) -> Option<TypeId> {
        match self.kind {
            TypeKind::Pointer { target }
            | TypeKind::Typedef { target }
            | TypeKind::Volatile { target }
            | TypeKind::Const { target }
            | TypeKind::Restrict { target }
            | TypeKind::Variable { target, .. }
            | TypeKind::DeclTag { target, .. }
            | TypeKind::TypeTag { target } => Some(target),
            TypeKind::Function { proto, .. } => Some(proto),
            _ => None,
        }
    }

    /// Calls `visit` with every type that this one refers to.
    pub fn for_each_reference(&self, mut visit: impl FnMut(TypeId)) {
        if let Some(target) = self.target() {
            visit(target);
        }
        match &self.kind {
            TypeKind::Array { element, index, .. } => {
                visit(*element);
                visit(*index);
            }
            TypeKind::Struct { members, .. } | TypeKind::Union { members, .. } => {
                members.iter().for_each(|member| visit(member.target));
            }
            TypeKind::FunctionProto { result, parameters } => {
                visit(*result);
                parameters
                    .iter()
                    .for_each(|parameter| visit(parameter.target));
            }
            TypeKind::DataSection { variables, .. } => {
                variables.iter().for_each(|variable| visit(variable.target));
            }
            _ => {}
        }
    }
}
