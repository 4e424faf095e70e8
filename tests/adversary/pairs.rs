//! Pairs of deeds: the second before any call from the first one on.
//!
//! There are some seventy million. A run plays a part of them, or all.

use crate::explore::{firsts, pairs};
use crate::sweep::{Group, one_of, sweep};

/// Of how many pairs one is played, where nothing else is asked for.
const ONE_OF: u64 = 400;

/// Of how many first deeds one is followed by others, at most: what can come after one takes time to find out.
const FIRSTS: u64 = 20;

#[test]
fn two_deeds_before_any_calls_break_no_law() {
    let one_of = one_of(ONE_OF);
    let of_firsts = one_of.min(FIRSTS);
    sweep(Group::Pairs, |scene, draw, findings| {
        for first in firsts(scene) {
            if draw.one_of(of_firsts) {
                pairs(scene, findings, first, || draw.one_of(one_of / of_firsts));
            }
        }
    });
}
