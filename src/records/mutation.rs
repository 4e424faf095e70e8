//! What the log tells of mutations: one object each, from the entry of the intent and that of its result.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::actor::Actor;
use super::entry::{Body, Ended, Fact, Intent, Settled};
use super::head::Head;
use super::moved::Moved;
use super::time::Time;
use crate::wire::Text;

/// One mutation, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mutation {
    /// The number of the entry that announced it.
    pub seq: u64,
    /// When that was written.
    pub time: Time,
    /// The verb that it was part of.
    pub verb: String,
    /// The link; none for what concerns no link.
    pub link: Option<Text>,
    /// The other link of an exchange, or the other name of what is moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<Text>,
    /// The text that the link had.
    pub previous: Option<Text>,
    /// The text that it has by this; none where it was removed.
    pub target: Option<Text>,
    /// An outcome, `failed`, or `unknown`.
    pub outcome: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How far the host could promise it.
    pub guarantee: Option<String>,
    /// What was synced.
    pub durability: Option<String>,
    /// How far the kernel confined it.
    pub confinement: Option<String>,
    /// Whether it was read back.
    pub verified: Option<bool>,
    /// The changes that it stands or falls with.
    pub group: Option<String>,
    /// The manifest that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The app whose ledger it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The release of that app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The file or directory that is moved; a directory without another name is made or removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// Why, as the caller said it.
    pub reason: Option<String>,
    /// Who.
    #[serde(serialize_with = "whole")]
    pub actor: Actor,
    /// The root.
    pub root: MutationRoot,
    /// Whether the outcome was found out from the disk afterwards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub settled: bool,
    /// Where what was in the way is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<Text>,
    /// Directories that were made for the link.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Text>,
}

/// The root of a mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MutationRoot {
    /// Its path when the records were made or bound to it.
    pub path: Option<Text>,
    /// Its inode.
    pub inode: u64,
    /// The id of its file system.
    pub file_system: Option<String>,
}

/// An actor with all its keys, as the log shows it.
fn whole<S: Serializer>(actor: &Actor, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Whole<'a> {
        uid: Option<u32>,
        user: Option<&'a str>,
        login_uid: Option<u32>,
        login_user: Option<&'a str>,
        pid: Option<u32>,
        program: Option<&'a str>,
        host: Option<&'a str>,
        claimed: Option<&'a str>,
    }
    let Actor { uid, user, login_uid, login_user, pid, program, host, claimed } = actor;
    Whole {
        uid: *uid,
        user: user.as_deref(),
        login_uid: *login_uid,
        login_user: login_user.as_deref(),
        pid: *pid,
        program: program.as_deref(),
        host: host.as_deref(),
        claimed: claimed.as_deref(),
    }
    .serialize(serializer)
}

impl MutationRoot {
    pub(super) fn of(settled: &Settled) -> MutationRoot {
        let (path, root) = (settled.path.clone(), &settled.root);
        MutationRoot { path, inode: root.inode, file_system: root.file_system.clone() }
    }
}

impl Mutation {
    fn announced(head: &Head, intent: Intent, root: MutationRoot) -> Mutation {
        Mutation {
            seq: head.seq,
            time: head.time,
            verb: intent.verb,
            link: Some(intent.link),
            other: intent.other,
            previous: intent.previous,
            target: intent.target,
            outcome: "unknown".to_owned(),
            kind: None,
            guarantee: None,
            durability: None,
            confinement: None,
            verified: None,
            group: intent.group,
            owner: intent.owner,
            app: None,
            release: None,
            moved: intent.moved,
            reason: intent.reason,
            actor: Arc::unwrap_or_clone(intent.actor),
            root,
            settled: false,
            backup: None,
            made: Vec::new(),
        }
    }

    fn of_no_link(
        head: &Head,
        verb: String,
        outcome: String,
        who: (Option<String>, Actor),
        root: MutationRoot,
    ) -> Self {
        Mutation {
            seq: head.seq,
            time: head.time,
            verb,
            link: None,
            other: None,
            previous: None,
            target: None,
            outcome,
            kind: None,
            guarantee: None,
            durability: None,
            confinement: None,
            verified: None,
            group: None,
            owner: None,
            app: None,
            release: None,
            moved: None,
            reason: who.0,
            actor: who.1,
            root,
            settled: false,
            backup: None,
            made: Vec::new(),
        }
    }

