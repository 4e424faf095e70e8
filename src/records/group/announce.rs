//! The parts of a group as entries of the log, and back.

use std::path::{Path, PathBuf};

use crate::exec::{Part, There, Thing};
use crate::model::{Effect, Group, Outcome};
use crate::records::author::Author;
use crate::records::entry::{Intent, Run};
use crate::records::moved::Moved;
use crate::wire::Text;

/// The intents of a group's parts, in their order.
pub(super) fn intents(
    (group, id): (&Group, &str),
    parts: &[Part],
    outcomes: &[&Outcome],
    author: &Author,
    (below, run): (&Path, Run),
) -> Vec<Intent> {
    let path = |path: &Path| Text::new(below.join(path));
    let intent = |part: &Part| {
        let outcome = outcomes[part.step];
        // A directory that is made for a link is no outcome of its own.
        let is_own = outcome.link.as_path() == part.link;
        let will = if is_own { outcome.effect } else { Effect::Created };
        Intent {
            verb: group.verb.to_owned(),
            link: path(&part.link),
            other: match &part.there {
                There::Staged => None,
                There::Named(there) => Some(path(there)),
            },
            target: text(part.after.as_ref()),
            previous: text(part.before.as_ref()),
            at: (part.at != part.link).then(|| path(&part.at)),
            moved: moved(part),
            will: will.as_str().to_owned(),
            group: Some(id.to_owned()),
            reason: group.reasons.get(&part.step).or(author.reason.as_ref()).cloned(),
            owner: group.owner.clone(),
            run,
            actor: author.actor.clone(),
        }
    };
    parts.iter().map(intent).collect()
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
        link: PathBuf::from(&intent.link.0),
        at: PathBuf::from(&at.0),
        there: intent.other.as_ref().map_or(There::Staged, |there| There::Named(PathBuf::from(&there.0))),
        staged: number.to_string().into(),
        before: moved.filter(|moved| !moved.brought).map(object).or_else(|| link(&intent.previous)),
        after: moved.filter(|moved| moved.brought).map(object).or_else(|| link(&intent.target)),
        directory: false,
    }
}
