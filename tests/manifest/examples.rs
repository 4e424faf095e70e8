//! The manifests of `examples/manifests` are read, expanded on their own trees, and planned as if nothing were there.

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use caplink::manage::{Action, Facts, Holdings, Leads, Manifest, Request, Seen, Sight, Way, plan_manifest};
use caplink::{FileKind, Found, Policy, Root};

const NAMES: &[&str] = &["dotfiles", "monorepo", "sites-enabled", "deploy"];

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests").join(name)
}

/// The texts of an example on a host, each link with what it stores.
fn texts(name: &str, host: &str) -> Vec<String> {
    let facts = Facts { os: "linux".into(), arch: "x86_64".into(), host: host.into(), user: "alice".into() };
    let text = std::fs::read(directory(name).join("caplink.toml")).unwrap();
    let manifest = Manifest::parse(&text, &facts).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
    let root = Root::open_ambient(directory(name), Policy::default(), ambient_authority()).unwrap();
    let expanded = manifest.expand(&root).unwrap_or_else(|troubles| panic!("{name}: {troubles:#?}"));
    let mut seen = Seen::default();
    for declared in &expanded.links {
        let target = root.inspect(declared.target.as_os_str()).unwrap();
        let leads = target.kind.map_or(Leads::Dangling, Leads::To);
        let depth = declared.link.parent().iter().count();
        let way = if depth == 0 { Way::Open } else { Way::Missing(0) };
        let sight = Sight { way, physical: None, found: Found::Missing, leads, slot: None };
        seen.links.insert(declared.link.clone(), sight);
    }
    let holdings = Holdings::default();
    let plan = plan_manifest(&Request {
        links: &expanded.links,
        unwanted: &expanded.unwanted,
        seen: &seen,
        holdings: &holdings,
        root: None,
        tags: &[],
        prune: true,
        on_conflict: manifest.on_conflict(),
    });
    assert_eq!(plan.conflicts().collect::<Vec<_>>(), Vec::<&caplink::manage::ManifestStep>::new(), "{name}");
    let created = plan.steps.iter().filter(|step| step.action == Action::Create);
    let text = |step: &caplink::manage::ManifestStep| step.target.as_ref().unwrap().to_string_lossy().into_owned();
    created.map(|step| format!("{} -> {}", step.link, text(step))).collect()
}

#[test]
fn every_example_is_read_and_nothing_in_it_is_in_the_way() {
    for name in NAMES {
        assert!(!texts(name, "web-1.example.org").is_empty(), "{name}");
    }
    let there = std::fs::read_dir(directory("")).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(there.count(), NAMES.len(), "every example is tried");
}

#[test]
fn the_home_directory_gets_its_links() {
    assert_eq!(
        texts("dotfiles", "web-1.example.org"),
        [
            ".config/git/config -> ../../dotfiles/git/config",
            ".config/nvim -> ../dotfiles/nvim",
            ".config/prompt.toml -> ../dotfiles/prompt/server.toml",
            ".vimrc -> dotfiles/vim/vimrc",
            ".zsh/aliases -> ../dotfiles/zsh/dot-zsh/aliases",
            ".zshrc -> dotfiles/zsh/dot-zshrc",
        ]
    );
    assert!(texts("dotfiles", "laptop").contains(&".config/prompt.toml -> ../dotfiles/prompt/desktop.toml".to_owned()));
    assert_eq!(texts("dotfiles", "other").len(), 5);
}

#[test]
fn every_package_gets_the_files_that_all_share() {
    assert_eq!(
        texts("monorepo", "any"),
        [
            "docs/api.md -> ../packages/api/README.md",
            "docs/web-shop.md -> ../packages/web-shop/README.md",
            "packages/api/.editorconfig -> ../../tools/editorconfig",
            "packages/api/LICENSE -> ../../tools/LICENSE",
            "packages/web-shop/.editorconfig -> ../../tools/editorconfig",
            "packages/web-shop/LICENSE -> ../../tools/LICENSE",
            "packages/web-shop/eslint.json -> ../../tools/eslint.json",
        ]
    );
}

#[test]
fn sites_are_switched_on_by_links() {
    let sites = ["blog.conf", "shop.conf", "status.conf"];
    let links = sites.map(|site| format!("sites-enabled/{site} -> ../sites-available/{site}"));
    assert_eq!(texts("sites-enabled", "web-1.example.org"), links);
    assert_eq!(texts("sites-enabled", "web-2.example.org"), links[..2]);
}

#[test]
fn a_deploy_layout_says_what_is_checked_and_shared() {
    assert_eq!(texts("deploy", "any"), ["bin/shop -> ../current/bin/shop"]);
    let text = std::fs::read(directory("deploy").join("caplink.toml")).unwrap();
    let manifest = Manifest::parse(&text, &Facts::default()).unwrap();
    let app = &manifest.apps()["default"];
    assert_eq!((app.keep, app.check_retries, app.shared.len()), (Some(5), 3, 2));
    let root = Root::open_ambient(directory("deploy"), Policy::default(), ambient_authority()).unwrap();
    for shared in &app.shared {
        let kind = root.inspect(&shared.to).unwrap().kind.unwrap();
        assert!(shared.kind.takes(kind) && kind != FileKind::Symlink, "{shared:?}");
    }
}
