//! bpfmill
fn main() {}
