//! The rules, each as what breaks it in one file.

use super::source::Source;

/// The rooms in the order in which they may know each other: each only those on lines above its own.
const ORDER: &[&[&str]] = &[
    &["error"],
    &["model"],
    &["plan", "recorder"],
    &["sys"],
    &["state"],
    &["confine"],
    &["root"],
    &["resolve"],
    &["entry"],
    &["exec", "inspect", "manifest", "scan"],
    &["apply", "wire"],
    &["records"],
    &["declare", "release"],
    &["watch"],
];

/// Rooms that decide: no input, no output, no clock.
const PURE: &[&str] = &["model", "plan"];

/// The places that take the authority of the process: one of the library, those of the program for the root and for files
/// that the caller names, and where the library hands on the word for it.
const AMBIENT: &[&str] = &["src/lib.rs", "src/root.rs", "src/cli/context.rs", "src/cli/files.rs"];

/// Where the program closes what it inherited: the one place that counts descriptors and closes what it does not own.
const START: &str = "src/cli/inherited.rs";

/// Where the program listens for signals and a closed stdout, and talks to its supervisor.
const SERVICE: &[&str] = &["src/cli/ending.rs", "src/cli/service.rs"];
/// Where programs are started: in a directory that is named for them, found as the caller would find them, and with their
/// output taken.
const PROGRAMS: &str = "src/sys/program.rs";

const LINES_MAX: usize = 400;

fn rank(room: &str) -> Option<usize> {
    ORDER.iter().position(|line| line.contains(&room))
}

/// A rule: what breaks it in one file.
pub(crate) type Rule = fn(&Source) -> Vec<String>;

fn imports_run_one_way(source: &Source) -> Vec<String> {
    let Some(room) = source.room() else { return Vec::new() };
    let Some(own) = rank(room) else { return vec![format!("{}: `{room}` has no place in the order", source.path)] };
    let wrong = |known: &String| known != room && rank(known).is_none_or(|known| known >= own);
    source
        .known()
        .iter()
        .filter(|known| wrong(known))
        .map(|known| format!("{}: knows `{known}`", source.path))
        .collect()
}

fn decisions_are_pure(source: &Source) -> Vec<String> {
    if !source.room().is_some_and(|room| PURE.contains(&room)) {
        return Vec::new();
    }
    source.lines_with(&[
        "std::io",
        "std::fs",
        "std::env",
        "std::time",
        "std::thread",
        "std::process",
        "std::net",
        "cap_std",
    ])
}

fn only_sys_knows_the_system(source: &Source) -> Vec<String> {
    if source.path.starts_with("src/sys/") || SERVICE.contains(&source.path.as_str()) || source.is_test() {
        return Vec::new();
    }
    let mut wrong = if source.path == START { Vec::new() } else { source.lines_with(&["nix"]) };
    wrong.extend(source.lines_with(&[
        "rustix",
        "libc",
        "landlock::",
        "cap_fs_ext",
        "std::os::fd",
        "std::os::unix::fs",
        "std::os::unix::io",
        "std::os::unix::net",
        "std::os::linux",
        "std::os::windows::fs",
        "std::os::windows::io",
        "target_os",
        "target_vendor",
        "RawFd",
        "AsFd",
        "OwnedFd",
    ]));
    wrong
}

fn ambient_authority_has_two_places(source: &Source) -> Vec<String> {
    if AMBIENT.contains(&source.path.as_str()) || source.path == PROGRAMS || source.is_test() {
        return Vec::new();
    }
    let mut wrong = source.lines_with(&[
        "ambient_authority",
        "AmbientAuthority",
        "open_ambient_dir",
        "open_ambient",
        "create_ambient_dir_all",
        "open_parent_dir",
        "canonicalize",
        "current_dir",
    ]);
    if source.path != START {
        wrong.extend(source.lines_with(&["std::fs"]));
    }
    if source.is_library() {
        wrong.extend(source.lines_with(&["std::env"]));
    }
    wrong
}

fn the_library_is_quiet(source: &Source) -> Vec<String> {
    if !source.is_library() || source.path == PROGRAMS || source.is_test() {
        return Vec::new();
    }
    source.lines_with(&["print!", "println!", "eprint!", "eprintln!", "dbg!", "stdout", "stderr"])
}

fn files_stay_short(source: &Source) -> Vec<String> {
    let lines = source.raw.lines().count();
    if lines > LINES_MAX { vec![format!("{}: {lines} lines", source.path)] } else { Vec::new() }
}

fn the_program_uses_the_public_face(source: &Source) -> Vec<String> {
    if !source.is_program() {
        return Vec::new();
    }
    let own = |known: &String| known != "cli" && !(source.path == "src/main.rs" && known == "main");
    let mut wrong: Vec<String> = source
        .known()
        .iter()
        .filter(|known| own(known))
        .map(|known| format!("{}: knows `crate::{known}`", source.path))
        .collect();
    wrong.extend(source.lines_with(&["#[path", "include!", "caplink::adversary"]));
    wrong
}

fn every_file_says_what_it_is_for(source: &Source) -> Vec<String> {
    let headed = source.raw.starts_with("//! ") || source.raw.starts_with("#![doc = include_str!(");
    if headed || source.is_test() { Vec::new() } else { vec![format!("{}: no header", source.path)] }
}

fn nothing_gives_up_in_surprise(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let mut wrong = source.lines_with(&[".unwrap()", ".unwrap_err()", "todo!", "unimplemented!", "panic!"]);
    let raw: Vec<&str> = source.raw.lines().collect();
    let calls = ["expect(", "unreachable!("];
    for (number, line) in source.code.lines().enumerate() {
        let Some(call) = calls.iter().find(|call| line.contains(**call)) else { continue };
        // The message may stand on the next line. An edit is told by a value what it is to expect.
        let after = raw[number].split_once(call).map_or("", |(_, after)| after);
        let message = if after.is_empty() { raw.get(number + 1).map_or("", |next| next.trim()) } else { after };
        if !message.starts_with("\"BUG: ") && (message.starts_with(['"', ')']) || message.is_empty()) {
            wrong.push(format!("{}:{}: no `BUG: ` is said", source.path, number + 1));
        }
    }
    wrong
}

pub(crate) const RULES: &[(&str, Rule)] = &[
    ("imports run one way", imports_run_one_way),
    ("decisions are pure", decisions_are_pure),
    ("only sys knows the system", only_sys_knows_the_system),
    ("ambient authority has two places", ambient_authority_has_two_places),
    ("the library is quiet", the_library_is_quiet),
    ("files stay short", files_stay_short),
    ("the program uses the public face", the_program_uses_the_public_face),
    ("every file says what it is for", every_file_says_what_it_is_for),
    ("nothing gives up in surprise", nothing_gives_up_in_surprise),
];
