//! A kernel without Landlock, or one that refuses it temporarily.

use super::filter::denied;
use super::*;

/// The numbers are the same on every architecture.
const CREATE_RULESET: i64 = 444;
const RESTRICT_SELF: i64 = 446;

#[test]
fn auto_says_so_and_require_is_unsupported() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    for (call, errno) in [
        (CREATE_RULESET, libc::ENOSYS),
        (CREATE_RULESET, libc::EOPNOTSUPP),
        (CREATE_RULESET, libc::EPERM),
        (RESTRICT_SELF, libc::EPERM),
        (RESTRICT_SELF, libc::E2BIG),
    ] {
        denied(call, errno as u32, || {
            let error = root.confined(Enforcement::Require).unwrap_err();
            assert_eq!((error.kind(), error.operation()), (Kind::Unsupported, "confine"), "{error:?}");
            let free = root.confined(Enforcement::Auto).unwrap();
            assert_eq!(free.confinement(), Confinement::None);
            let outcome = free.ensure("l", to("a")).unwrap();
            assert_eq!(outcome.confinement.to_string(), "none");
            let edit = Edit::remove(path("l"));
            let error = root.apply_confining_thread(&edit, Enforcement::Require).unwrap_err();
            assert_eq!((error.kind(), error.operation()), (Kind::Unsupported, "confine"), "{error:?}");
            let outcome = root.apply_confining_thread(&edit, Enforcement::Auto).unwrap();
            assert_eq!((outcome.effect, outcome.confinement), (Effect::Removed, Confinement::None));
        });
    }
}

#[test]
fn a_temporary_refusal_is_an_error_and_no_downgrade() {
    let dir = tree();
    let root = open(&dir, Policy::default());
    if confined("a_temporary_refusal_is_an_error_and_no_downgrade", &root).is_none() {
        return;
    }
    for (errno, kind) in [(libc::EMFILE, Kind::FdExhausted), (libc::ENOMEM, Kind::Io)] {
        denied(RESTRICT_SELF, errno as u32, || {
            for enforcement in [Enforcement::Auto, Enforcement::Require] {
                assert_eq!(root.confined(enforcement).unwrap_err().kind(), kind, "{enforcement:?}");
                let edit = Edit::create(path("l"), to("a"));
                assert_eq!(
                    root.apply_confining_thread(&edit, enforcement).unwrap_err().kind(),
                    kind,
                    "{enforcement:?}"
                );
                assert!(!root.lexists("l").unwrap());
            }
        });
    }
}

#[test]
fn a_root_that_is_confined_never_becomes_less_so() {
    let dir = tree();
    let Some(root) = confined("a_root_that_is_confined_never_becomes_less_so", &open(&dir, Policy::default())) else {
        return;
    };
    denied(CREATE_RULESET, libc::ENOSYS as u32, || {
        let _ = root.ensure("l", to("a")).unwrap();
        // This takes a thread with other rights, which cannot be started any more.
        for root in [root.clone(), root.subroot("shared").unwrap()] {
            let edit = Edit::ensure(path("p/l"), to("file")).parents(true);
            let error = root.apply(&edit).unwrap_err();
            assert_eq!((error.kind(), error.operation()), (Kind::Unsupported, "ensure"), "{error:?}");
            assert_eq!(root.apply_all(&[edit.into()])[0].as_ref().unwrap_err().kind(), Kind::Unsupported);
            assert!(!root.lexists("p").unwrap());
        }
    });
}

#[cfg(feature = "cli")]
#[test]
fn the_command_line_says_so() {
    let dir = tree();
    let run = |confine: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_caplink"));
        command.arg("-C").arg(dir.path().join("root")).args(["--json", "--confine", confine]);
        let output = command.args(["ensure", "l", "--to", "a"]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = denied(CREATE_RULESET, libc::ENOSYS as u32, || run("require"));
    assert_eq!(code, Some(10), "{said}");
    assert!(said.contains(r#""kind":"unsupported""#), "{said}");
    assert!(!dir.path().join("root/l").exists());
    for confine in ["auto", "off"] {
        let (code, said) = denied(CREATE_RULESET, libc::ENOSYS as u32, || run(confine));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(r#""confinement":"none""#), "{said}");
    }
    let level = match confined("the_command_line_says_so", &open(&dir, Policy::default())) {
        Some(root) => root.confinement(),
        None => return,
    };
    for (confine, level) in [("auto", level), ("require", level), ("off", Confinement::None)] {
        let (code, said) = run(confine);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(&format!(r#""confinement":"{level}""#)), "{said}");
    }
}
