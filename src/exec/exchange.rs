//! Exchanges two links in one step.
//!
//! Under the locks of both directories: both links are pinned, each text is judged at its new place, the names are
//! exchanged in one kernel call, and both are looked at. If either is not the link that was pinned, they are exchanged
//! back.

mod planned;

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::between::Between;
use super::halt::OrHalt;
use super::permission::{may_exchange, may_take_away};
use super::pinned::Pinned;
use super::read_back::{self, ReadBack};
use super::retry::{ATTEMPTS, break_step, given_up};
use super::reverse::Met;
use super::shared::{may_lock, stat_parent};
use super::site::Site;
use super::sync::{foresee_sync, leave_to_batch, sync};
use super::target::{Rules, leads_where_it_may};
use super::{Attempt, guarantee};
use crate::entry::Opened;
use crate::error::{Error, Found, Kind, Result};
use crate::model::change::Exchange;
use crate::model::{Decision, Durability, Edit, Effect, Guarantee, LinkPath, Outcome, Staging, decide};
use crate::resolve::{Overlay, Planned};
use crate::root::{Root, not_state};
use crate::sys::{self, Fault};

/// Carries out an exchange, or previews it after what is planned; `opened` is the first entry, where it was opened before.
pub(super) fn carry_out(
    root: &Root,
    edit: &Edit,
    exchange: &Exchange,
    opened: Option<&Opened<'_>>,
    preview: Option<Option<&Planned>>,
) -> OrHalt<Outcome> {
    let (dry_run, planned) = (preview.is_some(), preview.flatten());
    Exchanging { root, edit, exchange, dry_run, planned }.carry_out(opened)
}

/// What an attempt decides.
enum Decided {
    Done(Box<[Outcome; 2]>),
    Exchange(Box<(Pinned, Pinned)>),
    /// Others changed a name between two looks.
    Again,
}

struct Exchanging<'a> {
    root: &'a Root,
    edit: &'a Edit,
    exchange: &'a Exchange,
    dry_run: bool,
    /// What the edits before this one leave, in a preview of many.
    planned: Option<&'a Planned>,
}

/// One of the two names. In a preview its directory may be one that an earlier edit creates.
#[derive(Clone, Copy)]
struct Place<'e> {
    path: &'e LinkPath,
    opened: Option<&'e Opened<'e>>,
}

impl<'e> From<&'e Opened<'e>> for Place<'e> {
    fn from(entry: &'e Opened<'e>) -> Place<'e> {
        Place { path: &entry.path, opened: Some(entry) }
    }
}

impl<'e> Place<'e> {
    fn physical(&self) -> &'e Path {
        self.opened.map_or(self.path.as_path(), Opened::physical)
    }

    fn dir(&self) -> &'e Path {
        self.opened.map_or(self.path.parent(), Opened::dir)
    }
}

