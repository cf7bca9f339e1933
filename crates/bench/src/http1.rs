//! HTTP/1.1 by hand (简易客户端): a generator of load that costs little beside what it measures.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::load::Caller;
use crate::measure::{Outcome, words};

/// The largest page that is read.
const PAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A port that was free a moment ago.
pub fn free_port() -> Outcome<u16> {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").map_err(words)?;
    Ok(socket.local_addr().map_err(words)?.port())
}

/// Reads one HTTP message with a content-length: the sizes of its head and of all.
pub async fn read_message(
    stream: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut [u8],
) -> Outcome<(usize, usize)> {
    let mut filled = 0;
    loop {
        let count = stream.read(buffer.get_mut(filled..).unwrap_or_default()).await.map_err(words)?;
        if count == 0 {
            return Err("the connection ended".to_owned());
        }
        filled += count;
        let so_far = buffer.get(..filled).unwrap_or_default();
        if let Some((head, all)) = sizes(so_far)
            && all <= filled
        {
            return Ok((head, all));
        }
    }
}

/// The size of the head and of the whole message, once the head is there.
fn sizes(message: &[u8]) -> Option<(usize, usize)> {
    let head = message.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(message.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    Some((head, head + length.unwrap_or(0)))
}

/// An answer: status, fields as one text, body.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The status line and all fields.
    pub head: String,
    /// The body as it was sent.
    pub body: Vec<u8>,
}

impl Answer {
    /// A field by its lower-case name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (field, value) = line.split_once(": ")?;
            field.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A connection to a site that stays open and asks for one page.
pub struct PageCaller {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
}

impl PageCaller {
    /// Connects; `fields` stand behind the host, each with its end of line.
    pub async fn connect(port: u16, path: &str, fields: &str) -> Outcome<PageCaller> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(words)?;
        stream.set_nodelay(true).map_err(words)?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n{fields}\r\n").into_bytes();
        Ok(PageCaller { stream, request, buffer: vec![0; PAGE_BYTES_MAX] })
    }

    /// Asks once and gives all of the answer.
    pub async fn get(&mut self) -> Outcome<Answer> {
        self.stream.write_all(&self.request).await.map_err(words)?;
        let (head, all) = read_message(&mut self.stream, &mut self.buffer).await?;
        let text = String::from_utf8_lossy(self.buffer.get(..head).unwrap_or_default()).into_owned();
        let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Ok(Answer { status, head: text, body: self.buffer.get(head..all).unwrap_or_default().to_vec() })
    }
}

impl Caller for PageCaller {
    async fn ask(&mut self) -> Outcome<()> {
        self.stream.write_all(&self.request).await.map_err(words)?;
        let (head, _) = read_message(&mut self.stream, &mut self.buffer).await?;
        let head = self.buffer.get(..head).unwrap_or_default();
        if head.starts_with(b"HTTP/1.1 200") {
            return Ok(());
        }
        Err(format!("a page answered {}", String::from_utf8_lossy(head.get(..16).unwrap_or(head))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_ends_where_its_length_says() {
        assert_eq!(sizes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), Some((38, 43)));
        assert_eq!(sizes(b"GET / HTTP/1.1\r\n\r\n"), Some((18, 18)));
        assert_eq!(sizes(b"GET / HTTP/1.1\r\n"), None);
    }

    #[test]
    fn a_field_is_found_whatever_its_case() {
        let head = "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\n\r\n".to_owned();
        let answer = Answer { status: 200, head, body: Vec::new() };
        assert_eq!((answer.field("set-cookie"), answer.field("x")), (Some("a=b; Path=/"), None));
    }
}
