//! The way out of each kind of error, with a command that can be run where there is one.

use std::ffi::OsStr;
use std::path::Path;

use caplink::{Error, FileKind, Found, Kind};

/// The hint for an error of an operation on a link. `root` is the `-C` that was given.
pub(crate) fn of(error: &Error, verb: &str, root: Option<&Path>) -> Option<String> {
    let link = error.link().map(Path::as_os_str);
    let look = command(&["inspect"], root, link).map(|inspect| format!("look with `{inspect}`"));
    let hint = match (verb, error.kind()) {
        (_, Kind::Exists) if matches!(error.found(), Some(Found::Link(_))) => {
            return Some(joined("`caplink ensure` replaces a link", look));
        }
        (_, Kind::Mismatch) => return Some(joined("somebody switched it", look)),
        ("ensure", Kind::NotALink) if is_file_or_dir(error.found()) => "`--backup` moves it aside and keeps it",
        (_, Kind::Exists | Kind::NotALink) => return look,
        ("remove", Kind::NotFound) => "`--missing-ok` takes an absent link as removed",
        ("swap" | "exchange", Kind::NotFound) if error.component().is_none() => {
            "`caplink create` makes a link where none is"
        }
        // A parent that is no directory is not found either, and cannot be made.
        ("create" | "ensure", Kind::NotFound) if error.io_error().is_some() => "`--parents` makes missing directories",
        ("create" | "ensure" | "swap", Kind::Escape)
            if is_about_target(error) && error.via_text().is_none() && begins_at_root(error) =>
        {
            "name the target below the root, without a `/` before it; `--style absolute` stores it as an absolute path"
        }
        ("create" | "ensure" | "swap", Kind::Escape) if is_about_target(error) => {
            "`--allow-outside` with `--style verbatim` stores a text that leads outside"
        }
        // Not a lock, but what is mounted there.
        (_, Kind::Busy) if error.io_error().is_some() => "unmount it first, if it is to be moved aside",
        ("exchange", Kind::CrossMount) if error.component().is_none() => {
            "links trade places within one file system only; `caplink swap` changes them one after the other"
        }
        ("exchange", Kind::Escape) if is_about_target(error) => "`--allow-outside` exchanges them all the same",
        ("repair", Kind::Dangling) => "no repair makes a link lead to nothing; `caplink swap --allow-dangling` does",
        ("repair", Kind::Escape) if error.link().is_some() => {
            "no repair makes a link lead outside; `caplink swap --allow-outside --style verbatim` does"
        }
        ("repair", Kind::InvalidTarget) => "the fallback is a path below the root, without `..`",
        ("resolve", Kind::Escape | Kind::Loop | Kind::NotFound | Kind::Permission) => {
            return command(&["resolve", "--explain"], root, link)
                .map(|command| format!("see each hop with `{command}`"));
        }
        ("scan", Kind::NotFound) => "DIR is a directory below the root; without it the root itself is scanned",
        ("inspect" | "resolve" | "scan", Kind::InvalidPath) => "paths are relative to the root, without `..`",
        (_, kind) => return plain(kind).map(str::to_owned),
    };
    Some(hint.to_owned())
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
    let parts: Vec<_> = link.components().filter(|part| *part != std::path::Component::CurDir).collect();
    parts.get(component.index).is_none_or(|part| part.as_os_str() != component.name)
}

/// Whether it is the `/` before a path that is at fault.
fn begins_at_root(error: &Error) -> bool {
    error.component().is_some_and(|component| component.name == "/")
}

/// The hint for a kind, where nothing more is known.
pub(crate) fn plain(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Usage => "`caplink --help` shows verbs and options, `caplink VERB --help` those of a verb",
        Kind::InvalidPath => "paths are relative to the root, without `..`, and name a link without a trailing `/`",
        Kind::InvalidTarget => "the target is a path below the root; `--style verbatim` stores a text byte for byte",
        Kind::TooLong => "a name has at most 255 bytes, a text at most 4095",
        Kind::InvalidManifest => "mend the line that the message names",
        Kind::InvalidPlan => "make the plan anew with `caplink plan -o`",
        Kind::StalePlan => "look at what changed and make the plan anew with `caplink plan -o`",
        Kind::UnsafeManifest => "take the right to write it from others with `chmod go-w`",
        Kind::ReplacedRelease => "give the release another name, or bring the directory back that was entered",
        Kind::BadRelease => "`--even-bad` switches to it all the same; `release mark --good` clears it",
        Kind::NotADirectory => "a release is a real directory, no link",
        Kind::NoRecords => "`caplink records init` makes them",
        Kind::UnknownRelease => "`caplink release list` shows those that are entered; `release add` enters one",
        Kind::Exists | Kind::NotALink | Kind::Mismatch => "look with `caplink inspect`",
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
        Kind::NotFound => "look which part is missing with `caplink resolve --explain`",
        Kind::Loop => "see the circle with `caplink resolve --explain`",
        Kind::RootGone => "`-C DIR` or $CAPLINK_ROOT names a directory that is there",
        Kind::Busy => {
            "another caplink is at work, run it again; if a stranger holds the lock, `--state DIR` takes it elsewhere"
        }
        Kind::Partial => "`caplink recover` or the same command again finishes it",
        Kind::CheckFailed => "everything is as it was before; mend the release and switch again",
        Kind::Integrity => {
            "see what fits with `caplink log verify`; `records rebind` after a move, `records renew` after damage"
        }
        Kind::Permission => "run it as a user who may read and write the directory",
        Kind::ReadOnly => "the file system has to be mounted for writing",
        Kind::NoSpace => "free space or raise the quota",
        Kind::FdExhausted => "raise the limit of open files (`ulimit -n`)",
        Kind::Unsupported => "`caplink doctor` shows what this host can give",
        Kind::Residue => "`caplink repair --remove-leftovers` removes what is proven to be caplink's own",
        Kind::Corrupt => "`caplink ensure` stores a new text",
        _ => return None,
    })
}

fn is_file_or_dir(found: Option<&Found>) -> bool {
    matches!(found, Some(Found::Other(FileKind::File | FileKind::Dir)))
}

/// A command line for this link; none where it could not be written so that it can be pasted.
pub(crate) fn command(verb: &[&str], root: Option<&Path>, link: Option<&OsStr>) -> Option<String> {
    let mut words = vec!["caplink".to_owned()];
    if let Some(root) = root {
        words.extend(["-C".to_owned(), quoted(root.as_os_str())?]);
    }
    words.extend(verb.iter().map(|word| (*word).to_owned()));
    let link = quoted(link?)?;
    if link.starts_with('-') {
        words.push("--".to_owned());
    }
    words.push(link);
    Some(words.join(" "))
}

/// A word for a shell; none for bytes that a terminal would not show as they are.
fn quoted(word: &OsStr) -> Option<String> {
    let word = word.to_str()?;
    if caplink::printable(word).to_string() != word || word.is_empty() {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,".contains(c);
    Some(if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) })
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

    #[test]
    fn a_command_can_be_pasted() {
        let inspect = |link: &str| command(&["inspect"], Some(Path::new("/s r")), Some(link.as_ref()));
        assert_eq!(inspect("a/b").as_deref(), Some("caplink -C '/s r' inspect a/b"));
        assert_eq!(inspect("it's").as_deref(), Some(r"caplink -C '/s r' inspect 'it'\''s'"));
        assert_eq!(inspect("-n").as_deref(), Some("caplink -C '/s r' inspect -- -n"));
        assert_eq!(inspect("a\nb"), None);
    }
}
