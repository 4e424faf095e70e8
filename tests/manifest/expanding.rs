//! Trees and directories that match become links, one by one.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use caplink::manage::{Expanded, Listing, Trouble};
use caplink::{FileKind, Kind, Policy, Root};

use super::good;
use super::memory::Tree;

/// Each link with its target.
fn links(expanded: &Expanded) -> Vec<String> {
    let shown =
        |link: &caplink::manage::Declared| format!("{} -> {}", link.link, caplink::printable(link.target.as_os_str()));
    expanded.links.iter().map(shown).collect()
}

fn expanded(body: &str, tree: &Tree) -> Vec<String> {
    links(&good(body).expand(tree).unwrap_or_else(|troubles| panic!("{troubles:?}")))
}

fn troubles(body: &str, listing: &dyn Listing) -> Vec<String> {
    let troubles = good(body).expand(listing).err().unwrap_or_default();
    troubles.iter().map(|trouble| format!("{} {trouble}", trouble.kind())).collect()
}

#[test]
fn every_file_of_a_tree_gets_a_link_and_directories_are_real() {
    let mut tree = Tree::of(&["dot/zsh/zshrc", "dot/zsh/sub/a", "dot/zsh/sub/deep/b", "dot/zsh/empty/", "other"]);
    tree.put("dot/zsh/link", FileKind::Symlink);
    let body = "source = 'dot'\n[[tree]]\nfrom = 'zsh'\ninto = 'home'\n";
    assert_eq!(
        expanded(body, &tree),
        [
            "home/link -> dot/zsh/link",
            "home/sub/a -> dot/zsh/sub/a",
            "home/sub/deep/b -> dot/zsh/sub/deep/b",
            "home/zshrc -> dot/zsh/zshrc",
        ]
    );
    assert_eq!(
        expanded("[[tree]]\nfrom = 'dot/zsh/sub'\ninto = '.'\n", &tree),
        ["a -> dot/zsh/sub/a", "deep/b -> dot/zsh/sub/deep/b"]
    );
}

#[test]
fn dot_names_are_turned_where_that_is_asked_for() {
    let tree = Tree::of(&["z/dot-zshrc", "z/dot-config/dot-x/plain", "z/dot-", "z/x-dot-y", "z/dot-dot-z"]);
    let body = |dotfiles: bool| format!("[[tree]]\nfrom = 'z'\ninto = '.'\ndotfiles = {dotfiles}\n");
    assert_eq!(
        expanded(&body(true), &tree),
        [
            ".config/.x/plain -> z/dot-config/dot-x/plain",
            ".dot-z -> z/dot-dot-z",
            ".zshrc -> z/dot-zshrc",
            "dot- -> z/dot-",
            "x-dot-y -> z/x-dot-y",
        ]
    );
    assert_eq!(expanded(&body(false), &tree).len(), 5);
    assert!(expanded(&body(false), &tree).contains(&"dot-zshrc -> z/dot-zshrc".to_owned()));
    // What would become `..` leads nowhere.
    let climbing = Tree::of(&["z/dot-./x"]);
    assert_eq!(troubles(&body(true), &climbing)[0].split(' ').next(), Some("escape"));
}

#[test]
fn include_and_exclude_are_on_the_path_below_the_tree_as_it_is_there() {
    let tree =
        Tree::of(&["t/README.md", "t/a.conf", "t/dot-b.conf", "t/sub/README.md", "t/sub/c.conf", "t/sub/notes.md"]);
    let with = |more: &str| expanded(&format!("[[tree]]\nfrom = 't'\ninto = '.'\ndotfiles = true\n{more}\n"), &tree);
    assert_eq!(
        with("exclude = ['README*', '**/*.md']"),
        [".b.conf -> t/dot-b.conf", "a.conf -> t/a.conf", "sub/c.conf -> t/sub/c.conf"]
    );
    assert_eq!(with("exclude = ['README*']").len(), 5, "a glob without `**` does not look deeper");
    assert_eq!(with("include = ['dot-*', 'sub/*.conf']"), [".b.conf -> t/dot-b.conf", "sub/c.conf -> t/sub/c.conf"]);
    assert_eq!(
        with("exclude = ['sub']"),
        [".b.conf -> t/dot-b.conf", "README.md -> t/README.md", "a.conf -> t/a.conf"]
    );
    assert_eq!(with("include = ['**/*.conf']\nexclude = ['sub/**']").len(), 2);
    assert_eq!(with("include = []\nexclude = []").len(), 6);
}

