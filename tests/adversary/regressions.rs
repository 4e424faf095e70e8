//! Schedules that once broke a law, by name. Each is played at every place where its actions can come.

use caplink::Kind;
use caplink::adversary::{Call, Errno};

use crate::explore::{Findings, placed};
use crate::run::{Fault, Keep, Schedule, play};
use crate::scene::{Layout, Scenario, Scene, Verb};
use crate::support::action::Action;

/// Plays the actions in this order before every choice of calls, and holds the laws.
fn holds(scenario: Scenario, actions: &[Action]) {
    let mut findings = Findings::default();
    placed(&Scene::new(scenario), actions, None, &mut findings);
    assert!(findings.disturbed > 0, "{} {actions:?}: the actions have no effect", scenario.name());
    findings.assert_none();
}

#[test]
fn a_quiet_host_sees_every_law_held() {
    for scenario in Scenario::all() {
        let mut findings = Findings::default();
        placed(&Scene::new(scenario), &[], None, &mut findings);
        findings.assert_none();
    }
}

#[test]
fn what_is_staged_or_replaced_is_out_of_reach_of_others() {
    for verb in [Verb::EnsureOld, Verb::Swap, Verb::Remove] {
        for action in
            [Action::StagedFile, Action::StagedRemoved, Action::StagedLinkNew, Action::StagedExchangedWithName]
        {
            // There is nothing to be touched but the private directory itself.
            let mut findings = Findings::default();
            placed(&Scene::new(Scenario::new(verb, Layout::NoState)), &[action], None, &mut findings);
            findings.assert_none();
        }
    }
}

#[test]
fn an_exchange_that_met_a_third_program_moves_nothing_of_its() {
    for verb in [Verb::Exchange, Verb::ExchangeAcross] {
        for action in
            [Action::NameDir, Action::NameFifo, Action::NameLinkOther, Action::NameRemoved, Action::SecondFile]
        {
            holds(Scenario::new(verb, Layout::Private), &[action]);
        }
    }
}

#[test]
fn a_link_that_cannot_be_looked_at_any_more_is_reported_as_left() {
    for verb in [Verb::Create, Verb::EnsureOld, Verb::BackupFile, Verb::Exchange] {
        holds(Scenario::new(verb, Layout::Private), &[Action::ParentSealed]);
    }
}

#[test]
fn without_exchange_a_replaced_link_is_kept_when_its_name_is_taken() {
    let scenario = Scenario { exchange: false, ..Scenario::new(Verb::EnsureOld, Layout::Private) };
    for action in [Action::NameFile, Action::NameDir, Action::ParentRemoved] {
        holds(scenario, &[action]);
    }
}

#[test]
fn without_no_replace_what_was_made_is_taken_back_all_the_same() {
    for layout in [Layout::Open, Layout::NoState, Layout::OpenRoot] {
        let scenario = Scenario { no_replace: false, ..Scenario::new(Verb::Create, layout) };
        holds(scenario, &[Action::ParentRemoved]);
        holds(scenario, &[Action::ParentExchangedWithLinkOutside]);
    }
}

#[test]
fn a_directory_that_is_moved_away_and_back_is_no_error_of_the_system() {
    for verb in [Verb::Create, Verb::EnsureOld, Verb::Exchange] {
        let scenario = Scenario::new(verb, Layout::Private);
        holds(scenario, &[Action::ParentExchangedWithLinkOutside]);
    }
}

#[test]
fn a_second_name_of_something_that_came_in_between_is_not_left() {
    let scenario = Scenario { exchange: false, ..Scenario::new(Verb::EnsureOld, Layout::Open) };
    holds(scenario, &[Action::NameExchangedWithFile, Action::PutBack]);
}

/// Plays the actions on two links, of one directory and of two.
fn an_exchange_holds(actions: &[Action]) {
    for verb in [Verb::Exchange, Verb::ExchangeAcross] {
        for layout in [Layout::Private, Layout::Open, Layout::NoState] {
            holds(Scenario::new(verb, layout), actions);
        }
    }
}

#[test]
fn links_that_others_exchanged_while_an_exchange_was_undone_are_reported() {
    an_exchange_holds(&[Action::ParentExchangedWithLinkInside, Action::SecondExchangedWithFirst]);
    an_exchange_holds(&[Action::SecondExchangedWithFirst, Action::NameFullDir]);
    an_exchange_holds(&[Action::SecondExchangedWithFirst, Action::SecondStolen]);
}

