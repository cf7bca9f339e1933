//! What the browser tests left behind (访问记录): answers by address, and photographs by page.

use std::fs;

use crate::root;

/// Where the tests leave their lines, one file for each play.
pub const FOLDER: &str = "target/visits";

/// An answer that a browser got in a play.
pub struct Visit {
    /// The play, as `tongban/tests/it/browser` names it.
    pub play: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Without its query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// A page that was looked over.
pub struct Look {
    /// The name of its photograph.
    pub shot: String,
    /// Who looked, such as `driver@430100`; empty for nobody in particular.
    pub who: String,
    /// How wide the screen was.
    pub width: String,
    /// `usual`, `elder`, `english`, `plain`, `print`, …
    pub form: String,
    /// The address with its query.
    pub path: String,
}

/// Everything that the plays left, in order of their names.
pub fn read() -> Result<(Vec<Visit>, Vec<Look>), String> {
    let (mut visits, mut looks) = (Vec::new(), Vec::new());
    let folder = root().join(FOLDER);
    let listed = fs::read_dir(&folder)
        .map_err(|error| format!("{}: {error}; run the browser tests first", folder.display()))?;
    let mut files: Vec<_> = listed.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let play = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        for line in text.lines() {
            match line.split('\t').collect::<Vec<_>>().as_slice() {
                ["visit", method, path, status] => visits.push(Visit {
                    play: play.clone(),
                    method: (*method).to_owned(),
                    path: (*path).to_owned(),
                    status: status.parse().unwrap_or(0),
                }),
                ["look", shot, who, width, form, path] => looks.push(Look {
                    shot: (*shot).to_owned(),
                    who: (*who).to_owned(),
                    width: (*width).to_owned(),
                    form: (*form).to_owned(),
                    path: (*path).to_owned(),
                }),
                _ => return Err(format!("{}: {line:?} is no line of a play", file.display())),
            }
        }
    }
    Ok((visits, looks))
}

/// Throws away what an earlier run left: what is not visited in this one is not visited.
pub fn forget() -> Result<(), String> {
    for folder in [FOLDER, "target/pages"] {
        let folder = root().join(folder);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
    }
    Ok(())
}
