//! The calls of each verb where nobody else does anything: no more than these, in this order.
//!
//! The link is two directories below the root; `ensure` opens the second for lookups, and anew to lock it. `Reach` is the
//! look at the target, `ReachEntry` the reading back.

use caplink::adversary::Call::{self, *};

use crate::run::{Keep, Schedule, play};
use crate::scene::{Layout, Scenario, Scene, Verb};

fn calls(scenario: Scenario) -> Vec<Call> {
    play(&Scene::new(scenario), &Schedule::default(), Keep::default()).calls
}

#[test]
fn in_a_directory_of_the_callers_an_edit_takes_these_calls() {
    let unchanged = [OpenDir, ReadLink];
    let created = [OpenDir, Reach, Symlink, StatAt, ReachEntry, Stat, ReadPinned];
    let ensured = [OpenDir, ReadLink, Reach, Symlink, StatAt, ReachEntry, Stat, ReadPinned];
    let exchange = [Random, Symlink, Pin, Stat, Exchange, ReadLink, ReachEntry, Stat, Unlink];
    let replaced = [&[OpenDir, ReadLink, Stat, OpenDir, TryLock, ReadLink, Reach][..], &exchange].concat();
    let swapped = [&[OpenDir, Stat, TryLock, ReadLink, Reach][..], &exchange].concat();
    let removed = [OpenDir, Stat, TryLock, ReadLink, Random, RenameNew, ReadLink, OpenDir, Stat, Unlink];
    let missing = [OpenDir, Stat, TryLock, ReadLink, Stat];
    for (verb, wanted) in [
        (Verb::Create, &created[..]),
        (Verb::EnsureNew, &ensured),
        (Verb::EnsureOld, &replaced),
        (Verb::EnsureSame, &unchanged),
        (Verb::Swap, &swapped),
        (Verb::SwapStale, &[OpenDir, Stat, TryLock, ReadLink]),
        (Verb::Remove, &removed),
        (Verb::RemoveExpected, &removed),
        (Verb::RemoveMaybe, &missing),
    ] {
        assert_eq!(calls(Scenario::new(verb, Layout::Private)), wanted, "{verb:?}");
    }
}

/// The private directory is made under the lock, and removed.
#[test]
fn where_others_may_write_the_directory_a_private_one_is_made_and_removed() {
    let replaced = [
        &[OpenDir, ReadLink, Stat, OpenDir, TryLock, ReadLink, Reach][..],
        &[OpenDir, MakeDir, OpenDir, Stat, TryLock],
        &[Random, Symlink, Pin, Stat, Exchange, ReadLink, ReachEntry, Stat, Unlink],
        &[StatAt, RemoveDir],
    ];
    assert_eq!(calls(Scenario::new(Verb::EnsureOld, Layout::Open)), replaced.concat());
}

#[test]
fn what_is_not_asked_for_takes_no_call() {
    for layout in [Layout::Private, Layout::Open] {
        let calls = calls(Scenario::new(Verb::Create, layout));
        assert!(![TryLock, MakeDir, SyncDir, Random].iter().any(|call| calls.contains(call)), "{calls:?}");
    }
}