#[test]
fn links_that_others_exchanged_back_and_forth_are_left_as_they_put_them() {
    an_exchange_holds(&[Action::SecondExchangedWithFirst, Action::SecondExchangedWithFirst]);
}

#[test]
fn what_others_put_where_a_link_of_an_exchange_went_back_to_is_reported() {
    an_exchange_holds(&[Action::SecondStolen, Action::SecondFile]);
    an_exchange_holds(&[Action::NameRemoved, Action::NameFile]);
}

#[test]
fn a_private_directory_that_cannot_be_removed_after_a_creation_is_reported() {
    holds(Scenario::new(Verb::Create, Layout::NoState), &[Action::ParentTwinEmpty, Action::ParentSealed]);
}

#[test]
fn what_cannot_be_looked_at_under_a_staged_name_is_reported_as_left_and_as_preserved() {
    for verb in [Verb::EnsureOld, Verb::Swap, Verb::BackupFile] {
        holds(Scenario::new(verb, Layout::Private), &[Action::GrandMovedInside, Action::ParentSealed]);
    }
}

#[test]
fn what_is_taken_back_while_a_directory_is_sealed_for_a_moment_is_reported() {
    for (verb, layout) in [(Verb::Create, Layout::Private), (Verb::BackupFile, Layout::OpenSame)] {
        let scenario = Scenario { exchange: false, ..Scenario::new(verb, layout) };
        holds(scenario, &[Action::ParentSealed, Action::ParentUnsealed]);
    }
}

#[test]
fn a_created_link_is_not_left_where_its_directory_was_exchanged_and_put_back() {
    for layout in [Layout::Private, Layout::Open, Layout::Tenant, Layout::NoState] {
        holds(Scenario::new(Verb::Create, layout), &[Action::ParentTwinOld, Action::PutBack]);
    }
}

#[test]
fn an_equal_link_of_another_user_is_not_taken_for_the_one_that_was_made() {
    let scene = Scene::new(Scenario::new(Verb::Create, Layout::Open));
    let quiet = play(&scene, &Schedule::default(), Keep::default());
    let made = quiet.points.iter().position(|call| *call == Call::Symlink).expect("it is made");
    let schedule = Schedule { actions: vec![(made + 1, Action::NameLinkNew)], fault: None };
    let played = play(&scene, &schedule, Keep::default());
    assert_eq!(played.judge.violations, [""; 0]);
    assert_eq!(played.answers.expect("no panic").errors[0].kind(), Kind::Contended);
}

/// Lets each call of this kind fail, and plays the actions before every choice of calls.
fn holds_though(scenario: Scenario, call: Call, error: Errno, from_here: bool, actions: &[Action]) {
    let (scene, mut findings) = (Scene::new(scenario), Findings::default());
    let quiet = play(&scene, &Schedule::default(), Keep::default());
    for (at, _) in quiet.calls.iter().enumerate().filter(|(_, made)| **made == call) {
        placed(&scene, actions, Some(Fault { at, error, from_here }), &mut findings);
    }
    assert!(findings.schedules > 0, "{}: it makes no such call", scenario.name());
    findings.assert_none();
}

/// Plays the action before each call, and lets each call of this kind fail that is made then.
fn holds_where_then(scenario: Scenario, action: Action, call: Call, error: Errno, from_here: bool) {
    let (scene, mut findings) = (Scene::new(scenario), Findings::default());
    for point in 0..play(&scene, &Schedule::default(), Keep::default()).points.len() {
        let undone = Schedule { actions: vec![(point, action)], fault: None };
        let calls = play(&scene, &undone, Keep::default()).calls;
        for (at, _) in calls.iter().enumerate().filter(|(_, made)| **made == call) {
            let schedule = Schedule { fault: Some(Fault { at, error, from_here }), ..undone.clone() };
            findings.note(&scene, &schedule, &play(&scene, &schedule, Keep::default()));
        }
    }
    assert!(findings.disturbed > 0, "{} {action:?}: the action has no effect", scenario.name());
    findings.assert_none();
}

#[test]
fn the_own_link_that_others_moved_and_that_cannot_be_removed_is_left_and_named() {
    for verb in [Verb::BackupFile, Verb::BackupDir] {
        for layout in [Layout::Open, Layout::Tenant] {
            for no_replace in [true, false] {
                let scenario = Scenario { no_replace, ..Scenario::new(verb, layout) };
                for (call, error) in [(Call::Random, Errno::INTR), (Call::RenameNew, Errno::STALE)] {
                    holds_where_then(scenario, Action::StagedExchangedWithName, call, error, true);
                }
            }
        }
    }
}

