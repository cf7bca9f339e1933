//! Showing the list in force (查看名单), and what will end soon.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tb_base::{NodeId, Result, Timestamp};
use tb_exchange::TrustList;
use tb_exchange::difference::{aloud, keys_aloud};

use super::{base, now, say};
use crate::files::json;
use crate::trust;

/// Options of `trust show`.
#[derive(Args)]
pub struct Show {
    /// The city's folder.
    #[arg(long)]
    city: PathBuf,
    /// As JSON, for machines that watch.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    region: String,
    number: u32,
    fingerprint: String,
    not_before: Timestamp,
    not_after: Timestamp,
    signed_by: Vec<NodeId>,
    quorum: usize,
    cities: Vec<Member>,
    left: Vec<NodeId>,
    contracts: usize,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Member {
    node: NodeId,
    name: String,
    exchange_url: String,
    site_url: String,
    keys: String,
    /// Until when keys that were replaced count, the newest first.
    former_until: Vec<Timestamp>,
}

/// Prints the list in force.
pub fn show(options: &Show) -> Result<()> {
    let package = base(&options.city)?;
    let list = &package.trust.list;
    let cities = list.cities.iter().map(|city| {
        Ok(Member {
            node: city.node,
            name: city.name.clone(),
            exchange_url: city.exchange_url.clone(),
            site_url: city.site_url.clone(),
            keys: keys_aloud(city)?,
            former_until: city.former.iter().map(|former| former.until).collect(),
        })
    });
    let shown = Shown {
        region: list.region.clone(),
        number: list.version,
        fingerprint: aloud(&list.fingerprint()?),
        not_before: list.not_before,
        not_after: list.not_after,
        signed_by: package.trust.signatures.keys().copied().collect(),
        quorum: list.quorum_min(),
        cities: cities.collect::<Result<_>>()?,
        left: list.left.iter().map(|city| city.node).collect(),
        contracts: package.contracts.len(),
        warnings: warnings(list, now()),
    };
    say(&if options.json { json(&shown)? } else { text(&shown) });
    Ok(())
}

/// What a person has to see to.
fn warnings(list: &TrustList, now: Timestamp) -> Vec<String> {
    let mut warnings: Vec<String> = trust::ends_soon(list, now).into_iter().collect();
    for city in &list.cities {
        let latest = city.former.iter().map(|former| former.until).max();
        if let Some(until) = latest.filter(|until| now < *until) {
            let node = city.node;
            warnings.push(format!("{node} has new keys; its old ones count until {until}: restart its node before (请在此前重启)"));
        }
    }
    warnings
}

fn text(shown: &Shown) -> String {
    let mut lines = vec![
        format!("{} list {} (信任名单第 {} 号)", shown.region, shown.number, shown.number),
        format!("fingerprint (指纹) {}", shown.fingerprint),
        format!("valid (有效期) {} to {}", shown.not_before, shown.not_after),
        format!("the next list needs {} of {} cities (法定人数)", shown.quorum, shown.cities.len()),
    ];
    for city in &shown.cities {
        lines.push(format!("{} {} {} {}", city.node, city.name, city.exchange_url, city.site_url));
        lines.push(format!("  keys (密钥指纹) {}", city.keys));
    }
    lines.extend(shown.left.iter().map(|node| format!("{node} left (已退出)")));
    lines.push(format!("contracts (共享契约) {}", shown.contracts));
    lines.extend(shown.warnings.iter().map(|warning| format!("! {warning}")));
    lines.join("\n")
}