impl Exchanging<'_> {
    fn carry_out(&self, opened: Option<&Opened<'_>>) -> OrHalt<Outcome> {
        if let Some(planned) = self.planned {
            let (a, b) = (self.open_after(planned, &self.edit.path)?, self.open_after(planned, &self.exchange.with)?);
            if a.is_none() || b.is_none() {
                let places = [(&self.edit.path, &a), (&self.exchange.with, &b)];
                let [a, b] = places.map(|(path, entry)| Place { path, opened: entry.as_ref() });
                let [mut one, two] = self.decide_planned(planned, a, b)?;
                one.counterpart = Some(Box::new(two));
                return Ok(one);
            }
        }
        let owned = if opened.is_none() { Some(self.open(&self.edit.path)?) } else { None };
        let a = owned.as_ref().or(opened).expect("BUG: one of them is there");
        let b = self.open(&self.exchange.with)?;
        let mut refusals = Vec::new();
        for _ in 0..ATTEMPTS {
            match self.attempt(a, &b)? {
                Attempt::Done([mut one, mut two]) => {
                    if one.effect.is_change() && !self.dry_run {
                        self.make_durable(a, &mut one);
                        self.make_durable(&b, &mut two);
                    }
                    one.counterpart = Some(Box::new(two));
                    return Ok(one);
                }
                Attempt::Again => {}
                Attempt::Refused(error) => {
                    refusals.push(error);
                    break_step(self.root.calls(), refusals.len());
                }
            }
        }
        Err(given_up(refusals, ATTEMPTS).on("exchange", &*a.path).into())
    }

    fn open<'p>(&'p self, path: &'p LinkPath) -> Result<Opened<'p>> {
        let named = |entry: &Opened<'_>| not_state(self.root, entry.physical());
        let opened = Opened::open(self.root, path).and_then(|entry| named(&entry).map(|()| entry));
        opened.map_err(|error: Error| self.root.or_gone(error.on("exchange", path).denied_at(path.as_path())))
    }

    fn attempt<'e>(&self, a: &'e Opened<'e>, b: &'e Opened<'e>) -> OrHalt<Attempt<[Outcome; 2]>> {
        if self.dry_run {
            let is_planned =
                |planned: &Planned| [a, b].iter().any(|entry| planned.found_at(entry.physical()).is_some());
            if let Some(planned) = self.planned.filter(|planned| is_planned(planned)) {
                return self.decide_planned(planned, a.into(), b.into()).map(Attempt::Done);
            }
            return self.decide(a, b).map(|decided| match decided {
                Decided::Done(outcomes) => Attempt::Done(*outcomes),
                Decided::Exchange(links) => {
                    let mut outcomes = self.exchanged((a.into(), &links.0.text), (b.into(), &links.1.text));
                    for (entry, outcome) in [a, b].into_iter().zip(&mut outcomes) {
                        foresee_sync(entry, self.edit, outcome);
                    }
                    Attempt::Done(outcomes)
                }
                Decided::Again => Attempt::Again,
            });
        }
        let unlockable = |entry: &&Opened<'_>| may_lock(entry).is_err_and(|error| error.kind() != Kind::UnsafeState);
        let at_fault = || [a, b].into_iter().find(unlockable).unwrap_or(a);
        let site = match Site::lock_each(&[a, b]) {
            // Where the caller may not lock, what is decided without comes first.
            Err(halt) if halt.is_forbidden() => {
                return match (Exchanging { dry_run: true, ..*self }).decide(a, b)? {
                    Decided::Done(outcomes) => Ok(Attempt::Done(outcomes.map(|of| Outcome { dry_run: false, ..of }))),
                    _ => Err(halt.map(|error| self.on(at_fault(), error))),
                };
            }
            locked => locked.map_err(|halt| halt.map(|error| self.on(at_fault(), error)))?,
        };
        let result = match self.decide(a, b) {
            Ok(Decided::Exchange(links)) => self.exchange(a, b, &links.0, &links.1, &site),
            Ok(Decided::Done(outcomes)) => Ok(Attempt::Done(*outcomes)),
            Ok(Decided::Again) => Ok(Attempt::Again),
            Err(halt) => Err(halt),
        };
        let result = site.close_after(result, |outcomes, shortfall| outcomes[0].shortfalls.push(shortfall));
        result.map_err(|halt| halt.map(|error| self.on(a, error)))
    }

    /// Names the link in an error.
    fn on<'e>(&self, place: impl Into<Place<'e>>, error: Error) -> Error {
        let path = place.into().path;
        self.root.or_gone(error.on("exchange", path).denied_at(path.as_path()))
    }

    /// Looks at both links, and judges each text at its new place.
    fn decide(&self, a: &Opened<'_>, b: &Opened<'_>) -> OrHalt<Decided> {
        let pin = |entry| self.pinned(entry).map_err(|error| self.on(entry, error));
        let (Some(link_a), Some(link_b)) = (pin(a)?, pin(b)?) else { return Ok(Decided::Again) };
        if link_a.stat.id == link_b.stat.id {
            if link_a.stat.links == 1 && a.physical() != b.physical() {
                // Others moved it from the one name to the other while they were looked at.
                return Ok(Decided::Again);
            }
            let [one, two] = [(a, &link_a), (b, &link_b)]
                .map(|(entry, link)| self.report(entry.into(), Effect::Unchanged, Some(&link.text), None, true));
            return Ok(Decided::Done(Box::new([one, two])));
        }
        self.root.permits(Decision::Exchange).map_err(|error| self.on(a, error))?;
        let new = [(a.into(), &link_b.text), (b.into(), &link_a.text)];
        self.judge(new)?;
        if self.dry_run {
            self.would_be_done(new)?;
        }
        Ok(Decided::Exchange(Box::new((link_a, link_b))))
    }

    /// Judges each text at its new place.
    fn judge(&self, new: [(Place<'_>, &OsString); 2]) -> Result<()> {
        let overlay = new.map(|(place, text)| (place.physical(), text.as_os_str()));
        let (dangling, outside) = (self.exchange.allow_dangling, self.exchange.allow_outside);
        let rules = Rules { dangling, outside, directory: false };
        for (place, text) in new {
            leads_where_it_may(self.root, place.dir(), text, Overlay::new(&overlay).after(self.planned), rules)
                .map_err(|error| self.on(place, error))?;
        }
        Ok(())
    }

    /// What a preview knows of whether the change can be made.
    fn would_be_done(&self, new: [(Place<'_>, &OsString); 2]) -> Result<()> {
        let [(a, _), (b, _)] = new;
        let opened = || [b, a].into_iter().filter_map(|place| place.opened);
        if !self.root.abilities().exchange {
            return Err(self.on(a, unsupported(self.root)));
        }
        if let (Some(one), Some(two)) = (a.opened, b.opened) {
            may_exchange(one, two).map_err(|error| self.on(a, error))?;
        }
        for entry in opened().rev() {
            may_take_away(entry).and_then(|()| stat_parent(entry)).map_err(|error| self.on(entry, error))?;
        }
        let left = new.map(|(place, text)| (place.physical(), Some(text.as_os_str())));
        for entry in opened() {
            read_back::would_stay(entry, &left).map_err(|error| self.on(entry, error))?;
        }
        for entry in opened().rev() {
            may_lock(entry).map_err(|error| match error.kind() {
                // It is no matter of the one directory.
                Kind::UnsafeState => self.on(a, error),
                _ => self.on(entry, error),
            })?;
        }
        Ok(())
    }

    /// Pins a link, or says what is under the name instead; `None` if it is a link by now.
    fn pinned(&self, entry: &Opened<'_>) -> Result<Option<Pinned>> {
        if let Some(link) = Pinned::at(entry, entry.at())? {
            return Ok(Some(link));
        }
        let found = entry.look()?;
        match decide(&self.edit.change, None, &found) {
            Decision::Refuse(kind) => Err(refused(kind, found)),
            _ => Ok(None),
        }
    }

    /// Exchanges the links, under the locks of both directories.
    fn exchange(
        &self,
        a: &Opened<'_>,
        b: &Opened<'_>,
        link_a: &Pinned,
        link_b: &Pinned,
        site: &Site<'_>,
    ) -> OrHalt<Attempt<[Outcome; 2]>> {
        let between = Between::new((a, link_a), (b, link_b));
        if !site.still_excludes()? {
            return Err(super::halt::state_contended().into());
        }
        match self.root.calls().exchange(a.at(), b.at()) {
            Ok(()) => {}
            Err(source) => {
                return match sys::fault(&source) {
                    Fault::Missing => Ok(Attempt::Again),
                    Fault::Unsupported if site.can_exchange(&link_a.text)? => Ok(Attempt::Again),
                    Fault::Unsupported => Err(unsupported(self.root).into()),
                    // It may have taken effect; nothing tells that from an exchange of the same links by others. It stays.
                    _ if read_back::may_be_done(&source) && between.are_exchanged().unwrap_or(false) => {
                        let names = [a, b].map(|entry| entry.physical().to_path_buf());
                        let error = Error::from_io(source).leaving(Vec::new(), names.to_vec()).having_changed();
                        Err(error.on("exchange", &*a.path).into())
                    }
                    _ => Ok(self.refused(a, b, source)?),
                };
            }
        }
        match self.check(a, b, link_a, link_b, &between) {
            Ok(true) => Ok(Attempt::Done(self.exchanged((a.into(), &link_a.text), (b.into(), &link_b.text)))),
            Ok(false) => Ok(Attempt::Again),
            Err((entry, error)) => Err(error.on("exchange", &*entry.path).into()),
        }
    }

    /// The kernel refused: a directory was moved away, one of the two is no link by now, or it may not be.
    fn refused(&self, a: &Opened<'_>, b: &Opened<'_>, source: io::Error) -> Result<Attempt<[Outcome; 2]>> {
        let moved = |entry: &&Opened<'_>| read_back::parent_in_place(entry).is_ok_and(|in_place| !in_place);
        let denied = |entry: &&Opened<'_>| may_take_away(entry).is_err();
        let entry = [a, b].into_iter().find(moved).or_else(|| [a, b].into_iter().find(denied)).unwrap_or(a);
        let on = |error: Error| error.on("exchange", &*entry.path).denied_at(entry.path.as_path());
        read_back::not_moved(entry, &[a, b], source).map_err(on)
    }

    /// Looks at both names after the exchange, and takes back what is not as it should be.
    fn check<'e>(
        &self,
        a: &'e Opened<'e>,
        b: &'e Opened<'e>,
        link_a: &Pinned,
        link_b: &Pinned,
        between: &Between<'_>,
    ) -> std::result::Result<bool, (&'e Opened<'e>, Error)> {
        let (as_pinned, unseen) = match between.are_exchanged() {
            Ok(as_pinned) => (as_pinned, None),
            Err(source) => (false, Some((a, Error::from_io(source)))),
        };
        let (mut cause, mut taken) = (unseen, false);
        if as_pinned && !self.root.policy().unverified {
            for (entry, link) in [(a, link_b), (b, link_a)] {
                match read_back::created(entry, link.stat.id, &link.text) {
                    Ok(ReadBack::Stands) => {}
                    Ok(ReadBack::Taken) => {
                        taken = true;
                        cause = Some((entry, read_back::taken()));
                    }
                    Ok(ReadBack::Moved) => cause = Some((entry, read_back::parent_moved())),
                    Err(error) => cause = Some((entry, error)),
                }
            }
        }
        if as_pinned && cause.is_none() {
            return Ok(true);
        }
        let met = match (as_pinned, taken) {
            (false, _) => Met::Then,
            (true, false) => Met::Nobody,
            (true, true) => Met::Since,
        };
        let residue = between.take_back(met);
        match cause {
            Some((entry, error)) => Err((entry, residue.on(error))),
            None if residue.is_empty() => Ok(false),
            None => Err((a, residue.on(read_back::taken()))),
        }
    }

    fn exchanged(&self, (a, text_a): (Place<'_>, &OsString), (b, text_b): (Place<'_>, &OsString)) -> [Outcome; 2] {
        let verified = !self.root.policy().unverified;
        [
            self.report(a, Effect::Exchanged, Some(text_b), Some(text_a), verified),
            self.report(b, Effect::Exchanged, Some(text_a), Some(text_b), verified),
        ]
    }

    fn report(
        &self,
        place: Place<'_>,
        effect: Effect,
        target: Option<&OsString>,
        previous: Option<&OsString>,
        verified: bool,
    ) -> Outcome {
        Outcome {
            link: place.path.clone(),
            physical: place.opened.and_then(Opened::followed),
            effect,
            target: target.cloned(),
            previous: previous.cloned(),
            guarantee: Guarantee::Atomic,
            durability: if self.dry_run && effect.is_change() { self.edit.durability } else { Durability::None },
            confinement: self.root.confinement(),
            staging: Staging::None,
            verified,
            dry_run: self.dry_run,
            backup: None,
            made: Vec::new(),
            shortfalls: Vec::new(),
            counterpart: None,
        }
    }

    fn make_durable(&self, entry: &Opened<'_>, outcome: &mut Outcome) {
        match sync(self.root, &entry.parent, self.edit.durability) {
            Ok(()) => outcome.durability = self.edit.durability,
            Err(error) => outcome.shortfalls.push(error.on("exchange", &*entry.path)),
        }
        leave_to_batch(entry);
    }
}

fn unsupported(root: &Root) -> Error {
    guarantee(root, false)
        .err()
        .unwrap_or_else(|| Error::new(Kind::Unsupported).because("this host cannot exchange two names in one step"))
}

fn refused(kind: Kind, found: Found) -> Error {
    let reason = format!("found {found}");
    Error::new(kind).because(reason).found_instead(found)
}