#[test]
fn what_version_control_and_editors_leave_is_not_taken() {
    let tree = Tree::of(&["t/.git/config", "t/sub/.git", "t/.gitignore", "t/sub/x~", "t/.#lock", "t/.gitconfig"]);
    assert_eq!(expanded("[[tree]]\nfrom = 't'\ninto = '.'\n", &tree), [".gitconfig -> t/.gitconfig"]);
}

#[test]
fn what_a_link_cannot_stand_for_is_an_error_unless_it_is_left_out() {
    for kind in [FileKind::Fifo, FileKind::Socket, FileKind::CharDevice, FileKind::BlockDevice] {
        let mut tree = Tree::of(&["t/a"]);
        tree.put("t/odd", kind);
        let body = "[[tree]]\nfrom = 't'\ninto = '.'\n";
        let expected = format!(
            "invalid_target line 3, column 1: cannot expand `t/odd`: a tree takes files and links, and this is {kind}"
        );
        assert_eq!(troubles(body, &tree), [expected]);
        assert_eq!(expanded(&format!("{body}exclude = ['odd']\n"), &tree), ["a -> t/a"]);
        assert_eq!(expanded(&format!("{body}include = ['a']\n"), &tree), ["a -> t/a"]);
    }
}

#[test]
fn bytes_that_are_no_text_are_kept_and_never_read_for_variables() {
    let mut tree = Tree::default();
    let odd = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    tree.put(odd(b"t/dot-\xff{os}"), FileKind::File);
    tree.put(odd(b"p/{cfg}\xfe/x"), FileKind::File);
    let body = "[[tree]]\nfrom = 't'\ninto = '.'\ndotfiles = true\n[[each]]\nfor = 'p/*'\nlinks = { '{dir}/l-{base}' = '{dir}/x' }\n";
    let expanded = good(body).expand(&tree).unwrap();
    let [tree_link, each_link] = &expanded.links[..] else { panic!("{expanded:?}") };
    assert_eq!(tree_link.link.as_path(), odd(b".\xff{os}"));
    assert_eq!(tree_link.target.as_os_str(), odd(b"t/dot-\xff{os}"));
    assert_eq!(each_link.link.as_path(), odd(b"p/{cfg}\xfe/l-{cfg}\xfe"));
    assert_eq!(each_link.target.as_os_str(), odd(b"p/{cfg}\xfe/x"));
}

#[test]
fn each_directory_that_matches_gets_its_links() {
    let tree = Tree::of(&[
        "packages/b/x",
        "packages/a/",
        "packages/legacy-c/",
        "packages/file",
        "packages/a/deep/",
        "tools/e",
    ]);
    let with = |head: &str, each: &str| expanded(&format!("{head}\n[[each]]\n{each}\n"), &tree);
    assert_eq!(
        with("", "for = 'packages/*'\nexclude = ['packages/legacy-*']\nlinks = { '{dir}/.e' = 'tools/e' }"),
        ["packages/a/.e -> tools/e", "packages/b/.e -> tools/e"]
    );
    assert_eq!(
        with("source = 'tools'", "for = 'packages/[ab]'\nlinks = { 'by/{base}' = '{dir}', 'e/{base}' = 'e' }"),
        ["by/a -> packages/a", "by/b -> packages/b", "e/a -> tools/e", "e/b -> tools/e"]
    );
    assert_eq!(with("", "for = '**/deep'\nlinks = { '{dir}/l' = 'tools/e' }"), ["packages/a/deep/l -> tools/e"]);
    assert_eq!(with("", "for = '{packages,tools}'\nlinks = { '{dir}/l' = '{base}' }").len(), 2);
    assert_eq!(with("", "for = './packages/a/'\nlinks = { '{dir}/l' = 't' }"), ["packages/a/l -> t"]);
    assert_eq!(with("", "for = 'none/*'\nlinks = { '{dir}/l' = 't' }"), Vec::<String>::new());
    assert_eq!(
        with("", "for = '*'\nstyle = 'verbatim'\nlinks = { '{dir}/l' = '../{base}//x' }"),
        ["packages/l -> ../packages//x", "tools/l -> ../tools//x"]
    );
}

