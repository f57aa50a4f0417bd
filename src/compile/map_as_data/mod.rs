//! `--map-as-data`: an array map of one element becomes a data section.
//!
//! **What.** A loader makes a map of a data section as well, and there the address of the element is a
//! constant in the code:
//! ```text
//!   *(u32 *)(r10 - 4) = 0
//!   r2 = r10
//!   r2 += -4                     r1 = counters ll   (in .data.counters)
//!   r1 = counters ll      ──►    r0 = r1
//!   call 1                       if r0 == 0 goto out
//!   if r0 == 0 goto out
//! ```
//! What is left of the key and the check is for the passes, to whom this is the input: the verifier
//! finds that the check goes one way only.
//!
//! **Why an option.** User space sees the map by another name, `.data.counters`.
//!
//! **Soundness.** Each use of the map in the object is the first argument of a look-up whose key is
//! the constant 0, in each function; the loader makes an array of one element of the same size, zero at
//! first, of a section of zeros. Whatever else is asked of the map is refused, and so is a program that the
//! verifier accepted and would not accept with the section.
//!
//! **Cost.** The object is lifted once, and its programs are verified twice more, for each map.

mod edit;

use std::collections::BTreeSet;

use bpf::maps::{MMAPABLE, MapDef, MapKind, definitions};
use bpf::object::{Object, SHF_ALLOC, STT_SECTION, SectionId, SymbolId, SymbolPlace};
use frontend::lift::{LiftedFunction, LiftedObject, lift_object};
use mir::{Function, Inst, InstData, Symbol};
use passes::inline_lookup::lookup_keys;
use passes::{Pipeline, PipelineOptions, Session};
use verifier::program::Record;

use super::{CompileOptions, Worse, gate};

/// `bpf_map_lookup_elem`
const LOOKUP: u32 = 1;

/// Why a map cannot become data.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum MapAsDataError {
    #[error("there is no map `{name}`; the maps are {known}")]
    NoSuchMap { name: String, known: String },
    #[error("the maps of the object cannot be read: {0}")]
    Unreadable(String),
    #[error("`{name}` cannot become data: {why}")]
    NotPlain { name: String, why: String },
    #[error(
        "`{name}` cannot become data: {function}+{slot} {what}; all there may be are look-ups by the \
         constant key 0"
    )]
    Used {
        name: String,
        function: String,
        slot: u32,
        what: String,
    },
    #[error("`{name}` cannot become data: `{function}`, which refers to it, is not understood")]
    NotLifted { name: String, function: String },
    #[error("`{name}` cannot become data: section `{section}` refers to it")]
    Referred { name: String, section: String },
    #[error(
        "`{name}` cannot become data: the verifier would no longer accept `{program}`: {reason}"
    )]
    NotAccepted {
        name: String,
        program: String,
        reason: String,
    },
}

/// The object with the maps that the options name as data sections.
///
/// # Errors
/// Why a map cannot become one.
pub fn with_maps_as_data(
    object: &Object,
    options: &CompileOptions,
) -> Result<Object, MapAsDataError> {
    let mut result = object.clone();
    for name in &options.map_as_data {
        result = with_map_as_data(&result, options, name)?;
    }
    Ok(result)
}

fn with_map_as_data(
    object: &Object,
    options: &CompileOptions,
    name: &str,
) -> Result<Object, MapAsDataError> {
    let lifted = lift_object(object);
    let maps = definitions(object, lifted.btf.as_ref());
    let maps = maps.map_err(|error| MapAsDataError::Unreadable(error.to_string()))?;
    let map = Map::find(object, &maps, name)?;
    map.is_plain(&lifted)?;
    let calls = map.lookups(object, &lifted)?;
    let result = edit::rewrite(object, lifted.btf, &map, &calls)?;
    if options.verify {
        let asked = gate::Asked::by(options);
        let (before, after) = (
            gate::verdicts(object, asked, None),
            gate::verdicts(&result, asked, None),
        );
        let mut refused = gate::worsened(&before, &after).filter_map(|(id, worse)| match worse {
            Worse::NotAccepted(reason) => Some((id, reason)),
            // What is asked for may take a longer walk.
            Worse::Walk { .. } => None,
        });
        if let Some((id, reason)) = refused.next() {
            return Err(MapAsDataError::NotAccepted {
                name: name.to_owned(),
                program: id.function.clone(),
                reason,
            });
        }
    }
    Ok(result)
}

