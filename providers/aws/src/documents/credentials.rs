//! Calls about users' credentials: the credential report, access keys, passwords, factors, keys for single services.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evenhand_model::Timestamp;
use evenhand_model::document::ReadError;
use evenhand_model::evidence::{Evidence, Fact};
use serde::Deserialize;

use super::sheet::Sheet;
use super::values::{ArnText, Name, Text, When};
use crate::inventory::arn::Arn;
use crate::inventory::facts::{
    AccessKey, AccessKeyUse, Facts, LoginProfile, ReportKey, ReportRow, Said, ServiceCredential, Summary,
};

/// `iam get-credential-report`: a table in Base64 inside JSON.
pub(super) fn report(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(content) = sheet.needed::<Text<'_>>("Content", errors) else { return };
    let decoded = STANDARD.decode(content.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // The second version of the command line decodes the content itself.
    let table = match decoded {
        Some(table) => Cow::Owned(table),
        None if content.starts_with("user,") => content.0,
        None => {
            errors.push(sheet.error("/Content", "is no Base64 text", "save what the call prints without change"));
            return;
        }
    };
    rows(sheet, &table, |_| sheet.evidence("/Content"), facts, errors);
}

/// The credential report as the table itself.
pub(super) fn report_table(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let path = Arc::clone(&sheet.path);
    rows(sheet, sheet.root(), |line| Evidence::line(Arc::clone(&path), line), facts, errors);
}

fn rows(
    sheet: &Sheet<'_>,
    table: &str,
    evidence: impl Fn(u32) -> Evidence,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
    let columns = match reader.headers() {
        Ok(columns) => columns.clone(),
        Err(_) => {
            errors.push(sheet.error("", "has no readable header", "save what the call prints without change"));
            return;
        }
    };
    let missing: Vec<String> = COLUMNS
        .iter()
        .filter(|name| !columns.iter().any(|held| held == **name))
        .map(|name| format!("`{name}`"))
        .collect();
    if !missing.is_empty() {
        errors.push(fault(&evidence(1), format!("has no column {}", missing.join(", "))));
    }
    let mut any = false;
    for record in reader.records() {
        any = true;
        let Ok(record) = record else {
            errors.push(sheet.error("", "holds a row that is no text", "save what the call prints without change"));
            continue;
        };
        let line = record.position().map_or(0, |position| u32::try_from(position.line()).unwrap_or(u32::MAX));
        let at = evidence(line);
        // What a row that is cut says last may be cut too.
        let whole = record.len() == columns.len();
        let told = if record.len() < columns.len() { record.len().saturating_sub(1) } else { record.len() };
        let mut cells = Row { columns: &columns, record: &record, told, odd: Vec::new() };
        let user = cells.cell("user").filter(|user| !user.is_empty());
        let of = user.map(|user| format!(" of `{user}`")).unwrap_or_default();
        if !whole {
            let reason = format!("has {} of {} columns in the row{of}", record.len(), columns.len());
            errors.push(fault(&at, reason));
        }
        let (Some(user), Some(arn)) = (user, cells.cell("arn").filter(|arn| Arn::parse(arn).is_some())) else {
            if whole {
                errors.push(fault(&at, format!("has no user or no arn in the row{of}")));
            }
            continue;
        };
        let row = cells.report(facts.texts.share(user), facts.texts.share(arn));
        if !cells.odd.is_empty() {
            errors.push(fault(&at, format!("has {} in the row{of}", cells.odd.join(", "))));
        }
        let number = Arn::parse(arn).and_then(|arn| arn.account_number());
        let account = match number {
            Some(number) => Some(facts.account(number)),
            None => sheet.account.clone(),
        };
        facts.report.push(Said { account, evidence: at, it: row });
    }
    // The root user has a row in every report.
    if !any {
        errors.push(fault(&evidence(1), "has no row under its header".to_owned()));
    }
}

/// A row of the table.
struct Row<'r> {
    columns: &'r csv::StringRecord,
    record: &'r csv::StringRecord,
    /// How many of its cells are whole.
    told: usize,
    /// What is wrong with cells.
    odd: Vec<String>,
}

