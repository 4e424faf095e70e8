//! The names that what is in the way of a link is kept under.

use std::ffi::{OsStr, OsString};

/// The longest name, in bytes.
const NAME_MAX: usize = 255;

/// How many backups of one name can stand side by side.
pub(crate) const BACKUPS_MAX: usize = 1000;

/// `NAME.backup`, `NAME.backup-1` and so on, in the order in which they are tried; a long name is cut so that it fits.
pub(crate) fn backup_names(name: &OsStr) -> impl Iterator<Item = OsString> {
    (0..BACKUPS_MAX).map(move |index| backup_name(name, index))
}

fn backup_name(name: &OsStr, index: usize) -> OsString {
    let suffix = if index == 0 { ".backup".to_owned() } else { format!(".backup-{index}") };
    let room = NAME_MAX - suffix.len();
    let mut backup = OsString::new();
    if name.len() <= room {
        backup.push(name);
    } else {
        let text = name.to_string_lossy();
        backup.push(&text[..text.floor_char_boundary(room)]);
    }
    backup.push(suffix);
    backup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_name_fits() {
        assert_eq!(backup_name(OsStr::new("conf"), 0), "conf.backup");
        assert_eq!(backup_name(OsStr::new("conf"), 7), "conf.backup-7");
        for long in ["x".repeat(255), "ß".repeat(127), "x".repeat(248)] {
            assert!(backup_name(OsStr::new(&long), 12).len() <= NAME_MAX, "{long}");
        }
        assert_eq!(backup_name(OsStr::new(&"x".repeat(248)), 0).len(), 255);
    }
}
