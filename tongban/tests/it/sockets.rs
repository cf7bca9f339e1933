//! The site's own socket under hostile requests (恶意请求): raw bytes against a real city, and what never comes back.

use std::net::SocketAddr;
use std::time::Duration;

use tb_testkit::{Folder, Postgres};
use tb_web::{Module, PageResult, RouteInfo, Visit, Who};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tongban::city::{City, Duty, Opening};
use tongban::clock::{OsEntropy, SystemClock};
use tongban::config::CityConfig;
use tongban::modules;
use tongban::region::{CityFolder, Ports, Region, prepare};

use crate::process::free_ports;

/// An answer that is not there in this time does not come.
const ANSWER: Duration = Duration::from_secs(60);
/// What no answer to a stranger may hold: paths, versions, statements, panics, names of parts.
const LEAKS: [&str; 16] = [
    "/root",
    "/tmp/",
    "crates/",
    ".rs",
    "panicked",
    "secret detail",
    "SELECT",
    "identity_",
    "sqlite",
    "postgres",
    "axum",
    "hyper",
    "tokio",
    "backtrace",
    "0.1.0",
    "unwrap",
];

/// Whether the city knows anybody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum People {
    None,
    Planted,
}

/// A city on a free port, with pages that fail; its proxy is whoever calls from 127.0.0.1.
pub struct Site {
    address: SocketAddr,
    /// Every address that the city lists.
    pub routes: Vec<RouteInfo>,
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<tb_base::Result<()>>,
    _folder: Folder,
}

const ROUTES: &[RouteInfo] = &[
    RouteInfo::get("/test/panic", Who::Public),
    RouteInfo::get("/test/wait", Who::Public),
    RouteInfo::get("/test/text/{text}", Who::Public),
];

async fn panics(_: Visit) -> PageResult {
    panic!("secret detail in crates/web/src/lib.rs")
}

async fn waits(_: Visit) -> PageResult {
    std::future::pending().await
}

async fn says(axum::extract::Path(text): axum::extract::Path<String>) -> String {
    text.len().to_string()
}

fn failing() -> Module {
    use axum::routing::get;
    let routes = axum::Router::new()
        .route("/test/panic", get(panics))
        .route("/test/wait", get(waits))
        .route("/test/text/{text}", get(says));
    Module {
        id: "test",
        clauses: &[],
        routes,
        handlers: Vec::new(),
        jobs: Vec::new(),
        schema: None,
        route_list: ROUTES,
    }
}

impl Site {
    pub async fn start(name: &str, people: People) -> Site {
        let (city, address, folder) = Site::open(name, |_| ()).await;
        if people == People::Planted {
            modules::plant(&city, city.ctx().now.date()).await.expect("its people");
        }
        Site::run(city, address, folder)
    }

    /// A city that does not run yet, with a change of its configuration.
    pub async fn open(name: &str, change: impl FnOnce(&mut CityConfig)) -> (City, SocketAddr, Folder) {
        let folder = Folder::new(name);
        let region = Region::load(None).expect("the shipped region");
        let address = SocketAddr::from(([127, 0, 0, 1], free_ports(1)[0]));
        let ports: Vec<Ports> =
            region.city.iter().map(|_| Ports { site: address.port(), exchange: 0 }).collect();
        let clock = SystemClock::real();
        let now = tb_base::Clock::now(&*clock);
        let folders = prepare(folder.path(), &region, &ports, None, now, &mut OsEntropy).expect("a region");
        let mut folder_of_city = CityFolder::open(&folders[0]).expect("its folder");
        folder_of_city.config.trusted_proxies.push("127.0.0.1".to_owned());
        change(&mut folder_of_city.config);
        let opening =
            Opening { folder: folder_of_city, region: &region, clock, duty: Duty::Everything, demo: None };
        let city = City::open(opening, |_| vec![failing()]).await.expect("a city");
        (city, address, folder)
    }

    /// Runs it.
    pub fn run(city: City, address: SocketAddr, folder: Folder) -> Site {
        let modules = modules::all(&city.parts).expect("its modules");
        let routes = modules.iter().flat_map(|module| module.route_list).copied().collect();
        let stop = watch::Sender::new(false);
        let running = tokio::spawn(city.run(stop.subscribe()));
        Site { address, routes, stop, running, _folder: folder }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends bytes on a connection of their own and reads until it ends.
    pub async fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // A server that has seen enough shuts the door while we still speak.
        let _ = stream.write_all(bytes).await;
        read_all(&mut stream).await
    }

