//! A Stow directory, beside an installed `stow`: the same links, which are taken over without a write, and folded ones, which
//! are reported with what to do.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use cap_std::ambient_authority;
use caplink::manage::{Action, Applied, Manifest, Manifests, Note, PlanOptions, Planned};
use caplink::records::Author;
use caplink::{Kind, Policy, Root};

use super::facts;

/// What Stow leaves out by itself, beside what a tree does.
const IGNORED: &str = r#"exclude = ["README*", "LICENSE*", "COPYING", "**/#*#", ".stow-local-ignore"]"#;

/// Two packages with directories in common, with everything that is left out.
const PACKAGES: &[&str] = &[
    "vim/.vimrc",
    "vim/.vim/plugin/one.vim",
    "vim/.vim/after/ftplugin/c.vim",
    "vim/.vimrc~",
    "vim/.config/vim/.#lock",
    "vim/README.md",
    "vim/LICENSE",
    "vim/doc/README.md",
    "git/.config/git/config",
    "git/.config/git/.gitignore",
    "git/.config/#saved#",
    "git/bin/git-up",
];

/// A home directory with a Stow directory in it.
struct Home {
    base: tempfile::TempDir,
    root: Root,
}

/// What is known of a link: its text, its inode and when it was changed last.
type Links = BTreeMap<PathBuf, (PathBuf, u64, i64, i64)>;

impl Home {
    fn new(files: &[&str]) -> Home {
        let base = tempfile::tempdir().unwrap();
        for file in files {
            let path = base.path().join("home/dotfiles").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let root = Root::open_ambient(base.path().join("home"), Policy::default(), ambient_authority()).unwrap();
        Home { base, root }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.base.path().join("home").join(path)
    }

    /// Runs Stow on packages; false, said aloud, where it is not installed.
    fn stow(&self, words: &[&str]) -> bool {
        let mut stow = Command::new("stow");
        // The caller's own settings are none of these packages'.
        stow.env("HOME", self.base.path()).current_dir(self.at("dotfiles")).args(["-t", ".."]).args(words);
        match stow.output() {
            Ok(output) if output.status.success() => true,
            Ok(output) => panic!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "SKIPPED: beside `stow`: it cannot be run: {error}");
                false
            }
        }
    }

    fn links(&self) -> Links {
        let mut links = Links::new();
        let is_outside =
            |entry: &walkdir::DirEntry| ![".caplink", "dotfiles"].contains(&&*entry.file_name().to_string_lossy());
        for entry in walkdir::WalkDir::new(self.at("")).into_iter().filter_entry(is_outside).map(Result::unwrap) {
            if entry.path_is_symlink() {
                let stat = fs::symlink_metadata(entry.path()).unwrap();
                let path = entry.path().strip_prefix(self.at("")).unwrap().to_path_buf();
                let text = fs::read_link(entry.path()).unwrap();
                links.insert(path, (text, stat.ino(), stat.ctime(), stat.ctime_nsec()));
            }
        }
        links
    }

    fn texts(&self) -> BTreeMap<PathBuf, PathBuf> {
        self.links().into_iter().map(|(path, (text, ..))| (path, text)).collect()
    }

    fn plan(&self, manifest: &Manifest) -> (Manifests, Planned) {
        let manifests = Manifests::open(&self.root).unwrap();
        let planned = manifests.plan(manifest, &PlanOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        (manifests, planned)
    }

    fn apply(&self, manifest: &Manifest) -> (Planned, Applied) {
        let (manifests, planned) = self.plan(manifest);
        let applied = manifests.apply(&planned, &Author::default()).unwrap();
        (planned, applied)
    }
}