#[test]
fn only_directories_that_can_match_are_listed() {
    struct Watched(Tree, std::cell::RefCell<Vec<PathBuf>>);
    impl Listing for Watched {
        fn list(&self, dir: &Path, visit: &mut dyn FnMut(&OsStr, FileKind) -> ControlFlow<()>) -> caplink::Result<()> {
            self.1.borrow_mut().push(dir.to_path_buf());
            self.0.list(dir, visit)
        }
    }
    let tree = Tree::of(&["packages/a/src/x", "packages/b/src/", "big/deep/deeper/", "packages/a/doc/"]);
    let watched = Watched(tree, Default::default());
    good("[[each]]\nfor = 'packages/*/src'\nlinks = { '{dir}/l' = 't' }\n").expand(&watched).unwrap();
    assert_eq!(*watched.1.borrow(), ["", "packages", "packages/a", "packages/b"].map(PathBuf::from));
}

#[test]
fn a_link_wins_over_a_tree_and_that_is_told() {
    let tree = Tree::of(&["t/a", "t/b"]);
    let expanded = good("[links]\na = 'mine'\n[[tree]]\nfrom = 't'\ninto = '.'\n").expand(&tree).unwrap();
    assert_eq!(links(&expanded), ["a -> mine", "b -> t/b"]);
    let [overridden] = &expanded.overridden[..] else { panic!("{expanded:?}") };
    assert_eq!((overridden.link.to_string().as_str(), overridden.by.line, overridden.tree.line), ("a", 4, 5));
}

#[test]
fn what_is_declared_twice_after_all_is_told_with_the_line() {
    let tree = Tree::of(&["t/a", "u/a", "p/x/"]);
    let trees = "[[tree]]\nfrom = 't'\ninto = '.'\n[[tree]]\nfrom = 'u'\ninto = '.'\n";
    let twice = "invalid_manifest line 6, column 1: `a` is declared twice, first in line 3";
    assert_eq!(troubles(trees, &tree), [twice]);
    let below = "[[tree]]\nfrom = 't'\ninto = 'd/e'\n[links]\nd = 'x'\n";
    assert_eq!(
        troubles(below, &tree),
        ["invalid_manifest line 7, column 1: `d` is to be a link, and `d/e/a` of line 3 is below it"]
    );
    let each = "[[each]]\nfor = 'p/*'\nlinks = { 'l-{base}' = 't' }\n[links]\nl-x = 'y'\n";
    assert_eq!(troubles(each, &tree), ["invalid_manifest line 7, column 1: `l-x` is declared twice, first in line 3"]);
    let absent = "[[absent]]\nat = 'a'\n[[tree]]\nfrom = 't'\ninto = '.'\n";
    assert_eq!(troubles(absent, &tree), ["invalid_manifest line 5, column 1: `a` is declared twice, first in line 4"]);
    let current = "[release.web]\ncurrent = 'a'\n[[tree]]\nfrom = 't'\ninto = '.'\n";
    assert_eq!(troubles(current, &tree), ["invalid_manifest line 5, column 1: `a` is declared twice, first in line 3"]);
    let same = Tree::of(&["p/x/", "q/x/"]);
    let twice = "[[each]]\nfor = '*/x'\nlinks = { 'l-{base}' = 't' }\n";
    assert_eq!(troubles(twice, &same), ["invalid_manifest line 3, column 1: `l-x` is declared twice, first in line 3"]);
}

#[test]
fn a_tree_or_directory_that_is_not_declared_is_not_looked_at() {
    let tree = Tree::default();
    assert_eq!(expanded("[[tree]]\nfrom = 'gone'\ninto = '.'\nwhen.os = ['macos']\n", &tree), Vec::<String>::new());
}

#[test]
fn more_than_a_million_entries_are_refused_after_all() {
    /// A directory with very many files.
    struct Endless(u32);
    impl Listing for Endless {
        fn list(&self, dir: &Path, visit: &mut dyn FnMut(&OsStr, FileKind) -> ControlFlow<()>) -> caplink::Result<()> {
            let kind = if dir.as_os_str().is_empty() { FileKind::Dir } else { FileKind::File };
            for number in 0..self.0 {
                if visit(OsStr::new(&format!("{number:x}")), kind).is_break() {
                    break;
                }
            }
            Ok(())
        }
    }
    let body = "[[tree]]\nfrom = 't'\ninto = '.'\n";
    assert_eq!(
        troubles(body, &Endless(1_000_001)),
        ["invalid_manifest line 3, column 1: with it there are more than 1000000 entries"]
    );
    let told = troubles(body, &Endless(u32::MAX));
    assert!(told.len() == 1 && told[0].contains("more than 10000000 names"), "{told:?}");
}