    /// One request of somebody at an address behind the proxy.
    async fn ask(&self, from: &str, request: &str, body: &str) -> String {
        let head = format!(
            "{request} HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\nx-forwarded-for: {from}\r\n\
             content-length: {}\r\n",
            body.len()
        );
        let kind = if body.is_empty() { "" } else { "content-type: application/x-www-form-urlencoded\r\n" };
        self.send(format!("{head}{kind}\r\n{body}").as_bytes()).await
    }

    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.running.await.expect("the city ends").expect("in order");
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is an end, too.
    let _ = timeout(ANSWER, stream.read_to_end(&mut bytes)).await.expect("the connection ends");
    String::from_utf8_lossy(&bytes).into_owned()
}

pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[track_caller]
fn check_clean(answer: &str, what: &str) {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    for leak in LEAKS {
        assert!(!body.contains(leak), "{what} tells {leak}: {answer}");
    }
    assert!(!answer.to_lowercase().contains("\r\nserver:"), "{what}: {answer}");
}

#[track_caller]
fn check(answer: &str, expected: &[u16], what: &str) {
    assert!(expected.contains(&status(answer)), "{what}: {answer}");
    check_clean(answer, what);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_requests_get_an_answer_and_nothing_else() {
    let site = Site::start("hostile", People::None).await;
    shapes(&site).await;
    addresses(&site).await;
    sizes(&site).await;
    let fine = site.ask("198.51.100.1", "GET /items", "").await;
    check(&fine, &[200], "a plain request after all of them");
    site.stop().await;
}

/// Requests that a proxy and a server may read differently: one answer at the most, and the door shut.
async fn shapes(site: &Site) {
    let smuggled = "GET /test/panic HTTP/1.1\r\nhost: city.test\r\n\r\n";
    let cases: [(&str, &str, &[u16]); 9] = [
        ("two lengths", "content-length: 3\r\ncontent-length: 5", &[400]),
        ("a signed length", "content-length: +3", &[400]),
        ("a list of lengths", "content-length: 3, 3", &[400]),
        ("an unknown coding", "transfer-encoding: xchunked", &[400, 501]),
        ("chunked and not last", "transfer-encoding: chunked, identity", &[400, 501]),
        ("a length and chunks", "content-length: 5\r\ntransfer-encoding: chunked", &[400, 403, 415]),
        ("a blank before the colon", "transfer-encoding : chunked", &[400]),
        ("a folded line", "x-a: 1\r\n transfer-encoding: chunked", &[400]),
        ("two hosts", "host: other.test", &[400]),
    ];
    for (what, fields, expected) in cases {
        let request =
            format!("POST /sign-in HTTP/1.1\r\nhost: city.test\r\n{fields}\r\n\r\n0\r\n\r\n{smuggled}");
        let answer = site.send(request.as_bytes()).await;
        check(&answer, expected, what);
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{what}: {answer}");
    }
    check(&site.send(b"GET / HTTP/1.1\r\n\r\n").await, &[400], "no host");
    check(&site.send(b"GET  / HTTP/9.9\r\n\r\n").await, &[400], "an unknown version");
    check(&site.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, &[0, 400], "the greeting of HTTP/2");
    check(&site.send(&[0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0]).await, &[0, 400], "a handshake of TLS");
}

async fn addresses(site: &Site) {
    for path in [
        "/../../etc/passwd",
        "/static/..%2f..%2fCargo.toml",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/%FF%FE",
        "/test/text/%FF",
        "/items/%00",
        "/items/%2e%2e%2f%2e%2e",
        "//evil.example/",
        "/items/..;/accounts",
        "/verify?city=%FF&id=%27%20OR%201=1",
    ] {
        let answer = site.ask("198.51.100.2", &format!("GET {path}"), "").await;
        let status = status(&answer);
        assert!(path.starts_with("/verify") || (400..500).contains(&status), "{path}: {answer}");
        assert!(status < 500, "{path}: {answer}");
        check_clean(&answer, path);
    }
    // A slash in a part of an address is a letter of that part, not a way out of it.
    let answer = site.ask("198.51.100.2", "GET /test/text/a%2f..%2fb", "").await;
    assert!(answer.ends_with("\r\n\r\n6"), "{answer}");
    let raw =
        site.send(b"GET /items/\xff\xfe HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\n\r\n").await;
    check(&raw, &[400, 404], "bytes that are no text in an address");
}

async fn sizes(site: &Site) {
    let head = "GET / HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\n";
    let many: String = (0..200).map(|at| format!("x-{at}: 1\r\n")).collect();
    check(&site.send(format!("{head}{many}\r\n").as_bytes()).await, &[431], "too many fields");
    let long = format!("{head}x-a: {}\r\n\r\n", "a".repeat(64 * 1024));
    check(&site.send(long.as_bytes()).await, &[431], "a huge field");
    let long = format!("GET /{} HTTP/1.1\r\nhost: city.test\r\n\r\n", "a".repeat(64 * 1024));
    check(&site.send(long.as_bytes()).await, &[414, 431], "a huge address");
    let form = "POST /sign-in HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\n\
                content-type: application/x-www-form-urlencoded\r\n";
    let announced = site.send(format!("{form}content-length: 99999999\r\n\r\n").as_bytes()).await;
    check(&announced, &[413], "a huge body that is announced");
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x10000));
    let dripped = format!("{form}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(8));
    check(&site.send(dripped.as_bytes()).await, &[413], "a huge body in pieces");
}

