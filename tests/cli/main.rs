//! The compiled program, from outside: exit codes, JSON, text, and what is on disk afterwards.

#![cfg(all(unix, feature = "cli"))]

mod adopting;
mod arguments;
mod batching;
mod changing;
mod completing;
mod describing;
mod doctor;
mod excluding;
mod faults;
mod foreseeing;
#[cfg(target_os = "linux")]
mod manifest_memory;
mod manifests;
mod memory;
mod metrics;
mod monitoring;
mod mounts;
mod openmetrics;
mod permissions;
mod planning;
mod readings;
mod rebasing;
#[cfg(target_os = "linux")]
mod release_checks;
#[cfg(target_os = "linux")]
mod release_pruning;
#[cfg(target_os = "linux")]
mod release_stops;
mod releasing;
mod removing;
mod repairing;
mod resolving;
mod scan;
mod scan_formats;
mod scan_page;
mod stopped;
mod support;
#[cfg(target_os = "linux")]
mod taking_over;
mod targets;
mod transcripts;
mod unlockable;
mod unwritten;
mod waiting;
#[cfg(target_os = "linux")]
mod watching;
#[cfg(target_os = "linux")]
mod watching_limits;
#[cfg(target_os = "linux")]
mod watching_metrics;
mod ways_out;
mod writes;
