//! What is locked while names are changed, and how long a lock is waited for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use caplink::adversary::{Call, Errno, Object, Subject, Tree, Watch, World};
use caplink::{Edit, Error, Kind, LinkPath, Outcome, Target};

use crate::scene::{Layout, Scenario, Scene, Verb};

/// Before a call: which of these directories are locked.
type Held = (Call, Vec<Object>);

struct Locks {
    of: Vec<Object>,
    asks: Subject,
    held: Arc<Mutex<Vec<Held>>>,
}

impl Watch for Locks {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        let mut is_held = |dir: &Object| {
            let free = tree.lock_as_stranger(self.asks, *dir) && tree.unlock_as_stranger(*dir);
            !free
        };
        let held = self.of.iter().copied().filter(|dir| is_held(dir)).collect();
        self.held.lock().unwrap().push((call, held));
        None
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

/// Exchanges two links of two directories of the caller's, and returns what is locked before each call.
fn exchange(links: [&str; 2]) -> (Scene, Vec<Held>) {
    let scene = Scene::new(Scenario::new(Verb::ExchangeAcross, Layout::Private));
    let world = World::new(Tree::clone(&scene.tree));
    let root = scene.scenario.root(&world);
    let held = Arc::new(Mutex::new(Vec::new()));
    world.watch(Box::new(Locks { of: vec![scene.places.p, scene.places.r], asks: scene.attacker, held: held.clone() }));
    let [a, b] = links.map(|link| LinkPath::new(link).unwrap());
    let _outcomes = root.apply(&Edit::exchange(a, b)).unwrap();
    drop(world.unwatch());
    let held = held.lock().unwrap().clone();
    (scene, held)
}

#[test]
fn both_directories_of_an_exchange_are_locked_while_it_is_made() {
    let (scene, held) = exchange(["q/p/l", "q/r/m"]);
    let at_exchange: Vec<&Held> = held.iter().filter(|(call, _)| *call == Call::Exchange).collect();
    assert_eq!(at_exchange, [&(Call::Exchange, vec![scene.places.p, scene.places.r])]);
}

/// Two exchanges of the same directories would wait for each other.
#[test]
fn the_locks_of_an_exchange_are_taken_in_one_order_whichever_link_comes_first() {
    let first = |links| {
        let (_, held) = exchange(links);
        held.into_iter().map(|(_, held)| held).find(|held| !held.is_empty()).unwrap()
    };
    let order = first(["q/p/l", "q/r/m"]);
    assert_eq!(order.len(), 1);
    assert_eq!(first(["q/r/m", "q/p/l"]), order);
}

/// A stranger's lock, and when it was tried to take it.
struct Stranger {
    dir: Object,
    tries: Arc<Mutex<Vec<Duration>>>,
    gives_back_before: Option<usize>,
}

impl Watch for Stranger {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        if call == Call::TryLock {
            let mut tries = self.tries.lock().unwrap();
            if Some(tries.len()) == self.gives_back_before {
                assert!(tree.unlock_as_stranger(self.dir));
            }
            tries.push(tree.clock());
        }
        None
    }

    fn after(&mut self, _: &mut Tree, _: Call, _: Result<(), Errno>) {}
}

/// Replaces a link in a directory that a stranger has locked, and returns when it was tried.
fn wait(gives_back_before: Option<usize>) -> (Result<Outcome, Error>, Vec<Duration>) {
    let scene = Scene::new(Scenario::new(Verb::EnsureOld, Layout::Private));
    let mut tree = Tree::clone(&scene.tree);
    assert!(tree.lock_as_stranger(scene.attacker, scene.places.p));
    let world = World::new(tree);
    let root = scene.scenario.root(&world);
    let tries = Arc::new(Mutex::new(Vec::new()));
    world.watch(Box::new(Stranger { dir: scene.places.p, tries: tries.clone(), gives_back_before }));
    let answer = root.ensure("q/p/l", Target::relative("q/t2"));
    drop(world.unwatch());
    let tries = tries.lock().unwrap().clone();
    (answer, tries)
}

#[test]
fn a_lock_that_is_given_back_within_a_second_is_waited_for() {
    for tries in [1, 2, 50, 200] {
        let (answer, made) = wait(Some(tries));
        let outcome = answer.unwrap();
        assert!(outcome.effect.is_change());
        assert_eq!(made.len(), tries + 1);
    }
}

#[test]
fn a_lock_that_is_kept_makes_the_edit_busy_after_a_second() {
    let (answer, tries) = wait(None);
    assert_eq!(answer.unwrap_err().kind(), Kind::Busy);
    let waited = *tries.last().unwrap();
    assert!((Duration::from_millis(1000)..Duration::from_millis(1005)).contains(&waited), "{waited:?}");
}

/// Most locks are held for less time than the first naps take; who waits longer shall not keep a processor busy.
#[test]
fn the_naps_are_short_at_first_and_then_long() {
    let (_, tries) = wait(None);
    let naps: Vec<u128> = tries.windows(2).map(|pair| (pair[1] - pair[0]).as_micros()).collect();
    assert_eq!(naps[0], 0, "once it is tried at once");
    let (short, longer) = naps[1..].split_at(32);
    assert!(short.iter().all(|nap| *nap == 100), "{short:?}");
    assert_eq!(longer[..8], [200, 400, 800, 1600, 3200, 4000, 4000, 4000]);
}