/// Whoever is slow loses the connection, and nobody else waits for her.
#[tokio::test(flavor = "multi_thread")]
async fn slow_requests_are_given_up_and_delay_nobody() {
    let site = Site::start("slow", People::None).await;
    let form = "POST /sign-in HTTP/1.1\r\nhost: city.test\r\nx-forwarded-for: 198.51.100.3\r\n\
                content-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nlogin=a";
    let idle = "GET /healthz HTTP/1.1\r\nhost: city.test\r\n\r\n";
    let begun = Instant::now();
    let slow = async {
        tokio::join!(site.send(b""), site.send(b"GET / HTTP/1.1\r\nhost: ci"), site.send(idle.as_bytes()))
    };
    let quick = async {
        for _ in 0..20 {
            let begun = Instant::now();
            check(&site.ask("198.51.100.4", "GET /items", "").await, &[200], "a quick one");
            assert!(begun.elapsed() < Duration::from_secs(5), "others waited");
        }
    };
    let ((silent, head, kept), (), body) = tokio::join!(slow, quick, site.send(form.as_bytes()));
    assert!(matches!(status(&silent), 0 | 408), "{silent}");
    assert!(matches!(status(&head), 0 | 408), "{head}");
    check(&kept, &[200], "the one before the idle time");
    check(&body, &[408], "a slow body");
    assert!(body.contains("WEB-FORM-006"), "{body}");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    site.stop().await;
}

/// Strangers at a few addresses who announce bodies and send none have no place in work, and few among the bodies.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_come_keep_nobody_out() {
    const ADDRESSES: usize = 6;
    const EACH: usize = 70;
    const BODIES_EACH_MAX: usize = 32;
    let site = Site::start("bodies", People::None).await;
    let mut held = Vec::new();
    let mut waited_for = 0;
    for number in 0..ADDRESSES * EACH {
        // The server answers 100 as soon as it waits for the body: then we know that it does.
        let head = format!(
            "POST /sign-in HTTP/1.1\r\nhost: city.test\r\nx-forwarded-for: 198.51.100.{}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: 10\r\n\
             expect: 100-continue\r\n\r\n",
            20 + number % ADDRESSES
        );
        let mut stream = site.connect().await;
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut first = [0; 12];
        timeout(ANSWER, stream.read_exact(&mut first)).await.expect("in time").expect("an answer");
        match &first {
            b"HTTP/1.1 100" => waited_for += 1,
            b"HTTP/1.1 503" => {}
            other => panic!("{}", String::from_utf8_lossy(other)),
        }
        held.push(stream);
    }
    let page = site.ask("198.51.100.13", "GET /items", "").await;
    check(&page, &[200], "a page for somebody else");
    let form = site.ask("198.51.100.13", "POST /sign-in", "login=a").await;
    check(&form, &[403], "a form of somebody else");
    assert_eq!(waited_for, ADDRESSES * BODIES_EACH_MAX);
    drop(held);
    site.stop().await;
}

