//! The command line as scripts use it: exit codes, streams, files, and the shape of JSON.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const FILTER: &str = "testsuite/programs/drop_udp.s";
const BALANCER: &str = "testsuite/programs/v3/xdp_balancer.o";
/// What a second round makes shorter.
const VLAN: &str = "testsuite/programs/v3/xdp_vlan.o";

fn bpfmill(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bpfmill"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    child.wait_with_output().expect("the binary ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("this is JSON")
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("bpfmill-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Folder(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn assembly_becomes_an_object_on_the_standard_output() {
    let output = bpfmill(&["asm", "-", "-o", "-"], b"r0 = 2\nexit\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let object = bpf::elf::read(&output.stdout).unwrap();
    let section = object.section_by_name(".text").unwrap();
    assert_eq!(object.data(section).len(), 16);
}

#[test]
fn wrong_assembly_is_refused_and_the_old_output_stays() {
    let folder = Folder::new("refused");
    let output_file = folder.file("out.o");
    std::fs::write(&output_file, b"good").unwrap();
    let output = bpfmill(
        &["asm", "-", "-o", &output_file],
        b"r0 = 2\nr12 = 1\nexti\n",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let shown = text(&output.stderr);
    assert_eq!(shown.matches("error").count(), 2, "{shown}");
    assert!(shown.contains("<stdin>:2:1"), "{shown}");
    assert_eq!(std::fs::read(&output_file).unwrap(), b"good");
}

#[test]
fn diagnostics_as_json_have_byte_offsets() {
    let output = bpfmill(
        &["--error-format=json", "asm", "-", "-o", "-"],
        b"r0 = 2\nexti\n",
    );
    assert_eq!(output.status.code(), Some(1));
    let value = json(&output.stderr);
    assert_eq!(value["severity"], "error");
    assert_eq!(value["labels"][0]["start"], 7);
    assert_eq!(value["labels"][0]["line"], 2);
}

#[test]
fn suggestions_as_json_can_be_applied() {
    let wrong = "r2 = 0\nw1 = *(u64 *)(r2 + 0)\nexit\n";
    let arguments = ["--error-format=json", "asm", "-", "-o", "-"];
    let output = bpfmill(&arguments, wrong.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let value = json(&output.stderr);
    let edits = value["suggestions"][0]["edits"].as_array().unwrap();
    let mut mended = wrong.to_owned();
    // From the last to the first, so that offsets stay what they are.
    for edit in edits.iter().rev() {
        assert_eq!(edit["file"], "<stdin>");
        let place = |field: &str| edit[field].as_u64().unwrap() as usize;
        let replacement = edit["replacement"].as_str().unwrap();
        mended.replace_range(place("start")..place("end"), replacement);
    }
    assert_eq!(mended, wrong.replace("w1", "r1"));
    let output = bpfmill(&arguments, mended.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn bad_usage_and_missing_files_exit_with_2() {
    let missing = bpfmill(&["build", "no/such/file.o"], b"");
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("no/such/file.o"));
    assert_eq!(
        bpfmill(&["build", BALANCER, "-O", "7"], b"").status.code(),
        Some(2)
    );
    let unknown = bpfmill(&["build", BALANCER, "--disable", "gnv"], b"");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("promote-stack"),
        "the passes are listed"
    );
    assert_eq!(
        bpfmill(&["build", BALANCER, "--prog", "nobody"], b"")
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_broken_container_is_refused_with_its_place() {
    let bytes = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(BALANCER)).unwrap();
    let output = bpfmill(&["build", "-"], &bytes[..bytes.len() / 2]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!text(&output.stderr).contains("panicked"));
}

#[test]
fn statistics_have_the_promised_shape_and_nothing_grows() {
    let output = bpfmill(&["build", BALANCER, "--stats=json"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stats = json(&output.stdout);
    assert_eq!(stats["target"], "host");
    assert_eq!(stats["level"], "2");
    let program = &stats["programs"][0];
    assert_eq!(program["name"], "balance");
    assert_eq!(program["type"], "xdp");
    let slots = |field: &str| program[field].as_u64().unwrap();
    assert!(slots("insns_after") < slots("insns_before"));
    assert!(program["kept_input"].is_null());
    assert_eq!(program["verdict_before"], "accepted");
    assert_eq!(program["verdict_after"], "accepted");
    assert_eq!(program["passes"][0]["name"], "decided-branch");
    assert!(program["passes"][0]["micros"].is_u64());
}

#[test]
fn bisection_runs_the_first_applications_only() {
    let none = bpfmill(
        &["build", BALANCER, "--opt-bisect-limit=0", "--stats=json"],
        b"",
    );
    let shown = text(&none.stderr);
    assert!(
        shown.contains("BISECT: NOT running pass (1) decided-branch on function balance"),
        "{shown}"
    );
    assert!(!shown.contains("BISECT: running"));
    let two = bpfmill(&["build", BALANCER, "--opt-bisect-limit=2"], b"");
    assert_eq!(text(&two.stderr).matches("BISECT: running").count(), 2);
}

/// The applications of a compilation for size go on in its second round, and all of them together give
/// what is compiled without counting.
#[test]
fn bisection_covers_both_rounds() {
    let count = |limit: &str| {
        let built = bpfmill(
            &[
                "build",
                VLAN,
                "-O",
                "s",
                "--opt-bisect-limit",
                limit,
                "-o",
                "-",
            ],
            b"",
        );
        let shown = text(&built.stderr);
        (built.stdout, shown)
    };
    let (all, shown) = count("-1");
    let first = shown.matches("decided-branch").count();
    assert_eq!(first, 2, "one for each round: {shown}");
    let last = shown.lines().count();
    assert!(
        shown.contains(&format!("BISECT: running pass ({last}) ")),
        "{shown}"
    );
    let counted = bpfmill(&["build", VLAN, "-O", "s", "-o", "-"], b"");
    assert!(
        all == counted.stdout,
        "the last gives what is compiled without counting"
    );
    let (before, shown) = count(&(last - 1).to_string());
    assert!(
        shown.contains(&format!("NOT running pass ({last}) ")),
        "{shown}"
    );
    assert_eq!(shown.matches("NOT running").count(), 1);
    assert!(!before.is_empty());
}

#[test]
fn bisect_finds_a_pass_of_the_second_round() {
    let binary = env!("CARGO_BIN_EXE_bpfmill");
    let folder = Folder::new("rounds");
    let object = folder.0.join("object.o");
    let object = object.to_str().unwrap();
    let lines = |limit: &str| {
        let limits = ["--no-verify", "--opt-bisect-limit", limit];
        let mut arguments = vec!["build", VLAN, "-O", "s", "-o", object];
        arguments.extend_from_slice(&limits);
        let shown = text(&bpfmill(&arguments, b"").stderr);
        let code = bpfmill(&["dis", object], b"").stdout;
        (text(&code).lines().count(), shown.lines().count())
    };
    let (shortest, applications) = lines("-1");
    let one_round = applications / 2;
    let first_round = lines(&one_round.to_string()).0;
    let begun = lines(&(one_round + 1).to_string()).0;
    assert!(
        shortest < begun && begun < first_round,
        "{shortest} {begun} {first_round}"
    );
    // Without any pass it is shorter than with the first few.
    let without = lines("0").0;
    let bisect = |least: usize| {
        let is_longer = format!(
            "f() {{ n=$({binary} dis $1 | wc -l); test $n -ge {least} -o $n -eq {without}; }}; f"
        );
        bpfmill(&["bisect", VLAN, "-O", "s", "--test", &is_longer], b"")
    };
    let found = bisect(begun);
    let shown = text(&found.stdout);
    let number = shown.strip_prefix("application ");
    let number = number.and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
    assert!(
        number.unwrap_or(0) > one_round + 1,
        "{shown}{}",
        text(&found.stderr)
    );
    assert!(shown.contains("\n-"), "with what it changed: {shown}");
    // What emitting the same once more does is no pass's doing.
    let found = bisect(first_round);
    assert_eq!(found.status.code(), Some(2));
    assert!(text(&found.stderr).contains("lifted and emitted again"));
}

#[test]
fn a_pass_can_be_switched_off_for_one_function() {
    let with = |extra: &[&str]| {
        let mut arguments = vec!["build", BALANCER, "--stats=json"];
        arguments.extend_from_slice(extra);
        let stats = json(&bpfmill(&arguments, b"").stdout);
        let passes = stats["programs"][0]["passes"].as_array().unwrap().clone();
        passes.iter().filter(|pass| pass["name"] == "gvn").count()
    };
    assert_eq!(with(&[]), 2);
    assert_eq!(with(&["--disable", "gvn@balance"]), 0);
    assert_eq!(with(&["--disable", "gvn@prog:balance"]), 0);
    assert_eq!(with(&["--passes", "dce", "--enable", "gvn"]), 1);
}

#[test]
fn remarks_have_source_lines() {
    let output = bpfmill(&["build", BALANCER, "--remarks"], b"");
    let shown = text(&output.stderr);
    let remark = "remark: replaced a computation by an equal earlier one [gvn]";
    let line = shown.lines().find(|line| line.ends_with(remark)).unwrap();
    assert!(line.contains("xdp_balancer.c:"), "{line}");
    let output = bpfmill(&["build", BALANCER, "--remarks=json"], b"");
    for line in text(&output.stderr).lines() {
        let remark: Value = serde_json::from_str(line).unwrap();
        assert!(remark["message"].is_string());
    }
}

#[test]
fn mir_goes_in_and_out() {
    let first = bpfmill(&["build", FILTER, "--emit", "mir", "-O", "0"], b"");
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let again = bpfmill(&["build", "-", "-O", "0"], &first.stdout);
    assert_eq!(text(&again.stdout), text(&first.stdout));
    let object = bpfmill(&["build", "-", "--emit", "obj", "-o", "-"], &first.stdout);
    assert_eq!(object.status.code(), Some(0), "{}", text(&object.stderr));
    assert!(bpf::elf::read(&object.stdout).is_ok());
}

#[test]
fn emitted_assembly_assembles_to_the_emitted_code() {
    for file in [FILTER, BALANCER, "testsuite/programs/v3/subprograms.o"] {
        let object = bpfmill(&["build", file, "-o", "-"], b"");
        let assembly = bpfmill(&["build", file, "--emit", "asm"], b"");
        let again = bpfmill(&["asm", "-", "-o", "-"], &assembly.stdout);
        assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
        let object = bpf::elf::read(&object.stdout).unwrap();
        let again = bpf::elf::read(&again.stdout).unwrap();
        let code = object.section_ids().filter(|&id| object.is_executable(id));
        for section in code.filter_map(|id| object.section(id)) {
            let other = again.section_by_name(&section.name).unwrap();
            assert_eq!(again.data(other), section.data(), "{file} {}", section.name);
        }
    }
}

#[test]
fn the_listing_names_functions_and_relocations() {
    let output = bpfmill(&["dis", "testsuite/programs/v3/subprograms.o"], b"");
    let shown = text(&output.stdout);
    assert!(shown.contains("Disassembly of section .text:"), "{shown}");
    assert!(shown.contains("R_BPF_64_32"), "{shown}");
    let output = bpfmill(&["dis", "--json", "--section", "xdp", BALANCER], b"");
    assert_eq!(json(&output.stdout)["functions"][0]["name"], "balance");
}

#[test]
fn a_reader_that_goes_is_no_failure_and_a_full_disk_is() {
    // More than a pipe or our buffer holds, so that a write fails in the middle.
    let code = "r0 = 2\n".repeat(5000);
    let listed = |stdout: Stdio| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bpfmill"))
            .args(["dis", "--json", "-"])
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // Of a pipe, the end that is read.
        drop(child.stdout.take());
        let _ = child
            .stdin
            .take()
            .map(|mut stdin| stdin.write_all(code.as_bytes()));
        let output = child.wait_with_output().expect("the binary ends");
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(listed(Stdio::piped()), (Some(0), String::new()));
    if let Ok(full) = std::fs::File::options().write(true).open("/dev/full") {
        let (status, told) = listed(full.into());
        assert_eq!(status, Some(2), "{told}");
        assert!(told.starts_with("error: -: "), "{told}");
    }
}

#[test]
fn words_run_on_the_simulated_card() {
    let folder = Folder::new("nfp-run");
    let words = "testsuite/filetests/nfp-run/drop_udp.words";
    let udp = "0202020202020101010101010800450000\
               1c000040004011f96c0a0000010a0000021111222200080000";
    let capture = folder.file("out.pcap");
    let card = ["run", "--target", "nfp", "--words", words, "--json"];
    let mut arguments = card.to_vec();
    arguments.extend(["--packet", udp, "--packet", "0102", "-w", &capture]);
    let output = bpfmill(&arguments, b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| json(line.as_bytes()))
        .collect();
    assert_eq!(lines[0]["action"], "drop");
    assert_eq!(lines[0]["counter"], "drop");
    assert_eq!(lines[0]["packet_out"], udp);
    assert!(lines[0]["cycles"]["latency"].as_u64() > lines[0]["cycles"]["issue"].as_u64());
    assert_eq!(lines[1]["action"], "pass");
    // Only what goes on is captured.
    let output = bpfmill(&["run", FILTER, "--packet", &capture, "--json"], b"");
    assert_eq!(json(&output.stdout)["packet_out"], "0102");

    let code = |arguments: &[&str]| bpfmill(arguments, b"").status.code();
    assert_eq!(code(&["run", "--words", words]), Some(2));
    assert_eq!(code(&["run", FILTER, "-w", &capture]), Some(2));
    assert_eq!(code(&["run", "--target", "nfp"]), Some(2));
    assert_eq!(code(&["run", FILTER, "--profile"]), Some(2));
    assert_eq!(
        code(&["run", "--target", "nfp", "--words", FILTER]),
        Some(1)
    );
    let mut both = card.to_vec();
    both.push("-O2");
    assert_eq!(code(&both), Some(2));
}

#[test]
fn programs_run_on_the_simulated_card() {
    let folder = Folder::new("nfp-program");
    let capture = folder.file("out.pcap");
    let counts = "testsuite/filetests/nfp-programs/counters.s";
    let frame = "0202020202020101010101010800450000\
                 1c000040004011f96c0a0000010a0000021111222200080000";
    let card = ["run", "--target", "nfp", counts, "--packet", frame];
    let filled = "values=testsuite/filetests/nfp-programs/counts.json";
    let mut arguments = card.to_vec();
    arguments.extend(["--packet", "0102", "--map", filled]);
    arguments.extend(["--json", "--profile", "-w", &capture]);
    let output = bpfmill(&arguments, b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| json(line.as_bytes()))
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["action"], "drop");
    assert_eq!(lines[0]["maps"]["values"][1]["value"][8], "0x2a");
    assert_eq!(lines[2]["summary"]["packets"], 2);
    let cycles = |line: &Value, what: &str| line["cycles"][what].as_u64().unwrap();
    for what in ["latency", "issue"] {
        let both = cycles(&lines[0], what) + cycles(&lines[1], what);
        let mean = lines[2]["summary"]["mean"][what].as_f64();
        assert_eq!(mean, Some(both as f64 / 2.0));
        let costs = lines[3]["profile"].as_array().unwrap().iter();
        let costs: u64 = costs.map(|line| line[what].as_u64().unwrap()).sum();
        assert_eq!(costs, both, "{what}");
    }
    let output = bpfmill(&["run", FILTER, "--packet", &capture, "--json"], b"");
    assert_eq!(json(&output.stdout)["packet_out"], "0102");

    let output = bpfmill(&card, b"");
    assert!(text(&output.stdout).contains("map values\n"));
    let code = |arguments: &[&str]| bpfmill(arguments, b"").status.code();
    assert_eq!(code(&["run", "--target", "nfp", BALANCER]), Some(1));
    let mut missing = card.to_vec();
    missing.extend(["--map", "nothing=x.json"]);
    assert_eq!(code(&missing), Some(2));
}

#[test]
fn programs_run_on_packets() {
    let udp = "ffffffffffff0000000000000800450000200000000040110000\
               0a0000010a00000200350035000c0000000000000000";
    for level in [None, Some("0"), Some("2")] {
        let mut arguments = vec!["run", FILTER, "--packet", udp, "--json"];
        if let Some(level) = level {
            arguments.extend(["-O", level]);
        }
        let output = bpfmill(&arguments, b"");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let result = json(&output.stdout);
        assert_eq!(result["r0"], 1, "XDP_DROP");
        assert_eq!(result["packet_out"], udp);
        assert!(result["steps"].as_u64().unwrap() > 3);
    }
}

#[test]
fn conformance_programs_come_on_the_standard_input() {
    let program = b"b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00";
    for arguments in [
        &["run", "--conformance"][..],
        &["run", "--conformance", "-O", "2"],
        &["run", "--conformance", "--target", "nfp"],
        &["run", "--conformance", "--target", "nfp", "-O0", "11223344"],
    ] {
        let output = bpfmill(arguments, program);
        assert_eq!(text(&output.stdout), "2a\n", "{}", text(&output.stderr));
    }
    let exchange = b"b7 00 00 00 01 00 00 00 db 0a f8 ff e1 00 00 00 95 00 00 00 00 00 00 00";
    let output = bpfmill(&["run", "--conformance", "--target", "nfp"], exchange);
    assert_eq!(output.status.code(), Some(77));
    assert!(text(&output.stderr).contains("atomic operation"));
}

#[test]
fn passes_and_objects_are_listed() {
    let list = json(&bpfmill(&["passes", "--json"], b"").stdout);
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .any(|pass| pass["name"] == "narrow32")
    );
    let shown = json(&bpfmill(&["show", "--json", BALANCER], b"").stdout);
    assert_eq!(shown["programs"][0]["type"], "xdp");
    assert_eq!(shown["maps"].as_array().unwrap().len(), 4);
}

const UNBOUNDED: &[u8] = b"\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
    r2 = *(u32 *)(r1 + 0)\n r3 = *(u32 *)(r1 + 4)\n r4 = r2\n r4 += 4\n if r4 > r3 goto out\n\
    r0 = *(u64 *)(r2 + 0)\n exit\nout:\n r0 = 2\n exit\n";

#[test]
fn a_program_is_checked_and_the_rejection_says_what_to_do() {
    let accepted = bpfmill(&["check", BALANCER], b"");
    assert_eq!(
        accepted.status.code(),
        Some(0),
        "{}",
        text(&accepted.stderr)
    );
    assert!(text(&accepted.stdout).contains("`balance` (xdp, section xdp): accepted"));
    let rejected = bpfmill(&["check", "-"], UNBOUNDED);
    assert_eq!(rejected.status.code(), Some(1));
    let shown = text(&rejected.stdout);
    for part in [
        "error[packet-bounds]: Verification failed: Memory Safety: ",
        "Kernel: invalid access to packet",
        "^^^^^^^^^^^^^^^^^^^^^ r2 is pkt (checked to 4); this reads 8 bytes at r2+0",
        "Reason: the comparisons on this path show the first 4 bytes",
        "Suggestion: leave when data plus 8 is greater",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    let value = json(&bpfmill(&["check", "-", "--json"], UNBOUNDED).stdout);
    assert_eq!(value["verdict"], "rejected");
    assert_eq!(value["finding"]["code"], "packet-bounds");
    assert_eq!(value["finding"]["at"]["insn"], 5);
}

#[test]
fn obstacles_on_the_way_to_a_card_are_listed() {
    let fine = bpfmill(&["check", "--target", "nfp", FILTER], b"");
    assert_eq!(fine.status.code(), Some(0), "{}", text(&fine.stdout));
    let rejected = bpfmill(&["check", "--target", "nfp", BALANCER], b"");
    assert_eq!(rejected.status.code(), Some(1));
    assert!(text(&rejected.stdout).contains("Remedy: "));
    let whole = json(&bpfmill(&["check", "--target", "nfp", "--json", BALANCER], b"").stdout);
    assert_eq!(whole["verdict"], "rejected");
    let obstacles = whole["obstacles"].as_array().expect("a list");
    assert!(obstacles.iter().all(|one| one["at"].is_array()));
    let apart = ["check", "--target", "nfp", "--error-format=json", BALANCER];
    let apart = bpfmill(&apart, b"");
    assert_eq!(text(&apart.stdout).lines().count(), 1);
    let errors = text(&apart.stderr);
    let errors: Vec<Value> = errors.lines().map(|line| json(line.as_bytes())).collect();
    assert_eq!(errors.len(), obstacles.len());
    assert!(errors.iter().all(|one| one["labels"][0]["line"].is_u64()));
    let undecided = "testsuite/programs/v3/kernel_functions.o";
    let undecided = bpfmill(&["check", "--target", "nfp", undecided], b"");
    assert_eq!(undecided.status.code(), Some(1));
}

#[test]
fn a_capability_file_is_read_and_its_mistakes_are_shown() {
    let folder = Folder::new("capabilities");
    let file = folder.file("card.json");
    let check = |text: &str| {
        std::fs::write(&file, text).expect("the file can be written");
        bpfmill(
            &["check", "--target", "nfp", "--nfp-caps", &file, FILTER],
            b"",
        )
    };
    assert_eq!(check("{\"code\": {\"size\": 20}}").status.code(), Some(1));
    let wrong = check("{\n  \"stak\": 512\n}");
    assert_eq!(wrong.status.code(), Some(1));
    let message = text(&wrong.stderr);
    assert!(message.contains("there is no field `stak`") && message.contains("card.json:2:3"));
    let example = "examples/nfp/open-firmware.json";
    let usual = bpfmill(
        &["check", "--target", "nfp", "--nfp-caps", example, FILTER],
        b"",
    );
    assert_eq!(usual.status.code(), Some(0));
    for usage in [
        &["check", "--nfp-caps", example, FILTER][..],
        &["check", "--target", "nfp", "--facts", FILTER],
        &[
            "check",
            "--target",
            "nfp",
            "--nfp-caps",
            "absent.json",
            FILTER,
        ],
    ] {
        assert_eq!(bpfmill(usage, b"").status.code(), Some(2), "{usage:?}");
    }
}

#[test]
fn errors_are_explained_and_listed() {
    let list = bpfmill(&["explain"], b"");
    assert_eq!(list.status.code(), Some(0), "{}", text(&list.stderr));
    let shown = text(&list.stdout);
    assert!(shown.starts_with("Register Type Safety\n"), "{shown}");
    assert!(shown.contains("\n\nMemory Safety\n    null-dereference "));
    let list = json(&bpfmill(&["explain", "--json"], b"").stdout);
    let codes = list.as_array().unwrap();
    assert!(codes.iter().all(|one| one["title"].is_string()));
    assert_eq!(codes.len(), shown.matches("\n    ").count());

    let page = bpfmill(&["explain", "packet-bounds"], b"");
    assert_eq!(page.status.code(), Some(0), "{}", text(&page.stderr));
    let shown = text(&page.stdout);
    for part in [
        "packet-bounds: packet may be too short for the access\nMemory Safety\n",
        "\n    R2 offset is outside of the packet\n",
        "\nExample\n",
        "\nRepair\n",
        "\n    prog:\n",
    ] {
        assert!(shown.contains(part), "{shown}");
    }
    let page = json(&bpfmill(&["explain", "packet-bounds", "--json"], b"").stdout);
    assert_eq!(page["category"], "Memory Safety");
    let example = page["example"]["program"].as_str().unwrap();
    let checked = json(&bpfmill(&["check", "-", "--json"], example.as_bytes()).stdout);
    assert_eq!(checked["finding"]["code"], page["code"]);
    let said = checked["finding"]["kernel_text"].as_str().unwrap();
    assert_eq!(page["kernel_texts"][0], said.lines().next().unwrap());

    let unknown = bpfmill(&["explain", "packet-bound"], b"");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(unknown.stdout.is_empty());
    assert!(text(&unknown.stderr).contains("did you mean `packet-bounds`?"));
}

#[test]
fn an_old_kernel_lacks_new_helpers() {
    let program = b"\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
        call 208\n r0 = 2\n exit\n";
    let new = bpfmill(&["check", "-"], program);
    assert_eq!(new.status.code(), Some(0), "{}", text(&new.stdout));
    let old = bpfmill(&["check", "-", "--kernel", "5.10"], program);
    assert_eq!(old.status.code(), Some(1), "{}", text(&old.stdout));
}

const TWO_MASKS: &[u8] = b"\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
    r0 = *(u32 *)(r1 + 16)\n r0 &= 255\n r0 &= 1\n exit\n";

#[test]
fn bisect_names_the_pass_after_which_a_test_fails() {
    let binary = env!("CARGO_BIN_EXE_bpfmill");
    let two_masks = format!("f() {{ test 2 -eq $({binary} dis $1 | grep -c '&='); }}; f");
    let found = bpfmill(&["bisect", "-", "--test", &two_masks], TWO_MASKS);
    let shown = text(&found.stdout);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    assert!(shown.contains("simplify on function f"), "{shown}");
    assert!(shown.contains("-    v2 = iconst.i64 255"), "{shown}");
    for (test, complaint) in [
        ("true", "nothing to find"),
        ("false", "fails without any pass"),
        ("nonesuch-command", "cannot be run"),
    ] {
        let none = bpfmill(&["bisect", "-", "--test", test], TWO_MASKS);
        assert_eq!(none.status.code(), Some(2));
        assert!(
            text(&none.stderr).contains(complaint),
            "{}",
            text(&none.stderr)
        );
    }
}

#[test]
fn a_file_of_settings_switches_passes_in_a_function_or_a_program() {
    let folder = Folder::new("settings");
    let file = folder.0.join("bpfmill.toml");
    let path = file.to_str().unwrap();
    let masks = |settings: &str| {
        std::fs::write(&file, settings).unwrap();
        let built = bpfmill(
            &["build", "-", "--emit", "asm", "--config", path],
            TWO_MASKS,
        );
        assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
        text(&built.stdout).matches("&=").count()
    };
    assert_eq!(masks(""), 1);
    assert_eq!(masks("disable = ['simplify', 'narrow32']"), 2);
    assert_eq!(masks("level = '0'"), 2);
    assert_eq!(masks("[function.f]\ndisable = ['simplify', 'narrow32']"), 2);
    assert_eq!(masks("[program.f]\ndisable = ['simplify', 'narrow32']"), 2);
    std::fs::write(&file, "[function.f]\ndisabled = []\n").unwrap();
    let wrong = bpfmill(&["build", "-", "--config", path], TWO_MASKS);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong.stderr).contains("bpfmill.toml:2:1"),
        "{}",
        text(&wrong.stderr)
    );
    let nobody = bpfmill(&["build", "-", "--disable", "dce@g"], TWO_MASKS);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody.stderr).contains("there is no function `g`"));
}

#[test]
fn facts_explanations_and_costs_are_printed() {
    let facts = text(&bpfmill(&["check", "-", "--facts"], UNBOUNDED).stdout);
    assert!(facts.contains("r2=pkt (checked to 4)"), "{facts}");
    assert!(
        facts.contains("never walked") || facts.contains("exit"),
        "{facts}"
    );
    let why = text(&bpfmill(&["check", "-", "--explain-at", "4"], UNBOUNDED).stdout);
    assert!(why.contains("r4 = pkt+4 (checked to 0)"), "{why}");
    assert!(why.contains("2: r4 = r2"), "{why}");
    let by_line = text(&bpfmill(&["check", "-", "--explain-at", ":9"], UNBOUNDED).stdout);
    assert!(by_line.contains("4: if r4 > r3"), "{by_line}");
    let nowhere = bpfmill(&["check", "-", "--explain-at", "99"], UNBOUNDED);
    assert_eq!(nowhere.status.code(), Some(2));
    let costs = json(&bpfmill(&["check", BALANCER, "--stats=json", "--top", "3"], b"").stdout);
    assert_eq!(costs["lines"].as_array().unwrap().len(), 3);
    assert_eq!(
        costs["deepest_chain"]["bytes"],
        costs["functions"][0]["stack"]
    );
}

#[test]
fn a_refusal_of_the_first_instruction_is_shown_over_the_disassembly() {
    let folder = Folder::new("listing");
    let object = folder.0.join("first.o");
    let path = object.to_str().unwrap();
    let text_of = b"\t.section xdp,\"ax\",@progbits\n\t.globl f\n\t.type f,@function\nf:\n\
        r0 = r2\n exit\n";
    let assembled = bpfmill(&["asm", "-", "-o", path], text_of);
    assert_eq!(
        assembled.status.code(),
        Some(0),
        "{}",
        text(&assembled.stderr)
    );
    let checked = bpfmill(&["check", path], b"");
    assert_eq!(checked.status.code(), Some(1), "{}", text(&checked.stderr));
    let shown = text(&checked.stdout);
    assert!(shown.contains("f (disassembly):1:7"), "{shown}");
    assert!(shown.contains("   0: r0 = r2"), "{shown}");
}
