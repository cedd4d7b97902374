//! A server on 127.0.0.1 that plays the vendor: it answers every call of the table with nothing in particular, and some
//! as a script says.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evenhand_collect::served::{Reply as Sent, Request, Served};

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
    _served: Served,
}

impl Server {
    /// Answers as the script says; where it says nothing, as an account in which there is nothing.
    pub(super) fn new(script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let served = Served::new(move |request| serve(request, &log, &script)).unwrap();
        Self { url: served.url.clone(), seen, _served: served }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How often an operation was called.
    pub(super) fn count(&self, operation: &str) -> usize {
        self.seen().iter().filter(|seen| seen.operation == operation).count()
    }
}

fn serve(request: &Request, log: &Mutex<Vec<Seen>>, script: &Script) -> Sent {
    let target = request.header("x-amz-target").rsplit('.').next().unwrap();
    let scope = request.header("authorization").split("Credential=").nth(1).unwrap().split(',').next().unwrap();
    let Request { method, path, query, body, .. } = request;
    let scope: Vec<&str> = scope.split('/').collect();
    let action = body.split('&').find_map(|field| field.strip_prefix("Action=")).unwrap_or("").to_owned();
    let call = find(method, path, target, &action, scope[3]);
    let seen = Seen {
        operation: call.operation,
        action: call.action(),
        text: format!("{path}{}{query} {body}", if query.is_empty() { "" } else { "?" }),
        region: scope[2].to_owned(),
        key: scope[0].to_owned(),
    };
    log.lock().unwrap().push(seen.clone());
    let (status, body) = script(&seen).unwrap_or_else(|| (200, nothing(call)));
    Sent { status, body, ..Sent::default() }
}

/// The call of the table that a request is. Any other request is a fault of the collector.
fn find(method: &str, path: &str, target: &str, action: &str, signed: &str) -> &'static Call {
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

/// What every account's credential report holds at the least: its root.
const REPORT: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date\n\
    <root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,N/A,not_supported,not_supported,true,false,N/A,N/A,false,N/A,N/A\n";

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
        "GetCredentialReport" => {
            let report = STANDARD.encode(REPORT);
            query(call.operation, &format!("<Content>{report}</Content><ReportFormat>text/csv</ReportFormat>"))
        }
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
