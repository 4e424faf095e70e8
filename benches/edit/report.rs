//! The tables, and which goals were reached.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use crate::Result;
use crate::cases::Group;
use crate::clock::Measured;
use crate::place::Place;
use crate::trace::Calls;
use crate::{batches, process, writers};

/// What was printed, and what is to be said at the end.
pub(super) struct Report {
    goals: String,
}

impl Report {
    pub(super) fn begin() -> Result<Report> {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let cpus = std::fs::read_to_string("/proc/cpuinfo")?;
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
        say(&format!("Linux {}, {} processors,{}", kernel.trim(), writers::processors()?, model.replace("\t:", "")))?;
        Ok(Report { goals: String::new() })
    }

    pub(super) fn place(&self, place: &Place) -> Result<()> {
        say(&format!("\n== {} ==", place.name))
    }

    pub(super) fn group(&mut self, place: &Place, group: &Group, measured: &[Measured], calls: &[Calls]) -> Result<()> {
        say(&format!("\n{:<44} {:>9} {:>7}  {:>5}", group.operation, "median", "ratio", "calls"))?;
        for ((way, measured), calls) in group.ways.iter().zip(measured).zip(calls) {
            let counted = calls.as_ref().map_or_else(|| "no strace".to_owned(), told);
            say(&format!("  {:<42} {} {:>6.2}x  {counted}", way.name, time(measured.median), measured.ratio))?;
        }
        let at = |name: &str| group.ways.iter().position(|way| way.name == name);
        if let (Some(limit), Some(caplink)) = (group.goal, at("caplink")) {
            self.goal(place, group.operation, measured[caplink].ratio, limit, true)?;
        } else if let (Some([Some(bare), Some(caplink)]), None) = (calls.first_chunk(), group.goal) {
            let sum = |calls: &std::collections::BTreeMap<String, f64>| calls.values().sum::<f64>();
            self.goal(place, &format!("{}: calls", group.operation), sum(caplink) / sum(bare), 1.0, true)?;
        }
        Ok(())
    }

    pub(super) fn batches(&mut self, place: &Place, measured: &[batches::Measured]) -> Result<()> {
        for batches::Measured { kind, goal, ways } in measured {
            say(&format!("\n{:<44} {:>9} {:>7}", format!("{}, {kind}", batches::OPERATION), "an edit", "ratio"))?;
            for (name, time_of_one, ratio) in ways {
                say(&format!("  {name:<42} {} {ratio:>6.2}x", time(*time_of_one)))?;
            }
            self.goal(place, &format!("{}, {kind}", batches::OPERATION), ways[1].2, *goal, true)?;
        }
        Ok(())
    }

    pub(super) fn writers(&mut self, place: &Place, measured: &writers::Measured) -> Result<()> {
        say(&format!("\n{:<44} {:>9} {:>7}", writers::OPERATION, "swaps/s", "ratio"))?;
        say(&format!("  {:<42} {:>9.0} {:>6.2}x", "the same calls, with a lock that blocks", measured.bare, 1.0))?;
        let least = measured.least / measured.bare;
        say(&format!("  {:<42} {:>9.0} {:>6.2}x", "flock, compare, rename", measured.least, least))?;
        say(&format!("  {:<42} {:>9.0} {:>6.2}x", "caplink", measured.caplink, measured.ratio))?;
        say(&format!("  no update lost; {} reads, the link never absent, its count never back", measured.reads))?;
        self.goal(place, writers::OPERATION, measured.ratio, writers::GOAL, false)
    }

    pub(super) fn processes(&mut self, place: &Place, measured: Option<&Vec<process::Measured>>) -> Result<()> {
        let Some(measured) = measured else {
            return say("\nSKIPPED: one process: there is no static program that knows `ensure`");
        };
        say(&format!("\n{:<44} {:>9} {:>7}", process::OPERATION, "median", "ratio"))?;
        for one in measured {
            say(&format!("  {:<42} {} {:>6.2}x", one.name, time(one.median), one.ratio))?;
        }
        for one in measured {
            if let Some(goal) = one.goal {
                self.goal(place, one.name, one.ratio, goal, true)?;
            }
        }
        Ok(())
    }

    fn goal(&mut self, place: &Place, what: &str, found: f64, limit: f64, at_most: bool) -> Result<()> {
        let (word, reached) = if at_most { ("at most", found <= limit) } else { ("at least", found >= limit) };
        let verdict = if reached { "reached" } else { "MISSED " };
        Ok(writeln!(self.goals, "{verdict} {found:.2}x, {word} {limit:.2}x: {what} ({})", place.name)?)
    }

    pub(super) fn goals(&self) -> Result<()> {
        say(&format!("\n{}", self.goals.trim_end()))
    }
}

fn told(calls: &std::collections::BTreeMap<String, f64>) -> String {
    let mut text = format!("{:>5.4}  ", calls.values().sum::<f64>().to_string());
    for (name, each) in calls {
        let _never_fails = if *each == 1.0 { write!(text, "{name} ") } else { write!(text, "{each}x{name} ") };
    }
    text.trim_end().to_owned()
}

fn time(of: Duration) -> String {
    let micros = of.as_secs_f64() * 1e6;
    if micros < 100.0 { format!("{micros:>6.2} us") } else { format!("{micros:>6.0} us") }
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
