//! A hundred thousand edits in a few hundred directories by `apply_all`, beside the bare calls and cap-std.
//!
//! All ways are given the same lists, and each finds the tree as it needs it.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use caplink::{Edit, LinkPath, Policy, Root, Target};
use rustix::fs::{AtFlags, RenameFlags};

use crate::Result;
use crate::bare::{Bare, reads};
use crate::clock::median;
use crate::place::Place;

pub(super) const OPERATION: &str = "batches";

const DIRS: usize = 320;
const LINKS: usize = 320;

/// How often each way is measured; an odd number.
const ROUNDS: usize = 5;

const TEXTS: [&str; 2] = ["../one", "../two"];

/// What the edits of a batch are, and the most that caplink should take for one, as a multiple of the bare calls.
const KINDS: [(&str, f64); 4] = [("create", 1.25), ("no-op", 1.15), ("flip", 1.4), ("remove", 1.6)];

/// How one kind of edit went; times are those of one edit.
pub(super) struct Measured {
    pub(super) kind: &'static str,
    pub(super) goal: f64,
    /// The bare calls, caplink and cap-std, each with its ratio to the first. cap-std has no exchange.
    pub(super) ways: Vec<(&'static str, Duration, f64)>,
}

pub(super) fn measure(place: &Place) -> Result<Vec<Measured>> {
    KINDS.into_iter().map(|(kind, goal)| Ok(Measured { kind, goal, ways: ways(place, kind)? })).collect()
}

/// A way to do the work, with its name.
type Way<'a> = (&'static str, Box<dyn Fn(&Path) -> Result<()> + 'a>);

fn ways(place: &Place, kind: &str) -> Result<Vec<(&'static str, Duration, f64)>> {
    let names: Vec<String> = (0..LINKS).map(|link| format!("l{link}")).collect();
    let paths: Vec<String> = (0..DIRS).flat_map(|dir| names.iter().map(move |name| format!("d{dir}/{name}"))).collect();
    let edits = paths.iter().map(|path| edit(kind, path)).collect::<Result<Vec<Edit>>>()?;
    let mut runs: Vec<Way<'_>> = vec![
        ("bare calls", Box::new(|room| bare_calls(&Bare::new(room)?, kind, &names))),
        ("caplink", Box::new(|room| through_caplink(room, &edits))),
    ];
    if kind != "flip" {
        runs.push(("cap-std", Box::new(|room| through_cap_std(room, kind, &paths))));
    }
    let mut samples = vec![Vec::new(); runs.len()];
    for _ in 0..ROUNDS {
        for ((_, run), samples) in runs.iter().zip(&mut samples) {
            let room = place.room("batches")?;
            prepare(&room, kind != "create", &names)?;
            let began = Instant::now();
            run(&room)?;
            samples.push(began.elapsed().as_secs_f64() / paths.len() as f64);
        }
    }
    let base = samples[0].clone();
    let measured = runs.iter().zip(samples).map(|((name, _), samples)| {
        let ratios = samples.iter().zip(&base).map(|(one, base)| one / base).collect();
        (*name, Duration::from_secs_f64(median(samples)), median(ratios))
    });
    Ok(measured.collect())
}

fn prepare(room: &Path, links: bool, names: &[String]) -> Result<()> {
    for dir in 0..DIRS {
        let dir = room.join(format!("d{dir}"));
        fs::create_dir(&dir)?;
        for name in names.iter().filter(|_| links) {
            symlink(TEXTS[0], dir.join(name))?;
        }
    }
    Ok(())
}

fn edit(kind: &str, path: &str) -> Result<Edit> {
    let (path, to) = (LinkPath::new(path)?, |index: usize| Target::verbatim(TEXTS[index]));
    Ok(match kind {
        "create" => Edit::create(path, to(0)).unjudged(true).into(),
        "no-op" => Edit::ensure(path, to(0)).unjudged(true).into(),
        "flip" => Edit::swap(path, to(1), TEXTS[0]).unjudged(true).into(),
        _ => Edit::remove(path).into(),
    })
}

fn through_caplink(room: &Path, edits: &[Edit]) -> Result<()> {
    let root = Root::open_ambient(room, Policy::default(), cap_std::ambient_authority())?;
    for outcome in root.apply_all(edits) {
        if !outcome?.verified {
            return Err("an edit was not read back".into());
        }
    }
    Ok(())
}

/// Each directory is opened once, each link read back there, and the directory looked up once more at the end.
fn bare_calls(bare: &Bare, kind: &str, names: &[String]) -> Result<()> {
    for dir in 0..DIRS {
        let path = format!("d{dir}");
        let parent = bare.parent(&path)?;
        let at = parent.as_fd();
        let before = rustix::fs::fstat(at)?;
        for name in names {
            let held = match kind {
                "create" => {
                    rustix::fs::symlinkat(TEXTS[0], at, name)?;
                    reads(at, name, TEXTS[0])?
                }
                "no-op" => reads(at, name, TEXTS[0])?,
                "flip" => {
                    let staged = ".staged-00000000000000000000000000000000";
                    rustix::fs::symlinkat(TEXTS[1], at, staged)?;
                    rustix::fs::renameat_with(at, staged, at, name, RenameFlags::EXCHANGE)?;
                    let held = reads(at, staged, TEXTS[0])? && reads(at, name, TEXTS[1])?;
                    rustix::fs::unlinkat(at, staged, AtFlags::empty())?;
                    held
                }
                _ => {
                    let held = reads(at, name, TEXTS[0])?;
                    rustix::fs::unlinkat(at, name, AtFlags::empty())?;
                    held
                }
            };
            if !held {
                return Err("the link is another".into());
            }
        }
        let after = rustix::fs::fstat(bare.parent(&path)?)?;
        assert!((before.st_dev, before.st_ino) == (after.st_dev, after.st_ino));
    }
    Ok(())
}

fn through_cap_std(room: &Path, kind: &str, paths: &[String]) -> Result<()> {
    let dir = Dir::open_ambient_dir(room, cap_std::ambient_authority())?;
    for path in paths {
        match kind {
            "create" => dir.symlink(TEXTS[0], path)?,
            "no-op" if dir.read_link_contents(path)?.as_os_str() == TEXTS[0] => {}
            "no-op" => return Err("the link is another".into()),
            _ => dir.remove_file(path)?,
        }
    }
    Ok(())
}
