//! The rules, each as what breaks it in one file.

use super::source::Source;

/// The rooms in the order in which they may know each other: each only those on lines above its own.
const ORDER: &[&[&str]] = &[
    &["error"],
    &["model"],
    &["observe", "plan"],
    &["sys"],
    &["state"],
    &["confine"],
    &["root"],
    &["resolve"],
    &["entry"],
    &["edit", "inspect", "scan"],
    &["apply"],
];

/// Rooms that decide: no input, no output, no clock.
const PURE: &[&str] = &["model", "plan"];

/// The one place of the library and the one of the program that take the authority of the process.
const AMBIENT: &[&str] = &["src/root.rs", "src/cli/context.rs"];

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
    if source.path.starts_with("src/sys/") || source.is_test() {
        return Vec::new();
    }
    source.lines_with(&[
        "rustix",
        "libc",
        "landlock::",
        "cap_fs_ext",
        "std::os::",
        "target_os",
        "target_vendor",
        "RawFd",
        "AsFd",
        "OwnedFd",
    ])
}

fn ambient_authority_has_two_places(source: &Source) -> Vec<String> {
    if AMBIENT.contains(&source.path.as_str()) || source.is_test() {
        return Vec::new();
    }
    let mut wrong = source.lines_with(&[
        "ambient_authority",
        "AmbientAuthority",
        "open_ambient_dir",
        "open_ambient",
        "create_ambient_dir_all",
        "open_parent_dir",
        "std::fs",
        "canonicalize",
        "current_dir",
    ]);
    if source.is_library() {
        wrong.extend(source.lines_with(&["std::env"]));
    }
    wrong
}

fn the_library_is_quiet(source: &Source) -> Vec<String> {
    if !source.is_library() || source.is_test() {
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
    // The message of an `expect` stands on its own line, where the code has a blank.
    let raw: Vec<&str> = source.raw.lines().collect();
    let expects =
        source.code.lines().enumerate().filter(|(_, line)| line.contains(".expect(") || line.contains("unreachable!("));
    for (number, line) in expects {
        let said = [number, number + 1].iter().any(|at| raw.get(*at).is_some_and(|line| line.contains("\"BUG: ")));
        let of_edit = line.contains(".expect(text)") || line.contains(".expect(old)");
        if !said && !of_edit {
            wrong.push(format!("{}:{}: an `expect` without `BUG: `", source.path, number + 1));
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
