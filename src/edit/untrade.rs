//! Takes a trade of two links back.
//!
//! Both names are where others can reach them, so what is there now need not have come there by the trade.

use std::io;

use super::leftover::{Leftover, put_back_exposed};
use super::pinned::Pinned;
use crate::entry::Entry;
use crate::model::ObjectId;
use crate::sys::{self, Fault};

/// How often a trade is turned round when a third program takes the names at the same time.
const TURNS: usize = 4;

/// Trades back what was traded, and returns the names under which something is that others did not put there.
///
/// Where the trade was `seen` to be right, what differs by now was put there later, and stays. Where not, a third
/// program may have taken a name before the trade or after it: both names are traded, and reported if they differ.
pub(super) fn trade_back(a: (&Entry, &Pinned), b: (&Entry, &Pinned), seen: bool) -> Leftover {
    let calls = a.0.root.calls();
    let kept = |entry: &Entry| Leftover::preserved(entry.physical().to_path_buf());
    // What cannot be looked at counts.
    let astray =
        |(entry, link): &(&Entry, &Pinned)| now(entry).map_or(true, |now| now.is_some_and(|id| id != link.stat.id));
    let strays =
        || [a, b].into_iter().filter(astray).fold(Leftover::default(), |strays, (entry, _)| strays.and(kept(entry)));
    for _ in 0..TURNS {
        let (Ok(at_a), Ok(at_b)) = (now(a.0), now(b.0)) else { return strays() };
        let (other_at_a, other_at_b) = (at_a == Some(b.1.stat.id), at_b == Some(a.1.stat.id));
        let (from, id, to) = match (at_a, at_b) {
            (Some(_), None) if other_at_a => (a.0, b.1.stat.id, b.0),
            (None, Some(_)) if other_at_b => (b.0, a.1.stat.id, a.0),
            (Some(_), Some(_)) if !seen || (other_at_a && other_at_b) => {
                match calls.exchange(a.0.at(), b.0.at()) {
                    Ok(()) => {}
                    Err(source) if sys::fault(&source) == Fault::Missing => continue,
                    Err(_) => return strays(),
                }
                let astray = strays();
                if !astray.is_empty() && seen {
                    // Others took a name at this very moment: what they put there goes back to it.
                    let _as_well_as_can_be = calls.exchange(a.0.at(), b.0.at());
                    return strays();
                }
                return astray;
            }
            (Some(_), Some(_)) if other_at_b => return kept(b.0),
            (Some(_), Some(_)) if other_at_a => return kept(a.0),
            _ if seen => return Leftover::default(),
            _ => return strays(),
        };
        if put_back_exposed(a.0, id, from.at(), to.at()) {
            return Leftover::default();
        }
    }
    strays()
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
