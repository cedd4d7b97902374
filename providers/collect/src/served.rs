//! A server on 127.0.0.1 for the tests of collectors: it reads requests as they are and answers as a test says, well or
//! badly. What a vendor's answers look like is for the tests of its provider.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET` and the like.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query as it was sent, without `?`.
    pub query: String,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Request {
    /// The value of a header, by its name in lower case; empty where it was not sent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value)
    }

    /// The fields of the query, decoded.
    pub fn fields(&self) -> impl Iterator<Item = (String, String)> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), decoded(value)))
    }
}

/// How an answer is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum How {
    /// All of it.
    #[default]
    Whole,
    /// The connection ends without an answer.
    Reset,
    /// The connection ends in the middle of the body.
    Cut,
    /// The body comes bit by bit, with this wait after each.
    Slow(Duration),
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers, but for length and connection.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// How it is sent.
    pub how: How,
}

/// A server; it ends with the value.
#[derive(Debug)]
pub struct Served {
    /// Where it is, without a path.
    pub url: String,
    over: Arc<AtomicBool>,
}

impl Served {
    /// Answers every request, each in a thread of its own.
    ///
    /// # Errors
    /// Where it cannot listen.
    pub fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let over = Arc::new(AtomicBool::new(false));
        let (end, answer) = (Arc::clone(&over), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let answer = Arc::clone(&answer);
                // A client that goes away takes its answer with it.
                std::thread::spawn(move || drop(serve(stream, &*answer)));
            }
        });
        Ok(Self { url, over })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees that it is over.
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
    }
}

/// Answers the requests of a connection, one after the other, until its client goes away.
fn serve(mut stream: TcpStream, answer: &(impl Fn(&Request) -> Reply + ?Sized)) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(request) = request(&mut reader)? {
        let reply = answer(&request);
        if reply.how == How::Reset {
            return Ok(());
        }
        let mut head = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", reply.status, reply.body.len());
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let body = reply.body.as_bytes();
        match reply.how {
            How::Whole | How::Reset => stream.write_all(&[head.as_bytes(), body].concat())?,
            How::Cut => {
                stream.write_all(head.as_bytes())?;
                return stream.write_all(body.get(..body.len() / 2).unwrap_or_default());
            }
            How::Slow(wait) => {
                stream.write_all(head.as_bytes())?;
                for bit in body.chunks(16) {
                    stream.write_all(bit)?;
                    std::thread::sleep(wait);
                }
            }
        }
    }
    Ok(())
}

fn request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request =
        Request { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), ..Request::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").parse().unwrap_or(0);
    reader.take(length).read_to_string(&mut request.body)?;
    Ok(Some(request))
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| char::from(byte.unwrap_or_default()).to_digit(16).unwrap_or_default();
        out.push(match byte {
            b'%' => u8::try_from(digit(bytes.next()) * 16 + digit(bytes.next())).unwrap_or_default(),
            byte => byte,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}
