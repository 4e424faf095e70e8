//! Manifests on real trees: read, expanded, looked at, planned, carried out step by step, planned again, and taken back.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use caplink::manage::{
    Action, Expanded, Holdings, Looking, Manifest, ManifestPlan, Note, Owned, Request, plan_manifest, plan_unapply,
};
use caplink::{Policy, Root};

use super::{facts, good};

/// A root, and what records of one manifest would say.
struct Site {
    dir: tempfile::TempDir,
    root: Root,
    holdings: Holdings,
}

impl Site {
    fn new() -> Site {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
        Site { dir, root, holdings: Holdings::default() }
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(path)
    }

    fn file(&self, path: &str) {
        std::fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        std::fs::write(self.at(path), path).unwrap();
    }

    fn link(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        symlink(text, self.at(path)).unwrap();
    }

    /// Every entry with what it is.
    fn tree(&self) -> BTreeMap<PathBuf, String> {
        let entries = walkdir::WalkDir::new(self.dir.path()).min_depth(1).into_iter().map(Result::unwrap);
        let entry = |entry: walkdir::DirEntry| {
            let path = entry.path().strip_prefix(self.dir.path()).unwrap().to_path_buf();
            let what = match entry.file_type() {
                kind if kind.is_dir() => "dir".to_owned(),
                kind if kind.is_file() => std::fs::read_to_string(entry.path()).unwrap(),
                _ => format!("-> {}", std::fs::read_link(entry.path()).unwrap().display()),
            };
            (path, what)
        };
        entries.map(entry).collect()
    }

    fn plan(&self, manifest: &Manifest) -> ManifestPlan {
        let Expanded { links, unwanted, .. } = manifest.expand(&self.root).unwrap();
        let Site { root, holdings, .. } = self;
        let seen = root.see(&Looking { links: &links, unwanted: &unwanted, holdings, all: true }).unwrap();
        plan_manifest(&Request {
            links: &links,
            unwanted: &unwanted,
            seen: &seen,
            holdings,
            root: root.text_root(),
            tags: &[],
            prune: true,
            on_conflict: manifest.on_conflict(),
        })
    }

    fn plan_back(&self) -> ManifestPlan {
        let Site { root, holdings, .. } = self;
        let seen = root.see(&Looking { links: &[], unwanted: &[], holdings, all: false }).unwrap();
        plan_unapply(&seen, holdings)
    }

    /// Carries each step out as its edit and keeps what records would.
    fn apply(&mut self, plan: &ManifestPlan) {
        for step in &plan.steps {
            match step.action {
                Action::Mkdir => {
                    std::fs::create_dir(self.at(step.link.as_path())).unwrap();
                    self.holdings.dirs.insert(step.link.as_path().to_path_buf());
                }
                Action::Rmdir => {
                    std::fs::remove_dir(self.at(step.link.as_path())).unwrap();
                    self.holdings.dirs.remove(step.link.as_path());
                }
                Action::Conflict => panic!("{}", step.error().unwrap()),
                _ => {}
            }
            let Some(edit) = step.edit() else { continue };
            let outcome = self.root.apply(&edit).unwrap_or_else(|error| panic!("{step:?}: {error}"));
            if let Some(backup) = &step.restore {
                std::fs::rename(self.at(backup), self.at(step.link.as_path())).unwrap();
            }
            let link = step.link.clone();
            match &step.target {
                Some(text) => {
                    let own = Owned {
                        text: text.clone(),
                        displaced: outcome.previous.map(Arc::from),
                        backup: outcome.backup,
                    };
                    self.holdings.owned.insert(link, own);
                }
                None if self.holdings.owned.remove(&link).is_none() && step.note == Note::Unwanted => {
                    self.holdings.removed.insert(link, step.previous.as_ref().unwrap().into());
                }
                None => {}
            }
        }
    }

    /// Applies a manifest, looks that it is at rest, and takes it back.
    fn there_and_back(mut self, manifest: &Manifest) {
        let before = self.tree();
        let plan = self.plan(manifest);
        self.apply(&plan);
        let applied = self.tree();
        assert_ne!(applied, before, "{plan:#?}");
        let again = self.plan(manifest);
        assert!(again.is_empty(), "{again:#?}");
        assert!(again.states.iter().all(|state| matches!(state.status.as_str(), "ok" | "dangling")), "{again:#?}");
        self.apply(&self.plan_back());
        assert_eq!(self.tree(), before);
    }
}

