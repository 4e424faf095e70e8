//! Links that were told a moment ago: each is told again no sooner than after a gap, and then as it is. Pure.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Links that were told less than the gap ago, and whether something happened to them since.
#[derive(Debug)]
pub(super) struct Held {
    gap: Duration,
    changed: HashMap<Arc<Path>, bool>,
    /// In the order in which they end, since the gap is always the same.
    order: VecDeque<(Instant, Arc<Path>)>,
}

impl Held {
    pub(super) fn new(gap: Duration) -> Held {
        Held { gap, changed: HashMap::new(), order: VecDeque::new() }
    }

    /// Holds a link that is told now.
    pub(super) fn hold(&mut self, link: Arc<Path>, now: Instant) {
        self.changed.insert(Arc::clone(&link), false);
        self.order.push_back((now + self.gap, link));
    }

    /// Whether a link is held; then it is to be looked at when it is released.
    pub(super) fn note(&mut self, link: &Path) -> bool {
        self.changed.get_mut(link).map(|changed| *changed = true).is_some()
    }

    /// When the next link is released.
    pub(super) fn next(&self) -> Option<Instant> {
        self.order.front().map(|(until, _)| *until)
    }

    /// Releases those whose time has passed, and hands out the ones that something happened to.
    pub(super) fn release(&mut self, now: Instant, mut changed: impl FnMut(Arc<Path>)) {
        while self.next().is_some_and(|until| until <= now) {
            let Some((_, link)) = self.order.pop_front() else { return };
            if self.changed.remove(&link) == Some(true) {
                changed(link);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_a_held_link_comes_when_it_is_released() {
        let (start, gap) = (Instant::now(), Duration::from_millis(100));
        let mut held = Held::new(gap);
        let (a, b): (Arc<Path>, Arc<Path>) = (Path::new("a").into(), Path::new("b").into());
        held.hold(Arc::clone(&a), start);
        held.hold(Arc::clone(&b), start + gap / 2);
        assert!(held.note(&a) && held.note(&a) && !held.note(Path::new("c")));
        let mut released = Vec::new();
        held.release(start + gap - Duration::from_nanos(1), |link| released.push(link));
        assert!(released.is_empty());
        held.release(start + gap, |link| released.push(link));
        assert_eq!(released, [a]);
        assert_eq!(held.next(), Some(start + gap / 2 + gap));
        held.release(start + gap * 2, |link| released.push(link));
        assert_eq!((released.len(), held.next()), (1, None), "nothing happened to the other");
    }
}
