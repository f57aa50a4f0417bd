//! What the kernel's verifier says of one program.

use libbpf_rs::{ObjectBuilder, PrintLevel, set_print};
use std::sync::Mutex;

static MESSAGES: Mutex<String> = Mutex::new(String::new());

/// The kernel's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was loaded.
    Accepted,
    /// The verifier refused it; its log.
    Rejected(String),
    /// It did not come to be verified; the loader's messages.
    NotAsked(String),
}

fn remember(_level: PrintLevel, message: String) {
    if let Ok(mut messages) = MESSAGES.lock() {
        messages.push_str(&message);
    }
}

/// Loads the only program of an object, with the kernel's flags for loading (`BPF_F_*`).
#[must_use]
pub fn verdict(bytes: &[u8], flags: u32) -> Answer {
    if let Ok(mut messages) = MESSAGES.lock() {
        messages.clear();
    }
    set_print(Some((PrintLevel::Warn, remember)));
    let opened = ObjectBuilder::default()
        .name("object")
        .and_then(|builder| builder.open_memory(bytes));
    let loaded = opened.and_then(|mut object| {
        for mut program in object.progs_mut() {
            program.set_flags(flags);
        }
        object.load()
    });
    let Err(error) = loaded else {
        return Answer::Accepted;
    };
    let messages = MESSAGES
        .lock()
        .map(|messages| messages.clone())
        .unwrap_or_default();
    match messages.split_once("BEGIN PROG LOAD LOG --") {
        Some((_, log)) => {
            let log = log.split("-- END PROG LOAD LOG").next().unwrap_or(log);
            Answer::Rejected(log.trim().to_owned())
        }
        None => Answer::NotAsked(format!("{error}: {messages}")),
    }
}
