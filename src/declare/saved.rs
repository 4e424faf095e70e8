//! A plan as a file: shown to somebody, approved, and carried out exactly as it is.
//!
//! It names the root, the records and the manifest's hash, holds every step, and what was at each link, in its directory
//! and in the records. Where that is not so any more when it is carried out, it is stale and nothing is done. The hash says
//! of which text it was made; a manifest that was edited since makes no plan stale, which is carried out as it was approved.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Claiming, Manifests, Planned};
use crate::entry::open_dir;
use crate::error::{Error, FileKind, Kind, Result};
use crate::model::LinkPath;
use crate::plan::{Action, Conflict, Holdings, Label, ManifestPlan, ManifestStep, Note};
use crate::records::RootIdentity;
use crate::root::Root;
use crate::sys::{self, Access, Fault, Handle};
use crate::wire::Text;

/// The format of this version.
const FORMAT: u32 = 1;

/// The longest file that is read, in bytes.
const BYTES_MAX: usize = 1 << 30;

/// A plan that was saved.
///
/// It says of which text it was made; a manifest that was edited since does not make it stale.
#[derive(Clone, Debug)]
pub struct SavedPlan(Content);

/// What its file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    caplink_plan: u32,
    root: RootIdentity,
    /// The records' id.
    records: Option<String>,
    manifest: String,
    /// SHA-256 of the manifest's text.
    hash: String,
    /// Hash of what the records say of the manifest.
    owned: String,
    steps: Vec<Step>,
    kept: Vec<(Text, Text)>,
    dropped: Vec<Text>,
    source: Option<Text>,
}

/// A step, with what was there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    action: String,
    link: Text,
    target: Option<Text>,
    previous: Option<Text>,
    name: Option<String>,
    comment: Option<String>,
    allow_dangling: bool,
    allow_outside: bool,
    restore: Option<Text>,
    /// Why it is what it is, and the kind of what is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// What was at the link, which directories it was in, and which other manifests rely on it.
    found: String,
}

impl SavedPlan {
    /// Takes down a plan, of a manifest with this text.
    ///
    /// # Errors
    ///
    /// `mismatch` and so on: the first conflict, since a plan with one cannot be carried out; `io`.
    pub fn of(manifests: &Manifests, planned: &Planned, text: &[u8]) -> Result<SavedPlan> {
        if let Some(error) = planned.plan.conflicts().find_map(ManifestStep::error) {
            return Err(error);
        }
        let root = &manifests.root;
        let mut looker = Looker::new(manifests, &planned.manifest);
        let step = |step: &ManifestStep| {
            let found = looker.found(step.link.as_path())?;
            Ok(Step {
                action: step.action.as_str().to_owned(),
                link: Text::new(step.link.as_path()),
                target: step.target.as_ref().map(Text::new),
                previous: step.previous.as_ref().map(Text::new),
                name: step.label.name().map(str::to_owned),
                comment: step.label.comment().map(str::to_owned),
                allow_dangling: step.allow_dangling,
                allow_outside: step.allow_outside,
                restore: step.restore.as_ref().map(Text::new),
                note: (step.note != Note::Plain).then(|| step.note.as_str().to_owned()),
                kind: step.conflict.as_ref().map(|conflict| conflict.kind.as_str().to_owned()),
                found,
            })
        };
        let Claiming { kept, dropped, source } = &planned.claims;
        Ok(SavedPlan(Content {
            caplink_plan: FORMAT,
            root: RootIdentity::of(root)?,
            records: manifests.records.as_ref().map(crate::records::Records::id),
            manifest: planned.manifest.clone(),
            hash: hex(&Sha256::digest(text)),
            owned: manifests.owned_hash(&planned.manifest),
            steps: planned.plan.steps.iter().map(step).collect::<Result<_>>()?,
            kept: kept.iter().map(|(link, text)| (Text::new(link.as_path()), text.clone())).collect(),
            dropped: dropped.iter().map(|link| Text::new(link.as_path())).collect(),
            source: source.as_ref().map(Text::new),
        }))
    }

