//! A tree, records and people, all in memory, on which plans are carried out step by step.
//!
//! Every step is carried out as the compare-and-swap that it names: where something else is there the model says so. Also
//! used by the fuzz target of the planner.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use caplink::manage::{
    Action, Claimed, Contents, Declared, Holdings, Leads, Listing, ManifestPlan, ManifestStep, Note, OnConflict, Owned,
    Request, Seen, Sight, Unwanted, Way, plan_manifest, plan_unapply,
};
use caplink::{FileKind, Found, LinkPath};

/// What a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A directory.
    Dir,
    /// A file or another object of somebody's, told from others by its number.
    Other(FileKind, u32),
    /// A link with its text.
    Link(String),
}

/// What one manifest declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// In the order of a walk.
    pub(crate) links: Vec<Declared>,
    /// Links that shall not be there, in the same order.
    pub(crate) unwanted: Vec<Unwanted>,
    /// What is done about something in the way.
    pub(crate) on_conflict: OnConflict,
    /// Whether what is not declared any more goes.
    pub(crate) prune: bool,
    /// Which entries are chosen.
    pub(crate) tags: Vec<String>,
}

/// The records of one manifest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    /// What it made.
    pub(crate) owned: BTreeMap<LinkPath, Owned>,
    /// What it found and kept.
    pub(crate) kept: BTreeMap<LinkPath, OsString>,
    /// Directories that it made.
    pub(crate) dirs: BTreeSet<PathBuf>,
    /// What it removed because it was declared to be absent.
    pub(crate) removed: BTreeMap<LinkPath, OsString>,
}

/// A tree with the records of several manifests.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// Every path.
    pub(crate) tree: BTreeMap<PathBuf, Node>,
    /// The records, one for each manifest.
    pub(crate) records: Vec<Records>,
    pub(crate) backups: u32,
}

