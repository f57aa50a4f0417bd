//! `explain`: what a code of `check` means, with an example and its repair.

use clap::Args;
use serde_json::json;
use verifier::Rule;

use crate::failure::Failure;
use crate::{explain, output};

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct Options {
    /// Code as `check` prints it; without one, all codes are listed
    code: Option<String>,
    /// JSON: one object, or an array of them for the list
    #[arg(long)]
    json: bool,
}

/// Prints a page, or the list of all.
///
/// # Errors
/// [`Failure::Usage`] when there is no such code.
pub fn run(options: &Options) -> Result<(), Failure> {
    let text = match (&options.code, options.json) {
        (None, false) => explain::list(),
        (None, true) => {
            let list = Rule::ALL.iter().map(|rule| {
                json!({
                    "code": rule.code(),
                    "category": rule.category().to_string(),
                    "title": explain::title(*rule),
                })
            });
            format!("{}\n", json!(list.collect::<Vec<_>>()))
        }
        (Some(code), false) => explain::show(rule(code)?),
        (Some(code), true) => format!("{}\n", explain::to_json(rule(code)?)),
    };
    output::print(text.as_bytes())
}

fn rule(code: &str) -> Result<Rule, Failure> {
    explain::find(code).ok_or_else(|| {
        let hint = match explain::nearest(code) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`bpfmill explain` lists them".to_owned(),
        };
        Failure::Usage(format!("there is no error `{code}`; {hint}"))
    })
}
