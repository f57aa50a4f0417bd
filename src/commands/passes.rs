//! `passes`: every pass with what it does and the levels that run it.

use clap::Args;
use passes::{OptLevel, PassKind, REGISTRY};
use serde_json::json;

use crate::failure::Failure;
use crate::output;

/// Options of `passes`.
#[derive(Debug, Args)]
pub struct Options {
    /// One JSON array
    #[arg(long)]
    json: bool,
}

/// Lists the passes.
///
/// # Errors
/// [`Failure`] when the output cannot be written.
pub fn run(options: &Options) -> Result<(), Failure> {
    let levels = |info: &passes::PassInfo| -> Vec<&'static str> {
        info.levels().map(OptLevel::name).collect()
    };
    let kind = |info: &passes::PassInfo| match info.kind {
        PassKind::Required => "required",
        PassKind::Optional => "optional",
        PassKind::BackEnd => "back-end",
    };
    if options.json {
        let list: Vec<_> = REGISTRY
            .iter()
            .map(|info| {
                json!({
                    "name": info.name,
                    "summary": info.summary,
                    "levels": levels(info),
                    "kind": kind(info),
                })
            })
            .collect();
        return output::print(format!("{}\n", json!(list)).as_bytes());
    }
    let mut text = String::new();
    for info in REGISTRY {
        let levels = levels(info).join(" ");
        text.push_str(&format!(
            "{:14} {:9} -O {levels:6} {}\n",
            info.name,
            kind(info),
            info.summary
        ));
    }
    output::print(text.as_bytes())
}
