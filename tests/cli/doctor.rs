//! What `doctor` shows, and that nothing of it stays.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{Place, answer, skipped};

const STAGED: &str = ".caplink-0123456789abcdef01234567398aea55";

#[test]
fn doctor_shows_what_this_host_gives_and_changes_nothing_that_stays() {
    let place = Place::new();
    let before = place.snapshot();
    for line in ["doctor", "doctor -n"] {
        let shown = place.ask(line);
        assert_eq!((shown.code, shown.json["changed"].as_bool()), (0, Some(false)));
        let names = [
            "openat2",
            "exchange",
            "no_replace",
            "landlock",
            "durability",
            "state",
            "watching",
            "guarantee",
            "leftovers",
        ];
        let items = shown.json["items"].as_array().unwrap();
        for (item, name) in items.iter().zip(names) {
            assert_eq!(item["name"], name);
            assert_eq!(item["value"], shown.json[name], "{name} also stands at the top");
        }
        assert_eq!(items.len(), names.len());
        assert_eq!((&shown.json["state"], &shown.json["leftovers"]), (&json!("absent"), &json!([])));
        let text = place.words(line);
        assert!(names.iter().all(|name| text.out().contains(&format!("{name:<12}"))), "{}", text.out());
    }
    assert_eq!(place.ask("doctor").json["durability"], "dir,fs");
    assert_eq!(place.ask("doctor -n").json["durability"], "unknown", "a dry run tries nothing");
    assert_eq!(place.snapshot(), before);
}

#[test]
fn doctor_finds_what_interrupted_work_left() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let inside = format!(".caplink/{STAGED}");
    let elsewhere = place.base.path().canonicalize().unwrap().join("state");
    for dir in [place.root.join(".caplink"), elsewhere.clone()] {
        fs::create_dir(&dir).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    }
    place.link(STAGED, "x").link(&inside, "x").link(elsewhere.join(STAGED), "x");
    // Not the names of staged links, no links, or not in the root itself.
    place.link(".caplink-0123", "x").link(format!("a/{STAGED}"), "x");
    fs::write(place.root.join(STAGED.replace('0', "1")), "").unwrap();
    let before = place.snapshot();
    let shown = place.ask("doctor");
    assert_eq!((&shown.json["leftovers"], shown.code), (&json!([STAGED, inside]), 0));
    let elsewhere = elsewhere.to_str().unwrap();
    let shown = place.json(["doctor", "--state", elsewhere]);
    assert_eq!(shown.json["leftovers"], json!([STAGED, format!("{elsewhere}/{STAGED}")]));
    let shown = place.json(["doctor", "--state", &format!("{elsewhere}/gone")]);
    assert_eq!((&shown.json["leftovers"], &shown.json["state"]), (&json!([STAGED]), &json!("absent")));
    assert_eq!(place.snapshot(), before);
    assert!(place.words("doctor").out().contains(STAGED));
}

/// The calls of each thread that the program made, by `strace`.
fn calls(place: &Place, options: &[&str], line: &str) -> Option<(i32, Vec<(String, String)>)> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("strace");
    command.args([
        "-qq",
        "-f",
        "-e",
        "trace=landlock_create_ruleset,landlock_restrict_self,symlinkat,unlinkat,mkdirat",
        "-o",
    ]);
    command.arg(log.path()).args(options).arg(env!("CARGO_BIN_EXE_caplink")).arg("-C").arg(&place.root);
    let status = command.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let log = fs::read_to_string(log.path()).unwrap();
    let call = |line: &str| {
        let (thread, call) = line.split_once(' ')?;
        Some((thread.to_owned(), call.trim_start().split('(').next()?.to_owned()))
    };
    Some((status.code()?, log.lines().filter_map(call).collect()))
}

