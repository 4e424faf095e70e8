//! `caplink release`: enters releases, switches between them, deploys, rolls back, and removes old ones.

mod plain;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use caplink::LinkPath;
use caplink::manage::{Deploy, Failed, Prune, Releases, Rollback, Switch, Switched};
use clap::{Args, Subcommand, ValueHint};

use crate::cli::context::Context;
use crate::cli::duration;
use crate::cli::output;
use crate::cli::problem::Problem;
use crate::cli::release::{Glance, Gone, LinkItem, Listed, Live, SettledItem, failed, problem, settings};
use crate::cli::report::Report;

/// Shown by `--help` and in the manual.
const EXAMPLES: &str = "\
Examples:
  caplink release add 40 41 42
  caplink release deploy 43 --reason weekly
  caplink release status
  caplink release rollback
  caplink release list
  caplink release prune --keep 3 --grace 1h
  caplink release --app api exec -- ./bin/server --port 8000";

const APP: &str = "default";

/// Keep the releases of an app: enter, deploy, switch, roll back, prune
///
/// An app is a link, `current`, and a directory of releases; the records keep what became of each. `caplink man releases`
/// says what to do about programs that keep the old path.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub(crate) struct ReleaseVerb {
    /// The app
    #[arg(long, value_name = "NAME", default_value = APP, global = true)]
    app: String,
    /// The link to the active release [default: what the ledger knows, the manifest says, or current]
    #[arg(long, value_name = "LINK", global = true)]
    current: Option<OsString>,
    /// The directory of the releases [default: what the ledger knows, the manifest says, or releases]
    #[arg(long, value_name = "DIR", global = true)]
    releases: Option<OsString>,
    /// The manifest [default: $CAPLINK_MANIFEST, else caplink.toml in the root]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    manifest: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Enter releases into the ledger
    Add {
        /// Directories in the directory of the releases
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
    },
    /// Let the link lead to a release that is entered
    Switch {
        /// The release
        name: String,
        /// The release that the link has to lead to
        #[arg(long, value_name = "OLD")]
        expect: Option<String>,
        /// Also to one that is marked bad
        #[arg(long)]
        even_bad: bool,
    },
    /// Enter, check, switch, run hooks, check again, confirm, prune
    Deploy {
        /// The release
        name: String,
        /// Also one that is marked bad
        #[arg(long)]
        even_bad: bool,
        /// Prune afterwards, and keep so many good ones [default: what the manifest says, else nothing is pruned]
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
    },
    /// Go back to the release before, and mark the one that is left bad
    Rollback {
        /// The release to go back to
        #[arg(long, value_name = "NAME")]
        to: Option<String>,
        /// Do not mark the one that is left bad
        #[arg(long)]
        keep_good: bool,
    },
    /// Show every release
    List,
    /// Show where the link leads, and what is wrong; with -q the name of the release alone
    Status {
        /// Exit with 1 where something is wrong
        #[arg(long)]
        exit_code: bool,
    },
    /// Mark a release bad or good
    Mark {
        /// The release
        name: String,
        /// It is not to be used again
        #[arg(long, conflicts_with = "good", required_unless_present = "good")]
        bad: bool,
        /// It may be used again
        #[arg(long)]
        good: bool,
    },
    /// Never remove a release
    Pin {
        /// The release
        name: String,
    },
    /// Let a release be removed again
    Unpin {
        /// The release
        name: String,
    },
    /// Become a program in a release's directory, with a lease on the release
    Exec {
        /// The release [default: the one that the link leads to]
        name: Option<String>,
        /// The program and its arguments
        #[arg(value_name = "PROGRAM", last = true, required = true)]
        program: Vec<OsString>,
    },
    /// Remove old releases
    Prune {
        /// How many good ones are kept [default: what the manifest says, else 5]
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
        /// How long a release is left alone after its state changed [default: what the manifest says, else 10m]
        #[arg(long, value_name = "DURATION")]
        grace: Option<OsString>,
    },
}

impl What {
    fn command(&self) -> &'static str {
        match self {
            What::Add { .. } => "release add",
            What::Switch { .. } => "release switch",
            What::Deploy { .. } => "release deploy",
            What::Rollback { .. } => "release rollback",
            What::List => "release list",
            What::Status { .. } => "release status",
            What::Mark { .. } => "release mark",
            What::Pin { .. } => "release pin",
            What::Unpin { .. } => "release unpin",
            What::Exec { .. } => "release exec",
            What::Prune { .. } => "release prune",
        }
    }

    /// Whether it changes nothing and starts nothing.
    fn only_looks(&self) -> bool {
        matches!(self, What::List | What::Status { .. })
    }

    /// Whether it runs checks and hooks.
    fn runs_checks(&self) -> bool {
        matches!(self, What::Switch { .. } | What::Deploy { .. } | What::Rollback { .. })
    }

    /// Whether the manifest matters to it.
    fn needs_manifest(&self) -> bool {
        matches!(
            self,
            What::Add { .. } | What::Switch { .. } | What::Deploy { .. } | What::Rollback { .. } | What::Prune { .. }
        )
    }
}

