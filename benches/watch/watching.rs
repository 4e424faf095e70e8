//! The program as it watches a tree.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// Breaks that are measured; an odd number.
const BREAKS: usize = 101;

/// From a break to its line, in milliseconds.
const GOAL: f64 = 20.0;

/// How long links are renamed without a pause, and how many in each directory.
const STORM: Duration = Duration::from_secs(10);
const STORMY: usize = 50;

/// How long a link is not told again.
const GAP: Duration = Duration::from_millis(120);

struct Watching {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn caplink(root: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
    command.current_dir(root).env_remove("CAPLINK_ROOT").env_remove("CAPLINK_STATE").stdin(Stdio::null()).args(words);
    command
}

impl Watching {
    fn begin(root: &Path, interval: &str) -> Result<Watching> {
        let mut child = caplink(root, &["watch", "--interval", interval]).stdout(Stdio::piped()).spawn()?;
        let out = BufReader::new(child.stdout.take().ok_or("it has no stdout")?);
        Ok(Watching { child, out })
    }

    /// Reads up to a line of this event.
    fn until(&mut self, event: &str) -> Result<()> {
        let wanted = format!("{{\"event\":\"{event}\"");
        while !self.line()?.starts_with(&wanted) {}
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.out.read_line(&mut line)? == 0 {
            return Err("it ended".into());
        }
        Ok(line)
    }

    fn memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let told = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("it has ended")?;
        Ok(told.trim().trim_end_matches(" kB").parse()?)
    }
}

/// The processor time of a process so far, in seconds.
fn processor(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no such process")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}

pub(super) fn measure(root: &Path, idle: u64) -> Result<()> {
    let began = Instant::now();
    let mut watching = Watching::begin(root, "24h")?;
    watching.until("look")?;
    let pid = watching.child.id();
    println!(
        "  start: {:.2} s, {:.2} s of a processor; memory {} KiB",
        began.elapsed().as_secs_f64(),
        processor(pid)?,
        watching.memory()?,
    );

    let mut samples = Vec::new();
    for round in 0..BREAKS {
        let file = root.join(format!("d{}/f{}", round % 70, round % 50));
        let began = Instant::now();
        fs::remove_file(&file)?;
        watching.until("link")?;
        samples.push(began.elapsed().as_secs_f64() * 1e3);
        thread::sleep(GAP);
        fs::write(&file, "")?;
        watching.until("link")?;
    }
    samples.sort_by(f64::total_cmp);
    let median = samples[BREAKS / 2];
    let verdict = if median <= GOAL { "reached" } else { "MISSED" };
    println!(
        "  from a break to its line: {median:.2} ms, 9 of 10 within {:.2} ms, goal {GOAL} ms {verdict}",
        samples[BREAKS * 9 / 10]
    );

    let before = processor(pid)?;
    thread::sleep(Duration::from_secs(idle));
    println!("  left alone for {idle} s: {:.2} s of a processor", processor(pid)? - before);
    drop(watching);

    let (mut looks, mut scans) = (Vec::new(), Vec::new());
    let mut watching = Watching::begin(root, "1s")?;
    watching.until("look")?;
    for _ in 0..3 {
        let before = processor(watching.child.id())?;
        watching.until("look")?;
        looks.push(processor(watching.child.id())? - before);
    }
    drop(watching);
    for _ in 0..3 {
        scans.push(scan(root)?);
    }
    looks.sort_by(f64::total_cmp);
    scans.sort_by(f64::total_cmp);
    println!(
        "  a look at everything: {:.2} s of a processor; scan as a process {:.2} s; {:.2}x",
        looks[1],
        scans[1],
        looks[1] / scans[1].max(0.01)
    );
    storm(root)
}

/// Two threads rename links as fast as they can while it watches and its lines are read; then the last state has to come.
fn storm(root: &Path) -> Result<()> {
    let mut watching = Watching::begin(root, "24h")?;
    watching.until("look")?;
    let memory = watching.memory()?;
    let (over, changes) = (AtomicBool::new(false), AtomicU64::new(0));
    let Seen { time, used, lines, most } = thread::scope(|scope| {
        for dir in ["d1", "d2"] {
            let (over, changes, dir) = (&over, &changes, root.join(dir));
            scope.spawn(move || changes.fetch_add(renaming(&dir, over), Relaxed));
        }
        let seen = read(&mut watching);
        over.store(true, Relaxed);
        seen
    })?;
    let ended = Instant::now();
    std::os::unix::fs::symlink("nothing", root.join("d0/last"))?;
    while !watching.line()?.contains("d0/last") {}
    println!(
        "  {:.0} changes a second for {time:.0} s: {:.2} of a processor, {:.0} lines a second, memory {memory} KiB before and \
         {most} KiB at most; a link that is made then is told after {:.2} s",
        changes.load(Relaxed) as f64 / time,
        used / time,
        lines as f64 / time,
        ended.elapsed().as_secs_f64(),
    );
    Ok(())
}

/// What was seen of the program while its lines were read.
struct Seen {
    time: f64,
    used: f64,
    lines: u64,
    most: u64,
}

fn read(watching: &mut Watching) -> Result<Seen> {
    let pid = watching.child.id();
    let (before, began) = (processor(pid)?, Instant::now());
    let (mut lines, mut most) = (0_u64, 0);
    // Lines come all the time.
    while began.elapsed() < STORM {
        watching.line()?;
        lines += 1;
        if lines.is_multiple_of(100) {
            most = watching.memory()?.max(most);
        }
    }
    Ok(Seen { time: began.elapsed().as_secs_f64(), used: processor(pid)? - before, lines, most })
}

/// Renames links to and fro until it is over; returns how often.
fn renaming(dir: &Path, over: &AtomicBool) -> u64 {
    let name = |letter: char, link: usize| dir.join(format!("{letter}{link}"));
    let names: Vec<_> = (0..STORMY).map(|link| [name('l', link), name('r', link)]).collect();
    let mut changes = 0;
    while !over.load(Relaxed) {
        for back in [false, true] {
            for [one, other] in &names {
                let (from, to) = if back { (other, one) } else { (one, other) };
                changes += u64::from(fs::rename(from, to).is_ok());
            }
        }
    }
    changes
}

/// The processor time of a scan, as it was last seen.
fn scan(root: &Path) -> Result<f64> {
    let mut child = caplink(root, &["scan", "-j", "1", "--format", "ndjson"]).stdout(Stdio::null()).spawn()?;
    let mut last = 0.0;
    while child.try_wait()?.is_none() {
        last = processor(child.id()).unwrap_or(last).max(last);
        thread::sleep(Duration::from_millis(5));
    }
    Ok(last)
}
