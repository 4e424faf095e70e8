//! Recording what is changed through a root: the intents before, on the medium, and the results after.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use super::author::Author;
use super::below::below;
use super::entry::{Body, Ended, Intent as Announced, Run};
use super::foreseen::may_be_kept;
use super::settle::{this_run, unsettled};
use super::store::Records;
use crate::error::{Error, Kind, Result};
use crate::model::{Change, Edit, LinkPath, Outcome};
use crate::recorder::{Event, Intent, Recorder};
use crate::root::Root;
use crate::wire::Text;

/// Records changes, as said by one author.
struct Recording {
    records: Records,
    author: Author,
    verb: Option<&'static str>,
    /// What each thread announced and did not tell the result of.
    announced: Mutex<HashMap<ThreadId, VecDeque<Waiting>>>,
}

/// An intent that is in the log, under its number.
struct Waiting {
    link: LinkPath,
    seq: u64,
    announced: Arc<Announced>,
    /// Where the root of the edit is below that of the records.
    below: PathBuf,
}

impl Root {
    /// Returns this root with its changes recorded: each is announced in the log before it is made, and its result told
    /// after it.
    ///
    /// # Durability
    ///
    /// Intents are on the medium before the first change that they announce, results before the operation returns.
    ///
    /// # Errors
    ///
    /// A change that cannot be announced is not made: `policy` where the records demand a reason, `no_space`,
    /// `permission`, `integrity`, `busy`, `io`. Where a result cannot be written the change stands, and the error is among
    /// the outcome's shortfalls; the log says `unknown` until the disk is asked.
    #[must_use]
    pub fn recorded(&self, records: &Records, author: Author) -> Root {
        self.recorded_during(records, author, None)
    }

    /// The same for the edits of a verb of another name than theirs.
    #[must_use]
    pub fn recorded_during(&self, records: &Records, author: Author, verb: Option<&'static str>) -> Root {
        let announced = Mutex::default();
        self.guarded(None).recorded_by(Arc::new(Recording { records: records.clone(), author, verb, announced }))
    }
}

impl Root {
    /// Returns this root for changes that nobody records: one is refused where the root has records by then, or says that
    /// it has some in another state directory. An edit that changes nothing does not look for them.
    ///
    /// For whoever holds a root for long and records its changes once there are records: two looks at most are the price
    /// of a change, and whatever was there when the root was opened does not count.
    ///
    /// # Errors
    ///
    /// A change that was to be recorded is `policy`, and nothing was changed.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// # dir.create_dir("v2")?;
    /// use caplink::records::{Author, Records, Settings};
    /// use caplink::{Kind, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let plain = root.unless_recorded();
    /// let _ = plain.ensure("current", Target::relative("v1"))?;
    ///
    /// let (records, _) = Records::init(&root, Settings::default(), &Author::default())?;
    /// let refused = plain.ensure("current", Target::relative("v2")).unwrap_err();
    /// assert_eq!(refused.kind(), Kind::Policy);
    /// let _ = root.recorded(&records, Author::default()).ensure("current", Target::relative("v2"))?;
    /// let _ = plain.ensure("current", Target::relative("v2"))?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn unless_recorded(&self) -> Root {
        self.guarded(Some(refuse_where_kept))
    }
}

/// Refuses a change where there are records, or where that cannot be told.
fn refuse_where_kept(root: &Root) -> Result<()> {
    if may_be_kept(root) {
        return Err(Error::new(Kind::Policy).because("the root has records, and this change would not be in them"));
    }
    Ok(())
}

impl Recording {
    fn intent(&self, intent: &Intent<'_>, run: Run) -> Result<Announced> {
        let Intent { edit, foreseen, .. } = intent;
        let below = below(self.records.root(), intent.below)?;
        let path = |link: &LinkPath| Text::new(below.join(link.as_path()));
        let other = match edit.change() {
            Change::Exchange(exchange) => Some(path(&exchange.with)),
            _ => None,
        };
        let followed = foreseen.physical.as_ref().map(|at| Text::new(below.join(at)));
        Ok(Announced {
            verb: self.verb.unwrap_or_else(|| edit.change().verb()).to_owned(),
            link: path(&foreseen.link),
            other,
            target: foreseen.target.clone().map(Text),
            previous: foreseen.previous.clone().map(Text),
            at: followed,
            moved: None,
            will: foreseen.effect.as_str().to_owned(),
            group: None,
            reason: self.author.reason.clone(),
            owner: None,
            run,
            actor: Arc::clone(&self.author.actor),
        })
    }

