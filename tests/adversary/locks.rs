//! What is locked while names are changed.

use std::sync::{Arc, Mutex};

use caplink::adversary::{Call, Errno, Object, Subject, Tree, Watch, World};
use caplink::{Exchange, LinkPath};

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

/// Trades two links of two directories of the caller's, and tells what is locked before each call.
fn trade(links: [&str; 2]) -> (Scene, Vec<Held>) {
    let scene = Scene::new(Scenario::new(Verb::ExchangeAcross, Layout::Private));
    let world = World::new(scene.tree.clone());
    let root = scene.scenario.root(&world);
    let held = Arc::new(Mutex::new(Vec::new()));
    world.watch(Box::new(Locks { of: vec![scene.p, scene.r], asks: scene.foe, held: held.clone() }));
    let [a, b] = links.map(|link| LinkPath::new(link).unwrap());
    let _outcomes = root.apply_exchange(&Exchange::new(a, b)).unwrap();
    drop(world.unwatch());
    let held = held.lock().unwrap().clone();
    (scene, held)
}

#[test]
fn both_directories_of_a_trade_are_locked_while_it_is_made() {
    let (scene, held) = trade(["q/p/l", "q/r/m"]);
    let at_trade: Vec<&Held> = held.iter().filter(|(call, _)| *call == Call::Exchange).collect();
    assert_eq!(at_trade, [&(Call::Exchange, vec![scene.p, scene.r])]);
}

/// Two trades of the same directories would wait for each other.
#[test]
fn the_locks_of_a_trade_are_taken_in_one_order_however_the_links_are_told() {
    let first = |links| {
        let (_, held) = trade(links);
        held.into_iter().map(|(_, held)| held).find(|held| !held.is_empty()).unwrap()
    };
    let order = first(["q/p/l", "q/r/m"]);
    assert_eq!(order.len(), 1);
    assert_eq!(first(["q/r/m", "q/p/l"]), order);
}
