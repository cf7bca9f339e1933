//! Doors: who is no city of the region gets no connection, whatever it knows.

use http::Method;
use serde_json::json;
use tb_node::tls::Identity;

use crate::raw;
use crate::services::COUNTED;
use crate::world::{On, World, changsha, xiangtan};

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
    let trust = std::sync::Arc::new(world.trust.list.clone());
    let config = tb_node::tls::server_config(&impostor, trust).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let accepted = tokio::spawn(async move {
        let (stream, _) = socket.accept().await.unwrap();
        acceptor.accept(stream).await.map(drop)
    });
    world.send(changsha(), xiangtan(), COUNTED, 1).await;
    assert!(crate::world::within("somebody connects", accepted).await.unwrap().is_err());
}

/// Strangers who connect and say nothing fill the door; it empties by itself, and the cities get in.
async fn a_crowd_at_the_door_does_not_keep_the_cities_out(on: On) {
    let mut world = World::founded(on, "crowd").await;
    world.start(xiangtan()).await;
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(tokio::net::TcpStream::connect(world.city(xiangtan()).address).await.unwrap());
    }
    world.start(changsha()).await;
    let id = world.send(changsha(), xiangtan(), COUNTED, 1).await;
    world.until_state(changsha(), id, tb_store::outbox::State::Processed).await;
    drop(crowd);
}
