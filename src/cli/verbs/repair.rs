//! `caplink repair`: mends links, each as a compare-and-swap on what a fresh scan found.

use std::cmp::Reverse;
use std::ffi::{OsStr, OsString};

use caplink::{Durability, Edit, Error, Kind, Outcome, Repair as Actions, Root, ScanOptions, Target};
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
        let Some(Plan { links, dirs }) = self.plan(&root, &mut report) else { return report };
        let durability = context.durability(Durability::Dir);
        let results = if context.global.dry_run {
            // What is staged in them would be gone by then.
            let dirs = dirs.into_iter().map(|edit| root.preview(&edit.durability(durability)));
            let links = carry_out(links, |done, edits| {
                let all: Vec<Edit> = done.iter().chain(edits).map(|edit| edit.clone().durability(durability)).collect();
                root.preview_all(&all).split_off(done.len())
            });
            links.into_iter().chain(dirs).collect()
        } else {
            let mut results = carry_out(links, |_, edits| root.apply_durably(edits, durability));
            // What was staged in them is gone by now, and that they changed is on the disk.
            results.extend(root.apply_durably(&dirs, durability));
            results
        };
        for result in results {
            match result {
                Ok(outcome) => change::done(&mut report, &root, std::slice::from_ref::<Outcome>(&outcome)),
                Err(error) => change::failed(&mut report, &error),
            }
        }
        report
    }

    /// Scans, and plans an edit for each link that is to be mended; none where the scan cannot begin.
    fn plan(&self, root: &Root, report: &mut Report) -> Option<Plan> {
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
        Some(Plan { links, dirs })
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
struct Plan {
    /// For each link that is to be mended, beside how many links it leads over.
    links: Vec<(usize, Edit)>,
    /// For each private directory that was left.
    dirs: Vec<Edit>,
}

/// How often what is refused is tried again: no way leads over more links.
const ROUNDS: usize = 40;

type Results = Vec<Result<Outcome, Error>>;

/// Carries the edits out and returns what became of each, in their order. `carry` does so with the edits that it is given
/// second, after those that it has done.
///
/// A dangling link that leads over another comes before that one, whose repair would mend both. A text that is refused
/// for where it leads is tried again while others change: it may lead over a link that is yet to be mended.
fn carry_out(edits: Vec<(usize, Edit)>, carry: impl Fn(&[Edit], &[Edit]) -> Results) -> Results {
    let mut waiting: Vec<_> = edits.into_iter().enumerate().collect();
    waiting.sort_by_key(|(_, (hops, _))| Reverse(*hops));
    let mut waiting: Vec<(usize, Edit)> = waiting.into_iter().map(|(place, (_, edit))| (place, edit)).collect();
    let mut done = Vec::new();
    let mut results = Vec::new();
    for round in 1..=ROUNDS {
        let (places, edits): (Vec<usize>, Vec<Edit>) = std::mem::take(&mut waiting).into_iter().unzip();
        let came = carry(&done, &edits);
        let is_last = round == ROUNDS || !came.iter().flatten().any(|outcome| outcome.effect.is_change());
        for ((place, edit), result) in places.into_iter().zip(edits).zip(came) {
            match result {
                Err(error) if !is_last && is_about_the_way(&error) => waiting.push((place, edit)),
                result => {
                    done.extend(result.is_ok().then_some(edit));
                    results.push((place, result));
                }
            }
        }
        if waiting.is_empty() {
            break;
        }
    }
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Whether a text was refused for where it leads.
fn is_about_the_way(error: &Error) -> bool {
    matches!(error.kind(), Kind::Dangling | Kind::Escape | Kind::Loop)
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
