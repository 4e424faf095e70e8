//! Logs of some length: opened, verified, asked.

use std::fs;
use std::path::Path;
use std::time::Instant;

use caplink::records::{Query, Records};
use caplink::{Edit, LinkPath, Target};

use crate::Result;
use crate::cases::{recorded, root};

/// Links that take turns, beside the one that is asked for.
const LINKS: u64 = 1000;

fn timed<T>(rounds: usize, mut act: impl FnMut() -> Result<T>) -> Result<(f64, T)> {
    let mut samples = Vec::new();
    loop {
        let began = Instant::now();
        let came = act()?;
        samples.push(began.elapsed().as_secs_f64());
        if samples.len() == rounds {
            samples.sort_by(f64::total_cmp);
            return Ok((samples[rounds / 2], came));
        }
    }
}

/// Records so many entries, each mutation being two of them, and measures what reads them.
pub(super) fn measure(room: &Path, entries: u64) -> Result<()> {
    let root = root(room)?;
    let kept = recorded(&root)?;
    let mut done = 0;
    while done < entries / 2 {
        let together = LINKS.min(entries / 2 - done);
        let target = || Target::relative(format!("releases/{}", 1 + (done / LINKS) % 2));
        let edits: Vec<Edit> = (0..together)
            .map(|number| LinkPath::new(format!("l{number}")).map(|path| Edit::ensure(path, target()).into()))
            .collect::<caplink::Result<_>>()?;
        if let Some(Err(error)) = kept.apply_all(&edits).into_iter().find(caplink::Result::is_err) {
            return Err(error.into());
        }
        done += together;
    }
    let open = || Records::open(&root)?.ok_or_else(|| "no records".into());
    let (opening, records) = timed(101, open)?;
    let (count, bytes, _) = records.extent()?;
    let (verifying, _) = timed(3, || Ok(records.verify(&[])?))?;
    let query = Query::default().link("l7")?.limit(10);
    let ask = || {
        let mut found = 0;
        records.mutations(&query, &mut |_| {
            found += 1;
            true
        })?;
        Ok(found)
    };
    let (first, _) = timed(1, ask)?;
    let (asking, found) = timed(11, ask)?;
    let index = fs::metadata(room.join(".caplink/index.redb")).map_or(0, |index| index.len());
    println!(
        "  {count:>9} entries of {:.0} bytes: opened in {:.3} ms, verified in {:.2} s, asked for {found} of one link in \
         {:.2} ms (the first time {:.0} ms; index {:.1} MB)",
        bytes as f64 / count as f64,
        opening * 1e3,
        verifying,
        asking * 1e3,
        first * 1e3,
        index as f64 / 1e6,
    );
    Ok(())
}
