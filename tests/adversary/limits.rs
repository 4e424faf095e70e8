//! What cannot be promised, each as the schedule that shows it. SECURITY.md says these in words.

use std::ffi::OsStr;

use caplink::adversary::{Actor, Call, Errno, Object, Step, Tree};
use caplink::{FileKind, Kind};

use crate::run::{Fault, Keep, Played, Schedule, play, play_on};
use crate::scene::{Layout, NEW, OLD, Scenario, Scene, Verb};
use crate::support::action::Action;

/// Plays actions, each at a moment: after these calls in this order, before the last one of them. No law may be broken but
/// the one that the test is about.
fn play_at(scenario: Scenario, actions: &[(Action, &[Call])]) -> (Scene, Played) {
    let scene = Scene::new(scenario);
    let mut schedule = Schedule::default();
    for (action, calls) in actions {
        let points = play(&scene, &schedule, Keep::default()).points;
        let next =
            |from: usize, call: &Call| Some(from + points.get(from..)?.iter().position(|made| made == call)? + 1);
        let after = calls.iter().try_fold(0, next).unwrap_or_else(|| panic!("{calls:?} is not made: {points:?}"));
        schedule.actions.push((after - 1, *action));
    }
    let played = play(&scene, &schedule, Keep::trees_from(0));
    assert_eq!(played.judge.actions, actions.len(), "every action has an effect");
    assert_eq!(played.judge.violations, [""; 0], "{:?}", played.answers);
    (scene, played)
}

/// What readers saw at the link's name, one after the other: the text, or what else is there.
fn seen(played: &Played) -> Vec<String> {
    let tree = &played.end;
    let in_words = |(_, found): (_, Option<_>)| match found {
        None => "nothing".to_owned(),
        Some(found) if tree.node(found).kind == FileKind::Symlink => tree.text(found).unwrap().display().to_string(),
        Some(found) => format!("{:?}", tree.node(found).kind),
    };
    let mut seen: Vec<String> = played.judge.moments.iter().map(|moment| in_words(moment.links[0])).collect();
    seen.dedup();
    seen
}

fn kind(played: &Played) -> Option<Kind> {
    played.answers.as_ref().and_then(|answers| answers.errors.first()).map(caplink::Error::kind)
}

/// The names that the error reports: as left, and as preserved.
fn reported(played: &Played) -> [Vec<String>; 2] {
    let names = played.answers.as_ref().expect("no panic").reported();
    [names.left, names.preserved].map(|names| names.iter().map(|path| path.display().to_string()).collect())
}

fn text<'a>(played: &'a Played, dir: Object, name: &str) -> Option<&'a OsStr> {
    played.end.get(dir, OsStr::new(name)).and_then(|found| played.end.text(found))
}

#[test]
fn every_limit_is_documented() {
    let documented = include_str!("../../SECURITY.md");
    let tests = include_str!("limits.rs").split("#[test]\nfn ").skip(1).filter_map(|test| test.split('(').next());
    let undocumented: Vec<&str> = tests
        .filter(|test| !test.starts_with("every_limit") && !documented.contains(&format!("| `{test}` |")))
        .collect();
    assert_eq!(undocumented, [""; 0], "SECURITY.md");
}

fn without_exchange(verb: Verb) -> Scenario {
    Scenario { exchange: false, ..Scenario::new(verb, Layout::Private) }
}

#[test]
fn without_exchange_a_file_that_takes_the_name_before_the_renaming_is_replaced() {
    let actions: &[(Action, &[Call])] = &[(Action::NameFile, &[Call::RenameOver])];
    let (_, played) = play_at(without_exchange(Verb::Swap), actions);
    assert_eq!(seen(&played), [OLD, "File", NEW]);
    assert_eq!(kind(&played), None, "it succeeds");
}

#[test]
fn without_exchange_a_link_that_was_replaced_unseen_comes_not_back_with_the_older_one() {
    let actions: &[(Action, &[Call])] =
        &[(Action::NameLinkOther, &[Call::RenameOver]), (Action::ParentTwinEmpty, &[Call::ReachEntry])];
    let (scene, played) = play_at(without_exchange(Verb::EnsureOld), actions);
    assert_eq!(kind(&played), Some(Kind::ParentMoved));
    let link = played.end.get(scene.places.p, "l".as_ref()).and_then(|link| played.end.text(link));
    assert_eq!(link, Some(OLD.as_ref()), "in the directory that was moved away");
}

