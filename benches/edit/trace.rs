//! The system calls of one run: two children that differ only in how often they run it, both under `strace -f -c`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::cases::{Group, groups};
use crate::place::Place;

/// Begins the command line of a child.
pub(super) const CHILD: &str = "--repeat";

/// How often the two children run it. Even, and no more than there are names.
const RUNS: [usize; 2] = [64, 192];

/// Calls of one run, by name; none without `strace`.
pub(super) type Calls = Option<BTreeMap<String, f64>>;

/// Counts the calls of each way of an operation.
pub(super) fn calls(group: &Group, place: &Place) -> Result<Vec<Calls>> {
    group
        .ways
        .iter()
        .map(|way| {
            let counted =
                RUNS.map(|runs| count(&place.room("trace")?, &[group.operation, way.name, &runs.to_string()]));
            let [few, many] = counted;
            let (Some(few), Some(many)) = (few?, many?) else { return Ok(None) };
            let per_run = |(name, count): (String, f64)| {
                let each = (count - few.get(&name).copied().unwrap_or(0.0)) / (RUNS[1] - RUNS[0]) as f64;
                // What a run does now and then belongs to the allocator.
                (each >= 0.25).then_some((name, each))
            };
            Ok(Some(many.clone().into_iter().filter_map(per_run).collect()))
        })
        .collect()
}

fn count(room: &Path, what: &[&str]) -> Result<Calls> {
    let table = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(table.path());
    let Ok(status) = strace.arg(std::env::current_exe()?).arg(CHILD).arg(room).args(what).status() else {
        return Ok(None);
    };
    if !status.success() {
        return Err(format!("the traced child ended with {status}").into());
    }
    let text = std::fs::read_to_string(table.path())?;
    let rows = text.lines().filter_map(|line| {
        // % time, seconds, microseconds a call, calls, errors (or nothing), name
        let columns: Vec<&str> = line.split_whitespace().collect();
        let name = columns.last()?.trim_end_matches("at64").to_owned();
        Some((name, columns.get(3)?.parse().ok()?))
    });
    Ok(Some(rows.filter(|(name, _)| name != "total").collect()))
}

/// Carries out one way of one operation the given number of times.
pub(super) fn child(arguments: &[String]) -> Result<()> {
    let [room, operation, name, runs] = arguments else { return Err("a child takes four arguments".into()) };
    let mut groups = groups(Path::new(room))?;
    let group = groups.iter_mut().find(|group| group.operation == operation).ok_or("no such operation")?;
    let way = group.ways.iter_mut().find(|way| way.name == name).ok_or("no such way")?;
    (0..runs.parse()?).try_for_each(|index| (way.run)(index))
}
