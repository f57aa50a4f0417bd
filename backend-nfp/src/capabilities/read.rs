//! The capability file: every field is optional, none is unknown, and what is impossible is said
//! with its place.
//!
//! All mistakes are found at once. Where a limit depends on two fields (a program must lie within the
//! code store, a helper outside of the program), the check comes after reading and points at the
//! field that the file gave.

use bpf::diagnostic::{Diagnostic, FileId};
use bpf::helpers;
use bpf::maps::MapKind;
use serde_json::value::RawValue;

use super::document::{Document, Member};
use super::{AdjustHead, Arrays, CODE_STORE, Capabilities, LOCAL_MEMORY, Memory, STACK_UNIT};

/// Helpers that are functions of the firmware, called at an address.
const CALLED: [&str; 5] = [
    "map_lookup_elem",
    "map_update_elem",
    "map_delete_elem",
    "perf_event_output",
    "ktime_get_ns",
];
/// Packet offsets and lengths have 14 bits, offsets within the first buffer 13.
const MAX_PACKET: u64 = (1 << 14) - 1;
const MAX_HEAD: u64 = (1 << 13) - 1;
/// The shortest program: it returns a constant.
const SHORTEST: u64 = 12;

/// Reads a capability file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, file: FileId) -> Result<Capabilities, Vec<Diagnostic>> {
    let (mut document, root) = Document::of(text, file);
    let mut caps = Capabilities::default();
    if let Some(root) = root {
        fields(&mut document, root, &mut caps);
    }
    if document.diagnostics.is_empty() {
        Ok(caps)
    } else {
        Err(document.diagnostics)
    }
}

fn fields<'text>(document: &mut Document<'text>, root: &'text RawValue, caps: &mut Capabilities) {
    let members = document.members(root, "the file");
    for (name, value) in &members {
        let (name, value) = (name.as_str(), *value);
        match name {
            "code" => code(document, value, caps),
            "stack" => stack(document, value, caps),
            "inline_bytes" => set(
                document,
                value,
                name,
                64,
                MAX_PACKET,
                &mut caps.inline_bytes,
            ),
            "mtu" => set(document, value, name, 68, MAX_PACKET, &mut caps.mtu),
            "abi" => set(document, value, name, 2, 3, &mut caps.abi),
            // Which addresses are free depends on the code, which may come later.
            "helpers" => {}
            "adjust_head" => adjust_head(document, value, caps),
            "adjust_tail" => truth(document, value, name, &mut caps.adjust_tail),
            "random" => truth(document, value, name, &mut caps.random),
            "queue_select" => truth(document, value, name, &mut caps.queue_select),
            "metadata" => truth(document, value, name, &mut caps.metadata),
            "tail_call" => truth(document, value, name, &mut caps.tail_call),
            "tc_accept" => truth(document, value, name, &mut caps.tc_accept),
            "maps" => maps(document, value, caps),
            "memories" => memories(document, value, caps),
            "clock" => set(document, value, name, 1, 10_000, &mut caps.clock),
            "cores" => set(document, value, name, 1, 1024, &mut caps.cores),
            "contexts" => set(document, value, name, 1, 8, &mut caps.contexts),
            _ => {
                let known = "fields are code, stack, inline_bytes, mtu, abi, helpers, adjust_head, \
                     adjust_tail, random, queue_select, metadata, tail_call, tc_accept, maps, \
                     memories, clock, cores, contexts";
                document.unknown(value, name, "field", known.to_owned());
            }
        }
    }
    if let Some((_, value)) = members.iter().find(|(name, _)| name == "helpers") {
        called(document, value, caps);
    }
}

fn set(
    document: &mut Document<'_>,
    value: &RawValue,
    name: &str,
    min: u64,
    max: u64,
    field: &mut u32,
) {
    if let Some(number) = document.number(value, name, min, max.min(u32::MAX.into())) {
        // The limit is one of 32 bits.
        *field = number as u32;
    }
}

