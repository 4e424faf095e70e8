//! The planner, case by case.

mod order;
mod removals;
mod table;
mod unapply;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::*;
use crate::error::{FileKind, Found};
use crate::model::{LinkPath, Target};

/// What a plan is made from, put together bit by bit.
#[derive(Default)]
struct Scene {
    links: Vec<Declared>,
    unwanted: Vec<Unwanted>,
    seen: Seen,
    holdings: Holdings,
    tags: Vec<String>,
    no_prune: bool,
    on_conflict: OnConflict,
}

fn path(link: &str) -> LinkPath {
    LinkPath::new(link).unwrap()
}

fn link(text: &str) -> Found {
    Found::Link(text.into())
}

/// An entry whose text is `new`.
fn entry(at: &str) -> Declared {
    Declared::new(path(at), Target::verbatim("new"))
}

fn absent(at: &str, if_to: Option<&str>) -> Unwanted {
    let if_to = if_to.map(|glob| Pattern::new(&[glob], Star::All).unwrap());
    Unwanted { link: path(at), if_to, label: Label::default(), at: Position::default() }
}

fn tagged(tags: &[&str]) -> Label {
    Label::new(None, None, tags.iter().copied())
}

impl Scene {
    fn declare(mut self, declared: Declared) -> Scene {
        self.links.push(declared);
        self.links.sort_by(|a, b| tree_order(a.link.as_path(), b.link.as_path()));
        self
    }

    fn unwant(mut self, unwanted: Unwanted) -> Scene {
        self.unwanted.push(unwanted);
        self
    }

    fn see(self, at: &str, found: Found) -> Scene {
        self.look(at, Way::Open, found, Leads::To(FileKind::File))
    }

    fn look(mut self, at: &str, way: Way, found: Found, leads: Leads) -> Scene {
        self.seen.links.insert(path(at), Sight { way, physical: None, found, leads, slot: None });
        self
    }

    fn list(mut self, dir: &str, names: &[&str]) -> Scene {
        self.holdings.dirs.insert(dir.into());
        self.seen.dirs.insert(dir.into(), Contents::Names(names.iter().map(OsString::from).collect()));
        self
    }

    fn own(mut self, at: &str, text: &str) -> Scene {
        self.holdings.owned.insert(path(at), Owned { text: OsStr::new(text).into(), displaced: None, backup: None });
        self
    }

    fn other(mut self, at: &str, text: &str) -> Scene {
        self.holdings.others.insert(path(at), Claimed { by: "other".into(), text: text.into() });
        self
    }

    fn plan(&self) -> ManifestPlan {
        plan_manifest(&Request {
            links: &self.links,
            unwanted: &self.unwanted,
            seen: &self.seen,
            holdings: &self.holdings,
            root: Some(Path::new("/root")),
            tags: &self.tags,
            prune: !self.no_prune,
            on_conflict: self.on_conflict,
        })
    }

    /// The steps as `action link`, a conflict with its kind.
    fn steps(&self) -> Vec<String> {
        self.plan().steps.iter().map(shown).collect()
    }

    fn states(&self) -> BTreeMap<PathBuf, &'static str> {
        let states = self.plan().states;
        states.iter().map(|state| (state.link.as_path().to_path_buf(), state.status.as_str())).collect()
    }
}

fn shown(step: &ManifestStep) -> String {
    let kind = step.conflict.as_ref().filter(|_| step.action == Action::Conflict);
    let kind = kind.map(|conflict| format!(" {}", conflict.kind)).unwrap_or_default();
    format!("{} {}{kind}", step.action.as_str(), step.link)
}
