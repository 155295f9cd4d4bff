//! The socket of the private Postgres, through which a statement costs less than over TCP. It is in the directory of Postgres'
//! files, which no other user enters.

use std::fs;
use std::path::Path;

/// How the names of the socket, and of its lock file, begin.
const NAME: &str = ".s.PGSQL.";
/// The longest path of a socket (unix(7) allows 108 bytes with the final zero, other systems 104).
const PATH_MAX: usize = 103;
/// The digits of a port.
const PORT_LENGTH: usize = 5;

/// Whether there can be a socket in the directory: its path must not be too long.
pub(super) fn is_possible(directory: &Path) -> bool {
    directory.as_os_str().len() + 1 + NAME.len() + PORT_LENGTH <= PATH_MAX
}

/// Removes the sockets of servers that have ended. Postgres would look for the processes that their lock files name; but only
/// our server uses this directory, and the one before has been stopped.
pub(super) fn remove_stale(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(NAME) {
            // Postgres says so itself if the file is still in its way.
            let _ = fs::remove_file(entry.path());
        }
    }
}