#[test]
fn a_link_that_has_a_second_name_since_it_could_not_go_back_is_left_under_both() {
    for verb in [Verb::BackupFile, Verb::BackupDir] {
        let scenario = Scenario { exchange: false, no_replace: false, ..Scenario::new(verb, Layout::Private) };
        for from_here in [true, false] {
            holds_though(scenario, Call::StatAt, Errno::IO, from_here, &[Action::ParentSealed]);
        }
    }
}

#[test]
fn a_state_directory_that_was_made_and_cannot_be_used_is_removed_or_reported() {
    let scenario = Scenario::new(Verb::EnsureOld, Layout::StickyOther);
    holds_though(scenario, Call::Stat, Errno::IO, false, &[]);
    holds_though(scenario, Call::StatAt, Errno::ACCESS, true, &[]);
    holds_though(scenario, Call::TryLock, Errno::IO, true, &[]);
    holds_though(Scenario::new(Verb::Exchange, Layout::StickyOther), Call::TryLock, Errno::IO, true, &[]);
}

#[test]
fn a_directory_of_others_is_not_removed_in_the_place_of_one_that_could_not_be_opened() {
    let scenario = Scenario::new(Verb::BackupDir, Layout::NoState);
    holds_though(scenario, Call::OpenDir, Errno::NOMEM, true, &[Action::StagedExchangedWithName]);
}

#[test]
fn what_was_moved_away_and_cannot_be_looked_at_is_reported_as_left_and_as_preserved() {
    let scenario = Scenario { no_replace: false, ..Scenario::new(Verb::EnsureNew, Layout::Private) };
    holds_though(scenario, Call::StatAt, Errno::NOMEM, true, &[Action::NameFile]);
}

#[test]
fn a_scan_ends_where_a_directory_changes_to_a_link_and_back_for_ever() {
    holds_though(Scenario::new(Verb::Repair, Layout::Private), Call::OpenDir, Errno::LOOP, true, &[]);
}

#[test]
fn a_directory_that_would_go_into_itself_does_not_make_a_host_one_that_cannot_exchange() {
    // The private directory gets the name of the link for the instant of the exchange. Without an exchange a file that takes
    // the name before the renaming would be replaced.
    let scene = Scene::new(Scenario::new(Verb::Swap, Layout::NoState));
    let actions = [
        (Action::StagedExchangedWithName, Call::Exchange),
        (Action::StagedExchangedWithName, Call::Pin),
        (Action::NameFile, Call::RenameOver),
    ];
    let mut schedule = Schedule::default();
    for (action, call) in actions {
        let from = schedule.actions.last().map_or(0, |(point, _)| point + 1);
        let points = play(&scene, &schedule, Keep::default()).points;
        let next = points.iter().skip(from).position(|made| *made == call);
        schedule.actions.extend(next.map(|next| (from + next, action)));
    }
    let played = play(&scene, &schedule, Keep::default());
    assert_eq!(played.judge.violations, [""; 0]);
    assert!(played.judge.actions >= 2, "the directory is under the name, and gives it back");
    assert!(!played.calls.contains(&Call::RenameOver), "{:?}", played.calls);
    for verb in [Verb::Swap, Verb::EnsureOld, Verb::BackupFile, Verb::BackupDir] {
        holds(
            Scenario::new(verb, Layout::NoState),
            &[Action::StagedExchangedWithName, Action::StagedExchangedWithName],
        );
    }
}

#[test]
fn an_exchange_of_others_is_not_taken_back_where_the_own_one_fails() {
    for error in [Errno::ACCESS, Errno::ROFS, Errno::IO] {
        for verb in [Verb::Exchange, Verb::ExchangeAcross] {
            let scenario = Scenario::new(verb, Layout::Private);
            holds_though(scenario, Call::Exchange, error, false, &[Action::SecondExchangedWithFirst]);
        }
    }
}

#[test]
fn a_confined_creation_is_taken_back_out_of_the_reach_of_others() {
    for layout in [Layout::Open, Layout::Tenant] {
        let scenario = Scenario { confined: true, ..Scenario::new(Verb::Create, layout) };
        for staged in [Action::StagedFile, Action::StagedLinkOther] {
            let mut findings = Findings::default();
            placed(&Scene::new(scenario), &[Action::ParentMovedInside, staged], None, &mut findings);
            findings.assert_none();
        }
    }
}
