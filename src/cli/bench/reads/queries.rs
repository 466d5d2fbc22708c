//! What is asked: documents and their variables.

use guerdon_domain::date::Date;
use serde_json::{Value, json};

/// Benefits that are asked of one partner, and of each partner of a list.
const OF_ONE: usize = 25;
const OF_EACH: usize = 10;
/// Partners of the list.
pub const LISTED: usize = 50;

/// What a document is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing.
    Nothing,
    /// A partner by its code.
    Partner,
    /// A page of partners, behind a cursor.
    Page,
}

/// A query that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// Its name on the command line.
    pub key: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The document.
    pub text: &'static str,
    /// What it is asked about.
    pub subject: Subject,
    /// So many requests for every hundred of the cheapest: a run stays within minutes.
    pub share: u64,
}

/// What is measured, the cheapest first.
pub const QUERIES: [Query; 5] = [
    Query { key: "hello", what: "hello", text: "{ __typename }", subject: Subject::Nothing, share: 100 },
    Query { key: "one", what: "one partner, 25 entitlements", text: ONE, subject: Subject::Partner, share: 100 },
    Query { key: "fifty", what: "50 partners, 10 entitlements each", text: FIFTY, subject: Subject::Page, share: 15 },
    Query { key: "portal", what: "the portal's view of one partner", text: PORTAL, subject: Subject::Partner, share: 15 },
    Query { key: "estimate", what: "a rebate estimate of one partner", text: ESTIMATE, subject: Subject::Partner, share: 25 },
];

const ONE: &str = "query One($code: String!, $asOf: Date!, $keys: [String!]!) { partner(by: {code: $code}) { code name \
    entitlements(asOf: $asOf, keys: $keys) { benefit status value { access allowance level money rate { rate } } } } }";
const FIFTY: &str = "query Fifty($after: String, $asOf: Date!, $keys: [String!]!) { partners(first: 50, after: $after) { nodes { code name \
    entitlements(asOf: $asOf, keys: $keys) { benefit status value { access allowance level money rate { rate } } } } } }";
/// As docs/tiers.md has it, as of a day.
const PORTAL: &str = "query Portal($code: String!, $asOf: Date!) { partner(by: {code: $code}) { name \
    tier(asOf: $asOf) { tier from until cause overridden { kind reason span { until } statusMatch { program status } } } \
    standing(asOf: $asOf) { ladders { ladder region tier qualified decision { reasons grace { until warnFrom } overridden { kind reason } } \
    awaiting { tier step sentence request { id answerUntil } } \
    next { tier reviewOn gap { missing { key label missing unit by sentence } alternatives { missing { sentence } } } } keep { met missing { sentence } } } \
    atRisk(months: 6) { ladder tier failsOn leaves { label failsOn sentence } } } \
    tierOverrides(states: [PROPOSED, APPROVED], first: 20) { nodes { kind tier state span { from until } reason } } \
    admissionRequests(states: [OPEN], first: 20) { nodes { id kind tier answerUntil text } } \
    entitlements(asOf: $asOf) { benefit status value { access allowance level } unlocks { text } } \
    rebateEstimate(asOf: $asOf) { period totals { amount currency } schedules { schedule amount { amount } nextBand { missing worth { amount } } } } } }";
const ESTIMATE: &str = "query Estimate($code: String!, $asOf: Date!) { partner(by: {code: $code}) { code \
    rebateEstimate(asOf: $asOf) { period totals { amount currency } schedules { schedule amount { amount } nextBand { missing worth { amount } } } } } }";
/// Walks through the partners.
pub const WALK: &str = "query Walk($after: String) { partners(first: 50, after: $after) { nodes { code } pageInfo { endCursor hasNextPage } } }";

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("benefit{number:02}")).collect()
}

impl Query {
    /// The body of a request about a subject.
    pub fn body(&self, subject: Option<&str>, as_of: Date) -> String {
        let variables = match self.subject {
            Subject::Nothing => Value::Null,
            Subject::Partner if self.key == "one" => json!({"code": subject, "asOf": as_of.to_string(), "keys": keys(OF_ONE)}),
            Subject::Partner => json!({"code": subject, "asOf": as_of.to_string()}),
            Subject::Page => json!({"after": subject, "asOf": as_of.to_string(), "keys": keys(OF_EACH)}),
        };
        json!({"query": self.text, "variables": variables}).to_string()
    }
}
