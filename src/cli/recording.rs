//! The records as verbs use them: who asks for a change and why, and the root whose changes are recorded.

use std::ffi::OsString;
use std::time::Duration;

use caplink::records::{Actor, Author, Records};
use caplink::{Error, Kind, Root};

use super::context::{Context, variable};
use super::duration;
use super::global::Global;
use super::problem::Problem;
use caplink::wire::Text;

/// How long another holder is waited for, unless `--lock-timeout` says something else.
const WAIT: Duration = Duration::from_secs(1);

type Answer<T> = Result<T, Box<Problem>>;

impl Context {
    /// Opens the root for a verb that changes links: recorded where it has records.
    pub(crate) fn to_change(&self) -> Answer<Root> {
        self.recorded(&self.look_with_state()?, None)
    }

    /// The root with its changes recorded, where it has records; `reason` is that of the changes, if they have one of
    /// their own.
    pub(crate) fn recorded(&self, root: &Root, reason: Option<&str>) -> Answer<Root> {
        let wait = self.lock_timeout()?;
        let (why, claimed) = self.said(reason)?;
        may_be_said(why, claimed)?;
        let Some(records) = Records::open_for_mutation(root).map_err(refused)? else { return Ok(root.clone()) };
        let author = self.author_because(reason)?;
        let records = self.confined_if_open(root, records)?.waiting(wait);
        self.used(&records);
        Ok(root.recorded(&records, author))
    }

    /// The records of a root with interrupted groups, as they are settled: confined as far as was asked for.
    fn confined_if_open(&self, root: &Root, records: Records) -> Answer<Records> {
        let (_, _, open_groups) = records.extent().map_err(refused)?;
        if open_groups == 0 || self.global.dry_run {
            return Ok(records);
        }
        let confined = self.confined(root).map_err(refused)?;
        Ok(Records::open(&confined).map_err(refused)?.unwrap_or(records))
    }

    /// Opens the root with its records; none where it has none.
    pub(crate) fn with_records(&self) -> Answer<(Root, Option<Records>)> {
        let root = self.look_with_state()?;
        let wait = self.lock_timeout()?;
        let records = Records::open(&root).map_err(refused)?;
        Ok((root, records.map(|records| records.waiting(wait))))
    }

    /// The same for a verb that settles: confined as far as was asked for.
    pub(crate) fn with_confined_records(&self) -> Answer<(Root, Option<Records>)> {
        let root = self.look_with_state()?;
        let wait = self.lock_timeout()?;
        let Some(records) = Records::open(&root).map_err(refused)? else { return Ok((root, None)) };
        let records = self.confined_if_open(&root, records)?;
        Ok((root, Some(records.waiting(wait))))
    }

    /// The caller, as far as the system knows it, with what was said of it and why.
    pub(crate) fn author(&self) -> Answer<Author> {
        self.author_because(None)
    }

    fn author_because(&self, own: Option<&str>) -> Answer<Author> {
        let (reason, claimed) = self.said(own)?;
        Author::new(Actor { claimed, ..Actor::of_this_process() }, reason.as_deref()).map_err(refused)
    }

    /// Why, and who asked for it, from options and variables; `own` is the reason of the changes themselves.
    fn said(&self, own: Option<&str>) -> Answer<(Option<String>, Option<String>)> {
        let said =
            |option: &Option<OsString>, name: &str| option.clone().or_else(|| variable(name)).map(text).transpose();
        let reason = match own {
            Some(own) => Some(own.to_owned()),
            None => said(&self.global.reason, "CAPLINK_REASON")?,
        };
        Ok((reason, said(&self.global.actor, "CAPLINK_ACTOR")?))
    }

    /// How long another holder is waited for.
    pub(crate) fn lock_timeout(&self) -> Answer<Duration> {
        self.global.lock_timeout()
    }
}

impl Global {
    /// Whether the options about locks and records can be understood, with whichever verb they stand.
    pub(crate) fn check(&self) -> Answer<()> {
        let said = |option: &Option<OsString>| option.clone().map(text).transpose();
        self.lock_timeout()?;
        may_be_said(said(&self.reason)?, said(&self.actor)?)
    }

    fn lock_timeout(&self) -> Answer<Duration> {
        let Some(option) = &self.lock_timeout else { return Ok(WAIT) };
        duration::of_option(option)
    }
}

fn text(said: OsString) -> Answer<String> {
    said.into_string().map_err(|said| {
        let said = Text::new(said);
        Box::new(Problem::new(Kind::Usage, format!("`{said}` is not UTF-8")))
    })
}

/// Whether a reason and a claim can be written into records, where there are any or not.
fn may_be_said(reason: Option<String>, claimed: Option<String>) -> Answer<()> {
    Author::new(Actor { claimed, ..Actor::default() }, reason.as_deref()).map(drop).map_err(refused)
}

/// Refuses a dry run of what could not be recorded: without a reason where the records demand one, where they cannot be
/// written, or not be made.
pub(crate) fn could_record(root: &Root, records: Option<&Records>, is_reasoned: bool) -> Answer<()> {
    let foreseen = match records {
        Some(records) => records.could_record(is_reasoned),
        None => Records::could_be_made(root),
    };
    foreseen.map_err(refused)
}

/// An error of the records as a whole.
#[expect(clippy::needless_pass_by_value, reason = "it is what a result is mapped by")]
pub(crate) fn refused(error: Error) -> Box<Problem> {
    Box::new(Problem::of_root(&error))
}
