//! The peer of the exchange: Debian's nginx as a reverse proxy with mutual TLS before a stub that answers 1 KB.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tb_crypto::text::base64;
use tb_node::tls::{Identity, Pin, client_config};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::child::Program;
use crate::http1::{free_port, read_message};
use crate::load::Caller;
use crate::measure::{Outcome, words};

const NGINX: &str = "/usr/sbin/nginx";
/// How long nginx may take to listen.
const PATIENCE_TRIES: u32 = 100;

/// nginx and the stub behind it.
pub struct Proxy {
    port: u16,
    identity: Identity,
    fingerprint: String,
    _program: Program,
}

impl Proxy {
    /// Starts both; the stub runs on the runtime that this is called on.
    pub async fn start(folder: &Path, answer: &[u8]) -> Outcome<Proxy> {
        let stub = TcpListener::bind("127.0.0.1:0").await.map_err(words)?;
        let stub_port = stub.local_addr().map_err(words)?.port();
        tokio::spawn(serve_stub(stub, response(answer)));
        let (server, client) = (identity("430300")?, identity("430100")?);
        let write = |name: &str, label: &str, der: &[u8]| {
            std::fs::write(folder.join(name), pem(label, der)).map_err(words)
        };
        write("server.pem", "CERTIFICATE", &server.certificate)?;
        write("server.key", "PRIVATE KEY", &server.key)?;
        write("client.pem", "CERTIFICATE", &client.certificate)?;
        let port = free_port()?;
        std::fs::write(folder.join("nginx.conf"), configuration(folder, port, stub_port)).map_err(words)?;
        let configuration = folder.join("nginx.conf").display().to_string();
        let log = folder.join("nginx.log");
        let program = Program::start(Path::new(NGINX), &["-c", &configuration], &log)?;
        let proxy = Proxy { port, identity: client, fingerprint: server.fingerprint(), _program: program };
        for _ in 0..PATIENCE_TRIES {
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(proxy);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("nginx does not listen: {}", std::fs::read_to_string(log).unwrap_or_default()))
    }

    /// A caller with a connection of its own that stays open.
    pub async fn caller(&self, body: &[u8]) -> Outcome<ProxyCaller> {
        let config =
            client_config(&self.identity, Pin::Certificate(self.fingerprint.clone())).map_err(words)?;
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.map_err(words)?;
        stream.set_nodelay(true).map_err(words)?;
        let name = ServerName::try_from("localhost").map_err(words)?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(words)?;
        let head = format!(
            "POST /x/v1/query HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok(ProxyCaller { stream, request: [head.as_bytes(), body].concat(), buffer: vec![0; 16_384] })
    }
}

/// A connection to nginx.
pub struct ProxyCaller {
    stream: TlsStream<TcpStream>,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl Caller for ProxyCaller {
    async fn ask(&mut self) -> Outcome<()> {
        self.stream.write_all(&self.request).await.map_err(words)?;
        let (head, _) = read_message(&mut self.stream, &mut self.buffer).await?;
        let good = self.buffer.get(..head).is_some_and(|head| head.starts_with(b"HTTP/1.1 200"));
        if good { Ok(()) } else { Err("nginx did not answer 200".to_owned()) }
    }
}

async fn serve_stub(stub: TcpListener, response: Arc<[u8]>) {
    while let Ok((mut stream, _)) = stub.accept().await {
        let response = response.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let mut buffer = vec![0; 16_384];
            while read_message(&mut stream, &mut buffer).await.is_ok() {
                if stream.write_all(&response).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn response(body: &[u8]) -> Arc<[u8]> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat().into()
}

fn identity(node: &str) -> Outcome<Identity> {
    Identity::generate(node.parse().map_err(|_| "a city's code")?).map_err(words)
}

/// RFC 7468, in lines of 64.
fn pem(label: &str, der: &[u8]) -> String {
    let text: Vec<char> = base64(der).chars().collect();
    let lines: Vec<String> = text.chunks(64).map(|line| line.iter().collect()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// One worker a core, connections kept open on both sides, no log of requests.
fn configuration(folder: &Path, port: u16, stub: u16) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    upstream stub {{ server 127.0.0.1:{stub}; keepalive 128; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_protocols TLSv1.3;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_client_certificate {folder}/client.pem;
        ssl_verify_client on;
        location / {{
            proxy_pass http://stub;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
        }}
    }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_has_lines_of_64() {
        let text = pem("X", &[0; 60]);
        assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [17, 64, 16, 15]);
    }
}