/// A map and where it is.
struct Map<'a> {
    def: &'a MapDef,
    section: SectionId,
    section_name: String,
    offset: u64,
    symbol: SymbolId,
    /// Whether the section defines no other.
    is_alone: bool,
}

/// Whether a map is defined as one, and is no data section.
fn is_definition(object: &Object, map: &MapDef) -> bool {
    let section = map.place.and_then(|place| object.section(place.section));
    section.is_some_and(|section| matches!(section.name.as_str(), "maps" | ".maps"))
}

impl<'a> Map<'a> {
    fn find(object: &Object, maps: &'a [MapDef], name: &str) -> Result<Map<'a>, MapAsDataError> {
        let defined: Vec<&MapDef> = maps
            .iter()
            .filter(|map| is_definition(object, map))
            .collect();
        let found = defined.iter().find(|map| map.name == name);
        let place = found.and_then(|def| Some((*def, def.place?)));
        let symbol = place.and_then(|(_, place)| {
            let mut symbols = object.symbols_in(place.section);
            symbols.find(|(_, symbol)| symbol.name == name && symbol.value == place.offset)
        });
        let (Some((def, place)), Some((symbol, _))) = (place, symbol) else {
            let names: Vec<&str> = defined.iter().map(|map| map.name.as_str()).collect();
            return Err(MapAsDataError::NoSuchMap {
                name: name.to_owned(),
                known: names.join(", "),
            });
        };
        let beside = defined.iter().filter(|map| {
            map.place
                .is_some_and(|other| other.section == place.section)
        });
        Ok(Map {
            def,
            section: place.section,
            section_name: object
                .section(place.section)
                .map_or_else(String::new, |section| section.name.clone()),
            offset: place.offset,
            symbol,
            is_alone: beside.count() == 1,
        })
    }

    fn not_plain(&self, why: impl Into<String>) -> MapAsDataError {
        MapAsDataError::NotPlain {
            name: self.def.name.clone(),
            why: why.into(),
        }
    }

    /// Whether a data section gives the same map.
    fn is_plain(&self, lifted: &LiftedObject) -> Result<(), MapAsDataError> {
        let def = self.def;
        let refuse = |why: &str| Err(self.not_plain(why));
        if def.kind == MapKind::PercpuArray {
            return refuse("each processor has an element of its own");
        }
        if def.kind != MapKind::Array {
            return refuse("it is no array");
        }
        if def.max_entries != 1 {
            let count = def.max_entries;
            return Err(
                self.not_plain(format!("it has {count} elements, and only one can be data"))
            );
        }
        if def.key_size != 4 || def.value_size == 0 {
            return refuse("its key or its value has a size that arrays do not have");
        }
        if def.pinned {
            return refuse("it is pinned: shared with others by its name");
        }
        if def.legacy_id.is_some() {
            return refuse("its definition is iproute2's, which makes no maps of data sections");
        }
        if def.flags & !MMAPABLE != 0 {
            let flags = def.flags;
            return Err(self.not_plain(format!(
                "its flags {flags:#x} are not those of a data section"
            )));
        }
        let btf = lifted.btf.as_ref();
        let value =
            btf.and_then(|btf| Some((btf, edit::value_type(btf, &self.section_name, &def.name)?)));
        if let Some((btf, value)) = value
            && let Some(field) = Record::of(btf, value).fields.first()
        {
            let kind = field.kind.name();
            return Err(self.not_plain(format!("its value has a `{kind}`")));
        }
        Ok(())
    }

    /// Where the calls are that look the element up, if nothing else uses the map.
    fn lookups(
        &self,
        object: &Object,
        lifted: &LiftedObject,
    ) -> Result<BTreeSet<(SectionId, u64)>, MapAsDataError> {
        self.check_references(object, lifted)?;
        // A key may be computed from constants, and pass blocks where it is always the same.
        let mut module = lifted.module.clone();
        let pipeline = Pipeline::build(&PipelineOptions {
            passes: Some(vec!["simplify".to_owned(), "simplify-cfg".to_owned()]),
            ..PipelineOptions::default()
        });
        let pipeline = pipeline.map_err(|error| MapAsDataError::Unreadable(error.to_string()))?;
        let mut calls = BTreeSet::new();
        for function in &lifted.functions {
            pipeline.run_function(&mut module, function.func, &mut Session::new());
            let body = &module.functions[function.func];
            let is_map = |symbol: Symbol| {
                let symbol = &module.symbols[symbol];
                symbol.object_symbol == Some(self.symbol.0)
            };
            let keys = lookup_keys(&module, body);
            for inst in self.users(function, body, &is_map)? {
                let key = keys.iter().find(|found| found.inst == inst);
                let slot = body.origins[inst].checked_sub(1);
                let (Some(0), Some(slot)) = (key.and_then(|found| found.key), slot) else {
                    let what = "looks it up by a key that is not known to be 0";
                    return Err(self.used(function, body, inst, what));
                };
                let offset = function.range.offset + 8 * u64::from(slot);
                calls.insert((function.range.section, offset));
            }
        }
        Ok(calls)
    }

    /// The look-ups of a function in the map; an error for whatever else uses its address.
    fn users(
        &self,
        function: &LiftedFunction,
        body: &Function,
        is_map: &impl Fn(Symbol) -> bool,
    ) -> Result<Vec<Inst>, MapAsDataError> {
        let is_address = |value| match body.dfg.def_inst(value) {
            Some((_, &InstData::SymbolAddr { symbol })) => is_map(symbol),
            _ => false,
        };
        let mut lookups = Vec::new();
        for inst in body
            .layout
            .blocks()
            .flat_map(|block| body.layout.insts(block))
        {
            let mut operands = Vec::new();
            body.dfg
                .for_each_operand(inst, |value| operands.push(is_address(value)));
            if !operands.contains(&true) {
                continue;
            }
            match *body.dfg.inst(inst) {
                InstData::CallHelper { id: LOOKUP, .. } if operands == [true, false] => {
                    lookups.push(inst);
                }
                InstData::CallHelper { id, .. } => {
                    let helper = bpf::helpers::by_id(id).map_or("an unknown helper", |h| h.name);
                    return Err(self.used(
                        function,
                        body,
                        inst,
                        &format!("gives it to `{helper}`"),
                    ));
                }
                _ => {
                    let what = "uses its address for something else";
                    return Err(self.used(function, body, inst, what));
                }
            }
        }
        Ok(lookups)
    }

    fn used(
        &self,
        function: &LiftedFunction,
        body: &Function,
        inst: Inst,
        what: &str,
    ) -> MapAsDataError {
        MapAsDataError::Used {
            name: self.def.name.clone(),
            function: function.range.name.clone(),
            slot: body.origins[inst].saturating_sub(1),
            what: what.to_owned(),
        }
    }

    /// Refuses references that are not in code which is understood, by the map's own symbol.
    fn check_references(
        &self,
        object: &Object,
        lifted: &LiftedObject,
    ) -> Result<(), MapAsDataError> {
        for id in object.section_ids() {
            let Some(section) = object.section(id) else {
                continue;
            };
            if section.flags & SHF_ALLOC == 0 {
                continue;
            }
            for relocation in &section.relocations {
                let Some(symbol) = object.symbol(relocation.symbol) else {
                    continue;
                };
                let in_section = symbol.place == SymbolPlace::Section(self.section);
                let is_map = relocation.symbol == self.symbol;
                // Another symbol of the same place, or the section's, which may mean any map in it.
                let may_be =
                    in_section && (symbol.kind == STT_SECTION || symbol.value == self.offset);
                let inside = |function: &&LiftedFunction| {
                    function.range.section == id && function.range.contains(relocation.offset)
                };
                let function = lifted.functions.iter().find(inside);
                if is_map && let Some(function) = function.filter(|one| one.kept.is_some()) {
                    return Err(MapAsDataError::NotLifted {
                        name: self.def.name.clone(),
                        function: function.range.name.clone(),
                    });
                }
                if is_map && function.is_none() || may_be && !is_map {
                    return Err(MapAsDataError::Referred {
                        name: self.def.name.clone(),
                        section: section.name.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}
