//! Every root field and every node type, as nobody, as the wrong partner, as the right one, and as staff.

use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use guerdon_domain::access::{Role, RoleScope};
use serde_json::{Value, json};

use crate::api::{Api, actor, admin, auditor, nobody, of_partner, sale};

#[tokio::test]
async fn every_query_field_is_asked_as_nobody_the_wrong_partner_the_right_one_and_staff() {
    let api = Api::furnished().await;
    let ids = api.ask(auditor(), "{ partner(by: {code: \"A\"}) { id } program(by: {code: \"P\"}) { id version { id } } }").await;
    let id = |pointer: &str| ids.at(pointer).as_str().unwrap().to_owned();
    let partner = id("/partner/id");
    // The field, and what nobody, a stranger, the partner itself and staff get: denied, null, or something.
    let table: Vec<(String, [&str; 4])> = vec![
        ("apiVersion".into(), ["some", "some", "some", "some"]),
        ("viewer { person }".into(), ["some", "some", "some", "some"]),
        ("partner(by: {code: \"A\"}) { code }".into(), ["denied", "null", "some", "some"]),
        (format!("partner(by: {{id: \"{partner}\"}}) {{ code }}"), ["denied", "null", "some", "some"]),
        ("partners(filter: {search: \"Partner A\"}) { nodes { code } }".into(), ["denied", "empty", "some", "some"]),
        ("check(partner: \"A\", benefits: [\"portal\"]) { allowed }".into(), ["denied", "null", "some", "some"]),
        ("review(id: \"x\") { id }".into(), ["denied", "null", "null", "null"]),
        ("reviews { nodes { id } }".into(), ["denied", "empty", "empty", "empty"]),
        ("standings { nodes { tier } }".into(), ["denied", "empty", "empty", "empty"]),
        ("reviewFailures(review: \"x\") { code }".into(), ["denied", "null", "null", "null"]),
        ("jobs { nodes { id } }".into(), ["denied", "denied", "denied", "empty"]),
        ("job(id: \"x\") { id }".into(), ["denied", "denied", "denied", "null"]),
        ("program(by: {code: \"P\"}) { code }".into(), ["denied", "some", "some", "some"]),
        ("programs { nodes { code } }".into(), ["denied", "some", "some", "some"]),
        ("tierOverrides(filter: {partner: \"A\"}) { nodes { kind } }".into(), ["denied", "empty", "empty", "empty"]),
        ("admissionRequests(filter: {kinds: [APPLICATION]}) { nodes { tier } }".into(), ["denied", "empty", "empty", "empty"]),
        ("disputes { nodes { id } }".into(), ["denied", "empty", "empty", "empty"]),
        ("dispute(id: \"x\") { id }".into(), ["denied", "null", "null", "null"]),
        ("rebateRuns { nodes { id } }".into(), ["denied", "denied", "denied", "empty"]),
        ("statements { nodes { id } }".into(), ["denied", "empty", "empty", "empty"]),
        ("journal { nodes { id } }".into(), ["denied", "denied", "denied", "empty"]),
        ("ledgerAccounts(program: \"P\") { kind }".into(), ["denied", "denied", "denied", "empty"]),
        ("periodLocks(program: \"P\") { period }".into(), ["denied", "denied", "denied", "empty"]),
        ("simulation(input: {slice: {partners: [\"A\"]}}) { partners }".into(), ["denied", "denied", "denied", "some"]),
        (format!("node(id: \"{partner}\") {{ id }}"), ["null", "null", "some", "some"]),
        (format!("node(id: \"{}\") {{ id }}", id("/program/id")), ["null", "some", "some", "some"]),
        (format!("node(id: \"{}\") {{ id }}", id("/program/version/id")), ["null", "some", "some", "some"]),
        (format!("nodes(ids: [\"{partner}\"]) {{ id }}"), ["empty", "empty", "some", "some"]),
    ];
    let fields: BTreeSet<String> = table.iter().map(|(field, _)| field.split(['(', ' ']).next().unwrap().to_owned()).collect();
    assert_eq!(fields, root_fields("Query"), "every root field stands in the table");
    for (field, expected) in &table {
        for (who, expected) in [nobody(), of_partner("B"), of_partner("A"), auditor()].into_iter().zip(expected) {
            let person = who.person.clone();
            let answer = api.ask(who, &format!("{{ field: {field} }}")).await;
            assert_eq!(seen(&answer.data["field"], &answer.codes()), *expected, "{field} as {person}: {:?}", answer.errors);
        }
    }
}

