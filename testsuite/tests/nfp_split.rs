//! The host's half of an object: each program of every object is taken out, and those that stay must
//! be the same programs, instruction for instruction, with their maps, lines and types. The linker of
//! the verifier says what they are, which knows nothing of how functions are taken out. With the
//! `kernel` feature, as root, those that the kernel takes before it must take then.

use bpf::object::Object;
use bpf::program_type::ProgramType;
use bpfmill::card::split::host::{SplitError, programs as ids, without};
use testsuite::objects::{TestObject, corpus, programs, root};
use verifier::program::Meaning;
use verifier::{Linker, Options, ProgramId};

/// Programs of an object that are taken out: those of large ones cost their square.
const MOST: usize = 12;

fn objects() -> Vec<TestObject> {
    let mut all = programs();
    all.extend(corpus().into_iter().flatten());
    all.push(TestObject {
        name: "split/halves.o".to_owned(),
        path: root().join("split/halves.o"),
    });
    all
}

/// A program in words: its instructions, what they name, where they come from, and its functions.
fn description(object: &Object, id: &ProgramId) -> Option<Vec<String>> {
    let linker = Linker::new(object).ok()?;
    let options = Options {
        program_type: Some(ProgramType::SocketFilter),
        ..Options::default()
    };
    let program = linker.link(id, &options).ok()?;
    let mut lines = Vec::new();
    for (slot, op) in program.ops.iter().enumerate() {
        let line = linker.line_of(&program, slot);
        // The distance to a function is the relocation's business.
        let insn = match op.meaning {
            Meaning::Function(_) => None,
            _ => Some(&op.insn),
        };
        let (meaning, relocation) = (&op.meaning, op.relocation);
        lines.push(format!("{insn:?} {meaning:?} {relocation:?} {line:?}"));
    }
    for function in &program.subprograms {
        let (name, signature) = (&function.name, &function.signature);
        lines.push(format!("{name} at {}: {signature:?}", function.start));
    }
    let maps = program.maps.iter();
    lines.extend(maps.map(|map| format!("{} {:?}", map.def.name, map.def.kind)));
    Some(lines)
}

/// Objects with several programs, and for each program the half without it.
fn halves(mut each: impl FnMut(&TestObject, &Object, &Object, &ProgramId)) -> (usize, usize) {
    let (mut taken, mut refused) = (0, 0);
    for test in objects() {
        let bytes = std::fs::read(&test.path).expect("an object can be read");
        let Ok(object) = bpf::elf::read(&bytes) else {
            continue;
        };
        let all = ids(&object);
        if all.len() < 2 {
            continue;
        }
        for id in all.iter().take(MOST) {
            match without(&object, std::slice::from_ref(id)) {
                Ok(half) => {
                    taken += 1;
                    each(&test, &object, &half.object, id);
                }
                Err(SplitError::Irregular(_)) => refused += 1,
                Err(error) => panic!("{}: without {id}: {error}", test.name),
            }
        }
    }
    (taken, refused)
}

#[test]
fn programs_that_stay_are_the_same() {
    let (taken, refused) = halves(|test, object, half, id| {
        let name = &test.name;
        let bytes = bpf::elf::write(half).expect("a half can be written");
        let again = bpf::elf::read(&bytes).expect("a half can be read");
        let (before, after) = (ids(object), ids(&again));
        // A program that another calls stays as its function.
        let gone = !after.contains(id);
        let expected: Vec<&ProgramId> = before.iter().filter(|one| !gone || *one != id).collect();
        assert_eq!(
            after.iter().collect::<Vec<_>>(),
            expected,
            "{name}: without {id}"
        );
        for stays in after.iter().take(MOST) {
            let (was, is) = (description(object, stays), description(&again, stays));
            assert!(was == is, "{name}: {stays} without {id}: {was:#?} {is:#?}");
        }
    });
    assert!(
        taken > 20 && refused < taken / 20,
        "{taken} taken out, {refused} not"
    );
}

#[test]
fn without_all_programs_maps_are_left() {
    let bytes = std::fs::read(root().join("split/halves.o")).unwrap();
    let object = bpf::elf::read(&bytes).unwrap();
    let half = without(&object, &ids(&object)).unwrap().object;
    let again = bpf::elf::read(&bpf::elf::write(&half).unwrap()).unwrap();
    assert!(again.functions().is_empty(), "{:?}", again.functions());
    assert_eq!(again.section_by_name(".BTF.ext"), None);
    let maps = |object: &Object| {
        let section = object.section_by_name(".BTF").unwrap();
        let btf = bpf::btf::Btf::parse(object.data(section), object.endian).unwrap();
        bpf::maps::definitions(object, Some(&btf)).unwrap()
    };
    let names =
        |object: &Object| -> Vec<String> { maps(object).into_iter().map(|map| map.name).collect() };
    assert_eq!(names(&again), names(&object));
}

#[cfg(feature = "kernel")]
#[test]
fn the_kernel_takes_the_programs_that_stay() {
    use testsuite::fixture::Fixture;
    use testsuite::kernel::{ProgramName, load, missing_capability};

    if missing_capability().is_some() {
        return;
    }
    let fixture = Fixture::default();
    let takes = |object: &Object, id: &ProgramId| {
        let bytes = bpf::elf::write(object).expect("a half can be written");
        let name = ProgramName {
            section: id.section.clone(),
            function: id.function.clone(),
        };
        load(&bytes, &name, "split", &fixture).map(|_| ())
    };
    let mut loaded = 0;
    halves(|test, object, half, id| {
        for stays in ids(half).iter().take(3) {
            if takes(object, stays).is_ok() {
                let taken = takes(half, stays);
                assert!(
                    taken.is_ok(),
                    "{}: {stays} without {id}: {taken:?}",
                    test.name
                );
                loaded += 1;
            }
        }
    });
    assert!(loaded > 20, "{loaded} loaded");
}
