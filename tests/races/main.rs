//! Attackers that change the tree while it is edited: the races (`r_`) that are known by name.
//!
//! An attacker is a thread or a process that does one thing as often as it can. Each race also runs against the same
//! done with plain paths, and must succeed there: an attack that never works proves nothing. What was refused, begun
//! anew and let through is counted; where something is owed to be refused and something to succeed, a race goes on until
//! both occurred, and fails when its time is over.
//!
//! `CAPLINK_ROUNDS=full` runs every race at full size: 20,000 rounds with everything that this kernel can do and 1,000 on
//! each weaker backend, 10,000 switches before the eyes of readers, 1,000 rounds of contenders. That takes some minutes.
//! Without it a tenth is run, and a fiftieth under Landlock and on each other file system that root can mount.

#![cfg(target_os = "linux")]

mod arena;
mod attacker;
mod confined;
mod file_systems;
mod final_flip;
mod hygiene;
mod locks;
mod parent_flip;
mod readers;
mod releases;
mod rename_walk;
mod repairs;
#[path = "../attacks/rows.rs"]
mod rows;
#[path = "../attacks/site.rs"]
mod site;
#[path = "../attacks/snapshot.rs"]
mod snapshot;
#[path = "../attacks/table.rs"]
mod table;
mod tally;
mod winners;
