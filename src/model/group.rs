//! A group: steps that stand or fall together, as data.

use std::collections::HashMap;

use super::{Durability, Edit, LinkPath};

/// One step of a [`Group`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupStep {
    /// An edit of a link: to create, ensure, swap or remove it.
    Edit(Edit),
    /// A directory for links is made; one that is there is left as it is.
    MakeDir(LinkPath),
    /// A directory is removed if it is empty by then; any other is left as it is.
    RemoveDir(LinkPath),
    /// A file or directory gets a name that nothing has, as a backup its own.
    Restore {
        /// Where it is.
        from: LinkPath,
        /// The name that it gets.
        to: LinkPath,
    },
    /// A file or directory moves to another name, and a relative link to it takes its place, in one step.
    Adopt {
        /// Where it is, and the link will be.
        link: LinkPath,
        /// The name that it gets, which nothing has.
        to: LinkPath,
    },
}

impl GroupStep {
    /// Returns the path that the step is about.
    #[must_use]
    pub fn path(&self) -> &LinkPath {
        match self {
            GroupStep::Edit(edit) => edit.path(),
            GroupStep::MakeDir(path) | GroupStep::RemoveDir(path) => path,
            GroupStep::Restore { to, .. } => to,
            GroupStep::Adopt { link, .. } => link,
        }
    }

    /// Returns the name of the operation, as errors give it.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            GroupStep::Edit(edit) => edit.change().verb(),
            GroupStep::MakeDir(_) => "make",
            GroupStep::RemoveDir(_) => "remove",
            GroupStep::Restore { .. } => "restore",
            GroupStep::Adopt { .. } => "adopt",
        }
    }
}

impl<E: Into<Edit>> From<E> for GroupStep {
    fn from(edit: E) -> GroupStep {
        GroupStep::Edit(edit.into())
    }
}

/// Steps that stand or fall together.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("v1")?;
/// use caplink::records::{Author, Group, Records, Settings};
/// use caplink::{Edit, LinkPath, Policy, Root, Target};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let author = Author::default();
/// let (records, _) = Records::init(&root, Settings::default(), &author)?;
/// let mut group = Group::new("batch");
/// for name in ["blue", "green"] {
///     group.push(Edit::ensure(LinkPath::new(name)?, Target::relative("v1")));
/// }
/// let report = root.apply_group(&records, &author, &group)?;
/// assert!(report.stands);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a group changes nothing until it is applied"]
pub struct Group {
    pub(crate) verb: &'static str,
    pub(crate) owner: Option<String>,
    pub(crate) steps: Vec<GroupStep>,
    pub(crate) durability: Durability,
    pub(crate) undoes: bool,
    /// Reasons that steps have of their own, by their numbers.
    pub(crate) reasons: HashMap<usize, String>,
}

impl Group {
    /// No steps yet, of an operation of this name. Each changed directory will be synced.
    pub fn new(verb: &'static str) -> Group {
        let (steps, reasons) = (Vec::new(), HashMap::new());
        Group { verb, owner: None, steps, durability: Durability::Dir, undoes: false, reasons }
    }

    /// Says which manifest the links are made for.
    pub fn owned_by(self, name: impl Into<String>) -> Group {
        Group { owner: Some(name.into()), ..self }
    }

    /// Says what is to survive a power cut once the group stands.
    pub fn durability(self, durability: Durability) -> Group {
        Group { durability, ..self }
    }

    /// Takes back what another group did: a link that is not as that one left it is a `mismatch`, whatever it is.
    #[cfg(feature = "records")]
    pub(crate) fn undoing(self) -> Group {
        Group { undoes: true, ..self }
    }

    /// Adds a step.
    pub fn push(&mut self, step: impl Into<GroupStep>) {
        self.steps.push(step.into());
    }

    /// Adds a step that has a reason of its own, in place of that of the author.
    pub fn push_because(&mut self, step: impl Into<GroupStep>, reason: impl Into<String>) {
        self.reasons.insert(self.steps.len(), reason.into());
        self.push(step);
    }

    /// Returns the steps.
    #[must_use]
    pub fn steps(&self) -> &[GroupStep] {
        &self.steps
    }
}

impl<S: Into<GroupStep>> Extend<S> for Group {
    fn extend<I: IntoIterator<Item = S>>(&mut self, steps: I) {
        self.steps.extend(steps.into_iter().map(Into::into));
    }
}
