//! `caplink metrics`: one look, as OpenMetrics text.

use std::ffi::OsString;
use std::path::PathBuf;

use caplink::ScanOptions;
use caplink::watch::{AppGauges, Gauges, Judged, RecordsGauges};
use clap::{Args, ValueHint, value_parser};

use crate::cli::context::Context;
use crate::cli::manifests::read as read_manifest;
use crate::cli::recording::refused;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink metrics
  caplink -C /srv/app metrics releases";

/// Look once at every link below DIR, and print the numbers as OpenMetrics text
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Metrics {
    /// Where to look, below the root
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    #[arg(value_parser = value_parser!(OsString))]
    dir: OsString,
    /// Count the entries of this manifest too [default: $CAPLINK_MANIFEST, else caplink.toml in the root]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    manifest: Option<PathBuf>,
}

impl Metrics {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("metrics", context);
        if report.refuses_json(context) {
            return report;
        }
        let Some(root) = report.opened(context.look_with_state()) else { return report };
        let mut gauges = match Gauges::look(&root, &self.dir, ScanOptions::default().jobs(0)) {
            Ok(gauges) => gauges,
            Err(error) => {
                report.error(&error);
                return report;
            }
        };
        // What is wrong with the records keeps nobody from learning about the links.
        match context.with_records() {
            Ok((root, records)) => {
                let counted = records.as_ref().map(RecordsGauges::of).transpose();
                match counted.and_then(|counted| Ok((counted, AppGauges::of_root(&root)?))) {
                    Ok((records, apps)) => (gauges.records, gauges.apps) = (records, apps),
                    Err(error) => report.errors.push(*refused(error)),
                }
            }
            Err(problem) => report.errors.push(*problem),
        }
        match read_manifest(context, &root, self.manifest.as_deref()) {
            Ok(None) => {}
            Ok(Some(read)) => {
                let manifest = read.manifest;
                read.source.warning.into_iter().for_each(|warning| report.note(0, warning));
                match Judged::of(&root, &manifest) {
                    Ok(judged) => gauges.manifests.push(judged.gauges()),
                    Err(error) => report.root_error(&error),
                }
            }
            Err(problems) => report.errors.extend(problems),
        }
        report.print(gauges.to_string());
        report
    }
}
