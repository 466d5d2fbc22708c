//! Programs: apply, publish, read back.

use serde_json::json;

use super::{Api, actor, approver, auditor, designer, document, nobody, of_partner};
use guerdon_domain::access::{Role, RoleScope};

const APPLY: (&str, &str, &str) = ("programApply", "ProgramApplyInput", "outcome version { id number state version digest }");
const PUBLISH: (&str, &str, &str) = ("programPublish", "ProgramPublishInput", "version { id state }");

#[tokio::test]
async fn a_document_becomes_a_draft_then_a_version_and_applied_again_changes_nothing() {
    let api = Api::new().await;
    let applied = api.apply(&document()).await;
    assert_eq!((&applied["outcome"], &applied["version"]["state"]), (&json!("CREATED"), &json!("DRAFT")));
    let published = api.publish(&document()).await;
    assert_eq!(published["version"]["state"], "PUBLISHED");
    let again = api.apply(&document()).await;
    assert_eq!((&again["outcome"], &again["version"]["digest"]), (&json!("UNCHANGED"), &applied["version"]["digest"]));

    let query = "{ program(by: {code: \"P\"}) { code name version { number document ladders { key main tiers { key rank } } benefits { key kind } rebateSchedules { key method period } currency timeZone } versions { nodes { number } pageInfo { hasNextPage } } } }";
    let answer = api.ask(of_partner("A"), query).await;
    let version = answer.at("/program/version");
    assert_eq!(version["ladders"][0]["tiers"][2], json!({"key": "GOLD", "rank": 3}));
    assert_eq!(version["rebateSchedules"][0], json!({"key": "quarterly", "method": "BANDS", "period": "QUARTER"}));
    let exported = version["document"].as_str().unwrap();
    let unchanged = api.apply(&serde_json::from_str(exported).unwrap()).await;
    assert_eq!(unchanged["outcome"], "UNCHANGED", "the export of what was applied applies without a difference");
}

#[tokio::test]
async fn every_fault_of_a_document_is_reported_at_once_with_its_path() {
    let api = Api::new().await;
    let mut broken = document();
    broken["grants"][0]["benefit"] = json!("nothing");
    broken["grants"][1]["tier"] = json!("PLATINUM");
    let input = json!({"document": broken.to_string(), "idempotencyKey": "k"});
    let errors = api.refused(designer(), APPLY.0, APPLY.1, APPLY.2, input).await;
    assert!(errors.len() >= 2, "{errors:?}");
    let input = json!({"document": "guerdon: [", "idempotencyKey": "k"});
    assert!(!api.refused(designer(), APPLY.0, APPLY.1, APPLY.2, input).await.is_empty());
    assert_eq!(api.database.number("SELECT COUNT(*) FROM program").await, 0);
}

#[tokio::test]
async fn a_draft_that_was_changed_meanwhile_is_stale() {
    let api = Api::new().await;
    let first = api.apply(&document()).await;
    let mut other = document();
    other["program"]["name"] = json!("Another name");
    let input = json!({"document": other.to_string(), "expectedVersion": first["version"]["version"], "idempotencyKey": "one"});
    let second = api.mutate(designer(), APPLY.0, APPLY.1, APPLY.2, input).await;
    assert_eq!(second["outcome"], "UPDATED");
    other["program"]["name"] = json!("A third name");
    let input = json!({"document": other.to_string(), "expectedVersion": first["version"]["version"], "idempotencyKey": "two"});
    let stale = api.refused(designer(), APPLY.0, APPLY.1, APPLY.2, input).await;
    assert_eq!(stale.first().unwrap(), &("STALE".into(), "input.expectedVersion".into()));
    let input = json!({"versionId": first["version"]["id"], "expectedVersion": first["version"]["version"], "idempotencyKey": "three"});
    let stale = api.refused(approver(), PUBLISH.0, PUBLISH.1, PUBLISH.2, input).await;
    assert_eq!(stale.first().unwrap().0, "STALE");
}

