//! A file that only one process has at a time (独占): given free when it is dropped, and really so.
//!
//! A lock belongs to what was opened, and a child process that is just being started has that, too, until it runs its
//! own program: closing alone would leave the lock to it for a moment. It is therefore given up by name.

use std::fs::{File, TryLockError};
use std::ops::Deref;

/// A locked file.
pub(crate) struct Held(File);

impl Held {
    /// Locks it for this process.
    pub(crate) fn take(file: File) -> std::result::Result<Held, TryLockError> {
        file.try_lock().map(|()| Held(file))
    }
}

impl Deref for Held {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Where that fails, closing gives it free a moment later.
        drop(self.0.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a child has between its birth and its program: the same open file once more.
    #[test]
    fn a_copy_of_the_handle_keeps_nobody_out() {
        let folder = tb_testkit::Folder::new("held");
        let open = || File::create(folder.file("lock")).expect("a file");
        let held = Held::take(open()).expect("free");
        let copy = held.try_clone().expect("a copy");
        assert!(matches!(Held::take(open()), Err(TryLockError::WouldBlock)));
        drop(held);
        assert!(Held::take(open()).is_ok());
        drop(copy);
    }
}
