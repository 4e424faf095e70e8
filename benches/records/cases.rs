//! Edits with records and without.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use cap_std::ambient_authority;
use caplink::records::{Actor, Author, Records, Settings};
use caplink::{Durability, Edit, LinkPath, Plan, Policy, Root, Target};

use crate::Result;

/// Rounds of one process; an odd number.
const ROUNDS: usize = 101;

/// The bytes of a usual entry.
const ENTRY: usize = 330;

pub(super) fn author() -> Author {
    Author::new(Actor::of_this_process(), None).unwrap_or_default()
}

pub(super) fn root(dir: &Path) -> Result<Root> {
    for release in ["1", "2", "3"] {
        fs::create_dir_all(dir.join("releases").join(release))?;
    }
    Ok(Root::open_ambient(dir, Policy::default(), ambient_authority())?)
}

pub(super) fn recorded(root: &Root) -> Result<Root> {
    let (records, _) = Records::init(root, Settings::default(), &author())?;
    Ok(root.recorded(&records, author()))
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// What is printed of two ways that took turns.
fn compared(what: &str, goal: f64, base: Vec<f64>, with: Vec<f64>, scale: (f64, &str)) {
    let ratio = median(base.iter().zip(&with).map(|(base, with)| with / base).collect());
    let verdict = if ratio <= goal { "reached" } else { "MISSED" };
    let (base, with) = (median(base) * scale.0, median(with) * scale.0);
    println!("  {what:<58} {base:9.1} {with:9.1} {} {ratio:6.2}x, goal {goal}x {verdict}", scale.1);
}

/// One recorded `ensure` as a process, beside one without records and two bare appends that are synced.
pub(super) fn one_process(room: &Path) -> Result<()> {
    let (bare, kept) = (room.join("bare"), room.join("kept"));
    for dir in [&bare, &kept] {
        let _root = root(dir)?;
    }
    let _recorded = recorded(&root(&kept)?)?;
    let mut log = OpenOptions::new().append(true).create(true).open(room.join("appended"))?;
    let entry = [b'x'; ENTRY];
    let ensure = |dir: &Path, round: usize| -> Result<()> {
        let target = format!("releases/{}", 1 + round % 2);
        let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
        command.args(["ensure", "current", "--durability", "dir", "--to", &target]).current_dir(dir);
        let status = command.stdout(Stdio::null()).status()?;
        if status.success() { Ok(()) } else { Err(format!("{status}").into()) }
    };
    let (mut base, mut with) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let began = Instant::now();
        ensure(&bare, round)?;
        for _ in 0..2 {
            log.write_all(&entry)?;
            log.sync_data()?;
        }
        base.push(began.elapsed().as_secs_f64());
        let began = Instant::now();
        ensure(&kept, round)?;
        with.push(began.elapsed().as_secs_f64());
    }
    compared("one process: edit and two synced appends, recorded edit", 1.5, base, with, (1e6, "us"));
    Ok(())
}

/// A batch, without records and with them.
pub(super) fn many(room: &Path, count: usize, rounds: usize) -> Result<()> {
    let (bare, kept) = (root(&room.join("bare"))?, root(&room.join("kept"))?);
    let kept = recorded(&kept)?;
    let plan = |round: usize| -> Result<Plan> {
        let target = || Target::relative(format!("releases/{}", 1 + round % 2));
        let paths = (0..count).map(|number| LinkPath::new(format!("l{number}")));
        let edits: Vec<Edit> =
            paths.map(|path| path.map(|path| Edit::ensure(path, target()).into())).collect::<caplink::Result<_>>()?;
        Ok(Plan::new(edits).durability(Durability::Dir))
    };
    let (mut base, mut with) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let plan = plan(round)?;
        for (root, samples) in [(&bare, &mut base), (&kept, &mut with)] {
            let began = Instant::now();
            let results = root.apply_plan(&plan, &());
            samples.push(began.elapsed().as_secs_f64());
            if let Some(Err(error)) = results.into_iter().find(caplink::Result::is_err) {
                return Err(error.into());
            }
        }
    }
    compared(&format!("a batch of {count} edits: unrecorded, recorded"), 1.25, base, with, (1e3, "ms"));
    Ok(())
}
