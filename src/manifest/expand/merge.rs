//! Every link of a manifest together: a `[[link]]` wins over a `[[tree]]`, and nothing else may be declared twice.

use std::cmp::Ordering;

use super::super::check::{Claim, Role, clashes};
use super::super::parse::{Manifest, clash_message};
use super::{Expanded, Overridden};
use crate::plan::{Declared, Position, Unwanted, tree_order};

pub(super) struct Merged {
    pub(super) expanded: Expanded,
    pub(super) clashes: Vec<(Position, String)>,
}

pub(super) fn merge(
    manifest: &Manifest,
    (mut links, mut unwanted): (Vec<Declared>, Vec<Unwanted>),
    from_trees: Vec<Declared>,
    from_each: Vec<Declared>,
) -> Merged {
    let by_link = |a: &Declared, b: &Declared| tree_order(a.link.as_path(), b.link.as_path());
    links.sort_by(by_link);
    unwanted.sort_by(|a, b| tree_order(a.link.as_path(), b.link.as_path()));
    if from_trees.is_empty() && from_each.is_empty() {
        // All of it was compared when it was read.
        let expanded = Expanded { links, unwanted, overridden: Vec::new() };
        return Merged { expanded, clashes: Vec::new() };
    }
    let (mut kept, mut overridden) = (Vec::new(), Vec::new());
    for made in from_trees {
        match links.binary_search_by(|link| by_link(link, &made)) {
            Ok(index) => overridden.push(Overridden { link: made.link, tree: made.at, by: links[index].at }),
            Err(_) => kept.push(made),
        }
    }
    overridden.sort_by(order);
    links.extend(kept);
    links.extend(from_each);
    links.sort_by(|a, b| by_link(a, b).then(a.at.cmp(&b.at)));
    let claims = links.iter().map(|link| Claim { path: link.link.as_path(), role: Role::Link, at: link.at });
    let absent = unwanted.iter().map(|link| Claim { path: link.link.as_path(), role: Role::Absent, at: link.at });
    let current = manifest
        .apps()
        .values()
        .filter_map(|app| Some(Claim { path: app.current.as_ref()?.as_path(), role: Role::Link, at: app.at }));
    let clashes = clashes(claims.chain(absent).chain(current).collect());
    let clashes = clashes.iter().map(|clash| (clash.later.at, clash_message(clash))).collect();
    Merged { expanded: Expanded { links, unwanted, overridden }, clashes }
}

fn order(a: &Overridden, b: &Overridden) -> Ordering {
    tree_order(a.link.as_path(), b.link.as_path()).then(a.tree.cmp(&b.tree))
}
