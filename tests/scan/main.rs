//! The scan: what it says of every sort of link, of every sort of tree, and of trees that change under it.
#![cfg(target_os = "linux")]

mod bounds;
mod churn;
mod differential;
mod moved;
mod repair;
mod rooted;
mod statuses;
mod tree;
mod walk;

#[path = "../support"]
mod support {
    pub(crate) mod cap_ground;
    pub(crate) mod umask;
}
