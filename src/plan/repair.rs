//! What is to be repaired, and the edit that repairs one link.
//!
//! Each action is asked for on its own. The actions on a text are applied one after the other: retarget; or rebase, else
//! follow what was moved; make relative, tidy, shorten. An edit is a compare-and-swap on the text that was found, so a link that changed since is
//! left alone.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::moved::moved;
use super::order::Step;
use super::text::{absolute_text, made_relative, rebased, shortened, tidied};
use crate::model::change::{Fix, NewLink, RemoveStale};
use crate::model::{Anchor, Edit, Finding, LinkPath, Spelling, Status, Target, Trait, is_checked_name, relative_text};

/// The longest text that a link stores, in bytes.
const TEXT_MAX: usize = 4095;

/// The repairs that are asked for.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
/// # dir.create_dir("a")?;
/// # dir.symlink("a//.", "messy")?;
/// use caplink::{Policy, Repair, RepairOptions, Root};
///
/// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
/// let repair = Repair::default().tidy(true).remove_dangling(true);
/// root.repair(".", &repair, RepairOptions::default(), |result| match result {
///     Ok(outcome) => println!("{} -> {:?}", outcome.link, outcome.target),
///     Err(error) => eprintln!("{error}"),
/// })?;
/// assert_eq!(root.read_link("messy")?, "a");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Repair {
    make_relative: bool,
    tidy: bool,
    shorten: bool,
    shorten_chains: bool,
    rebase: Vec<(OsString, OsString)>,
    retarget: Vec<(OsString, OsString)>,
    moved: Vec<(LinkPath, LinkPath)>,
    fallback: Option<OsString>,
    remove_dangling: bool,
    remove_leftovers: bool,
}

macro_rules! switches {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        $($(#[$doc])* #[must_use] pub fn $name(mut self, wanted: bool) -> Repair {
            self.$name = wanted;
            self
        })*
    };
}

impl Repair {
    switches! {
        /// Absolute texts that lead inside the root become relative ones.
        make_relative;
        /// `//`, `/./`, a trailing `/`, and a `..` that goes back over a directory, are taken out.
        tidy;
        /// Texts with more `..` than they need become the shortest ones.
        shorten;
        /// Links that lead over other links lead straight to where these end.
        shorten_chains;
        /// Links that lead to nothing are removed, where there is no [`fallback`](Repair::fallback).
        remove_dangling;
        /// Links that an interrupted operation staged are removed, if they belong to the caller.
        remove_leftovers;
    }

    /// Texts that begin with `old`, byte for byte and up to the end of a component, begin with `new`.
    #[must_use]
    pub fn rebase(mut self, old: impl Into<OsString>, new: impl Into<OsString>) -> Repair {
        self.rebase.push((old.into(), new.into()));
        self
    }

    /// Texts that are `old`, byte for byte, become `new`.
    #[must_use]
    pub fn retarget(mut self, old: impl Into<OsString>, new: impl Into<OsString>) -> Repair {
        self.retarget.push((old.into(), new.into()));
        self
    }

    /// What was at `old` is at `new` now: links that led there, and those in it that led out of it, follow. Several moves
    /// were made in the order in which they are given.
    ///
    /// A link below `new` is read as from its old place, any other from its own, by spelling, since the old tree is gone.
    /// One that leads there already, and one for which nothing is there, is left alone. A text that was rebased is not
    /// read.
    ///
    /// A link below `new` that was repaired before is read as from its old place again; where by chance something is where
    /// its new text would have led from there, or that is `old` or below it, it is taken for one that was not.
    #[must_use]
    pub fn moved(mut self, old: LinkPath, new: LinkPath) -> Repair {
        self.moved.push((old, new));
        self
    }

    /// Links that lead to nothing, or have an empty text, lead to this path below the root.
    #[must_use]
    pub fn fallback(mut self, target: impl Into<OsString>) -> Repair {
        self.fallback = Some(target.into());
        self
    }

    /// Plans the edit that repairs a link; `None` where nothing of what was asked for concerns it.
    ///
    /// `root` is the path that absolute texts into the root begin with ([`Root::text_root`](crate::Root::text_root)), where
    /// it is known.
    ///
    /// A text that was made relative, tidied or shortened must lead to the same object as the present one does when the
    /// edit is carried out; another new one must lead somewhere. A link that is replaced or removed because it leads to
    /// nothing must still do so. Where one of these leads over another, carry out that with more hops first: the repair of
    /// the other would repair both. A rebased one may lead over another that is yet to be rebased.
    /// [`Root::repair`](crate::Root::repair) sees to all of this.
    pub fn plan(&self, found: &Finding, root: Option<&Path>) -> Option<Edit> {
        let is_top = root == Some(Path::new("/"));
        self.step(found, Anchor { path: root, is_top }).map(|step| step.edit)
    }

