//! Traces as a collector gets them: real OTLP over HTTP from two cities, and one trace that crosses between them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use hyper::Method;
use serde_json::Value;
use tb_testkit::Folder;
use tongban::journey::browser::Browser;
use tongban::journey::people::{list, text};

use crate::operations::{found, site_of};
use crate::process::Process;

type Taken = Arc<Mutex<Vec<Value>>>;

/// A collector that takes what comes and keeps its spans, each with the city that sent it.
async fn collector() -> (String, Taken) {
    let taken = Taken::default();
    let take = |State(taken): State<Taken>, Json(body): Json<Value>| async move {
        taken.lock().expect("the spans").push(body);
    };
    let router = Router::new().route("/v1/traces", post(take)).with_state(taken.clone());
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(socket, router).await });
    (format!("http://{address}/v1/traces"), taken)
}

/// City, trace, span, parent and name of everything that was taken.
fn spans(taken: &Taken) -> Vec<[String; 5]> {
    let taken = taken.lock().expect("the spans");
    let resources = taken.iter().flat_map(|body| list(body, "/resourceSpans").to_vec());
    resources
        .flat_map(|resource| {
            let city = list(&resource, "/resource/attributes")
                .iter()
                .find(|it| text(it, "/key") == "service.instance.id")
                .map(|it| text(it, "/value/stringValue").to_owned())
                .expect("a city");
            list(&resource, "/scopeSpans/0/spans")
                .iter()
                .map(|span| {
                    let of = |name: &str| text(span, &format!("/{name}")).to_owned();
                    [city.clone(), of("traceId"), of("spanId"), of("parentSpanId"), of("name")]
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_crosses_from_city_to_city_and_reaches_the_collector() {
    let folder = Folder::new("traces");
    let config = found(&folder);
    let (endpoint, taken) = collector().await;
    let other = folder.path().join("430200").join("city.toml");
    let mut processes = Vec::new();
    for (name, config) in [("home", &config), ("other", &other)] {
        let text = std::fs::read_to_string(config).expect("a configuration");
        let traced = text.replace("[telemetry]", &format!("[telemetry]\nendpoint = \"{endpoint}\""));
        assert_ne!(text, traced);
        std::fs::write(config, traced).expect("it is written");
        processes.push(Process::start(&folder, name, &["serve", "--config", &config.display().to_string()]));
    }
    let mut browser = Browser::at(&site_of(&config));
    browser.call(Method::GET, "/items?q=CANARY", None).await.expect("a page");
    // Whoever verifies a code has its city asked; there is no licence behind this one.
    let code = format!("T1.430200.{}", "0".repeat(26));
    browser.get("/verify").await.expect("the form");
    browser.submit("/verify", &[("code", &code)]).await.expect("an answer");

    let within = Duration::from_secs(20);
    tb_testkit::until("a trace that has crossed", within, || {
        let spans = spans(&taken);
        let is_page = spans.iter().any(|[.., name]| name.contains("/items"));
        let crossed = spans.iter().find(|[city, trace, _, parent, name]| {
            // Cities also fetch each other's logs all the time.
            name.starts_with("POST ")
                && spans
                    .iter()
                    .any(|[there, same, span, ..]| there != city && same == trace && span == parent)
        });
        crossed.filter(|_| is_page).map(drop)
    });
    let all = format!("{:?}", taken.lock().expect("the spans"));
    assert!(!all.contains("CANARY"), "what somebody looked for stands in no trace");
}
