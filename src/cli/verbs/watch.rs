//! `caplink watch`: stays, and prints a line for each change.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use caplink::watch::{Event, Judge, Judged, RecordsGauges, Watch, WatchOptions, What};
use caplink::{Kind, Root};
use clap::{Args, ValueHint, value_parser};

use crate::cli::context::Context;
use crate::cli::ending::{self, Asked};
use crate::cli::files::{self, Replaced};
use crate::cli::manifests::read as read_manifest;
use crate::cli::output;
use crate::cli::problem::Problem;
use crate::cli::report::Report;
use crate::cli::service::Service;
use crate::cli::{duration, global::Color};
use caplink::records::Records;

/// How long it waits at most where nothing is to be done.
const LONG: Duration = Duration::from_secs(3600);

/// How often at most the metrics file is written between two looks at everything.
const WRITE: Duration = Duration::from_secs(1);

/// How long after it could not be written it is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink watch
  caplink -C /srv/app watch --interval 1m
  caplink watch releases --metrics-file /var/lib/node_exporter/caplink.prom";

/// Stay, and print a line of JSON for each change of a link below DIR
///
/// First comes a line for each link that is not well. SIGHUP has the manifest read anew; SIGTERM, SIGINT and a closed stdout
/// end it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchVerb {
    /// Where to look, below the root
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    #[arg(value_parser = value_parser!(OsString))]
    dir: OsString,
    /// Look at everything this often, at least each second [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    interval: Option<Duration>,
    /// Watch the entries of this manifest too [default: $CAPLINK_MANIFEST, else caplink.toml in the root]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    manifest: Option<PathBuf>,
    /// Keep the numbers of `metrics` in FILE, which is replaced as a whole
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    metrics_file: Option<PathBuf>,
}

fn interval(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Some(interval) if interval >= Duration::from_secs(1) => Ok(interval),
        Some(_) => Err("it is less than a second".to_owned()),
        None => Err("it is no duration, as `30s`, `5m` or `1h`".to_owned()),
    }
}

impl WatchVerb {
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let mut report = Report::new("watch", context);
        let read = |root: &Root| judge(context, root, self.manifest.as_deref());
        let Some(mut stay) = self.begin(context, &mut report, &read) else {
            return output::print(&report, &context.global);
        };
        let written = stay.run(&mut report, &read);
        // A reader that went away has seen enough.
        let written = written.or_else(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(error),
        });
        output::close(&report, &context.global, written)
    }

    fn begin(&self, context: &Context, report: &mut Report, read: Read<'_>) -> Option<Stay> {
        if report.refuses_json(context) {
            return None;
        }
        let service = Arc::new(Service::of_this_process());
        let asked = match ending::listen(&service) {
            Ok(asked) => asked,
            Err(source) => {
                report.errors.push(Problem::new(Kind::from(&source), format!("cannot listen for signals: {source}")));
                return None;
            }
        };
        let dry_run = context.global.dry_run;
        let file = match self.metrics_file.as_ref().map(|path| open(path, dry_run)).transpose() {
            Ok(file) => file.filter(|_| !dry_run),
            Err(problem) => {
                report.errors.push(*problem);
                return None;
            }
        };
        let root = report.opened(context.look_with_state())?;
        let options = self.interval.map_or_else(WatchOptions::default, |time| WatchOptions::default().interval(time));
        let judge = match read(&root) {
            Ok(judge) => judge,
            Err(problems) => {
                report.errors.extend(problems);
                return None;
            }
        };
        let mut watch = match Watch::begin(&root, &self.dir, options) {
            Ok(watch) => watch,
            Err(error) => {
                report.error(&error);
                return None;
            }
        };
        watch.judge_entries(judge);
        asked.wakes(watch.waker());
        let color = context.global.color;
        Some(Stay { watch, root, records: None, asked, service, file, color, due: None, is_unwritten: false })
    }
}

/// Reads what the entries of the manifest are judged by.
type Read<'a> = &'a dyn Fn(&Root) -> Result<Option<Judge>, Vec<Problem>>;

fn judge(context: &Context, root: &Root, named: Option<&Path>) -> Result<Option<Judge>, Vec<Problem>> {
    let Some(read) = read_manifest(context, root, named)? else { return Ok(None) };
    if let Some(warning) = read.source.warning {
        output::note(&warning, context.global.color);
    }
    let manifest = read.manifest;
    Ok(Some(Box::new(move |root| Judged::of(root, &manifest))))
}

