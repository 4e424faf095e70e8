//! A deployment agent: publishes a release, switches `current` to it, checks its health, and goes back if it is ill.
//!
//!     deploy_agent ROOT VERSION SOURCE
//!
//! What is in the directory SOURCE becomes `releases/VERSION` below ROOT, and is deployed: of two agents one waits and then
//! says so, the release is healthy if its program `health` succeeds, and if not the switch is taken back, unless somebody
//! switched since. An ill release is removed, so that it can be deployed again. The records keep what became of each, and
//! `caplink log` shows it.
//!
//! Exit status: 0 deployed, 1 ill and taken back, 2 failed.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an agent says what it did")]

use std::error::Error;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use caplink::manage::{Check, Deploy, Progress, Releases, Step, release_name};
use caplink::records::{Actor, Author};
use caplink::{Kind, Outcome, Policy, Root};

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
    release_name(version)?;
    let dir = path.join("releases").join(version);
    publish(source, &dir)?;

    let root = Root::open_ambient(path, Policy::default(), cap_std::ambient_authority())?;
    let releases = Releases::open(&root, "default")?
        .author(Author::new(Actor::of_this_process(), Some("deploy_agent"))?)
        .check_after(vec![Check::program(["./health"])])
        .keep(5)
        .progress(Arc::new(Told));
    match releases.deploy(version, &Deploy::default()) {
        Ok(_) => Ok(true),
        Err(failed) if failed.error().kind() == Kind::CheckFailed => {
            // Nothing leads there any more, and a retry is to find the name free.
            fs::remove_dir_all(&dir)?;
            Ok(false)
        }
        Err(failed) => Err(failed.into()),
    }
}

/// Says what is done, as it is done.
struct Told;

impl Progress for Told {
    fn step(&self, step: &Step<'_>) {
        match step {
            Step::Linked(outcome) | Step::SwitchedBack(outcome) => println!("{}", shown(outcome)),
            Step::Checked(check) if !check.passed() => println!("it is ill"),
            _ => {}
        }
    }
}

fn shown(outcome: &Outcome) -> String {
    let text = |text: &Option<std::ffi::OsString>| {
        text.as_ref().map_or_else(|| "nothing".to_owned(), |text| caplink::printable(text).to_string())
    };
    format!("{}: {} -> {}", outcome.link, text(&outcome.previous), text(&outcome.target))
}

/// Copies everything to a name of its own first: a release that has its name is whole, is on the medium, and is never
/// written again. Of two that publish one version the second finds the name taken.
fn publish(source: &Path, release: &Path) -> Result<(), Box<dyn Error>> {
    let taken = || format!("{} is there already", release.display());
    if fs::symlink_metadata(release).is_ok() {
        return Err(taken().into());
    }
    let releases = release.parent().ok_or("a release is below the root")?;
    fs::create_dir_all(releases)?;
    // It is removed with what is in it, unless it gets its name.
    let partial = tempfile::Builder::new().prefix(".partial-").tempdir_in(releases)?;
    let copied = partial.path().join("release");
    copy(source, &copied)?;
    // A directory replaces none but an empty one.
    fs::rename(&copied, release).map_err(|error| match error.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => taken().into(),
        _ => Box::<dyn Error>::from(error),
    })?;
    Ok(fs::File::open(releases)?.sync_all()?)
}

/// Copies a directory with what is below it, and syncs it; links are copied as they are.
fn copy(source: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
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
            fs::File::open(&to)?.sync_all()?;
        }
    }
    fs::File::open(to)?.sync_all()
}
