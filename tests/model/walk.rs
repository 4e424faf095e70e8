//! Where a text leads, as the kernel would go, in the plainest way there is.

use super::world::{Names, Node, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Missing,
    Loop,
    Escape,
}

impl Stop {
    /// The kind of the error where a path is resolved.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Stop::Missing => "not_found",
            Stop::Loop => "loop",
            Stop::Escape => "escape",
        }
    }
}

/// A link that the world does not have yet, by its path.
pub(crate) type Overlay<'a> = &'a [(&'a [String], &'a str)];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Up,
    /// What was reached must be a directory.
    Dir,
}

/// The steps of a text, and whether they begin at the root; none where an absolute text does not lead into it.
fn steps(text: &str, root: &str) -> Option<(bool, Vec<Step>)> {
    let (absolute, text) = match text.strip_prefix('/') {
        None => (false, text.to_owned()),
        Some(_) => {
            let parts = |path: &str| -> Names {
                path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
            };
            let (given, root) = (parts(text), parts(root));
            if !given.starts_with(&root) {
                return None;
            }
            let tail = if text.ends_with('/') || text.ends_with("/.") { "/." } else { "" };
            (true, given[root.len()..].join("/") + tail)
        }
    };
    let mut steps: Vec<Step> = Vec::new();
    for part in text.split('/') {
        match part {
            "" => {}
            "." => steps.push(Step::Dir),
            ".." => steps.push(Step::Up),
            name => steps.push(Step::Name(name.to_owned())),
        }
    }
    if text.ends_with('/') {
        steps.push(Step::Dir);
    }
    Some((absolute, steps))
}

/// Walks from the directory `from`; `links` were gone through already. Returns the path and how many there were.
pub(crate) fn walk(
    world: &World,
    from: &[String],
    text: &str,
    links: usize,
    overlay: Overlay<'_>,
) -> (Result<Names, Stop>, usize) {
    let mut links = links;
    let mut at = from.to_vec();
    let Some((absolute, mut rest)) = steps(text, &world.root) else { return (Err(Stop::Escape), links) };
    if absolute {
        at.clear();
    }
    while !rest.is_empty() {
        // Nothing is below what is no directory: what is left is judged by its spelling. The way to the link itself is
        // one of directories, though some of them may be yet to be made.
        if !world.is_dir(&at) && !from.starts_with(&at) {
            return (Err(by_spelling(at.len(), &rest)), links);
        }
        match rest.remove(0) {
            Step::Dir => {}
            Step::Up => {
                if at.pop().is_none() {
                    return (Err(Stop::Escape), links);
                }
            }
            Step::Name(name) => {
                at.push(name);
                let laid = overlay.iter().find(|(path, _)| *path == at).map(|(_, text)| (*text).to_owned());
                let text = match (laid, world.get(&at)) {
                    (Some(text), _) => text,
                    (None, Some(Node::Link(text))) => text.clone(),
                    (None, Some(_)) => continue,
                    (None, None) if from.starts_with(&at) => continue,
                    (None, None) => return (Err(by_spelling(at.len(), &rest)), links),
                };
                at.pop();
                links += 1;
                if links > 40 {
                    return (Err(Stop::Loop), links);
                }
                let Some((absolute, mut steps)) = steps(&text, &world.root) else { return (Err(Stop::Escape), links) };
                if absolute {
                    at.clear();
                }
                steps.append(&mut rest);
                rest = steps;
            }
        }
    }
    // A directory that is yet to be made is not there.
    let end = if world.get(&at).is_some() { Ok(at) } else { Err(Stop::Missing) };
    (end, links)
}

fn by_spelling(mut depth: usize, rest: &[Step]) -> Stop {
    for step in rest {
        match step {
            Step::Name(_) => depth += 1,
            Step::Up if depth == 0 => return Stop::Escape,
            Step::Up => depth -= 1,
            Step::Dir => {}
        }
    }
    Stop::Missing
}