fn truth(document: &mut Document<'_>, value: &RawValue, name: &str, field: &mut bool) {
    if let Some(truth) = document.truth(value, name) {
        *field = truth;
    }
}

/// Whether a value says that something is not there.
fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

fn unknown(document: &mut Document<'_>, (name, value): &Member<'_>, of: &str, known: &str) {
    let what = format!("field of {of}");
    document.unknown(value, name, &what, format!("fields of {of} are {known}"));
}

fn code<'text>(document: &mut Document<'text>, value: &'text RawValue, caps: &mut Capabilities) {
    let last = u64::from(CODE_STORE) - 1;
    for member in document.members(value, "`code`") {
        let (name, value) = (member.0.as_str(), member.1);
        match name {
            "start" => set(document, value, name, 0, last, &mut caps.code.start),
            "done" => set(document, value, name, 0, last, &mut caps.code.done),
            "size" => set(document, value, name, SHORTEST, last, &mut caps.code.size),
            _ => unknown(document, &member, "`code`", "start, done, size"),
        }
    }
    let end = caps.code.start + caps.code.size;
    if end > CODE_STORE {
        let message =
            format!("the program would end at {end}, behind the code store's {CODE_STORE}");
        document.wrong(value, message, "lower `start` or `size`");
    }
    if (caps.code.start..end).contains(&caps.code.done) {
        let message = format!("`done` ({}) lies within the program", caps.code.done);
        document.wrong(value, message, "it is an address of the firmware");
    }
}

fn stack(document: &mut Document<'_>, value: &RawValue, caps: &mut Capabilities) {
    set(
        document,
        value,
        "stack",
        0,
        LOCAL_MEMORY.into(),
        &mut caps.stack,
    );
    if !caps.stack.is_multiple_of(STACK_UNIT) {
        let message = format!("`stack` is a multiple of {STACK_UNIT} bytes");
        document.wrong(value, message, "");
    }
}

fn called<'text>(document: &mut Document<'text>, value: &'text RawValue, caps: &mut Capabilities) {
    let (start, end) = (caps.code.start, caps.code.start + caps.code.size);
    caps.helpers.clear();
    for (name, value) in document.members(value, "`helpers`") {
        let short = name.strip_prefix("bpf_").unwrap_or(&name);
        let helper = helpers::by_name(short).filter(|helper| CALLED.contains(&helper.name));
        let Some(helper) = helper else {
            let known = format!("helpers at addresses are {}", CALLED.join(", "));
            document.unknown(value, &name, "helper", known);
            continue;
        };
        let Some(address) = document.number(value, &name, 0, u64::from(CODE_STORE) - 1) else {
            continue;
        };
        let address = address as u32;
        if (start..end).contains(&address) {
            let message = format!("`{name}` lies within the program ({start} to {end})");
            document.wrong(value, message, "it is an address of the firmware");
        }
        caps.helpers.insert(helper.id, address);
    }
}

fn adjust_head<'text>(
    document: &mut Document<'text>,
    value: &'text RawValue,
    caps: &mut Capabilities,
) {
    if is_null(value) {
        caps.adjust_head = None;
        return;
    }
    let usual = Capabilities::default().adjust_head;
    let mut head = usual.unwrap_or(AdjustHead {
        min: 0,
        max: 0,
        guaranteed_sub: 0,
        guaranteed_add: 0,
    });
    for member in document.members(value, "`adjust_head`") {
        let (name, value) = (member.0.as_str(), member.1);
        let field = match name {
            "min" => &mut head.min,
            "max" => &mut head.max,
            "guaranteed_sub" => &mut head.guaranteed_sub,
            "guaranteed_add" => &mut head.guaranteed_add,
            _ => {
                let known = "min, max, guaranteed_sub, guaranteed_add";
                unknown(document, &member, "`adjust_head`", known);
                continue;
            }
        };
        set(document, value, name, 0, MAX_HEAD, field);
    }
    if head.min > head.max {
        document.wrong(value, "`min` is more than `max`".to_owned(), "");
    } else if head.guaranteed_sub + head.guaranteed_add > head.reach() {
        let message = format!(
            "{} bytes cannot be guaranteed where the packet moves by {} at most",
            head.guaranteed_sub + head.guaranteed_add,
            head.reach()
        );
        document.wrong(value, message, "");
    }
    caps.adjust_head = Some(head);
}

