//! `release prune` and `release exec`: what is removed, what is kept and why, and what uses a release.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::{Answer, Place, is_root, skipped};

/// Releases 1 to 6, each deployed after the other.
fn deployed() -> Place {
    let place = Place::new();
    for name in ["1", "2", "3", "4", "5", "6"] {
        let dir = place.root.join("releases").join(name).join("deep/er");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("file"), name).unwrap();
        symlink("../../../../outside/secret", place.root.join("releases").join(name).join("link")).unwrap();
        assert_eq!(place.words(&format!("release deploy {name}")).code, 0);
    }
    place
}

/// What became of each, with the reason.
fn told(answer: &Answer) -> Vec<String> {
    let items = answer.json["items"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    items
        .iter()
        .map(|item| format!("{} {} {}", word(&item["release"]), word(&item["outcome"]), word(&item["reason"])))
        .collect()
}

fn there(place: &Place) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(place.root.join("releases"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Something that is ended when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGKILL);
        let _reaped = self.0.wait();
    }
}

fn spawn(command: &mut Command) -> Running {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let running = Running(child);
    let comm = format!("/proc/{}/cmdline", running.0.id());
    for _ in 0..400 {
        // It has become what it is to be.
        if fs::read_to_string(&comm).is_ok_and(|line| line.starts_with("sleep") || line.contains("/sleep")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    running
}

#[test]
fn the_active_one_the_one_before_and_so_many_good_ones_are_kept() {
    let place = deployed();
    fs::create_dir(place.root.join("releases/unknown")).unwrap();
    fs::create_dir(place.root.join("releases/7")).unwrap();
    assert_eq!(place.words("release add 7").code, 0);
    assert_eq!(place.words("release pin 1").code, 0);
    let before = place.snapshot();
    let dry = place.ask("-n release prune --keep 2 --grace 0s");
    assert_eq!(place.snapshot(), before);
    let answer = place.ask("release prune --keep 2 --grace 0s");
    let expected = [
        "1 skipped pinned",
        "2 pruned -",
        "3 pruned -",
        "4 skipped good",
        "5 skipped before",
        "6 skipped active",
        "7 skipped prepared",
        "unknown skipped not_entered",
    ];
    assert_eq!(told(&answer), expected);
    assert_eq!(told(&dry), expected);
    assert_eq!(there(&place), ["1", "4", "5", "6", "7", "unknown"]);
    assert_eq!(fs::read_to_string(place.base.path().join("outside/secret")).unwrap(), "secret");
    assert!(answer.json["items"][1]["bytes"].is_u64());
    let list = place.ask("release list");
    assert_eq!(
        (&list.json["items"][1]["state"], &list.json["items"][1]["present"]),
        (&json!("removed"), &json!(false))
    );
    assert!(
        fs::read_dir(place.root.join(".caplink"))
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().starts_with(".caplink-") })
    );
}

#[test]
fn the_bytes_that_a_removal_gives_back_are_those_of_files_that_have_no_other_name() {
    let place = deployed();
    let dir = place.root.join("releases/1");
    fs::write(dir.join("thousand"), [0; 1000]).unwrap();
    fs::write(dir.join("shared"), [0; 500]).unwrap();
    fs::hard_link(dir.join("shared"), place.root.join("kept")).unwrap();
    let before = place.snapshot();
    let dry = place.ask("-n release prune --keep 4 --grace 0s");
    assert_eq!(place.snapshot(), before);
    let real = place.ask("release prune --keep 4 --grace 0s");
    for answer in [&dry, &real] {
        assert_eq!(told(answer)[0], "1 pruned -");
        // With the one byte of the file that each of them has.
        assert_eq!(answer.json["items"][0]["bytes"], 1001);
        assert_eq!(answer.json["items"][1]["bytes"], Value::Null);
    }
}

#[test]
fn what_changed_its_state_a_moment_ago_is_kept() {
    let place = deployed();
    let answer = place.ask("release prune --keep 0");
    assert_eq!(told(&answer)[0], "1 skipped recent");
    assert_eq!(there(&place).len(), 6);
}

#[test]
fn a_deploy_prunes_only_where_it_is_said_how_many_are_kept() {
    let place = deployed();
    fs::create_dir(place.root.join("releases/7")).unwrap();
    fs::write(place.root.join("caplink.toml"), "version = 1\nname = \"x\"\n[release.default]\ngrace = \"0s\"\n")
        .unwrap();
    assert_eq!(place.words("release deploy 7").code, 0);
    assert_eq!(there(&place).len(), 7);
    fs::create_dir(place.root.join("releases/8")).unwrap();
    let answer = place.ask("release deploy 8 --keep 1");
    assert_eq!(answer.code, 0, "{}", answer.json);
    assert_eq!(there(&place), ["7", "8"]);
}

#[test]
fn a_release_that_is_replaced_or_active_elsewhere_is_kept() {
    let place = deployed();
    fs::rename(place.root.join("releases/1"), place.root.join("old")).unwrap();
    fs::create_dir(place.root.join("releases/1")).unwrap();
    assert_eq!(place.words("release --app other --current other deploy 2").code, 0);
    let told = told(&place.ask("release prune --keep 0 --grace 0s"));
    assert_eq!(&told[..3], ["1 skipped replaced", "2 skipped other_app", "3 pruned -"]);
}

