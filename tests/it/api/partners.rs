//! Partners: make, change, enroll, list.

use guerdon_domain::access::{Role, RoleScope};
use serde_json::{Value, json};

use super::{Api, actor, admin, auditor, document, of_partner};

const UPSERT: (&str, &str, &str) = ("partnerUpsert", "PartnerUpsertInput", "results { outcome partner { id code version region } }");
const ENROLL: (&str, &str, &str) = ("partnerEnroll", "PartnerEnrollInput", "enrollment { since track program { code } }");

fn one(partner: Value, key: &str) -> Value {
    json!({"partners": [partner], "idempotencyKey": key})
}

#[tokio::test]
async fn partners_are_made_changed_and_left_alone() {
    let api = Api::new().await;
    let input = one(json!({"code": "A", "name": "Alpha", "region": "DE"}), "1");
    let made = api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, input.clone()).await;
    assert_eq!((&made["results"][0]["outcome"], &made["results"][0]["partner"]["code"]), (&json!("CREATED"), &json!("A")));
    let replayed = api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, input).await;
    assert_eq!(replayed["results"][0]["outcome"], "CREATED", "the stored answer");
    let same = api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, one(json!({"code": "A", "name": "Alpha", "region": "DE"}), "2")).await;
    assert_eq!(same["results"][0]["outcome"], "UNCHANGED");
    let version = made["results"][0]["partner"]["version"].clone();
    let moved = json!({"code": "A", "name": "Alpha", "region": "FR", "expectedVersion": version});
    let changed = api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, one(moved.clone(), "3")).await;
    assert_eq!((&changed["results"][0]["outcome"], &changed["results"][0]["partner"]["region"]), (&json!("CHANGED"), &json!("FR")));
    let mut late = moved;
    late["name"] = json!("Omega");
    let stale = api.refused(admin(), UPSERT.0, UPSERT.1, UPSERT.2, one(late, "4")).await;
    assert_eq!(stale.first().unwrap(), &("STALE".into(), "input.partners.0.expectedVersion".into()));
}

#[tokio::test]
async fn a_later_mutation_of_a_document_answers_what_it_made() {
    let api = Api::new().await;
    let query = "mutation($a: PartnerUpsertInput!, $b: PartnerUpsertInput!) { a: partnerUpsert(input: $a) { results { partner { name profile { name } } } } b: partnerUpsert(input: $b) { results { partner { name profile { name } } } } }";
    let input = |name: &str| one(json!({"code": "A", "name": name, "from": "2020-01-01"}), name);
    let answer = api.execute(admin(), query, json!({"a": input("First"), "b": input("Second")})).await;
    assert_eq!(answer.at("/b/results/0/partner"), &json!({"name": "Second", "profile": {"name": "Second"}}));
}

#[tokio::test]
async fn a_batch_is_all_or_nothing_and_every_fault_has_its_index() {
    let api = Api::new().await;
    let partners = json!([
        {"code": "A", "name": "Alpha"},
        {"code": " B", "name": ""},
        {"code": "C", "name": "C", "parent": "C"},
        {"code": "D", "name": "D\u{202e}", "attributes": [{"name": "x", "value": {"text": "1"}}, {"name": "x", "value": {"number": "1.5"}}]},
    ]);
    let errors = api.refused(admin(), UPSERT.0, UPSERT.1, UPSERT.2, json!({"partners": partners, "idempotencyKey": "1"})).await;
    assert!(errors.contains(&("DUPLICATE".into(), "input.partners.3.attributes.1.name".into())), "{errors:?}");
    let partners = json!([{"code": "A", "name": "Alpha"}, {"code": " B", "name": ""}, {"code": "C", "name": "C", "parent": "C"}]);
    let errors = api.refused(admin(), UPSERT.0, UPSERT.1, UPSERT.2, json!({"partners": partners, "idempotencyKey": "2"})).await;
    let expected = [("BLANK", "input.partners.1.code"), ("BLANK", "input.partners.1.name"), ("CYCLE", "input.partners.2.parent")];
    assert_eq!(errors, expected.iter().map(|(code, path)| ((*code).to_owned(), (*path).to_owned())).collect());
    let unknown = json!([{"code": "A", "name": "Alpha"}, {"code": "B", "name": "B", "parent": "Z"}]);
    let errors = api.refused(admin(), UPSERT.0, UPSERT.1, UPSERT.2, json!({"partners": unknown, "idempotencyKey": "3"})).await;
    assert_eq!(errors.first().unwrap(), &("UNKNOWN_PARTNER".into(), "input.partners.1.parent".into()));
    let many: Vec<Value> = (0..101).map(|at| json!({"code": format!("P{at}"), "name": "x"})).collect();
    let errors = api.refused(admin(), UPSERT.0, UPSERT.1, UPSERT.2, json!({"partners": many, "idempotencyKey": "4"})).await;
    assert_eq!(errors.first().unwrap().0, "TOO_MANY");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM partner").await, 0);
    assert_eq!(api.database.number("SELECT COUNT(*) FROM audit_entry").await, 0);
}

