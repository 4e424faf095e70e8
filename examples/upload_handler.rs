//! An HTTP server that takes uploads of many tenants, each of whom may change its own directory at any time.
//!
//!     upload_handler UPLOADS [ADDRESS]
//!
//! `PUT /TENANT/files/PATH` stores the body as a new object of the tenant and points the link `files/PATH` at it, so
//! that a reader sees the old file or the new one, whole. `GET` reads it. UPLOADS has one directory a tenant.
//!
//! A tenant may plant links and move directories while its request is handled: the link is made below the tenant's
//! own root or not at all. The object is written through a `cap_std` directory, which the tenant cannot lead out of
//! either. The state directory stays in UPLOADS, out of the tenant's reach. UPLOADS itself is the operator's alone.
//!
//! A replaced object stays: a reader can have it open, and other links can lead to it. Objects that no link leads to are
//! for a sweep that runs by itself.

#![expect(clippy::print_stdout, reason = "whoever starts it wants to know the address")]

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::put;
use cap_std::fs::{Dir, OpenOptions};
use caplink::{Edit, Effect, Kind, LinkPath, Outcome, Policy, Root, Target};

/// An answer: the status and a line.
type Answer = (StatusCode, Vec<u8>);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let uploads = arguments.next().ok_or("usage: upload_handler UPLOADS [ADDRESS]")?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let app = Arc::new(Uploads::open(FilePath::new(&uploads))?);
    let routes = Router::new().route("/{tenant}/files/{*path}", put(store).get(fetch)).with_state(app);
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    Ok(axum::serve(listener, routes).await?)
}

async fn store(State(app): State<Arc<Uploads>>, Path((tenant, path)): Path<(String, String)>, body: Bytes) -> Answer {
    // Link edits are system calls: a thread of its own keeps them from blocking the other requests.
    let stored = tokio::task::spawn_blocking(move || app.store(&tenant, &path, &body)).await;
    match stored {
        Ok(Ok(outcome)) if outcome.effect == Effect::Created => (StatusCode::CREATED, b"created\n".to_vec()),
        Ok(Ok(outcome)) => (StatusCode::OK, format!("{}\n", outcome.effect.as_str()).into()),
        Ok(Err(refusal)) => refusal.into_answer(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}

async fn fetch(State(app): State<Arc<Uploads>>, Path((tenant, path)): Path<(String, String)>) -> Answer {
    let fetched = tokio::task::spawn_blocking(move || app.fetch(&tenant, &path)).await;
    match fetched {
        Ok(Ok(content)) => (StatusCode::OK, content),
        Ok(Err(refusal)) => refusal.into_answer(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}

/// The directory of all tenants.
struct Uploads {
    root: Root,
    dir: Dir,
    /// Tells the objects of this process apart.
    objects: AtomicU64,
}

/// One tenant: for links, and for files.
struct Tenant {
    root: Root,
    dir: Dir,
}

impl Uploads {
    fn open(path: &FilePath) -> Result<Uploads, Box<dyn Error>> {
        let authority = cap_std::ambient_authority();
        // No tenant may store a text that leads out of its own root, or nowhere.
        let policy = Policy::default().outside(false).dangling(false);
        let root = Root::open_ambient(path, policy, authority)?;
        Ok(Uploads { root, dir: Dir::open_ambient_dir(path, authority)?, objects: AtomicU64::new(0) })
    }

    fn tenant(&self, name: &str) -> Result<Tenant, Refusal> {
        // A tenant is one directory, and none of those in it.
        if !LinkPath::new(name)?.parent().as_os_str().is_empty() {
            return Err(Refusal::NoTenant);
        }
        Ok(Tenant { root: self.root.subroot(name)?, dir: self.dir.open_dir(name)? })
    }

    fn store(&self, tenant: &str, path: &str, body: &[u8]) -> Result<Outcome, Refusal> {
        let link = LinkPath::new(format!("files/{path}"))?;
        let tenant = self.tenant(tenant)?;
        let object = format!("objects/{}", self.new_name());
        tenant.dir.create_dir_all("objects")?;
        tenant.dir.open_with(&object, OpenOptions::new().write(true).create_new(true))?.write_all(body)?;
        let linked = tenant.root.apply(&Edit::ensure(link, Target::relative(&object)).parents(true));
        if linked.is_err() {
            // An object that nothing leads to is garbage; what cannot be removed now is found by a scan.
            let _removed = tenant.dir.remove_file(&object);
        }
        Ok(linked?)
    }

    fn fetch(&self, tenant: &str, path: &str) -> Result<Vec<u8>, Refusal> {
        let link = LinkPath::new(format!("files/{path}"))?;
        // Follows the tenant's links, and none of them out of its directory.
        Ok(self.tenant(tenant)?.dir.read(&link)?)
    }

    fn new_name(&self) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        format!("{now:x}-{}-{}", std::process::id(), self.objects.fetch_add(1, Ordering::Relaxed))
    }
}

/// Why a request was not carried out.
enum Refusal {
    Link(caplink::Error),
    File(io::Error),
    NoTenant,
}

impl From<caplink::Error> for Refusal {
    fn from(error: caplink::Error) -> Refusal {
        Refusal::Link(error)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::File(error)
    }
}

impl Refusal {
    fn into_answer(self) -> Answer {
        let (status, kind) = match &self {
            Refusal::Link(error) => (status(error.kind()), error.kind().as_str()),
            Refusal::NoTenant => (StatusCode::NOT_FOUND, "not_found"),
            Refusal::File(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
                    (StatusCode::NOT_FOUND, "not_found")
                }
                io::ErrorKind::PermissionDenied => (StatusCode::FORBIDDEN, "permission"),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "io"),
            },
        };
        (status, format!("{kind}\n").into())
    }
}

fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::InvalidPath | Kind::InvalidTarget | Kind::TooLong => StatusCode::BAD_REQUEST,
        Kind::Exists | Kind::NotALink | Kind::Mismatch | Kind::Contended => StatusCode::CONFLICT,
        Kind::Escape | Kind::SymlinkInPath | Kind::CrossMount | Kind::Policy | Kind::ParentMoved => {
            StatusCode::FORBIDDEN
        }
        Kind::NotFound | Kind::Dangling | Kind::Loop => StatusCode::NOT_FOUND,
        Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
