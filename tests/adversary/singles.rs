//! Every single deed before every call, in every scenario.

use crate::explore::singles;
use crate::sweep::{Group, sweep};

#[test]
fn one_deed_before_any_call_breaks_no_law() {
    sweep(Group::Deeds, |scene, _, findings| singles(scene, findings));
}