#[tokio::test]
async fn a_channel_manager_writes_in_his_regions_only() {
    let api = Api::new().await;
    let manager = || actor(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()]));
    api.mutate(manager(), UPSERT.0, UPSERT.1, UPSERT.2, one(json!({"code": "A", "name": "A", "region": "DE"}), "1")).await;
    let refused = api.refused(manager(), UPSERT.0, UPSERT.1, UPSERT.2, one(json!({"code": "B", "name": "B", "region": "US"}), "2")).await;
    assert_eq!(refused.first().unwrap().0, "NOT_FOUND");
    let answer = api.try_mutate(of_partner("A"), UPSERT.0, UPSERT.1, UPSERT.2, one(json!({"code": "A", "name": "A"}), "3")).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn profiles_are_dated() {
    let api = Api::new().await;
    let partner = |region: &str, from: &str| json!({"code": "A", "name": "Alpha", "region": region, "from": from, "attributes": [{"name": "seats", "value": {"number": "3"}}]});
    api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, one(partner("DE", "2019-01-01"), "1")).await;
    api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, one(partner("FR", "2020-01-01"), "2")).await;
    let query = "{ partner(by: {code: \"A\"}) { region now: profile { region attributes { name number } } then: profile(asOf: \"2019-06-01\") { region } } }";
    let answer = api.ask(auditor(), query).await;
    assert_eq!((answer.at("/partner/region"), answer.at("/partner/then/region")), (&json!("FR"), &json!("DE")));
    assert_eq!(answer.at("/partner/now/attributes/0"), &json!({"name": "seats", "number": "3"}));
}

#[tokio::test]
async fn enrolling_twice_changes_nothing_and_enrolling_otherwise_is_refused() {
    let api = Api::new().await;
    api.publish(&document()).await;
    api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, one(json!({"code": "A", "name": "A"}), "1")).await;
    let input = |since: &str, track: Option<&str>, key: &str| json!({"partner": "A", "program": "P", "since": since, "track": track, "idempotencyKey": key});
    let enrolled = api.mutate(admin(), ENROLL.0, ENROLL.1, ENROLL.2, input("2019-01-01", Some("VAR"), "e1")).await;
    assert_eq!(enrolled["enrollment"], json!({"since": "2019-01-01", "track": "VAR", "program": {"code": "P"}}));
    let again = api.mutate(admin(), ENROLL.0, ENROLL.1, ENROLL.2, input("2019-01-01", Some("VAR"), "e2")).await;
    assert_eq!(again, enrolled);
    let refused = |input: Value| api.refused(admin(), ENROLL.0, ENROLL.1, ENROLL.2, input);
    assert_eq!(refused(input("2020-01-01", None, "e3")).await.first().unwrap().0, "ALREADY_ENROLLED");
    assert_eq!(refused(input("2019-01-01", Some("PIRATE"), "e4")).await.first().unwrap(), &("UNKNOWN_TRACK".into(), "input.track".into()));
    let stranger = json!({"partner": "Z", "program": "P", "idempotencyKey": "e5"});
    assert_eq!(refused(stranger).await.first().unwrap().0, "NOT_FOUND");
    assert_eq!(api.database.texts("SELECT kind FROM outbox_event WHERE kind LIKE 'partner.e%'").await, ["partner.enrolled"]);
}