impl<'r> Row<'r> {
    fn cell(&self, name: &str) -> Option<&'r str> {
        let place = self.columns.iter().position(|column| column == name).filter(|place| *place < self.told)?;
        self.record.get(place)
    }

    /// A cell as a fact. Unknown where there is none; what is none of `wanted` is odd too.
    fn fact<T>(&mut self, name: &str, wanted: &str, parse: fn(&str) -> Option<Fact<T>>) -> Fact<T> {
        let Some(held) = self.cell(name) else { return Fact::Unknown };
        parse(held).unwrap_or_else(|| {
            self.odd.push(format!("no {wanted} as `{name}`"));
            Fact::Unknown
        })
    }

    fn truth(&mut self, name: &str) -> Fact<bool> {
        self.fact(name, "truth value", truth)
    }

    fn time(&mut self, name: &str) -> Fact<Timestamp> {
        self.fact(name, "time", time)
    }

    fn report(&mut self, user: Arc<str>, arn: Arc<str>) -> ReportRow {
        let (password_enabled, mfa) = (self.truth("password_enabled"), self.truth("mfa_active"));
        let [first, second] = [self.truth("access_key_1_active"), self.truth("access_key_2_active")];
        ReportRow {
            root: &*user == "<root_account>" || Arn::parse(&arn).is_some_and(|arn| arn.resource == "root"),
            user,
            arn,
            created_at: self.time("user_creation_time"),
            password_enabled,
            password_last_used: self.time("password_last_used"),
            password_changed_at: self.time("password_last_changed"),
            password_next_rotation: self.time("password_next_rotation"),
            mfa,
            keys: [
                ReportKey {
                    active: first,
                    rotated_at: self.time("access_key_1_last_rotated"),
                    last_used_at: self.time("access_key_1_last_used_date"),
                },
                ReportKey {
                    active: second,
                    rotated_at: self.time("access_key_2_last_rotated"),
                    last_used_at: self.time("access_key_2_last_used_date"),
                },
            ],
        }
    }
}

/// The columns that are read.
const COLUMNS: &[&str] = &[
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
];

fn fault(at: &Evidence, reason: String) -> ReadError {
    ReadError { document: at.to_string(), reason, remedy: "save what the call prints without change".to_owned() }
}

/// `None` = it is none of the vendor's words.
fn truth(cell: &str) -> Option<Fact<bool>> {
    match cell {
        "true" | "TRUE" | "True" => Some(Fact::Known(true)),
        "false" | "FALSE" | "False" => Some(Fact::Known(false)),
        // The root user's password is always there and the report does not say so.
        "not_supported" | "N/A" | "no_information" => Some(Fact::Unknown),
        _ => None,
    }
}

