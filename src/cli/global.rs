//! The options that every verb takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, ValueEnum, ValueHint};

use super::line::{Choice, options};

options! {
    /// Options that every verb takes, on either side of it.
    #[command(next_help_heading = "Global options")]
    pub(crate) struct Global {
        /// The directory opened once as the root [default: $CAPLINK_ROOT, else .]
        #[arg(value_name = "DIR", overrides_with = "root", value_hint = ValueHint::DirPath)]
        pub(crate) root: Option<PathBuf> = "root" / 'C',
        /// Print one JSON document
        #[arg(overrides_with = "json")]
        pub(crate) json: bool = "json",
        /// Decide everything, change nothing
        #[arg(overrides_with = "dry_run")]
        pub(crate) dry_run: bool = "dry-run" / 'n',
        /// Less on stderr: no hints; twice: no line for a success either
        #[arg(action = ArgAction::Count)]
        pub(crate) quiet: u8 = "quiet" / 'q',
        /// More detail on stderr
        #[arg(action = ArgAction::Count)]
        pub(crate) verbose: u8 = "verbose" / 'v',
        /// Colour the output
        #[arg(value_name = "WHEN", value_enum, default_value_t = Color::Auto, overrides_with = "color")]
        pub(crate) color: Color = "color",
        /// Fail where the host cannot give this guarantee
        #[arg(value_name = "GUARANTEE", value_enum, overrides_with = "require")]
        pub(crate) require: Option<Require> = "require",
        /// Whether changes are made under Landlock
        #[arg(value_name = "WHEN", value_enum, default_value_t = Confine::Auto, overrides_with = "confine")]
        pub(crate) confine: Confine = "confine",
        /// What survives a power cut after success [default: none, dir for batches and with records]
        #[arg(value_name = "LEVEL", value_enum, overrides_with = "durability")]
        pub(crate) durability: Option<Durability> = "durability",
        /// Let parents of a link be links that stay inside the root
        #[arg(overrides_with = "follow")]
        pub(crate) follow: bool = "follow",
        /// Let paths cross mount points below the root
        #[arg(overrides_with = "cross_mounts")]
        pub(crate) cross_mounts: bool = "cross-mounts",
        /// Judge texts as after chroot into the root, as in an image or a sysroot
        #[arg(overrides_with = "rooted")]
        pub(crate) rooted: bool = "rooted",
        /// Where the records are, and links are staged [default: $CAPLINK_STATE, else .caplink below the root]
        #[arg(value_name = "DIR", overrides_with = "state", value_hint = ValueHint::DirPath)]
        pub(crate) state: Option<PathBuf> = "state",
        /// Why, for the records [default: $CAPLINK_REASON]
        #[arg(value_name = "TEXT", overrides_with = "reason")]
        pub(crate) reason: Option<OsString> = "reason",
        /// Who asked for it, for the records [default: $CAPLINK_ACTOR]
        #[arg(value_name = "TEXT", overrides_with = "actor")]
        pub(crate) actor: Option<OsString> = "actor",
        /// How long another holder of a lock is waited for: 500ms, 10s, 2m [default: 1s]
        #[arg(value_name = "DURATION", overrides_with = "lock_timeout")]
        pub(crate) lock_timeout: Option<OsString> = "lock-timeout",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Choice for Color {
    const DEFAULT: Option<Color> = Some(Color::Auto);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Require {
    Atomic,
}

impl Choice for Require {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Confine {
    /// Where the kernel has it
    Auto,
    /// Fail where it has not
    Require,
    /// Do without
    Off,
}

impl Choice for Confine {
    const DEFAULT: Option<Confine> = Some(Confine::Auto);
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

impl Choice for Durability {}