#[test]
fn without_exchange_and_second_names_a_replaced_link_is_not_put_back() {
    let scene = Scene::new(without_exchange(Verb::Swap));
    let quiet = play(&scene, &Schedule::default(), Keep::default());
    let calls = || quiet.calls.iter().enumerate();
    let at = calls().find(|(_, call)| **call == Call::HardLink).expect("a second name is asked for").0;
    let point = quiet.points.iter().position(|call| *call == Call::RenameOver).expect("it is replaced");
    let fault = Some(Fault { at, error: Errno::PERM, from_here: true });
    let schedule = Schedule { actions: vec![(point, Action::ParentMovedInside)], fault };
    let played = play(&scene, &schedule, Keep::default());
    assert_eq!(played.judge.violations, [""; 0]);
    assert_eq!(kind(&played), Some(Kind::ParentMoved));
    assert_eq!(text(&played, scene.places.p, "l"), Some(NEW.as_ref()), "in the directory that was moved away");
    assert_eq!(reported(&played), [vec!["q/p/l".to_owned()], vec![]]);
}

#[test]
fn readers_see_the_new_text_between_an_exchange_and_its_undoing() {
    let actions: &[(Action, &[Call])] = &[(Action::NameLinkOther, &[Call::Exchange])];
    let (_, played) = play_at(Scenario::new(Verb::Swap, Layout::Private), actions);
    assert_eq!(seen(&played), [OLD, "../t3", NEW, "../t3"]);
    assert_eq!(kind(&played), Some(Kind::Mismatch));
}

#[test]
fn a_name_that_is_removed_by_mistake_and_restored_is_absent_meanwhile() {
    let actions: &[(Action, &[Call])] = &[(Action::NameLinkOther, &[Call::RenameNew])];
    let (_, played) = play_at(Scenario::new(Verb::RemoveExpected, Layout::Private), actions);
    assert_eq!(seen(&played), [OLD, "../t3", "nothing", "../t3"]);
    assert_eq!(kind(&played), Some(Kind::Mismatch));
}

#[test]
fn an_old_link_is_kept_under_a_random_name_where_a_third_program_meets_the_undoing() {
    let actions: &[(Action, &[Call])] =
        &[(Action::NameLinkOther, &[Call::Exchange]), (Action::NameFile, &[Call::Exchange, Call::Exchange])];
    let (scene, played) = play_at(Scenario::new(Verb::Swap, Layout::Private), actions);
    assert_eq!(kind(&played), Some(Kind::Contended));
    let [left, preserved] = reported(&played);
    assert_eq!(left, [""; 0]);
    let name = preserved[0].strip_prefix("q/p/").expect("beside the link");
    assert_eq!(text(&played, scene.places.p, name), Some("../t3".as_ref()));
    assert_eq!(seen(&played).last().map(String::as_str), Some("File"), "what came last is under the name");
}

#[test]
fn links_that_a_third_program_exchanges_after_an_undone_exchange_are_exchanged_once_more_and_reported() {
    let actions: &[(Action, &[Call])] = &[
        (Action::ParentExchangedWithLinkInside, &[Call::ReachEntry]),
        (Action::SecondExchangedWithFirst, &[Call::Exchange, Call::Exchange, Call::StatAt]),
    ];
    let (scene, played) = play_at(Scenario::new(Verb::Exchange, Layout::Private), actions);
    assert_eq!(text(&played, scene.places.p, "l"), Some(OLD.as_ref()), "they had put the other one there");
    assert_eq!(reported(&played), [vec![], vec!["q/p/l".to_owned(), "q/p/m".to_owned()]]);
}

#[test]
fn a_link_is_outside_for_a_moment_where_its_directory_is_moved_out() {
    let actions: &[(Action, &[Call])] = &[(Action::ParentMovedOutside, &[Call::Symlink])];
    let (scene, played) = play_at(Scenario::new(Verb::Create, Layout::Private), actions);
    assert!(played.judge.reached_outside, "it was made there");
    assert_eq!(played.end.get(scene.places.p, OsStr::new("l")), None, "and taken back");
    assert_eq!((kind(&played), reported(&played)), (Some(Kind::ParentMoved), [vec![], vec![]]));
    let confined = Scene::new(Scenario { confined: true, ..Scenario::new(Verb::Create, Layout::Private) });
    let point = play(&confined, &Schedule::default(), Keep::default()).points;
    let at = point.iter().position(|call| *call == Call::Symlink).expect("it is made");
    let held =
        play(&confined, &Schedule { actions: vec![(at, Action::ParentMovedOutside)], fault: None }, Keep::default());
    assert!(!held.judge.reached_outside, "the kernel refuses it");
    assert_eq!(kind(&held), Some(Kind::ParentMoved));
}

#[test]
fn a_confined_executor_cannot_take_a_link_back_from_outside() {
    let scenario = Scenario { confined: true, ..Scenario::new(Verb::Create, Layout::Private) };
    let (_, played) = play_at(scenario, &[(Action::ParentMovedOutside, &[Call::ReachEntry])]);
    assert_eq!(kind(&played), Some(Kind::ParentMoved));
    assert_eq!(reported(&played), [vec!["q/p/l".to_owned()], vec![]]);
}

