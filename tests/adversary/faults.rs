//! Every call failing with each error that it can give, once and from there on; alone, and with a deed before any call.

use caplink::adversary::{Call, Errno};

use crate::explore::seconds;
use crate::run::{Fault, Keep, Schedule, play};
use crate::scene::Scene;
use crate::sweep::{Group, Part, of_singles, sweep};

/// Of how many deeds beside a fault one is played, where nothing else is asked for.
const ONE_OF: u64 = 4000;

/// What a call can answer instead of doing its work.
fn errors(call: Call) -> &'static [Errno] {
    use Errno as E;
    match call {
        Call::OpenDir | Call::Reach => &[
            E::ACCESS,
            E::IO,
            E::MFILE,
            E::NFILE,
            E::NOMEM,
            E::INTR,
            E::AGAIN,
            E::STALE,
            E::NOENT,
            E::NOTDIR,
            E::LOOP,
            E::XDEV,
        ],
        Call::ReachEntry | Call::Pin => {
            &[E::ACCESS, E::IO, E::MFILE, E::NFILE, E::NOMEM, E::INTR, E::AGAIN, E::STALE, E::NOENT, E::NOTDIR]
        }
        Call::Stat => &[E::IO, E::NOMEM, E::STALE],
        Call::StatAt | Call::ReadLink => &[E::ACCESS, E::IO, E::NOMEM, E::INTR, E::STALE, E::NOENT],
        Call::ReadPinned => &[E::ACCESS, E::IO, E::NOMEM, E::STALE, E::NOENT],
        Call::LinkRules => &[E::IO, E::STALE],
        Call::TryFollow | Call::LeadsSomewhere => &[E::ACCESS, E::IO, E::NOMEM, E::LOOP, E::NOENT],
        Call::List => &[E::ACCESS, E::IO, E::NOMEM, E::STALE, E::NOENT],
        Call::Symlink | Call::MakeDir => &[
            E::ACCESS,
            E::PERM,
            E::IO,
            E::NOSPC,
            E::DQUOT,
            E::ROFS,
            E::NOMEM,
            E::INTR,
            E::NAMETOOLONG,
            E::STALE,
            E::NOENT,
            E::EXIST,
        ],
        Call::RemoveDir => &[E::ACCESS, E::PERM, E::IO, E::ROFS, E::BUSY, E::STALE, E::NOENT, E::NOTDIR, E::NOTEMPTY],
        Call::Exchange => &[
            E::ACCESS,
            E::PERM,
            E::IO,
            E::NOSPC,
            E::DQUOT,
            E::ROFS,
            E::BUSY,
            E::NOMEM,
            E::XDEV,
            E::INVAL,
            E::NOSYS,
            E::STALE,
            E::NOENT,
        ],
        Call::RenameNew | Call::RenameOver => &[
            E::ACCESS,
            E::PERM,
            E::IO,
            E::NOSPC,
            E::DQUOT,
            E::ROFS,
            E::BUSY,
            E::NOMEM,
            E::XDEV,
            E::INVAL,
            E::NOSYS,
            E::STALE,
            E::NOENT,
            E::EXIST,
            E::ISDIR,
        ],
        Call::HardLink => &[
            E::ACCESS,
            E::PERM,
            E::IO,
            E::NOSPC,
            E::DQUOT,
            E::ROFS,
            E::MLINK,
            E::XDEV,
            E::OPNOTSUPP,
            E::STALE,
            E::NOENT,
            E::EXIST,
        ],
        Call::Unlink => &[E::ACCESS, E::PERM, E::IO, E::ROFS, E::BUSY, E::STALE, E::NOENT, E::ISDIR],
        Call::TryLock => &[E::IO, E::INTR, E::NOLCK, E::STALE],
        Call::SyncDir | Call::SyncFileSystem => &[E::IO, E::NOSPC, E::DQUOT, E::ROFS, E::INVAL, E::INTR],
        Call::Random => &[E::INTR, E::AGAIN, E::NOSYS],
    }
}

fn faults(scene: &Scene) -> Vec<Fault> {
    let quiet = play(scene, &Schedule::default(), Keep::default());
    let of_call = |(at, call): (usize, &Call)| {
        let each = errors(*call).iter().flat_map(move |error| [false, true].map(|from_here| (*error, from_here)));
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
                let schedule = Schedule { deeds: Vec::new(), fault: Some(fault) };
                findings.note(scene, &schedule, &play(scene, &schedule, Keep::default()));
            }
        }
    });
}

#[test]
fn a_call_that_fails_and_a_deed_break_no_law() {
    sweep(Group::FaultAndDeed, |scene, draw, findings| {
        let part = Part::of(scene, ONE_OF);
        for fault in faults(scene) {
            if draw.one_of(part.firsts) {
                seconds(scene, findings, &Schedule { deeds: Vec::new(), fault: Some(fault) }, draw, part);
            }
        }
    });
}
