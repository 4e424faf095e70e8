//! The way out of each kind of error, with a command where one helps.
//!
//! What stands in backticks and begins with `caplink` can be pasted as it is; a verb or option alone is only named.

use std::ffi::OsStr;
use std::path::{Component, Path};

use caplink::{Error, FileKind, Found, Kind};

use super::here::Here;

/// Where the records demand a reason.
pub(crate) const REASON: &str = "`--reason TEXT` says why, for the records";

/// The hint for an error of an operation on a link.
pub(crate) fn of(error: &Error, verb: &str, here: &Here) -> Option<String> {
    // A line has a verb of its own, and keys for its options.
    if verb == "batch" {
        return of(error, error.operation(), here).map(|hint| with_keys(&hint));
    }
    // A name that no terminal shows as it is goes into no command.
    precise(error, verb, here).or_else(|| plain(error.kind()).map(str::to_owned))
}

fn precise(error: &Error, verb: &str, here: &Here) -> Option<String> {
    if let Some(hint) = of_records(error) {
        return Some(hint.to_owned());
    }
    let link = error.link().map(Path::as_os_str);
    let look = || look(here, link);
    let hint = match (verb, error.kind()) {
        (_, Kind::Exists) if matches!(error.found(), Some(Found::Link(_))) => {
            let way = match verb {
                "ensure" => "without `--no-replace` it is replaced",
                _ => "`ensure` replaces a link",
            };
            return Some(joined(way, look()));
        }
        ("adopt", Kind::Mismatch | Kind::Dangling | Kind::Escape) if is_about_inside(error) => {
            "what is inside a directory moves with it, and its links must lead where they led; adopt what is inside instead"
        }
        (_, Kind::Mismatch) => return Some(joined("somebody switched it", look())),
        ("ensure", Kind::NotALink) if is_file_or_dir(error.found()) => "`--backup` renames it and keeps it",
        ("remove", Kind::NotFound) => "`--missing-ok` takes an absent link as removed",
        ("swap" | "exchange", Kind::NotFound) if error.component().is_none() => "`create` makes a link where none is",
        // A parent that is no directory, or a link to nothing, is not found either, and cannot be made.
        ("create" | "ensure", Kind::NotFound) if error.io_error().is_some() && error.via_text().is_none() => {
            "`--parents` makes missing directories"
        }
        ("create" | "ensure" | "swap", Kind::Escape)
            if is_about_target(error) && error.via_text().is_none() && begins_at_root(error) =>
        {
            "name the target below the root, without a `/` before it, which `--style absolute` stores as an absolute path; `--allow-outside` with `--style verbatim` stores a text that leads outside"
        }
        // A text is often meant where a path below the root is taken.
        ("create" | "ensure" | "swap", Kind::Escape) if is_about_target(error) && error.via_text().is_none() => {
            "the target is a path below the root; `--style verbatim` stores a text as it is, with `--allow-outside` also one that leads outside"
        }
        ("create" | "ensure" | "swap", Kind::Escape) if is_about_target(error) => {
            "`--allow-outside` with `--style verbatim` stores a text that leads outside"
        }
        // A name that is to be a link is no parent on the way to itself.
        ("create" | "ensure" | "swap", Kind::Loop) if is_about_target(error) || is_at_last(error) => {
            "choose a target that does not lead back to the link"
        }
        // Not a lock, but what is mounted there.
        (_, Kind::Busy) if error.io_error().is_some() => "unmount it first, if it is to be renamed",
        ("exchange", Kind::CrossMount) if error.component().is_none() => {
            "links are exchanged within one mount only; `swap` changes them one after the other"
        }
        (_, Kind::CrossMount) if error.component().is_none() => {
            "what stands or falls together is on the mount of its root; `-C` names a directory on the other mount"
        }
        ("exchange", Kind::Escape) if is_about_target(error) => "`--allow-outside` exchanges them all the same",
        ("repair", Kind::Dangling) => "no repair makes a link lead to nothing; `swap` with `--allow-dangling` does",
        ("repair", Kind::Escape) if is_about_target(error) => {
            "no repair makes a link lead outside; `swap` with `--allow-outside` and `--style verbatim` does"
        }
        ("repair", Kind::InvalidTarget) => "the fallback is a path below the root, without `..`",
        // Without a text it is the spelling of the path that leads out.
        ("resolve", Kind::Escape) if error.via_text().is_some() => return explain(here, link),
        ("resolve", Kind::Permission) => return explain(here, link),
        ("scan", Kind::NotFound) => "DIR is a directory below the root; without it the root itself is scanned",
        ("metrics" | "watch", Kind::NotFound) => {
            "DIR is a directory below the root; without it the root itself is looked at"
        }
        ("inspect" | "resolve" | "scan" | "metrics" | "watch", Kind::InvalidPath) => {
            "paths are relative to the root, without `..`, and name a link without a trailing `/`"
        }
        (_, Kind::Exists | Kind::NotALink) => return look(),
        ("adopt", Kind::NotFound) => "name what there is, a file or directory below the root",
        (_, Kind::NotFound | Kind::Loop) => return explain(here, link),
        (_, kind) => return general(kind, here),
    };
    Some(hint.to_owned())
}

