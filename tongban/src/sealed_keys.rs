//! A city's keys under a passphrase (密钥备份): one file, kept apart from the backups of the data.
//!
//! A line `TONGBAN-KEYS-1`, a line of JSON that says how the passphrase was stretched (argon2id), then what it seals
//! (AES-256-GCM, the two lines authenticated). With these keys and a backup everything can be read: keep them apart.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use tb_base::{Entropy, Fault, NodeId, Result, Violation};
use tb_crypto::Vault;
use tb_crypto::text::{base64, unbase64};

use crate::files::{create_secret, folder_of};
use crate::keys::{RENEWALS_MAX, is_renewed};

/// The first line.
const MAGIC: &str = "TONGBAN-KEYS-1";
/// Memory of the stretching, in KiB: it is done once in a long while.
const MEMORY_KIB: u32 = 64 * 1024;
/// Passes over it.
const PASSES: u32 = 3;
/// What a file may ask for at the most.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
/// Fewest letters of a passphrase.
const PASSPHRASE_LETTERS_MIN: usize = 12;
/// Key files of a city: three of each set, the keys of the vault, and what a crash may leave beside them.
const FILES_MAX: usize = 3 * RENEWALS_MAX as usize + 64;
/// Bytes of a key file.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// How the passphrase was stretched.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stretching {
    city: NodeId,
    memory_kib: u32,
    passes: u32,
    salt: String,
}

/// The key files of a city, by name.
pub type KeyFiles = BTreeMap<String, String>;

/// Reads a passphrase: the first line of a file that nobody else should read.
pub fn passphrase(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file)
        .map_err(|error| Fault::of(format!("reading the passphrase in {}", file.display()), error))?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.chars().count() < PASSPHRASE_LETTERS_MIN {
        let problem = format!("the first line has fewer than {PASSPHRASE_LETTERS_MIN} letters");
        return Err(Fault::new(format!("reading the passphrase in {}: {problem}", file.display())).into());
    }
    Ok(line)
}

/// Writes every file of the key folder, sealed; a file that is there already stays.
pub fn write(
    keys: &Path,
    city: NodeId,
    passphrase: &str,
    entropy: &mut dyn Entropy,
    to: &Path,
) -> Result<usize> {
    let files = collect(keys)?;
    create_secret(to, &seal(&files, city, passphrase, entropy)?)?;
    Ok(files.len())
}

/// Opens such a file: with another passphrase, for another city, or changed in one byte, it does not open.
pub fn open(from: &Path, city: NodeId, passphrase: &str) -> Result<KeyFiles> {
    let bytes = fs::read(from).map_err(|error| Fault::of(format!("reading {}", from.display()), error))?;
    unseal(&bytes, city, passphrase)
}

/// Puts key files into a folder, for the node's own user only. One that is there must be the same.
pub fn put(files: &KeyFiles, keys: &Path) -> Result<()> {
    for (name, text) in files {
        let path = keys.join(name);
        let folder = folder_of(&path);
        fs::create_dir_all(folder)
            .map_err(|error| Fault::of(format!("making {}", folder.display()), error))?;
        match fs::read_to_string(&path) {
            Ok(there) if there == *text => continue,
            Ok(_) => {
                let problem = "another key is there already, and is not overwritten; move it away first";
                return Err(Fault::new(format!("writing {}: {problem}", path.display())).into());
            }
            Err(_) => {}
        }
        create_secret(&path, text.as_bytes())?;
    }
    Ok(())
}

/// Every file of the folder and of the renewed sets in it.
fn collect(keys: &Path) -> Result<KeyFiles> {
    let mut files = KeyFiles::new();
    add(keys, "", &mut files)?;
    if files.is_empty() {
        return Err(Fault::new(format!("reading {}: no keys are there", keys.display())).into());
    }
    Ok(files)
}

/// Adds the files of one folder; their names begin with `within`.
fn add(folder: &Path, within: &str, files: &mut KeyFiles) -> Result<()> {
    let doing = || format!("reading {}", folder.display());
    for entry in fs::read_dir(folder).map_err(|error| Fault::of(doing(), error))? {
        let entry = entry.map_err(|error| Fault::of(doing(), error))?;
        let about = entry.metadata().map_err(|error| Fault::of(doing(), error))?;
        let name = format!("{within}{}", entry.file_name().to_string_lossy());
        if about.is_dir() && is_renewed(&name) {
            add(&entry.path(), &format!("{name}/"), files)?;
            continue;
        }
        if !about.is_file() || !is_name(&name) {
            return Err(Fault::new(format!("{}: {name} is no key file", doing())).into());
        }
        if FILE_BYTES_MAX < about.len() || files.len() == FILES_MAX {
            return Err(Fault::new(format!("{}: more than a city has", doing())).into());
        }
        let text = fs::read_to_string(entry.path()).map_err(|error| Fault::of(doing(), error))?;
        files.insert(name, text);
    }
    Ok(())
}

/// A name that leads to no other folder than that of the keys and of a renewed set in it.
fn is_name(name: &str) -> bool {
    let good = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let name = match name.split_once('/') {
        Some((set, name)) if is_renewed(set) => name,
        Some(_) => return false,
        None => name,
    };
    !name.is_empty() && !name.starts_with('.') && name.chars().all(good)
}

