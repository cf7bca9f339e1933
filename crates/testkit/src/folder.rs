//! A folder that is removed when the test ends.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A fresh folder under the system's folder for temporary files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Folder {
    /// Makes the folder; the name only helps whoever finds it after a crash.
    ///
    /// # Panics
    /// Where the folder cannot be made: no test can go on without it.
    pub fn new(name: &str) -> Folder {
        Folder::under(&std::env::temp_dir(), name)
    }

    /// A fresh folder in memory where the machine has a place for that: for files that need not outlive the power.
    ///
    /// # Panics
    /// As [`Folder::new`] does.
    pub fn in_memory(name: &str) -> Folder {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Folder::under(memory, name) } else { Folder::new(name) }
    }

    #[expect(clippy::panic, reason = "a test that cannot have its folder has to stop with the reason")]
    fn under(place: &Path, name: &str) -> Folder {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("tongban-{name}-{}-{number}", std::process::id()));
        if let Err(error) = std::fs::create_dir_all(&path) {
            panic!("making {}: {error}", path.display());
        }
        Folder { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind harms nobody.
        drop(std::fs::remove_dir_all(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;

    #[test]
    fn a_folder_ends_with_its_owner() {
        let (one, other) = (Folder::new("same"), Folder::new("same"));
        assert_ne!(one.path(), other.path());
        std::fs::write(one.file("a"), "a").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && other.path().exists());
    }
}