/// A manifest of one tree for each package.
fn manifest(packages: &[&str], in_each: &str) -> Manifest {
    let trees = packages.iter().map(|package| format!("[[tree]]\nfrom = '{package}'\ninto = '.'\n{in_each}\n"));
    let text = format!("version = 1\nname = 'stow'\nsource = 'dotfiles'\n{}", trees.collect::<String>());
    Manifest::parse(text.as_bytes(), &facts()).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

/// The links that Stow makes of packages, none where it is not installed.
fn made_by_stow(files: &[&str], words: &[&str], more: fn(&Home)) -> Option<BTreeMap<PathBuf, PathBuf>> {
    let home = Home::new(files);
    more(&home);
    home.stow(words).then(|| home.texts())
}

#[test]
fn the_packages_of_a_stow_directory_get_the_same_links_as_by_stow_without_folding() {
    let more = |home: &Home| {
        fs::create_dir_all(home.at("dotfiles/git/.config/empty")).unwrap();
        symlink("../.vimrc", home.at("dotfiles/vim/.vim/vimrc")).unwrap();
        symlink("nothing", home.at("dotfiles/vim/.dangling")).unwrap();
    };
    let Some(expected) = made_by_stow(PACKAGES, &["--no-folding", "vim", "git"], more) else { return };
    assert!(expected.len() > 7, "{expected:#?}");
    let home = Home::new(PACKAGES);
    more(&home);
    let dangling = "allow_dangling = true";
    assert!(home.apply(&manifest(&["vim", "git"], &format!("{IGNORED}\n{dangling}"))).1.stands);
    assert_eq!(home.texts(), expected);
}

#[test]
fn an_ignore_list_of_a_package_is_an_exclude() {
    let files = ["zsh/.zshrc", "zsh/.zsh/aliases", "zsh/.zsh/local/secret", "zsh/notes.txt", "zsh/README"];
    // A list of its own takes the place of what Stow leaves out by itself.
    let more = |home: &Home| fs::write(home.at("dotfiles/zsh/.stow-local-ignore"), "local\n^/notes.*\n").unwrap();
    let Some(expected) = made_by_stow(&files, &["--no-folding", "zsh"], more) else { return };
    let home = Home::new(&files);
    more(&home);
    let exclude = r#"exclude = [".stow-local-ignore", "**/local/**", "notes*"]"#;
    assert!(home.apply(&manifest(&["zsh"], exclude)).1.stands);
    assert_eq!(home.texts(), expected);
    assert_eq!(expected.len(), 3, "{expected:#?}");
}

#[test]
fn names_with_dot_in_front_get_the_links_that_stow_makes_of_them() {
    let files = ["zsh/dot-zshrc", "zsh/plain/dot-not-at-the-top", "zsh/plain/file", "zsh/dot-"];
    let Some(made) = made_by_stow(&files, &["--no-folding", "--dotfiles", "zsh"], |_| {}) else { return };
    let home = Home::new(&files);
    assert!(home.apply(&manifest(&["zsh"], "dotfiles = true")).1.stands);
    let here = home.texts();
    for path in [".zshrc", "plain/file"] {
        assert_eq!(here.get(Path::new(path)), made.get(Path::new(path)), "{here:#?}\n{made:#?}");
        assert!(here.contains_key(Path::new(path)), "{here:#?}");
    }
    assert_eq!(here[Path::new("plain/.not-at-the-top")], Path::new("../dotfiles/zsh/plain/dot-not-at-the-top"));
}

#[test]
fn links_that_stow_made_are_taken_over_without_a_write() {
    let home = Home::new(PACKAGES);
    if !home.stow(&["--no-folding", "vim", "git"]) {
        return;
    }
    let (before, manifest) = (home.links(), manifest(&["vim", "git"], IGNORED));
    let (planned, applied) = home.apply(&manifest);
    let is_found = |step: &caplink::manage::ManifestStep| (step.action, step.note) == (Action::Keep, Note::Found);
    assert!(applied.stands && planned.plan.steps.iter().all(is_found), "{:#?}", planned.plan.steps);
    assert_eq!((planned.plan.steps.len(), home.links()), (before.len(), before.clone()), "no link was touched");
    assert!(home.plan(&manifest).1.is_at_rest());
    // They were there before: neither pruning nor taking back removes them, and Stow does.
    let (manifests, _) = home.plan(&manifest);
    assert!(manifests.plan_back("stow").unwrap().plan.is_empty());
    assert!(home.apply(&self::manifest(&["vim"], IGNORED)).1.stands);
    assert_eq!(home.links(), before);
    assert!(home.stow(&["-D", "vim", "git"]));
    assert_eq!(home.links(), Links::new());
}

#[test]
fn a_directory_that_stow_folded_is_reported_and_unfolded_when_it_is_declared_absent() {
    let home = Home::new(PACKAGES);
    let Some(expected) = made_by_stow(PACKAGES, &["--no-folding", "vim", "git"], |_| {}) else { return };
    assert!(home.stow(&["vim"]));
    let folded = home.links();
    assert!(folded.contains_key(Path::new(".vim")) && folded.contains_key(Path::new(".config")), "{folded:#?}");
    let (planned, applied) = home.apply(&manifest(&["vim", "git"], IGNORED));
    assert!(!applied.stands);
    let told: Vec<(Kind, String)> = planned
        .plan
        .conflicts()
        .map(|step| (step.error().unwrap().kind(), step.conflict.as_ref().unwrap().remedy.unwrap().to_string()))
        .collect();
    assert!(told.len() > 3 && told.iter().all(|one| *one == (Kind::SymlinkInPath, "[[absent]]".into())), "{told:#?}");
    assert_eq!(home.links(), folded, "nothing was begun");
    let absent = |at: &str| format!("[[absent]]\nat = '{at}'\nif_to = '*dotfiles/*'\n");
    let unfolding = format!("{IGNORED}\n{}{}{}", absent(".vim"), absent(".config"), absent("doc"));
    let text = format!(
        "version = 1\nname = 'stow'\nsource = 'dotfiles'\n[[tree]]\nfrom = 'git'\ninto = '.'\n{IGNORED}\n\
         [[tree]]\nfrom = 'vim'\ninto = '.'\n{unfolding}"
    );
    let unfolding =
        Manifest::parse(text.as_bytes(), &facts()).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
    assert!(home.apply(&unfolding).1.stands);
    assert_eq!(home.texts(), expected);
    let kept = |links: &Links| links[Path::new(".vimrc")].clone();
    assert_eq!(kept(&home.links()), kept(&folded), "what was not folded was not touched");
}
