//! What README.md shows is run: every command line prints what stands there, and every other block does what it says.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::Command;

#[path = "support"]
mod support {
    pub(crate) mod ground;
    pub(crate) mod umask;
}

use support::ground::temp_dir;

const README: &str = include_str!("../README.md");

/// A command as it is shown, with the output that follows it.
struct Shown<'a> {
    command: &'a str,
    output: String,
}

/// The blocks in a language, each as its lines.
fn blocks(language: &str) -> Vec<Vec<&'static str>> {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut inside = None;
    for line in README.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(_), Some(_)) => inside = None,
            (Some(named), None) => {
                inside = Some(named);
                blocks.extend((named == language).then(Vec::new));
            }
            (None, Some(named)) if named == language => blocks.last_mut().expect("BUG: it was begun").push(line),
            _ => {}
        }
    }
    blocks
}

fn shown() -> Vec<Shown<'static>> {
    let mut commands: Vec<Shown<'_>> = Vec::new();
    for line in blocks("console").concat() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push(Shown { command, output: String::new() }),
            (None, Some(last)) => last.output += &format!("{line}\n"),
            (None, None) => panic!("output before the first command: {line}"),
        }
    }
    commands
}

/// The manifest that is shown, with its sources.
fn declare(dir: &Path) {
    for source in ["vim/vimrc", "zsh/dot-zshrc"] {
        let file = dir.join("dotfiles").join(source);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, source).unwrap();
    }
    fs::write(dir.join("links.toml"), blocks("toml manifest")[0].join("\n")).unwrap();
}

#[test]
fn every_command_line_prints_what_the_readme_shows() {
    let dir = temp_dir();
    for release in ["41", "42"] {
        let release_dir = dir.path().join("releases").join(release);
        fs::create_dir_all(&release_dir).unwrap();
        fs::write(release_dir.join("version"), release).unwrap();
    }
    let commands = shown();
    assert!(commands.len() >= 5, "the README shows how it is used");
    for Shown { command, output } in commands {
        if command.ends_with(" -m links.toml") {
            declare(dir.path());
        }
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("caplink"), "{command}");
        let mut program = Command::new(env!("CARGO_BIN_EXE_caplink"));
        let ran = program.args(words).current_dir(dir.path()).env_remove("CAPLINK_ROOT").output().unwrap();
        let mut said = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
        if let Some(code @ 1..) = ran.status.code() {
            said += &format!("[exit {code}]\n");
        }
        assert_eq!(said, output, "{command}");
    }
}

#[test]
fn the_lines_of_the_batch_are_carried_out() {
    use std::os::unix::fs::symlink;
    let dir = temp_dir();
    for release in ["releases/41", "releases/42"] {
        fs::create_dir_all(dir.path().join(release)).unwrap();
        symlink(release, dir.path().join(if release.ends_with("41") { "blue" } else { "green" })).unwrap();
    }
    symlink("releases/41", dir.path().join("current")).unwrap();
    fs::write(dir.path().join("edits"), blocks("json")[0].join("\n")).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_caplink"));
    let ran = program.args(["batch", "edits"]).current_dir(dir.path()).env_remove("CAPLINK_ROOT").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::read_link(dir.path().join("current")).unwrap(), Path::new("releases/42"));
    assert_eq!(fs::read_link(dir.path().join("blue")).unwrap(), Path::new("releases/42"));
}

/// On the tree that the section on watching has in mind.
#[cfg(target_os = "linux")]
#[test]
fn watch_prints_the_lines_that_the_readme_shows() {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::fs::symlink;
    let dir = temp_dir();
    for name in ["releases/41", "releases/42"] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("version"), "1").unwrap();
    symlink("releases/41", dir.path().join("current")).unwrap();
    symlink("releases/40", dir.path().join("old")).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_caplink"));
    program.arg("watch").current_dir(dir.path()).env_remove("CAPLINK_ROOT").stdout(std::process::Stdio::piped());
    let mut watch = program.spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    for (number, shown) in blocks("jsonl")[0].iter().enumerate() {
        if number == 2 {
            fs::rename(dir.path().join("releases/41"), dir.path().join("elsewhere")).unwrap();
        }
        let line = lines.next().unwrap().unwrap();
        let (before, time) = line.split_once("\"time\":\"").unwrap();
        let then = "2026-11-28T06:05:04.000000000Z";
        assert_eq!(format!("{before}\"time\":\"{then}{}", &time[then.len()..]), **shown);
    }
    watch.kill().unwrap();
    watch.wait().unwrap();
}

