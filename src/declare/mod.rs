//! Brings a tree to what a manifest declares, and takes that back.
//!
//! What the records say of the manifest ([`holdings`]), what it declares and what is there become a plan, by the pure planner
//! of [`plan`](crate::plan). The plan is shown, saved ([`saved`]), or carried out as one group ([`carry`]): all of it
//! stands or none. `plan`, a dry run, `apply` and `status` all come from the one plan, so that they cannot differ.

mod adopt;
mod carry;
mod compare;
mod holdings;
mod saved;
mod standing;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

pub use adopt::Adoption;
pub use carry::Applied;
pub use compare::Compared;
pub use saved::SavedPlan;

use crate::error::{Error, Result};
use crate::manifest::{Expanded, Looking, Manifest, Overridden, Trouble};
use crate::model::LinkPath;
use crate::plan::{
    Action, ManifestPlan, Note, OnConflict, Request, plan_manifest, plan_states, plan_steps, plan_unapply,
};
use crate::records::{Held, Records};
use crate::root::Root;
use crate::wire::Text;

/// The manifests of a root: what they made, and what they are to make.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("vim")?;
/// # dir.write("vim/vimrc", "set nu")?;
/// use caplink::manage::{Facts, Manifest, Manifests, PlanOptions};
/// use caplink::records::Author;
/// use caplink::{Policy, Root};
///
/// let text = b"version = 1\nname = \"dotfiles\"\n[links]\n\".vimrc\" = \"vim/vimrc\"\n";
/// let manifest = Manifest::parse(text, &Facts::default()).expect("nothing is wrong with it");
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let manifests = Manifests::open(&root)?;
/// let planned = manifests.plan(&manifest, &PlanOptions::default())?;
/// let applied = manifests.apply(&planned, &Author::default())?;
/// assert!(applied.stands);
///
/// let again = Manifests::open(&root)?.plan(&manifest, &PlanOptions::default())?;
/// assert!(again.plan.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Manifests {
    root: Root,
    records: Option<Records>,
    held: Held,
}

/// What a plan is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Only entries with one of these tags; none: all.
    pub tags: Vec<String>,
    /// Whether owned links that are not declared any more are removed.
    pub prune: bool,
    /// Whether what is in the way of an entry that says nothing is renamed beside.
    pub backup: bool,
    /// Whether the [states](ManifestPlan::states) of the entries are asked for: where a link leads that has its text already
    /// is looked up for them alone.
    pub states: bool,
    /// Whether the [steps](ManifestPlan::steps) are asked for. A plan without them is only looked at.
    pub steps: bool,
}

impl Default for PlanOptions {
    fn default() -> PlanOptions {
        PlanOptions { tags: Vec::new(), prune: true, backup: false, states: true, steps: true }
    }
}

/// A plan, with what carrying it out has to say to the records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planned {
    /// The manifest.
    pub manifest: String,
    /// Its steps, and the state of each entry.
    pub plan: ManifestPlan,
    /// Links of a tree that a `[[link]]` has another target for.
    pub overridden: Vec<Overridden>,
    /// Where the manifest was read last, if that was another place.
    pub moved_from: Option<PathBuf>,
    claims: Claiming,
    takes_back: bool,
}

/// What the records are told of links that are there already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Claiming {
    kept: Vec<(LinkPath, Text)>,
    dropped: Vec<LinkPath>,
    source: Option<PathBuf>,
}

impl Claiming {
    fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.dropped.is_empty() && self.source.is_none()
    }
}

/// Why there is no plan.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unplanned {
    /// What is wrong with the manifest, or with what it is to be expanded to; all of it.
    Manifest(Vec<Trouble>),
    /// The root, or the records, could not be read.
    Root(Error),
}

impl From<Error> for Unplanned {
    fn from(error: Error) -> Unplanned {
        Unplanned::Root(error)
    }
}

