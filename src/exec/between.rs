//! Takes an exchange of two links back.
//!
//! Both names are where others can reach them, so what is there now need not have come there by the exchange. Each step
//! is decided by [`reverse::next_between`].

use std::io;

use super::pinned::Pinned;
use super::residue::Residue;
use super::reverse::{At, Met, Side, Step, next_between, strays_between};
use super::slot::Slot;
use crate::entry::Opened;
use crate::sys::{self, Calls, Fault};

/// How often another step is tried when other programs take the names at the same time.
const TURNS: usize = 4;

/// Two links that were exchanged, each with the name that it had before.
pub(super) struct Between<'a> {
    calls: &'a dyn Calls,
    names: [Slot<'a>; 2],
    links: [&'a Pinned; 2],
}

impl<'a> Between<'a> {
    pub(super) fn new(
        (a, link_a): (&'a Opened<'a>, &'a Pinned),
        (b, link_b): (&'a Opened<'a>, &'a Pinned),
    ) -> Between<'a> {
        Between { calls: a.root.calls(), names: [Slot::of(a), Slot::of(b)], links: [link_a, link_b] }
    }

    /// Whether each link is under the name of the other.
    pub(super) fn are_exchanged(&self) -> io::Result<bool> {
        let has = |at: usize, link: usize| -> io::Result<bool> {
            Ok(self.names[at].now(self.calls)?.is_some_and(|now| now.id == self.links[link].stat.id))
        };
        Ok(has(0, 1)? && has(1, 0)?)
    }

    /// Exchanges the links back, and returns the names under which something may be that others did not put there.
    pub(super) fn take_back(&self, met: Met) -> Residue {
        for _ in 0..TURNS {
            let [a, b] = self.look();
            match next_between(met, a, b) {
                Step::Exchange => match self.calls.exchange(self.names[0].at(), self.names[1].at()) {
                    Ok(()) => return self.after_exchange(met),
                    Err(source) if sys::fault(&source) == Fault::Missing => {}
                    Err(_) => return self.kept(self.given_up(met)),
                },
                Step::Return(side) => {
                    if let Some(residue) = self.go_home(side) {
                        return residue;
                    }
                }
                Step::Overwrite | Step::Stop => return self.kept(strays_between(met, a, b)),
            }
        }
        self.kept(self.given_up(met))
    }

    fn after_exchange(&self, met: Met) -> Residue {
        let strays = self.look().map(|at| !matches!(at, At::Home | At::Nothing));
        if strays.contains(&true) && met == Met::Nobody {
            // Others took a name at this very moment. If that was before the exchange, what they put there goes back to it
            // now; if it was after, it ends under the other name. Nothing tells the two apart.
            let _as_well_as_can_be = self.calls.exchange(self.names[0].at(), self.names[1].at());
            return self.kept([true; 2]);
        }
        self.kept(strays)
    }

    /// Moves the link at this side to the other, which is its own and free. `None` where it has to be looked at anew.
    fn go_home(&self, side: Side) -> Option<Residue> {
        let [from, to] = match side {
            Side::Here => [0, 1],
            Side::There => [1, 0],
        };
        self.calls.rename_new(self.names[from].at(), self.names[to].at()).ok()?;
        let only = |at: usize| self.kept([at == 0, at == 1]);
        Some(match self.names[to].now(self.calls) {
            Ok(Some(now)) if now.id != self.links[to].stat.id => {
                match self.calls.rename_new(self.names[to].at(), self.names[from].at()) {
                    // Others put it at the one name before it was moved, or at the other one since.
                    Ok(()) => only(from),
                    Err(_) => only(to),
                }
            }
            Ok(_) => Residue::default(),
            Err(_) => only(to),
        })
    }

    /// What is reported where a step failed.
    fn given_up(&self, met: Met) -> [bool; 2] {
        match met {
            Met::Then => self.look().map(|at| at != At::Nothing),
            Met::Nobody | Met::Since => self.look().map(|at| !matches!(at, At::Home | At::Nothing)),
        }
    }

    fn kept(&self, names: [bool; 2]) -> Residue {
        let named = self.names.iter().zip(names).filter(|(_, kept)| *kept);
        let residue = named.fold(Residue::default(), |all, (name, _)| all.and(Residue::preserved(name.path())));
        if names.contains(&true) { residue.changed() } else { residue }
    }

    fn look(&self) -> [At; 2] {
        [0, 1].map(|at| match self.names[at].now(self.calls) {
            Err(_) => At::Unknown,
            Ok(None) => At::Nothing,
            Ok(Some(now)) if now.id == self.links[at].stat.id => At::Home,
            Ok(Some(now)) if now.id == self.links[1 - at].stat.id => At::Brought,
            Ok(Some(_)) => At::Foreign,
        })
    }
}
