//! Where a scan is written to: in large parts, but soon enough for whoever watches.

use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use caplink::ScanProgress;
use indicatif::ProgressBar;

use super::asked::Format;
use super::progress;
use crate::cli::global::Global;
use crate::cli::output;

/// What is written at once.
const PART: usize = 64 * 1024;

/// How long what was found is kept back.
const LINGER: Duration = Duration::from_millis(200);

/// Stdout, and the progress line that must not get in its way.
pub(super) struct Out {
    pub(super) buffer: Vec<u8>,
    /// Whether what is shown to people may have styles.
    pub(super) is_coloured: bool,
    to: Box<dyn Write>,
    flushed: Instant,
    bar: Option<ProgressBar>,
}

impl Out {
    pub(super) fn new(format: Format, global: &Global, progress: ScanProgress) -> Out {
        let is_coloured = format == Format::Text && output::is_coloured(global.color);
        // Without colours nothing is to be taken out again.
        let to: Box<dyn Write> = match is_coloured {
            true => Box::new(output::stdout(global.color)),
            false => output::raw_stdout(),
        };
        let is_watched = io::stderr().is_terminal() && global.quiet == 0;
        let bar = is_watched.then(|| progress::line(progress));
        Out { buffer: Vec::new(), is_coloured, to, flushed: Instant::now(), bar }
    }

    /// Writes what has waited long enough, or is much.
    pub(super) fn passed(&mut self) -> io::Result<()> {
        let is_due = self.buffer.len() >= PART || (!self.buffer.is_empty() && self.flushed.elapsed() >= LINGER);
        if is_due { self.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Out { buffer, to, bar, .. } = self;
        let mut write = || to.write_all(buffer).and_then(|()| to.flush());
        let written = match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        self.buffer.clear();
        self.flushed = Instant::now();
        written
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
