//! `caplink repair`: mends links, each as a compare-and-swap on what a fresh scan found.

use std::cmp::Reverse;
use std::ffi::{OsStr, OsString};

use caplink::{Durability, Edit, OnError, Outcome, Plan, Repair as Actions, Root, ScanOptions, Target};
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{ArgGroup, Args, value_parser};

use super::{change, leftovers};
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink -n repair --tidy --shorten
  caplink repair releases --make-relative
  caplink repair --rebase /old/home=/new/home
  caplink repair --fallback releases/stable";

/// Mend links below DIR
///
/// A link that changed since it was looked at is left alone and reported as `mismatch`. A link that is made relative,
/// tidied or shortened leads to the same object as before.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("actions").required(true).multiple(true))]
#[command(after_help = EXAMPLES)]
pub(crate) struct Repair {
    /// Where to look, below the root
    #[arg(value_name = "DIR", default_value = ".", value_parser = value_parser!(OsString))]
    dir: OsString,
    /// Make absolute texts relative that lead inside the root
    #[arg(long, group = "actions")]
    make_relative: bool,
    /// Take `//`, `/./`, a trailing `/` and `x/..` out of texts
    #[arg(long, group = "actions")]
    tidy: bool,
    /// Take needless `..` out of texts
    #[arg(long, group = "actions")]
    shorten: bool,
    /// Let links that lead over other links lead straight to the end
    #[arg(long, group = "actions")]
    shorten_chains: bool,
    /// Put NEW in place of OLD where a text begins with OLD, up to the end of a component
    #[arg(long, group = "actions", value_name = "OLD=NEW", allow_hyphen_values = true, value_parser = pair())]
    rebase: Vec<(OsString, OsString)>,
    /// Put NEW in place of a text that is OLD
    #[arg(long, group = "actions", value_name = "OLD=NEW", allow_hyphen_values = true, value_parser = pair())]
    retarget: Vec<(OsString, OsString)>,
    /// Let dangling links lead to TARGET, a path below the root
    #[arg(long, group = "actions", value_name = "TARGET", allow_hyphen_values = true)]
    #[arg(value_parser = value_parser!(OsString))]
    fallback: Option<OsString>,
    /// Remove dangling links; with --fallback they lead to TARGET instead
    #[arg(long, group = "actions")]
    remove_dangling: bool,
    /// Remove what interrupted work left: staged links of the caller's, and the private directories they were staged in
    #[arg(long, group = "actions")]
    remove_leftovers: bool,
}

impl Repair {
    pub(crate) fn run(&self, context: &Context) -> Report {
        let mut report = Report::new("repair", context);
        let Some(root) = report.opened(context.look_with_state()) else { return report };
        if let Some(Err(error)) =
            self.fallback.as_ref().map(|target| Target::relative(target).check(root.physical_path()))
        {
            report.error(&error.during("repair"));
            return report;
        }
        let root = match context.confined(&root) {
            Ok(root) => root,
            Err(error) => {
                report.root_error(&error);
                return report;
            }
        };
        let Some(Wanted { links, dirs }) = self.plan(&root, &mut report) else { return report };
        let durability = context.durability(Durability::Dir);
        let links = InOrder::of(links);
        // What was staged in them is gone by then.
        let dirs = Plan::new(dirs).on_error(OnError::KeepGoing).durability(durability);
        let apply = |plan: &Plan| match context.global.dry_run {
            true => root.preview_plan(plan),
            false => root.apply_plan(plan, &()),
        };
        let mut results = links.restore(apply(&links.plan(durability)));
        results.extend(apply(&dirs));
        for result in results {
            match result {
                Ok(outcome) => change::done(&mut report, &root, std::slice::from_ref::<Outcome>(&outcome)),
                Err(error) => change::failed(&mut report, &error),
            }
        }
        report
    }

    /// Scans, and plans an edit for each link that is to be mended; none where the scan cannot begin.
    fn plan(&self, root: &Root, report: &mut Report) -> Option<Wanted> {
        let actions = self.actions();
        let (options, staged) = leftovers::noticing_staged(ScanOptions::default().sorted(true));
        let scan = match root.scan(&self.dir, options) {
            Ok(scan) => scan,
            Err(error) => {
                report.error(&error.during("repair"));
                return None;
            }
        };
        let mut links = Vec::new();
        for found in scan {
            match found {
                Ok(finding) => {
                    let edit = actions.plan(&finding, root.physical_path());
                    links.extend(edit.map(|edit| (finding.hops, edit)));
                }
                Err(error) => report.error(&error),
            }
        }
        let dirs: Vec<Edit> = staged.directories(root).iter().filter_map(|dir| actions.plan_directory(dir)).collect();
        if links.is_empty() && dirs.is_empty() && report.errors.is_empty() {
            report.note(0, "nothing to mend");
        }
        Some(Wanted { links, dirs })
    }

    fn actions(&self) -> Actions {
        let mut actions = Actions::default()
            .make_relative(self.make_relative)
            .tidy(self.tidy)
            .shorten(self.shorten)
            .shorten_chains(self.shorten_chains)
            .remove_dangling(self.remove_dangling)
            .remove_leftovers(self.remove_leftovers);
        for (old, new) in &self.rebase {
            actions = actions.rebase(old, new);
        }
        for (old, new) in &self.retarget {
            actions = actions.retarget(old, new);
        }
        match &self.fallback {
            Some(target) => actions.fallback(target),
            None => actions,
        }
    }
}

/// What is to be done.
struct Wanted {
    /// For each link that is to be mended, beside how many links it leads over.
    links: Vec<(usize, Edit)>,
    /// For each private directory that was left.
    dirs: Vec<Edit>,
}

/// Edits in the order in which they are carried out, and where each stood before.
///
/// A dangling link that leads over another comes before that one, whose repair would repair both.
struct InOrder(Vec<(usize, Edit)>);

impl InOrder {
    fn of(edits: Vec<(usize, Edit)>) -> InOrder {
        let mut edits: Vec<_> = edits.into_iter().enumerate().collect();
        edits.sort_by_key(|(_, (hops, _))| Reverse(*hops));
        InOrder(edits.into_iter().map(|(place, (_, edit))| (place, edit)).collect())
    }

    fn plan(&self, durability: Durability) -> Plan {
        Plan::new(self.0.iter().map(|(_, edit)| edit.clone())).on_error(OnError::Retry).durability(durability)
    }

    /// The results in the order in which the edits were found.
    fn restore<T>(&self, results: Vec<T>) -> Vec<T> {
        let mut results: Vec<_> = self.0.iter().map(|(place, _)| *place).zip(results).collect();
        results.sort_by_key(|(place, _)| *place);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

/// Two texts with the first `=` between them.
fn pair() -> impl clap::builder::TypedValueParser<Value = (OsString, OsString)> {
    OsStringValueParser::new().try_map(|pair| split(&pair).ok_or("it takes OLD=NEW"))
}

#[cfg(unix)]
fn split(pair: &OsStr) -> Option<(OsString, OsString)> {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = pair.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    let part = |bytes| OsStr::from_bytes(bytes).to_os_string();
    (at > 0 && at + 1 < bytes.len()).then(|| (part(&bytes[..at]), part(&bytes[at + 1..])))
}

#[cfg(not(unix))]
fn split(pair: &OsStr) -> Option<(OsString, OsString)> {
    let (old, new) = pair.to_str()?.split_once('=')?;
    (!old.is_empty() && !new.is_empty()).then(|| (old.into(), new.into()))
}
