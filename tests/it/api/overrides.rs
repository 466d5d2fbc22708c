//! Overrides: proposed, approved by another person, ended; seen alike wherever a tier is.

use guerdon_domain::access::{Actor, Role, RoleAssignment, RoleScope};
use serde_json::{Value, json};

use super::{Api, actor, approver, auditor, designer, of_partner};

const FIELDS: &str = "tierOverride { id state kind tier span { from until } proposedBy decided { by reason } ended { by reason } plannedUntil version partner { code } statusMatch { program status } }";

fn person(name: &str, roles: &[(Role, RoleScope)]) -> Actor {
    let mut who = actor(roles[0].0, roles[0].1.clone());
    who.person = name.into();
    who.roles = roles.iter().map(|(role, scope)| RoleAssignment::new(*role, scope.clone())).collect();
    who
}

fn manager() -> Actor {
    person("ann", &[(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()]))])
}

fn proposal(kind: &str, tier: &str, from: &str, until: &str, key: &str) -> Value {
    json!({"partner": "A", "program": "P", "kind": kind, "tier": tier, "from": from, "until": until, "reason": "merger", "idempotencyKey": key})
}

impl Api {
    async fn propose(&self, input: Value) -> Value {
        self.mutate(manager(), "tierOverridePropose", "TierOverrideProposeInput", FIELDS, input).await["tierOverride"].clone()
    }

    async fn not_proposed(&self, input: Value) -> Vec<(String, String)> {
        self.refused(manager(), "tierOverridePropose", "TierOverrideProposeInput", FIELDS, input).await.into_iter().collect()
    }

    async fn decide(&self, who: Actor, verb: &str, mut input: Value) -> Value {
        let name = format!("tierOverride{verb}");
        let key: String = format!("{verb}-{}-{input}", who.person).chars().filter(char::is_ascii_graphic).take(100).collect();
        input["idempotencyKey"] = json!(key);
        self.mutate(who, &name, &format!("TierOverride{verb}Input"), FIELDS, input).await["tierOverride"].clone()
    }

    async fn undecided(&self, who: Actor, verb: &str, mut input: Value) -> String {
        let name = format!("tierOverride{verb}");
        let key: String = format!("{verb}-{}-{input}", who.person).chars().filter(char::is_ascii_graphic).take(100).collect();
        input["idempotencyKey"] = json!(key);
        let refused = self.refused(who, &name, &format!("TierOverride{verb}Input"), FIELDS, input).await;
        refused.first().unwrap().0.clone()
    }

    /// The tier as every field tells it: on record, by standing, by entitlement.
    async fn tiers(&self, as_of: &str) -> (Value, Value, Value) {
        let query = format!(
            "{{ partner(by: {{code: \"A\"}}) {{ tier(asOf: \"{as_of}\") {{ tier }} standing(asOf: \"{as_of}\") {{ ladders {{ tier }} }} entitlements(asOf: \"{as_of}\", keys: [\"support\"]) {{ status }} }} }}"
        );
        let answer = self.ask(of_partner("A"), &query).await;
        let partner = answer.at("/partner");
        (partner["tier"]["tier"].clone(), partner["standing"]["ladders"][0]["tier"].clone(), partner["entitlements"][0]["status"].clone())
    }

    async fn evaluated() -> Self {
        let api = Self::furnished().await;
        let input = json!({"program": "P", "asOf": "2020-06-01", "idempotencyKey": "e"});
        api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", input).await;
        api
    }
}

fn all(tier: &str, support: &str) -> (Value, Value, Value) {
    (json!(tier), json!(tier), json!(support))
}

