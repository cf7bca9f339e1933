//! A city that is told to stop under load: what is in work is answered whole, and the process ends well.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tb_testkit::{Folder, until};

use crate::operations::found;
use crate::process::Process;

/// Forms that are half sent when the city is told to stop.
const HALF_SENT: usize = 8;
/// Callers that ask for pages all the time.
const CALLERS: usize = 4;
const FORM: &str = "login=nobody&password=nothing";

fn connect(site: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(site)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

/// A form of which the city has the head and waits for the body: it said so.
fn half(site: SocketAddr) -> TcpStream {
    let mut stream = connect(site).expect("the city answers");
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: {site}\r\norigin: http://{site}\r\nexpect: 100-continue\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        FORM.len()
    );
    stream.write_all(head.as_bytes()).expect("the head is sent");
    let mut said = [0; 25];
    stream.read_exact(&mut said).expect("the city goes on with the form");
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Whether an answer has all the bytes that its head promises.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).into_owned();
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    match length {
        Some(length) => answer.len() == head.len() + 4 + length,
        None => text.ends_with("0\r\n\r\n") || head.starts_with("HTTP/1.1 303"),
    }
}

/// Asks for a page on a connection of its own; nothing where the city takes no more.
fn ask(site: SocketAddr) -> Option<Vec<u8>> {
    let mut stream = connect(site).ok()?;
    let request = format!("GET /items HTTP/1.1\r\nhost: {site}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // A connection that waited in the system's queue when the city stopped listening is reset without a byte.
    let _ = stream.read_to_end(&mut answer);
    (!answer.is_empty()).then_some(answer)
}

#[test]
fn what_is_in_work_is_finished_and_the_process_ends_well() {
    let folder = Folder::new("shutdown");
    let config = found(&folder);
    let site = tongban::config::CityConfig::load(&config).expect("a configuration").site;
    // The callers of this test are all one address, which limits would slow down.
    let text = std::fs::read_to_string(&config).expect("a configuration");
    std::fs::write(
        &config,
        format!("shared_networks = [\"127.0.0.1\"]\n{}", text.replace("shared_networks = []\n", "")),
    )
    .expect("it is written");
    let mut process = Process::start(&folder, "serve", &["serve", "--config", &config.display().to_string()]);
    let (answered, is_over) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (answered, is_over) = (answered.clone(), is_over.clone());
            std::thread::spawn(move || {
                let mut cut = Vec::new();
                while !is_over.load(Ordering::SeqCst) {
                    match ask(site) {
                        Some(answer) if is_whole(&answer) => drop(answered.fetch_add(1, Ordering::SeqCst)),
                        Some(answer) => cut.push(String::from_utf8_lossy(&answer).into_owned()),
                        None => {}
                    }
                }
                cut
            })
        })
        .collect();
    until("load", Duration::from_secs(20), || Some(()).filter(|()| 40 < answered.load(Ordering::SeqCst)));
    let half_sent: Vec<TcpStream> = (0..HALF_SENT).map(|_| half(site)).collect();
    let id = process.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill runs").success());
    until("an end of listening", Duration::from_secs(5), || TcpStream::connect(site).err());
    for mut stream in half_sent {
        stream.write_all(FORM.as_bytes()).expect("the rest of the form is taken");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        assert!(is_whole(&answer), "{}", String::from_utf8_lossy(&answer));
    }
    let (ended, took) =
        until("the end", Duration::from_secs(10), || process.child.try_wait().expect("a child"));
    is_over.store(true, Ordering::SeqCst);
    println!("ended {} ms after the last answer", took.as_millis());
    assert!(ended.success(), "{ended} {}", process.log());
    for caller in callers {
        assert_eq!(caller.join().expect("a caller"), Vec::<String>::new(), "answers that were cut");
    }
}
