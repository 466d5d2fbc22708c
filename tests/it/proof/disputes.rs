use guerdon::app::rebates::proof::find_derivation;
use guerdon::graphql::node::{NodeKind, encode};
use guerdon_domain::access::Actor;
use guerdon_domain::rebate::proof::verify;
use serde_json::{Value, json};

use super::{ctx, go_to, posted, preparer, service, statement};
use crate::api::{Api, auditor, of_partner};

const FIELDS: &str = "dispute { id kind line sale { source externalId } state claimed { amount } adjustment { amount } answer partner { code } statementId }";

async fn open(api: &Api, who: Actor, statement: uuid::Uuid, more: Value, key: &str) -> crate::api::Answer {
    let mut input = json!({"statementId": encode(NodeKind::Statement, statement), "claimed": {"amount": "150.00", "currency": "USD"}, "reason": "we sold more", "idempotencyKey": key});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    api.try_mutate(who, "disputeOpen", "DisputeOpenInput", FIELDS, input).await
}

async fn answer(api: &Api, who: Actor, dispute: &Value, decision: &str, adjustment: Option<&str>, key: &str) -> crate::api::Answer {
    let mut input = json!({"disputeId": dispute, "decision": decision, "text": "see the invoice", "idempotencyKey": key});
    if let Some(amount) = adjustment {
        input["adjustment"] = json!({"amount": amount, "currency": "USD"});
    }
    api.try_mutate(who, "disputeAnswer", "DisputeAnswerInput", FIELDS, input).await
}

