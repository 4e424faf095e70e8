//! Who runs this process, as far as the system tells.

use std::os::unix::process::parent_id;

use super::Caller;
use super::lasting::read_small;

/// What the kernel has for a process without an audit session.
const NO_SESSION: u32 = u32::MAX;

pub(crate) fn caller() -> Caller {
    let uid = rustix::process::geteuid().as_raw();
    let login_uid = number("/proc/self/loginuid").filter(|uid| *uid != NO_SESSION);
    let users = read_small("/etc/passwd").unwrap_or_default();
    let parent = parent_id();
    Caller {
        uid,
        user: name_of(&users, uid),
        login_uid,
        login_user: login_uid.and_then(|uid| name_of(&users, uid)),
        parent,
        program: line(&format!("/proc/{parent}/comm")),
        host: line("/proc/sys/kernel/hostname"),
    }
}

fn line(path: &str) -> Option<String> {
    Some(read_small(path)?.trim_end_matches('\n').to_owned()).filter(|line| !line.is_empty())
}

fn number(path: &str) -> Option<u32> {
    line(path)?.parse().ok()
}

/// The name of a user in the file of them. Those of a directory service are not in it.
fn name_of(users: &str, uid: u32) -> Option<String> {
    let mut lines = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = lines.find(|fields| fields.get(2).is_some_and(|field| field.parse() == Ok(uid)))?;
    user.first().map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# a comment\ndeploy:x:1000:1000::/home/deploy:/bin/sh\n";
        assert_eq!(name_of(users, 1000).as_deref(), Some("deploy"));
        assert_eq!(name_of(users, 100), None);
    }
}
