//! Manifests: the links that a tree is to have, declared in one file.
//!
//! [`Manifest::parse`] checks a text whole and looks at nothing: every problem is returned at once, with its line and
//! column. [`Manifest::expand`] looks at the tree for what `[[tree]]` and `[[each]]` ask for, and returns every link by
//! itself, sorted. What has to be done about them is decided by [`plan_manifest`](crate::manage::plan_manifest).
//!
//! Time and memory are bounded whatever the text holds: see the limits of each step.

mod app;
mod check;
mod document;
mod entries;
mod expand;
mod facts;
mod globs;
mod look;
mod parse;
mod problem;
mod read;
mod settings;
mod slots;
mod vars;

pub use app::{App, Seed, SharedLink};
pub use expand::{Expanded, Listing, Overridden, Trouble};
pub use facts::Facts;
pub use look::Looking;
pub use parse::Manifest;
pub use problem::Problem;