/// Whether a directory is refused for what is inside it, and not for what is under its name or on the way to it.
fn is_about_inside(error: &Error) -> bool {
    error.found().is_none() && error.component().is_none()
}

/// What a line of a batch has for the options that hints name.
const KEYS: &[(&str, &str)] = &[
    ("`--allow-dangling`", "`\"allow_dangling\": true`"),
    ("`--allow-outside`", "`\"allow_outside\": true`"),
    ("`--backup`", "`\"backup\": true`"),
    ("`--missing-ok`", "`\"missing_ok\": true`"),
    ("`--no-replace`", "`\"no_replace\": true`"),
    ("`--parents`", "`\"parents\": true`"),
    ("`--style absolute`", "`\"style\": \"absolute\"`"),
    ("`--style verbatim`", "`\"style\": \"verbatim\"`"),
];

/// The hint as it is followed in a line of a batch.
fn with_keys(hint: &str) -> String {
    KEYS.iter().fold(hint.to_owned(), |hint, (option, key)| hint.replace(option, key))
}

/// The hint for what an error leaves. An entry of others can be kept under a staged name, which `--remove-leftovers` would
/// remove: then it is to be looked at, and put back by whoever it belongs to.
pub(crate) fn of_residue(error: &Error, here: &Here) -> Option<String> {
    let Some(kept) = error.preserved().first() else { return general(Kind::Residue, here) };
    let keeps = "an entry that is not caplink's own could not go back to its name";
    let look = look(here, Some(kept.as_os_str()));
    Some(joined(keeps, Some(look.unwrap_or_else(|| "move it back by hand".to_owned()))))
}

/// The hint for an error about the root, the records or an app.
pub(crate) fn of_root(error: &Error, here: &Here) -> Option<String> {
    of_records(error).map(str::to_owned).or_else(|| general(error.kind(), here))
}

/// The hint for what the records refuse, with whichever verb.
pub(crate) fn of_records(error: &Error) -> Option<&'static str> {
    Some(match (error.operation(), error.kind()) {
        ("record", Kind::Policy) => REASON,
        ("use the records", Kind::Integrity) => {
            "`records rebind` makes them this root's, if it was moved or restored on purpose"
        }
        ("use the records", Kind::UnsafeState) => {
            "`--state DIR` names the state directory that the records are in; one outside is for whoever can write the root"
        }
        ("prune", Kind::UnsafeState) => {
            "`chmod go-w` on the directory that holds it keeps others from renaming what is in it"
        }
        _ => return None,
    })
}

/// The hint for what a verb does not take, or not together.
pub(crate) fn usage(verb: &str) -> String {
    format!("`caplink {verb} --help` shows what it takes")
}

/// The hint for an error that is about no link.
pub(crate) fn general(kind: Kind, here: &Here) -> Option<String> {
    let shown = |verb: &str, options: &[&str], what: &str| {
        here.command(verb, options, None).map(|command| format!("`{command}` {what}"))
    };
    match kind {
        Kind::Unsupported => shown("doctor", &[], "shows what this host can give"),
        Kind::Partial => shown("recover", &[], "or the same command again finishes it"),
        Kind::Residue => shown("repair", &["--remove-leftovers"], "removes what is proven to be caplink's own"),
        kind => plain(kind).map(str::to_owned),
    }
}

/// A command that shows what is under the name.
fn look(here: &Here, link: Option<&OsStr>) -> Option<String> {
    here.command("inspect", &[], Some(link?)).map(|inspect| format!("look with `{inspect}`"))
}

/// A command that shows the way, hop by hop.
fn explain(here: &Here, link: Option<&OsStr>) -> Option<String> {
    here.command("resolve", &["--explain"], Some(link?)).map(|command| format!("see each hop with `{command}`"))
}