#[tokio::test]
async fn what_is_proposed_has_no_effect_and_what_another_person_approves_shows_everywhere_at_once() {
    let api = Api::evaluated().await;
    let proposed = api.propose(proposal("PIN", "GOLD", "2020-06-01", "2020-09-01", "k1")).await;
    assert_eq!((&proposed["state"], &proposed["proposedBy"], &proposed["partner"]["code"]), (&json!("PROPOSED"), &json!("ann"), &json!("A")));
    assert_eq!(api.tiers("2020-06-01").await, all("SILVER", "NOT_OFFERED"));
    let again = api.propose(proposal("PIN", "GOLD", "2020-06-01", "2020-09-01", "k1")).await;
    assert_eq!(again["id"], proposed["id"], "the same key answers the same");

    let id = json!({"id": proposed["id"]});
    let both = person("ann", &[(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()])), (Role::FinanceApprover, RoleScope::All)]);
    assert_eq!(api.undecided(both, "Approve", id.clone()).await, "SEGREGATION_OF_DUTIES");
    let approved = api.decide(approver(), "Approve", json!({"id": proposed["id"], "reason": "agreed", "expectedVersion": 1})).await;
    assert_eq!((&approved["state"], &approved["decided"]), (&json!("APPROVED"), &json!({"by": "FINANCE_APPROVER", "reason": "agreed"})));
    assert_eq!(api.tiers("2020-06-01").await, all("GOLD", "GRANTED"));
    assert_eq!(api.tiers("2020-08-31").await, all("GOLD", "GRANTED"));
    let query = "{ partner(by: {code: \"A\"}) { tier { tier from until cause decidedBy { number } overridden { id reason } } then: tier(asOf: \"2020-09-01\") { tier from } standing { ladders { decision { overridden { reason } reasons } } } tierHistory { nodes { tier cause overridden { id } } } } }";
    let answer = api.ask(of_partner("A"), query).await;
    let tier = answer.at("/partner/tier");
    assert_eq!(
        (&tier["from"], &tier["until"], &tier["cause"], &tier["decidedBy"]["number"]),
        (&json!("2020-06-01"), &json!("2020-09-01"), &json!("OVERRIDE"), &json!(1))
    );
    assert_eq!((&tier["overridden"]["id"], &tier["overridden"]["reason"]), (&proposed["id"], &json!("merger")));
    assert_eq!(answer.at("/partner/tierHistory/nodes/0/overridden/id"), &proposed["id"]);
    assert_eq!(answer.at("/partner/standing/ladders/0/decision/reasons/0"), "OVERRIDDEN");
    assert_eq!(api.undecided(approver(), "Reject", json!({"id": proposed["id"], "reason": "late"})).await, "ALREADY_DECIDED");
    let events = api.database.texts("SELECT kind FROM outbox_event WHERE kind LIKE 'tier.override%' OR kind = 'tier.promoted' ORDER BY id").await;
    assert_eq!(&events[events.len() - 3..], ["tier.override.proposed", "tier.override.approved", "tier.promoted"]);
    assert_eq!(api.database.number("SELECT COUNT(*) FROM audit_entry WHERE object_type = 'TierOverride'").await, 2);
}

