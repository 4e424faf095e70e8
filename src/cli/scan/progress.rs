//! The line that says how far a scan has come, for whoever waits at a terminal.

use std::fmt::Write;
use std::time::{Duration, Instant};

use caplink::ScanProgress;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// How often the line is drawn.
const TICK: Duration = Duration::from_millis(150);

/// Draws the line on stderr until it is cleared.
pub(super) fn line(progress: ScanProgress) -> ProgressBar {
    let started = Instant::now();
    let counts = move |_: &ProgressState, out: &mut dyn Write| {
        let _unheard = out.write_str(&counted(&progress, started.elapsed()));
    };
    let style = ProgressStyle::with_template("{spinner} {counts}").expect("BUG: the template is fixed");
    let bar = ProgressBar::new_spinner().with_style(style.with_key("counts", counts));
    bar.enable_steady_tick(TICK);
    bar
}

fn counted(progress: &ScanProgress, elapsed: Duration) -> String {
    let (links, entries, dirs) = (progress.links(), progress.entries(), progress.dirs());
    let rate = u128::from(entries) * 1000 / elapsed.as_millis().max(1);
    format!("links: {links}, entries: {entries}, directories: {dirs}, {rate} entries/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_moment_has_a_rate() {
        let line = counted(&ScanProgress::default(), Duration::ZERO);
        assert_eq!(line, "links: 0, entries: 0, directories: 0, 0 entries/s");
    }
}
