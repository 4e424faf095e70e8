//! Every single deed before every call, in every scenario.

use crate::explore::singles;
use crate::sweep::{Group, of_singles, sweep};

#[test]
fn one_deed_before_any_call_breaks_no_law() {
    sweep(Group::Deeds, |scene, draw, findings| {
        let one_of = of_singles(scene);
        singles(scene, findings, || draw.one_of(one_of));
    });
}