#[tokio::test]
async fn lists_follow_an_override_at_once() {
    let api = Api::evaluated().await;
    let listed = async |filter: &str| {
        let query = format!("{{ standings(filter: {{{filter}}}) {{ nodes {{ partnerCode tier overriddenUntil asOf }} }} }}");
        api.ask(auditor(), &query).await.at("/standings/nodes").clone()
    };
    let review = json!({"program": "P", "asOf": "2020-05-01", "reviewDue": true, "idempotencyKey": "r"});
    api.mutate(designer(), "reviewStart", "ReviewStartInput", "review { id }", review).await;
    guerdon::jobs::run_due(&api.app).await.unwrap();
    assert_eq!((listed("overridden: true").await, listed("tiers: [\"GOLD\"]").await), (json!([]), json!([])));
    let pin = api.propose(proposal("PIN", "GOLD", "2020-06-01", "2020-09-01", "k1")).await;
    assert_eq!(listed("overridden: true").await, json!([]), "what is proposed has no effect");
    api.decide(approver(), "Approve", json!({"id": pin["id"]})).await;
    let gold = json!([{"partnerCode": "A", "tier": "GOLD", "overriddenUntil": "2020-09-01", "asOf": "2020-06-01"}]);
    assert_eq!((listed("overridden: true").await, listed("tiers: [\"GOLD\"]").await), (gold.clone(), gold));
    // A review of an earlier day that is held later does not take it back, and tells of the others.
    let earlier = json!({"program": "P", "asOf": "2020-05-02", "reviewDue": true, "idempotencyKey": "r2"});
    api.mutate(designer(), "reviewStart", "ReviewStartInput", "review { id }", earlier).await;
    guerdon::jobs::run_due(&api.app).await.unwrap();
    assert_eq!(listed("tiers: [\"GOLD\"]").await[0]["overriddenUntil"], "2020-09-01");
    let ended = json!({"id": pin["id"], "reason": "over"});
    api.clock.set("2020-06-03T12:00:00Z".parse().unwrap());
    api.decide(approver(), "End", ended).await;
    assert_eq!((listed("overridden: true").await, listed("tiers: [\"GOLD\"]").await), (json!([]), json!([])), "its end shows at once too");
    // One that begins on a day to come shows from that day on, with the review of its partner.
    let floor = api.propose(proposal("FLOOR", "GOLD", "2020-06-10", "2020-09-01", "k2")).await;
    api.decide(approver(), "Approve", json!({"id": floor["id"]})).await;
    assert_eq!(listed("overridden: true").await, json!([]));
    api.clock.set("2020-06-10T00:30:00Z".parse().unwrap());
    guerdon::jobs::run_due(&api.app).await.unwrap();
    assert_eq!(listed("overridden: true").await[0]["tier"], "GOLD");
}

#[tokio::test]
async fn an_override_counts_on_its_days_before_and_after_any_evaluation() {
    let api = Api::evaluated().await;
    let proposed = api.propose(proposal("FLOOR", "GOLD", "2020-07-01", "2020-08-01", "k")).await;
    api.decide(approver(), "Approve", json!({"id": proposed["id"]})).await;
    assert_eq!(api.tiers("2020-06-30").await, all("SILVER", "NOT_OFFERED"));
    assert_eq!(api.tiers("2020-07-01").await, all("GOLD", "GRANTED"));
    assert_eq!(api.tiers("2020-08-01").await, all("SILVER", "NOT_OFFERED"));
    // Evaluated while it holds, and read after its end without an evaluation: the last review's tier applies.
    api.clock.set("2020-07-10T12:00:00Z".parse().unwrap());
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", json!({"program": "P", "asOf": "2020-07-10", "idempotencyKey": "e2"})).await;
    assert_eq!(api.tiers("2020-07-10").await, all("GOLD", "GRANTED"));
    assert_eq!(api.tiers("2020-08-01").await, all("SILVER", "NOT_OFFERED"));
}

