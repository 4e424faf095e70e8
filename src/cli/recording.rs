//! The records as verbs use them: who asks for a change and why, and the root whose changes are recorded.

use std::time::Duration;

use caplink::records::{Actor, Author, Records};
use caplink::{Error, Kind, Root};

use super::context::{Context, variable};
use super::duration;
use super::hint;
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
        let Some(records) = Records::open_for_mutation(root).map_err(refused)? else { return Ok(root.clone()) };
        let author = self.author_because(reason)?;
        if self.global.dry_run {
            demands_reason(&records, author.reason().is_some())?;
        }
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
        let said = |option: &Option<std::ffi::OsString>, name: &str| {
            let said = option.clone().or_else(|| variable(name));
            let is_text = |said: std::ffi::OsString| {
                said.into_string().map_err(|said| {
                    let said = Text::new(said);
                    Box::new(Problem::new(Kind::Usage, format!("`{said}` is not UTF-8")))
                })
            };
            said.map(is_text).transpose()
        };
        let reason = match own {
            Some(own) => Some(own.to_owned()),
            None => said(&self.global.reason, "CAPLINK_REASON")?,
        };
        let claimed = said(&self.global.actor, "CAPLINK_ACTOR")?;
        Author::new(Actor { claimed, ..Actor::of_this_process() }, reason.as_deref()).map_err(refused)
    }

    /// How long another holder is waited for.
    pub(crate) fn lock_timeout(&self) -> Answer<Duration> {
        let Some(option) = &self.global.lock_timeout else { return Ok(WAIT) };
        option.to_str().and_then(duration::parse).ok_or_else(|| {
            let option = Text::new(option);
            Box::new(Problem::new(Kind::Usage, format!("`{option}` is no duration, as `500ms`, `10s` or `2m`")))
        })
    }
}

/// Refuses a dry run without a reason, where the records demand one.
pub(crate) fn demands_reason(records: &Records, is_given: bool) -> Answer<()> {
    if records.settings().require_reason && !is_given {
        let refusal = Problem::new(Kind::Policy, "cannot proceed: the records demand a reason");
        return Err(Box::new(refusal.hinted(Some(hint::REASON.to_owned()))));
    }
    Ok(())
}

/// An error of the records as a whole.
#[expect(clippy::needless_pass_by_value, reason = "it is what a result is mapped by")]
pub(crate) fn refused(error: Error) -> Box<Problem> {
    Box::new(Problem::of_root(&error))
}
