//! Each example is run, and does what its header says.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

mod uploads;
#[path = "../support"]
mod support {
    pub(crate) mod ground;
    pub(crate) mod umask;
}

use support::ground::temp_dir;

/// The compiled example. `cargo test` builds all of them; a test that is run alone builds what is missing or old.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples").join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.rs"));
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if changed(&program) < changed(&source) {
        let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--example", name]).status().unwrap();
        assert!(built.success(), "{name} does not build");
    }
    program
}

fn run(name: &str, arguments: &[&Path]) -> (Option<i32>, String) {
    run_program(&example(name), arguments)
}

fn run_program(program: &Path, arguments: &[&Path]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = Command::new(program).args(arguments).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

fn text(link: impl AsRef<Path>) -> String {
    fs::read_link(link).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn the_tour_can_be_taken_twice() {
    // A program of this package, where its feature is asked for.
    let Some(tour) = option_env!("CARGO_BIN_EXE_tour") else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: the_tour_can_be_taken_twice: without the feature `tour`");
        return;
    };
    let dir = temp_dir();
    let app = fs::canonicalize(dir.path()).unwrap().join("app");
    for (before, change) in [("nothing", "created"), ("nothing", "unchanged")] {
        let (code, said) = run_program(tour.as_ref(), &[app.parent().unwrap()]);
        let expected = format!(
            "The root is {}.

1. Blue: `current` points to release 41, whatever it was before.
   current: {before} -> releases/41 ({change}, atomic)

2. Green: it is switched to release 42, if it still points to 41.
   current: releases/41 -> releases/42 (replaced, atomic)
   current/version reads 42

3. A second agent believes that it still points to 41. It loses, and nothing changes.
   refused as mismatch: cannot swap `current`: it points to `releases/42`, expected `releases/41`

4. Somebody who can write below the root tries to lead it out.
   refused as escape: cannot create `../outside/planted`: the path climbs above the root, at component `..` (0)
   refused as escape: cannot create `planted`: the target leads out of the root, at component `..` (0) via \
   `../outside/secret`
   refused as symlink_in_path: cannot create `door/planted`: a parent directory is a symbolic link, at component \
   `door` (0) via `../outside`
   outside is untouched

5. The way back is what the switch displaced, if nobody switched since.
   current: releases/42 -> releases/41 (replaced, atomic)
   current/version reads 41

6. 1000 switches to and fro, while a reader looks all the time.
   the reader found the link absent 0 times
",
            app.display()
        );
        assert_eq!((code, said), (Some(0), expected));
        assert_eq!(text(app.join("current")), "releases/41");
    }
}

/// A release whose program `health` ends with this status.
fn release(dir: &Path, name: &str, health: u8) -> PathBuf {
    let source = dir.join(name);
    fs::create_dir(&source).unwrap();
    fs::write(source.join("health"), format!("#!/bin/sh\nexit {health}\n")).unwrap();
    fs::set_permissions(source.join("health"), fs::Permissions::from_mode(0o755)).unwrap();
    source
}

#[test]
fn the_deploy_agent_switches_and_goes_back_when_the_release_is_ill() {
    let dir = temp_dir();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let (blue, green) = (release(dir.path(), "blue", 0), release(dir.path(), "green", 1));
    let deploy = |version: &str, source: &Path| run("deploy_agent", &[&root, Path::new(version), source]);

    let ill = deploy("0", &green);
    assert_eq!(
        ill,
        (Some(1), "current: nothing -> releases/0\nit is ill\ncurrent: releases/0 -> nothing\n".to_owned())
    );
    assert!(fs::symlink_metadata(root.join("current")).is_err(), "the first release was ill: there is none");

    assert_eq!(deploy("1.0", &blue), (Some(0), "current: nothing -> releases/1.0\n".to_owned()));
    let ill = "current: releases/1.0 -> releases/1.1\nit is ill\ncurrent: releases/1.1 -> releases/1.0\n";
    assert_eq!(deploy("1.1", &green), (Some(1), ill.to_owned()));
    assert_eq!(text(root.join("current")), "releases/1.0");

    fs::write(green.join("health"), "#!/bin/sh\nexit 0\n").unwrap();
    fs::create_dir_all(green.join("bin/tools")).unwrap();
    fs::write(green.join("bin/tools/tool"), "a tool").unwrap();
    symlink("tools/tool", green.join("bin/tool")).unwrap();
    assert_eq!(
        deploy("1.1", &green),
        (Some(0), "current: releases/1.0 -> releases/1.1\n".to_owned()),
        "it is well now"
    );
    assert_eq!(fs::read_to_string(root.join("current/bin/tool")).unwrap(), "a tool");
    let releases = fs::read_dir(root.join("releases")).unwrap().count();
    assert_eq!(releases, 2, "nothing is left of copying");

    let (code, said) = deploy("../../out", &blue);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cannot use `../../out`: the path climbs above the root"), "{said}");
    assert!(!dir.path().join("out").exists());
    let (code, said) = deploy("1.0", &blue);
    assert_eq!(code, Some(2), "a release is published once: {said}");

    let opened = caplink::Root::open_ambient(&root, caplink::Policy::default(), caplink::ambient_authority()).unwrap();
    let records = caplink::records::Records::open(&opened).unwrap().expect("every change is recorded");
    let mut changes = Vec::new();
    let text = |text: &Option<caplink::wire::Text>| text.as_ref().map_or("-".to_owned(), ToString::to_string);
    let mut keep = |change: caplink::records::Mutation| {
        if let Some(link) = &change.link {
            let (old, new) = (text(&change.previous), text(&change.target));
            changes.push(format!("{} {link} {old} {new}", change.outcome));
        }
        true
    };
    records.mutations(&caplink::records::Query::default(), &mut keep).unwrap();
    let expected = [
        "created current - releases/0",
        "removed current releases/0 -",
        "created current - releases/1.0",
        "replaced current releases/1.0 releases/1.1",
        "replaced current releases/1.1 releases/1.0",
        "replaced current releases/1.0 releases/1.1",
    ];
    assert_eq!(changes, expected);
}

#[test]
fn of_two_agents_with_one_version_one_deploys_all_of_its_own_files() {
    let dir = temp_dir();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let sources = ["blue", "green"].map(|name| {
        let source = release(dir.path(), name, 0);
        for number in 0..200 {
            fs::write(source.join(format!("file{number}")), name).unwrap();
        }
        source
    });
    let ran: Vec<_> = std::thread::scope(|scope| {
        let agents: Vec<_> = sources
            .iter()
            .map(|source| scope.spawn(|| run("deploy_agent", &[&root, Path::new("1.0"), source])))
            .collect();
        agents.into_iter().map(|agent| agent.join().unwrap()).collect()
    });
    let mut codes: Vec<_> = ran.iter().map(|(code, _)| *code).collect();
    codes.sort();
    assert_eq!(codes, [Some(0), Some(2)], "{ran:?}");
    assert!(ran.iter().any(|(_, said)| said.contains("is there already")), "{ran:?}");
    let files = (0..200).map(|number| fs::read_to_string(root.join(format!("current/file{number}"))).unwrap());
    let kinds: std::collections::BTreeSet<_> = files.collect();
    assert_eq!(kinds.len(), 1, "{kinds:?}");
    assert_eq!(fs::read_dir(root.join("releases")).unwrap().count(), 1);
}

#[test]
fn the_audit_reports_links_by_status_and_says_when_there_are_none() {
    let dir = temp_dir();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("file"), "").unwrap();
    symlink("file", root.join("fine")).unwrap();
    assert_eq!(run("audit_tree", &[&root]), (Some(0), "1 of 1 links are fine\n".to_owned()));
    for (text, link) in [
        ("../../file", "a/b/also"),
        ("/etc", "a/etc"),
        ("../../gone", "out"),
        ("gone", "a/dangling"),
        ("self", "self"),
        ("/\u{1b}[2J", "a/b/\u{1b}[31m"),
    ] {
        symlink(text, root.join(link)).unwrap();
    }
    let report = r"escape (3)
  a/b/\u{1b}[31m -> /\u{1b}[2J, where nothing is
  a/etc -> /etc
  out -> ../../gone, where nothing is
loop (1)
  self -> self
dangling (1)
  a/dangling -> gone
2 of 7 links are fine
";
    assert_eq!(run("audit_tree", &[&root]), (Some(1), report.to_owned()));
    let (code, said) = run("audit_tree", &[&root.join("gone")]);
    assert_eq!((code, said.contains("there is no such directory")), (Some(2), true), "{said}");
}

#[test]
fn the_units_of_systemd_are_understood_and_harden_what_they_start() {
    let test = "the_units_of_systemd_are_understood_and_harden_what_they_start";
    let analyser = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    if !analyser(&["--version"]).is_ok_and(|ran| ran.status.success()) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: there is no systemd-analyze");
        return;
    }
    let dir = temp_dir();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/systemd");
    for (name, instance, exposure) in [
        ("deploy@.service", "deploy@43.service", "30"),
        ("caplink-scan.service", "caplink-scan.service", "20"),
        ("caplink-scan.timer", "caplink-scan.timer", ""),
    ] {
        let text = fs::read_to_string(units.join(name)).unwrap();
        // Neither the program nor its user is installed here.
        let text = text.replace("/usr/bin/caplink", "/bin/true").replace("User=deploy\n", "");
        let unit = dir.path().join(instance);
        fs::write(&unit, text).unwrap();
        let unit = unit.to_str().unwrap();
        let verified = analyser(&["verify", "--man=no", unit]).unwrap();
        assert!(verified.status.success() && verified.stderr.is_empty(), "{name}: {verified:?}");
        if !exposure.is_empty() {
            let judged = analyser(&["security", "--offline=true", &format!("--threshold={exposure}"), unit]).unwrap();
            assert!(judged.status.success(), "{name}: {judged:?}");
        }
    }
}