#[test]
fn an_empty_directory_that_takes_the_place_of_a_private_one_at_its_removal_is_removed() {
    let actions: &[(Action, &[Call])] =
        &[(Action::NameDir, &[Call::RemoveDir]), (Action::StagedExchangedWithName, &[Call::RemoveDir])];
    let (_, played) = play_at(Scenario::new(Verb::EnsureOld, Layout::NoState), actions);
    let removed = played.end.log().iter().filter(|change| change.step == Step::RemoveDir);
    let mut removed =
        removed.filter(|change| change.actor == Actor::Executor).filter_map(|change| change.slots[0].before);
    assert!(removed.any(|dir| played.end.node(dir).maker == Actor::Other));
}

#[test]
fn an_equal_link_of_the_same_user_is_taken_for_the_one_that_was_made() {
    let scenario = Scenario::new(Verb::Create, Layout::Private);
    let (_, played) = play_at(scenario, &[(Action::NameLinkNew, &[Call::StatAt])]);
    assert_eq!(kind(&played), None, "it succeeds");
    let link = played.judge.moments.last().and_then(|moment| moment.links[0].1);
    assert_eq!(link.map(|link| played.end.node(link).maker), Some(Actor::Other));
}

#[test]
fn whoever_can_lock_the_directory_makes_edits_busy() {
    let actions: &[(Action, &[Call])] = &[(Action::LockTaken, &[Call::TryLock])];
    let (_, played) = play_at(Scenario::new(Verb::Swap, Layout::Sticky), actions);
    assert_eq!(kind(&played), Some(Kind::Busy));
    assert_eq!(seen(&played), [OLD]);
}

#[test]
fn whoever_takes_the_state_directory_keeps_a_link_from_being_taken_back() {
    let actions: &[(Action, &[Call])] =
        &[(Action::ParentFile, &[Call::ReachEntry]), (Action::StateTaken, &[Call::MakeDir])];
    let (scene, played) = play_at(Scenario::new(Verb::Create, Layout::OpenRoot), actions);
    assert_eq!(text(&played, scene.places.p, "l"), Some(NEW.as_ref()));
    assert_eq!(reported(&played), [vec!["q/p/l".to_owned()], vec![]]);
}

#[test]
fn a_crash_during_a_backup_can_leave_the_new_link_under_the_name_of_the_backup() {
    let scene = Scene::new(Scenario::new(Verb::BackupFile, Layout::Private));
    let quiet = play(&scene, &Schedule::default(), Keep::trees_from(0));
    let before = quiet.points.iter().position(|call| *call == Call::Exchange).expect("they are exchanged");
    let crashed = quiet.trees[before].after_kill();
    let at = |name| crashed.get(scene.places.p, OsStr::new(name)).expect("both are there");
    assert_eq!(crashed.text(at("l.backup")), Some(NEW.as_ref()));
    assert_eq!(crashed.node(at("l")).kind, FileKind::File);
}

#[test]
fn a_file_that_others_put_at_the_name_of_a_backup_before_the_exchange_gets_the_name_of_the_link() {
    let scenario = Scenario::new(Verb::BackupFile, Layout::Open);
    let (scene, played) = play_at(scenario, &[(Action::StagedFile, &[Call::Exchange])]);
    let [one, two] =
        ["l", "l.backup"].map(|name| played.end.get(scene.places.p, OsStr::new(name)).expect("both are there"));
    let before = scene.tree.get(scene.places.p, OsStr::new("l"));
    assert_eq!((played.end.node(one).kind, before), (FileKind::File, Some(two)), "theirs, and what had the name");
    assert_eq!(kind(&played), Some(Kind::Contended));
    assert_eq!(reported(&played), [vec![], vec!["q/p/l.backup".to_owned()]]);
}

#[test]
fn a_link_that_others_put_at_the_name_of_a_backup_after_the_exchange_is_replaced_at_the_name_of_the_link() {
    let scenario = Scenario::new(Verb::BackupFile, Layout::Open);
    let (scene, played) = play_at(scenario, &[(Action::StagedLinkOther, &[Call::Exchange, Call::StatAt])]);
    assert_eq!(seen(&played), ["File", NEW, "../t3", NEW]);
    assert_eq!((kind(&played), played.end.get(scene.places.p, OsStr::new("l.backup"))), (None, None));
    let outcome = played.answers.as_ref().and_then(|answers| answers.changed(0)).expect("it succeeds");
    assert_eq!(outcome.previous.as_deref(), Some(OsStr::new("../t3")), "which is reported");
}

#[test]
fn where_a_server_gives_a_new_link_to_another_user_it_is_taken_for_theirs() {
    let scene = Scene::new(Scenario::new(Verb::Create, Layout::Private));
    let mut tree = Tree::clone(&scene.tree);
    tree.map_owners(65534);
    let played = play_on(&scene, tree, &Schedule::default(), Keep::default());
    assert_eq!(kind(&played), Some(Kind::Contended));
    assert_eq!(
        (text(&played, scene.places.p, "l"), reported(&played)),
        (Some(OsStr::new(NEW)), [vec![], vec![]]),
        "it stays"
    );
}
