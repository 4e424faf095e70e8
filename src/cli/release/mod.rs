//! What the verbs of releases share: the app with its manifest, what is shown, and signals.

mod live;
mod manifest;
mod problems;
mod recover;
mod show;
mod signals;

pub(super) use live::Live;
pub(super) use manifest::settings;
pub(super) use problems::{failed, problem};
pub(super) use recover::recover;
pub(super) use show::{Glance, Gone, LinkItem, Listed, SettledItem};
