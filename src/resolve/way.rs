//! What is left of a walk: the components of the walked text and of the links that were gone through, each with its place.
//! Pure.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path};

use super::walk::Stop;
use crate::error::Kind;
use crate::model::Spelling;

/// A component that is still to be walked.
pub(super) enum What {
    Name(OsString),
    Parent,
    /// What was reached must be a directory; for a text that ends in `/.` one that may be searched.
    Directory {
        searched: bool,
    },
}

struct Step {
    what: What,
    spot: Spot,
}

/// Where a component stands.
#[derive(Clone, Copy, Default)]
struct Spot {
    /// The component of the walked text that it came from.
    origin: usize,
    /// The text it stands in: 0 is the walked one, each link that is gone through has the next.
    text: usize,
    /// Its place in that text.
    index: usize,
}

/// What is left of a walk.
pub(super) struct Way {
    /// The walked text, and those of the links that were gone through.
    texts: Vec<OsString>,
    /// The component that is being walked.
    now: Spot,
    /// What is left, the next one last.
    rest: Vec<Step>,
}

impl Way {
    /// A way along a text; [`lay`](Way::lay) comes next.
    pub(super) fn new(text: &OsStr) -> Way {
        Way { texts: vec![text.to_os_string()], now: Spot::default(), rest: Vec::new() }
    }

    /// Goes on along the text of the link that is the component now.
    pub(super) fn turn(&mut self, text: OsString) {
        self.texts.push(text);
        self.now = Spot { origin: self.now.origin, text: self.texts.len() - 1, index: 0 };
    }

    /// Puts the components of the last text in front of what is left; of an absolute one those below the root.
    pub(super) fn lay(&mut self, below_root: Option<&Path>) {
        let text = &self.texts[self.texts.len() - 1];
        let (spelling, path) = (Spelling::new(text), Path::new(text));
        let relative = below_root.unwrap_or(path);
        let whole = names(path).count();
        let (is_first, text) = (self.texts.len() == 1, self.texts.len() - 1);
        // The walked text names its components itself.
        let spot = |index| Spot { origin: if is_first { index } else { self.now.origin }, text, index };
        let skipped = whole.saturating_sub(names(relative).count());
        let first = self.rest.len();
        for (index, component) in names(relative).enumerate() {
            let what = match component {
                Component::ParentDir => What::Parent,
                other => What::Name(other.as_os_str().to_os_string()),
            };
            self.rest.push(Step { what, spot: spot(skipped + index) });
        }
        if spelling.wants_directory() {
            let what = What::Directory { searched: spelling.ends_within() };
            self.rest.push(Step { what, spot: spot(whole.saturating_sub(1)) });
        }
        self.rest[first..].reverse();
    }

    /// Takes the next component.
    pub(super) fn next(&mut self) -> Option<What> {
        let Step { what, spot } = self.rest.pop()?;
        self.now = spot;
        Some(what)
    }

    /// The component now is a `..` that is left to be judged by its spelling.
    pub(super) fn put_back_parent(&mut self) {
        self.rest.push(Step { what: What::Parent, spot: self.now });
    }

    /// A missing component, so many levels below the root: what is left is judged by spelling, and may still lead out,
    /// unless nothing is above the root.
    pub(super) fn missing(&self, mut depth: usize, is_top: bool, source: Option<io::Error>) -> Stop {
        for step in self.rest.iter().rev() {
            match step.what {
                What::Name(_) => depth += 1,
                What::Directory { .. } => {}
                What::Parent if depth == 0 && !is_top => return self.stop_at(Kind::Escape, step.spot, None),
                What::Parent => depth = depth.saturating_sub(1),
            }
        }
        self.stop(Kind::NotFound, source)
    }

    /// The walk stops at the component now.
    pub(super) fn stop(&self, kind: Kind, source: Option<io::Error>) -> Stop {
        self.stop_at(kind, self.now, source)
    }

    fn stop_at(&self, kind: Kind, spot: Spot, source: Option<io::Error>) -> Stop {
        let component = component(&self.texts[0], spot.origin);
        let via = (spot.text > 0).then(|| self.texts[spot.text].clone());
        let inner = via.as_ref().map(|text| (self::component(text, spot.index), spot.index));
        Stop { kind, component, index: spot.origin, via, inner: inner.map(Box::new), source }
    }
}

/// The components of a path, without `.` and, for an absolute one, with its beginning as the first.
fn names(path: &Path) -> impl Iterator<Item = Component<'_>> {
    path.components().filter(|component| *component != Component::CurDir)
}

/// The component of a text at this place; `.` where it has none.
fn component(text: &OsStr, index: usize) -> OsString {
    match names(Path::new(text)).nth(index) {
        Some(Component::RootDir) => "/".into(),
        Some(component) => component.as_os_str().to_os_string(),
        None => ".".into(),
    }
}
