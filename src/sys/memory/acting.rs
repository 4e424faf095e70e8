//! Somebody who acts before one call, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use super::tree::Tree;
use super::world::{Call, Watch, World};
use rustix::io::Errno;

/// Keeps the names of the calls, and acts before one of them.
struct Acting<A> {
    seen: Arc<Mutex<Vec<Call>>>,
    act: Option<(usize, A)>,
}

impl<A: FnMut(&mut Tree) + Send> Watch for Acting<A> {
    fn before(&mut self, tree: &mut Tree, call: Call) -> Option<Errno> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, act)) = &mut self.act
            && *at == seen.len()
        {
            act(tree);
        }
        seen.push(call);
        None
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: Result<(), Errno>) {}
}

/// Keeps the names of the calls from now on, and acts before the one of this number.
pub(crate) fn acting<A>(world: &World, act: Option<(usize, A)>) -> Arc<Mutex<Vec<Call>>>
where
    A: FnMut(&mut Tree) + Send + 'static,
{
    let seen = Arc::default();
    world.watch(Box::new(Acting { seen: Arc::clone(&seen), act }));
    seen
}
