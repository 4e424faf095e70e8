//! Every single action before every call, in every scenario.

use crate::explore::{Findings, firsts};
use crate::linear::Orders;
use crate::run::{Keep, Schedule, play};
use crate::scene::Scene;
use crate::sweep::{Group, of_singles, sweep};

/// No action, and every single action before every call.
fn singles(scene: &Scene, findings: &mut Findings, mut choose: impl FnMut() -> bool) {
    let none = Schedule::default();
    let quiet = play(scene, &none, Keep::default());
    findings.note(scene, &none, &quiet);
    let mut orders = (!scene.scenario.is_plan()).then(|| Orders::of(scene, &quiet));
    for (point, action) in firsts(scene).into_iter().filter(|_| choose()) {
        let schedule = Schedule { actions: vec![(point, action)], fault: None };
        let mut played = play(scene, &schedule, Keep::default());
        if let Some(orders) = &mut orders {
            orders.hold(action, &mut played);
        }
        findings.note(scene, &schedule, &played);
    }
}

#[test]
fn one_action_before_any_call_breaks_no_law() {
    sweep(Group::Actions, |scene, draw, findings| {
        let one_of = of_singles(scene);
        singles(scene, findings, || draw.one_of(one_of));
    });
}
