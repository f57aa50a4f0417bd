//! `bpfmill test`: what it prints, writes and exits with; and that `docs/testing.md` shows it.
//!
//! `BPFMILL_BLESS=1` renews the page's blocks.

use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = "docs/testing.md";
const EXAMPLE: &str = "examples/testing";
const FAILING: &str = "testsuite/test_command";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A copy of a folder of tests, below a working directory that goes away with it.
struct Copy(PathBuf);

impl Copy {
    fn of(folder: &str, name: &str) -> Copy {
        let name = format!("bpfmill-test-{name}-{}", std::process::id());
        let copy = Copy(std::env::temp_dir().join(name));
        copy_files(&root().join(folder), &copy.0.join(folder));
        copy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = read(&self.path(name));
        assert!(text.contains(from), "{name} has no {from}");
        std::fs::write(self.path(name), text.replace(from, to)).expect("a test can be written");
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("its entries can be read").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy_files(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Exit code and standard output of a command in a folder, and its standard error.
fn bpfmill(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bpfmill"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn the_example_passes() {
    let (code, shown, errors) = bpfmill(&["test", EXAMPLE], root());
    assert_eq!(code, Some(0), "{shown}{errors}");
    assert!(shown.ends_with("4 passed, 0 failed\n"), "{shown}");
}

#[test]
fn each_failure_says_what_is_wrong() {
    let (code, shown, _) = bpfmill(&["test", FAILING], root());
    assert_eq!(code, Some(1), "{shown}");
    let parts = [
        "ok      right.s\n",
        "FAILED  deeper/wrong.s\n",
        "-    v0 = iconst.i64 3\n+    v0 = iconst.i64 2\n",
        "--bless",
        "testsuite/test_command/misspelt.s:1:19",
        "'--disable'",
        "`tset`",
        "did you mean `test:`?",
        "did you mean `build`?",
        "FAILED  bytes.s\ntestsuite/test_command/bytes.s: this is not text: byte 7",
        "FAILED  no_lines.o\n",
        "FAILED  silent.s\nerror: this test does not say what runs",
        "FAILED  refused.s\n`build` failed:\nerror: there is no register `r12`",
        "FAILED  gone.s.snap\nno test asks for this file",
        "1 passed, 7 failed\n",
    ];
    for part in parts {
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
    let (_, coloured, _) = bpfmill(&["--color=always", "test", FAILING], root());
    assert!(
        coloured.contains("\u{1b}[31m-    v0 = iconst.i64 3"),
        "{coloured}"
    );
}

#[test]
fn a_filter_leaves_some_tests() {
    let (code, shown, _) = bpfmill(&["test", FAILING, "--filter", "right"], root());
    assert_eq!(
        (code, shown.as_str()),
        (Some(0), "ok      right.s\n1 passed, 0 failed\n")
    );
    let both = ["test", FAILING, "--filter", "right", "--filter", "silent"];
    let (code, shown, _) = bpfmill(&both, root());
    assert_eq!(code, Some(1));
    assert!(shown.ends_with("1 passed, 1 failed\n"), "{shown}");
}

#[test]
fn folders_without_tests_are_mistakes_of_usage() {
    let cases: [(&[&str], &str); 3] = [
        (&["test", "src"], "there is no test here"),
        (&["test", "no/such/folder"], "no/such/folder"),
        (&["test", FAILING, "--filter", "nobody"], "`nobody`"),
    ];
    for (arguments, message) in cases {
        let (code, shown, errors) = bpfmill(arguments, root());
        assert_eq!(code, Some(2), "{shown}");
        assert!(errors.contains(message), "{errors}");
    }
}

#[test]
fn only_blessing_writes_and_never_after_a_failure() {
    let copy = Copy::of(FAILING, "bless");
    let snapshot = copy.path("testsuite/test_command/right.s.snap");
    let kept = read(&snapshot);
    std::fs::remove_file(&snapshot).expect("it is there");
    let (code, shown, _) = bpfmill(&["test", FAILING, "--filter", "right"], &copy.0);
    assert_eq!(code, Some(1));
    assert!(shown.contains("there is no right.s.snap yet"), "{shown}");
    assert!(!snapshot.exists());
    let (code, shown, _) = bpfmill(&["test", FAILING, "--bless"], &copy.0);
    assert_eq!(code, Some(1), "the others still fail");
    for name in ["right.s", "deeper/wrong.s"] {
        let line = format!("blessed {name}\n        wrote {FAILING}/{name}.snap\n");
        assert!(shown.contains(&line), "{shown}");
    }
    assert!(
        shown.ends_with("2 passed, 6 failed, 2 snapshots written\n"),
        "{shown}"
    );
    assert_eq!(read(&snapshot), kept);
    assert!(!copy.path("testsuite/test_command/refused.s.snap").exists());
    let (code, _, _) = bpfmill(&["test", FAILING, "--filter", "wrong"], &copy.0);
    assert_eq!(code, Some(0));
}

#[test]
fn results_are_written_as_junit_xml() {
    let copy = Copy::of(FAILING, "junit");
    let (code, _, _) = bpfmill(&["test", FAILING, "--junit", "results.xml"], &copy.0);
    assert_eq!(code, Some(1));
    let xml = read(&copy.path("results.xml"));
    let parts = [
        "tests=\"8\"",
        "failures=\"7\"",
        "<testcase name=\"right.s\"",
        "message=\"deeper/wrong.s.snap differs\"",
    ];
    for part in parts {
        assert!(xml.contains(part), "{part} is not in:\n{xml}");
    }
}

#[test]
fn failures_are_json_objects_for_programs() {
    let (_, _, errors) = bpfmill(&["--error-format=json", "test", FAILING], root());
    let values: Vec<serde_json::Value> = errors
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    let misspelt = values
        .iter()
        .find(|value| value["message"] == "there is no directive `tset`")
        .expect("it is told");
    assert_eq!(misspelt["labels"][0]["line"], 3);
}

/// A block of the page between fences, with the comment before it.
#[test]
fn the_page_shows_what_happens() {
    let page = read(&root().join(PAGE));
    let mut renewed = String::new();
    let mut comment = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        renewed.push_str(&format!("{line}\n"));
        if !line.starts_with("```") {
            comment = if line.is_empty() { comment } else { line };
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        renewed.push_str(&shown(comment, &block));
        renewed.push_str("```\n");
        comment = "";
    }
    if std::env::var_os("BPFMILL_BLESS").is_some() {
        std::fs::write(root().join(PAGE), renewed).expect("the page can be written");
    } else {
        let hint = "BPFMILL_BLESS=1 cargo test --test test_command renews docs/testing.md";
        assert_eq!(renewed, page, "{hint}");
    }
}

/// What a block has to show: the beginning of a file, or a command and what it prints.
fn shown(comment: &str, block: &[&str]) -> String {
    let command = block
        .first()
        .and_then(|line| line.strip_prefix("$ bpfmill "));
    let words: Vec<&str> = comment.split_whitespace().collect();
    match (command, &words[..]) {
        (Some(command), _) => {
            let arguments: Vec<&str> = command.split(' ').collect();
            // Blessing writes, so it works on copies.
            let copies = [Copy::of(EXAMPLE, "page"), Copy::of(FAILING, "page")];
            let quoted: Vec<&str> = comment.split('"').collect();
            if let [_, from, _, to, _] = quoted[..] {
                copies[0].edit("examples/testing/drop_udp.s", from, to);
            }
            let (_, printed, errors) = bpfmill(&arguments, &copies[0].0);
            format!("$ bpfmill {command}\n{printed}{errors}")
        }
        (None, ["<!--", "begins", file, "-->"]) => {
            let text = read(&root().join(file));
            let count = if block.is_empty() {
                usize::MAX
            } else {
                block.len()
            };
            text.lines()
                .take(count)
                .map(|line| format!("{line}\n"))
                .collect()
        }
        _ => block.iter().map(|line| format!("{line}\n")).collect(),
    }
}