fn seen(value: &Value, codes: &[&str]) -> &'static str {
    match (value, codes) {
        (_, ["FORBIDDEN"]) => "denied",
        (Value::Null, []) => "null",
        (Value::Array(list), []) if list.iter().all(Value::is_null) => "empty",
        (Value::Object(page), []) if page.get("nodes").is_some_and(|nodes| nodes == &json!([])) => "empty",
        (_, []) => "some",
        _ => "error",
    }
}

/// The fields of a root type, as the schema has them.
fn root_fields(root: &str) -> BTreeSet<String> {
    let schema = parse_schema(guerdon::graphql::sdl()).unwrap();
    let fields = schema.definitions.into_iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(one) if one.node.name.node == root => match one.node.kind {
            TypeKind::Object(object) => Some(object.fields),
            _ => None,
        },
        _ => None,
    });
    fields.unwrap().into_iter().map(|field| field.node.name.node.to_string()).collect()
}

#[tokio::test]
async fn every_field_of_a_partner_needs_its_own_right() {
    let api = Api::furnished().await;
    // Importers see programs, and nothing of a partner; auditors see all of it. Nested fields ask again.
    let fields = [
        "profile { name }",
        "enrollments { since }",
        "tier { tier }",
        "tierHistory { nodes { tier } }",
        "standing { enrolled }",
        "entitlements { benefit }",
        "check(benefits: [\"portal\"]) { allowed }",
        "whatIf(facts: {}) { asOf }",
        "rebateEstimate { period }",
        "transactions { nodes { externalId } }",
        "statements { nodes { id } }",
        "tierOverrides { nodes { kind } }",
        "admissionRequests { nodes { tier } }",
        "parent { code }",
    ];
    for field in fields {
        let answer = api.ask(auditor(), &format!("{{ partner(by: {{code: \"A\"}}) {{ {field} }} }}")).await;
        assert!(answer.errors.is_empty(), "{field}: {:?}", answer.errors);
        let answer = api.ask(actor(Role::ImportService, RoleScope::All), &format!("{{ partner(by: {{code: \"A\"}}) {{ {field} }} }}")).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{field}");
    }
    // Designers read partners and estimates, not sales; admins no estimates. The rest of the answer stays.
    let answer = api
        .ask(
            actor(Role::ProgramDesigner, RoleScope::All),
            "{ partner(by: {code: \"A\"}) { code transactions { nodes { externalId } } rebateEstimate { period } } }",
        )
        .await;
    assert_eq!(
        (answer.codes(), &answer.data["partner"]["code"], &answer.data["partner"]["rebateEstimate"]["period"]),
        (vec!["FORBIDDEN"], &json!("A"), &json!("2020-Q2"))
    );
    let answer = api.ask(admin(), "{ partner(by: {code: \"A\"}) { code rebateEstimate { period } } }").await;
    assert_eq!((answer.codes(), &answer.data["partner"]), (vec!["FORBIDDEN"], &json!({"code": "A", "rebateEstimate": null})));
}