    /// Plans the edit that repairs a link, and when it is carried out.
    pub(crate) fn step(&self, found: &Finding, anchor: Anchor<'_>) -> Option<Step> {
        let link = LinkPath::new(&found.link).ok()?;
        let present = found.target.as_deref()?;
        let step = |edit: Edit| Some(Step { edit, hops: found.hops, follows: false });
        if found.is_staged() {
            let stale = || Edit::remove_stale(link, RemoveStale::Link(present.to_os_string())).into();
            let asked = self.remove_leftovers && found.link.file_name().is_some_and(is_checked_name);
            return asked.then(stale).and_then(step);
        }
        let repair = |fix: Fix| Edit::from(Edit::repair(link.clone(), present, fix));
        if let Some((_, new)) = self.retarget.iter().find(|(old, _)| old == present) {
            return (new != present).then(|| repair(Fix::Retarget(Target::verbatim(new).into()))).and_then(step);
        }
        let prefixed = self.rebase.iter().find_map(|(old, new)| rebased(present, old, new));
        let follows = || {
            let text = moved(present, link.as_path(), &self.moved, anchor)?;
            (text.len() <= TEXT_MAX).then_some(text)
        };
        let (renewed, follows) = match prefixed {
            Some(text) => (Some(text), false),
            None => follows().map_or((None, false), |text| (Some(text), true)),
        };
        if renewed.is_none() {
            match (found.status, &self.fallback) {
                (Status::Dangling, Some(target)) => {
                    return step(repair(Fix::ReplaceDangling(Target::relative(target).into())));
                }
                (Status::Corrupt, Some(target)) => {
                    return step(repair(Fix::Retarget(Target::relative(target).into())));
                }
                (Status::Dangling, None) if self.remove_dangling => {
                    return step(repair(Fix::RemoveDangling));
                }
                _ => {}
            }
        }
        let text = self.respelled(found, link.parent(), renewed.as_deref(), anchor)?;
        if text == present {
            return None;
        }
        let link = NewLink::new(Target::verbatim(text));
        if renewed.is_some() {
            return Some(Step { follows, ..step(repair(Fix::Retarget(link)))? });
        }
        let link = link.allow_dangling(found.status == Status::Dangling);
        step(repair(Fix::KeepObject(link.allow_outside(found.status == Status::Escape))))
    }

    /// Plans the edit that removes a directory which an interrupted operation made to stage links in; `None` where the
    /// path has not the name of one, or it is not asked for. Carry it out after those of the links in the directory.
    ///
    /// It is removed only if it belongs to the caller, lets nobody else in, and is empty.
    pub fn plan_directory(&self, path: &Path) -> Option<Edit> {
        let named = path.file_name().is_some_and(is_checked_name);
        let link = LinkPath::new(path).ok()?;
        (named && self.remove_leftovers).then(|| Edit::remove_stale(link, RemoveStale::Dir).into())
    }

