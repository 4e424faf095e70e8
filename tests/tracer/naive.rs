//! The same adversary against `ln`: what the laws are worth shows where they are broken.

use std::ffi::OsString;

use caplink::{Effect, Kind};

use crate::answer::Answer;
use crate::findings::Findings;
use crate::play::{Played, Schedule, play_command};
use crate::scene::{HOSTS, Layout, NEW, OLD, Scenario, Scene, Verb, is_about};
use crate::skipped;
use crate::support::action::Action;
use crate::support::report::{Item, Report};

const SCENARIO: Scenario = Scenario { verb: Verb::EnsureOld, host: HOSTS[1], layout: Layout::Private };

/// `ln -sfn`, and what `ln -sfn` is where it has no renaming.
fn commands(scene: &Scene) -> [(&'static str, Vec<OsString>); 2] {
    let link = scene.base().join("q/p/l").into_os_string();
    let script = "rm -f \"$1\" && ln -s \"$0\" \"$1\"";
    [
        ("ln -sfn", vec!["ln".into(), "-sfn".into(), NEW.into(), link.clone()]),
        ("rm, ln -s", vec!["sh".into(), "-c".into(), script.into(), NEW.into(), link]),
    ]
}

/// Plays a schedule, and takes a success for the claim that the link was replaced.
fn judged(which: usize, schedule: &Schedule) -> Played {
    let scene = Scene::new(SCENARIO);
    let command = commands(&scene)[which].1.clone();
    let mut played = play_command(scene, &command, schedule);
    played.ledger.violations.retain(|wrong| !wrong.starts_with("no_panic"));
    if let Some(code) = played.end.code {
        let item = Item {
            index: Some(0),
            link: "q/p/l".into(),
            effect: Effect::Replaced,
            target: Some(NEW.into()),
            previous: Some(OLD.into()),
            verified: true,
            confined: false,
        };
        let (code, report) = match code {
            0 => (0, Report { items: vec![item], ..Report::default() }),
            _ => (10, Report { kinds: vec![Kind::Permission], ..Report::default() }),
        };
        played.answer = Some(Answer { code, changed: code == 0, refused: code != 0, report });
    }
    played.judge();
    played
}

/// What a handful of actions comes to before each call that names the link or its directory.
fn broken(which: usize) -> Findings {
    const FEW: &[Action] = &[
        Action::NameFile,
        Action::NameExchangedWithDir,
        Action::NameLinkOther,
        Action::NameRemoved,
        Action::ParentExchangedWithLinkOutside,
        Action::GrandExchangedWithLink,
    ];
    let mut findings = Findings::default();
    let quiet = judged(which, &Schedule::default());
    let base = quiet.scene.base();
    for (point, call) in quiet.points.iter().enumerate() {
        if call.texts.iter().any(|text| is_about(text, &base)) {
            for action in FEW {
                let schedule = Schedule { actions: vec![(point, *action)], ..Schedule::default() };
                findings.note(SCENARIO, &schedule, &judged(which, &schedule));
            }
        }
    }
    findings
}

#[test]
fn the_laws_are_broken_by_a_replacement_that_follows_paths() {
    if skipped("a replacement that follows paths") {
        return;
    }
    let findings = broken(0);
    findings.print("ln -sfn");
    let laws = findings.laws();
    for law in ["nothing_outside", "only_links", "a_success_is_true"] {
        assert!(laws.contains(&law), "`ln` keeps {law}: {laws:?}");
    }
}

#[test]
fn the_laws_are_broken_by_a_removal_and_a_creation() {
    if skipped("a removal and a creation") {
        return;
    }
    let findings = broken(1);
    findings.print("rm, ln -s");
    let laws = findings.laws();
    for law in ["nothing_outside", "only_links", "never_absent", "a_success_is_true"] {
        assert!(laws.contains(&law), "`rm` and `ln` keep {law}: {laws:?}");
    }
}