/// Each block is run as it stands, or by `.ci/run`, which reads it here.
#[test]
fn every_block_for_a_shell_is_run() {
    let by_ci = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/run")).unwrap();
    for block in blocks("sh") {
        let named = README.lines().zip(README.lines().skip(2)).find(|(_, line)| *line == block[0]);
        let name = named.and_then(|(name, _)| name.strip_prefix("<!-- the ")?.strip_suffix(" command -->"));
        match name {
            Some(name) => {
                let run = ["readme_command", "install"].iter().any(|by| by_ci.contains(&format!("{by} {name}")));
                assert!(run, "{block:?}");
            }
            None => run_in_a_shell(&block.join("\n")),
        }
    }
}

fn run_in_a_shell(script: &str) {
    let home = temp_dir();
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_caplink"), bin.join("caplink")).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let ran = Command::new("sh").args(["-euc", script]).env("HOME", home.path()).env("PATH", path).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{script}\n{ran:?}");
    for file in
        [".local/share/bash-completion/completions/caplink", ".zfunc/_caplink", ".config/fish/completions/caplink.fish"]
    {
        assert!(fs::metadata(home.path().join(file)).unwrap().len() > 1000, "{file}");
    }
}

#[test]
fn a_program_can_depend_on_it_as_the_readme_says() {
    let dir = temp_dir();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let blocks = blocks("toml");
    let dependencies = blocks[0].join("\n").replace("../caplink", package.to_str().unwrap());
    let head = "[package]\nname = \"embedder\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(dir.path().join("Cargo.toml"), format!("{head}{dependencies}\n")).unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("src/lib.rs"), "").unwrap();
    fs::copy(package.join("Cargo.lock"), dir.path().join("Cargo.lock")).unwrap();
    let tree = ["tree", "--offline", "--edges", "normal", "--prefix", "none", "--depth", "2", "--format", "{p}"];
    let ran = Command::new(env!("CARGO")).args(tree).current_dir(dir.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8(ran.stdout).unwrap();
    let mut names: Vec<&str> = said.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cap-std", "caplink", "embedder", "rustix", "thiserror"]);
}

#[test]
fn the_table_of_features_has_every_one_that_is_for_users() {
    let manifest = include_str!("../Cargo.toml");
    let features = manifest.split_once("[features]\n").unwrap().1.split("\n[").next().unwrap();
    let names = features.lines().filter(|line| line.contains(" = [") && !line.starts_with(' '));
    let names = names.filter_map(|line| line.split(" = ").next());
    for name in names.filter(|name| !["default", "adversary", "tour"].contains(name)) {
        let row = README.lines().any(|line| line.starts_with(&format!("| `{name}`")));
        assert!(row, "README.md says nothing of the feature `{name}`");
    }
}

/// The sentence about programs that watch the link.
#[cfg(target_os = "linux")]
#[test]
fn inotify_reports_an_exchange_as_moved_to_and_then_moved_from_the_name() {
    use caplink::{Policy, Root, Target, ambient_authority};
    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
    let dir = temp_dir();
    let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
    for target in ["old", "new"] {
        fs::write(dir.path().join(target), target).unwrap();
    }
    let _ = root.create("current", Target::verbatim("old")).unwrap();
    let watcher = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&watcher, dir.path(), WatchFlags::MOVE).unwrap();
    let _ = root.swap("current", Target::verbatim("new"), "old").unwrap();
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(&watcher, &mut buffer);
    let mut seen = Vec::new();
    while let Ok(event) = reader.next() {
        if event.file_name().is_some_and(|name| name.to_bytes() == b"current") {
            seen.push(event.events());
        }
    }
    assert_eq!(seen, [ReadFlags::MOVED_TO, ReadFlags::MOVED_FROM]);
    assert_eq!(fs::read_link(dir.path().join("current")).unwrap(), Path::new("new"));
}
