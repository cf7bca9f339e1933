//! Files of a city (本市文件): read with a reason where they cannot be, written for everybody or for the node's user alone.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tb_base::{Fault, Result};

/// Nobody but the node's own user.
const PRIVATE: u32 = 0o600;

/// A value as readable JSON.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(|error| Fault::of("writing JSON", error).into())
}

/// A value of a JSON file.
pub fn parse<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_str(&read(path)?)
        .map_err(|error| Fault::of(format!("reading {}", path.display()), error).into())
}

/// The text of a file.
pub fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| Fault::of(format!("reading {}", path.display()), error).into())
}

/// Writes a text that anybody may read.
pub fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| Fault::of(format!("writing {}", path.display()), error).into())
}

/// Writes a secret into a file that is not there yet: a key is never written over.
pub fn create_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("writing {}; a file of secrets that is there is never replaced", path.display());
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| Fault::of(doing(), error).into())
}

/// Writes a secret in place of what the file held: it is there whole or as it was, whenever the power fails.
pub fn replace_secret(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("writing {}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    // What a crash left beside it is of no use, and may have another mode.
    let _ = fs::remove_file(beside);
    create_secret(beside, text.as_bytes())?;
    let moved = fs::rename(beside, path).and_then(|()| fs::File::open(folder_of(path))?.sync_all());
    moved.map_err(|error| Fault::of(doing(), error).into())
}

/// The folder of a file; a bare name lies in the folder that one stands in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tb_testkit::Folder;

    use super::{create_secret, read, replace_secret, write};

    #[test]
    fn a_secret_is_for_nobody_else_and_replaced_by_name_only() {
        let folder = Folder::new("files");
        let file = folder.file("secret");
        let mode = || std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        create_secret(&file, b"one").unwrap();
        let problem = create_secret(&file, b"two").unwrap_err().to_string();
        assert!(problem.contains("never replaced"), "{problem}");
        assert_eq!((read(&file).unwrap(), mode()), ("one".to_owned(), 0o600));
        // What anybody could read is closed when a secret takes its place, and so is what a crash left beside it.
        std::fs::remove_file(&file).unwrap();
        write(&file, "open").unwrap();
        write(&folder.file("secret.new"), "left").unwrap();
        replace_secret(&file, "two").unwrap();
        assert_eq!((read(&file).unwrap(), mode()), ("two".to_owned(), 0o600));
        assert!(!folder.file("secret.new").exists());
    }
}
