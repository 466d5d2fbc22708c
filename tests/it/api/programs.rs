//! Programs: apply, publish, read back.

use serde_json::{Value, json};

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

/// Publishing a version that drops tiers which partners hold is not refused, and says which these are and how many hold them.
#[tokio::test]
async fn a_version_that_drops_held_tiers_says_so() {
    let api = Api::new().await;
    let mut first = document();
    let special = json!({"key": "SPECIAL", "tiers": [{"key": "ONE"}, {"key": "TWO", "entry": "BY_INVITATION"}]});
    first["ladders"].as_array_mut().unwrap().push(special);
    api.publish(&first).await;
    api.furnish(&["A", "B"]).await;
    api.enroll(&["C"]).await;
    let evaluate = json!({"program": "P", "idempotencyKey": api.key()});
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", evaluate).await;
    let mut next = first.clone();
    next["version"] = json!({"label": "FY21", "effectiveOn": "2021-01-01"});
    let without = |document: &mut Value, tier: &str| {
        document["ladders"][0]["tiers"].as_array_mut().unwrap().retain(|known| known["key"] != tier);
        document["grants"].as_array_mut().unwrap().retain(|grant| grant["tier"] != tier);
    };
    let told = |notes: &Value| -> Vec<String> {
        let one = |note: &Value| format!("{} {}: {}", note["code"].as_str().unwrap(), note["path"].as_str().unwrap(), note["message"].as_str().unwrap());
        notes.as_array().unwrap().iter().map(one).collect()
    };
    let fields = "version { id version } notes { code path message }";
    let applied = async |document: &Value| {
        let input = json!({"document": document.to_string(), "idempotencyKey": api.key()});
        api.mutate(designer(), "programApply", "ProgramApplyInput", fields, input).await
    };
    // Nobody holds GOLD.
    without(&mut next, "GOLD");
    assert_eq!(told(&applied(&next).await["notes"]), Vec::<String>::new());
    without(&mut next, "SILVER");
    next["ladders"].as_array_mut().unwrap().pop();
    let end = "from 2021-01-01 on, and the review of that day puts on record what takes its place";
    let expected = [
        format!("HELD_TIER_DROPPED ladders[0].tiers: the tier `SILVER` of the ladder `MAIN` is dropped, which 2 partners hold: nobody holds it {end}"),
        format!("HELD_TIER_DROPPED ladders: the ladder `SPECIAL` is dropped, and with it the tier `ONE`, which 3 partners hold: nobody holds it {end}"),
    ];
    // The command line says so before anything is done.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("next.json");
    std::fs::write(&file, next.to_string()).unwrap();
    let command = |arguments: &[&str]| {
        let command = std::process::Command::new(env!("CARGO_BIN_EXE_guerdon"))
            .arg("program")
            .args(arguments)
            .arg(&file)
            .args(["--database-url", &api.database.url])
            .output();
        let output = command.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for note in ["SILVER` of the ladder `MAIN` is dropped, which 2 partners hold", "with it the tier `ONE`, which 3 partners hold"] {
        for arguments in [["apply", "--dry-run"].as_slice(), &["diff"]] {
            assert!(command(arguments).0.contains(note), "{arguments:?}");
        }
        let (changes, beside) = command(&["diff", "--json"]);
        assert!(serde_json::from_str::<Value>(&changes).unwrap().is_array() && beside.contains(note), "{beside}");
    }
    let draft = applied(&next).await;
    assert_eq!(told(&draft["notes"]), expected);
    let input = json!({"versionId": draft["version"]["id"], "expectedVersion": draft["version"]["version"], "idempotencyKey": "publish"});
    let published = api.mutate(approver(), PUBLISH.0, PUBLISH.1, fields, input).await;
    assert_eq!(told(&published["notes"]), expected);
    // What follows it drops nothing that was there; and what a later version has replaced never comes into force.
    let mut third = next.clone();
    third["version"] = json!({"label": "FY22", "effectiveOn": "2022-01-01"});
    assert_eq!(told(&applied(&third).await["notes"]), Vec::<String>::new());
    crate::runs::go_to(&api, "2021-02-01");
    next["version"] = json!({"label": "autumn", "effectiveOn": "2020-09-01"});
    assert_eq!(told(&applied(&next).await["notes"]), Vec::<String>::new());
}
