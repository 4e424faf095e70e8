//! The parts of a group as entries of the log, and back.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::error::{Kind, Result};
use crate::exec::{Part, There, Thing};
use crate::model::{Confinement, Effect, Group, Outcome};
use crate::records::actor::Actor;
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

    /// Writes the intent of a part: as [`Intent`] has it, without one.
    pub(super) fn write(&self, same: &Same, number: usize, to: &mut Vec<u8>) {
        let part = &self.parts[number];
        let outcome = self.results[part.step].as_ref().expect("BUG: a group that is announced was judged whole");
        // A directory that is made for a link is no outcome of its own.
        let is_own = outcome.link.as_path() == &*part.link;
        let path = |path| Lent::below(self.below, path);
        let begin = Begin {
            verb: self.group.verb,
            link: path(&part.link),
            other: match &part.there {
                There::Staged => None,
                There::Named(there) => Some(path(there)),
            },
            target: text(part.after.as_ref()),
            previous: text(part.before.as_ref()),
            at: (part.at != part.link).then(|| path(&part.at)),
            moved: moved(part),
            will: if is_own { outcome.effect } else { Effect::Created }.as_str(),
        };
        write_json(to, &begin);
        // Both are objects, and no key is in both.
        to.pop();
        match self.group.reasons.get(&part.step) {
            None => to.extend_from_slice(&same.0),
            Some(reason) => to.extend_from_slice(&self.same_because(Some(reason)).0),
        }
    }

    /// What all intents say that have no reason of their own.
    pub(super) fn same(&self) -> Same {
        self.same_because(self.author.reason.as_ref())
    }

    fn same_because(&self, reason: Option<&String>) -> Same {
        let (group, owner, run, actor) = (self.id, self.group.owner.as_ref(), self.run, &*self.author.actor);
        let mut same = Vec::new();
        write_json(&mut same, &End { group, reason, owner, run, actor });
        same[0] = b',';
        Same(same)
    }
}

/// The end of an intent, which many have in common, behind what is each one's own.
pub(super) struct Same(Vec<u8>);

/// The beginning of an [`Intent`].
#[derive(Serialize)]
struct Begin<'a> {
    verb: &'a str,
    link: Lent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<Lent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Lent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<Lent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Lent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Moved>,
    will: &'a str,
}

/// Its end.
#[derive(Serialize)]
struct End<'a> {
    group: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a String>,
    run: Run,
    actor: &'a Actor,
}

/// The result of a part, as [`Ended`](crate::records::entry::Ended) has it.
#[derive(Default, Serialize)]
pub(super) struct Told<'a> {
    of: u64,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guarantee: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    durability: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confinement: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<Lent<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    made: Vec<Lent<'a>>,
}

impl<'a> Told<'a> {
    /// The result of a part that stands, by the outcome of its step.
    pub(super) fn of(part: &Part, outcome: &'a Outcome, below: &Path) -> Told<'a> {
        let path = |path: &'a PathBuf| Lent::below(below, path);
        let is_own = outcome.link.as_path() == &*part.link;
        Told {
            outcome: if is_own { outcome.effect } else { Effect::Created }.as_str(),
            guarantee: Some(outcome.guarantee.as_str()),
            durability: Some(outcome.durability.as_str()),
            confinement: Some(Shown(outcome.confinement)),
            verified: Some(outcome.verified),
            backup: outcome.backup.as_ref().filter(|_| is_own).map(path),
            made: outcome.made.iter().filter(|_| is_own).map(path).collect(),
            ..Told::default()
        }
    }

    /// The result of a part that does not stand.
    pub(super) fn failed(kind: Kind) -> Told<'a> {
        Told { outcome: "failed", kind: Some(kind.as_str()), ..Told::default() }
    }

    /// Writes it, as that of the intent of this number.
    pub(super) fn write(self, of: u64, to: &mut Vec<u8>) {
        write_json(to, &Told { of, ..self });
    }
}

/// How far the kernel confined a part, as it is shown.
struct Shown(Confinement);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A text, as [`Text`] is written.
struct Lent<'a>(Cow<'a, OsStr>);

impl<'a> Lent<'a> {
    fn below(below: &Path, path: &'a Path) -> Lent<'a> {
        Lent(match below.as_os_str().is_empty() {
            true => Cow::Borrowed(path.as_os_str()),
            false => Cow::Owned(below.join(path).into()),
        })
    }
}

impl Serialize for Lent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => Text::new(&*self.0).serialize(serializer),
        }
    }
}

fn write_json(to: &mut Vec<u8>, what: &impl Serialize) {
    serde_json::to_writer(to, what).expect("BUG: an entry has no JSON");
}

