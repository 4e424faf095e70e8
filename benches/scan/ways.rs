//! The ways to scan: each is a process of its own.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use caplink::{Policy, Root, ScanOptions, Status, Trait};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::tree::{Counts, Grown};
use crate::{Result, bare};

/// Begins the command line of a child that scans.
pub(super) const CHILD: &str = "--scan";

/// What a Python script does that looks for broken links.
const PYTHON: &str = "
import os, sys
def walk(path):
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_symlink():
                text = os.readlink(entry.path)
                print(entry.path, text, os.path.exists(entry.path))
            elif entry.is_dir(follow_symlinks=False):
                walk(entry.path)
walk(sys.argv[1])
";

/// A way to scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Bare(usize),
    Library(usize),
    /// The program, with its text report.
    Program(usize),
    /// The program, with one line of JSON a link.
    Ndjson,
    Walkdir,
    Other(&'static str, &'static [&'static str]),
}

impl Way {
    pub(super) fn name(self) -> String {
        let threads = |count: usize| if count == 1 { "1 thread".to_owned() } else { format!("{count} threads") };
        match self {
            Way::Bare(count) => format!("bare calls, {}", threads(count)),
            Way::Library(count) => format!("Root::scan, {}", threads(count)),
            Way::Program(count) => format!("caplink scan -j {count}"),
            Way::Ndjson => "caplink scan --format ndjson".to_owned(),
            Way::Walkdir => "walkdir, and exists for each link".to_owned(),
            Way::Other("python3", _) => "os.scandir of Python".to_owned(),
            Way::Other(program, arguments) => {
                let shown: Vec<_> = arguments.iter().map(|argument| argument.replace('\n', "\\n")).collect();
                format!("{program} {}", shown.join(" "))
            }
        }
    }

    fn threads(self) -> usize {
        match self {
            Way::Bare(count) | Way::Library(count) | Way::Program(count) => count,
            _ => 1,
        }
    }

    /// The command that scans this way, if it can be run.
    pub(super) fn command(self, dir: &Path) -> Result<Option<Command>> {
        let child = |way: &str, threads: usize| -> Result<Command> {
            let mut command = Command::new(std::env::current_exe()?);
            command.args([CHILD, way, &threads.to_string()]).arg(dir);
            Ok(command)
        };
        Ok(Some(match self {
            Way::Bare(threads) => child("bare", threads)?,
            Way::Library(threads) => child("library", threads)?,
            Way::Walkdir => child("walkdir", 1)?,
            Way::Program(_) | Way::Ndjson => {
                let Some(program) = option_env!("CARGO_BIN_EXE_caplink") else { return Ok(None) };
                let mut command = Command::new(program);
                command.arg("-C").arg(dir).args(["scan", "-q", "-j", &self.threads().to_string()]);
                command.args(if self == Way::Ndjson { &["--format", "ndjson"][..] } else { &[] });
                command
            }
            Way::Other(program, arguments) => {
                let mut command = Command::new(program);
                if program == "find" {
                    command.arg(dir).args(arguments);
                } else {
                    command.args(arguments).arg(dir);
                }
                command
            }
        }))
    }
}

pub(super) const PYTHON_WAY: Way = Way::Other("python3", &["-c", PYTHON]);

/// How one run went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) took: Duration,
    /// The peak memory, in KiB; told by the children that measure themselves.
    pub(super) memory: Option<u64>,
}

/// Runs a way once, and checks what it counted; none where the program is missing.
pub(super) fn run(way: Way, grown: &Grown) -> Result<Option<Run>> {
    let Some(mut command) = way.command(&grown.dir)? else { return Ok(None) };
    pin(way.threads())?;
    let began = Instant::now();
    let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else { return Ok(None) };
    let mut said = Vec::new();
    child.stdout.take().ok_or("no output")?.read_to_end(&mut said)?;
    let status = child.wait()?;
    let took = began.elapsed();
    if !matches!(way, Way::Bare(_) | Way::Library(_) | Way::Walkdir) {
        // `caplink scan` ends with 0, find with 1 only where something could not be read.
        let failed = !status.success() && !matches!(way, Way::Other("symlinks", _));
        return if failed {
            Err(format!("{} ended with {status}", way.name()).into())
        } else {
            Ok(Some(Run { took, memory: None }))
        };
    }
    let said = String::from_utf8(said)?;
    let numbers: Vec<u64> = said.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?;
    let [nanoseconds, memory, entries, ok, dangling, escape, chain] = numbers[..] else {
        return Err(format!("{} said `{said}`", way.name()).into());
    };
    let counts = Counts { entries, ok, dangling, escape, chain };
    if counts != grown.counts && way != Way::Walkdir {
        return Err(format!("{} counted {counts:?}, there are {:?}", way.name(), grown.counts).into());
    }
    Ok(Some(Run { took: Duration::from_nanos(nanoseconds), memory: Some(memory) }))
}

/// Scans, and says how long that took and what it came to.
pub(super) fn child(arguments: &[String]) -> Result<()> {
    let [way, threads, dir] = arguments else { return Err("a child is told a way, threads and a directory".into()) };
    let (threads, dir) = (threads.parse()?, Path::new(dir));
    let began = Instant::now();
    let counts = match way.as_str() {
        "bare" if threads == 1 => bare::scan(dir)?,
        "bare" => bare::scan_together(dir, threads)?,
        "library" => library(dir, threads)?,
        _ => walkdir(dir)?,
    };
    let took = began.elapsed();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak")?;
    let peak = peak.split_whitespace().next().ok_or("no peak")?;
    let Counts { entries, ok, dangling, escape, chain } = counts;
    println!("{} {peak} {entries} {ok} {dangling} {escape} {chain}", took.as_nanos());
    Ok(())
}

fn library(dir: &Path, threads: usize) -> Result<Counts> {
    let root = Root::open_ambient(dir, Policy::default(), cap_std::ambient_authority())?;
    let mut scan = root.scan(".", ScanOptions::default().jobs(threads))?;
    for found in &mut scan {
        std::hint::black_box(found?);
    }
    let summary = scan.summary();
    let chain = summary.with_trait(Trait::Chain);
    Ok(Counts {
        entries: summary.entries,
        ok: summary.with_status(Status::Ok) - chain,
        dangling: summary.with_status(Status::Dangling),
        escape: summary.with_status(Status::Escape),
        chain,
    })
}

/// It knows only whether something is there, by whatever way.
fn walkdir(dir: &Path) -> Result<Counts> {
    let mut counts = Counts::default();
    for entry in walkdir::WalkDir::new(dir).min_depth(1) {
        let entry = entry?;
        counts.entries += 1;
        if entry.path_is_symlink() {
            std::hint::black_box(std::fs::read_link(entry.path())?);
            match entry.path().exists() {
                true => counts.ok += 1,
                false => counts.dangling += 1,
            }
        }
    }
    Ok(counts)
}

/// Keeps this process, and what it starts, on as many processors.
pub(super) fn pin(count: usize) -> Result<()> {
    static GIVEN: std::sync::OnceLock<CpuSet> = std::sync::OnceLock::new();
    let now = sched_getaffinity(None)?;
    let given = GIVEN.get_or_init(|| now);
    let mut some = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|index| given.is_set(*index)).take(count).for_each(|index| some.set(index));
    Ok(sched_setaffinity(None, &some)?)
}