    /// The intent of this edit, if it was announced by this thread.
    fn announced(&self, edit: &Edit) -> Option<Waiting> {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread::current().id();
        let waiting = announced.get_mut(&thread)?;
        if waiting.front().is_none_or(|next| next.link != *edit.path()) {
            return None;
        }
        let next = waiting.pop_front()?;
        if waiting.is_empty() {
            announced.remove(&thread);
        }
        Some(next)
    }
}

impl Recorder for Recording {
    fn asks(&self) -> bool {
        true
    }

    fn is_records(&self) -> bool {
        true
    }

    fn previews(&self, _: &Intent<'_>) -> Result<()> {
        self.records.could_record(self.author.reason.is_some())
    }

    fn before(&self, intents: &[Intent<'_>]) -> Result<()> {
        let (records, run) = (&self.records, this_run());
        let announce = |intent| self.intent(intent, run).map(Arc::new);
        let announced: Vec<Arc<Announced>> = intents.iter().map(announce).collect::<Result<_>>()?;
        let names: HashSet<&Text> = announced.iter().flat_map(|intent| intent.all_names()).collect();
        records.has_settled(records.settle_groups_of(&|name| names.contains(name))?);
        let (mut settled_before, mut recovered) = (0, Vec::new());
        let numbers = records.append(|log| {
            records.demands_reason(log, self.author.reason.is_some())?;
            let touched = |open: &Announced| open.all_names().any(|name| names.contains(name));
            let (mut bodies, settled) = unsettled(records.root(), log, &touched);
            recovered = settled;
            settled_before = bodies.len();
            bodies.extend(announced.iter().cloned().map(Body::Intent));
            Ok(bodies)
        })?;
        records.has_settled(recovered);
        let numbers = numbers.into_iter().skip(settled_before);
        let waiting = intents.iter().zip(announced).zip(numbers).map(|((intent, announced), seq)| {
            let below = below(records.root(), intent.below)?;
            Ok(Waiting { link: intent.edit.path().clone(), seq, announced, below })
        });
        let waiting = waiting.collect::<Result<_>>()?;
        let mut all = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(thread::current().id(), waiting);
        Ok(())
    }

    fn after(&self, events: &[Event<'_>]) -> Result<()> {
        let bodies: Vec<Body> = events
            .iter()
            .filter_map(|event| Some(Body::Result(Box::new(ended(&self.announced(event.edit)?, event.result)))))
            .collect();
        if bodies.is_empty() {
            return Ok(());
        }
        self.records.append(|_| Ok(bodies)).map(drop)
    }
}

/// The result of an edit, as the log tells it.
fn ended(Waiting { seq: of, announced, below, .. }: &Waiting, result: &Result<Outcome>) -> Ended {
    let of = *of;
    let path = |path: &PathBuf| Text::new(below.join(path));
    let other = |text: &Option<OsString>, known: &Option<Text>| {
        text.as_ref().filter(|text| known.as_ref().is_none_or(|known| known.0 != **text)).map(Text::new)
    };
    match result {
        Ok(outcome) => Ended {
            of,
            outcome: outcome.effect.as_str().to_owned(),
            target: other(&outcome.target, &announced.target),
            previous: other(&outcome.previous, &announced.previous),
            guarantee: Some(outcome.guarantee.as_str().to_owned()),
            durability: Some(outcome.durability.as_str().to_owned()),
            confinement: Some(outcome.confinement.to_string()),
            verified: Some(outcome.verified),
            backup: outcome.backup.as_ref().map(path),
            made: outcome.made.iter().map(path).collect(),
            ..Ended::default()
        },
        Err(error) => {
            Ended { of, outcome: "failed".to_owned(), kind: Some(error.kind().as_str().to_owned()), ..Ended::default() }
        }
    }
}