fn text(thing: Option<&Thing>) -> Option<Lent<'_>> {
    match thing {
        Some(Thing::Link(text)) => Some(Lent(Cow::Borrowed(text))),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Edit, GroupStep, LinkPath, Target};
    use crate::records::entry::Ended;
    use std::sync::Arc;

    fn link(text: &str) -> Option<Thing> {
        Some(Thing::Link(text.into()))
    }

    fn object(inode: u64) -> Option<Thing> {
        Some(Thing::Object { dir: true, inode })
    }

    /// A part for each way in which an intent can differ from others, with the outcome of its step.
    fn parts() -> Vec<(Part, Outcome)> {
        let made = |number: usize, link: &str, at: &str, before, after| {
            let path = LinkPath::new(link).unwrap();
            let (link, at, staged) = (path.shared(), Path::new(at).into(), number.into());
            let part = Part { step: number, link, at, there: There::Staged, staged, before, after, directory: false };
            (part, Outcome::of(path, Effect::Replaced))
        };
        let named = |there: &str, (part, outcome): (Part, Outcome)| {
            (Part { there: There::Named(there.into()), ..part }, outcome)
        };
        let (mut above, backup) = (made(2, "d", "d", None, object(7)), PathBuf::from("q\"b"));
        above.1.link = LinkPath::new("d/l").unwrap();
        above.1.made = vec!["d".into()];
        let mut backed_up = named("q\"b", made(3, "x", "x", object(u64::MAX), link("\u{1}\u{7f}\u{2028}\\")));
        (backed_up.1.backup, backed_up.1.made) = (Some(backup), vec!["p".into(), "p/\u{e9}\n".into()]);
        vec![
            made(0, "a/l", "a/l", None, link("t")),
            made(1, "via/l", "b/l", link("old"), link("")),
            above,
            backed_up,
            named("z", made(4, "r", "r", None, object(9))),
            made(5, "gone", "gone", link("../\t"), None),
        ]
    }

    #[test]
    fn what_is_written_of_a_part_is_its_intent_and_its_result() {
        let (parts, outcomes): (Vec<Part>, Vec<Outcome>) = parts().into_iter().unzip();
        let results: Vec<Result<Outcome>> = outcomes.into_iter().map(Ok).collect();
        let (mut group, whys) = (Group::new("apply").owned_by("dot\"files"), [None, Some("why \"so\"")]);
        for number in 0..parts.len() {
            let step = GroupStep::from(Edit::ensure(LinkPath::new("l").unwrap(), Target::relative("t")));
            if number == 1 { group.push_because(step, "its own") } else { group.push(step) }
        }
        let owners = [group.clone(), Group { owner: None, ..group }];
        for (below, why, group) in ["", "be/low"]
            .iter()
            .flat_map(|below| whys.map(|why| (below, why)))
            .flat_map(|(below, why)| owners.iter().map(move |group| (Path::new(below), why, group)))
        {
            let author = Author::new(Actor { host: Some("h".into()), ..Actor::default() }, why).unwrap();
            let (parts, results, run) = (&parts[..], &results[..], Run(7, 8));
            let announcing = Announcing { group, id: "00ff", parts, results, author: &author, below, run };
            let same = announcing.same();
            for (number, part) in parts.iter().enumerate() {
                let mut json = Vec::new();
                announcing.write(&same, number, &mut json);
                let intent: Intent = serde_json::from_slice(&json).unwrap();
                assert_eq!(serde_json::to_vec(&intent).unwrap(), json, "as the intent itself is written");
                assert_eq!(intent.reason.as_deref(), if number == 1 { Some("its own") } else { why });
                let under = |path: &Path| -> Arc<Path> { below.join(path).into() };
                let there = match &part.there {
                    There::Named(there) => There::Named(below.join(there)),
                    There::Staged => There::Staged,
                };
                let announced = Part { link: under(&part.link), at: under(&part.at), there, ..part.clone() };
                assert_eq!(super::part(&intent, number), announced);

                json.clear();
                let outcome = results[number].as_ref().unwrap();
                Told::of(part, outcome, below).write(u64::MAX, &mut json);
                let ended: Ended = serde_json::from_slice(&json).unwrap();
                assert_eq!(serde_json::to_vec(&ended).unwrap(), json, "as the result itself is written");
                assert_eq!(ended.of, u64::MAX);
                assert_eq!(ended.made.len(), if number == 3 { 2 } else { 0 }, "what is made is told of the link");
            }
        }
        for told in [Told::failed(Kind::Partial), Told::default()] {
            let mut json = Vec::new();
            told.write(1, &mut json);
            let ended: Ended = serde_json::from_slice(&json).unwrap();
            assert_eq!(serde_json::to_vec(&ended).unwrap(), json);
        }
    }
}