#[tokio::test]
async fn an_override_is_ended_early_withdrawn_or_rejected() {
    let api = Api::evaluated().await;
    let pin = api.propose(proposal("PIN", "GOLD", "2020-06-01", "2021-01-01", "k1")).await;
    api.decide(approver(), "Approve", json!({"id": pin["id"]})).await;
    api.clock.set("2020-06-15T12:00:00Z".parse().unwrap());
    assert_eq!(api.undecided(approver(), "End", json!({"id": pin["id"], "reason": "x", "until": "2020-06-14"})).await, "IN_THE_PAST");
    let ended = api.decide(approver(), "End", json!({"id": pin["id"], "reason": "sold"})).await;
    assert_eq!((&ended["span"]["until"], &ended["plannedUntil"], &ended["ended"]["reason"]), (&json!("2020-06-15"), &json!("2021-01-01"), &json!("sold")));
    assert_eq!(api.tiers("2020-06-15").await, all("SILVER", "NOT_OFFERED"));
    assert_eq!(api.tiers("2020-06-14").await.0, "GOLD", "the past is as it was");
    let record = api
        .database
        .texts("SELECT COALESCE(tier, '-') || ' ' || cause FROM tier_assignment a JOIN partner p ON p.id = a.partner_id WHERE p.code = 'A' ORDER BY from_on")
        .await;
    assert_eq!(record, ["GOLD OVERRIDE", "SILVER DEMOTION"]);
    assert_eq!(api.undecided(approver(), "End", json!({"id": pin["id"], "reason": "again"})).await, "NOT_IN_FORCE");
    // One that began today and ends today never held.
    let today = api.propose(proposal("PIN", "GOLD", "2020-06-15", "2021-01-01", "k2")).await;
    api.decide(approver(), "Approve", json!({"id": today["id"]})).await;
    assert_eq!(api.tiers("2020-06-15").await, all("GOLD", "GRANTED"));
    assert_eq!(api.decide(approver(), "End", json!({"id": today["id"], "reason": "mistake"})).await["state"], "WITHDRAWN");
    assert_eq!(api.tiers("2020-06-15").await, all("SILVER", "NOT_OFFERED"));

    let one = api.propose(proposal("CEILING", "REGISTERED", "2020-06-15", "2020-12-01", "k3")).await;
    assert_eq!(api.undecided(approver(), "Reject", json!({"id": one["id"]})).await, "BLANK", "a rejection has a reason");
    assert_eq!(api.decide(approver(), "Reject", json!({"id": one["id"], "reason": "no"})).await["state"], "REJECTED");
    let two = api.propose(proposal("CEILING", "REGISTERED", "2020-06-15", "2020-12-01", "k4")).await;
    assert_eq!(api.decide(manager(), "Withdraw", json!({"id": two["id"]})).await["state"], "WITHDRAWN");
    assert_eq!(api.tiers("2020-06-15").await, all("SILVER", "NOT_OFFERED"));
    let page = api.ask(auditor(), "{ tierOverrides(filter: {program: \"P\", partner: \"A\", states: [REJECTED, WITHDRAWN]}) { nodes { state } } partner(by: {code: \"A\"}) { tierOverrides(first: 1) { nodes { id } pageInfo { hasNextPage } } } }").await;
    assert_eq!(page.at("/tierOverrides/nodes"), &json!([{"state": "WITHDRAWN"}, {"state": "REJECTED"}, {"state": "WITHDRAWN"}]));
    assert_eq!(page.at("/partner/tierOverrides/pageInfo/hasNextPage"), true);
    let node = api.ask(of_partner("A"), &format!("{{ node(id: {}) {{ ... on TierOverride {{ state }} }} }}", one["id"])).await;
    assert_eq!(node.at("/node/state"), "REJECTED");
    let foreign = api.ask(of_partner("B"), &format!("{{ node(id: {}) {{ id }} }}", one["id"])).await;
    assert_eq!(foreign.at("/node"), &json!(null));
}

#[tokio::test]
async fn every_fault_of_a_proposal_is_told_at_once() {
    let api = Api::evaluated().await;
    let bad = json!({"partner": "A", "program": "P", "kind": "FLOOR", "from": "2020-05-01", "until": "2020-05-01", "reason": " ", "region": "DE", "idempotencyKey": "b"});
    let codes: Vec<String> = api.not_proposed(bad).await.into_iter().map(|(code, path)| format!("{code} {path}")).collect();
    assert_eq!(
        codes,
        ["BLANK input.reason", "EMPTY_SPAN input.until", "IN_THE_PAST input.from", "MISSING_MEMBER input.tier", "REGION_NOT_EXPECTED input.region"]
    );
    let unknown = api.not_proposed(proposal("PIN", "DIAMOND", "2020-06-01", "2020-07-01", "u")).await;
    assert_eq!(unknown[0].0, "UNKNOWN_TIER");
    let mut foreign = proposal("PIN", "GOLD", "2020-06-01", "2020-07-01", "f");
    foreign["partner"] = json!("B");
    assert_eq!(api.not_proposed(foreign).await[0].0, "NOT_FOUND", "another region's partner");
    let mut matched = proposal("PIN", "GOLD", "2020-06-01", "2020-07-01", "m");
    matched["statusMatch"] = json!({"program": "Elsewhere", "status": "Platinum"});
    assert_eq!(api.not_proposed(matched.clone()).await[0].0, "STATUS_MATCH_IS_A_FLOOR");
    matched["kind"] = json!("FLOOR");
    matched["idempotencyKey"] = json!("m2");
    assert_eq!(api.propose(matched).await["statusMatch"], json!({"program": "Elsewhere", "status": "Platinum"}));
}