impl ReleaseVerb {
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let mut report = Report::new(self.what.command(), context);
        let live = Live::new(&context.global, self.what.runs_checks());
        if let Some(app) = self.app(context, &mut report) {
            let app = app.progress(Arc::clone(&live) as Arc<dyn caplink::manage::Progress>);
            self.carry_out(app, context, &mut report);
        }
        match live.written() {
            Ok(()) => output::print(&report, &context.global),
            Err(error) => output::close(&report, &context.global, Err(error)),
        }
    }

    /// The app as the options and the manifest say it is.
    fn app(&self, context: &Context, report: &mut Report) -> Option<Releases> {
        let root = report.opened(context.look_with_state())?;
        let mut opened = || -> Result<Releases, Vec<Problem>> {
            let one = |problem: Box<Problem>| vec![*problem];
            let of = |error: caplink::Error| vec![Problem::of_root(&error)];
            // Whoever only looks changes nothing that would have to be kept in.
            let root = if self.what.only_looks() { root.clone() } else { context.confined(&root).map_err(of)? };
            let mut app = Releases::open(&root, &self.app).map_err(of)?;
            if let Some(link) = &self.current {
                app = app.current(LinkPath::new(link).map_err(of)?);
            }
            if let Some(dir) = &self.releases {
                app = app.releases(dir).map_err(of)?;
            }
            let (author, wait) = (context.author().map_err(one)?, context.lock_timeout().map_err(one)?);
            let durability = match context.global.durability {
                None => caplink::Durability::Dir,
                Some(_) => context.durability(&root, caplink::Durability::Dir),
            };
            let app = app.author(author).lock_timeout(wait).durability(durability).dry_run(context.global.dry_run);
            let read = settings(context, &root, self.manifest.as_deref(), &self.app);
            // Whoever only looks is not kept from it by a manifest that cannot be read, once the ledger knows the layout.
            let is_known = || Releases::apps(&root).is_ok_and(|apps| apps.contains(&self.app));
            if self.manifest.is_none() && !self.what.needs_manifest() && read.is_err() && is_known() {
                return Ok(app);
            }
            let (settings, warning) = read?;
            report.notes.extend(warning.map(|warning| (0, warning)));
            Ok(settings.iter().fold(app, |app, settings| app.settings(settings)))
        };
        opened().map_err(|problems| report.errors.extend(problems)).ok()
    }

    fn carry_out(&self, app: Releases, context: &Context, report: &mut Report) {
        let dry = context.global.dry_run;
        match &self.what {
            What::Add { names } => add(&app, names, context, report),
            What::Switch { name, expect, even_bad } => {
                let options = expect.iter().fold(Switch::default(), |options, old| options.expect(old));
                switched(&app, context, report, app.switch(name, &options.even_bad(*even_bad)));
            }
            What::Deploy { name, even_bad, keep } => {
                let app = keep.iter().fold(app, |app, keep| app.keep(*keep));
                switched(&app, context, report, app.deploy(name, &Deploy::default().even_bad(*even_bad)));
            }
            What::Rollback { to, keep_good } => {
                let options = to.iter().fold(Rollback::default(), |options, to| options.to(to));
                switched(&app, context, report, app.rollback(&options.keep_good(*keep_good)));
            }
            What::List => match app.list() {
                Ok(views) => views.iter().for_each(|view| report.answer(&Listed { view, outcome: None, dry })),
                Err(error) => problem(report, &self.app, None, &error),
            },
            What::Status { exit_code } => match app.look() {
                Ok(view) => {
                    report.has_findings = *exit_code && view.alarm.is_some();
                    report.answer(&Glance::of(&view, context.global.quiet > 0));
                }
                Err(error) => problem(report, &self.app, None, &error),
            },
            What::Mark { name, bad, .. } => set(report, &self.app, name, app.mark(name, *bad), "marked", dry),
            What::Pin { name } => set(report, &self.app, name, app.pin(name, true), "pinned", dry),
            What::Unpin { name } => set(report, &self.app, name, app.pin(name, false), "unpinned", dry),
            What::Exec { name, program } => match app.lease(name.as_deref()) {
                Ok(lease) if dry => report.note(0, format!("would start it in the release {}", lease.release())),
                Ok(lease) => {
                    let release = lease.release().to_owned();
                    problem(report, &self.app, Some(&release), &lease.exec(program));
                }
                Err(error) => problem(report, &self.app, name.as_deref(), &error),
            },
            What::Prune { keep, grace } => prune(&app, *keep, grace.as_ref(), context, report),
        }
    }
}