fn maps<'text>(document: &mut Document<'text>, value: &'text RawValue, caps: &mut Capabilities) {
    let maps = &mut caps.maps;
    for member in document.members(value, "`maps`") {
        let (name, value) = (member.0.as_str(), member.1);
        match name {
            "types" => {
                maps.kinds.clear();
                for value in document.list(value, "`types`") {
                    match kind(value) {
                        Some(kind) => {
                            maps.kinds.insert(kind);
                        }
                        None => document.wrong(
                            value,
                            format!("{} is no type of map", value.get()),
                            "types have bpftool's names, such as \"hash\" and \"lru_hash\"",
                        ),
                    }
                }
            }
            "count" => set(document, value, name, 0, u32::MAX.into(), &mut maps.count),
            "elements" => {
                if let Some(number) = document.number(value, name, 0, u64::MAX) {
                    maps.elements = number;
                }
            }
            "key" => set(document, value, name, 1, 1 << 16, &mut maps.key),
            "value" => set(document, value, name, 1, 1 << 16, &mut maps.value),
            "element" => set(document, value, name, 16, 1 << 17, &mut maps.element),
            "stores" => truth(document, value, name, &mut maps.stores),
            "arrays" => maps.arrays = arrays(document, value),
            _ => {
                let known = "types, count, elements, key, value, element, stores, arrays";
                unknown(document, &member, "`maps`", known);
            }
        }
    }
}

fn kind(value: &RawValue) -> Option<MapKind> {
    let name: String = serde_json::from_str(value.get()).ok()?;
    // Numbers of types are small and without gaps.
    (1..64)
        .map(MapKind::from_number)
        .find(|kind| !matches!(kind, MapKind::Other(_)) && kind.name() == name)
}

fn arrays<'text>(document: &mut Document<'text>, value: &'text RawValue) -> Option<Arrays> {
    if is_null(value) {
        return None;
    }
    let (mut base, mut stride) = (None, None);
    for member in document.members(value, "`arrays`") {
        let (name, value) = (member.0.as_str(), member.1);
        match name {
            "base" => base = document.number(value, name, 0, (1 << 40) - 1),
            "stride" => stride = document.number(value, name, 8, 1 << 17),
            _ => unknown(document, &member, "`arrays`", "base, stride"),
        }
    }
    match (base, stride) {
        (Some(base), Some(stride)) => Some(Arrays {
            base,
            stride: stride as u32,
        }),
        _ => {
            let message = "`arrays` needs `base` and `stride`".to_owned();
            document.wrong(value, message, "");
            None
        }
    }
}

fn memories<'text>(
    document: &mut Document<'text>,
    value: &'text RawValue,
    caps: &mut Capabilities,
) {
    for member in document.members(value, "`memories`") {
        let memory = match member.0.as_str() {
            "cls" => &mut caps.memories.cls,
            "ctm" => &mut caps.memories.ctm,
            "imem" => &mut caps.memories.imem,
            "emem" => &mut caps.memories.emem,
            _ => {
                unknown(document, &member, "`memories`", "cls, ctm, imem, emem");
                continue;
            }
        };
        one_memory(document, &member, memory);
    }
}

