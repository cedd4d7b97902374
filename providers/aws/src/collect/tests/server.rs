//! A server on 127.0.0.1 that plays the vendor: it answers every call of the table with nothing in particular, and some
//! as a script says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::collect::table::{self, Call, Path, Protocol};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) operation: &'static str,
    pub(super) action: String,
    /// Path, query and body.
    pub(super) text: String,
    /// The region that the request was signed for.
    pub(super) region: String,
    /// The key that signed it.
    pub(super) key: String,
}

/// A status and a body.
pub(super) type Reply = (u16, String);

type Script = dyn Fn(&Seen) -> Option<Reply> + Send + Sync;

/// The server; it ends with the value.
pub(super) struct Server {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    over: Arc<AtomicBool>,
}

impl Server {
    /// Answers as the script says; where it says nothing, as an account in which there is nothing.
    pub(super) fn new(script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (seen, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let script: Arc<Script> = Arc::new(script);
        let (log, end) = (Arc::clone(&seen), Arc::clone(&over));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                std::thread::spawn(move || serve(stream.unwrap(), &log, &*script));
            }
        });
        Self { url, seen, over }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How often an operation was called.
    pub(super) fn count(&self, operation: &str) -> usize {
        self.seen().iter().filter(|seen| seen.operation == operation).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees that it is over.
        drop(TcpStream::connect(self.url.trim_start_matches("http://")));
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Seen>>, script: &Script) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut target, mut length, mut scope) = (String::new(), String::new(), 0, String::new());
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "x-amz-target" => target = value.trim().rsplit('.').next().unwrap().to_owned(),
            "authorization" => scope = value.split("Credential=").nth(1).unwrap().split(',').next().unwrap().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let mut words = first.split_whitespace();
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let scope: Vec<&str> = scope.split('/').collect();
    let action = body.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap_or("").to_owned();
    let call = find(method, path, &target, &action, scope[3]);
    let seen = Seen {
        operation: call.operation,
        action: call.action(),
        text: format!("{path} {body}"),
        region: scope[2].to_owned(),
        key: scope[0].to_owned(),
    };
    log.lock().unwrap().push(seen.clone());
    let (status, body) = script(&seen).unwrap_or_else(|| (200, nothing(call)));
    let _ = write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
}

/// The call of the table that a request is. Any other request is a fault of the collector.
fn find(method: &str, path: &str, target: &str, action: &str, signed: &str) -> &'static Call {
    let path = path.split('?').next().unwrap();
    let fits = |template: &str| {
        let (a, b): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || (a.starts_with('{') && !b.is_empty()))
    };
    table::calls()
        .chain([table::caller(), table::regions(), table::assume()])
        .find(|call| {
            call.service.signing == signed
                && match call.service.protocol {
                    Protocol::Query { .. } | Protocol::Ec2 { .. } => call.operation == action,
                    Protocol::Json { .. } => call.operation == target,
                    Protocol::Rest => match call.path {
                        Path::Get(template) => method == "GET" && fits(template),
                        Path::Post(template) | Path::PostQuery(template) => method == "POST" && fits(template),
                        Path::Root => false,
                    },
                }
        })
        .unwrap_or_else(|| panic!("a call that is not in the table: {method} {path} {target} {action}"))
}

/// The answer that there is nothing.
fn nothing(call: &Call) -> String {
    match call.operation {
        "GetCallerIdentity" => {
            query(call.operation, "<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/auditor</Arn>")
        }
        "DescribeRegions" => "<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName></item>\
                              </regionInfo></DescribeRegionsResponse>"
            .to_owned(),
        "GenerateCredentialReport" => query(call.operation, "<State>COMPLETE</State>"),
        "GetCredentialReport" => query(call.operation, "<Content></Content><ReportFormat>text/csv</ReportFormat>"),
        "DescribeOrganization" => r#"{"Organization":{"Id":"o-1","MasterAccountId":"111122223333"}}"#.to_owned(),
        operation => match call.service.protocol {
            Protocol::Query { .. } => query(operation, &lists(call, |list| format!("<{list}/>"))),
            Protocol::Ec2 { .. } => {
                let list = match operation {
                    "DescribeLaunchTemplates" => "launchTemplates",
                    "DescribeLaunchTemplateVersions" => "launchTemplateVersionSet",
                    _ => "reservationSet",
                };
                format!("<{operation}Response><{list}/></{operation}Response>")
            }
            Protocol::Json { .. } | Protocol::Rest => {
                format!("{{{}}}", lists(call, |list| format!("\"{list}\":[],")).trim_end_matches(','))
            }
        },
    }
}

/// Everything that an answer has to hold, empty.
fn lists(call: &Call, empty: impl Fn(&str) -> String) -> String {
    let paged = call.pages.map_or(&[][..], |pages| pages.lists);
    paged.iter().copied().chain(call.holds).map(empty).collect()
}

/// An answer of the query protocol.
pub(super) fn query(operation: &str, result: &str) -> String {
    format!("<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>")
}
