//! Doors: who is no city of the region gets no connection, whatever it knows.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::json;
use tb_node::tls::{self, Identity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::raw;
use crate::services::COUNTED;
use crate::world::{On, World, changsha, xiangtan, zhuzhou};

both!(
    a_stranger_gets_no_connection,
    an_impostor_is_not_spoken_to,
    a_crowd_at_the_door_does_not_keep_the_cities_out
);

async fn a_stranger_gets_no_connection(on: On) {
    let world = World::running(on, "stranger").await;
    let stranger = Identity::generate(changsha()).unwrap();
    let signed = world.sign(&world.compose(changsha(), xiangtan(), COUNTED, &json!({"n": 1})));
    let to = world.city(xiangtan());
    let posted =
        raw::call(&stranger, to, Method::POST, &signed.path, &signed.fields, signed.body.clone()).await;
    assert!(posted.is_err());
    let read = raw::call(&stranger, to, Method::GET, "/log/checkpoint", &[], Vec::new()).await;
    assert!(read.is_err());
    assert_eq!(world.effects(xiangtan()).await, []);
}

/// Somebody listens at Xiangtan's address with a certificate of its own: Changsha shuts the connection.
async fn an_impostor_is_not_spoken_to(on: On) {
    let mut world = World::running(on, "impostor").await;
    world.stop(xiangtan()).await;
    let address = world.city(xiangtan()).address;
    let socket = tokio::net::TcpListener::bind(address).await.unwrap();
    let impostor = Identity::generate(xiangtan()).unwrap();
    let door = tb_node::tls::Door::new(world.desk(xiangtan()), world.clock.clone());
    let config = tb_node::tls::server_config(&impostor, door).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let accepted = tokio::spawn(async move {
        let (stream, _) = socket.accept().await.unwrap();
        acceptor.accept(stream).await.map(drop)
    });
    world.send(changsha(), xiangtan(), COUNTED, 1).await;
    assert!(crate::world::within("somebody connects", accepted).await.unwrap().is_err());
}

/// Connects from an address, says nothing, and comes again when it is turned away or given up, for ever.
async fn stand_at(door: SocketAddr, from: Ipv4Addr, stood: Arc<Semaphore>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        let Ok(mut stream) = socket.connect(door).await else { continue };
        stood.add_permits(1);
        let _ = stream.read(&mut [0]).await;
    }
}

/// Strangers at one address who stay fill their share of the door; the cities get in.
async fn a_crowd_at_the_door_does_not_keep_the_cities_out(on: On) {
    let mut world = World::founded(on, "crowd").await;
    world.start(xiangtan()).await;
    let (door, stood) = (world.city(xiangtan()).address, Arc::new(Semaphore::new(0)));
    let mut crowd = JoinSet::new();
    for _ in 0..300 {
        crowd.spawn(stand_at(door, Ipv4Addr::new(127, 0, 0, 2), stood.clone()));
    }
    // Every one of them has been there.
    let all = crate::world::within("the crowd is there", stood.acquire_many(300));
    drop(all.await.unwrap());
    world.start(changsha()).await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    world.until_state(changsha(), id, tb_store::outbox::State::Processed).await;
    crowd.shutdown().await;
}

/// A member with many slow bodies has no more places than one city may: another's messages go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_with_slow_bodies_leaves_places_for_the_others() {
    let world = World::running(On::Sqlite, "places").await;
    let mut slow = Vec::new();
    for _ in 0..3 {
        let mut stream = line(&world, b"h2").await;
        let mut bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
        for at in 0..64 {
            // POST of https at `a` to /x/v1/a, by the static table of HPACK; its body never comes.
            let head = [&[0x83, 0x87, 0x41, 1, b'a', 0x04, 7][..], b"/x/v1/a"].concat();
            bytes.extend(frame(1, 4, 2 * at + 1, &head));
        }
        stream.write_all(&bytes).await.unwrap();
        slow.push(stream);
    }
    // One of them hears that there is no place: they have all that they get.
    shed(&mut slow[2]).await;
    let id = world.send(zhuzhou(), xiangtan(), COUNTED, 1).await;
    let done = world.until_state(zhuzhou(), id, tb_store::outbox::State::Processed);
    let done = tokio::time::timeout(Duration::from_secs(15), done).await;
    assert!(done.is_ok(), "one city has every place");
    drop(slow);
}

