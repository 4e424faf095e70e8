//! The parts of a group as entries of the log, and back.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::exec::{Part, There, Thing};
use crate::model::{Effect, Group, Outcome};
use crate::records::author::Author;
use crate::records::entry::{Intent, Run};
use crate::records::moved::Moved;
use crate::wire::Text;

/// A group's parts as they are announced.
pub(super) struct Announcing<'a> {
    pub(super) group: &'a Group,
    pub(super) id: &'a str,
    pub(super) parts: &'a [Part],
    /// That of each step.
    pub(super) results: &'a [Result<Outcome>],
    pub(super) author: &'a Author,
    /// Where the root is below that of the records.
    pub(super) below: &'a Path,
    pub(super) run: Run,
}

impl Announcing<'_> {
    fn path(&self, path: &Path) -> Text {
        Text::new(self.below.join(path))
    }

    fn reason(&self, step: usize) -> Option<&String> {
        self.group.reasons.get(&step).or(self.author.reason.as_ref())
    }

    /// Whether it is said of every part why.
    pub(super) fn has_reasons(&self) -> bool {
        self.parts.iter().all(|part| self.reason(part.step).is_some())
    }

    /// Every path that a part is about.
    pub(super) fn names(&self) -> HashSet<Text> {
        let of = |part: &Part| {
            let there = match &part.there {
                There::Staged => None,
                There::Named(there) => Some(self.path(there)),
            };
            let at = (part.at != part.link).then(|| self.path(&part.at));
            [Some(self.path(&part.link)), at, there]
        };
        self.parts.iter().flat_map(of).flatten().collect()
    }

    /// The intent of a part.
    pub(super) fn intent(&self, number: usize) -> Intent {
        let part = &self.parts[number];
        let outcome = self.results[part.step].as_ref().expect("BUG: a group that is announced was judged whole");
        // A directory that is made for a link is no outcome of its own.
        let is_own = outcome.link.as_path() == &*part.link;
        let will = if is_own { outcome.effect } else { Effect::Created };
        Intent {
            verb: self.group.verb.to_owned(),
            link: self.path(&part.link),
            other: match &part.there {
                There::Staged => None,
                There::Named(there) => Some(self.path(there)),
            },
            target: text(part.after.as_ref()),
            previous: text(part.before.as_ref()),
            at: (part.at != part.link).then(|| self.path(&part.at)),
            moved: moved(part),
            will: will.as_str().to_owned(),
            group: Some(self.id.to_owned()),
            reason: self.reason(part.step).cloned(),
            owner: self.group.owner.clone(),
            run: self.run,
            actor: Arc::clone(&self.author.actor),
        }
    }
}

fn text(thing: Option<&Thing>) -> Option<Text> {
    match thing {
        Some(Thing::Link(text)) => Some(Text::new(text)),
        _ => None,
    }
}

fn moved(part: &Part) -> Option<Moved> {
    let object = |thing: Option<&Thing>, brought| match thing {
        Some(Thing::Object { dir, inode }) => Some(Moved { dir: *dir, inode: *inode, brought }),
        _ => None,
    };
    object(part.before.as_ref(), false).or_else(|| object(part.after.as_ref(), true))
}

/// The part that an intent announced; `number` is its place in the group, under which it is staged.
pub(super) fn part(intent: &Intent, number: usize) -> Part {
    let link = |text: &Option<Text>| text.clone().map(|text| Thing::Link(text.0));
    let object = |moved: Moved| Thing::Object { dir: moved.dir, inode: moved.inode };
    let (moved, at) = (intent.moved, intent.at.as_ref().unwrap_or(&intent.link));
    Part {
        step: number,
        link: intent.link.as_path().into(),
        at: at.as_path().into(),
        there: intent.other.as_ref().map_or(There::Staged, |there| There::Named(PathBuf::from(&there.0))),
        staged: number.into(),
        before: moved.filter(|moved| !moved.brought).map(object).or_else(|| link(&intent.previous)),
        after: moved.filter(|moved| moved.brought).map(object).or_else(|| link(&intent.target)),
        directory: false,
    }
}