fn joined(hint: &str, look: Option<String>) -> String {
    match look {
        Some(look) => format!("{hint}; {look}"),
        None => hint.to_owned(),
    }
}

/// Whether the component at fault is none of the link's own path.
fn is_about_target(error: &Error) -> bool {
    let (Some(link), Some(component)) = (error.link(), error.component()) else { return false };
    let parts: Vec<_> = link.components().filter(|part| *part != Component::CurDir).collect();
    parts.get(component.index).is_none_or(|part| part.as_os_str() != component.name)
}

/// Whether the component at fault is the link's own name.
fn is_at_last(error: &Error) -> bool {
    let (Some(link), Some(component)) = (error.link(), error.component()) else { return false };
    link.components().filter(|part| *part != Component::CurDir).count() == component.index + 1
}

/// Whether it is the `/` before a path that is at fault.
fn begins_at_root(error: &Error) -> bool {
    error.component().is_some_and(|component| component.name == "/")
}

/// The hint for a kind, where nothing more is known.
pub(crate) fn plain(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Usage => "`caplink --help` shows verbs and options",
        Kind::InvalidPath => "paths are relative to the root, without `..`, and name a link without a trailing `/`",
        Kind::InvalidTarget => "the target is a path below the root; `--style verbatim` stores a text byte for byte",
        Kind::TooLong => "a name has at most 255 bytes, a text at most 4095, on some file systems 1023",
        Kind::InvalidManifest => "correct the line that the message names",
        Kind::InvalidPlan => "make the plan anew with `plan -o`",
        Kind::StalePlan => "look at what changed and make the plan anew with `plan -o`",
        Kind::UnsafeManifest => "take the right to write it from others with `chmod go-w`",
        Kind::ReplacedRelease => "give the release another name, or bring the directory back that was entered",
        Kind::BadRelease => "`--even-bad` switches to it all the same; `release mark --good` clears it",
        Kind::NotADirectory => "a release is a real directory, no link",
        Kind::NoRecords => "`records init` makes them",
        Kind::UnknownRelease => "`release list` shows those that are entered; `release add` enters one",
        Kind::Exists | Kind::NotALink | Kind::Mismatch => "look what is under the name with `inspect`",
        Kind::Contended => "another program writes here; run it again",
        Kind::Escape => "name a path below the root; `-C DIR` chooses another root",
        Kind::SymlinkInPath => "`--follow` goes through links that stay inside the root",
        Kind::MagicLink => "links of /proc that name kernel objects are never followed",
        Kind::CrossMount => "`--cross-mounts` lets paths cross a mount point",
        Kind::MountPolicy => "the file system is mounted with `nosymfollow`; nothing can be followed there",
        Kind::Policy => "the state directory is not for links; choose another name, or another `--state DIR`",
        Kind::Dangling => "`--allow-dangling` makes the link all the same",
        Kind::ParentMoved => "nothing was changed; run it again when the directory is back in its place",
        Kind::UnsafeState => "make it private with `chmod 700`, or choose another with `--state DIR`",
        Kind::NotFound => "`resolve` with `--explain` shows which part is missing",
        Kind::Loop => "`resolve` with `--explain` shows the circle",
        Kind::RootGone => "`-C DIR` or $CAPLINK_ROOT names a directory that is there",
        Kind::Busy => {
            "another caplink is at work, run it again; whoever can read the link's directory can hold its lock"
        }
        Kind::Partial => "`recover` or the same command again finishes it",
        Kind::CheckFailed => "everything is as it was before; repair the release and switch again",
        Kind::Integrity => "`log verify` shows what fits; `records rebind` after a move, `records renew` after damage",
        Kind::Permission => "run it as a user who may read and write the directory",
        Kind::ReadOnly => "the file system has to be mounted for writing",
        Kind::NoSpace => "free space or raise the quota",
        Kind::FdExhausted => "raise the limit of open files (`ulimit -n`)",
        Kind::Unsupported => "`doctor` shows what this host can give",
        Kind::Residue => "`repair` with `--remove-leftovers` removes what is proven to be caplink's own",
        Kind::Corrupt => "the file system is damaged here; unmount it and have it checked with `fsck`",
        _ => return None,
    })
}

fn is_file_or_dir(found: Option<&Found>) -> bool {
    matches!(found, Some(Found::Other(FileKind::File | FileKind::Dir)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_but_io_has_a_way_out() {
        for kind in Kind::ALL {
            assert_eq!(plain(*kind).is_none(), *kind == Kind::Io, "{kind}");
        }
    }
}
