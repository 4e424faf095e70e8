//! Every single deed before every call, in every scenario.

use crate::explore::{Findings, singles};
use crate::scene::{Scenario, Scene};

#[test]
fn one_deed_before_any_call_breaks_no_law() {
    let mut findings = Findings::default();
    for scenario in Scenario::all() {
        singles(&Scene::new(scenario), &mut findings);
    }
    println!("{} schedules of one deed", findings.schedules);
    findings.assert_none();
}