    fn end(&mut self, ended: Ended) {
        if ended.outcome == "created" {
            // Whatever was foreseen, nothing was displaced.
            self.previous = None;
        }
        self.outcome = ended.outcome;
        self.kind = ended.kind;
        if ended.target.is_some() {
            self.target = ended.target;
        }
        if ended.previous.is_some() {
            self.previous = ended.previous;
        }
        self.guarantee = ended.guarantee;
        self.durability = ended.durability;
        self.confinement = ended.confinement;
        self.verified = ended.verified;
        self.settled = ended.settled;
        self.backup = ended.backup;
        self.made = ended.made;
    }
}

/// What a fact says of releases.
#[derive(Default, Deserialize)]
struct About {
    app: Option<String>,
    release: Option<String>,
}

/// Puts intents and results together, and gives the mutations in the order of their intents.
pub(super) struct Assembly {
    root: Option<MutationRoot>,
    waiting: VecDeque<(Mutation, bool)>,
    /// The number of the first that waits, counted from the first of all.
    given: usize,
    places: HashMap<u64, usize>,
}

impl Assembly {
    /// For entries that are of this root.
    pub(super) fn of(root: MutationRoot) -> Assembly {
        Assembly { root: Some(root), ..Assembly::new() }
    }

    pub(super) fn new() -> Assembly {
        Assembly { root: None, waiting: VecDeque::new(), given: 0, places: HashMap::new() }
    }

    /// Takes an entry. `stays_open` says of an intent that the log has no result of it.
    pub(super) fn take(&mut self, head: &Head, body: Body, stays_open: bool) {
        match body {
            Body::Records(founding) => {
                let verb = if founding.renewed.is_some() { "records renew" } else { "records init" };
                self.settings(head, verb, founding.settled);
            }
            Body::Settings(settled) => {
                let verb = if settled.outcome == "rebound" { "records rebind" } else { "records init" };
                self.settings(head, verb, *settled);
            }
            Body::Intent(intent) => {
                if !stays_open {
                    self.places.insert(head.seq, self.given + self.waiting.len());
                }
                let mutation = Mutation::announced(head, Arc::unwrap_or_clone(intent), self.root());
                self.waiting.push_back((mutation, stays_open));
            }
            Body::Result(ended) => {
                // A second result, of a program that had been taken for dead, comes too late.
                let place = self.places.remove(&ended.of).and_then(|place| place.checked_sub(self.given));
                if let Some((mutation, done)) = place.and_then(|place| self.waiting.get_mut(place)) {
                    mutation.end(*ended);
                    *done = true;
                }
            }
            Body::Fact(fact) => {
                let About { app, release } = serde_json::from_str(fact.data.get()).unwrap_or_default();
                let Fact { verb, outcome, group, reason, actor, .. } = *fact;
                let of_no_link = Mutation::of_no_link(head, verb, outcome, (reason, actor), self.root());
                self.waiting.push_back((Mutation { group, app, release, ..of_no_link }, true));
            }
            Body::Group(_) | Body::GroupEnd(_) | Body::Torn(_) | Body::Open(_) => {}
        }
    }

    fn settings(&mut self, head: &Head, verb: &str, settled: Settled) {
        let root = MutationRoot::of(&settled);
        let Settled { outcome, reason, actor, .. } = settled;
        self.root = Some(root.clone());
        let told = Mutation::of_no_link(head, verb.to_owned(), outcome, (reason, actor), root);
        self.waiting.push_back((told, true));
    }

    fn root(&self) -> MutationRoot {
        self.root.clone().unwrap_or(MutationRoot { path: None, inode: 0, file_system: None })
    }

    /// The next mutation, if all that is ever told of it was taken.
    pub(super) fn next(&mut self) -> Option<Mutation> {
        loop {
            if !self.waiting.front().is_some_and(|(_, done)| *done) {
                return None;
            }
            let (mutation, _) = self.waiting.pop_front()?;
            self.given += 1;
            // What was announced and then found not to change anything is no mutation.
            if mutation.outcome != "unchanged" && mutation.outcome != "skipped" {
                return Some(mutation);
            }
        }
    }

    /// The number of the intent whose result holds back what is behind it.
    pub(super) fn awaited(&self) -> Option<u64> {
        self.waiting.front().filter(|(_, done)| !done).map(|(mutation, _)| mutation.seq)
    }

    /// Does not wait for that any more.
    pub(super) fn give_up(&mut self) {
        if let Some((_, done)) = self.waiting.front_mut() {
            *done = true;
        }
    }

    /// The next mutation, when every entry was taken.
    pub(super) fn rest(&mut self) -> Option<Mutation> {
        self.waiting.pop_front().map(|(mutation, _)| mutation)
    }
}