#[test]
fn a_tree_without_an_end_ends() {
    /// Each directory has another one in it.
    struct Deep;
    impl Listing for Deep {
        fn list(&self, _: &Path, visit: &mut dyn FnMut(&OsStr, FileKind) -> ControlFlow<()>) -> caplink::Result<()> {
            let _ = visit(OsStr::new("deeper"), FileKind::Dir);
            Ok(())
        }
    }
    for body in ["[[tree]]\nfrom = 't'\ninto = '.'\n", "[[each]]\nfor = '**'\nlinks = { '{dir}/../l' = 't' }\n"] {
        let Ok(manifest) = caplink::manage::Manifest::parse(super::with_head(body).as_bytes(), &super::facts()) else {
            continue;
        };
        let troubles = manifest.expand(&Deep).unwrap_err();
        assert!(troubles.iter().any(|trouble| trouble.kind() == Kind::TooLong), "{troubles:?}");
    }
}

/// A real tree: what cannot be read is an error, never a shorter list.
#[test]
fn a_root_is_listed_through_no_link_and_without_its_state() {
    let dir = tempfile::tempdir().unwrap();
    let at = |path: &str| dir.path().join(path);
    for path in ["t/sub", ".caplink/staging", "p/a", "outside"] {
        std::fs::create_dir_all(at(path)).unwrap();
    }
    for path in ["t/a", "t/sub/b", ".caplink/log.jsonl", ".caplink-records", "outside/secret"] {
        std::fs::write(at(path), "").unwrap();
    }
    std::os::unix::fs::symlink("../outside", at("t/link")).unwrap();
    std::os::unix::fs::symlink("t", at("alias")).unwrap();
    std::os::unix::fs::symlink("../outside", at("p/l")).unwrap();
    let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
    let expand = |body: &str, root: &Root| good(body).expand(root);
    let tree = expand("[[tree]]\nfrom = 't'\ninto = 'home'\n", &root).unwrap();
    assert_eq!(links(&tree), ["home/a -> t/a", "home/link -> t/link", "home/sub/b -> t/sub/b"]);
    let all = expand("[[tree]]\nfrom = '.'\ninto = 'home'\nexclude = ['home', 't', 'p', 'outside']\n", &root).unwrap();
    assert_eq!(links(&all), ["home/alias -> alias"], "the state directory is not shown");
    let each = expand("[[each]]\nfor = '*'\nlinks = { '{dir}/l2' = 't' }\n", &root).unwrap();
    assert_eq!(links(&each), ["outside/l2 -> t", "p/l2 -> t", "t/l2 -> t"]);
    let each = expand("[[each]]\nfor = 'p/*'\nlinks = { '{dir}/x' = 't' }\n", &root).unwrap();
    assert_eq!(links(&each), ["p/a/x -> t"], "a link to a directory is no directory");
    let policy = Policy::default().follow(true);
    let following = Root::open_ambient(dir.path(), policy, ambient_authority()).unwrap();
    for root in [&root, &following] {
        for (from, kind) in [("alias", Kind::SymlinkInPath), ("gone", Kind::NotFound), ("t/a", Kind::NotFound)] {
            let troubles = expand(&format!("[[tree]]\nfrom = '{from}'\ninto = 'home'\n"), root).unwrap_err();
            assert_eq!((troubles.len(), troubles[0].kind()), (1, kind), "{from}");
            assert!(matches!(&troubles[0], Trouble::Unread { at, .. } if at.line == 3));
        }
    }
}

#[test]
fn a_directory_that_cannot_be_read_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("t/closed")).unwrap();
    std::fs::write(dir.path().join("t/a"), "").unwrap();
    let closed = dir.path().join("t/closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&closed).is_ok() {
        eprintln!("SKIPPED: a directory that cannot be read: this user can read every directory");
        return;
    }
    let root = Root::open_ambient(dir.path(), Policy::default(), ambient_authority()).unwrap();
    let troubles = good("[[tree]]\nfrom = 't'\ninto = '.'\n").expand(&root).unwrap_err();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!((troubles.len(), troubles[0].kind()), (1, Kind::Permission));
}
