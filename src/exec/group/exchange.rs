//! One exchange between two names, or one move to a free one, and what it met.

use super::part::{Seen, Thing, fits};
use crate::error::{Error, FileKind, Kind, Result};
use crate::exec::guarantee;
use crate::exec::residue::Residue;
use crate::exec::slot::Slot;
use crate::exec::transfer::{Transfer, move_new};
use crate::model::Guarantee;
use crate::root::Root;
use crate::sys::{self, Calls, Fault};

/// What an exchange came to.
#[derive(Clone, Debug)]
pub(super) enum Exchanged {
    Done(Guarantee),
    /// Others changed the name *here*: nothing was exchanged, or it was taken back.
    Theirs(Seen),
}

/// Looks at a name.
pub(super) fn look(calls: &dyn Calls, slot: Slot<'_>) -> Result<Seen> {
    for _ in 0..TRIES {
        let Some(stat) = slot.now(calls).map_err(Error::from_io)? else { return Ok(Seen::Nothing) };
        if stat.kind != FileKind::Symlink {
            return Ok(Seen::Object(stat.kind, stat.id));
        }
        match calls.read_link(slot.dir, slot.name) {
            Ok(Some(text)) => return Ok(Seen::Link(text, stat.id)),
            // It became something else since.
            Ok(None) => {}
            Err(source) if sys::fault(&source) == Fault::Missing => {}
            Err(source) => return Err(Error::from_io(source)),
        }
    }
    Err(Error::new(Kind::Contended))
}

/// Tries of a look at a name that others change all the time.
const TRIES: usize = 16;

/// Exchanges what is at two names: `before` is to be *here* and `after` *there*, and each at the other name then.
///
/// `exposed`: others can reach the name *there*.
pub(super) fn exchange(
    root: &Root,
    (here, there): (Slot<'_>, Slot<'_>),
    (before, after): (Option<&Thing>, Option<&Thing>),
    exposed: bool,
) -> Result<Exchanged> {
    let calls = root.calls();
    let (at_here, at_there) = (look(calls, here)?, look(calls, there)?);
    if !fits(before, &at_here) {
        return Ok(Exchanged::Theirs(at_here));
    }
    if !fits(after, &at_there) {
        let reason = "what is to be published is not where it was staged any more";
        return Err(Error::new(Kind::Contended).because(reason));
    }
    let new = at_there.id();
    let transfer = |can_exchange| Transfer { calls, here, there, new, exposed, can_exchange };
    let abilities = root.abilities();
    let (moved, able) = match (before, after) {
        (Some(_), Some(_)) if abilities.exchange => (calls.exchange(there.at(), here.at()), true),
        (Some(_), Some(_)) if exposed => return Err(crate::exec::backup::unsupported()),
        (Some(_), Some(_)) => (over(calls, here, there), false),
        (None, Some(_)) if exposed => (move_exposed(calls, there, here), abilities.no_replace),
        (None, Some(_)) => (move_new(calls, there, here), true),
        (Some(_), None) if exposed => (move_exposed(calls, here, there), abilities.no_replace),
        (Some(_), None) => (take_in(calls, here, there), abilities.no_replace),
        (None, None) => (Ok(()), true),
    };
    let given = guarantee(root, able)?;
    let (now_here, now_there) = (look(calls, here)?, look(calls, there)?);
    match moved {
        _ if fits(after, &now_here) && fits(before, &now_there) && now_here.id() == new => Ok(Exchanged::Done(given)),
        // Nothing was moved.
        Err(source) if now_there.id() == new => match sys::fault(&source) {
            Fault::Missing | Fault::Exists | Fault::NotDirectory => Ok(Exchanged::Theirs(now_here)),
            _ if !fits(before, &now_here) => Ok(Exchanged::Theirs(now_here)),
            _ => Err(Error::from_io(source)),
        },
        moved => {
            let transfer = transfer(abilities.exchange);
            let ended = match (before, after) {
                // A link that was moved to a free name goes back the way it came.
                (None, Some(_)) => return back_to_free(calls, (here, there), after, moved),
                _ => transfer.take_back(),
            };
            let residue = transfer.residue(ended);
            let error = moved.err().map_or_else(crate::exec::read_back::taken, Error::from_io);
            if residue.is_empty() { Ok(Exchanged::Theirs(look(calls, here)?)) } else { Err(residue.on(error)) }
        }
    }
}

