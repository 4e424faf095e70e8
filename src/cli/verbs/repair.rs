//! `caplink repair`: repairs links, each as a compare-and-swap on what a fresh look found.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use caplink::{Durability, LinkPath, Repair as Actions, RepairOptions, Root, Target};
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{ArgGroup, Args, ValueHint, value_parser};

use super::change;
use crate::cli::context::Context;
use crate::cli::items::Items;
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink -n repair --tidy --shorten
  caplink repair releases --make-relative
  caplink repair current --tidy
  caplink repair --rebase /old/home=/new/home
  caplink repair --moved packages/group1/foo=packages/foo
  caplink repair --fallback releases/stable";

/// Repair the links below PATH, or the link that PATH is
///
/// A link that changed since it was looked at is left alone and reported as `mismatch`. A link that is made relative,
/// tidied or shortened leads to the same object as before.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("actions").required(true).multiple(true))]
#[command(after_help = EXAMPLES)]
pub(crate) struct Repair {
    /// A directory below the root, or one link
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    #[arg(value_parser = value_parser!(OsString))]
    path: OsString,
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
    /// Let links follow what was moved from OLD to NEW, paths below the root; repeatable, in the order of the moves
    #[arg(long, group = "actions", value_name = "OLD=NEW", allow_hyphen_values = true, value_parser = pair())]
    moved: Vec<(OsString, OsString)>,
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
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let mut report = Report::new("repair", context);
        let mut items = Items::new(&context.global);
        if let Some(root) = report.opened(context.to_change()) {
            self.repair(&root, context, &mut report, &mut items);
        }
        items.close(&report, &context.global)
    }

    fn repair(&self, root: &Root, context: &Context, report: &mut Report, items: &mut Items) {
        let actions = match self.actions(root) {
            Ok(actions) => actions,
            Err(error) => return report.error(&error.during("repair")),
        };
        let root = match context.confined(root) {
            Ok(root) => root,
            Err(error) => return report.root_error(&error),
        };
        let durability = context.durability(&root, Durability::Dir);
        let options = RepairOptions::default().durability(durability).dry_run(context.global.dry_run);
        let mut is_silent = true;
        let repaired = root.repair(&self.path, &actions, options, |result| {
            is_silent = false;
            match result {
                Ok(outcome) => change::repaired(report, items, context, &outcome),
                Err(error) => change::failed(report, &error),
            }
        });
        match repaired {
            Ok(_) if is_silent => report.note(0, "nothing to repair"),
            Ok(_) => {}
            Err(error) => report.error(&error),
        }
    }

    /// What is asked for, if its paths and targets are well spelled.
    fn actions(&self, root: &Root) -> caplink::Result<Actions> {
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
        for (old, new) in &self.moved {
            actions = actions.moved(below_root(old)?, below_root(new)?);
        }
        if let Some(target) = &self.fallback {
            Target::relative(target).check(root.text_root())?;
            actions = actions.fallback(target);
        }
        Ok(actions)
    }
}

/// A path below the root; a trailing `/`, as a shell completes a directory, is dropped.
fn below_root(path: &OsStr) -> caplink::Result<LinkPath> {
    let end = path.as_encoded_bytes().iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    LinkPath::new(if end == 0 { path } else { begin(path, end) })
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

/// The first bytes of a path, before a separator.
#[cfg(unix)]
fn begin(path: &OsStr, end: usize) -> &OsStr {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(&path.as_bytes()[..end])
}

#[cfg(not(unix))]
fn begin(path: &OsStr, end: usize) -> &OsStr {
    path.to_str().map_or(path, |path| OsStr::new(&path[..end]))
}

#[cfg(not(unix))]
fn split(pair: &OsStr) -> Option<(OsString, OsString)> {
    let (old, new) = pair.to_str()?.split_once('=')?;
    (!old.is_empty() && !new.is_empty()).then(|| (old.into(), new.into()))
}
