//! Takes a trade of two links back.
//!
//! Both names are where others can reach them, so what is there now need not have come there by the trade.

use std::io;

use super::leftover::Leftover;
use super::pinned::Pinned;
use crate::entry::Entry;
use crate::model::ObjectId;
use crate::sys::{self, Fault};

/// How often a trade is turned round when a third program takes the names at the same time.
const TURNS: usize = 4;

/// What the names were seen to be after the trade.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Not as they were traded: a third program took one before the trade or after it.
    Wrong,
    /// As they were traded. What differs by now was put there later, and stays.
    Right,
    /// As they were traded, and then not any more: if they are so again, others traded them.
    Taken,
}

/// Trades back what was traded, and returns the names under which something may be that others did not put there.
pub(super) fn trade_back(a: (&Entry, &Pinned), b: (&Entry, &Pinned), seen: Seen) -> Leftover {
    let calls = a.0.root.calls();
    let kept = |entry: &Entry| Leftover::preserved(entry.physical().to_path_buf());
    let both_where = |so: &dyn Fn(&(&Entry, &Pinned)) -> bool| {
        [a, b].into_iter().filter(so).fold(Leftover::default(), |names, (entry, _)| names.and(kept(entry)))
    };
    // What cannot be looked at counts.
    let strays =
        || both_where(&|(entry, link)| now(entry).map_or(true, |now| now.is_some_and(|id| id != link.stat.id)));
    // Where the trade met a third program, even a link at its own name need not be where others put it.
    let given_up = || match seen {
        Seen::Wrong => both_where(&|(entry, _)| now(entry).map_or(true, |now| now.is_some())),
        Seen::Right | Seen::Taken => strays(),
    };
    for _ in 0..TURNS {
        let (Ok(at_a), Ok(at_b)) = (now(a.0), now(b.0)) else { return given_up() };
        let (other_at_a, other_at_b) = (at_a == Some(b.1.stat.id), at_b == Some(a.1.stat.id));
        let (from, id, to) = match (at_a, at_b) {
            (Some(_), None) if other_at_a => (a.0, b.1.stat.id, b.0),
            (None, Some(_)) if other_at_b => (b.0, a.1.stat.id, a.0),
            (Some(_), Some(_)) if seen == Seen::Taken && other_at_a && other_at_b => return Leftover::default(),
            (Some(_), Some(_)) if seen == Seen::Wrong || (other_at_a && other_at_b) => {
                match calls.exchange(a.0.at(), b.0.at()) {
                    Ok(()) => {}
                    Err(source) if sys::fault(&source) == Fault::Missing => continue,
                    Err(_) => return given_up(),
                }
                let astray = strays();
                if !astray.is_empty() && seen == Seen::Right {
                    // Others took a name at this very moment. If that was before the trade, what they put there goes
                    // back to it now; if it was after, it ends under the other name. Nothing tells the two apart.
                    let _as_well_as_can_be = calls.exchange(a.0.at(), b.0.at());
                    return kept(a.0).and(kept(b.0));
                }
                return astray;
            }
            (Some(_), Some(_)) if other_at_b => return kept(b.0),
            (Some(_), Some(_)) if other_at_a => return kept(a.0),
            _ if seen != Seen::Wrong => return Leftover::default(),
            // One name is empty.
            _ => return given_up(),
        };
        if calls.rename_new(from.at(), to.at()).is_err() {
            continue;
        }
        return match now(to) {
            Ok(Some(found)) if found != id => match calls.rename_new(to.at(), from.at()) {
                // Others put it at the one name before it was moved, or at the other one since.
                Ok(()) => kept(from),
                Err(_) => kept(to),
            },
            Ok(_) => Leftover::default(),
            Err(_) => kept(to),
        };
    }
    given_up()
}

/// What has the name of the entry now.
fn now(entry: &Entry) -> io::Result<Option<ObjectId>> {
    match entry.root.calls().stat_at(&entry.parent, entry.name()) {
        Ok(stat) => Ok(Some(stat.id)),
        Err(source) if sys::fault(&source) == Fault::Missing => Ok(None),
        Err(source) => Err(source),
    }
}

/// Whether this very link has the name of the entry.
pub(super) fn has(entry: &Entry, link: &Pinned) -> bool {
    let there = entry.root.calls().stat_at(&entry.parent, entry.name());
    there.is_ok_and(|stat| stat.id == link.stat.id)
}