    /// The text, or the one that is to take its place, after every action on its spelling; `None` where the link is one
    /// that no such action concerns.
    fn respelled(&self, found: &Finding, from: &Path, renewed: Option<&OsStr>, anchor: Anchor<'_>) -> Option<OsString> {
        if renewed.is_none() && matches!(found.status, Status::Loop | Status::Denied | Status::Corrupt) {
            return None;
        }
        let leads_on = found.status == Status::Ok && renewed.is_none();
        let end = found.resolved.as_deref().filter(|_| leads_on);
        let present = found.target.as_deref()?;
        if let (true, Some(end)) = (self.shorten_chains && found.traits.contains(Trait::Chain), end) {
            let straight = match Spelling::new(present).is_absolute() && !self.make_relative {
                true => absolute_text(end, anchor)?,
                false => relative_text(from, end),
            };
            // What no link stores is no way to straighten one.
            return (straight.len() <= TEXT_MAX).then_some(straight);
        }
        let mut text = renewed.unwrap_or(present).to_os_string();
        // Where no other link is on the way, every name that is gone back over is a directory.
        let real_names = leads_on && found.hops == 1;
        // What leads out is absolute for all the directories above the root, or by its `..`.
        if self.make_relative && (renewed.is_some() || found.status != Status::Escape) {
            let made = made_relative(&text, from, anchor, real_names);
            // From outside a `..` would not stay at the root: straight to where it leads.
            let straight = end.filter(|_| found.clamped && made.is_some()).map(|end| relative_text(from, end));
            text = straight.or(made).unwrap_or(text);
        }
        if self.tidy {
            text = tidied(&text, real_names);
        }
        if self.shorten {
            text = shortened(&text, from, anchor, real_names).unwrap_or(text);
        }
        // Without its slash it would lead to what is no directory.
        if found.not_a_directory && renewed.is_none() && text != present {
            text.push("/");
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Traits};

    fn found(link: &str, target: &str, status: Status) -> Finding {
        Finding {
            link: link.into(),
            target: Some(target.into()),
            status,
            traits: Traits::default(),
            hops: 1,
            resolved: None,
            clamped: false,
            not_a_directory: false,
        }
    }

    /// The new text, or `-` for a removal.
    fn planned(repair: &Repair, finding: &Finding) -> Option<String> {
        let edit = repair.plan(finding, Some(Path::new("/srv")))?;
        assert_eq!(edit.change.expected_text(), finding.target.as_deref(), "every step compares");
        Some(match edit.change.link() {
            None => "-".to_owned(),
            Some(link) => link.target.as_os_str().to_string_lossy().into_owned(),
        })
    }

    #[test]
    fn nothing_is_done_unasked() {
        for status in Status::ALL {
            assert_eq!(planned(&Repair::default(), &found("a/l", "/srv//x/../y", *status)), None);
        }
    }

    #[test]
    fn the_actions_on_a_text_are_applied_one_after_the_other() {
        let all = Repair::default().make_relative(true).tidy(true).shorten(true);
        assert_eq!(planned(&all, &found("a/l", "/srv/a//x/", Status::Ok)).as_deref(), Some("x"));
        assert_eq!(planned(&all, &found("a/l", "../a//x", Status::Ok)).as_deref(), Some("x"));
        assert_eq!(planned(&all, &found("a/l", "x", Status::Ok)), None);
        let rebased = all.rebase("/old", "/srv/a");
        assert_eq!(planned(&rebased, &found("a/l", "/old/x", Status::Escape)).as_deref(), Some("x"));
    }

    #[test]
    fn loops_and_what_is_not_known_are_left_alone() {
        let tidy = Repair::default().tidy(true).shorten(true).make_relative(true);
        for status in [Status::Loop, Status::Denied, Status::Corrupt] {
            assert_eq!(planned(&tidy, &found("l", "a//b", status)), None, "{status:?}");
        }
        let tidied = |status| planned(&tidy, &found("l", "a//b", status));
        assert_eq!(tidied(Status::Dangling).as_deref(), Some("a/b"));
        assert_eq!(tidied(Status::Escape).as_deref(), Some("a/b"));
    }

    #[test]
    fn dangling_links_fall_back_or_go() {
        let dangling = found("a/l", "gone", Status::Dangling);
        assert_eq!(planned(&Repair::default().fallback("x"), &dangling).as_deref(), Some("x"));
        assert_eq!(planned(&Repair::default().remove_dangling(true), &dangling).as_deref(), Some("-"));
        assert_eq!(planned(&Repair::default().remove_dangling(true).fallback("x"), &dangling).as_deref(), Some("x"));
        assert_eq!(planned(&Repair::default().remove_dangling(true), &found("l", "x", Status::Ok)), None);
        assert_eq!(planned(&Repair::default().fallback("x"), &found("l", "", Status::Corrupt)).as_deref(), Some("x"));
    }

    #[test]
    fn a_text_that_is_the_old_one_becomes_the_new_one() {
        let retarget = Repair::default().retarget("old", "new").retarget("same", "same").tidy(true);
        assert_eq!(planned(&retarget, &found("l", "old", Status::Ok)).as_deref(), Some("new"));
        for other in ["older", "ol", "same"] {
            assert_eq!(planned(&retarget, &found("l", other, Status::Ok)), None, "{other}");
        }
        assert_eq!(planned(&retarget, &found("l", "old//x", Status::Ok)).as_deref(), Some("old/x"));
    }

    #[test]
    fn what_a_repaired_text_may_lead_to_is_what_it_led_to_before() {
        let tidy = Repair::default().tidy(true);
        let rebase = Repair::default().rebase("a", "b");
        for status in [Status::Ok, Status::Dangling, Status::Escape] {
            let tidied = tidy.plan(&found("l", "a//x", status), None).unwrap();
            assert!(tidied.change.keeps_object_of().is_some(), "{status:?}");
            let allowed = tidied.change.link().map(|link| (link.allow_dangling, link.allow_outside)).unwrap();
            assert_eq!(allowed, (status == Status::Dangling, status == Status::Escape), "{status:?}");
            // A rebased one is to lead somewhere, perhaps to something else.
            let rebased = rebase.plan(&found("l", "a/x", status), None).unwrap();
            let link = rebased.change.link().unwrap();
            assert!(!link.allow_dangling && !link.allow_outside, "{status:?}");
            assert_eq!(rebased.change.keeps_object_of(), None, "{status:?}");
        }
    }

    #[test]
    fn chains_lead_straight_on_when_asked() {
        let mut chain = found("a/l", "../b", Status::Ok);
        chain.hops = 2;
        chain.traits = [Trait::Chain].into_iter().collect();
        chain.resolved = Some("a/end".into());
        assert_eq!(planned(&Repair::default().shorten_chains(true), &chain).as_deref(), Some("end"));
        assert_eq!(planned(&Repair::default().shorten(true), &chain), None);
    }

    #[test]
    fn a_chain_that_is_rebased_or_leads_nowhere_is_not_led_straight_on() {
        let mut chain = found("a/l", "../b", Status::Ok);
        chain.hops = 2;
        chain.resolved = Some("a/end".into());
        let straight = Repair::default().shorten_chains(true);
        assert_eq!(planned(&straight, &chain), None, "it is no chain");
        chain.traits = [Trait::Chain].into_iter().collect();
        assert_eq!(planned(&straight.clone().rebase("../b", "../c"), &chain).as_deref(), Some("../c"));
        chain.status = Status::Escape;
        assert_eq!(planned(&straight, &chain), None);
        assert_eq!(planned(&Repair::default().tidy(true), &chain), None, "it is not asked for");
    }

    #[test]
    fn a_name_is_gone_back_over_only_where_it_is_known_to_be_a_directory() {
        let tidy = Repair::default().tidy(true);
        let tidied = |status, hops| planned(&tidy, &Finding { hops, ..found("l", "x/../y", status) });
        assert_eq!(tidied(Status::Ok, 1).as_deref(), Some("y"));
        assert_eq!(tidied(Status::Ok, 2), None);
        assert_eq!(tidied(Status::Dangling, 1), None);
        let rebased = tidy.rebase("x", "z");
        assert_eq!(planned(&rebased, &found("l", "x/../y", Status::Ok)).as_deref(), Some("z/../y"));
        // What is rebased may be what made it a loop.
        assert_eq!(planned(&rebased, &found("l", "x//y", Status::Loop)).as_deref(), Some("z/y"));
    }

    #[test]
    fn what_leads_to_nothing_is_repaired_only_while_it_does() {
        let dangling = found("l", "gone", Status::Dangling);
        let while_dangling =
            |repair: Repair, found: &Finding| repair.plan(found, None).unwrap().change.while_dangling();
        assert!(while_dangling(Repair::default().fallback("x"), &dangling));
        assert!(while_dangling(Repair::default().remove_dangling(true), &dangling));
        assert!(!while_dangling(Repair::default().fallback("x"), &found("l", "", Status::Corrupt)));
    }

    #[test]
    fn directories_are_removed_by_their_names_and_only_when_asked() {
        let (named, other) = ("a/.caplink-11111111111111111111111164d1077d", "a/b");
        let asked = Repair::default().remove_leftovers(true);
        let plan = |repair: &Repair, path: &str| repair.plan_directory(Path::new(path));
        let edit = plan(&asked, named).unwrap();
        assert_eq!(edit.change, Change::RemoveStale(RemoveStale::Dir));
        assert_eq!(plan(&asked, other), None);
        assert_eq!(plan(&Repair::default(), named), None);
    }

    #[test]
    fn staged_links_are_only_ever_removed_as_leftovers() {
        let staged = found("a/.caplink-11111111111111111111111164d1077d", "x//y", Status::Dangling);
        let all = Repair::default().tidy(true).remove_dangling(true).fallback("x").retarget("x//y", "z");
        assert_eq!(planned(&all, &staged), None);
        // A name of that shape that somebody else gave is no proof.
        let named = found(&format!("a/.caplink-{}", "1".repeat(32)), "x//y", Status::Dangling);
        assert_eq!(planned(&all.clone().remove_leftovers(true), &named), None);
        assert_eq!(planned(&all.remove_leftovers(true), &staged).as_deref(), Some("-"));
    }
}