#[tokio::test]
async fn two_of_one_kind_never_overlap_and_one_decision_stands_also_when_they_come_at_once() {
    let api = Api::evaluated().await;
    let propose = |key: &'static str, from: &'static str| {
        let api = &api;
        async move {
            let input = proposal("FLOOR", "GOLD", from, "2020-09-01", key);
            api.try_mutate(manager(), "tierOverridePropose", "TierOverrideProposeInput", FIELDS, input).await
        }
    };
    let (one, two, three) = tokio::join!(propose("a", "2020-06-01"), propose("b", "2020-07-01"), propose("c", "2020-08-31"));
    let ids: Vec<Value> = [&one, &two, &three].iter().map(|answer| answer.at("/payload/tierOverride")["id"].clone()).filter(|id| !id.is_null()).collect();
    assert_eq!(ids.len(), 1, "{one:?} {two:?} {three:?}");
    let refused = [&one, &two, &three].iter().filter(|answer| answer.at("/payload/userErrors")[0]["code"] == "OVERRIDE_OVERLAP").count();
    assert_eq!(refused, 2);
    api.propose(proposal("FLOOR", "GOLD", "2020-09-01", "2020-10-01", "d")).await;

    let second = person("bob", &[(Role::FinanceApprover, RoleScope::All)]);
    let input = |key: &str| json!({"id": ids[0], "idempotencyKey": key});
    let approve = |who: Actor, key: &'static str| api.try_mutate(who, "tierOverrideApprove", "TierOverrideApproveInput", FIELDS, input(key));
    let (one, two) = tokio::join!(approve(approver(), "x"), approve(second, "y"));
    let done = [&one, &two].iter().filter(|answer| answer.at("/payload/tierOverride")["state"] == "APPROVED").count();
    assert_eq!(done, 1, "{one:?} {two:?}");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM outbox_event WHERE kind = 'tier.override.approved'").await, 1);
}

#[tokio::test]
async fn an_old_key_answers_nothing_about_a_partner_that_its_owner_may_see_no_more() {
    let api = Api::furnished().await;
    let input = proposal("FLOOR", "GOLD", "2020-06-01", "2020-09-01", "once");
    let first = api.propose(input.clone()).await;
    assert_eq!(api.propose(input.clone()).await, first, "the same again");
    let elsewhere = person("ann", &[(Role::ChannelManager, RoleScope::Regions(vec!["US".into()]))]);
    let refused = api.refused(elsewhere, "tierOverridePropose", "TierOverrideProposeInput", FIELDS, input.clone()).await;
    assert_eq!(refused.first().unwrap().0, "NOT_FOUND");
    let wider = person("ann", &[(Role::ChannelManager, RoleScope::Regions(vec!["DE".into(), "US".into()]))]);
    let replayed = api.mutate(wider, "tierOverridePropose", "TierOverrideProposeInput", FIELDS, input.clone()).await;
    assert_eq!(replayed["tierOverride"]["id"], first["id"]);
    // The partner itself may have gone elsewhere.
    let moved = json!({"code": "A", "name": "Partner A", "type": "VAR", "region": "US", "from": "2020-06-01"});
    api.mutate(super::admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", json!({"partners": [moved], "idempotencyKey": "m"})).await;
    let refused = api.refused(manager(), "tierOverridePropose", "TierOverrideProposeInput", FIELDS, input).await;
    assert_eq!(refused.first().unwrap().0, "NOT_FOUND");
}