fn one_memory<'text>(document: &mut Document<'text>, member: &Member<'text>, memory: &mut Memory) {
    let what = format!("`{}`", member.0);
    for inner in document.members(member.1, &what) {
        let (name, value) = (inner.0.as_str(), inner.1);
        match name {
            "capacity" => {
                if let Some(number) = document.number(value, name, 0, 1 << 40) {
                    memory.capacity = number;
                }
            }
            "latency" => set(document, value, name, 1, 100_000, &mut memory.latency),
            _ => unknown(document, &inner, &what, "capacity, latency"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<(String, String)> {
        let diagnostics = read(text, FileId(0)).expect_err("it has mistakes");
        let place = |one: &Diagnostic| one.span().map_or("", |span| &text[span.range()]).to_owned();
        diagnostics
            .iter()
            .map(|one| (one.message.clone(), place(one)))
            .collect()
    }

    #[test]
    fn the_example_is_the_open_firmware() {
        let text = include_str!("../../../examples/nfp/open-firmware.json");
        assert_eq!(read(text, FileId(0)).ok(), Some(Capabilities::default()));
        assert_eq!(read("{}", FileId(0)).ok(), Some(Capabilities::default()));
    }

    #[test]
    fn all_mistakes_are_found_with_their_places() {
        let text = r#"{"stac": 1, "stack": 100, "abi": 7, "helpers": {"redirect": 4, "map_delete_elem": 3100},
            "maps": {"types": ["hash", "tree"], "keys": 3}, "mtu": "x", "mtu": 3, "random": 1}"#;
        let found = messages(text);
        let places: Vec<&str> = found.iter().map(|(_, place)| place.as_str()).collect();
        let expected = [
            "\"mtu\"",
            "\"stac\"",
            "100",
            "7",
            "\"tree\"",
            "\"keys\"",
            "\"x\"",
            "1",
            "\"redirect\"",
            "3100",
        ];
        assert_eq!(places, expected, "{found:?}");
    }

    #[test]
    fn fields_are_checked_against_each_other() {
        for (text, part) in [
            (
                r#"{"code": {"start": 16000, "size": 500}}"#,
                "behind the code store",
            ),
            (r#"{"code": {"done": 3072}}"#, "within the program"),
            (r#"{"adjust_head": {"min": 300}}"#, "more than `max`"),
            (
                r#"{"adjust_head": {"guaranteed_sub": 200}}"#,
                "cannot be guaranteed",
            ),
            (
                r#"{"maps": {"arrays": {"base": 4}}}"#,
                "`base` and `stride`",
            ),
            ("[]", "the file is an object"),
        ] {
            let found = messages(text);
            assert!(found.len() == 1 && found[0].0.contains(part), "{found:?}");
        }
    }

    #[test]
    fn damaged_files_are_refused_within_themselves() {
        let text = include_str!("../../../examples/nfp/open-firmware.json");
        let (mut refused, mut state) = (0, 7u32);
        for _ in 0..4000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut bytes = text.as_bytes().to_vec();
            let at = (state >> 8) as usize % bytes.len();
            bytes[at] = b"{}[]\",:09-ex\n\\"[(state >> 4) as usize % 14];
            let changed = String::from_utf8(bytes).unwrap();
            for diagnostic in read(&changed, FileId(0)).err().unwrap_or_default() {
                let span = diagnostic.span().expect("it has a place");
                assert!(changed.get(span.range()).is_some(), "{span:?}");
                refused += 1;
            }
        }
        assert!(refused > 1000, "{refused}");
    }

    #[test]
    fn what_is_not_json_is_said_where_it_ends() {
        for (text, place) in [("{\"mtu\": é}", "é"), ("{\"mtu\": 1500", ""), ("", "")] {
            let text_found = read(text, FileId(0)).expect_err("it is no JSON");
            let span = text_found[0].span().unwrap();
            assert!(span.end as usize <= text.len());
            assert!(
                place.is_empty() || text.as_bytes()[span.start as usize] >= 0x80,
                "{span:?}"
            );
        }
    }

    #[test]
    fn a_helper_list_replaces_the_usual_one() {
        let caps = read(
            r#"{"helpers": {"bpf_map_update_elem": 8}, "adjust_head": null}"#,
            FileId(0),
        );
        let caps = caps.unwrap();
        assert_eq!(caps.helpers.into_iter().collect::<Vec<_>>(), [(2, 8)]);
        assert_eq!(caps.adjust_head, None);
    }
}
