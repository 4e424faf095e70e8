//! What a change would report, decided without making it.

use std::ffi::OsStr;
use std::path::Path;

use super::permission::{may_add, may_take_away};
use super::{Changed, backup, guarantee, read_back, shared, stale_dir};
use crate::entry::Opened;
use crate::error::{Found, Result};
use crate::model::{Decision, Effect, Staging};
use crate::resolve::Planned;
use crate::root::Root;

/// What the change would report.
pub(super) fn changed(
    entry: &Opened<'_>,
    decision: Decision,
    text: Option<&OsStr>,
    found: Found,
    planned: Option<&Planned>,
) -> Result<Changed> {
    if decision == Decision::Create {
        may_add(entry)?
    } else {
        may_take_away(entry)?
    }
    read_back::would_stay(entry, &[(entry.physical(), text)])?;
    let abilities = entry.root.abilities();
    let (effect, able) = match decision {
        Decision::Create => (Effect::Created, true),
        Decision::Replace => (Effect::Replaced, abilities.exchange),
        Decision::BackUp if !abilities.exchange => return Err(backup::unsupported()),
        Decision::BackUp => (Effect::Created, true),
        Decision::RemoveStaleDir => {
            stale_dir::examine(entry)?;
            (Effect::Removed, true)
        }
        _ => (Effect::Removed, abilities.no_replace),
    };
    let mut changed = Changed::new(effect);
    changed.guarantee = guarantee(&entry.root, able)?;
    changed.verified = !entry.root.policy().unverified;
    changed.staging = match decision {
        Decision::Create | Decision::RemoveStaleDir => Staging::None,
        _ => shared::predict(entry)?,
    };
    changed.previous = found.into_text();
    if decision == Decision::BackUp {
        changed.backup = Some(backup::free_backup(entry.physical(), &|backup, name| match planned
            .and_then(|planned| planned.found_at(backup))
        {
            Some(left) => left != Found::Missing,
            None => entry.root.calls().stat_at(&entry.parent, name).is_ok(),
        })?);
    }
    Ok(changed)
}

/// What the change would report in a directory that is yet to be created.
pub(super) fn changed_in_new(
    root: &Root,
    decision: Decision,
    found: Found,
    (link, planned): (&Path, Option<&Planned>),
) -> Result<Changed> {
    let abilities = root.abilities();
    let (effect, able, staging) = match decision {
        Decision::Create => (Effect::Created, true, Staging::None),
        Decision::Replace => (Effect::Replaced, abilities.exchange, Staging::Beside),
        Decision::BackUp if !abilities.exchange => return Err(backup::unsupported()),
        Decision::BackUp => (Effect::Created, true, Staging::Beside),
        _ => (Effect::Removed, abilities.no_replace, Staging::Beside),
    };
    let guarantee = guarantee(root, able)?;
    let (verified, previous) = (!root.policy().unverified, found.into_text());
    let mut changed = Changed { guarantee, staging, verified, previous, ..Changed::new(effect) };
    if decision == Decision::BackUp {
        let left = |backup: &Path| planned.and_then(|planned| planned.found_at(backup));
        changed.backup =
            Some(backup::free_backup(link, &|backup, _| left(backup).is_some_and(|left| left != Found::Missing))?);
    }
    Ok(changed)
}
