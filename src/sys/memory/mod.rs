//! The calls on a file system in memory, for tests that decide what happens between two of them.
//!
//! [`Tree`] is the file system: directories, links and other kinds, with owners, modes, hard links and inode numbers
//! that are given to the next object as soon as neither a name nor a descriptor holds them, as ext4 does. [`World`]
//! shares a tree with whoever has a descriptor in it; a [`Watch`] sees every call before and after it is made, can
//! change the tree in between, and can make the call fail.
//!
//! # What survives a crash
//!
//! Every change of names is one record of a log: a rename or an exchange is one, whatever directories it touches. A
//! sync of a directory makes the records that touch it durable, and with them the earlier ones on the same name or
//! object; a sync of the file system makes all durable. Of the others any set survives that a journal can leave: with
//! a record survive the earlier ones on the same name or object, and those that made the directories it is about; the
//! removal of a directory comes after everything in it. That a directory was synced says nothing of its own name in
//! its parent. A killed process loses nothing but its descriptors and locks.
//!
//! # What it is not
//!
//! Files have no content, the only groups are users of the same number, there is one mount but for directories that
//! are given another device, and a call is one step: what the kernel does in several (a walk over components) cannot be
//! interrupted.

#![expect(missing_docs, reason = "for tests: no part of the public face")]

#[cfg(test)]
mod acting;
mod calls;
mod change;
mod confine;
mod crash;
mod tree;
mod world;

#[cfg(test)]
pub(crate) use acting::acting;
pub(crate) use calls::Memory;
pub use change::{Change, Slot, Step};
pub(crate) use confine::Rules;
pub use crash::Image;
pub use rustix::io::Errno;
pub use tree::{Actor, Body, Name, Node, Object, Subject, Tree};
pub(crate) use world::Pin;
pub use world::{Call, Watch, World};

#[cfg(all(test, target_os = "linux"))]
mod tests;
