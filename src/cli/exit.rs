//! The exit code: the class of the errors that occurred.

use std::process::ExitCode;

use caplink::Kind;

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    Done = 0,
    Findings = 1,
    Usage = 2,
    Conflict = 3,
    Refused = 4,
    NotThere = 5,
    Busy = 6,
    Partial = 7,
    CheckFailed = 8,
    Integrity = 9,
    System = 10,
}

/// With several errors the first class of these that occurred decides.
const PRECEDENCE: &[Class] = &[
    Class::Integrity,
    Class::Partial,
    Class::CheckFailed,
    Class::System,
    Class::Refused,
    Class::Conflict,
    Class::Busy,
    Class::NotThere,
    Class::Usage,
];

impl Class {
    /// All of them, by their codes.
    pub(crate) const ALL: &[Class] = &[
        Class::Done,
        Class::Findings,
        Class::Usage,
        Class::Conflict,
        Class::Refused,
        Class::NotThere,
        Class::Busy,
        Class::Partial,
        Class::CheckFailed,
        Class::Integrity,
        Class::System,
    ];

    /// The class in words.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Class::Done => "done, or nothing to do",
            Class::Findings => "findings, and --exit-code was given",
            Class::Usage => "wrong usage or invalid input",
            Class::Conflict => "conflict; nothing was changed",
            Class::Refused => "refused",
            Class::NotThere => "not there",
            Class::Busy => "another holder has the lock",
            Class::Partial => "stopped half-way",
            Class::CheckFailed => "a health check failed; rolled back",
            Class::Integrity => "records damaged or tampered with",
            Class::System => "the system said no",
        }
    }

    pub(crate) fn of(kind: Kind) -> Class {
        match kind {
            Kind::Usage
            | Kind::InvalidPath
            | Kind::InvalidTarget
            | Kind::TooLong
            | Kind::InvalidManifest
            | Kind::InvalidPlan => Class::Usage,
            Kind::Exists | Kind::NotALink | Kind::Mismatch | Kind::Contended | Kind::StalePlan => Class::Conflict,
            Kind::Escape
            | Kind::SymlinkInPath
            | Kind::MagicLink
            | Kind::CrossMount
            | Kind::MountPolicy
            | Kind::Policy
            | Kind::Dangling
            | Kind::ParentMoved
            | Kind::UnsafeState
            | Kind::UnsafeManifest
            | Kind::ReplacedRelease
            | Kind::BadRelease
            | Kind::NotADirectory => Class::Refused,
            Kind::NotFound | Kind::Loop | Kind::RootGone | Kind::NoRecords | Kind::UnknownRelease => Class::NotThere,
            Kind::Busy => Class::Busy,
            Kind::Partial => Class::Partial,
            Kind::CheckFailed => Class::CheckFailed,
            Kind::Integrity => Class::Integrity,
            _ => Class::System,
        }
    }

    /// The class of a run that met errors of these kinds.
    pub(crate) fn of_all(kinds: impl IntoIterator<Item = Kind>) -> Class {
        kinds.into_iter().map(Class::of).fold(Class::Done, Class::and)
    }

    /// The one of two that decides.
    pub(crate) fn and(self, other: Class) -> Class {
        // What stands in no place there is no error.
        let place = |class: &Class| PRECEDENCE.iter().position(|of| of == class).unwrap_or(PRECEDENCE.len());
        [self, other].into_iter().min_by_key(place).unwrap_or(self)
    }
}

impl From<Class> for ExitCode {
    fn from(class: Class) -> ExitCode {
        ExitCode::from(class as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the contract.
    const CLASSES: &[(u8, &[&str])] = &[
        (2, &["usage", "invalid_path", "invalid_target", "too_long", "invalid_manifest", "invalid_plan"]),
        (3, &["exists", "not_a_link", "mismatch", "contended", "stale_plan"]),
        (
            4,
            &[
                "escape",
                "symlink_in_path",
                "magic_link",
                "cross_mount",
                "mount_policy",
                "policy",
                "dangling",
                "parent_moved",
                "unsafe_state",
                "unsafe_manifest",
                "replaced_release",
                "bad_release",
                "not_a_directory",
            ],
        ),
        (5, &["not_found", "loop", "root_gone", "no_records", "unknown_release"]),
        (6, &["busy"]),
        (7, &["partial"]),
        (8, &["check_failed"]),
        (9, &["integrity"]),
        (10, &["permission", "read_only", "no_space", "fd_exhausted", "unsupported", "residue", "corrupt", "io"]),
    ];

    #[test]
    fn every_kind_has_the_exit_code_of_its_class() {
        let mut seen = 0;
        for (code, names) in CLASSES {
            for name in *names {
                let kind = Kind::ALL.iter().find(|kind| kind.as_str() == *name);
                assert_eq!(kind.map(|kind| Class::of(*kind) as u8), Some(*code), "{name}");
                seen += 1;
            }
        }
        assert_eq!(seen, Kind::ALL.len());
    }

    #[test]
    fn the_schema_lists_every_kind() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("schema.json")).unwrap();
        let listed = schema["$defs"]["error"]["properties"]["kind"]["enum"].as_array().unwrap();
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(listed.len(), kinds.len());
        assert!(kinds.iter().all(|kind| listed.iter().any(|listed| listed == kind)), "{kinds:?}");
    }

    #[test]
    fn the_worst_class_decides_in_the_order_of_the_contract() {
        let order = [
            Kind::Integrity,
            Kind::Partial,
            Kind::CheckFailed,
            Kind::Io,
            Kind::Escape,
            Kind::Exists,
            Kind::Busy,
            Kind::NotFound,
            Kind::Usage,
        ];
        for (index, kind) in order.iter().enumerate() {
            let met = order[index..].iter().rev().copied();
            assert_eq!(Class::of_all(met), Class::of(*kind), "{kind}");
        }
        assert_eq!(Class::of_all([]), Class::Done);
    }
}