#[test]
fn every_example_is_carried_out_and_taken_back() {
    for name in ["dotfiles", "monorepo", "sites-enabled", "deploy"] {
        let site = Site::new();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests").join(name);
        for entry in walkdir::WalkDir::new(&from).min_depth(1).into_iter().map(Result::unwrap) {
            let to = site.at(entry.path().strip_prefix(&from).unwrap());
            match entry.file_type().is_dir() {
                true => std::fs::create_dir(to).unwrap(),
                false => drop(std::fs::copy(entry.path(), to).unwrap()),
            }
        }
        let text = std::fs::read(site.at("caplink.toml")).unwrap();
        site.there_and_back(&Manifest::parse(&text, &facts()).unwrap());
    }
}

#[test]
fn what_was_displaced_comes_back() {
    let site = Site::new();
    ["src/a", "src/b", "mine", "dir/deep/file"].iter().for_each(|path| site.file(path));
    site.link("link", "elsewhere");
    site.link("old", "src/a");
    site.link("same", "src/a");
    let manifest = good(
        "source = 'src'\ndefaults.on_conflict = 'backup'\n[links]\nmine = 'a'\ndir = 'b'\nlink = 'a'\n'new/x' = 'b'\n\
         same = 'a'\n[[absent]]\nat = 'old'\n",
    );
    site.there_and_back(&manifest);
}

#[test]
fn a_link_to_a_directory_becomes_a_directory_of_links_and_back() {
    let site = Site::new();
    ["src/nvim/init", "src/git/config"].iter().for_each(|path| site.file(path));
    site.link(".config", "src");
    let manifest = good(
        "source = 'src'\n[links]\n'.config/nvim' = 'nvim'\n'.config/git/config' = 'git/config'\n\
         [[absent]]\nat = '.config'\nif_to = 'src'\n",
    );
    site.there_and_back(&manifest);
}

#[test]
fn links_that_others_made_are_taken_over_without_a_write() {
    let site = Site::new();
    ["dotfiles/zsh/dot-zshrc", "dotfiles/zsh/dot-zsh/aliases"].iter().for_each(|path| site.file(path));
    site.link(".zshrc", "dotfiles/zsh/dot-zshrc");
    site.link(".zsh/aliases", "../dotfiles/zsh/dot-zsh/aliases");
    let tree = "source = 'dotfiles'\n[[tree]]\nfrom = 'zsh'\ninto = '.'\ndotfiles = true\n";
    let plan = site.plan(&good(tree));
    assert!(plan.is_empty() && plan.steps.iter().all(|step| step.note == Note::Found), "{plan:#?}");
    // A link to the whole directory is told with what to do.
    std::fs::remove_file(site.at(".zsh/aliases")).unwrap();
    std::fs::remove_dir(site.at(".zsh")).unwrap();
    site.link(".zsh", "dotfiles/zsh/dot-zsh");
    let folded = site.plan(&good(tree));
    let [conflict] = &folded.conflicts().collect::<Vec<_>>()[..] else { panic!("{folded:#?}") };
    let told = "cannot apply `.zsh/aliases`: a parent directory is a symbolic link, at component `.zsh` (0) via `dotfiles/zsh/dot-zsh`";
    assert_eq!(conflict.error().unwrap().to_string(), told);
    assert_eq!(conflict.conflict.as_ref().unwrap().remedy.unwrap().as_str(), "[[absent]]");
    let unfolding = site.plan(&good(&format!("{tree}[[absent]]\nat = '.zsh'\nif_to = 'dotfiles/*'\n")));
    let actions: Vec<&str> = unfolding.steps.iter().map(|step| step.action.as_str()).collect();
    assert_eq!(actions, ["remove", "mkdir", "create", "keep"]);
}

#[test]
fn pruning_works_when_the_sources_are_gone() {
    let mut site = Site::new();
    ["src/a", "src/b"].iter().for_each(|path| site.file(path));
    let plan = site.plan(&good("source = 'src'\n[links]\n'd/a' = 'a'\n'd/b' = 'b'\n"));
    site.apply(&plan);
    std::fs::remove_dir_all(site.at("src")).unwrap();
    let plan = site.plan(&good(""));
    site.apply(&plan);
    assert_eq!(site.tree(), BTreeMap::new());
}

#[test]
fn a_refused_plan_names_every_conflict() {
    let site = Site::new();
    ["src/a", "file"].iter().for_each(|path| site.file(path));
    site.link("link", "x");
    let plan = site.plan(&good(
        "source = 'src'\n[links]\nfile = 'a'\nlink = 'a'\nnew = 'gone'\n'file/below' = 'a'\nfine = 'a'\n"
            .replace("file = 'a'\n", "file2 = 'a'\n")
            .as_str(),
    ));
    let told: Vec<String> =
        plan.conflicts().map(|step| format!("{} {}", step.link, step.error().unwrap().kind())).collect();
    assert_eq!(told, ["file/below not_found", "link mismatch", "new dangling"]);
}
