//! What may be entered, switched to, rolled back to and settled.

use super::*;
use crate::error::{Error, Kind};

#[test]
fn the_name_of_a_release_is_one_plain_component() {
    for good in ["42", "2026-11-28_1", "v1.2", "größe", "-x", "a b"] {
        release_name(good).unwrap();
    }
    for bad in ["", ".", "..", ".x", "a/b", "a/", "./a", "/a", "a\nb", "a\u{9b}", &"x".repeat(256)] {
        assert!(release_name(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_release_is_entered_as_what_it_is() {
    let app = || App::with(&["41", "42"]).prepared("43");
    let file = Some(ReleaseDir::Other(FileKind::File));
    let link = Some(ReleaseDir::Other(FileKind::Symlink));
    let new = Some(ReleaseDir::Dir(id("44")));
    let kind = |kind: Kind| Err(kind);
    for (app, name, expected) in [
        (app().see("44", new.clone()), "44", Ok(Entering::Prepared)),
        (app(), "44", kind(Kind::NotFound)),
        (app().see("44", file), "44", kind(Kind::NotADirectory)),
        (app().see("44", link), "44", kind(Kind::NotADirectory)),
        (app().see("44", new.clone()).current(points("44")), "44", Ok(Entering::Active)),
        (App::with(&[]).see("44", new).current(points("44")), "44", Ok(Entering::Active)),
        (app(), "43", Ok(Entering::Unchanged)),
        (app(), "42", Ok(Entering::Unchanged)),
        (app(), "41", Ok(Entering::Unchanged)),
        (app().state("43", ReleaseState::Failed), "43", Ok(Entering::Unchanged)),
        (app().replaced("43"), "43", Ok(Entering::Prepared)),
        (app().replaced("43").state("43", ReleaseState::Failed), "43", Ok(Entering::Prepared)),
        (app().replaced("41").state("41", ReleaseState::Removed), "41", Ok(Entering::Prepared)),
        (app().replaced("43").current(points("43")), "43", Ok(Entering::Active)),
        (app().replaced("42"), "42", kind(Kind::ReplacedRelease)),
        (app().replaced("41"), "41", kind(Kind::ReplacedRelease)),
        (app().see("43", None), "43", kind(Kind::NotFound)),
        (app(), ".x", kind(Kind::InvalidPath)),
        (app(), "../x", kind(Kind::Escape)),
    ] {
        assert_eq!(plan_add(&app.ledger, &app.sight, name).map_err(|error| error.kind()), expected, "{name}");
    }
}

#[test]
fn the_link_is_switched_to_what_was_entered_and_is_still_that() {
    let app = || App::with(&["41", "42"]).prepared("43");
    let replace = |text: &str| Ok(Switching::Replace { expected: text.into() });
    let file = Some(ReleaseDir::Other(FileKind::File));
    for (app, name, expected) in [
        (app(), "43", replace("releases/42")),
        (app(), "41", replace("releases/42")),
        (app(), "42", Ok(Switching::Unchanged)),
        (app().open(), "42", Ok(Switching::Enter)),
        (app().current(points("43")), "43", Ok(Switching::Enter)),
        (app().current(points("41")), "42", replace("releases/41")),
        (app().current(Occupant::Missing), "43", Ok(Switching::Create)),
        (app().current(Occupant::Missing), "42", Ok(Switching::Create)),
        (app().current(leads(Pointing::Dangling)), "43", replace("text")),
        (app().current(leads(Pointing::Escape)), "43", replace("text")),
        (app().current(Occupant::Other(FileKind::Dir)), "43", Err(Kind::NotALink)),
        (app(), "44", Err(Kind::UnknownRelease)),
        (app().state("43", ReleaseState::Removed), "43", Err(Kind::UnknownRelease)),
        (app().replaced("43"), "43", Err(Kind::ReplacedRelease)),
        (app().see("43", None), "43", Err(Kind::NotFound)),
        (app().see("43", file), "43", Err(Kind::NotADirectory)),
        (app().bad("43"), "43", Err(Kind::BadRelease)),
        (app().replaced("43").bad("43"), "43", Err(Kind::ReplacedRelease)),
        (app().state("43", ReleaseState::Failed), "43", replace("releases/42")),
    ] {
        let planned = plan_switch(&app.ledger, &app.sight, name, None, false);
        assert_eq!(planned.map_err(|error| error.kind()), expected, "{name}");
    }
    let bad = app().bad("43");
    assert_eq!(
        plan_switch(&bad.ledger, &bad.sight, "43", None, true).unwrap(),
        replace("releases/42").unwrap_or_else(|kind: Kind| panic!("{kind}"))
    );
}

#[test]
fn a_switch_is_refused_where_the_link_leads_elsewhere_than_expected() {
    let app = || App::with(&["41", "42"]).prepared("43");
    let switch = |app: &App, expect| plan_switch(&app.ledger, &app.sight, "43", Some(expect), false);
    assert!(switch(&app(), "42").is_ok());
    for (app, expect) in [
        (app(), "41"),
        (app(), "99"),
        (app().current(Occupant::Missing), "42"),
        (app().current(Occupant::Other(FileKind::File)), "42"),
        (app().current(leads(Pointing::Elsewhere)), "42"),
    ] {
        let error = switch(&app, expect).unwrap_err();
        assert_eq!(error.kind(), Kind::Mismatch, "{expect}");
        assert!(error.found().is_some() && error.to_string().contains(expect), "{error}");
    }
    // What the ledger says does not count, but where the link leads.
    assert!(switch(&app().current(points("41")), "41").is_ok());
}

fn back(app: &App, to: Option<&str>) -> Result<String, Kind> {
    let kind = |error: Error| error.kind();
    plan_rollback(&app.ledger, &app.sight, to).map(|release| release.name.clone()).map_err(kind)
}

#[test]
fn rolling_back_goes_to_the_latest_good_release_that_was_active_before() {
    let app = || App::with(&["40", "41", "42", "43"]);
    let unconfirmed = |app: App, name: &str| app.change(name, |release| release.confirmed = false);
    for (app, expected) in [
        (app(), Ok("42")),
        (app().bad("42"), Ok("41")),
        (app().replaced("42"), Ok("41")),
        (app().see("42", None), Ok("41")),
        (unconfirmed(app(), "42"), Ok("41")),
        (app().state("42", ReleaseState::Removed), Ok("41")),
        (app().bad("42").bad("41").bad("40"), Err(Kind::NotFound)),
        // After one rollback the next goes further, also where what was left is not marked bad.
        (app().activated("42"), Ok("41")),
        (app().activated("42").activated("41"), Ok("40")),
        (app().activated("40"), Err(Kind::NotFound)),
        // It was prepared early and became active late.
        (App::with(&[]).prepared("50").prepared("51").activated("51").activated("50"), Ok("51")),
        (app().prepared("44"), Ok("42")),
        (App::with(&["40"]), Err(Kind::NotFound)),
        (App::with(&[]).prepared("40"), Err(Kind::NotFound)),
    ] {
        assert_eq!(back(&app, None), expected.map(str::to_owned));
    }
}

#[test]
fn an_activation_that_was_taken_back_does_not_count() {
    let mut app = App::with(&["40", "41"]).prepared("42").activated("42").activated("41");
    app.ledger.activations[2].withdrawn = true;
    let app = app.activated("42");
    // It became active after 41 for good.
    assert_eq!(back(&app, None).as_deref(), Ok("41"));
    let again = app.activated("41");
    assert_eq!(back(&again, None).as_deref(), Ok("40"));
}

#[test]
fn rolling_back_to_a_name_asks_for_a_good_one() {
    let app = || App::with(&["40", "41", "42"]).prepared("43");
    for (app, name, expected) in [
        (app(), "40", Ok("40")),
        (app(), "43", Ok("43")),
        (app(), "99", Err(Kind::UnknownRelease)),
        (app().bad("40"), "40", Err(Kind::BadRelease)),
        (app().replaced("40"), "40", Err(Kind::ReplacedRelease)),
        (app().see("40", None), "40", Err(Kind::NotFound)),
    ] {
        assert_eq!(back(&app, Some(name)), expected.map(str::to_owned), "{name}");
    }
}

#[test]
fn a_deploy_that_was_stopped_is_switched_back_unless_others_switched_meanwhile() {
    let app = || App::with(&["41"]).prepared("42").activated("42").open();
    let switch_back =
        |text: Option<&str>| Settling::SwitchBack { expected: "releases/42".into(), text: text.map(Into::into) };
    let settled = |app: App| settle(&app.ledger, &app.sight);
    assert_eq!(settled(app()), switch_back(Some("releases/41")));
    assert_eq!(settled(App::with(&["42"]).open()), switch_back(None));
    assert_eq!(settled(App::with(&["41", "42"])), Settling::Nothing);
    assert_eq!(settled(App::with(&[])), Settling::Nothing);
    for current in
        [points("41"), points("99"), leads(Pointing::Escape), Occupant::Missing, Occupant::Other(FileKind::File)]
    {
        assert_eq!(settled(app().current(current)), Settling::Leave);
    }
    let mut withdrawn = app();
    withdrawn.ledger.activations[1].withdrawn = true;
    assert_eq!(settled(withdrawn), Settling::Nothing);
}