fn code(answer: &crate::api::Answer) -> String {
    answer.at("/payload/userErrors/0/code").as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_accepted_dispute_is_posted_once_with_the_next_run() {
    let api = service().await;
    let first = posted(&api, "2020-Q1").await;
    let own = statement(&api, first.id, "A", "volume", "2020-Q1").await;
    let opened = open(&api, of_partner("A"), own.id, json!({"line": 0}), "d1").await;
    let dispute = opened.at("/payload/dispute").clone();
    assert_eq!((&dispute["state"], &dispute["kind"], &dispute["line"], &dispute["partner"]["code"]), (&json!("OPEN"), &json!("LINE"), &json!(0), &json!("A")));
    // The same key and input answer the same again; the same subject is not questioned twice.
    assert_eq!(open(&api, of_partner("A"), own.id, json!({"line": 0}), "d1").await.at("/payload/dispute/id"), &dispute["id"]);
    assert_eq!(code(&open(&api, of_partner("A"), own.id, json!({"line": 0}), "d2").await), "DISPUTE_EXISTS");
    let explained = answer(&api, preparer(), &dispute["id"], "EXPLAIN", None, "a1").await;
    assert_eq!(explained.at("/payload/dispute/state"), "ANSWERED");
    // Accepted while the next run is calculated: that run does not read it any more.
    go_to(&api, "2020-07-10");
    let calculated = super::calculated(&api, "2020-Q2").await;
    let (one, other) = tokio::join!(
        answer(&api, preparer(), &dispute["id"], "ACCEPT", Some("12.34"), "a2"),
        answer(&api, Actor { person: "another".into(), ..preparer() }, &dispute["id"], "ACCEPT", Some("12.34"), "a3"),
    );
    let states: Vec<&Value> = [&one, &other].into_iter().filter_map(|answer| answer.data.pointer("/payload/dispute/state")).collect();
    let refused: Vec<String> =
        [&one, &other].into_iter().filter(|answer| answer.data.pointer("/payload/dispute").is_some_and(Value::is_null)).map(code).collect();
    assert_eq!((states.len(), refused), (1, vec!["WRONG_STATE".to_owned()]), "{one:?} {other:?}");
    assert_eq!(states, [&json!("ACCEPTED")]);
    assert!(super::statements(&api, calculated.id).await.iter().all(|one| one.period != "2020-Q1" || one.schedule != "volume"), "not yet");
    super::post(&api, &calculated).await;
    // The next run posts it, tied to its period, and no later one does.
    go_to(&api, "2020-10-10");
    let third = posted(&api, "2020-Q3").await;
    let adjusted = statement(&api, third.id, "A", "volume", "2020-Q1").await;
    assert_eq!((adjusted.amount.amount().as_str(), adjusted.difference.amount().as_str()), ("12.34", "12.34"));
    let (_, text) = find_derivation(&api.app, &ctx(&api, preparer()), adjusted.id).await.unwrap().unwrap();
    assert!(text.contains("\"kind\": \"ADJUSTMENT\"") && text.contains("see the invoice"), "{text}");
    assert_eq!(verify(&text).unwrap_or_else(|faults| panic!("{faults}")).posted, "12.34");
    go_to(&api, "2021-01-10");
    let fourth = posted(&api, "2020-Q4").await;
    assert!(super::statements(&api, fourth.id).await.iter().all(|one| one.period != "2020-Q1"), "never twice");
}

#[tokio::test]
async fn disputes_belong_to_their_partner_and_are_decided_by_another_person() {
    let api = service().await;
    let first = posted(&api, "2020-Q1").await;
    let own = statement(&api, first.id, "A", "volume", "2020-Q1").await;
    // Somebody else's statement is not there; faults are told at once.
    assert_eq!(code(&open(&api, of_partner("B"), own.id, json!({}), "d1").await), "NOT_FOUND");
    assert_eq!(code(&open(&api, of_partner("A"), own.id, json!({"line": 99}), "d2").await), "UNKNOWN_LINE");
    assert_eq!(code(&open(&api, of_partner("A"), own.id, json!({"claimed": {"amount": "1.00", "currency": "EUR"}}), "d3").await), "WRONG_CURRENCY");
    let sale = |id: &str, missing: bool| json!({"sale": {"source": "erp", "externalId": id, "missing": missing}});
    assert_eq!(code(&open(&api, of_partner("A"), own.id, sale("A-1", true), "d4").await), "SALE_IS_THERE");
    assert_eq!(code(&open(&api, of_partner("A"), own.id, sale("A-999", false), "d5").await), "UNKNOWN_SALE");
    let missing = open(&api, of_partner("A"), own.id, sale("A-999", true), "d6").await;
    assert_eq!((missing.at("/payload/dispute/kind"), missing.at("/payload/dispute/sale/externalId")), (&json!("MISSING_SALE"), &json!("A-999")));
    let counted = open(&api, of_partner("A"), own.id, sale("A-1", false), "d7").await;
    let (missing, counted) = (missing.at("/payload/dispute/id").clone(), counted.at("/payload/dispute/id").clone());
    // Partners see their own; they do not answer.
    let listed = |who: Actor| async { api.ask(who, "{ disputes { nodes { id } } }").await.at("/disputes/nodes").as_array().unwrap().len() };
    assert_eq!((listed(of_partner("A")).await, listed(of_partner("B")).await, listed(preparer()).await, listed(auditor()).await), (2, 0, 2, 2));
    let node = |who: Actor| async { api.ask(who, &format!("{{ node(id: {missing}) {{ id }} dispute(id: {missing}) {{ state }} }}")).await.data };
    assert_eq!(node(of_partner("A")).await["dispute"]["state"], "OPEN");
    assert_eq!(node(of_partner("B")).await, json!({"node": null, "dispute": null}));
    assert_eq!(answer(&api, of_partner("A"), &missing, "REJECT", None, "a1").await.codes(), ["FORBIDDEN"]);
    // Decisions ask for what they need.
    assert_eq!(code(&answer(&api, preparer(), &missing, "ACCEPT", None, "a2").await), "MISSING_MEMBER");
    assert_eq!(code(&answer(&api, preparer(), &missing, "ACCEPT", Some("0.00"), "a3").await), "ZERO_ADJUSTMENT");
    assert_eq!(code(&answer(&api, preparer(), &missing, "REJECT", Some("1.00"), "a4").await), "UNEXPECTED_MEMBER");
    assert_eq!(answer(&api, preparer(), &missing, "REJECT", None, "a5").await.at("/payload/dispute/state"), "REJECTED");
    assert_eq!(code(&answer(&api, preparer(), &missing, "ACCEPT", Some("1.00"), "a6").await), "WRONG_STATE");
    let withdraw = |id: Value, key: &str| {
        let input = json!({"disputeId": id, "idempotencyKey": key});
        api.try_mutate(of_partner("A"), "disputeWithdraw", "DisputeWithdrawInput", FIELDS, input)
    };
    assert_eq!(withdraw(counted.clone(), "w1").await.at("/payload/dispute/state"), "WITHDRAWN");
    assert_eq!(code(&withdraw(counted, "w2").await), "WRONG_STATE");
    let states = api.ask(preparer(), "{ disputes(states: [REJECTED, WITHDRAWN], first: 1) { nodes { state } pageInfo { hasNextPage endCursor } } }").await;
    assert_eq!(states.at("/disputes/pageInfo/hasNextPage"), true);
}
