//! Eight writers count on one link, each by compare-and-swap, while a reader looks at it all the time.
//!
//! The link's text is the count. An update that is lost shows in the end: the count is less than the successes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use caplink::{Edit, Kind, LinkPath, Policy, Root, Target};

use crate::Result;
use crate::bare::{self, Bare};
use crate::clock::{given, median, pin};
use crate::place::Place;

pub(super) const OPERATION: &str = "eight writers on one link";

const WRITERS: usize = 8;

/// How long one turn takes, and how many each way has; an odd number.
const TURN: Duration = Duration::from_millis(1000);
const TURNS: usize = 5;

/// The least that caplink should reach of the rate of the same calls.
pub(super) const GOAL: f64 = 0.95;

/// How the ways did: swaps a second.
pub(super) struct Measured {
    /// The same calls, with a lock that blocks.
    pub(super) bare: f64,
    /// Lock, compare and rename alone.
    pub(super) least: f64,
    pub(super) caplink: f64,
    pub(super) ratio: f64,
    pub(super) reads: u64,
}

/// Tries to change the text from the second to the third; false if another writer was first.
type Swap<'a> = &'a (dyn Fn(usize, &str, &str) -> Result<bool> + Sync);

pub(super) fn measure(place: &Place) -> Result<Measured> {
    let room = place.room("writers")?;
    let root = Root::open_ambient(&room, Policy::default(), cap_std::ambient_authority())?;
    let through_caplink = |_: usize, old: &str, new: &str| {
        let edit = Edit::swap(LinkPath::new("count")?, Target::verbatim(new), old);
        match root.apply(&edit.unjudged(true)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::Mismatch => Ok(false),
            Err(error) => Err(error.into()),
        }
    };
    let by_hand =
        |writer: usize, old: &str, new: &str| Ok(bare::locked_swap(&room, &format!(".{writer}"), "count", old, new)?);
    let opened = Bare::new(&room)?;
    let same_calls = |writer: usize, old: &str, new: &str| {
        Ok(bare::locked_exchange(&opened, (".", "count"), &format!(".staged-{writer:032x}"), old, new)?)
    };
    let (mut bare, mut least, mut caplink, mut ratios, mut reads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..TURNS {
        let [by_hand, same, through] =
            [turn(&room, &by_hand)?, turn(&room, &same_calls)?, turn(&room, &through_caplink)?];
        reads += by_hand.1 + same.1 + through.1;
        least.push(by_hand.0);
        bare.push(same.0);
        caplink.push(through.0);
        ratios.push(through.0 / same.0);
    }
    let (bare, least, caplink) = (median(bare), median(least), median(caplink));
    Ok(Measured { bare, least, caplink, ratio: median(ratios), reads })
}

/// Returns the swaps a second and the number of looks at the link.
fn turn(room: &Path, swap: Swap<'_>) -> Result<(f64, u64)> {
    let link = room.join("count");
    let _missing_at_first = std::fs::remove_file(&link);
    std::os::unix::fs::symlink("0", &link)?;
    let (stop, swaps) = (AtomicBool::new(false), AtomicU64::new(0));
    let began = Instant::now();
    let write = |writer: usize| -> std::result::Result<(), String> {
        let told = |error: Box<dyn std::error::Error>| error.to_string();
        pin(writer).map_err(told)?;
        while !stop.load(Ordering::Relaxed) {
            let old = count(&link)?;
            if swap(writer, &old.to_string(), &(old + 1).to_string()).map_err(told)? {
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    let read = || -> std::result::Result<u64, String> {
        let (mut reads, mut last) = (0, 0);
        while !stop.load(Ordering::Relaxed) {
            let now = count(&link)?;
            if now < last {
                return Err(format!("the count went back from {last} to {now}"));
            }
            (reads, last) = (reads + 1, now);
        }
        Ok(reads)
    };
    let reads = std::thread::scope(|scope| -> Result<u64> {
        let reader = scope.spawn(read);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn({
                    let write = &write;
                    move || write(writer)
                })
            })
            .collect();
        while began.elapsed() < TURN && !reader.is_finished() && !writers.iter().any(|writer| writer.is_finished()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().map_err(|_| "a writer panicked")??;
        }
        Ok(reader.join().map_err(|_| "the reader panicked")??)
    })?;
    let (swaps, took) = (swaps.into_inner(), began.elapsed());
    let counted = count(&link)?;
    if counted != swaps {
        return Err(format!("{swaps} swaps succeeded and the link counts {counted}: updates were lost").into());
    }
    Ok((swaps as f64 / took.as_secs_f64(), reads))
}

/// A link that is absent for a moment is an error.
fn count(link: &Path) -> std::result::Result<u64, String> {
    let text = std::fs::read_link(link).map_err(|error| format!("the link was absent: {error}"))?;
    text.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| format!("the link reads {}", text.display()))
}

/// For the report.
pub(super) fn processors() -> Result<usize> {
    Ok(given()?.len())
}