    /// Returns the file's text.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(&self.0).expect("BUG: a plan has string keys");
        bytes.push(b'\n');
        bytes
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// `invalid_plan` where it is no plan, or one of a format that this version does not know.
    pub fn from_bytes(bytes: &[u8]) -> Result<SavedPlan> {
        let invalid = |reason: String| Error::new(Kind::InvalidPlan).during("read the plan").because(reason);
        if bytes.len() > BYTES_MAX {
            return Err(invalid(format!("it has more than {BYTES_MAX} bytes")));
        }
        let plan: Content = serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
        if plan.caplink_plan != FORMAT {
            return Err(invalid(format!("its format is {}, this version reads {FORMAT}", plan.caplink_plan)));
        }
        let known =
            |word: &str| Action::ALL.iter().any(|action| action.as_str() == word && *action != Action::Conflict);
        for step in &plan.steps {
            LinkPath::new(step.link.as_path()).map_err(|error| invalid(error.to_string()))?;
            if !known(&step.action) {
                return Err(invalid(format!("it has no step `{}`", crate::error::printable(&*step.action))));
            }
            if !step.is_whole() {
                return Err(invalid(format!("a step `{}` has no text", crate::error::printable(&*step.action))));
            }
        }
        Ok(SavedPlan(plan))
    }

    /// Returns the name of the manifest that it was made from.
    #[must_use]
    pub fn manifest(&self) -> &str {
        &self.0.manifest
    }

    /// Judges it again: the plan, if everything is as it was.
    ///
    /// # Errors
    ///
    /// `invalid_plan` where it is of another root; `stale_plan` where what is at a link, a directory above it, what the
    /// records say of the manifest, or which other manifests rely on the link is not as it was; `io`.
    pub fn judged(&self, manifests: &Manifests) -> Result<Planned> {
        let root = &manifests.root;
        if RootIdentity::of(root)? != self.0.root {
            return Err(Error::new(Kind::InvalidPlan).during("apply the plan").because("it was made for another root"));
        }
        let stale = |reason: &str| Error::new(Kind::StalePlan).during("apply the plan").because(reason.to_owned());
        let records = manifests.records.as_ref().map(crate::records::Records::id);
        if self.0.records.is_some() && records != self.0.records {
            return Err(stale("the records are others than those it was made with"));
        }
        if manifests.owned_hash(&self.0.manifest) != self.0.owned {
            return Err(stale("what the manifest owns is not as it was"));
        }
        let mut steps = Vec::with_capacity(self.0.steps.len());
        let mut looker = Looker::new(manifests, &self.0.manifest);
        for saved in &self.0.steps {
            let link = saved.link.as_path();
            if looker.found(link)? != saved.found {
                let reason = "what is there, a directory that it is in, or who relies on it is not as it was";
                return Err(Error::new(Kind::StalePlan).on("apply", link).because(reason));
            }
            let action = Action::ALL.iter().copied().find(|action| action.as_str() == saved.action);
            let text = |text: &Text| text.as_path().as_os_str().into();
            let label = Label::new(saved.name.as_deref(), saved.comment.as_deref(), None);
            let plain = ManifestStep::new(action.unwrap_or(Action::Skip), LinkPath::new(link)?, Some(&label));
            steps.push(ManifestStep {
                target: saved.target.as_ref().map(text),
                previous: saved.previous.as_ref().map(text),
                allow_dangling: saved.allow_dangling,
                allow_outside: saved.allow_outside,
                restore: saved.restore.as_ref().map(|path| path.as_path().to_path_buf()),
                note: saved.note(),
                conflict: saved.left_alone().map(Box::new),
                ..plain
            });
        }
        let path = |text: &Text| LinkPath::new(text.as_path()).ok();
        let claims = Claiming {
            kept: self.0.kept.iter().filter_map(|(link, text)| Some((path(link)?, text.clone()))).collect(),
            dropped: self.0.dropped.iter().filter_map(path).collect(),
            source: self.0.source.as_ref().map(|source| source.as_path().to_path_buf()),
        };
        let plan = ManifestPlan { steps, ..ManifestPlan::default() };
        let (manifest, overridden) = (self.0.manifest.clone(), Vec::new());
        Ok(Planned { manifest, plan, overridden, moved_from: None, claims, takes_back: false })
    }
}

