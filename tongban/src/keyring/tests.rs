//! The file of keys: made, read again, retired, and what is wrong in it refused without quoting it.

use tb_base::{Entropy, Timestamp};
use tb_testkit::Folder;

use super::{KeyRing, SealSuite, WAIT_SECONDS};

const NOW: Timestamp = Timestamp(1_764_000_000_000_000);

struct Counted(u8);

impl Entropy for Counted {
    fn fill(&mut self, buffer: &mut [u8]) {
        self.0 += 1;
        buffer.fill(self.0);
    }
}

fn folder() -> Folder {
    let folder = Folder::new("keyring");
    std::fs::create_dir_all(folder.file("keys")).unwrap();
    folder
}

fn open(folder: &Folder) -> KeyRing {
    KeyRing::open(&folder.file("keys"), [9; 32], SealSuite::Sm4Gcm).unwrap()
}

#[test]
fn a_new_key_seals_when_everybody_knows_it() {
    let folder = folder();
    let mut ring = open(&folder);
    assert_eq!((ring.numbers(), ring.sealing(NOW).unwrap()), (vec![0], 0));
    let from = NOW.plus_seconds(WAIT_SECONDS.into());
    assert_eq!(ring.rotate(from, &mut Counted(0)).unwrap(), 1);
    let again = open(&folder);
    assert_eq!((again.sealing(NOW).unwrap(), again.sealing(from).unwrap()), (0, 1));
    assert_eq!((again.sealing_since(NOW).unwrap(), again.sealing_since(from).unwrap()), (None, Some(from)));
    assert_eq!(again.ring(NOW).unwrap().sealing().to_string(), "0/sm4-gcm");
    let ids: Vec<u32> = again.ring(from).unwrap().ids().iter().map(|id| id.0).collect();
    assert_eq!(ids, [0, 1]);
}

#[test]
fn the_file_is_for_nobody_else_and_a_retired_number_is_not_used_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let mut ring = open(&folder);
    let later = NOW.plus_seconds(WAIT_SECONDS.into());
    ring.rotate(later, &mut Counted(0)).unwrap();
    let mode = std::fs::metadata(folder.file("keys/vault.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(ring.retire(1, later).unwrap_err().to_string().contains("the one that seals"));
    assert!(ring.retire(7, later).unwrap_err().to_string().contains("no such key"));
    ring.retire(0, later).unwrap();
    let mut again = open(&folder);
    assert_eq!(again.numbers(), [1]);
    assert_eq!(again.rotate(later, &mut Counted(5)).unwrap(), 2);
    assert_eq!(again.rotate(later, &mut Counted(6)).unwrap(), 3);
}

#[test]
fn the_number_of_a_retired_key_is_never_given_out_again() {
    let folder = folder();
    let text = r#"{"format":"tongban-vault-v1","keys":[],"retired":[1]}"#;
    std::fs::write(folder.file("keys/vault.json"), text).unwrap();
    let mut ring = open(&folder);
    assert_eq!(ring.rotate(NOW, &mut Counted(0)).unwrap(), 2);
    assert_eq!((open(&folder).numbers(), open(&folder).sealing(NOW).unwrap()), (vec![0, 2], 2));
}

#[test]
fn a_key_that_has_not_sealed_yet_is_not_retired() {
    let folder = folder();
    let mut ring = open(&folder);
    let later = NOW.plus_seconds(WAIT_SECONDS.into());
    ring.rotate(later, &mut Counted(0)).unwrap();
    let problem = ring.retire(1, NOW).unwrap_err().to_string();
    assert!(problem.contains("has not sealed yet"), "{problem}");
    assert_eq!(open(&folder).sealing(later).unwrap(), 1);
}

#[test]
fn a_file_that_is_wrong_is_refused_and_not_quoted() {
    let folder = folder();
    let keys = |keys: &str| format!(r#"{{"format":"tongban-vault-v1","keys":[{keys}],"retired":[]}}"#);
    let secret = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
    let key = |number: u32| format!(r#"{{"number":{number},"key":"{secret}","seals_from":0}}"#);
    for text in [
        "{".to_owned(),
        r#"{"format":"other","keys":[],"retired":[]}"#.to_owned(),
        keys(&format!("{},{}", key(1), key(1))),
        keys(&format!("{},{}", key(1), key(2))),
        keys(&key(0)),
        keys(&key(1)).replace("\"retired\":[]", "\"retired\":[1]"),
    ] {
        std::fs::write(folder.file("keys/vault.json"), &text).unwrap();
        let problem =
            KeyRing::open(&folder.file("keys"), [9; 32], SealSuite::Sm4Gcm).err().unwrap().to_string();
        assert!(problem.contains("vault.json") && !problem.contains(secret), "{problem}");
    }
}