/// Moves what others can reach to a free name where they cannot. What was moved is looked at there.
pub(super) fn take_in(calls: &dyn Calls, from: Slot<'_>, to: Slot<'_>) -> std::io::Result<()> {
    match calls.rename_new(from.at(), to.at()) {
        Err(source) if sys::fault(&source) == Fault::Unsupported => match to.now(calls)? {
            None => calls.rename_over(from.at(), to.at()),
            Some(_) => Err(std::io::ErrorKind::AlreadyExists.into()),
        },
        moved => moved,
    }
}

/// Moves what others can reach to a free name that they can reach as well.
fn move_exposed(calls: &dyn Calls, from: Slot<'_>, to: Slot<'_>) -> std::io::Result<()> {
    match calls.rename_new(from.at(), to.at()) {
        Err(source) if sys::fault(&source) == Fault::Unsupported => {}
        moved => return moved,
    }
    match from.now(calls)? {
        Some(now) if now.kind != FileKind::Dir => {
            calls.hard_link(from.at(), to.at())?;
            // Another that is under the name by now is not this one.
            if from.has(calls, now.id) { calls.unlink(from.dir, from.name) } else { Ok(()) }
        }
        _ => move_new(calls, from, to),
    }
}

/// A move to a free name that others met: what is theirs stays, and what is not goes back.
pub(super) fn back_to_free(
    calls: &dyn Calls,
    (here, there): (Slot<'_>, Slot<'_>),
    after: Option<&Thing>,
    moved: std::io::Result<()>,
) -> Result<Exchanged> {
    let now = look(calls, here)?;
    if fits(after, &now) && take_in(calls, here, there).is_err() {
        let residue = Residue::left(here.path()).changed();
        let error = moved.err().map_or_else(crate::exec::read_back::taken, Error::from_io);
        return Err(residue.on(error));
    }
    Ok(Exchanged::Theirs(look(calls, here)?))
}

/// The name that what is replaced without an exchange has for a moment.
const SECOND: &str = ".old";

/// Replaces a link where the host cannot exchange: it gets a second name, is replaced, and that name becomes the one *there*.
fn over(calls: &dyn Calls, here: Slot<'_>, there: Slot<'_>) -> std::io::Result<()> {
    let name = second_name(there);
    let second = Slot { name: &name, ..there };
    calls.hard_link(here.at(), second.at())?;
    if let Err(source) = calls.rename_over(there.at(), here.at()) {
        let _unused = calls.unlink(second.dir, second.name);
        return Err(source);
    }
    calls.rename_over(second.at(), there.at())
}

fn second_name(there: Slot<'_>) -> std::ffi::OsString {
    let mut name = there.name.to_os_string();
    name.push(SECOND);
    name
}

/// Puts right what a stop between two calls left in the staging directory.
pub(super) fn finish(root: &Root, here: Slot<'_>, there: Slot<'_>, exposed: bool) -> Result<()> {
    if exposed {
        return Ok(());
    }
    let calls = root.calls();
    let name = second_name(there);
    let second = Slot { name: &name, ..there };
    if let Seen::Link(..) = look(calls, second)? {
        let put = match look(calls, there)? {
            Seen::Nothing => calls.rename_over(second.at(), there.at()),
            _ => calls.unlink(second.dir, second.name),
        };
        put.map_err(Error::from_io)?;
    }
    // One link with both names was moved by giving it the other name first.
    if let (Seen::Link(_, one), Seen::Link(_, other)) = (look(calls, here)?, look(calls, there)?)
        && one == other
    {
        calls.unlink(there.dir, there.name).map_err(Error::from_io)?;
    }
    Ok(())
}

/// Gives what was displaced, and is none of the group's, its name back. Returns what is *here* then.
pub(super) fn give_back(
    root: &Root,
    (here, there): (Slot<'_>, Slot<'_>),
    after: Option<&Thing>,
    exposed: bool,
) -> Result<Seen> {
    let calls = root.calls();
    let at_here = look(calls, here)?;
    let new = if fits(after, &at_here) { at_here.id() } else { None };
    let transfer = Transfer { calls, here, there, new, exposed, can_exchange: root.abilities().exchange };
    let residue = transfer.residue(transfer.take_back());
    if residue.is_empty() { look(calls, here) } else { Err(residue.on(crate::exec::read_back::taken())) }
}
