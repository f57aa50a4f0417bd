//! `--map-as-data`: what runs before and after do, and what is refused.

use std::path::Path;
use std::process::{Command, Output, Stdio};

const QUOTA: [&str; 2] = [
    "testsuite/programs/v1/xdp_quota.o",
    "testsuite/programs/v3/xdp_quota.o",
];
const BOTH: [&str; 4] = ["--map-as-data", "limits", "--map-as-data", "spent_by_all"];

fn bpfmill(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bpfmill"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Builds into a file of its own, and gives its path.
fn built(name: &str, file: &str, extra: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("map_as_data_{name}.o"));
    let path = path.to_str().expect("the path is text").to_owned();
    let arguments = [&["build", file, "-o", &path], extra].concat();
    let output = bpfmill(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    path
}

/// Runs on packets, a few of which spend more than the first.
fn ran(object: &str) -> String {
    let short = "00".repeat(30);
    let mut ipv4 = "00".repeat(12) + "0800" + "45" + &"00".repeat(60);
    ipv4.push_str("01");
    let arguments = [
        "run", object, "--packet", &short, "--packet", &ipv4, "--packet", &short,
    ];
    let output = bpfmill(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    let results = shown
        .lines()
        .filter(|line| line.starts_with("r0") || line.starts_with("packet"));
    results.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_map_becomes_a_section_and_the_program_does_the_same() {
    for (version, file) in QUOTA.iter().enumerate() {
        for level in ["0", "2", "s"] {
            let name = format!("{version}_{level}");
            let before = built(&format!("before_{name}"), file, &["-O", level]);
            let after = built(
                &format!("after_{name}"),
                file,
                &[&["-O", level], &BOTH[..]].concat(),
            );
            assert!(ran(&before).contains("r0: "), "something runs");
            assert_eq!(ran(&before), ran(&after), "{file} -O {level}");
            let code = |path: &str| text(&bpfmill(&["dis", path]).stdout);
            let lookups = |path: &str| code(path).matches("call 0x1").count();
            assert_eq!(
                (lookups(&before), lookups(&after)),
                (3, 1),
                "{}",
                code(&after)
            );
            let maps = text(&bpfmill(&["show", &after]).stdout);
            assert!(
                maps.contains(".data.limits") && maps.contains(".data.spent_by_all"),
                "{maps}"
            );
            assert!(maps.contains("name senders"), "the other stays: {maps}");
        }
        let slots = |extra: &[&str]| {
            let arguments = [&["build", file, "-O", "2", "--stats=json"], extra].concat();
            let stats: serde_json::Value =
                serde_json::from_slice(&bpfmill(&arguments).stdout).unwrap();
            stats["programs"][0]["insns_after"].as_u64().unwrap()
        };
        assert!(
            slots(&BOTH) + 10 < slots(&[]),
            "keys, look-ups and checks go"
        );
    }
}

#[test]
fn what_is_no_single_plain_element_is_refused() {
    let programs = "testsuite/programs/v3";
    for (file, map, why) in [
        (
            "xdp_quota",
            "limit",
            "there is no map `limit`; the maps are limits, spent_by_all, senders",
        ),
        ("xdp_quota", "senders", "it is no array"),
        ("xdp_ttl", "expired", "it has 2 elements"),
        (
            "xdp_counter",
            "counts",
            "each processor has an element of its own",
        ),
        (
            "cgroup_budget",
            "budgets",
            "its value has a `bpf_spin_lock`",
        ),
    ] {
        let path = format!("{programs}/{file}.o");
        let output = bpfmill(&["build", &path, "--map-as-data", map]);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(shown.contains(why), "{shown}");
    }
}

/// A legacy map of one element, and a program that does something with its address.
fn with_use(code: &str) -> String {
    format!(
        "\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n{code}\
         \t.size f, .-f\n\t.section maps,\"aw\",@progbits\n\t.globl m\n\t.type m,@object\nm:\n\
         \t.long 2, 4, 8, 1, 0\n\t.size m, 20\n\t.globl n\n\t.type n,@object\nn:\n\
         \t.long 2, 4, 8, 5, 0\n\t.size n, 20\n"
    )
}

const LOOKUP: &str = " r2 = 0\n *(u32 *)(r10 - 4) = r2\n r2 = r10\n r2 += -4\n r1 = m ll\n call 1\n\
     if r0 == 0 goto out\n r0 = *(u64 *)(r0 + 0)\n r0 &= 1\nout:\n exit\n";

#[test]
fn other_uses_are_refused_where_they_stand() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("map_as_data_use.s");
    let path = path.to_str().unwrap();
    let build = |code: &str| {
        std::fs::write(path, with_use(code)).unwrap();
        bpfmill(&["build", path, "--map-as-data", "m", "--emit", "asm"])
    };
    for (code, why) in [
        (
            LOOKUP.replace("r2 = 0\n", "r2 = 1\n"),
            "f+6 looks it up by a key that is not known to be 0",
        ),
        (
            LOOKUP.replace(" r1 = m ll\n call 1\n", " r1 = m ll\n call 3\n"),
            "f+6 gives it to `map_delete_elem`",
        ),
        (
            " r1 = m ll\n *(u64 *)(r10 - 8) = r1\n r0 = 0\n exit\n".to_owned(),
            "f+2 uses its address for something else",
        ),
    ] {
        let output = build(&code);
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(shown.contains(why), "{shown}");
    }
    let output = build(LOOKUP);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // The other record moved to the start of its section, and neither look-up nor check is left.
    assert!(
        shown.contains(".data.m") && !shown.contains("call") && !shown.contains("if "),
        "{shown}"
    );
    assert!(
        shown.contains("n:") && !shown.contains(".long\t2, 4, 8, 1"),
        "{shown}"
    );
}
