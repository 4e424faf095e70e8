//! Rounds in which the ways take turns, and their medians.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::Result;
use crate::tree::Grown;
use crate::ways::{PYTHON_WAY, Run, Way, run};

/// The first one is the base of the ratios.
const WARM: &[Way] = &[
    Way::Bare(1),
    Way::Library(1),
    Way::Bare(2),
    Way::Library(2),
    Way::Program(1),
    Way::Program(2),
    Way::Ndjson,
    Way::Walkdir,
    Way::Other("find", &["-type", "l", "-printf", "%p %l %Y\n"]),
    Way::Other("find", &["-xtype", "l"]),
    Way::Other("symlinks", &["-r"]),
    PYTHON_WAY,
];

const COLD: &[Way] = &[Way::Bare(8), Way::Library(8), Way::Bare(1), Way::Library(1), Way::Program(8)];

/// How one way did.
pub(super) struct Measured {
    pub(super) way: Way,
    /// In seconds.
    pub(super) median: f64,
    pub(super) ratio: f64,
    pub(super) memory: Option<u64>,
    /// System calls an entry.
    pub(super) calls: Option<f64>,
}

pub(super) fn warm(grown: &Grown) -> Result<Vec<Measured>> {
    // The first round warms the caches.
    let rounds = if grown.counts.entries > 500_000 { 9 } else { 21 };
    let mut measured = measure(WARM, grown, 1, rounds, &|| Ok(()))?;
    for one in &mut measured {
        one.calls = calls(one.way, grown)?;
    }
    Ok(measured)
}

pub(super) fn cold(grown: &Grown) -> Result<Vec<Measured>> {
    let drop_caches = || -> Result<()> {
        rustix::fs::sync();
        Ok(std::fs::write("/proc/sys/vm/drop_caches", "3")?)
    };
    measure(COLD, grown, 0, 5, &drop_caches)
}

fn measure(
    ways: &[Way],
    grown: &Grown,
    warm_up: usize,
    rounds: usize,
    before: &dyn Fn() -> Result<()>,
) -> Result<Vec<Measured>> {
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); ways.len()];
    for round in 0..warm_up + rounds {
        // Whoever comes first in a round finds other caches: each way does in turn.
        for turn in 0..ways.len() {
            let index = (round + turn) % ways.len();
            before()?;
            match run(ways[index], grown)? {
                Some(run) if round >= warm_up => runs[index].push(run),
                Some(_) => {}
                None if round == 0 => eprintln!("SKIPPED: {}: it cannot be run", ways[index].name()),
                None => {}
            }
        }
    }
    let base: Vec<f64> = runs[0].iter().map(|run| run.took.as_secs_f64()).collect();
    let measured = ways.iter().zip(runs).filter(|(_, runs)| !runs.is_empty()).map(|(way, runs)| {
        let took: Vec<f64> = runs.iter().map(|run| run.took.as_secs_f64()).collect();
        let ratio = median(took.iter().zip(&base).map(|(one, base)| one / base).collect());
        let memory = runs.iter().filter_map(|run| run.memory).max();
        Measured { way: *way, median: median(took), ratio, memory, calls: None }
    });
    Ok(measured.collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// System calls an entry, without those that a process begins and ends with; none without `strace`.
fn calls(way: Way, grown: &Grown) -> Result<Option<f64>> {
    if !matches!(way, Way::Bare(1) | Way::Library(_) | Way::Program(_)) {
        return Ok(None);
    }
    let empty = tempfile::tempdir()?;
    let (Some(all), Some(none)) = (count(way, &grown.dir)?, count(way, empty.path())?) else { return Ok(None) };
    Ok(Some((all - none) / grown.counts.entries as f64))
}

fn count(way: Way, dir: &std::path::Path) -> Result<Option<f64>> {
    let Some(command) = way.command(dir)? else { return Ok(None) };
    let table = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "-o"]).arg(table.path()).arg(command.get_program()).args(command.get_args());
    if !strace.stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let text = std::fs::read_to_string(table.path())?;
    let rows = text.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        Some((*columns.last()?, columns.get(3)?.parse::<f64>().ok()?))
    });
    let mut by_name: BTreeMap<&str, f64> = rows.collect();
    by_name.remove("total");
    // Waiting is no work.
    by_name.remove("futex");
    Ok(Some(by_name.values().sum()))
}
