//! Scenarios of every edit that can be built, on every kind of name that it can meet.

use std::sync::LazyLock;

use caplink::Edit;
use caplink::change::{Change, Fix};

use crate::scene::{LAYOUTS, Scenario, Verb};
use crate::support::scenario::{Built, Fate, GONE, NEW, OLD, OTHER, Occupant, STALE};
use crate::support::space::Space;

const TEXTS: [&str; 3] = [OLD, GONE, OTHER];

const SPACE: Space<'_> = Space {
    targets: &[("q/t2", false), ("q/gone", false), ("q/gone", true)],
    texts: &TEXTS,
    others: &[("q/p/m", false), ("q/r/m", true)],
};

/// The names, each with what can be under it. A staging directory is not among it: to the judge it is one of others.
const NAMES: [(&str, &[Occupant]); 3] = [
    (
        "q/p/l",
        &[
            Occupant::Nothing,
            Occupant::Link(OLD),
            Occupant::Link(NEW),
            Occupant::Link(GONE),
            Occupant::File,
            Occupant::Dir,
        ],
    ),
    ("q/n1/n2/l", &[Occupant::Nothing]),
    (STALE, &[Occupant::Nothing, Occupant::Link(OLD)]),
];

/// The edits of each name.
static EDITS: LazyLock<[Vec<Edit>; 3]> = LazyLock::new(|| NAMES.map(|(name, _)| SPACE.edits(name)));

/// The edit that a scenario is about.
pub(crate) fn edit(built: Built) -> Edit {
    let name = NAMES.iter().position(|(name, _)| *name == built.links[0]).expect("a drawn edit has one of these names");
    EDITS[name][built.edit].clone()
}

/// Every edit with everything that it can meet, in every layout, with each of the four sets of abilities.
pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for ((name, occupants), edits) in NAMES.into_iter().zip(&*EDITS) {
        for (number, edit) in edits.iter().enumerate() {
            for found in occupants {
                let verb = Verb::Built(built(name, number, edit, *found));
                for layout in LAYOUTS {
                    for (exchange, no_replace) in [(true, true), (true, false), (false, true), (false, false)] {
                        all.push(Scenario { exchange, no_replace, ..Scenario::new(verb, layout) });
                    }
                }
            }
        }
    }
    all
}

fn built(name: &'static str, number: usize, edit: &Edit, found: Occupant) -> Built {
    let change = edit.change();
    let fate = match change {
        Change::Remove(_) | Change::RemoveStale(_) => Fate::Removed,
        Change::Repair(repair) if repair.fix == Fix::RemoveDangling => Fate::Removed,
        _ if found == Occupant::Nothing => Fate::Created,
        _ => Fate::Replaced,
    };
    let links: &[&str] = match (name, change) {
        ("q/p/l", Change::Exchange(exchange)) if exchange.with.as_path().starts_with("q/p") => &["q/p/l", "q/p/m"],
        ("q/p/l", Change::Exchange(_)) => &["q/p/l", "q/r/m"],
        ("q/n1/n2/l", Change::Exchange(exchange)) if exchange.with.as_path().starts_with("q/p") => {
            &["q/n1/n2/l", "q/p/m"]
        }
        ("q/n1/n2/l", Change::Exchange(_)) => &["q/n1/n2/l", "q/r/m"],
        (_, Change::Exchange(exchange)) if exchange.with.as_path().starts_with("q/p") => &[STALE, "q/p/m"],
        (_, Change::Exchange(_)) => &[STALE, "q/r/m"],
        ("q/p/l", _) => &["q/p/l"],
        ("q/n1/n2/l", _) => &["q/n1/n2/l"],
        _ => &[STALE],
    };
    let expects = change.expected_text().and_then(|text| TEXTS.into_iter().find(|known| text == *known));
    let (backs_up, parents) = match change {
        Change::Create(create) => (false, create.parents),
        Change::Ensure(ensure) => (ensure.backup, ensure.parents),
        _ => (false, false),
    };
    Built { edit: number, links, found, fate, expects, backs_up, parents }
}
