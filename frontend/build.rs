//! Turns `src/asm/grammar.lalrpop` into a parser.

fn main() {
    println!("cargo::rerun-if-changed=src/asm/grammar.lalrpop");
    if let Err(error) = lalrpop::Configuration::new()
        .emit_rerun_directives(true)
        .use_cargo_dir_conventions()
        .process()
    {
        println!("cargo::error=the grammar does not compile: {error}");
    }
}