#[tokio::test]
async fn an_idempotency_key_answers_the_same_again_and_refuses_another_input() {
    let api = Api::new().await;
    let input = json!({"document": document().to_string(), "idempotencyKey": "once"});
    let first = api.mutate(designer(), APPLY.0, APPLY.1, APPLY.2, input.clone()).await;
    let replay = api.mutate(designer(), APPLY.0, APPLY.1, APPLY.2, input).await;
    assert_eq!(first, replay, "CREATED, not UNCHANGED");
    let mut other = document();
    other["program"]["name"] = json!("Another name");
    let input = json!({"document": other.to_string(), "idempotencyKey": "once"});
    let refused = api.refused(designer(), APPLY.0, APPLY.1, APPLY.2, input).await;
    assert_eq!(refused.first().unwrap(), &("IDEMPOTENCY_KEY_REUSED".into(), "input.idempotencyKey".into()));
    let input = json!({"document": "x", "idempotencyKey": "a b"});
    assert!(!api.refused(designer(), APPLY.0, APPLY.1, APPLY.2, input).await.is_empty());
}

#[tokio::test]
async fn two_versions_may_not_take_effect_on_one_day_and_what_is_published_stays() {
    let api = Api::new().await;
    let published = api.publish(&document()).await;
    let mut next = document();
    next["program"]["name"] = json!("Renamed");
    let applied = api.apply(&next).await;
    let input = json!({"versionId": applied["version"]["id"], "expectedVersion": applied["version"]["version"], "idempotencyKey": "p2"});
    let refused = api.refused(approver(), PUBLISH.0, PUBLISH.1, PUBLISH.2, input).await;
    assert_eq!(refused.first().unwrap().0, "EFFECTIVE_DATE_TAKEN");
    let input = json!({"versionId": published["version"]["id"], "expectedVersion": published["version"]["version"], "idempotencyKey": "p3"});
    let refused = api.refused(approver(), PUBLISH.0, PUBLISH.1, PUBLISH.2, input).await;
    assert_eq!(refused.first().unwrap(), &("ALREADY_PUBLISHED".into(), "input.versionId".into()));
}

#[tokio::test]
async fn designers_publish_what_moves_no_money_and_partners_see_no_drafts() {
    let api = Api::new().await;
    let applied = api.apply(&document()).await;
    let id = applied["version"]["id"].clone();
    let input = json!({"versionId": id, "expectedVersion": applied["version"]["version"], "idempotencyKey": "p"});
    let refused = api.try_mutate(designer(), PUBLISH.0, PUBLISH.1, PUBLISH.2, input.clone()).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"], "it has a rebate schedule");
    let mut harmless = document();
    harmless["rebateSchedules"] = json!([]);
    let applied = api.apply(&harmless).await;
    let input = json!({"versionId": applied["version"]["id"], "expectedVersion": applied["version"]["version"], "idempotencyKey": "q"});
    api.mutate(designer(), PUBLISH.0, PUBLISH.1, PUBLISH.2, input).await;

    let mut draft = document();
    draft["version"]["effectiveOn"] = json!("2021-01-01");
    let draft = api.apply(&draft).await;
    let query = format!("{{ program(by: {{code: \"P\"}}) {{ versions {{ nodes {{ number }} }} }} node(id: {}) {{ id }} }}", draft["version"]["id"]);
    let seen = api.ask(of_partner("A"), &query).await;
    assert_eq!((seen.at("/program/versions/nodes").as_array().unwrap().len(), seen.at("/node")), (1, &json!(null)));
    let seen = api.ask(auditor(), &query).await;
    assert_eq!((seen.at("/program/versions/nodes").as_array().unwrap().len(), &seen.at("/node")["id"]), (2, &draft["version"]["id"]));
    assert_eq!(api.ask(nobody(), "{ programs { nodes { code } } }").await.codes(), ["FORBIDDEN"]);
    let apply = api.try_mutate(actor(Role::Admin, RoleScope::All), APPLY.0, APPLY.1, APPLY.2, json!({"document": "x", "idempotencyKey": "z"})).await;
    assert_eq!(apply.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn changes_leave_an_audit_row_and_an_event() {
    let api = Api::new().await;
    api.publish(&document()).await;
    assert_eq!(api.database.texts("SELECT operation FROM audit_entry ORDER BY id").await, ["programApply", "programPublish"]);
    assert_eq!(api.database.texts("SELECT kind FROM outbox_event").await, ["program.published"]);
    let payload: serde_json::Value = serde_json::from_str(&api.database.texts("SELECT payload FROM outbox_event").await[0]).unwrap();
    assert_eq!((payload["type"].as_str(), payload["version"].as_i64(), payload["data"]["program"].as_str()), (Some("program.published"), Some(1), Some("P")));
}
