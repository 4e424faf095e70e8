//! Trying a host out: the result is what can be used, and nothing stays.

use caplink::{Abilities, Kind, Policy, Root};

#[path = "support"]
mod support {
    pub(crate) mod cap_ground;
    #[cfg(unix)]
    pub(crate) mod umask;
}

use support::cap_ground::temp_dir;

fn names(dir: &cap_tempfile::TempDir) -> Vec<String> {
    dir.entries().unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_trial_leaves_nothing_also_in_a_directory_that_others_write() {
    let dir = temp_dir();
    let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
    assert!(root.try_out().unwrap().sync_dir);
    assert!(names(&dir).is_empty());
    #[cfg(unix)]
    {
        use cap_std::fs::PermissionsExt as _;
        dir.set_permissions(".", cap_std::fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(root.try_out().unwrap().staging, caplink::Staging::Private);
        assert!(names(&dir).is_empty());
    }
}

#[test]
fn a_trial_finds_what_is_missing() {
    let dir = temp_dir();
    let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
    for (exchange, no_replace) in [(true, false), (false, true), (false, false)] {
        let weak = root.with_abilities(Abilities { exchange, no_replace, ..Abilities::ALL });
        let trial = weak.try_out().unwrap();
        let able = root.abilities();
        assert_eq!((trial.exchange, trial.no_replace), (exchange && able.exchange, no_replace && able.no_replace));
        assert!(names(&dir).is_empty());
    }
}

#[test]
fn a_root_that_may_not_create_is_not_tried() {
    let dir = temp_dir();
    let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default().changes(false)).unwrap();
    assert_eq!(root.try_out().unwrap_err().kind(), Kind::Policy);
}
