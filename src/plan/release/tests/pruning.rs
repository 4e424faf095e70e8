//! What is pruned, and what is kept and why.

use core::time::Duration;

use proptest::prelude::*;

use super::*;

/// What pruning is asked for, with what matters little filled in.
struct Asked {
    app: App,
    in_use: BTreeMap<String, InUse>,
    others: BTreeSet<DirectoryId>,
    keep: usize,
    grace: Duration,
    now: i128,
}

fn asked(app: App, keep: usize) -> Asked {
    let (in_use, others) = (BTreeMap::new(), BTreeSet::new());
    Asked { app, in_use, others, keep, grace: Duration::from_secs(600), now: NOW }
}

impl Asked {
    fn items(&self) -> Vec<PruneItem> {
        let Asked { app, in_use, others, keep, grace, now } = self;
        let App { ledger, sight } = app;
        plan_prune(&PruneRequest { ledger, sight, in_use, others, keep: *keep, grace: *grace, now: *now })
    }

    /// Each release as `name reason`, or `name -` where it is removed.
    fn shown(&self) -> String {
        let item = |item: &PruneItem| {
            let said = match &item.pruning {
                Pruning::Remove { unsure: false, .. } => "-",
                Pruning::Remove { unsure: true, .. } => "-?",
                Pruning::Keep(reason) => reason.as_str(),
                Pruning::Gone => "gone",
            };
            format!("{} {said}", item.release)
        };
        self.items().iter().map(item).collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn so_many_good_ones_are_kept_and_the_one_before_is_one_of_them() {
    let app = || App::with(&["1", "2", "3", "4", "5"]);
    for (keep, expected) in [
        (0, "1 -, 2 -, 3 -, 4 before, 5 active"),
        (1, "1 -, 2 -, 3 -, 4 before, 5 active"),
        (2, "1 -, 2 -, 3 good, 4 before, 5 active"),
        (3, "1 -, 2 good, 3 good, 4 before, 5 active"),
        (5, "1 good, 2 good, 3 good, 4 before, 5 active"),
        (usize::MAX, "1 good, 2 good, 3 good, 4 before, 5 active"),
    ] {
        assert_eq!(asked(app(), keep).shown(), expected, "{keep}");
    }
}

#[test]
fn what_is_bad_failed_or_not_confirmed_is_not_counted() {
    let app = App::with(&["1", "2", "3", "4", "5"])
        .bad("3")
        .state("2", ReleaseState::Failed)
        .change("2", |release| release.confirmed = false);
    assert_eq!(asked(app.clone(), 2).shown(), "1 good, 2 -, 3 -, 4 before, 5 active");
    assert_eq!(asked(app, 1).shown(), "1 -, 2 -, 3 -, 4 before, 5 active");
    // After a rollback the one that was left is the one before; what could be rolled back to stays, too.
    let back = App::with(&["1", "2", "3"]).activated("2").bad("3");
    assert_eq!(asked(back, 0).shown(), "1 before, 2 active, 3 before");
}

#[test]
fn each_reason_keeps_a_release_by_itself() {
    let app = || App::with(&["1", "2", "3"]);
    let mut recent = asked(app().change("1", |release| release.changed = NOW - 599 * SECOND), 0);
    assert_eq!(recent.shown(), "1 recent, 2 before, 3 active");
    recent.now += SECOND;
    assert_eq!(recent.shown(), "1 -, 2 before, 3 active");
    let ahead = asked(app().change("1", |release| release.changed = NOW + 1), 0);
    assert_eq!(ahead.shown(), "1 ahead, 2 before, 3 active");
    let mut no_grace = asked(app().change("1", |release| release.changed = NOW), 0);
    no_grace.grace = Duration::ZERO;
    assert_eq!(no_grace.shown(), "1 -, 2 before, 3 active");
    no_grace.app = app().change("1", |release| release.changed = NOW + 1);
    assert_eq!(no_grace.shown(), "1 ahead, 2 before, 3 active");
    no_grace.grace = Duration::MAX;
    no_grace.app = app();
    assert_eq!(no_grace.shown(), "1 recent, 2 before, 3 active");
    assert_eq!(asked(app().change("1", |release| release.pinned = true), 0).shown(), "1 pinned, 2 before, 3 active");
    assert_eq!(asked(app().state("1", ReleaseState::Prepared), 0).shown(), "1 prepared, 2 before, 3 active");
    assert_eq!(asked(app().current(points("1")), 0).shown(), "1 current, 2 before, 3 active");
    assert_eq!(asked(app().replaced("1"), 0).shown(), "1 replaced, 2 before, 3 active");
    let file = Some(ReleaseDir::Other(FileKind::File));
    assert_eq!(asked(app().see("1", file), 0).shown(), "1 replaced, 2 before, 3 active");
    assert_eq!(asked(app().see("1", None), 0).shown(), "1 gone, 2 before, 3 active");
    let stranger = app().see("x", Some(ReleaseDir::Dir(id("x"))));
    assert_eq!(asked(stranger, 0).shown(), "1 -, 2 before, 3 active, x not_entered");
    let removed = app().state("1", ReleaseState::Removed);
    assert_eq!(asked(removed, 0).shown(), "2 before, 3 active, 1 not_entered");
    let mut used = asked(app(), 0);
    used.in_use.insert("1".into(), InUse::Yes);
    assert_eq!(used.shown(), "1 in_use, 2 before, 3 active");
    let mut shared = asked(app(), 0);
    shared.others.insert(id("1"));
    assert_eq!(shared.shown(), "1 other_app, 2 before, 3 active");
}

/// Where not every process can be looked into the grace time decides.
#[test]
fn what_nobody_knows_the_use_of_is_removed_after_the_grace_time() {
    let mut unsure = asked(App::with(&["1", "2", "3"]), 0);
    unsure.in_use.insert("1".into(), InUse::Unknown);
    assert_eq!(unsure.shown(), "1 -?, 2 before, 3 active");
    unsure.app = unsure.app.change("1", |release| release.changed = NOW);
    assert_eq!(unsure.shown(), "1 recent, 2 before, 3 active");
}

#[test]
fn what_is_removed_is_named_by_its_identity() {
    let items = asked(App::with(&["1", "2", "3"]), 0).items();
    assert_eq!(items[0].pruning, Pruning::Remove { directory: id("1"), unsure: false });
}

#[test]
fn a_release_that_was_entered_anew_is_decided_once() {
    let app = App::with(&["1", "2", "3"]).state("1", ReleaseState::Removed).prepared("1");
    assert_eq!(asked(app, 0).shown(), "2 before, 3 active, 1 prepared");
}

proptest! {
    /// Whatever the ledger and the tree are: none of those is removed that never are, and enough good ones stay.
    #[test]
    fn nothing_is_removed_that_is_never_removed(
        history in prop::collection::vec(0..8_usize, 0..12),
        traits in prop::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), 0..4_u8, 0..3_i128), 8),
        current in 0..10_usize,
        keep in 0..4_usize,
    ) {
        let names: Vec<String> = (0..8).map(|number| number.to_string()).collect();
        let mut app = names.iter().fold(App::with(&[]), |app, name| app.prepared(name));
        for index in &history {
            app = app.activated(&names[*index]);
        }
        let (mut in_use, mut others) = (BTreeMap::new(), BTreeSet::new());
        for (name, (bad, pinned, confirmed, other, age)) in names.iter().zip(&traits) {
            app = app.change(name, |release| {
                (release.bad, release.pinned) = (*bad, *pinned);
                release.confirmed &= *confirmed;
                release.changed = NOW - age * 600 * SECOND;
            });
            match other {
                0 => { in_use.insert(name.clone(), InUse::Yes); }
                1 => { others.insert(id(name)); }
                2 => app = app.replaced(name),
                _ => {}
            }
        }
        app = match names.get(current) {
            Some(name) => app.current(points(name)),
            None => app.current(Occupant::Missing),
        };
        let mut request = asked(app.clone(), keep);
        (request.in_use, request.others) = (in_use.clone(), others.clone());
        let items = request.items();
        let removed: BTreeSet<&str> = items
            .iter()
            .filter(|item| matches!(item.pruning, Pruning::Remove { .. }))
            .map(|item| &*item.release)
            .collect();
        prop_assert_eq!(items.len(), 8);
        for release in &app.ledger.releases {
            let never = release.state == ReleaseState::Active
                || release.state == ReleaseState::Prepared
                || app.ledger.before_active().is_some_and(|before| before.name == release.name)
                || app.sight.pointed() == Some(&release.name)
                || release.pinned
                || in_use.contains_key(&release.name)
                || others.contains(&release.directory)
                || !app.sight.is_present(release)
                || NOW - release.changed < 600 * SECOND;
            prop_assert!(!(never && removed.contains(&*release.name)), "{:?}", release);
        }
        let good = |release: &&ReleaseRecord| {
            release.state == ReleaseState::Superseded && release.confirmed && !release.bad && app.sight.is_present(release)
        };
        let all = app.ledger.releases.iter().filter(good).count();
        let left = app.ledger.releases.iter().filter(good).filter(|release| !removed.contains(&*release.name)).count();
        prop_assert!(left >= all.min(keep), "{} of {} good ones are left of {}", left, all, keep);
        // What rolling back would go to stays.
        if let Ok(back) = plan_rollback(&app.ledger, &app.sight, None) {
            prop_assert!(!removed.contains(&*back.name));
        }
    }
}
