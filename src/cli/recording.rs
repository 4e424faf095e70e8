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
        if self.global.dry_run && records.settings().require_reason && author.reason().is_none() {
            let refusal = Problem::new(Kind::Policy, "cannot proceed: the records demand a reason");
            return Err(Box::new(refusal.hinted(Some(hint::REASON.to_owned()))));
        }
        Ok(root.recorded(&records.waiting(wait), author))
    }

    /// Opens the root with its records; none where it has none.
    pub(crate) fn with_records(&self) -> Answer<(Root, Option<Records>)> {
        let root = self.look_with_state()?;
        let wait = self.lock_timeout()?;
        let records = Records::open(&root).map_err(refused)?;
        Ok((root, records.map(|records| records.waiting(wait))))
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

/// An error of the records as a whole.
#[expect(clippy::needless_pass_by_value, reason = "it is what a result is mapped by")]
pub(crate) fn refused(error: Error) -> Box<Problem> {
    Box::new(Problem::of_root(&error))
}