#[test]
fn doctor_tries_what_it_tries_under_landlock() {
    let test = "doctor::doctor_tries_what_it_tries_under_landlock";
    let place = Place::new();
    if place.ask("doctor").json["landlock"] == "none" {
        return skipped(test, "this kernel has no Landlock");
    }
    for option in ["", " --confine auto", " --confine require"] {
        let Some((code, calls)) = calls(&place, &[], &format!("doctor{option}")) else {
            return skipped(test, "strace is unavailable");
        };
        let mut confined = Vec::new();
        let mut tried = 0;
        for (thread, call) in calls {
            match call.as_str() {
                "landlock_restrict_self" => confined.push(thread),
                "symlinkat" | "unlinkat" | "mkdirat" => {
                    assert!(confined.contains(&thread), "{call}{option}");
                    tried += 1;
                }
                _ => {}
            }
        }
        assert!(code == 0 && tried > 2, "{code} {tried}{option}");
    }
}

#[test]
fn doctor_tries_nothing_where_it_is_to_be_confined_and_cannot() {
    let test = "doctor::doctor_tries_nothing_where_it_is_to_be_confined_and_cannot";
    let place = Place::new();
    let options = ["-e", "inject=landlock_create_ruleset:error=ENOSYS"];
    let Some((code, calls)) = calls(&place, &options, "doctor --confine require") else {
        return skipped(test, "strace is unavailable");
    };
    assert!(code == 10 && !calls.iter().any(|(_, call)| call == "symlinkat"), "{code} {calls:?}");
}

#[test]
fn doctor_says_what_says_where_something_changed() {
    let test = "doctor::doctor_says_what_says_where_something_changed";
    let place = Place::new();
    let shown = place.ask("doctor");
    assert_eq!(shown.json["watching"], if cfg!(target_os = "linux") { "inotify" } else { "looks" });
    let caplink = env!("CARGO_BIN_EXE_caplink");
    let options = ["-f", "-o", "/dev/null", "-e", "inject=inotify_init1:error=EMFILE", caplink, "-C"];
    let mut strace = Command::new("strace");
    let run = strace.args(options).arg(&place.root).args(["doctor", "--json"]).stdin(Stdio::null()).output();
    let Some(run) = run.ok().filter(|run| run.status.success()) else {
        return skipped(test, "strace is unavailable");
    };
    assert_eq!(crate::support::document(&run.stdout)["watching"], "looks");
}

#[test]
fn a_state_directory_anywhere_below_the_root_is_no_place_for_links() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    for state in [".caplink", "a/state", "a/b/deeper"] {
        for exists in [false, true] {
            if exists {
                fs::create_dir(place.root.join(state)).unwrap();
                fs::set_permissions(place.root.join(state), fs::Permissions::from_mode(0o700)).unwrap();
            }
            let at = place.root.join(state);
            let ask = |line: &str| place.json(line.split_whitespace().chain(["--state", at.to_str().unwrap()]));
            let below = ["create DIR/l --to file", "ensure DIR/l --to file -p", "remove DIR/l", "exchange DIR/l DIR/m"];
            let below = below.iter().filter(|_| exists);
            for line in below.chain(["create DIR --to file", "ensure DIR --to file"].iter()) {
                let line = line.replace("DIR", state);
                let refused = ask(&line);
                assert_eq!((refused.kind(), refused.code), ("policy", 4), "{line}");
            }
            assert_eq!(ask("create a/l --to file").outcome(), "created", "beside it");
            assert_eq!(ask("remove a/l").outcome(), "removed");
        }
    }
}

#[test]
fn a_state_directory_that_cannot_be_opened_says_why() {
    let place = Place::new();
    for (state, code, kind) in [("/nonexistent/x", 5, "not_found"), ("file/x", 5, "not_found"), ("/", 2, "usage")] {
        let mut command = place.command(["--json", "create", "l", "--to", "file", "--state", state]);
        let refused = answer(command.current_dir(&place.root));
        assert_eq!((refused.code, refused.kind()), (code, kind), "{state}");
    }
}
