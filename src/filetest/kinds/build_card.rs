//! `build --target nfp`: the code that a card gets, as text, with its figures.
//!
//! Parts are the listing with sources and cycles beside, the MIR that it was made from, the figures of
//! each program, where maps lie as remarks, and what is in the way as diagnostics. All programs of the
//! file are compiled; where one cannot be, the test fails unless diagnostics are kept.

use backend_nfp::capabilities::Capabilities;
use backend_nfp::firmware::Abi;
use verifier::{Linker, ProgramId};

use super::Section;
use crate::card::offloaded::Job;
use crate::card::{CardObject, report};
use crate::compile::CompileOptions;
use crate::filetest::plan::Keep;
use crate::filetest::{Input, told};
use crate::input::Assembled;
use crate::{offload, render};

/// Compiles the programs of an object for the card.
pub(super) fn run(
    input: &Input,
    assembled: &Assembled,
    options: &CompileOptions,
    capabilities: Option<&str>,
    keep: &Keep,
) -> Result<Vec<Section>, String> {
    let capabilities = match capabilities {
        Some(name) => {
            let path = input.folder().join(name).display().to_string();
            offload::capabilities(&path).map_err(|failure| told(&failure))?
        }
        None => Capabilities::default(),
    };
    let linker = Linker::new(&assembled.object).map_err(|error| error.to_string())?;
    let object = CardObject::of(&assembled.object).map_err(|error| error.to_string())?;
    let job = Job {
        file: &input.name,
        assembled,
        linker: &linker,
        object: &object,
        options,
        capabilities: &capabilities,
    };
    let wanted = |id: &ProgramId| options.selects(&id.function);
    let (mut made, mut diagnostics) = (Vec::new(), String::new());
    for id in linker.programs().iter().filter(|id| wanted(id)) {
        match job.program(id, drop) {
            Ok(offloaded) => made.push(offloaded.program),
            Err(refused) => {
                for (map, diagnostic) in &refused.obstacles {
                    diagnostics.push_str(&render::text(map, std::slice::from_ref(diagnostic)));
                }
                diagnostics.push_str(&told(&refused.failure));
            }
        }
    }
    if !diagnostics.is_empty() && !keep.has("diagnostics") {
        return Err(diagnostics);
    }
    let abi = Abi::from(&capabilities);
    let of_all = |text: &dyn Fn(&crate::card::CardProgram) -> String| -> String {
        made.iter().map(text).collect()
    };
    let mut sections = Vec::new();
    for part in &keep.0 {
        let text = match part.name.as_str() {
            "assembly" => of_all(&|one| report::listing(one, &object, &abi)),
            "mir" => of_all(&|one| one.module.to_string()),
            "stats" => of_all(&|one| report::stats(one, None)),
            "remarks" => {
                let placed = object.placements(&made, &capabilities);
                report::placements(&object, &placed.map_err(|error| error.to_string())?)
            }
            "diagnostics" => diagnostics.clone(),
            other => return Err(format!("`{other}` is not shown of the card's code")),
        };
        sections.push(Section::new(part.title(), text));
    }
    Ok(sections)
}
