//! The end of a journey (留证): looks, their proofs, and the evidence of the case in one bundle.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::journey::people::{World, list, text};
use crate::journey::steps::{DRIVER_HOME, DRIVER_THERE};

/// Both other cities cosign a checkpoint.
const WITNESSES: u64 = 2;

/// Her looks, when each has its proof; the same on either site.
pub async fn looks(world: &mut World, case: &str) -> Result<Value, String> {
    let proved = |page: &Value| {
        let rows = list(page, "/rows");
        let cosigned =
            rows.iter().all(|row| row.pointer("/witnesses").and_then(Value::as_u64) == Some(WITNESSES));
        list(page, "/unavailable").is_empty()
            && cosigned
            && rows.iter().any(|row| text(row, "/case") == case)
            && rows.iter().any(|row| text(row, "/city") == "430200")
    };
    let home = world.until(DRIVER_HOME, "/looks", "looks of all cities with proofs", proved).await?;
    let there = world.until(DRIVER_THERE, "/looks", "looks of all cities with proofs", proved).await?;
    let ids = |page: &Value| {
        let mut ids: Vec<String> =
            list(page, "/rows").iter().map(|row| text(row, "/id").to_owned()).collect();
        ids.sort();
        ids
    };
    if ids(&home) != ids(&there) {
        return Err(format!("the sites list different looks: {:?} and {:?}", ids(&home), ids(&there)));
    }
    Ok(home)
}

/// Downloads the proof of every look and checks each with no node; gives how many.
pub async fn prove_looks(
    world: &mut World,
    page: &Value,
    binary: &Path,
    folder: &Path,
) -> Result<usize, String> {
    let urls: Vec<String> =
        list(page, "/rows").iter().map(|row| text(row, "/proof_url").to_owned()).collect();
    for (at, url) in urls.iter().enumerate() {
        let file = folder.join(format!("look-{at}.json"));
        let proof = world.download(DRIVER_HOME, url).await?;
        std::fs::write(&file, &proof).map_err(|error| error.to_string())?;
        verify(binary, &file, &folder.join("trust.json")).await.map_err(|error| format!("{url}: {error}"))?;
    }
    Ok(urls.len())
}

/// The parts of both cities as one bundle, in its one encoding.
pub async fn bundle(world: &mut World, case: &str) -> Result<Vec<u8>, String> {
    let path = format!("/cases/{case}/evidence");
    let mut parts: BTreeMap<String, Value> = BTreeMap::new();
    let mut format = Value::Null;
    for who in [DRIVER_HOME, DRIVER_THERE] {
        let page = world.until(who, &path, "evidence", |page| !list(page, "/parts").is_empty()).await?;
        format = page.pointer("/format").cloned().unwrap_or_default();
        for part in list(&page, "/parts") {
            parts.insert(text(part, "/node").to_owned(), part.clone());
        }
    }
    let parts: Vec<Value> = parts.into_values().collect();
    serde_json::to_vec(&serde_json::json!({ "format": format, "parts": parts }))
        .map_err(|error| error.to_string())
}

/// The ids of the messages that a bundle shows.
pub fn messages(bundle: &[u8]) -> Vec<String> {
    let bundle: Value = serde_json::from_slice(bundle).unwrap_or_default();
    let mut ids = std::collections::BTreeSet::new();
    for message in list(&bundle, "/parts").iter().flat_map(|part| list(part, "/body/messages")) {
        for field in list(message, "/request/fields") {
            if text(field, "/0") == "tb-message-id" {
                ids.insert(text(field, "/1").trim_matches('"').to_owned());
            }
        }
    }
    ids.into_iter().collect()
}

/// Runs `tongban verify --json`; gives its report.
pub async fn verify(binary: &Path, bundle: &Path, trust: &Path) -> Result<Value, String> {
    let mut command = tokio::process::Command::new(binary);
    command.arg("verify").arg(bundle).arg("--trust").arg(trust).arg("--json");
    let output = command.output().await.map_err(|error| error.to_string())?;
    let report: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    if output.status.success() { Ok(report) } else { Err(format!("the bundle does not verify: {report}")) }
}
