//! Every call failing with each error that it can give, once and from there on; alone, and with an action before any call.

use caplink::adversary::{Call, Errno};

use crate::explore::seconds;
use crate::run::{Fault, Keep, Schedule, play};
use crate::scene::Scene;
use crate::sweep::{Group, Part, of_singles, sweep};

/// Of how many actions beside a fault one is played, where nothing else is asked for.
const ONE_OF: u64 = 4000;

/// What every lookup can answer.
const LOOKUP: [Errno; 10] = {
    use Errno as E;
    [E::ACCESS, E::IO, E::MFILE, E::NFILE, E::NOMEM, E::INTR, E::AGAIN, E::STALE, E::NOENT, E::NOTDIR]
};

/// What every change of a name can answer.
const CHANGE: [Errno; 6] = [Errno::ACCESS, Errno::PERM, Errno::IO, Errno::ROFS, Errno::STALE, Errno::NOENT];

/// What a change can answer that makes a name.
const FULL: [Errno; 2] = [Errno::NOSPC, Errno::DQUOT];

/// What a call can answer instead of doing its work.
fn errors(call: Call) -> Vec<Errno> {
    use Errno as E;
    let renaming = [&CHANGE[..], &FULL, &[E::BUSY, E::NOMEM, E::XDEV, E::INVAL, E::NOSYS]].concat();
    match call {
        Call::OpenDir | Call::Reach => [&LOOKUP[..], &[E::LOOP, E::XDEV]].concat(),
        Call::ReachEntry | Call::Pin => LOOKUP.to_vec(),
        Call::Stat => vec![E::IO, E::NOMEM, E::STALE],
        Call::StatAt | Call::ReadLink => vec![E::ACCESS, E::IO, E::NOMEM, E::INTR, E::STALE, E::NOENT],
        Call::ReadPinned => vec![E::ACCESS, E::IO, E::NOMEM, E::STALE, E::NOENT],
        Call::LinkRules => vec![E::IO, E::STALE],
        Call::TryFollow | Call::LeadsSomewhere => vec![E::ACCESS, E::IO, E::NOMEM, E::LOOP, E::NOENT],
        Call::List => vec![E::ACCESS, E::IO, E::NOMEM, E::STALE, E::NOENT],
        Call::Symlink | Call::MakeDir => [&CHANGE[..], &FULL, &[E::NOMEM, E::INTR, E::NAMETOOLONG, E::EXIST]].concat(),
        Call::RemoveDir => [&CHANGE[..], &[E::BUSY, E::NOTDIR, E::NOTEMPTY]].concat(),
        Call::Exchange => renaming,
        Call::RenameNew | Call::RenameOver => [&renaming[..], &[E::EXIST, E::ISDIR]].concat(),
        Call::HardLink => [&CHANGE[..], &FULL, &[E::MLINK, E::XDEV, E::OPNOTSUPP, E::EXIST]].concat(),
        Call::Unlink => [&CHANGE[..], &[E::BUSY, E::ISDIR]].concat(),
        Call::TryLock => vec![E::IO, E::INTR, E::NOLCK, E::STALE],
        Call::SyncDir | Call::SyncFileSystem => vec![E::IO, E::NOSPC, E::DQUOT, E::ROFS, E::INVAL, E::INTR],
        Call::Random => vec![E::INTR, E::AGAIN, E::NOSYS],
    }
}

pub(crate) fn faults(scene: &Scene) -> Vec<Fault> {
    let quiet = play(scene, &Schedule::default(), Keep::default());
    let of_call = |(at, call): (usize, &Call)| {
        let each = errors(*call).into_iter().flat_map(move |error| [false, true].map(|from_here| (error, from_here)));
        each.map(move |(error, from_here)| Fault { at, error, from_here }).collect::<Vec<_>>()
    };
    quiet.calls.iter().enumerate().flat_map(of_call).collect()
}

/// What can fail because the change is to survive a power cut: the calls that sync, and the opening before each.
fn faults_of_syncing(scene: &Scene) -> Vec<Fault> {
    let quiet = play(scene, &Schedule::default(), Keep::default());
    let syncs = |at: usize| matches!(quiet.calls.get(at), Some(Call::SyncDir | Call::SyncFileSystem));
    faults(scene).into_iter().filter(|fault| syncs(fault.at) || syncs(fault.at + 1)).collect()
}

#[test]
fn a_call_that_fails_breaks_no_law() {
    sweep(Group::Faults, |scene, draw, findings| {
        let one_of = of_singles(scene);
        let synced = scene.synced();
        let of_syncing = faults_of_syncing(&synced).into_iter().map(|fault| (&synced, fault));
        for (scene, fault) in faults(scene).into_iter().map(|fault| (scene, fault)).chain(of_syncing) {
            if draw.one_of(one_of) {
                let schedule = Schedule { actions: Vec::new(), fault: Some(fault) };
                findings.note(scene, &schedule, &play(scene, &schedule, Keep::default()));
            }
        }
    });
}

#[test]
fn a_call_that_fails_and_an_action_break_no_law() {
    sweep(Group::FaultAndAction, |scene, draw, findings| {
        let part = Part::of(scene, ONE_OF);
        for fault in faults(scene) {
            if draw.one_of(part.firsts) {
                seconds(scene, findings, &Schedule { actions: Vec::new(), fault: Some(fault) }, draw, part);
            }
        }
    });
}