#[test]
fn what_a_process_uses_is_kept_and_named() {
    let place = deployed();
    let release = |name: &str| place.root.join("releases").join(name);
    let copy = |to: PathBuf| {
        let sleep = fs::canonicalize("/bin/sleep").unwrap();
        fs::copy(sleep, &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).unwrap();
        to
    };
    let own = copy(release("2").join("deep/sleep"));
    let opened = fs::File::open(release("3").join("deep/er/file")).unwrap();
    let running = [
        ("1", "cwd", spawn(Command::new("sleep").arg("60").current_dir(release("1").join("deep")))),
        ("2", "exe", spawn(Command::new(own).arg("60"))),
        ("3", "fd", spawn(Command::new("sh").args(["-c", "exec sleep 60 9<deep/er/file"]).current_dir(release("3")))),
        ("4", "lease", spawn(place.command(["release", "exec", "4", "--", "sleep", "60"]).current_dir("/"))),
    ];
    drop(opened);
    let answer = place.ask("release prune --keep 0 --grace 0s");
    let items = answer.json["items"].as_array().unwrap();
    for (name, how, child) in &running {
        let item = items.iter().find(|item| item["release"] == *name).unwrap();
        assert_eq!((&item["outcome"], &item["reason"]), (&json!("skipped"), &json!("in_use")), "{item}");
        let users = item["in_use"].as_array().unwrap();
        let user = users.iter().find(|user| user["how"] == *how).unwrap_or_else(|| panic!("{how}: {item}"));
        assert_eq!(user["pid"], child.0.id(), "{how}");
    }
    assert_eq!(there(&place).len(), 6);
    drop(running);
    assert_eq!(place.ask("release prune --keep 0 --grace 0s").code, 0);
    assert_eq!(there(&place), ["5", "6"]);
}

#[test]
fn what_the_pruning_process_itself_uses_is_kept() {
    let place = deployed();
    let mut prune = place.command(["release", "prune", "--keep", "0", "--grace", "0s"]);
    let pruned = prune.current_dir(place.root.join("releases/1/deep")).output().unwrap();
    assert!(pruned.status.success(), "{pruned:?}");
    assert_eq!(there(&place), ["1", "5", "6"], "{pruned:?}");
}

#[test]
fn exec_becomes_the_program_in_the_release() {
    let place = deployed();
    let script = "pwd -P; echo $CAPLINK_RELEASE $CAPLINK_PREVIOUS $CAPLINK_APP; echo \"$@\"";
    let ran = place.run(["release", "exec", "--", "sh", "-c", script, "sh", "a b", "--json"]);
    let dir = place.root.join("releases/6");
    assert_eq!(ran.out(), format!("{}\n6 5 default\na b --json\n", dir.display()));
    assert_eq!(
        place.run(["release", "exec", "2", "--", "pwd"]).out(),
        format!("{}\n", place.root.join("releases/2").display())
    );
    assert_eq!(place.run(["release", "exec", "--", "sh", "-c", "exit 7"]).code, 7);
    assert_eq!(place.json(["release", "exec", "9", "--", "true"]).kind(), "unknown_release");
    let missing = place.json(["release", "exec", "--", "nosuchprogram"]);
    let hint = "a program without a `/` in its name is looked for in $PATH";
    assert_eq!((missing.kind(), missing.json["errors"][0]["hint"].as_str()), ("not_found", Some(hint)));
    assert_eq!(place.json(["release", "exec", "--", "/no/such/program"]).kind(), "not_found");
}

#[test]
fn a_directory_of_releases_that_others_may_write_is_not_pruned() {
    let place = deployed();
    let releases = place.root.join("releases");
    fs::set_permissions(&releases, fs::Permissions::from_mode(0o777)).unwrap();
    let answer = place.ask("release prune --keep 0 --grace 0s");
    assert_eq!((answer.code, answer.kind()), (4, "unsafe_state"));
    assert!(answer.json["errors"][0]["hint"].as_str().unwrap().starts_with("`chmod go-w`"), "{answer:?}");
    assert_eq!(there(&place).len(), 6);
    fs::set_permissions(&releases, fs::Permissions::from_mode(0o1777)).unwrap();
    assert_eq!(place.ask("release prune --keep 0 --grace 0s").code, 0);
}

#[test]
fn what_a_process_uses_through_a_bind_mount_elsewhere_is_kept_and_named() {
    let place = deployed();
    let mounted = place.base.path().join("mounted");
    fs::create_dir(&mounted).unwrap();
    let bound = Command::new("mount").arg("--bind").arg(place.root.join("releases/1")).arg(&mounted).status();
    if !is_root() || !bound.is_ok_and(|status| status.success()) {
        return skipped("release_pruning::what_a_process_uses_through_a_bind_mount", "mounting is not allowed here");
    }
    let running = spawn(Command::new("sleep").arg("60").current_dir(mounted.join("deep")));
    let answer = place.ask("release prune --keep 0 --grace 0s");
    let pid = running.0.id();
    drop(running);
    let unmounted = Command::new("umount").arg(&mounted).status().unwrap();
    let item = answer.json["items"].as_array().unwrap().iter().find(|item| item["release"] == "1").unwrap();
    assert_eq!((&item["outcome"], &item["reason"]), (&json!("skipped"), &json!("in_use")), "{item}");
    assert_eq!((&item["in_use"][0]["pid"], &item["in_use"][0]["how"]), (&json!(pid), &json!("cwd")));
    assert!(unmounted.success());
    assert_eq!(there(&place), ["1", "5", "6"]);
}
