//! Links that cannot be declared together: one twice, and one below another.

use std::path::Path;

use crate::plan::{Position, tree_order};

/// What a path is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A link is made there.
    Link,
    /// No link shall be there: a directory can be.
    Absent,
}

/// One path that is spoken for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'c> {
    pub(super) path: &'c Path,
    pub(super) role: Role,
    pub(super) at: Position,
}

/// Two claims that exclude each other, the later one of the text first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clash<'c> {
    pub(super) later: Claim<'c>,
    pub(super) first: Claim<'c>,
    pub(super) what: Clashing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clashing {
    /// Both are the same link.
    Twice,
    /// The later one is below the first.
    Below,
    /// The later one is above the first.
    Above,
}

/// Finds what clashes, in the order of the tree; each claim at most once.
pub(super) fn clashes<'c>(mut claims: Vec<Claim<'c>>) -> Vec<Clash<'c>> {
    claims.sort_by(|a, b| tree_order(a.path, b.path).then(a.at.cmp(&b.at)));
    let mut clashes = Vec::new();
    // The links on the way down to the present one.
    let mut above: Vec<Claim<'c>> = Vec::new();
    let mut before: Option<Claim<'c>> = None;
    for claim in claims {
        while above.last().is_some_and(|link| !is_below(claim.path, link.path)) {
            above.pop();
        }
        if let Some(first) = before.filter(|before| before.path == claim.path) {
            clashes.push(Clash { later: claim, first, what: Clashing::Twice });
            continue;
        }
        if let Some(link) = above.last() {
            clashes.push(match link.at <= claim.at {
                true => Clash { later: claim, first: *link, what: Clashing::Below },
                false => Clash { later: *link, first: claim, what: Clashing::Above },
            });
        }
        before = Some(claim);
        if claim.role == Role::Link {
            above.push(claim);
        }
    }
    clashes
}

/// Whether a normal path is below another.
fn is_below(path: &Path, above: &Path) -> bool {
    let (path, above) = (path.as_os_str().as_encoded_bytes(), above.as_os_str().as_encoded_bytes());
    path.len() > above.len() && path.starts_with(above) && path[above.len()] == b'/'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(paths: &[(&str, Role)]) -> Vec<(Clashing, String, String)> {
        let claims = paths.iter().zip(1..).map(|((path, role), line)| Claim {
            path: Path::new(path),
            role: *role,
            at: Position { line, column: 1 },
        });
        let shown = |claim: Claim<'_>| claim.path.display().to_string();
        clashes(claims.collect()).iter().map(|clash| (clash.what, shown(clash.later), shown(clash.first))).collect()
    }

    #[test]
    fn the_order_is_that_of_a_walk() {
        let mut paths = ["a-b", "a", "a/b/c", "a/b", "a.c", "b", "a/b-"].map(Path::new);
        paths.sort_by(|a, b| tree_order(a, b));
        assert_eq!(paths, ["a", "a/b", "a/b/c", "a/b-", "a-b", "a.c", "b"].map(Path::new));
    }

    #[test]
    fn a_path_twice_and_one_below_a_link_clash() {
        use Clashing::{Above, Below, Twice};
        use Role::{Absent, Link};
        let found = |what, later: &str, first: &str| vec![(what, later.to_owned(), first.to_owned())];
        assert_eq!(clash(&[("a", Link), ("b", Link), ("a", Link)]), found(Twice, "a", "a"));
        assert_eq!(clash(&[("a", Link), ("a", Absent)]), found(Twice, "a", "a"));
        assert_eq!(clash(&[("a", Link), ("a-b", Link), ("a/b/c", Link)]), found(Below, "a/b/c", "a"));
        assert_eq!(clash(&[("a/b/c", Link), ("a", Link)]), found(Above, "a", "a/b/c"));
        assert_eq!(clash(&[("a", Link), ("a/b", Absent)]), found(Below, "a/b", "a"));
        // What shall be no link can be a directory.
        assert_eq!(clash(&[("a", Absent), ("a/b", Link)]), []);
        assert_eq!(clash(&[("ab", Link), ("a", Link), ("a.b/c", Link), ("abc", Link)]), []);
    }
}
