//! The directories above one, as a list that all below it share.

use std::sync::Arc;

use crate::model::ObjectId;

/// The directories above one, the nearest first.
#[derive(Clone, Default)]
pub(super) struct Above(Option<Arc<Node>>);

struct Node {
    id: ObjectId,
    above: Above,
}

impl Above {
    /// The directories above what is in this one.
    pub(super) fn below(&self, id: ObjectId) -> Above {
        Above(Some(Arc::new(Node { id, above: self.clone() })))
    }

    pub(super) fn contains(&self, id: ObjectId) -> bool {
        let mut at = &self.0;
        while let Some(node) = at {
            if node.id == id {
                return true;
            }
            at = &node.above.0;
        }
        false
    }
}

impl Drop for Above {
    /// One after the other: the list is as long as the tree is deep, and the stack is not.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(node) = next {
            next = Arc::into_inner(node).and_then(|mut node| node.above.0.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_dropped_without_a_deep_stack() {
        let id = |inode| ObjectId { device: 1, inode };
        let first = Above::default().below(id(0));
        let last = (1..1_000_000).fold(first.clone(), |above, inode| above.below(id(inode)));
        assert!(last.contains(id(0)) && !last.contains(id(1_000_000)) && !first.contains(id(1)));
        drop(last);
        assert!(first.contains(id(0)));
    }
}
