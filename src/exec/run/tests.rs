//! The calls of one edit.

use super::*;
use crate::exec::tests::{LINKS, OLD, path, root, tree, watch};
use crate::model::Target;
use crate::sys::memory::{Call, World};

#[test]
fn a_link_that_is_as_it_should_be_is_found_through_a_directory_opened_for_lookups() {
    let cannot_be_read = 0o311;
    let world = World::new(tree(cannot_be_read, &LINKS));
    let root = root(&world, false);
    let seen = watch(&world, None);
    let edit: Edit = Edit::ensure(path("a"), Target::verbatim(OLD)).unjudged(true).into();
    assert_eq!(root.apply(&edit).unwrap().effect, Effect::Unchanged);
    drop(world.unwatch());
    assert_eq!(*seen.lock().unwrap(), [Call::OpenDir, Call::ReadLink]);
}
