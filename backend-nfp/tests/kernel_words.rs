//! The words that the Linux driver makes of many programs, as far as a checkout has them beside it:
//! each decodes and encodes back, has the right error code, and is what relocation makes of the
//! driver's own unrelocated form.

use std::path::Path;

use backend_nfp::isa::relocation::{self, Kind, Places};
use backend_nfp::isa::{Insn, WORD_MASK, ecc};
use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

/// The driver's output, a JSON object a line.
const CASES: &str = "../../shared/nfp/kernel-jit-cases.jsonl";

/// Where the driver's abort path starts before the end of an XDP program: 8 words of padding, 10 of
/// the regular end, 3 of the abort path (NFP.md, section 5).
const XDP_ENDS: (u64, u64) = (21, 18);
/// The same of a TC program: 15 words of the regular end.
const TC_ENDS: (u64, u64) = (26, 23);

fn words(case: &Value, field: &str) -> Vec<u64> {
    let list = case[field].as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(|word| u64::from_str_radix(word.as_str()?, 16).ok())
        .collect()
}

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CASES);
    let text = std::fs::read_to_string(path).ok();
    let missing = text.is_none();
    let name = if missing {
        "round trip and relocation: no driver output beside this checkout"
    } else {
        "round trip and relocation"
    };
    let trial = Trial::test(name, move || {
        round_trip_and_relocation(&text.unwrap_or_default());
        Ok(())
    });
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(missing)]).exit();
}

fn round_trip_and_relocation(text: &str) {
    let (mut cases, mut count) = (0, 0);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let name = &case["name"];
        let (before, after) = (words(&case, "nfp_pre_hex"), words(&case, "nfp_post_hex"));
        if after.is_empty() {
            continue;
        }
        cases += 1;
        assert_eq!(before.len(), after.len(), "{name}");
        let saves = before
            .iter()
            .any(|word| Kind::of(*word) == Some(Kind::Push));
        let shared = if saves { 18 } else { 0 };
        let ends = if case["prog_type"] == "xdp" {
            XDP_ENDS
        } else {
            TC_ENDS
        };
        let place = |from_end: u64| (after.len() as u64 - from_end - shared) as u16;
        let places = Places {
            start: 3072,
            done: 1,
            abort: place(ends.0),
            exit: place(ends.1),
            push: after.len() as u16 - 8 - 18,
            pop: after.len() as u16 - 8 - 9,
            helpers: &[(1, 200), (25, 500)],
        };
        for (index, (before, after)) in before.iter().zip(&after).enumerate() {
            count += 1;
            let insn = Insn::decode(before & WORD_MASK)
                .unwrap_or_else(|error| panic!("{name} {index}: {error}"));
            assert_eq!(
                insn.encode(),
                Ok(before & WORD_MASK),
                "{name} {index}: {insn:?}"
            );
            let bare = ecc::check(*after).unwrap_or_else(|error| panic!("{name}: {error}"));
            let insn = Insn::decode(bare).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(insn.encode(), Ok(bare), "{name} {index}");
            let relocated = relocation::relocate(*before, &places);
            assert_eq!(relocated, Ok(*after), "{name} {index}: {insn:?}");
        }
    }
    assert_eq!((cases, count), (205, 8305));
}
