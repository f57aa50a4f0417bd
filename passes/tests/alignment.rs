//! What `strict_align` keeps apart.

use bpf::diagnostic::FileId;
use mir::Func;
use passes::{Pipeline, PipelineOptions, Session, Target};

const COPY: &str = r#"
module little

function fn0 "copy" section "xdp" global params 1 {
block0(v0: i64):
    v1 = load.u32 v0
    v2 = load.u16 v1+6
    store.u16 v1, v2
    v3 = load.u16 v1+8
    store.u16 v1+2, v3
    v4 = iconst.i64 2
    return v4
}
"#;

fn changes(strict_align: bool) -> bool {
    let mut module = mir::parse::module(FileId(0), COPY).expect("the text is right");
    let options = PipelineOptions {
        passes: Some(vec!["memcpy".to_owned()]),
        target: Target {
            strict_align,
            ..Target::default()
        },
        ..PipelineOptions::default()
    };
    let pipeline = Pipeline::build(&options).expect("the name is right");
    let stats = pipeline.run_function(&mut module, Func::from_u32(0), &mut Session::new());
    stats.changed()
}

#[test]
fn packets_are_accessed_unaligned_only_where_the_target_can() {
    assert!(changes(false));
    assert!(!changes(true));
}