fn seal(files: &KeyFiles, city: NodeId, passphrase: &str, entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let how = Stretching { city, memory_kib: MEMORY_KIB, passes: PASSES, salt: base64(&salt) };
    let json = |error| Fault::of("writing the keys", error);
    let head = format!("{MAGIC}\n{}\n", serde_json::to_string(&how).map_err(json)?);
    let plain = serde_json::to_vec(files).map_err(json)?;
    let sealed = vault(&how, passphrase)?.seal(entropy, head.as_bytes(), &plain);
    Ok([head.as_bytes(), &sealed].concat())
}

fn unseal(bytes: &[u8], city: NodeId, passphrase: &str) -> Result<KeyFiles> {
    let bad = |detail: &'static str| Violation::new("keys-invalid", "keys", detail);
    let rest = bytes.strip_prefix(format!("{MAGIC}\n").as_bytes());
    let rest = rest.ok_or_else(|| bad("it is no file of keys, or of another version"))?;
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| bad("it ends early"))?;
    let how: Stretching =
        serde_json::from_slice(&rest[..end]).map_err(|_| bad("its second line is not understood"))?;
    if how.city != city {
        return Err(bad("these are the keys of another city").into());
    }
    let (head, sealed) = bytes.split_at(MAGIC.len() + 1 + end + 1);
    let plain = vault(&how, passphrase)?.open(head, sealed);
    let plain = plain.map_err(|_| bad("the passphrase is another, or the file was changed"))?;
    let files: KeyFiles = serde_json::from_slice(&plain).map_err(|_| bad("it holds no key files"))?;
    if files.keys().all(|name| is_name(name)) {
        Ok(files)
    } else {
        Err(bad("a name leads to another folder").into())
    }
}

fn vault(how: &Stretching, passphrase: &str) -> Result<Vault> {
    if MEMORY_KIB_MAX < how.memory_kib || PASSES_MAX < how.passes {
        return Err(Violation::new("keys-invalid", "keys", "the stretching asks for too much").into());
    }
    let failed = |error: argon2::Error| Fault::new(format!("stretching the passphrase: {error}"));
    let params = Params::new(how.memory_kib, how.passes, 1, Some(32)).map_err(failed)?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), &unbase64(&how.salt)?, &mut key)
        .map_err(failed)?;
    Ok(Vault::new(key))
}

#[cfg(test)]
mod tests {
    use tb_testkit::Folder;

    use super::{KeyFiles, open, put, seal, unseal, write};
    use crate::clock::OsEntropy;
    use crate::keys::{Keys, newest, next_set};

    #[test]
    fn keys_open_with_their_passphrase_for_their_city_and_unchanged() {
        let city = "430100".parse().unwrap();
        let files = KeyFiles::from([("secrets.json".to_owned(), "{\"vault\":\"7\"}".to_owned())]);
        let sealed = seal(&files, city, "correct horse battery", &mut OsEntropy).unwrap();
        assert!(!sealed.windows(5).any(|part| part == b"vault"));
        assert_eq!(unseal(&sealed, city, "correct horse battery").unwrap(), files);
        assert!(unseal(&sealed, city, "correct horse batterz").is_err());
        assert!(unseal(&sealed, "430200".parse().unwrap(), "correct horse battery").is_err());
        for at in [0, 20, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(unseal(&changed, city, "correct horse battery").is_err(), "byte {at}");
        }
        assert!(unseal(&sealed[..30], city, "correct horse battery").is_err());
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let city = "430100".parse().unwrap();
        for (name, is_good) in [
            ("secrets.json", true),
            ("renewed-1/secrets.json", true),
            ("../city.toml", false),
            ("renewed-1/../city.toml", false),
            ("renewed-1/a/b", false),
            ("renewed-01/secrets.json", false),
            ("renewed-9999999/secrets.json", false),
            ("other/secrets.json", false),
            ("/secrets.json", false),
            ("renewed-1/", false),
        ] {
            let files = KeyFiles::from([(name.to_owned(), String::new())]);
            let sealed = seal(&files, city, "correct horse battery", &mut OsEntropy).unwrap();
            assert_eq!(unseal(&sealed, city, "correct horse battery").is_ok(), is_good, "{name}");
        }
    }

    #[test]
    fn renewed_keys_are_collected_and_put_where_they_were() {
        let folder = Folder::new("renewed-keys");
        let (city, keys) = ("430100".parse().unwrap(), folder.file("keys"));
        let first = Keys::generate(city, &mut OsEntropy).unwrap();
        first.write(&keys).unwrap();
        let second = first.renewed(city, &mut OsEntropy).unwrap();
        second.write(&next_set(&keys).unwrap()).unwrap();
        // A renewal that was killed before it wrote anything.
        std::fs::create_dir(keys.join("renewed-2")).unwrap();
        let third = second.recertified(city).unwrap();
        third.write(&next_set(&keys).unwrap()).unwrap();

        let (sealed, elsewhere) = (folder.file("sealed"), folder.file("elsewhere"));
        assert_eq!(write(&keys, city, "correct horse battery", &mut OsEntropy, &sealed).unwrap(), 9);
        let files = open(&sealed, city, "correct horse battery").unwrap();
        put(&files, &elsewhere).unwrap();
        put(&files, &elsewhere).unwrap();
        for set in [&second, &third] {
            let held = std::fs::read_dir(&elsewhere).unwrap().flatten().map(|entry| entry.path());
            let held = held.filter(|path| path.is_dir()).map(|path| Keys::read(&path).unwrap().public());
            assert!(held.into_iter().any(|public| public == set.public()));
        }
        assert_eq!(newest(&elsewhere).unwrap().public(), third.public());
        assert!(next_set(&elsewhere).unwrap().ends_with("renewed-4"), "never before one that is there");
    }
}