#[tokio::test]
async fn no_mutation_works_for_those_without_the_right_and_a_refusal_leaves_no_row() {
    let api = Api::furnished().await;
    let run_id = guerdon::graphql::node::encode(guerdon::graphql::node::NodeKind::RebateRun, uuid::Uuid::nil());
    let mutations = [
        ("programApply", json!({"document": "x", "idempotencyKey": "k"})),
        ("programPublish", json!({"versionId": "x", "expectedVersion": 1, "idempotencyKey": "k"})),
        ("partnerUpsert", json!({"partners": [{"code": "N", "name": "N"}], "idempotencyKey": "k"})),
        ("partnerEnroll", json!({"partner": "A", "program": "P", "idempotencyKey": "k"})),
        ("transactionsRecord", json!({"source": "erp", "transactions": [sale("A", 1)], "idempotencyKey": "k"})),
        ("holdingsRecord", json!({"source": "erp", "holdings": [], "idempotencyKey": "k"})),
        ("activitiesRecord", json!({"source": "erp", "activities": [], "idempotencyKey": "k"})),
        ("dealsRecord", json!({"source": "erp", "deals": [], "idempotencyKey": "k"})),
        ("exchangeRatesRecord", json!({"source": "erp", "rates": [], "idempotencyKey": "k"})),
        ("rebateRunCreate", json!({"program": "P", "period": "2020-Q1", "idempotencyKey": "k"})),
        ("rebateRunCalculate", json!({"runId": run_id, "idempotencyKey": "k"})),
        ("rebateRunSubmit", json!({"runId": run_id, "contentHash": "x", "idempotencyKey": "k"})),
        ("rebateRunApprove", json!({"runId": run_id, "contentHash": "x", "idempotencyKey": "k"})),
        ("rebateRunReject", json!({"runId": run_id, "note": "x", "idempotencyKey": "k"})),
        ("rebateRunVoid", json!({"runId": run_id, "idempotencyKey": "k"})),
        ("rebateRunPost", json!({"runId": run_id, "contentHash": "x", "idempotencyKey": "k"})),
        ("rebateRunPay", json!({"runId": run_id, "paidOn": "2020-06-01", "reference": "x", "idempotencyKey": "k"})),
        ("rebateRunReverse", json!({"runId": run_id, "reason": "x", "idempotencyKey": "k"})),
        ("disputeOpen", json!({"statementId": "x", "claimed": {"amount": "1.00", "currency": "USD"}, "reason": "r", "idempotencyKey": "k"})),
        ("disputeAnswer", json!({"disputeId": "x", "decision": "REJECT", "text": "t", "idempotencyKey": "k"})),
        ("disputeWithdraw", json!({"disputeId": "x", "idempotencyKey": "k"})),
        ("rebateAccrue", json!({"program": "P", "period": "2020-Q2", "idempotencyKey": "k"})),
        ("periodLock", json!({"program": "P", "period": "2020-Q1", "idempotencyKey": "k"})),
        ("periodUnlock", json!({"program": "P", "period": "2020-Q1", "idempotencyKey": "k"})),
        ("reviewStart", json!({"program": "P", "asOf": "2020-06-01", "idempotencyKey": "k"})),
        ("tiersEvaluate", json!({"program": "P", "asOf": "2020-06-01", "idempotencyKey": "k"})),
        (
            "tierOverridePropose",
            json!({"partner": "A", "program": "P", "kind": "PIN", "tier": "GOLD", "until": "2021-01-01", "reason": "r", "idempotencyKey": "k"}),
        ),
        ("tierOverrideApprove", json!({"id": "x", "idempotencyKey": "k"})),
        ("tierOverrideReject", json!({"id": "x", "reason": "r", "idempotencyKey": "k"})),
        ("tierOverrideWithdraw", json!({"id": "x", "idempotencyKey": "k"})),
        ("tierOverrideEnd", json!({"id": "x", "reason": "r", "idempotencyKey": "k"})),
        ("tierApply", json!({"partner": "A", "program": "P", "tier": "GOLD", "idempotencyKey": "k"})),
        ("tierInvite", json!({"partner": "A", "program": "P", "tier": "GOLD", "idempotencyKey": "k"})),
        ("tierApprovalPropose", json!({"partner": "A", "program": "P", "tier": "GOLD", "idempotencyKey": "k"})),
        ("admissionAccept", json!({"id": "x", "idempotencyKey": "k"})),
        ("admissionReject", json!({"id": "x", "idempotencyKey": "k"})),
        ("admissionWithdraw", json!({"id": "x", "idempotencyKey": "k"})),
        ("admissionEnd", json!({"id": "x", "reason": "r", "idempotencyKey": "k"})),
    ];
    // What a partner may do: it applies, answers invitations and questions statements, for its own company, so that a refusal says what
    // is wrong.
    let of_partners = ["disputeOpen", "disputeWithdraw", "tierApply", "admissionAccept", "admissionReject", "admissionWithdraw"];
    let named: BTreeSet<String> = mutations.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named, root_fields("Mutation"), "every mutation stands in the table");
    let rows = "SELECT (SELECT COUNT(*) FROM audit_entry) + (SELECT COUNT(*) FROM outbox_event) + (SELECT COUNT(*) FROM idempotency_record)";
    let before = api.database.number(rows).await;
    for (name, input) in &mutations {
        for who in [nobody(), of_partner("A"), of_partner("B"), auditor()] {
            let person = who.person.clone();
            let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
            let answer = api.try_mutate(who, name, &input_type, "__typename", input.clone()).await;
            let codes = answer.codes();
            let may = of_partners.contains(name) && person == "PARTNER_ADMIN";
            let foreign_id = (*name == "programPublish" || may) && codes.is_empty() && answer.at("/payload/userErrors").as_array().unwrap().len() == 1;
            assert!(codes == ["FORBIDDEN"] || foreign_id, "{name} as {person}: {:?} {}", answer.errors, answer.data);
        }
    }
    assert_eq!(api.database.number(rows).await, before);
}

#[tokio::test]
async fn two_callers_at_once_never_share_an_answer() {
    let api = Api::furnished().await;
    let query = "{ partners { nodes { code entitlements { benefit } } } }";
    let (a, b) = tokio::join!(api.ask(of_partner("A"), query), api.ask(of_partner("B"), query));
    assert_eq!((a.at("/partners/nodes/0/code"), b.at("/partners/nodes/0/code")), (&json!("A"), &json!("B")));
    assert_eq!((a.at("/partners/nodes").as_array().unwrap().len(), b.at("/partners/nodes").as_array().unwrap().len()), (1, 1));
}