/// Reads frames until one of them is the head of an answer.
async fn shed(stream: &mut TlsStream<tokio::net::TcpStream>) {
    let read = async {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
            if head[3] == 1 {
                return;
            }
        }
    };
    crate::world::within("an answer comes", read).await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, on: u32, load: &[u8]) -> Vec<u8> {
    let length = u32::try_from(load.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &on.to_be_bytes()[..], load].concat()
}

/// A connection of a city, to be spoken on by hand.
async fn line(world: &World, alpn: &[u8]) -> TlsStream<tokio::net::TcpStream> {
    let (by, to) = (world.city(changsha()), world.city(xiangtan()));
    let mut config =
        tls::client_config(&by.identity, tls::Pin::Certificate(to.identity.fingerprint())).unwrap();
    config.alpn_protocols = vec![alpn.to_vec()];
    let tcp = tokio::net::TcpStream::connect(to.address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("xiangtan.test").unwrap();
    TlsConnector::from(std::sync::Arc::new(config)).connect(name, tcp).await.unwrap()
}

/// What comes back until the other side ends it.
async fn rest(mut stream: TlsStream<tokio::net::TcpStream>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes));
    let _ = read.await.expect("the connection ends");
    bytes
}

/// A city that has lost its mind: slow heads, huge heads, more connections than it needs. Other requests go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_out_of_its_mind_meets_limits() {
    let world = World::running(On::Sqlite, "limits").await;
    let mut slow = line(&world, b"http/1.1").await;
    slow.write_all(b"GET /log/checkpoint HTTP/1.1\r\nho").await.unwrap();
    let mut huge = line(&world, b"http/1.1").await;
    let head = format!("GET /log/checkpoint HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024));
    let _ = huge.write_all(head.as_bytes()).await;
    assert!(rest(huge).await.starts_with(b"HTTP/1.1 431 "));
    let mut held = Vec::new();
    let turned_away = loop {
        let mut stream = line(&world, b"http/1.1").await;
        let _ = stream.write_all(b"GET /log/checkpoint HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let mut first = [0];
        match stream.read_exact(&mut first).await {
            Ok(_) => held.push(stream),
            Err(_) => break true,
        }
        assert!(held.len() < 100, "no end of connections");
    };
    assert!(turned_away && 50 < held.len(), "{} connections", held.len());
    drop(held);
    let began = rest(slow).await;
    assert!(began.is_empty() || began.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&began));
    let id = world.send(xiangtan(), changsha(), COUNTED, 1).await;
    world.until_state(xiangtan(), id, tb_store::outbox::State::Processed).await;
}

/// Streams that are opened and reset at once (CVE-2023-44487) end the connection, not the node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_resets_ends_the_connection() {
    let world = World::running(On::Sqlite, "resets").await;
    let mut stream = line(&world, b"h2").await;
    let mut bytes = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 0, 0, &[])].concat();
    for at in 0..1_000 {
        // GET / of https at `a`, by the static table of HPACK; then the reset with CANCEL.
        let on = 2 * at + 1;
        bytes.extend(frame(1, 5, on, &[0x82, 0x84, 0x87, 0x41, 1, b'a']));
        bytes.extend(frame(3, 0, on, &8_u32.to_be_bytes()));
    }
    let _ = stream.write_all(&bytes).await;
    let answer = rest(stream).await;
    let calm = [0, 0, 0, 11];
    assert!(answer.windows(4).any(|it| it == calm), "no GOAWAY with ENHANCE_YOUR_CALM: {answer:?}");
    let id = world.send(xiangtan(), changsha(), COUNTED, 1).await;
    world.until_state(xiangtan(), id, tb_store::outbox::State::Processed).await;
}