/// Opens what is replaced. What will not do however long it is tried is refused at once.
fn open(path: &PathBuf, dry_run: bool) -> Result<Replaced, Box<Problem>> {
    let shown = caplink::printable(path);
    if path.as_os_str() == "-" {
        let message = "the metrics cannot go to stdout, where the events go";
        return Err(Box::new(Problem::new(Kind::Usage, message)));
    }
    let tried = Replaced::at(path).and_then(|file| match Some(&file).filter(|_| !dry_run).map(Replaced::try_out) {
        Some(Err(source)) if matches!(Kind::from(&source), Kind::Permission | Kind::ReadOnly) => Err(source),
        _ => Ok(file),
    });
    tried.map_err(|source| {
        let kind = files::kind(&source);
        let problem = Problem::new(kind, format!("cannot write the metrics file `{shown}`: {source}"));
        let hint = match kind {
            Kind::Usage => "name a file, as `--metrics-file DIR/caplink.prom`",
            Kind::NotFound => "its directory has to be there before",
            _ => return Box::new(problem),
        };
        Box::new(problem.hinted(Some(hint.to_owned())))
    })
}

/// A watch that goes on.
struct Stay {
    watch: Watch,
    root: Root,
    records: Option<Records>,
    asked: Arc<Asked>,
    service: Arc<Service>,
    file: Option<Replaced>,
    color: Color,
    /// When the metrics file is to be written again.
    due: Option<Instant>,
    /// It could not be written the last time.
    is_unwritten: bool,
}

impl Stay {
    /// Prints until it is to end.
    fn run(&mut self, report: &mut Report, read: Read<'_>) -> io::Result<()> {
        let mut out = output::raw_stdout();
        let (mut alive, mut is_ready) = (None, false);
        let mut written = Ok(());
        while written.is_ok() && !self.asked.to_end() {
            self.service.alive(&mut alive);
            if self.asked.to_read_anew() {
                if is_ready {
                    self.service.reloading();
                }
                match read(&self.root) {
                    Ok(judge) => self.watch.judge_entries(judge),
                    // The one that was read before stays.
                    Err(problems) => problems.iter().for_each(|problem| {
                        output::note(
                            &format!("the manifest was not read anew: {}", problem.reported.message),
                            self.color,
                        );
                    }),
                }
                if is_ready {
                    self.service.ready();
                }
            }
            match self.watch.next(self.wait()) {
                Ok(Some(event)) => {
                    written = print(&mut out, &event);
                    let is_look = matches!(event.what, What::Look { .. });
                    self.count(is_look);
                    if is_look && !is_ready {
                        is_ready = true;
                        self.service.ready();
                    }
                }
                Ok(None) => self.write_due(),
                Err(error) => {
                    report.root_error(&error);
                    break;
                }
            }
        }
        self.service.stopping();
        written
    }

    /// How long nothing needs to be done but to wait for events.
    fn wait(&self) -> Duration {
        let due = self.due.map(|due| due.saturating_duration_since(Instant::now()));
        [self.service.pulse(), due].into_iter().flatten().fold(LONG, Duration::min)
    }

    /// Something has changed that is counted.
    fn count(&mut self, is_look: bool) {
        if self.file.is_none() {
            return;
        }
        if is_look {
            self.due = Some(Instant::now());
            // Others may stand in their place by now.
            self.records = None;
        }
        self.due.get_or_insert_with(|| Instant::now() + WRITE);
        self.write_due();
    }

    fn write_due(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.due.is_some_and(|due| due <= Instant::now())) else {
            return;
        };
        let Some(mut gauges) = self.watch.gauges() else { return };
        if self.records.is_none() {
            // What is wrong with them shows where they are needed.
            self.records = Records::open(&self.root).ok().flatten();
        }
        gauges.records = self.records.as_ref().and_then(|records| RecordsGauges::of(records).ok());
        let failed = file.write(gauges.to_string().as_bytes()).err();
        match &failed {
            Some(source) if !self.is_unwritten => {
                output::note(&format!("the metrics file cannot be written: {source}"), self.color);
            }
            None if self.is_unwritten => output::note("the metrics file is written again", self.color),
            _ => {}
        }
        self.is_unwritten = failed.is_some();
        self.due = self.is_unwritten.then(|| Instant::now() + RETRY);
    }
}

/// Prints an event as a line, at once.
fn print(out: &mut impl io::Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event).expect("BUG: an event has string keys");
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}