#[tokio::test]
async fn lists_page_filter_order_and_count() {
    let api = Api::furnished().await;
    let query = "query($after: String) { partners(first: 2, after: $after, orderBy: {field: NAME, direction: DESC}) { totalCount nodes { code } edges { cursor } pageInfo { hasNextPage endCursor } } }";
    let first = api.execute(auditor(), query, json!({})).await;
    assert_eq!((first.at("/partners/nodes"), first.at("/partners/totalCount")), (&json!([{"code": "C"}, {"code": "B"}]), &json!(3)));
    let after = first.at("/partners/pageInfo/endCursor");
    let second = api.execute(auditor(), query, json!({"after": after})).await;
    assert_eq!((second.at("/partners/nodes"), second.at("/partners/pageInfo/hasNextPage")), (&json!([{"code": "A"}]), &json!(false)));
    let by_region = api.ask(auditor(), "{ partners(filter: {regions: [\"EMEA\"], search: \"partner\", enrolledIn: \"P\"}) { nodes { code } } }").await;
    assert_eq!(by_region.at("/partners/nodes"), &json!([{"code": "A"}, {"code": "C"}]));
    let forged = api.execute(auditor(), query, json!({"after": "x"})).await;
    assert_eq!(forged.codes(), ["INVALID_CURSOR"]);
    assert_eq!(api.ask(auditor(), "{ partners(first: 101) { nodes { code } } }").await.codes(), ["PAGE_TOO_LARGE"]);
    let own = api.ask(of_partner("B"), "{ partners { totalCount nodes { code } } }").await;
    assert_eq!((own.at("/partners/nodes"), own.at("/partners/totalCount")), (&json!([{"code": "B"}]), &json!(1)));
}

#[tokio::test]
async fn a_parent_lies_in_the_scope_of_whoever_names_it() {
    let api = Api::new().await;
    let made = json!([
        {"code": "HQ", "name": "Head", "region": "US", "from": "2018-01-01"},
        {"code": "OWN", "name": "Own", "region": "DE", "from": "2018-01-01"},
        {"code": "CHILD", "name": "Child", "region": "DE", "parent": "HQ", "from": "2018-01-01"},
    ]);
    api.mutate(admin(), UPSERT.0, UPSERT.1, UPSERT.2, json!({"partners": made, "idempotencyKey": "made"})).await;
    let manager = || actor(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()]));
    let mut told = Vec::new();
    for (parent, key) in [("HQ", "foreign"), ("NOWHERE", "unknown")] {
        let input = one(json!({"code": "OWN", "name": "Own", "region": "DE", "parent": parent, "from": "2019-01-01"}), key);
        let answer = api.try_mutate(manager(), UPSERT.0, UPSERT.1, UPSERT.2, input).await;
        told.push(answer.at("/payload/userErrors").to_string().replace(parent, "?"));
    }
    assert_eq!(told[0], told[1], "outside and unknown are answered alike");
    assert!(told[0].contains("UNKNOWN_PARTNER"), "{told:?}");
    let own = one(json!({"code": "NEW", "name": "New", "region": "DE", "parent": "OWN", "from": "2019-01-01"}), "own");
    assert_eq!(api.mutate(manager(), UPSERT.0, UPSERT.1, UPSERT.2, own).await["results"][0]["outcome"], "CREATED");
    // A parent that somebody else has given stays when the rest of the profile changes.
    let kept = one(json!({"code": "CHILD", "name": "Renamed", "region": "DE", "parent": "HQ", "from": "2019-01-01"}), "kept");
    assert_eq!(api.mutate(manager(), UPSERT.0, UPSERT.1, UPSERT.2, kept).await["results"][0]["outcome"], "CHANGED");
}
