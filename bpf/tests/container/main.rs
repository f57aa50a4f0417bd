//! The container on real objects: those of the corpus, those that clang makes here, and damaged ones.
//! What is missing on this machine shows as ignored tests.

mod btf;
mod clang;
mod corpus;
mod edit;
mod elf;
mod malformed;
mod mutate;
mod readelf;
mod sample;
mod tools;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let corpus = corpus::corpus();
    let (no_corpus, no_readelf) = (corpus.is_empty(), tools::tool("llvm-readelf").is_none());
    let mut trials = Vec::new();
    for (name, path) in &corpus {
        let refused = elf::REFUSED.iter().find(|(refused, _)| refused == name);
        let (one, other) = (path.clone(), path.clone());
        trials.push(match refused {
            Some((_, message)) => Trial::test(format!("refused/{name}"), move || {
                elf::refused(&one, message)
            }),
            None => Trial::test(format!("elf/{name}"), move || {
                elf::same(&std::fs::read(&one)?)
            }),
        });
        let btf = move || btf::round_trip(&std::fs::read(&other)?);
        trials.push(Trial::test(format!("btf/{name}"), btf));
    }
    let damaged = corpus.clone();
    trials.push(
        Trial::test("mutate/corpus", move || mutate::corpus(&damaged)).with_ignored_flag(no_corpus),
    );
    trials.push(
        Trial::test("readelf/corpus", move || readelf::agrees(&corpus))
            .with_ignored_flag(no_corpus || no_readelf),
    );
    trials.extend(clang::trials());
    trials.extend(edit::trials());
    trials.extend(malformed::trials());
    trials.push(Trial::test("mutate/own", mutate::own));
    libtest_mimic::run(&arguments, trials).exit();
}
