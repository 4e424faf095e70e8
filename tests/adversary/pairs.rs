//! Pairs of deeds: the second before any call from the first one on.
//!
//! There are some seventy million. A run plays a part of them, or all.

use crate::explore::{firsts, seconds};
use crate::run::Schedule;
use crate::sweep::{Group, Part, sweep};

/// Of how many pairs one is played, where nothing else is asked for.
const ONE_OF: u64 = 800;

#[test]
fn two_deeds_before_any_calls_break_no_law() {
    sweep(Group::Pairs, |scene, draw, findings| {
        let part = Part::of(scene, ONE_OF);
        for first in firsts(scene) {
            if draw.one_of(part.firsts) {
                seconds(scene, findings, &Schedule { deeds: vec![first], fault: None }, draw, part);
            }
        }
    });
}