/// What is no directory has nothing in it.
impl Listing for World {
    fn list(&self, dir: &Path, visit: &mut dyn FnMut(&OsStr, FileKind) -> ControlFlow<()>) -> caplink::Result<()> {
        if !dir.as_os_str().is_empty() && self.at(dir) != Some(&Node::Dir) {
            return LinkPath::new("").map(drop);
        }
        for (path, node) in self.tree.iter().filter(|(path, _)| path.parent() == Some(dir)) {
            let kind = match node {
                Node::Dir => FileKind::Dir,
                Node::Other(kind, _) => *kind,
                Node::Link(_) => FileKind::Symlink,
            };
            if visit(path.file_name().expect("a path has a name"), kind).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl World {
    /// What is at a path.
    pub(crate) fn at(&self, path: &Path) -> Option<&Node> {
        self.tree.get(path)
    }

    /// A person puts something there, with the directories above it; what is there already goes, with all below.
    pub(crate) fn put(&mut self, path: &Path, node: Node) {
        let mut above: Vec<&Path> = path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty()).collect();
        above.reverse();
        for dir in above {
            if self.at(dir) != Some(&Node::Dir) {
                self.take(dir);
                self.tree.insert(dir.to_path_buf(), Node::Dir);
            }
        }
        self.take(path);
        self.tree.insert(path.to_path_buf(), node);
    }

    /// A person takes away what is there, with all below.
    pub(crate) fn take(&mut self, path: &Path) {
        self.tree.retain(|known, _| !known.starts_with(path));
    }

    fn sight(&self, link: &LinkPath, text: Option<OsString>) -> Sight {
        let mut way = Way::Open;
        let mut dir = PathBuf::new();
        for (depth, name) in link.parent().iter().enumerate() {
            dir.push(name);
            match self.at(&dir) {
                Some(Node::Dir) => continue,
                None => way = Way::Missing(depth),
                Some(Node::Other(..)) => way = Way::NotADirectory(depth),
                Some(Node::Link(text)) => way = Way::Link { depth, text: text.into() },
            }
            break;
        }
        let found = match self.at(link.as_path()).filter(|_| way == Way::Open) {
            None => Found::Missing,
            Some(Node::Dir) => Found::Other(FileKind::Dir),
            Some(Node::Other(kind, _)) => Found::Other(*kind),
            Some(Node::Link(text)) => Found::Link(text.into()),
        };
        let leads = match text.as_deref().and_then(|text| text.to_str()) {
            Some(text) if text.starts_with('/') => Leads::Escape,
            // These are there wherever a link to them is.
            Some("one" | "two" | "three") | None => Leads::To(FileKind::File),
            Some(text) => self.leads(link, text),
        };
        Sight { way, physical: None, found, leads, slot: None }
    }

    /// Where a relative text leads by its spelling.
    fn leads(&self, link: &LinkPath, text: &str) -> Leads {
        let mut path = link.parent().to_path_buf();
        for name in Path::new(text) {
            match name.to_str() {
                Some("..") if !path.pop() => return Leads::Escape,
                Some("." | "..") => {}
                _ => path.push(name),
            }
        }
        match self.at(&path) {
            None => Leads::Dangling,
            Some(Node::Dir) => Leads::To(FileKind::Dir),
            Some(Node::Other(kind, _)) => Leads::To(*kind),
            Some(Node::Link(_)) => Leads::To(FileKind::File),
        }
    }

    fn holdings(&self, manifest: usize) -> Holdings {
        let Records { owned, dirs, removed, .. } = self.records[manifest].clone();
        let mut others = BTreeMap::new();
        for (index, records) in self.records.iter().enumerate().filter(|(index, _)| *index != manifest) {
            let kept = records.kept.iter().map(|(link, text)| (link, text.as_os_str()));
            for (link, text) in kept.chain(records.owned.iter().map(|(link, owned)| (link, &*owned.text))) {
                others.insert(link.clone(), Claimed { by: format!("manifest-{index}"), text: text.into() });
            }
        }
        Holdings { owned, dirs, others, removed }
    }

    fn seen(&self, wish: &Wish, holdings: &Holdings) -> Seen {
        let mut seen = Seen::default();
        let others = holdings.removed.keys().chain(wish.unwanted.iter().map(|one| &one.link));
        for link in holdings.owned.keys().chain(others) {
            seen.links.insert(link.clone(), self.sight(link, None));
        }
        for declared in &wish.links {
            let text = declared.text(declared.link.parent(), None).ok();
            seen.links.insert(declared.link.clone(), self.sight(&declared.link, text));
        }
        for dir in &holdings.dirs {
            let names = self.tree.keys().filter(|path| path.parent() == Some(dir)).filter_map(|path| path.file_name());
            let contents = match self.at(dir) {
                Some(Node::Dir) => Contents::Names(names.map(OsString::from).collect()),
                _ => Contents::Gone,
            };
            seen.dirs.insert(dir.clone(), contents);
        }
        seen
    }

    /// What is seen for a manifest.
    pub(crate) fn look(&self, manifest: usize, wish: &Wish) -> Seen {
        self.seen(wish, &self.holdings(manifest))
    }

    /// Plans what a manifest wishes.
    pub(crate) fn plan(&self, manifest: usize, wish: &Wish) -> ManifestPlan {
        let holdings = self.holdings(manifest);
        let seen = self.seen(wish, &holdings);
        plan_manifest(&Request {
            links: &wish.links,
            unwanted: &wish.unwanted,
            seen: &seen,
            holdings: &holdings,
            root: None,
            tags: &wish.tags,
            prune: wish.prune,
            on_conflict: wish.on_conflict,
        })
    }

    /// Plans what takes a manifest back.
    pub(crate) fn plan_back(&self, manifest: usize) -> ManifestPlan {
        let holdings = self.holdings(manifest);
        plan_unapply(&self.seen(&Wish::default(), &holdings), &holdings)
    }

    /// Moves what is at a path, with all below, to a name that is free.
    fn rename(&mut self, from: &Path, to: &Path) {
        assert_eq!(self.at(to), None, "{} is free", to.display());
        let moved: Vec<PathBuf> = self.tree.keys().filter(|known| known.starts_with(from)).cloned().collect();
        for known in moved {
            let node = self.tree.remove(&known).expect("it is there");
            let below = known.strip_prefix(from).expect("it is below");
            self.tree.insert(if below.as_os_str().is_empty() { to.to_path_buf() } else { to.join(below) }, node);
        }
    }

    /// Carries a plan out and keeps the records; panics where a step cannot be carried out as it stands.
    pub(crate) fn apply(&mut self, manifest: usize, plan: &ManifestPlan) {
        for step in &plan.steps {
            self.step(manifest, step);
        }
        for link in &plan.gone {
            self.records[manifest].owned.remove(link);
        }
    }

    /// Carries out what takes a manifest back: what is made again is nobody's.
    pub(crate) fn take_back(&mut self, manifest: usize, plan: &ManifestPlan) {
        for step in &plan.steps {
            self.step(manifest, step);
        }
        self.records[manifest] = Records::default();
    }

    fn step(&mut self, manifest: usize, step: &ManifestStep) {
        let path = step.link.as_path().to_path_buf();
        let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        if step.action.is_change() {
            let there = parent.is_none_or(|dir| self.at(dir) == Some(&Node::Dir));
            assert!(there, "the directory is not there: {step:?}");
        }
        let text = |text: &Option<Arc<OsStr>>| text.as_ref().map(|text| text.to_str().unwrap().to_owned());
        let (target, previous) = (text(&step.target), text(&step.previous));
        let is_link = |node: Option<&Node>| matches!(node, Some(Node::Link(text)) if Some(text) == previous.as_ref());
        let link = || step.link.clone();
        let mut kept = None;
        match step.action {
            Action::Create => assert_eq!(self.at(&path), None, "{step:?}"),
            Action::Replace | Action::Remove => assert!(is_link(self.at(&path)), "{step:?} on {:?}", self.at(&path)),
            Action::Backup => {
                let node = self.at(&path).cloned().expect("something is there");
                assert!(!matches!(node, Node::Link(_)), "{step:?}");
                self.backups += 1;
                let aside = PathBuf::from(format!("{}.backup-{}", path.display(), self.backups));
                self.rename(&path, &aside);
                kept = Some(aside);
            }
            Action::Mkdir => assert_eq!(self.at(&path), None, "{step:?}"),
            Action::Rmdir => {
                assert_eq!(self.at(&path), Some(&Node::Dir), "{step:?}");
                let full = self.tree.keys().any(|known| known.parent() == Some(&path));
                assert!(!full, "{step:?}");
            }
            Action::Keep | Action::Skip => {}
            Action::Conflict => panic!("a plan with a conflict is not carried out: {step:?}"),
        }
        if let Some(backup) = &step.restore {
            if step.action == Action::Remove {
                self.tree.remove(&path);
            }
            self.rename(backup, &path);
            self.records[manifest].owned.remove(&link());
            return;
        }
        let records = &mut self.records[manifest];
        match step.action {
            Action::Create | Action::Replace | Action::Backup => {
                let target = target.expect("a link is made with a text");
                self.tree.insert(path, Node::Link(target.clone()));
                records.kept.remove(&link());
                // What it made itself before was displaced by nobody.
                let before = records.owned.remove(&link()).filter(|own| step.previous.as_ref() == Some(&own.text));
                let text = OsString::from(target).into();
                let owned = match before {
                    Some(before) => Owned { text, ..before },
                    None => Owned { text, displaced: step.previous.clone(), backup: kept },
                };
                records.owned.insert(link(), owned);
            }
            Action::Remove => {
                self.tree.remove(&path);
                let own = records.owned.remove(&link());
                records.kept.remove(&link());
                if own.is_none() && step.note == Note::Unwanted {
                    records.removed.insert(link(), step.previous.as_ref().expect("it had a text").into());
                }
            }
            Action::Mkdir => {
                self.tree.insert(path.clone(), Node::Dir);
                records.dirs.insert(path);
            }
            Action::Rmdir => {
                self.tree.remove(&path);
                records.dirs.remove(&path);
            }
            Action::Keep if step.note == Note::Found => {
                records.kept.insert(link(), step.target.as_ref().expect("what is kept has a text").into());
            }
            _ => {}
        }
    }
}
