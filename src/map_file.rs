//! Map contents as JSON, in the form of `bpftool map dump --json`: an array of objects with `key`
//! and `value`, each an array of bytes. Bytes are numbers or hexadecimal strings; a whole key or
//! value may also be one string of hexadecimal digits.

use bpf::interp::Machine;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::input;
use crate::packet_file::unhex;

/// Fills a map from `NAME=FILE`.
///
/// # Errors
/// There is no such map, or the file does not say what goes into it.
pub fn fill(machine: &mut Machine, argument: &str) -> Result<(), Failure> {
    let Some((name, file)) = argument.split_once('=') else {
        return Err(Failure::Usage(format!(
            "`{argument}` is not NAME=FILE.json"
        )));
    };
    let number = machine.maps().iter().position(|map| map.def.name == name);
    let number = number.and_then(|number| u32::try_from(number).ok());
    let Some(number) = number else {
        let names: Vec<&str> = machine
            .maps()
            .iter()
            .map(|map| map.def.name.as_str())
            .collect();
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
    for (index, entry) in entries.iter().enumerate() {
        let (Some(key), Some(value)) = (bytes(&entry["key"]), bytes(&entry["value"])) else {
            return Err(refused(format!(
                "entry {index} has no readable `key` and `value`"
            )));
        };
        let stored = machine
            .map_update(number, &key, &value)
            .map_err(|fault| refused(fault.to_string()))?;
        if !stored {
            return Err(refused(format!("map `{name}` refuses entry {index}")));
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
    let hex = |bytes: &[u8]| -> Vec<String> {
        bytes.iter().map(|byte| format!("0x{byte:02x}")).collect()
    };
    let mut all = Map::new();
    for (number, map) in (0u32..).zip(machine.maps()) {
        let entries: Vec<Value> = machine
            .map_contents(number)
            .iter()
            .map(|(key, value)| json!({"key": hex(key), "value": hex(value)}))
            .collect();
        all.insert(map.def.name.clone(), Value::Array(entries));
    }
    Value::Object(all)
}
