//! The kept inputs (语料): a folder for each reader, and every input that ever broke one.

use std::path::PathBuf;

use crate::Target;

/// The folder of a reader's kept inputs.
pub fn folder(target: &Target) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus")).join(target.name)
}

/// Every kept input, by name.
pub fn kept(target: &Target) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let folder = folder(target);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
    files.sort();
    let named = |path: PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        std::fs::read(path).map(|bytes| (name, bytes))
    };
    files.into_iter().map(named).collect()
}

/// Keeps an input that broke a reader; gives its path.
pub fn keep(target: &Target, input: &[u8]) -> std::io::Result<PathBuf> {
    let folder = folder(target);
    std::fs::create_dir_all(&folder)?;
    let digest = tb_crypto::sha256(input);
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("broke-{name}"));
    std::fs::write(&path, input)?;
    Ok(path)
}