/// A process whose database is gone does not say that it is well.
#[tokio::test(flavor = "multi_thread")]
async fn health_is_refused_without_its_database() {
    let postgres = Postgres::durable().expect("a server of its own");
    let schema = postgres.schema("health");
    let (city, address, folder) = Site::open("health", |config| {
        config.database = postgres.url.clone();
        config.schema = schema;
    })
    .await;
    let site = Site::run(city, address, folder);
    check(&site.ask("198.51.100.14", "GET /healthz", "").await, &[200], "with its database");
    check(&site.ask("198.51.100.15", "GET /items", "").await, &[200], "a page, with its database");
    tokio::task::spawn_blocking(Postgres::end_durable).await.expect("the server ends");
    check(&site.ask("198.51.100.14", "GET /healthz", "").await, &[503], "without its database");
    let file = site.ask("198.51.100.15", "GET /favicon.ico", "").await;
    check(&file, &[200], "a file, which needs no database");
    // Without its database it cannot end in order.
    site.running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_does_not_take_every_connection() {
    let site = Site::start("greedy", People::None).await;
    let from = || async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.2:0".parse().expect("an address")).expect("bound");
        socket.connect(site.address).await.expect("a connection")
    };
    let ask = b"GET /healthz HTTP/1.1\r\nhost: city.test\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..128 {
        let mut stream = from().await;
        stream.write_all(ask).await.expect("written");
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.expect("an answer");
        assert_eq!(&first, b"HTTP/1.1 200");
        held.push(stream);
    }
    let mut one_more = from().await;
    let answer = read_all(&mut one_more).await;
    check(&answer, &[503], "the one too many");
    assert!(answer.contains("retry-after: 5"), "{answer}");
    let other = site.ask("198.51.100.5", "GET /healthz", "").await;
    check(&other, &[200], "another address");
    drop(held);
    site.stop().await;
}

/// Every status that a stranger can provoke, on the real router: words for her, and nothing of the machine.
#[tokio::test(flavor = "multi_thread")]
async fn error_pages_tell_nothing_of_the_machine() {
    let site = Site::start("errors", People::None).await;
    for (request, expected) in
        [("GET /test/text/%FF", 400), ("GET /nothing", 404), ("PUT /items", 405), ("GET /test/panic", 500)]
    {
        let answer = site.ask("198.51.100.6", request, "").await;
        check(&answer, &[expected], request);
        assert!(answer.contains("追踪号"), "{request}: {answer}");
    }
    let program =
        "GET /cases HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\naccept: application/json\r\n\r\n";
    check(&site.send(program.as_bytes()).await, &[401], "a program that is nobody");
    check(&site.ask("198.51.100.6", "POST /sign-in", "login=a").await, &[403], "a form without its token");
    let kind = "POST /sign-in HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\ncontent-type: text/xml\r\n\
                content-length: 4\r\n\r\n<a/>";
    check(&site.send(kind.as_bytes()).await, &[415], "a form of another kind");
    let answer = form_again(&site).await;
    check(&answer, &[422], "a form that is wrong");
    too_many(&site).await;
    shed(&site).await;
    // Whoever waits for ever in the test's own pages would hold the end up.
    site.running.abort();
}

/// A form with its own token that says nothing.
async fn form_again(site: &Site) -> String {
    let page = site.ask("198.51.100.7", "GET /sign-in", "").await;
    let between = |before: &str, after: char| {
        page.split_once(before).and_then(|(_, rest)| rest.split(after).next()).unwrap_or("").to_owned()
    };
    let (cookie, token) = (between("set-cookie: ", ';'), between("name=\"csrf\" value=\"", '"'));
    let body = format!("csrf={token}&login=&password=");
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nhost: city.test\r\nconnection: close\r\ncookie: {cookie}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    site.send(request.as_bytes()).await
}

/// Strangers at one address are slowed down; those at another are not.
async fn too_many(site: &Site) {
    let mut last = String::new();
    for _ in 0..60 {
        last = site.ask("198.51.100.8", "POST /sign-in", "login=a").await;
        if status(&last) == 429 {
            break;
        }
    }
    check(&last, &[429], "the one too many");
    assert!(last.contains("\r\nretry-after: ") && last.contains("WEB-LIM-001"), "{last}");
    check(&site.ask("198.51.100.9", "POST /sign-in", "login=a").await, &[403], "another address");
}

/// When every place is taken by visitors, the next one is told to come again, and health still answers.
async fn shed(site: &Site) {
    let mut waiting = Vec::new();
    // Each address has 32 places, and all visitors have 384.
    for number in 0..400 {
        let from = format!("203.0.113.{}", number / 32);
        let wait = format!("GET /test/wait HTTP/1.1\r\nhost: city.test\r\nx-forwarded-for: {from}\r\n\r\n");
        let mut stream = site.connect().await;
        stream.write_all(wait.as_bytes()).await.expect("written");
        waiting.push(stream);
    }
    let until = Instant::now() + Duration::from_secs(10);
    let mut answer = String::new();
    while Instant::now() < until && status(&answer) != 503 {
        answer = site.ask("198.51.100.12", "GET /items", "").await;
    }
    check(&answer, &[503], "no place");
    assert!(answer.contains("\r\nretry-after: 3") && answer.contains("WEB-LIM-002"), "{answer}");
    check(&site.ask("198.51.100.12", "GET /healthz", "").await, &[200], "health");
    drop(waiting);
}
