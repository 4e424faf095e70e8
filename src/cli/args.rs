//! What can be written on the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgAction, Args, Command, CommandFactory as _, Parser, Subcommand, ValueEnum, ValueHint, value_parser};

use super::context::Context;
use super::output;
use super::verbs;

/// Creates, replaces, inspects, scans and repairs symbolic links inside one directory
///
/// Every path is below the root, the directory given with -C; nothing outside of it is touched.
/// The link is always the positional argument, the target is always given with --to.
#[derive(Debug, Parser)]
#[command(name = "caplink", version, max_term_width = 100, after_long_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The grammar. Every verb takes the global options too.
pub(crate) fn grammar() -> Command {
    Cli::command().mut_args(|option| option.global(true))
}

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 findings, with --exit-code; 2 wrong usage; 3 conflict; 4 refused; 5 not there; 6 busy; 7 stopped half-way; 9 damaged records; \
10 the system said no.";

/// The verbs. Each has a file in [`verbs`].
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create(verbs::create::Create),
    Ensure(verbs::ensure::Ensure),
    Swap(verbs::swap::Swap),
    Exchange(verbs::exchange::Exchange),
    Remove(verbs::remove::Remove),
    Repair(verbs::repair::Repair),
    Inspect(verbs::inspect::Inspect),
    Resolve(verbs::resolve::Resolve),
    Scan(verbs::scan::Scan),
    Doctor(verbs::doctor::Doctor),
    Completions(verbs::completions::Completions),
    Man(verbs::man::Man),
}

impl Verb {
    pub(crate) fn run(&self, context: &Context) -> ExitCode {
        let report = match self {
            Verb::Create(verb) => verb.run(context),
            Verb::Ensure(verb) => verb.run(context),
            Verb::Swap(verb) => verb.run(context),
            Verb::Exchange(verb) => verb.run(context),
            Verb::Remove(verb) => verb.run(context),
            Verb::Repair(verb) => verb.run(context),
            Verb::Inspect(verb) => verb.run(context),
            Verb::Resolve(verb) => verb.run(context),
            Verb::Scan(verb) => return verb.run(context),
            Verb::Doctor(verb) => verb.run(context),
            Verb::Completions(verb) => verb.run(context),
            Verb::Man(verb) => verb.run(context),
        };
        output::print(&report, &context.global)
    }
}

/// Options that every verb takes, on either side of it.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The directory opened once as the root [default: $CAPLINK_ROOT, else .]
    #[arg(short = 'C', long, value_name = "DIR", overrides_with = "root")]
    #[arg(value_hint = ValueHint::DirPath, value_parser = value_parser!(PathBuf))]
    pub(crate) root: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, overrides_with = "json")]
    pub(crate) json: bool,
    /// Decide everything, change nothing
    #[arg(short = 'n', long, overrides_with = "dry_run")]
    pub(crate) dry_run: bool,
    /// Less on stderr: no hints; twice: no line for a success either
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) quiet: u8,
    /// More detail on stderr
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Colour the output
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto, overrides_with = "color")]
    pub(crate) color: Color,
    /// Fail where the host cannot give this guarantee
    #[arg(long, value_name = "GUARANTEE", value_enum, overrides_with = "require")]
    pub(crate) require: Option<Require>,
    /// Whether changes are made under Landlock
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Confine::Auto, overrides_with = "confine")]
    pub(crate) confine: Confine,
    /// What survives a power cut after success [default: none, dir for batches]
    #[arg(long, value_name = "LEVEL", value_enum, overrides_with = "durability")]
    pub(crate) durability: Option<Durability>,
    /// Let parents of a link be links that stay inside the root
    #[arg(long, overrides_with = "follow")]
    pub(crate) follow: bool,
    /// Let paths cross mount points below the root
    #[arg(long, overrides_with = "cross_mounts")]
    pub(crate) cross_mounts: bool,
    /// Where staging, records and journal live [default: .caplink below the root]
    #[arg(long, value_name = "DIR", overrides_with = "state")]
    #[arg(value_hint = ValueHint::DirPath, value_parser = value_parser!(PathBuf))]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Require {
    Atomic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Confine {
    /// Where the kernel has it
    Auto,
    /// Fail where it has not
    Require,
    /// Do without
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Durability {
    /// Nothing is waited for
    None,
    /// Each changed directory is synced
    Dir,
    /// The whole file system is synced
    Fs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Style {
    /// A path below the root, stored relative to the link's directory
    Relative,
    /// A path below the root, stored as an absolute path
    Absolute,
    /// Stored byte for byte
    Verbatim,
}

/// What `create`, `ensure` and `swap` share: the link, its target, and what is allowed of them.
#[derive(Debug, Args)]
pub(crate) struct Linking {
    /// The link, below the root
    #[arg(value_name = "LINK", value_parser = value_parser!(OsString))]
    pub(crate) link: OsString,
    /// What the link is to point to
    #[arg(long, value_name = "TARGET", allow_hyphen_values = true, value_parser = value_parser!(OsString))]
    pub(crate) to: OsString,
    /// How TARGET is read and stored
    #[arg(long, value_enum, default_value_t = Style::Relative)]
    pub(crate) style: Style,
    /// TARGET need not exist
    #[arg(long)]
    pub(crate) allow_dangling: bool,
    /// The stored text may lead outside the root
    #[arg(long)]
    pub(crate) allow_outside: bool,
    /// Make missing parent directories
    #[arg(short, long)]
    pub(crate) parents: bool,
}

impl Linking {
    pub(crate) fn target(&self) -> caplink::Target {
        let style = match self.style {
            Style::Relative => caplink::Style::Relative,
            Style::Absolute => caplink::Style::Absolute,
            Style::Verbatim => caplink::Style::Verbatim,
        };
        caplink::Target::new(style, &self.to)
    }

    /// The edit with what was allowed.
    pub(crate) fn allowed<C: caplink::MakesLink>(&self, edit: caplink::Edit<C>) -> caplink::Edit<C> {
        edit.allow_dangling(self.allow_dangling).allow_outside(self.allow_outside)
    }
}
