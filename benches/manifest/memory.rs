//! How much memory an entry takes, by the most that the program had.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

use crate::Result;
use crate::ground::{Ground, SIDES};
use crate::place::Place;

/// Says that this process starts one program and tells what it took.
pub(super) const CHILD: &str = "--memory-of";

/// The most that an entry should take, in bytes.
const GOAL: usize = 1024;

/// Runs a program, and prints the most memory that it had, in KiB.
pub(super) fn child(command: &[String]) -> Result<()> {
    let status = Command::new(&command[0]).args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss());
    Ok(())
}

/// The most memory that a verb had on a ground, in bytes.
fn of_verb(ground: &Ground, verb: &[&str]) -> Result<usize> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(CHILD).arg(env!("CARGO_BIN_EXE_caplink")).args([OsStr::new("-C"), ground.dir.as_os_str()]).args(verb);
    let output = command.output()?;
    let text = String::from_utf8(output.stdout)?;
    let kib: usize = text.trim().parse().map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(kib * 1024)
}

pub(super) fn measure(place: &Place, sizes: &[usize]) -> Result<()> {
    let links = *sizes.last().ok_or("no sizes")?;
    let fewer = links / 10;
    println!("\nmemory, {links} links beside {fewer}");
    let few = Ground::new(place.room("few")?, fewer)?;
    let many = Ground::new(place.room("many")?, links)?;
    let verbs: [(&str, &[&str]); 9] = [
        ("plan", &["plan"]),
        ("first apply", &["apply"]),
        ("nothing to do, index to be made", &["apply"]),
        ("nothing to do, index standing", &["apply"]),
        ("status", &["status"]),
        ("plan of a flip, JSON", &["--json", "plan"]),
        ("flip", &["apply"]),
        ("plan of taking back, JSON", &["--json", "-n", "unapply"]),
        ("unapply", &["unapply"]),
    ];
    for (name, verb) in verbs {
        if name == "plan of a flip, JSON" {
            few.declare(SIDES[1])?;
            many.declare(SIDES[1])?;
        }
        let (base, with) = (of_verb(&few, verb)?, of_verb(&many, verb)?);
        let each = with.saturating_sub(base) / (links - fewer);
        let verdict = if each <= GOAL { "reached" } else { "MISSED" };
        println!("  {name:<58} {:8} KiB, {each} bytes an entry, goal {GOAL} {verdict}", with / 1024);
    }
    Ok(())
}
