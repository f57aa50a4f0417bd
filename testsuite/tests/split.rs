//! `build --target nfp --split` as scripts use it: files, exit codes, what is said.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const HALVES: &str = "testsuite/split/halves.o";
/// Has no program for the card.
const HOST_ONLY: &str = "testsuite/programs/v3/xdp_tail.o";
/// Has nothing else.
const CARD_ONLY: &str = "testsuite/programs/v3/xdp_ttl.o";

fn split(object: &str, card: &Path, host: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bpfmill"))
        .args(["build", "--target", "nfp", object, "-o"])
        .arg(card)
        .arg("--split")
        .arg(host)
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A folder with places for both halves.
fn places(name: &str) -> (Folder, PathBuf, PathBuf) {
    let path = std::env::temp_dir().join(format!("bpfmill-split-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).expect("a folder can be made");
    let (card, host) = (path.join("card.nffw"), path.join("host.o"));
    (Folder(path), card, host)
}

fn names(object: &bpf::object::Object) -> Vec<String> {
    object.functions().into_iter().map(|one| one.name).collect()
}

#[test]
fn programs_go_where_they_can_run() {
    let (_folder, card, host) = places("both");
    let output = split(HALVES, &card, &host, &[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let expected = [
        "`drop_some` (xdp, section xdp): card, ",
        "`remember_time` (xdp, section xdp): host, ",
        "  nfp-helper-not-offered: this firmware does not offer `bpf_ktime_get_ns`",
        "  nfp-helper-not-offered: this firmware does not offer `bpf_map_update_elem`",
        "`count_protocols` (xdp, section xdp): card, ",
        "`switches` (raw_tracepoint, section raw_tp/sched_switch): host, ",
        "  nfp-program-type: the card runs no programs of type raw_tracepoint",
        "map `protocols`: number 2 on the card in emem, and the host's half has one, too",
        "map `sizes`: number 3 on the card in emem",
    ];
    assert_eq!(told.lines().count(), expected.len(), "{told}");
    for (line, expected) in told.lines().zip(expected) {
        assert!(line.starts_with(expected), "{told}");
    }
    let host = bpf::elf::read(&std::fs::read(&host).unwrap()).unwrap();
    // What only a program of the card calls is gone, what others call is not.
    assert_eq!(names(&host), ["fold", "remember_time", "switches"]);
    let card = text(&std::fs::read(&card).unwrap());
    assert!(card.contains("drop_some") && card.contains("count_protocols"));
    assert!(!card.contains("remember_time"));
}

#[test]
fn what_is_said_is_json_on_request() {
    let (_folder, card, host) = places("json");
    for more in [&["--stats=json"][..], &["--error-format=json"]] {
        let output = split(HALVES, &card, &host, more);
        let told = text(&output.stderr);
        let lines: Vec<Value> = told
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect();
        assert_eq!(lines.len(), 6, "{told}");
        assert_eq!(
            (&lines[0]["side"], lines[0]["words"].is_u64()),
            (&"card".into(), true)
        );
        assert_eq!(lines[1]["reasons"][0]["code"], "nfp-helper-not-offered");
        assert!(lines[1]["slots"].is_u64());
        assert_eq!(
            (&lines[4]["number"], &lines[4]["shared"]),
            (&2.into(), &true.into())
        );
        assert_eq!(lines[5]["shared"], false);
    }
}

#[test]
fn nothing_is_written_where_a_step_fails() {
    let (folder, card, host) = places("fails");
    let output = split(HOST_ONLY, &card, &host, &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(
        told.contains("nfp-") && told.contains("no program can be offloaded"),
        "{told}"
    );
    // A place that cannot be written to is found before anything is.
    let output = split(HALVES, &card, folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let output = split(HALVES, &card, &folder.path().join("none/host.o"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn without_programs_the_host_has_maps() {
    let (_folder, card, host) = places("maps");
    let output = split(CARD_ONLY, &card, &host, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let half = bpf::elf::read(&std::fs::read(&host).unwrap()).unwrap();
    assert!(names(&half).is_empty());
}

#[test]
fn one_program_that_is_asked_for_goes_alone() {
    let (_folder, card, host) = places("one");
    let output = split(HALVES, &card, &host, &["--prog", "drop_some"]);
    let told = text(&output.stderr);
    assert!(told.contains("not asked for by --prog"), "{told}");
    let half = bpf::elf::read(&std::fs::read(&host).unwrap()).unwrap();
    assert!(
        names(&half).contains(&"count_protocols".to_owned()),
        "{:?}",
        names(&half)
    );
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let bpfmill = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bpfmill"));
        let output = command
            .args(["build", HALVES])
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        output.expect("the binary runs").status.code()
    };
    for arguments in [
        &["--split", "h.o", "-o", "c"][..],
        &["--target", "nfp", "--split", "h.o"],
        &["--target", "nfp", "--split", "-", "-o", "c"],
        &["--target", "nfp", "--split", "c", "-o", "c"],
        &[
            "--target", "nfp", "--split", "h.o", "-o", "c", "--emit", "asm",
        ],
    ] {
        assert_eq!(bpfmill(arguments), Some(2), "{arguments:?}");
    }
}
