//! The upload handler, asked over HTTP as no proper client would.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::support::ground::temp_dir;
use super::{example, text};

/// The upload handler, on a free port; it ends with the test.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(uploads: &Path) -> Server {
        let mut process = Command::new(example("upload_handler")).arg(uploads).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Server { process, address }
    }

    /// Sends a request as it is spelled, which a proper client would not, and returns status and body.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.trim_end().to_owned())
    }

    fn put(&self, path: &str, body: &str) -> (u16, String) {
        self.ask("PUT", path, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Two tenants; the directory of the first is open to another user, as it would be to the tenant.
fn uploads() -> (TempDir, Server) {
    let dir = temp_dir();
    for tenant in ["acme", "globex"] {
        fs::create_dir_all(dir.path().join(tenant).join("files")).unwrap();
    }
    fs::set_permissions(dir.path().join("acme/files"), fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(dir.path().join("globex/files/secret"), "secret").unwrap();
    let server = Server::start(dir.path());
    (dir, server)
}

/// Every name and every content of the tenant that is not to be touched.
fn neighbour(dir: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![dir.join("globex")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let content = fs::read_to_string(&path).unwrap_or_else(|error| error.to_string());
                found.push((path, content));
            }
        }
    }
    found
}

#[test]
fn the_upload_handler_links_an_upload_below_the_tenants_own_root() {
    let (dir, server) = uploads();
    assert_eq!(server.put("/acme/files/2026/report.txt", "one"), (201, "created".to_owned()));
    assert_eq!(server.put("/acme/files/2026/report.txt", "two"), (200, "replaced".to_owned()));
    assert_eq!(server.ask("GET", "/acme/files/2026/report.txt", ""), (200, "two".to_owned()));
    let target = text(dir.path().join("acme/files/2026/report.txt"));
    assert!(target.starts_with("../../objects/"), "{target}");
    assert_eq!(server.put("/initech/files/x", ""), (404, "not_found".to_owned()));
    fs::write(dir.path().join("acme/files/taken"), "mine").unwrap();
    assert_eq!(server.put("/acme/files/taken", ""), (409, "not_a_link".to_owned()));
    assert_eq!(server.ask("GET", "/acme/files/2026", ""), (404, "not_found".to_owned()));
}

#[test]
fn the_upload_handler_refuses_a_tenant_that_reaches_for_its_neighbour() {
    let (dir, server) = uploads();
    let before = neighbour(dir.path());
    let files = dir.path().join("acme/files");
    symlink("../../globex/files", files.join("door")).unwrap();
    symlink("../../globex/files/secret", files.join("leak")).unwrap();
    for (path, answer) in [
        ("/acme/files/../../globex/files/x", (403, "escape")),
        ("/acme/files/%2e%2e/%2e%2e/globex/files/x", (403, "escape")),
        ("/acme/files/..%2f..%2fglobex/files/x", (403, "escape")),
        ("/acme/files/../x", (400, "invalid_path")),
        ("/../files/x", (403, "escape")),
        ("/%2e%2e/files/x", (403, "escape")),
        ("/acme/files/x%00y", (400, "invalid_path")),
        ("/acme/files/door/x", (403, "symlink_in_path")),
        ("/globex%2ffiles/files/x", (404, "not_found")),
    ] {
        assert_eq!(server.put(path, "evil"), (answer.0, answer.1.to_owned()), "{path}");
    }
    assert_ne!(server.ask("GET", "/acme/files/leak", "").1, "secret");
    assert_eq!(server.ask("GET", "/globex/files/secret", ""), (200, "secret".to_owned()), "its own tenant reads it");
    assert_eq!(neighbour(dir.path()), before);
}

/// Ends the attacker's thread, also where an assertion fails.
#[cfg(target_os = "linux")]
struct Ends<'a>(&'a AtomicBool);

#[cfg(target_os = "linux")]
impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_upload_handler_stays_below_the_tenants_root_while_the_tenant_exchanges_directories_for_links() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let (dir, server) = uploads();
    let before = neighbour(dir.path());
    let files = dir.path().join("acme/files");
    fs::create_dir(files.join("d")).unwrap();
    symlink("../../globex/files", files.join("evil")).unwrap();
    let done = AtomicBool::new(false);
    let (mut stored, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let (d, evil) = (files.join("d"), files.join("evil"));
                renameat_with(CWD, d, CWD, evil, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let _ended = Ends(&done);
        for round in 0..2000 {
            match server.put(&format!("/acme/files/d/{}", round % 7), "upload") {
                (200 | 201, _) => stored += 1,
                (403, kind) if ["symlink_in_path", "parent_moved"].contains(&kind.as_str()) => refused += 1,
                (404 | 409, kind) if ["not_found", "contended"].contains(&kind.as_str()) => refused += 1,
                answer => panic!("{answer:?}"),
            }
            if round > 200 && stored > 20 && refused > 20 {
                break;
            }
        }
    });
    assert!(stored > 20 && refused > 20, "the race was not one: {stored} stored, {refused} refused");
    assert_eq!(neighbour(dir.path()), before);
}
