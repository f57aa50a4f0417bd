//! Map contents as JSON, in the form of `bpftool map dump --json`: an array of objects with `key`
//! and `value`, each an array of bytes. Bytes are numbers or hexadecimal strings; a whole key or
//! value may also be one string of hexadecimal digits.

use bpf::interp::Machine;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::input;
use crate::packet_file::unhex;

/// A key and a value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// What `NAME=FILE` says, for maps with these names: which of them, and its entries.
///
/// # Errors
/// There is no such map, or the file does not say what goes into it.
pub fn read(argument: &str, names: &[&str]) -> Result<(usize, Vec<Entry>), Failure> {
    let Some((name, file)) = argument.split_once('=') else {
        return Err(Failure::Usage(format!(
            "`{argument}` is not NAME=FILE.json"
        )));
    };
    let Some(number) = names.iter().position(|known| *known == name) else {
        return Err(Failure::Usage(format!(
            "there is no map `{name}`; the maps are {}",
            names.join(", ")
        )));
    };
    let refused = |what: String| Failure::refused(format!("{file}: {what}"));
    let parsed: Value =
        serde_json::from_slice(&input::bytes(file)?).map_err(|error| refused(error.to_string()))?;
    let Some(entries) = parsed.as_array() else {
        return Err(refused("this is not an array of entries".to_owned()));
    };
    let mut read = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let (Some(key), Some(value)) = (bytes(&entry["key"]), bytes(&entry["value"])) else {
            return Err(refused(format!(
                "entry {index} has no readable `key` and `value`"
            )));
        };
        read.push((key, value));
    }
    Ok((number, read))
}

/// That a map does not take an entry of a file.
#[must_use]
pub fn refuses(argument: &str, index: usize) -> Failure {
    let (name, file) = argument.split_once('=').unwrap_or((argument, argument));
    Failure::refused(format!("{file}: map `{name}` refuses entry {index}"))
}

/// Fills a map of the interpreter from `NAME=FILE`.
///
/// # Errors
/// As [`read`], and for what the map does not take.
pub fn fill(machine: &mut Machine, argument: &str) -> Result<(), Failure> {
    let names: Vec<&str> = machine
        .maps()
        .iter()
        .map(|map| map.def.name.as_str())
        .collect();
    let (number, entries) = read(argument, &names)?;
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    for (index, (key, value)) in entries.iter().enumerate() {
        let stored = machine
            .map_update(number, key, value)
            .map_err(|fault| Failure::refused(fault.to_string()))?;
        if !stored {
            return Err(refuses(argument, index));
        }
    }
    Ok(())
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(digits) => unhex(digits.strip_prefix("0x").unwrap_or(digits)),
        Value::Array(bytes) => bytes.iter().map(byte).collect(),
        _ => None,
    }
}

fn byte(value: &Value) -> Option<u8> {
    match value {
        Value::String(digits) => {
            u8::from_str_radix(digits.strip_prefix("0x").unwrap_or(digits), 16).ok()
        }
        Value::Number(number) => u8::try_from(number.as_u64()?).ok(),
        _ => None,
    }
}

/// The contents of all maps, by name.
#[must_use]
pub fn contents(machine: &Machine) -> Value {
    let maps = (0u32..).zip(machine.maps());
    json(maps.map(|(number, map)| (map.def.name.as_str(), machine.map_contents(number))))
}

/// Contents of maps with these names.
pub fn json<'name>(maps: impl Iterator<Item = (&'name str, Vec<Entry>)>) -> Value {
    let hex = |bytes: &[u8]| -> Vec<String> {
        bytes.iter().map(|byte| format!("0x{byte:02x}")).collect()
    };
    let mut all = Map::new();
    for (name, entries) in maps {
        let entries: Vec<Value> = entries
            .iter()
            .map(|(key, value)| json!({"key": hex(key), "value": hex(value)}))
            .collect();
        all.insert(name.to_owned(), Value::Array(entries));
    }
    Value::Object(all)
}

/// The same as text, an entry a line.
#[must_use]
pub fn text(maps: &Value) -> String {
    let mut text = String::new();
    for (name, entries) in maps.as_object().into_iter().flatten() {
        text.push_str(&format!("map {name}\n"));
        for entry in entries.as_array().into_iter().flatten() {
            let (key, value) = (digits(&entry["key"]), digits(&entry["value"]));
            text.push_str(&format!("  {key} = {value}\n"));
        }
    }
    text
}

fn digits(bytes: &Value) -> String {
    let bytes = bytes.as_array().into_iter().flatten();
    let digits = bytes.filter_map(|byte| byte.as_str()?.strip_prefix("0x"));
    digits.collect::<Vec<_>>().join(" ")
}
