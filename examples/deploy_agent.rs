//! A deployment agent: publishes a release, points `current` at it, checks its health, and goes back if it is ill.
//!
//!     deploy_agent ROOT VERSION SOURCE
//!
//! What is in the directory SOURCE becomes `releases/VERSION` below ROOT. `current` is switched by compare-and-swap,
//! so that of two agents one loses and says so. The release is healthy if its program `health` succeeds. If not, the
//! switch is taken back, unless somebody switched since, and the release is removed, so that it can be deployed again.
//! Each change of a link is a line of `deploy.log` in ROOT.
//!
//! Exit status: 0 deployed, 1 ill and taken back, 2 failed.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an agent says what it did")]

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};
use std::time::UNIX_EPOCH;

use caplink::{Durability, Edit, Event, Kind, LinkPath, Outcome, Policy, Recorder, Root, Target};

const CURRENT: &str = "current";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, version, source] = &arguments[..] else {
        eprintln!("usage: deploy_agent ROOT VERSION SOURCE");
        return ExitCode::from(2);
    };
    match deploy(Path::new(root), version, Path::new(source)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Returns whether the release stays.
fn deploy(path: &Path, version: &str, source: &Path) -> Result<bool, Box<dyn Error>> {
    // A version is a name, and no way out of the releases.
    let release = LinkPath::new(format!("releases/{version}"))?;
    let dir = path.join(&release);
    publish(source, &dir)?;

    let log = OpenOptions::new().create(true).append(true).open(path.join("deploy.log"))?;
    // Whoever may move `current` may not make it lead out of the root or to nothing.
    let policy = Policy::default().outside(false).dangling(false);
    let root = Root::open_ambient(path, policy, cap_std::ambient_authority())?;
    let root = root.recorded_by(Arc::new(Log(Mutex::new(log))));

    let switched = switch(&root, &release)?;
    println!("{}", shown(&switched));
    if is_healthy(&path.join(CURRENT)) {
        return Ok(true);
    }
    println!("{version} is ill");
    match back(&root, &switched) {
        Ok(outcome) => {
            println!("{}", shown(&outcome));
            // Nothing leads there any more, and a retry is to find the name free.
            fs::remove_dir_all(&dir)?;
        }
        Err(error) if error.kind() == Kind::Mismatch => println!("somebody switched since: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(false)
}

/// Copies everything to a name of its own first: a release that has its name is whole, and is never written again.
fn publish(source: &Path, release: &Path) -> Result<(), Box<dyn Error>> {
    if fs::symlink_metadata(release).is_ok() {
        return Err(format!("{} is there already", release.display()).into());
    }
    let mut partial = release.as_os_str().to_os_string();
    partial.push(".partial");
    let partial = Path::new(&partial);
    // What a run left that was interrupted may be of another source.
    match fs::remove_dir_all(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    copy(source, partial)?;
    Ok(fs::rename(partial, release)?)
}

/// Copies a directory with what is below it; links are copied as they are.
fn copy(source: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&from, &to)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&from)?, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// Points `current` at the release, if it still is as it was seen.
fn switch(root: &Root, release: &LinkPath) -> caplink::Result<Outcome> {
    let (current, target) = (LinkPath::new(CURRENT)?, Target::relative(release.as_path()));
    let edit: Edit = match root.read_link(CURRENT) {
        Ok(seen) => Edit::swap(current, target, seen).into(),
        Err(error) if error.kind() == Kind::NotFound => Edit::create(current, target).into(),
        Err(error) => return Err(error),
    };
    root.apply(&edit.durability(Durability::Dir))
}

/// Undoes a switch, if `current` still is as the switch left it.
fn back(root: &Root, switched: &Outcome) -> caplink::Result<Outcome> {
    let current = LinkPath::new(CURRENT)?;
    let left = switched.target.clone().unwrap_or_default();
    let edit: Edit = match &switched.previous {
        Some(previous) => Edit::swap(current, Target::verbatim(previous), left).into(),
        None => Edit::remove(current).expect(left).into(),
    };
    root.apply(&edit.durability(Durability::Dir))
}

fn is_healthy(release: &Path) -> bool {
    Command::new(release.join("health")).status().is_ok_and(|status| status.success())
}

fn shown(outcome: &Outcome) -> String {
    let text = |text: &Option<std::ffi::OsString>| {
        text.as_ref().map_or_else(|| "nothing".to_owned(), |text| caplink::printable(text).to_string())
    };
    format!("{}: {} -> {}", outcome.link, text(&outcome.previous), text(&outcome.target))
}

/// Writes each change of a link to a file.
struct Log(Mutex<File>);

impl Recorder for Log {
    fn after(&self, events: &[Event<'_>]) -> caplink::Result<()> {
        let Ok(mut file) = self.0.lock() else { return Ok(()) };
        for (event, change) in events.iter().flat_map(|event| event.changes().map(move |change| (event, change))) {
            let seconds = event.time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            let (link, effect) = (&change.link, change.effect.as_str());
            let text = |text: &Option<std::ffi::OsString>| {
                text.as_ref().map_or_else(|| "-".to_owned(), |text| caplink::printable(text).to_string())
            };
            let (old, new) = (text(&change.previous), text(&change.target));
            let actor = format!("uid={} pid={}", event.actor.user, event.actor.process);
            if let Err(error) = writeln!(file, "{seconds} {actor} {effect} {link} {old} {new}") {
                eprintln!("the change of {link} could not be logged: {error}");
            }
        }
        Ok(())
    }
}