fn add(app: &Releases, names: &[String], context: &Context, report: &mut Report) {
    let dry = context.global.dry_run;
    let texts: Vec<&str> = names.iter().map(String::as_str).collect();
    let added = match app.add(&texts) {
        Ok(added) => added,
        Err(error) => return problem(report, app.app(), None, &error),
    };
    for (name, added) in names.iter().zip(added) {
        match added {
            Ok(added) => {
                report.changed |= added.entered;
                let outcome = Some(if added.entered { "entered" } else { "unchanged" });
                // What was done was shown when it was done.
                if context.global.json || !added.entered {
                    report.news(&Listed { view: &added.view, outcome, dry });
                }
                links(context, report, app.app(), name, &added.links);
            }
            Err(error) => problem(report, app.app(), Some(name), &error),
        }
    }
}

/// The links that a release got.
fn links(context: &Context, report: &mut Report, app: &str, release: &str, links: &[caplink::Outcome]) {
    for outcome in links {
        report.changed |= outcome.effect.is_change();
        report.made(&outcome.made);
        if context.global.json {
            report.news(&LinkItem { outcome, app, release, previous_release: None, checks: None });
        }
        outcome.shortfalls.iter().for_each(|error| report.error(error));
    }
}

fn switched(of: &Releases, context: &Context, report: &mut Report, came: Result<Switched, Box<Failed>>) {
    let json = context.global.json;
    match came {
        Ok(switched) => {
            report.changed |= switched.changed;
            let (app, release) = (switched.app.as_str(), switched.release.as_str());
            let item = LinkItem {
                outcome: &switched.outcome,
                app,
                release,
                previous_release: Some(switched.previous_release.as_deref()),
                checks: Some(&switched.checks),
            };
            // What was done was shown when it was done.
            if json || !switched.changed {
                report.news(&item);
            }
            links(context, report, app, release, &switched.links);
            if json {
                for pruned in &switched.pruned {
                    report.news(&Gone::item(pruned, context.global.dry_run));
                }
            }
            unsure(report, &switched.pruned);
            report.recovered(&switched.links_settled);
            switched.recovered.iter().for_each(|settled| report.recovered_item(&SettledItem::of(settled)));
            switched.shortfalls.iter().for_each(|error| problem(report, app, Some(release), error));
        }
        Err(error) => {
            let until = &error.until;
            report.changed |= until.changed;
            let release = until.release.as_deref().unwrap_or_default();
            if let Some(outcome) = until.stands.as_ref().or(until.back.as_ref()).filter(|_| json) {
                let (previous_release, checks) = (Some(until.previous_release.as_deref()), Some(&*until.checks));
                report.news(&LinkItem { outcome, app: of.app(), release, previous_release, checks });
            }
            links(context, report, of.app(), release, &until.links);
            report.recovered(&until.links_settled);
            until.recovered.iter().for_each(|settled| report.recovered_item(&SettledItem::of(settled)));
            failed(report, of.app(), &error);
            // Where the tree stands now.
            if let (false, Ok(view)) = (json || until.checks.is_empty(), of.look()) {
                report.answer(&Glance::of(&view, false));
            }
        }
    }
}

fn set(
    report: &mut Report,
    app: &str,
    name: &str,
    came: caplink::Result<caplink::manage::Set>,
    outcome: &'static str,
    dry: bool,
) {
    match came {
        Ok(set) => {
            report.changed |= set.changed;
            let outcome = Some(if set.changed { outcome } else { "unchanged" });
            report.news(&Listed { view: &set.view, outcome, dry });
        }
        Err(error) => problem(report, app, Some(name), &error),
    }
}

fn prune(app: &Releases, keep: Option<usize>, grace: Option<&OsString>, context: &Context, report: &mut Report) {
    let mut options = Prune::default();
    options.keep = keep;
    match grace.map(|grace| duration::of_option(grace)).transpose() {
        Ok(grace) => options.grace = grace,
        Err(problem) => return report.errors.push(*problem),
    }
    match app.prune(&options) {
        Ok(pruned) => {
            for pruned in &pruned {
                report.changed |= pruned.removed;
                if context.global.json {
                    report.news(&Gone::item(pruned, context.global.dry_run));
                }
                let release = pruned.view.release.as_str();
                pruned.residue.iter().for_each(|error| problem(report, app.app(), Some(release), error));
            }
            unsure(report, &pruned);
        }
        Err(error) => problem(report, app.app(), None, &error),
    }
}

/// Says where not every process could be looked into.
fn unsure(report: &mut Report, pruned: &[caplink::manage::Pruned]) {
    if pruned.iter().any(|pruned| pruned.unsure) {
        report.note(0, "not every process can be looked into: the grace time decided");
    }
}