impl Manifests {
    /// A hash of what the records say of a manifest.
    fn owned_hash(&self, name: &str) -> String {
        let mut hash = Sha256::new();
        for owned in self.held.owned().iter().filter(|owned| owned.owner() == name) {
            hash.update(serde_json::to_vec(&owned.to_owned()).expect("BUG: what is owned has string keys"));
            hash.update([0]);
        }
        hex(&hash.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Step {
    fn note(&self) -> Note {
        Note::ALL.iter().copied().find(|note| self.note.as_deref() == Some(note.as_str())).unwrap_or(Note::Plain)
    }

    /// What is in the way of an entry that leaves it alone.
    fn left_alone(&self) -> Option<Conflict> {
        let kind = Kind::ALL.iter().copied().find(|kind| self.kind.as_deref() == Some(kind.as_str()))?;
        let is_skip = self.action == Action::Skip.as_str();
        let conflict =
            Conflict { kind, found: None, component: None, via: None, owner: None, alias: None, remedy: None };
        is_skip.then_some(conflict)
    }

    /// Whether it has the texts that its action needs.
    fn is_whole(&self) -> bool {
        let (new, old) = (self.target.is_some(), self.previous.is_some());
        match Action::ALL.iter().find(|action| action.as_str() == self.action) {
            Some(Action::Create | Action::Backup) => new,
            Some(Action::Replace) => new && old,
            Some(Action::Remove) => old,
            _ => true,
        }
    }
}

/// Says what is at a link in words that can be compared. The directories of the link before are remembered.
struct Looker<'m> {
    root: &'m Root,
    holdings: Holdings,
    last: Option<(PathBuf, Way)>,
}

/// The way to a directory.
struct Way {
    /// It, if it is there.
    dir: Option<Handle>,
    /// Each directory on it, and what it ends at.
    told: String,
}

impl<'m> Looker<'m> {
    fn new(manifests: &'m Manifests, manifest: &str) -> Looker<'m> {
        Looker { root: &manifests.root, holdings: manifests.holdings(manifest), last: None }
    }

    /// What is at a link, in which directories, and who else relies on it or on what is below it.
    fn found(&mut self, link: &Path) -> Result<String> {
        let (parent, name) = (link.parent().unwrap_or(Path::new("")), link.file_name().unwrap_or_default());
        let way = match self.last.take().filter(|(path, _)| path == parent) {
            Some((_, way)) => way,
            None => way(self.root, parent)?,
        };
        let what = match &way.dir {
            Some(dir) => what(self.root, dir, name).map_err(|error| error.on("apply", link))?,
            None => "nothing".to_owned(),
        };
        let mut told = format!("in {}: {what}", way.told);
        self.last = Some((parent.to_path_buf(), way));
        let path = LinkPath::new(link)?;
        let others = self.holdings.others.range::<LinkPath, _>(&path..);
        for (other, claimed) in others.take_while(|(other, _)| other.as_path().starts_with(link)) {
            told += &format!("; {} relies on {}: {}", claimed.by, Text::new(other.as_path()), encoded(&claimed.text));
        }
        Ok(told)
    }
}

/// The directories on the way to this one, as far as they are there.
fn way(root: &Root, parent: &Path) -> Result<Way> {
    let mut told = String::new();
    let (mut dir, mut path) = (None, PathBuf::new());
    for name in std::iter::once(OsStr::new("")).chain(parent.iter()) {
        path.push(name);
        match open_dir(root, &path, Access::Search) {
            Ok((opened, physical)) => {
                let inode = root.calls().stat(&opened).map_err(Error::from_io)?.id.inode;
                let through = physical.map_or(String::new(), |path| format!(" through {}", Text::new(path)));
                told += &format!("/{inode}{through}");
                dir = Some(opened);
            }
            Err(error) if error.kind().tells_nothing() => return Err(error),
            Err(error) => {
                let at = error.component().map_or(0, |component| component.index);
                return Ok(Way { dir: None, told: format!("{told}, no way: {} at {at}", error.kind()) });
            }
        }
    }
    Ok(Way { dir, told })
}

/// What is under a name.
fn what(root: &Root, dir: &Handle, name: &OsStr) -> Result<String> {
    let calls = root.calls();
    Ok(match calls.stat_at(dir, name) {
        Err(source) if sys::fault(&source) == Fault::Missing => "nothing".to_owned(),
        Err(source) => return Err(Error::from_io(source)),
        Ok(stat) if stat.kind == FileKind::Symlink => match calls.read_link(dir, name).map_err(Error::from_io)? {
            Some(text) => format!("a link to {}", encoded(&text)),
            None => "changing".to_owned(),
        },
        Ok(stat) => format!("{} {}", stat.kind, stat.id.inode),
    })
}

/// A text as it can stand between words.
fn encoded(text: &OsStr) -> String {
    hex(text.as_encoded_bytes())
}
