//! What cannot be promised, each as the schedule that shows it. SECURITY.md says these in words.

use caplink::adversary::Call;
use caplink::{FileKind, Kind};

use crate::deeds::Deed;
use crate::run::{Keep, Played, Schedule, play};
use crate::scene::{Layout, NEW, OLD, Scenario, Scene, Verb};

/// Plays deeds, each before the call of this kind and number (from 0). No law may be broken but the one it is about.
fn play_at(scenario: Scenario, deeds: &[(Deed, Call, usize)]) -> (Scene, Played) {
    let scene = Scene::new(scenario);
    let mut schedule = Schedule::default();
    for (deed, call, nth) in deeds {
        let played = play(&scene, &schedule, Keep::default());
        let mut calls = played.points.iter().enumerate().filter(|(_, made)| *made == call).map(|(point, _)| point);
        let at = calls.nth(*nth).expect("the call is made so often");
        schedule.deeds.push((at, *deed));
    }
    let played = play(&scene, &schedule, Keep { trees_from: Some(0) });
    assert_eq!(played.judge.deeds, deeds.len(), "every deed has an effect");
    assert_eq!(played.judge.wrongs, [""; 0], "{:?}", played.answers);
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

fn without_exchange(verb: Verb) -> Scenario {
    Scenario { exchange: false, ..Scenario::new(verb, Layout::Private) }
}

#[test]
fn without_exchange_a_file_that_takes_the_name_before_the_renaming_is_replaced() {
    let deeds = [(Deed::NameFile, Call::RenameOver, 0)];
    let (_, played) = play_at(without_exchange(Verb::Swap), &deeds);
    assert_eq!(seen(&played), [OLD, "File", NEW]);
    assert_eq!(kind(&played), None, "it succeeds");
}

#[test]
fn without_exchange_a_link_that_was_replaced_unseen_comes_not_back_with_the_older_one() {
    let deeds = [(Deed::NameLinkOther, Call::RenameOver, 0), (Deed::ParentTwinEmpty, Call::ReachEntry, 0)];
    let (scene, played) = play_at(without_exchange(Verb::EnsureOld), &deeds);
    assert_eq!(kind(&played), Some(Kind::ParentMoved));
    let link = played.end.get(scene.p, "l".as_ref()).and_then(|link| played.end.text(link));
    assert_eq!(link, Some(OLD.as_ref()), "in the directory that was moved away");
}