/// `N/A` and `no_information` say that there is none; `not_supported` says nothing. `None` = it is no time.
fn time(cell: &str) -> Option<Fact<Timestamp>> {
    match cell {
        "not_supported" => Some(Fact::Unknown),
        "N/A" | "no_information" => Some(Fact::Absent),
        text => When::parse(text).time().map(Fact::Known),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyMetadata<'a> {
    #[serde(borrow)]
    user_name: Option<Name<'a>>,
    #[serde(borrow)]
    access_key_id: Name<'a>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    create_date: Option<When>,
}

const ACTIVE: &[(&str, bool)] = &[("Active", true), ("Inactive", false), ("Expired", false)];

/// `iam list-access-keys`.
pub(super) fn access_keys(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    for (pointer, key) in sheet.list::<KeyMetadata<'_>>("AccessKeyMetadata", errors) {
        let Some(user) = key.user_name.as_deref().or_else(|| sheet.parameter("UserName")) else {
            errors.push(sheet.error(&pointer, "does not say whose key it is", "keep the member `UserName`"));
            continue;
        };
        let it = AccessKey {
            user: facts.texts.share(user),
            id: facts.texts.share(&key.access_key_id),
            active: sheet.word(format_args!("{pointer}/Status"), key.status.as_deref(), ACTIVE, errors),
            created_at: sheet.moment(format_args!("{pointer}/CreateDate"), key.create_date, errors),
        };
        facts.access_keys.push(Said { account: sheet.account.clone(), evidence: sheet.evidence(&pointer), it });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyUse {
    last_used_date: Option<When>,
}

/// `iam get-access-key-last-used`. The answer names the user but not the key.
pub(super) fn access_key_use(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let user = sheet.member::<Name<'_>>("UserName", errors);
    let Some(last) = sheet.needed::<KeyUse>("AccessKeyLastUsed", errors) else { return };
    let it = AccessKeyUse {
        user: user.as_deref().map(|user| facts.texts.share(user)),
        id: sheet.parameter("AccessKeyId").map(|id| facts.texts.share(id)),
        last_used_at: match last.last_used_date {
            None => Fact::Absent,
            date => sheet.moment(format_args!("/AccessKeyLastUsed/LastUsedDate"), date, errors),
        },
    };
    if it.id.is_none() && it.user.is_none() {
        errors.push(sheet.error(
            "",
            "does not say which key it is about",
            "wrap it: {\"call\": \"iam get-access-key-last-used\", \"parameters\": {\"AccessKeyId\": …}, \"response\": …}",
        ));
        return;
    }
    facts.access_key_uses.push(Said { account: sheet.account.clone(), evidence: sheet.evidence(""), it });
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceSpecific<'a> {
    #[serde(borrow)]
    user_name: Option<Name<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    create_date: Option<When>,
    expiration_date: Option<When>,
    #[serde(borrow)]
    service_specific_credential_id: Name<'a>,
    #[serde(borrow)]
    service_name: Option<Text<'a>>,
}

/// `iam list-service-specific-credentials`.
pub(super) fn service_credentials(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    for (pointer, key) in sheet.list::<ServiceSpecific<'_>>("ServiceSpecificCredentials", errors) {
        let Some(user) = key.user_name.as_deref().or_else(|| sheet.parameter("UserName")) else {
            errors.push(sheet.error(&pointer, "does not say whose credential it is", "keep the member `UserName`"));
            continue;
        };
        // Which service it is for decides what it is.
        let service = key.service_name.as_deref().unwrap_or_default();
        if service.is_empty() {
            let place = format!("{pointer}/ServiceName");
            errors.push(sheet.error(&place, "does not say for which service it is", "keep the member `ServiceName`"));
        }
        let it = ServiceCredential {
            user: facts.texts.share(user),
            id: facts.texts.share(&key.service_specific_credential_id),
            service: facts.texts.share(service),
            active: sheet.word(format_args!("{pointer}/Status"), key.status.as_deref(), ACTIVE, errors),
            created_at: sheet.moment(format_args!("{pointer}/CreateDate"), key.create_date, errors),
            // No date means that it never ends.
            expires_at: match key.expiration_date {
                None => Fact::Absent,
                date => sheet.moment(format_args!("{pointer}/ExpirationDate"), date, errors),
            },
        };
        facts.service_credentials.push(Said { account: sheet.account.clone(), evidence: sheet.evidence(&pointer), it });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Login<'a> {
    #[serde(borrow)]
    user_name: Option<Name<'a>>,
    create_date: Option<When>,
}

/// `iam get-login-profile`.
pub(super) fn login_profile(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(login) = sheet.needed::<Login<'_>>("LoginProfile", errors) else { return };
    let Some(user) = login.user_name.as_deref().or_else(|| sheet.parameter("UserName")) else {
        errors.push(sheet.error("/LoginProfile", "does not say whose password it is", "keep the member `UserName`"));
        return;
    };
    let created_at = sheet.moment(format_args!("/LoginProfile/CreateDate"), login.create_date, errors);
    let it = LoginProfile { user: facts.texts.share(user), present: true, created_at };
    facts.login_profiles.push(Said { account: sheet.account.clone(), evidence: sheet.evidence("/LoginProfile"), it });
}

/// The answer that a user has no console password.
pub(super) fn no_login_profile(sheet: &Sheet<'_>, facts: &mut Facts) {
    if let Some(user) = sheet.parameter("UserName").map(|user| facts.texts.share(user)) {
        let it = LoginProfile { user, present: false, created_at: Fact::Absent };
        facts.login_profiles.push(Said { account: sheet.account.clone(), evidence: sheet.evidence(""), it });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MfaDevice<'a> {
    #[serde(borrow)]
    user_name: Option<Name<'a>>,
}

/// `iam list-mfa-devices`.
pub(super) fn mfa_devices(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    for (pointer, device) in sheet.list::<MfaDevice<'_>>("MFADevices", errors) {
        if let Some(user) = device.user_name.as_deref().or_else(|| sheet.parameter("UserName")) {
            let it = facts.texts.share(user);
            facts.mfa_users.push(Said { account: sheet.account.clone(), evidence: sheet.evidence(&pointer), it });
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NamedByArn<'a> {
    #[serde(borrow)]
    arn: ArnText<'a>,
}

/// `iam list-open-id-connect-providers`, `iam list-saml-providers`.
pub(super) fn identity_providers(
    sheet: &Sheet<'_>,
    list: &'static str,
    facts: &mut Facts,
    errors: &mut Vec<ReadError>,
) {
    for (pointer, provider) in sheet.list::<NamedByArn<'_>>(list, errors) {
        let number = Arn::parse(&provider.arn).and_then(|arn| arn.account_number());
        let account = number.map(|number| facts.account(number)).or_else(|| sheet.account.clone());
        let it = facts.texts.share(&provider.arn);
        facts.identity_providers.push(Said { account, evidence: sheet.evidence(&pointer), it });
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SummaryMap {
    account_access_keys_present: Option<u32>,
    #[serde(rename = "AccountMFAEnabled")]
    account_mfa_enabled: Option<u32>,
}

/// `iam get-account-summary`.
pub(super) fn summary(sheet: &Sheet<'_>, facts: &mut Facts, errors: &mut Vec<ReadError>) {
    let Some(map) = sheet.needed::<SummaryMap>("SummaryMap", errors) else { return };
    let it = Summary {
        root_keys: map.account_access_keys_present.map(|count| count > 0),
        root_mfa: map.account_mfa_enabled.map(|count| count > 0),
    };
    facts.summaries.push(Said { account: sheet.account.clone(), evidence: sheet.evidence("/SummaryMap"), it });
}
