//! Stories of this task, told through the sites of three cities.

mod consents;
mod office;
mod verify;
mod wallet;
mod world;

use serde_json::Value;
use world::{CHANGSHA, World};

const QUALIFICATION: &str = "road_transport_qualification";

/// The driver's qualification as her city lists it.
async fn qualification(world: &World) -> Value {
    let wallet = world.get(CHANGSHA, "driver", "/licences").await.json();
    let licences = wallet["licences"].as_array().expect("a list").clone();
    licences.into_iter().find(|it| it["type"] == QUALIFICATION).expect("her qualification")
}

/// She shows her qualification in Changsha: the address of the code's page, and the code.
async fn shown(world: &World) -> (String, String) {
    let licence = qualification(world).await;
    let present = licence["present_url"].as_str().expect("in force").to_owned();
    let made = world.post(CHANGSHA, "driver", &present, "").await;
    assert_eq!(made.status, 303, "{made:?}");
    let page = world.get(CHANGSHA, "driver", &made.location).await.json();
    (made.location, page["code"].as_str().expect("a code").to_owned())
}