impl std::fmt::Display for Unplanned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unplanned::Manifest(troubles) => {
                let told: Vec<String> = troubles.iter().map(ToString::to_string).collect();
                f.write_str(&told.join("\n"))
            }
            Unplanned::Root(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unplanned {}

impl Manifests {
    /// Reads what the records of a root say of manifests; a root without records has none.
    ///
    /// # Errors
    ///
    /// `unsafe_state`, `integrity`, `io`.
    pub fn open(root: &Root) -> Result<Manifests> {
        let records = Records::open(root)?;
        let held = records.as_ref().map(Records::held).transpose()?.unwrap_or_default();
        Ok(Manifests { root: root.clone(), records, held })
    }

    /// Reads what records that were opened already say of the manifests of their root.
    ///
    /// # Errors
    ///
    /// `integrity`, `io`.
    pub fn with_records(root: &Root, records: Records) -> Result<Manifests> {
        let held = records.held()?;
        Ok(Manifests { root: root.clone(), records: Some(records), held })
    }

    /// Returns whether the root has records.
    #[must_use]
    pub fn has_records(&self) -> bool {
        self.records.is_some()
    }

    /// Returns whether the records know a manifest of this name.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        let owns = self.held.owned().iter().any(|owned| owned.owner() == name);
        owns || self.held.sources.contains_key(name) || self.held.kept.keys().any(|(owner, _)| owner == name)
    }

    /// Plans what brings the tree to what a manifest declares; changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [expanding](Manifest::expand) it, all of them; `root_gone`, `fd_exhausted`, `io`.
    pub fn plan(&self, manifest: &Manifest, options: &PlanOptions) -> std::result::Result<Planned, Unplanned> {
        let expanded = manifest.expand(&self.root).map_err(Unplanned::Manifest)?;
        Ok(self.planned((manifest.name(), manifest.on_conflict()), expanded, options)?)
    }

    /// The same for a manifest that is not needed any more: what it declares is not copied.
    ///
    /// # Errors
    ///
    /// Those of [`plan`](Manifests::plan).
    pub fn plan_once(&self, manifest: Manifest, options: &PlanOptions) -> std::result::Result<Planned, Unplanned> {
        let (name, on_conflict) = (manifest.name().to_owned(), manifest.on_conflict());
        let expanded = manifest.into_expanded(&self.root).map_err(Unplanned::Manifest)?;
        Ok(self.planned((&name, on_conflict), expanded, options)?)
    }

    fn planned(
        &self,
        (name, on_conflict): (&str, OnConflict),
        expanded: Expanded,
        options: &PlanOptions,
    ) -> Result<Planned> {
        let holdings = self.holdings(name);
        let (links, unwanted) = (&expanded.links[..], &expanded.unwanted[..]);
        let seen = self.root.see(&Looking { links, unwanted, holdings: &holdings, all: options.states })?;
        let on_conflict = match on_conflict {
            OnConflict::Refuse if options.backup => OnConflict::Backup,
            on_conflict => on_conflict,
        };
        let request = Request {
            links,
            unwanted,
            seen: &seen,
            holdings: &holdings,
            root: self.root.text_root(),
            tags: &options.tags,
            prune: options.prune,
            on_conflict,
        };
        let plan = match (options.steps, options.states) {
            (true, true) => plan_manifest(&request),
            (false, _) => plan_states(&request),
            (true, false) => plan_steps(&request),
        };
        let claims = if options.steps { self.claims(name, &plan, links) } else { Claiming::default() };
        let overridden = expanded.overridden;
        let manifest = name.to_owned();
        Ok(Planned { manifest, plan, overridden, moved_from: None, claims, takes_back: false })
    }

    /// What is to be said of links that were found and are relied on, and of those that are not any more.
    fn claims(&self, name: &str, plan: &ManifestPlan, links: &[crate::plan::Declared]) -> Claiming {
        let known = |link: &LinkPath| self.held.kept.get(&(name.to_owned(), Text::new(link.as_path())));
        let found = plan.steps.iter().filter(|step| step.action == Action::Keep && step.note == Note::Found);
        let kept = found
            .filter_map(|step| Some((step.link.clone(), Text::new(step.target.as_ref()?))))
            .filter(|(link, text)| known(link) != Some(text))
            .collect();
        let mut own = self.held.kept.keys().filter(|(owner, _)| owner == name).map(|(_, link)| link).peekable();
        let mut dropped: Vec<LinkPath> = Vec::new();
        if own.peek().is_some() {
            let declared: HashSet<&Path> = links.iter().map(|declared| declared.link.as_path()).collect();
            let no_more = own.filter(|link| !declared.contains(link.as_path()));
            dropped.extend(no_more.filter_map(|link| LinkPath::new(link.as_path()).ok()));
        }
        dropped.extend(plan.gone.iter().cloned());
        Claiming { kept, dropped, source: None }
    }

    /// Plans what takes away what a manifest made, and puts back what it displaced; changes nothing. Needs neither the
    /// manifest nor its sources.
    ///
    /// # Errors
    ///
    /// `root_gone`, `fd_exhausted`, `io`.
    pub fn plan_back(&self, name: &str) -> Result<Planned> {
        let holdings = self.holdings(name);
        let seen = self.root.see(&Looking { links: &[], unwanted: &[], holdings: &holdings, all: false })?;
        let plan = plan_unapply(&seen, &holdings);
        let own = self.held.kept.keys().filter(|(owner, _)| owner == name).map(|(_, link)| link);
        let mut dropped: Vec<LinkPath> = own.filter_map(|link| LinkPath::new(link.as_path()).ok()).collect();
        dropped.extend(plan.gone.iter().cloned());
        let claims = Claiming { dropped, ..Claiming::default() };
        let (manifest, overridden) = (name.to_owned(), Vec::new());
        Ok(Planned { manifest, plan, overridden, moved_from: None, claims, takes_back: true })
    }
}

impl Planned {
    /// Says where the manifest was read, which the records keep: the same name from another file is worth a word.
    #[must_use]
    pub fn read_from(mut self, manifests: &Manifests, path: &Path) -> Planned {
        let before = manifests.held.sources.get(&self.manifest);
        // A plan that has nothing to do makes no records to say where it was read.
        let is_told = manifests.records.is_some() || !self.is_at_rest();
        if is_told && before.is_none_or(|before| before.as_path() != path) {
            self.moved_from = before.map(|before| before.as_path().to_path_buf());
            self.claims.source = Some(path.to_path_buf());
        }
        self
    }

    /// Returns whether carrying it out would change nothing, in the tree and in the records.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.plan.is_empty() && self.claims.is_empty()
    }
}
