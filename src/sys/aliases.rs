//! Other paths of a directory: what a bind mount elsewhere shows of it, as the table of mounts tells.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// Other paths that lead into a directory, each with where in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Aliases(Vec<(PathBuf, PathBuf)>);

struct Mount<'t> {
    device: &'t [u8],
    /// What of the file system is mounted.
    root: PathBuf,
    at: PathBuf,
}

impl Aliases {
    /// Those of a directory, as a table of mounts has them.
    pub(super) fn read(table: &[u8], dir: &Path) -> Aliases {
        let mounts: Vec<Mount<'_>> = table.split(|byte| *byte == b'\n').filter_map(mount).collect();
        let holding = mounts.iter().enumerate().filter(|(_, mount)| dir.starts_with(&mount.at));
        // The one that was mounted last hides those below it.
        let Some((own, holder)) = holding.max_by_key(|(_, mount)| mount.at.components().count()) else {
            return Aliases::default();
        };
        let Ok(within) = dir.strip_prefix(&holder.at) else { return Aliases::default() };
        let within = holder.root.join(within);
        let others = mounts.iter().enumerate().filter(|(index, other)| *index != own && other.device == holder.device);
        let alias = |(_, other): (usize, &Mount<'_>)| match other.root.strip_prefix(&within) {
            Ok(below) => Some((other.at.clone(), below.to_path_buf())),
            Err(_) => within.strip_prefix(&other.root).ok().map(|rest| (other.at.join(rest), PathBuf::new())),
        };
        Aliases(others.filter_map(alias).collect())
    }

    /// Where in the directory a path leads by one of them.
    pub(super) fn below(&self, path: &Path) -> Option<PathBuf> {
        self.0.iter().find_map(|(alias, below)| Some(below.join(path.strip_prefix(alias).ok()?)))
    }
}

/// A line of the table: two numbers, the device, what is mounted, and where.
fn mount(line: &[u8]) -> Option<Mount<'_>> {
    let mut fields = line.split(|byte| *byte == b' ').skip(2);
    Some(Mount { device: fields.next()?, root: path(fields.next()?), at: path(fields.next()?) })
}

/// A path of the table, in which a blank, tab, newline or backslash is a backslash and three octal digits.
fn path(mut field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    while let Some((first, rest)) = field.split_first() {
        let octal = rest.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = octal.filter(|_| *first == b'\\').and_then(|digits| u8::from_str_radix(digits, 8).ok());
        path.push(escaped.unwrap_or(*first));
        field = if escaped.is_some() { &rest[3..] } else { rest };
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
21 1 8:1 / / rw - ext4 /dev/sda1 rw
22 21 8:2 / /srv rw - ext4 /dev/sda2 rw
23 21 8:2 /app/releases/4 /mnt/a\\040b rw - ext4 /dev/sda2 rw
24 21 8:2 /app /mnt/app rw - ext4 /dev/sda2 rw
25 21 8:2 /other /mnt/other rw - ext4 /dev/sda2 rw
26 21 8:1 /app/releases /mnt/far rw - ext4 /dev/sda1 rw
";

    #[test]
    fn a_bind_mount_of_what_is_in_the_directory_or_above_it_is_another_path() {
        let aliases = Aliases::read(TABLE.as_bytes(), Path::new("/srv/app/releases"));
        for (path, below) in [
            ("/mnt/a b", Some("4")),
            ("/mnt/a b/bin/x", Some("4/bin/x")),
            ("/mnt/app/releases/5", Some("5")),
            ("/mnt/app", None),
            ("/mnt/other", None),
            ("/mnt/far/4", None),
            ("/srv/app/releases/4", None),
        ] {
            assert_eq!(aliases.below(Path::new(path)), below.map(PathBuf::from), "{path}");
        }
    }

    #[test]
    fn without_other_mounts_there_is_no_other_path() {
        for table in ["", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "nonsense\n"] {
            assert_eq!(Aliases::read(table.as_bytes(), Path::new("/srv")), Aliases::default(), "{table}");
        }
    }
}
