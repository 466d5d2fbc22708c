//! Applications, invitations and approvals: "qualified but not granted", and what gets a partner in.

use guerdon_domain::access::{Actor, Role, RoleScope};
use serde_json::{Value, json};

use super::{Api, actor, approver, auditor, designer, document, of_partner};

const FIELDS: &str = "admissionRequest { id kind state tier text evidence answerUntil opened { by } decided { by reason } version partner { code } }";

fn manager(name: &str) -> Actor {
    Actor { person: name.into(), ..actor(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()])) }
}

/// GOLD by application from 6,000, PLATINUM by invitation from 6,500; a badge by approval.
fn entered() -> Value {
    let revenue = |least: &str| json!({"metric": {"metric": "revenue", "atLeast": least}});
    let mut document = document();
    document["ladders"][0]["tiers"][2] = json!({"key": "GOLD", "entry": "BY_APPLICATION", "requirement": revenue("6000")});
    document["ladders"][0]["tiers"].as_array_mut().unwrap().push(json!({"key": "PLATINUM", "entry": "BY_INVITATION", "requirement": revenue("6500")}));
    document["ladders"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "BADGE", "tiers": [{"key": "EXPERT", "entry": "BY_APPROVAL", "requirement": revenue("6000")}]}));
    document
}

fn at(tier: &str, key: &str) -> Value {
    json!({"partner": "A", "program": "P", "tier": tier, "idempotencyKey": key})
}

impl Api {
    async fn entered() -> Self {
        let api = Self::new().await;
        api.publish(&entered()).await;
        api.furnish(&["A", "B"]).await;
        api.evaluate_on("2020-06-01", "e1").await;
        api
    }

    async fn evaluate_on(&self, day: &str, key: &str) {
        let input = json!({"program": "P", "asOf": day, "idempotencyKey": key});
        self.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", input).await;
    }

    async fn open(&self, who: Actor, name: &str, input: Value) -> Value {
        let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        self.mutate(who, name, &input_type, FIELDS, input).await["admissionRequest"].clone()
    }

    async fn not_opened(&self, who: Actor, name: &str, input: Value) -> Vec<(String, String)> {
        let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        self.refused(who, name, &input_type, FIELDS, input).await.into_iter().collect()
    }

    async fn reply(&self, who: Actor, verb: &str, id: &Value, reason: Option<&str>) -> Result<Value, String> {
        let key = format!("{verb}-{}-{id}-{reason:?}", who.person).replace(' ', "_");
        let input = json!({"id": id, "reason": reason, "idempotencyKey": key.chars().filter(char::is_ascii_graphic).take(100).collect::<String>()});
        let answer = self.try_mutate(who, &format!("admission{verb}"), &format!("Admission{verb}Input"), FIELDS, input).await;
        if let [code] = answer.codes().as_slice() {
            return Err((*code).to_owned());
        }
        match &answer.at("/payload/userErrors")[0]["code"] {
            Value::String(code) => Err(code.clone()),
            _ => Ok(answer.at("/payload/admissionRequest").clone()),
        }
    }

    async fn standing_of(&self, code: &str) -> Value {
        let query = format!(
            "{{ partner(by: {{code: \"{code}\"}}) {{ tier {{ tier }} standing {{ ladders {{ ladder tier qualified granted decision {{ reasons }} awaiting {{ tier step sentence request {{ id }} }} }} }} }} }}"
        );
        self.ask(of_partner(code), &query).await.at("/partner").clone()
    }
}

fn steps(standing: &Value, ladder: usize) -> Vec<String> {
    let awaiting = standing["standing"]["ladders"][ladder]["awaiting"].as_array().unwrap();
    awaiting.iter().map(|one| format!("{} {}", one["tier"].as_str().unwrap(), one["step"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_partner_applies_and_the_vendor_accepts() {
    let api = Api::entered().await;
    let standing = api.standing_of("A").await;
    let main = &standing["standing"]["ladders"][0];
    assert_eq!((&main["tier"], &main["qualified"], &main["granted"]), (&json!("SILVER"), &json!("PLATINUM"), &json!("SILVER")));
    assert_eq!(main["decision"]["reasons"], json!(["AWAITS_ADMISSION"]));
    assert_eq!(steps(&standing, 0), ["GOLD APPLY", "PLATINUM AWAIT_INVITATION"]);
    assert_eq!(main["awaiting"][0]["sentence"], "an accepted application for GOLD is needed");

    let mut input = at("GOLD", "a1");
    input["text"] = json!("three years of references");
    input["evidence"] = json!("https://example.com/proof.pdf");
    let application = api.open(of_partner("A"), "tierApply", input.clone()).await;
    assert_eq!(
        (&application["state"], &application["kind"], &application["text"]),
        (&json!("OPEN"), &json!("APPLICATION"), &json!("three years of references"))
    );
    assert_eq!(api.open(of_partner("A"), "tierApply", input).await["id"], application["id"], "the same key answers the same");
    assert_eq!(api.not_opened(of_partner("A"), "tierApply", at("GOLD", "a2")).await[0].0, "ALREADY_OPEN");
    let standing = api.standing_of("A").await;
    assert_eq!(steps(&standing, 0), ["GOLD AWAIT_DECISION", "PLATINUM AWAIT_INVITATION"]);
    assert_eq!(standing["standing"]["ladders"][0]["awaiting"][0]["request"]["id"], application["id"]);

    let id = &application["id"];
    assert_eq!(api.reply(of_partner("A"), "Accept", id, None).await, Err("FORBIDDEN".into()), "a partner accepts invitations only");
    assert_eq!(api.reply(of_partner("B"), "Withdraw", id, None).await, Err("NOT_FOUND".into()));
    let foreign = Actor { person: "us".into(), ..actor(Role::ChannelManager, RoleScope::Regions(vec!["US".into()])) };
    assert_eq!(api.reply(foreign, "Accept", id, None).await, Err("NOT_FOUND".into()));
    let accepted = api.reply(manager("ann"), "Accept", id, Some("welcome")).await.unwrap();
    assert_eq!((&accepted["state"], &accepted["decided"]), (&json!("ACCEPTED"), &json!({"by": "ann", "reason": "welcome"})));
    let standing = api.standing_of("A").await;
    assert_eq!((&standing["tier"]["tier"], steps(&standing, 0)), (&json!("GOLD"), vec!["PLATINUM AWAIT_INVITATION".to_owned()]));
    assert_eq!(api.reply(manager("bob"), "Accept", id, None).await, Err("ALREADY_DECIDED".into()));
    assert_eq!(api.not_opened(of_partner("A"), "tierApply", at("GOLD", "a3")).await[0].0, "ALREADY_ADMITTED");
    let events = api.database.texts("SELECT kind FROM outbox_event WHERE kind LIKE 'tier.%' ORDER BY id").await;
    assert_eq!(&events[events.len() - 3..], ["tier.admission.opened", "tier.admission.accepted", "tier.promoted"]);
}

#[tokio::test]
async fn an_application_is_rejected_with_a_reason_or_taken_back() {
    let api = Api::entered().await;
    let one = api.open(of_partner("A"), "tierApply", at("GOLD", "a1")).await;
    assert_eq!(api.reply(manager("ann"), "Reject", &one["id"], None).await, Err("BLANK".into()));
    assert_eq!(api.reply(manager("ann"), "Reject", &one["id"], Some("not yet")).await.unwrap()["state"], "REJECTED");
    let two = api.open(of_partner("A"), "tierApply", at("GOLD", "a2")).await;
    assert_eq!(api.reply(manager("ann"), "Withdraw", &two["id"], None).await, Err("FORBIDDEN".into()), "only who may apply");
    assert_eq!(api.reply(of_partner("A"), "Withdraw", &two["id"], None).await.unwrap()["state"], "WITHDRAWN");
    assert_eq!(api.standing_of("A").await["tier"]["tier"], "SILVER");
    let query = "{ admissionRequests(filter: {program: \"P\", partner: \"A\", kinds: [APPLICATION]}) { nodes { state } } partner(by: {code: \"A\"}) { admissionRequests(states: [REJECTED]) { nodes { id decided { reason } } } } }";
    let answer = api.ask(auditor(), query).await;
    assert_eq!(answer.at("/admissionRequests/nodes"), &json!([{"state": "WITHDRAWN"}, {"state": "REJECTED"}]));
    assert_eq!(answer.at("/partner/admissionRequests/nodes"), &json!([{"id": one["id"], "decided": {"reason": "not yet"}}]));
    let node = api.ask(of_partner("A"), &format!("{{ node(id: {}) {{ ... on AdmissionRequest {{ state }} }} }}", one["id"])).await;
    assert_eq!(node.at("/node/state"), "REJECTED");
}

#[tokio::test]
async fn a_partner_accepts_an_invitation_in_time_or_not_at_all() {
    let api = Api::entered().await;
    let mut input = at("PLATINUM", "i1");
    input["answerUntil"] = json!("2020-06-15");
    let invited = api.open(manager("ann"), "tierInvite", input).await;
    assert_eq!(steps(&api.standing_of("A").await, 0), ["GOLD APPLY", "PLATINUM ACCEPT_INVITATION"]);
    assert_eq!(api.reply(of_partner("B"), "Accept", &invited["id"], None).await, Err("NOT_FOUND".into()));
    api.clock.set("2020-06-15T12:00:00Z".parse().unwrap());
    assert_eq!(api.reply(of_partner("A"), "Accept", &invited["id"], None).await, Err("ADMISSION_EXPIRED".into()));
    let state = api.ask(auditor(), "{ admissionRequests(filter: {states: [EXPIRED]}) { nodes { state tier } } }").await;
    assert_eq!(state.at("/admissionRequests/nodes"), &json!([{"state": "EXPIRED", "tier": "PLATINUM"}]));
    // Another one may be opened; this one is accepted.
    let mut again = at("PLATINUM", "i2");
    again["answerUntil"] = json!("2020-07-01");
    let invited = api.open(manager("ann"), "tierInvite", again).await;
    assert_eq!(api.reply(of_partner("A"), "Accept", &invited["id"], None).await.unwrap()["state"], "ACCEPTED");
    assert_eq!(api.standing_of("A").await["tier"]["tier"], "PLATINUM");
    let declined = json!({"partner": "A", "program": "P", "tier": "GOLD", "idempotencyKey": "i3"});
    let refused = api.not_opened(manager("ann"), "tierInvite", declined).await;
    assert_eq!(refused[0], ("OTHER_ENTRY".into(), "input.tier".into()), "GOLD is entered by application");
}

#[tokio::test]
async fn a_review_opens_what_it_finds_awaiting_approval_once() {
    let api = Api::new().await;
    api.publish(&entered()).await;
    api.furnish(&["A", "B"]).await;
    for key in ["r1", "r2"] {
        let input = json!({"program": "P", "asOf": "2020-06-01", "idempotencyKey": key});
        api.mutate(designer(), "reviewStart", "ReviewStartInput", "review { id }", input).await;
        guerdon::jobs::run_due(&api.app).await.unwrap();
        assert_eq!(api.database.number("SELECT COUNT(*) FROM admission_request WHERE state = 'OPEN' AND kind = 'APPROVAL'").await, 2);
    }
    assert_eq!(api.database.number("SELECT COUNT(*) FROM outbox_event WHERE kind = 'tier.admission.opened'").await, 2, "each is told once");
}

#[tokio::test]
async fn a_tier_that_awaits_approval_is_listed_and_approved_by_another_person() {
    let api = Api::entered().await;
    let query = "{ admissionRequests(filter: {program: \"P\", ladder: \"BADGE\", kinds: [APPROVAL], states: [OPEN]}) { nodes { id tier opened { by } partner { code } } } }";
    let open = api.ask(manager("ann"), query).await;
    let nodes = open.at("/admissionRequests/nodes").as_array().unwrap();
    assert_eq!(nodes.len(), 1, "the evaluation opened one for each partner who is good for it; the other lies in another region");
    assert_eq!((&nodes[0]["tier"], &nodes[0]["opened"]["by"], &nodes[0]["partner"]["code"]), (&json!("EXPERT"), &json!("PROGRAM_DESIGNER"), &json!("A")));
    api.evaluate_on("2020-06-01", "e2").await;
    assert_eq!(api.database.number("SELECT COUNT(*) FROM admission_request").await, 2, "the same again opens nothing");
    api.evaluate_on("2020-05-30", "e3").await;
    assert_eq!(api.database.number("SELECT COUNT(*) FROM admission_request WHERE state = 'OPEN'").await, 2, "the past changes nothing");
    // Each role reaches as far as it does: applications of a region, approvals of all.
    let mut input = at("GOLD", "b1");
    input["partner"] = json!("B");
    api.open(of_partner("B"), "tierApply", input).await;
    let mut both = manager("ann");
    both.roles.extend(approver().roles);
    let seen = api.ask(both, "{ admissionRequests { nodes { kind partner { code } } } }").await;
    let kinds: Vec<&Value> = seen.at("/admissionRequests/nodes").as_array().unwrap().iter().map(|node| &node["kind"]).collect();
    assert_eq!(kinds, ["APPLICATION", "APPROVAL", "APPROVAL"], "a finance approver reads what he may end");
    let id = &nodes[0]["id"];
    let standing = api.standing_of("A").await;
    assert_eq!(steps(&standing, 1), ["EXPERT AWAIT_APPROVAL"]);
    let myself = Actor { person: "PROGRAM_DESIGNER".into(), ..approver() };
    assert_eq!(api.reply(myself, "Accept", id, None).await, Err("SEGREGATION_OF_DUTIES".into()));
    let (one, two) = tokio::join!(api.reply(manager("ann"), "Accept", id, None), api.reply(approver(), "Accept", id, None));
    assert_eq!([&one, &two].iter().filter(|answer| answer.is_ok()).count(), 1, "{one:?} {two:?}");
    assert_eq!(api.database.number("SELECT COUNT(*) FROM tier_admission").await, 1);
    assert_eq!(api.standing_of("A").await["standing"]["ladders"][1]["tier"], "EXPERT");
}

#[tokio::test]
async fn an_approval_is_proposed_by_hand_and_what_is_no_longer_met_lapses() {
    let api = Api::entered().await;
    let mut input = at("EXPERT", "p1");
    input["ladder"] = json!("BADGE");
    assert_eq!(api.not_opened(manager("ann"), "tierApprovalPropose", input.clone()).await[0].0, "ALREADY_OPEN", "the evaluation has");
    // A year later the sales have left the window.
    api.clock.set("2021-12-01T12:00:00Z".parse().unwrap());
    api.evaluate_on("2021-12-01", "e2").await;
    let open = "SELECT state FROM admission_request r JOIN partner p ON p.id = r.partner_id WHERE p.code = 'A'";
    assert_eq!(api.database.texts(open).await, ["WITHDRAWN"]);
    input["idempotencyKey"] = json!("p2");
    let proposed = api.open(manager("ann"), "tierApprovalPropose", input).await;
    assert_eq!(api.reply(manager("ann"), "Accept", &proposed["id"], None).await, Err("SEGREGATION_OF_DUTIES".into()));
    assert!(api.reply(manager("bob"), "Accept", &proposed["id"], None).await.is_ok(), "given ahead: it counts as soon as the tier is met");
    assert_eq!(api.standing_of("A").await["standing"]["ladders"][1]["tier"], json!(null));
}

#[tokio::test]
async fn every_fault_of_an_opening_is_told_at_once() {
    let api = Api::entered().await;
    let mut input = at("SILVER", "x1");
    for (member, value) in [("text", " "), ("evidence", "a\nb"), ("answerUntil", "2020-06-01"), ("region", "DE")] {
        input[member] = json!(value);
    }
    let codes: Vec<String> = api.not_opened(of_partner("A"), "tierApply", input).await.into_iter().map(|(code, path)| format!("{code} {path}")).collect();
    let expected =
        ["BLANK input.text", "INVALID_TEXT input.evidence", "IN_THE_PAST input.answerUntil", "OTHER_ENTRY input.tier", "REGION_NOT_EXPECTED input.region"];
    assert_eq!(codes, expected);
    let mut foreign = at("GOLD", "x2");
    foreign["partner"] = json!("B");
    assert_eq!(api.not_opened(of_partner("A"), "tierApply", foreign).await[0].0, "NOT_FOUND", "for its own company only");
}

const ENDED: &str = "admissionRequest { id state endedOn ended { by reason } version }";

impl Api {
    async fn end(&self, who: Actor, input: Value) -> Result<Value, String> {
        let answer = self.try_mutate(who, "admissionEnd", "AdmissionEndInput", ENDED, input).await;
        if let [code] = answer.codes().as_slice() {
            return Err((*code).to_owned());
        }
        match &answer.at("/payload/userErrors")[0]["code"] {
            Value::String(code) => Err(code.clone()),
            _ => Ok(answer.at("/payload/admissionRequest").clone()),
        }
    }

    /// A holds GOLD since 2020-06-01 by an application that ann accepted.
    async fn admitted() -> (Self, Value) {
        let api = Self::entered().await;
        let application = api.open(of_partner("A"), "tierApply", at("GOLD", "a1")).await;
        api.reply(manager("ann"), "Accept", &application["id"], None).await.unwrap();
        assert_eq!(api.standing_of("A").await["tier"]["tier"], "GOLD");
        (api, application["id"].clone())
    }

    async fn held_on(&self, day: &str) -> Value {
        let query = format!("{{ partner(by: {{code: \"A\"}}) {{ tier(asOf: \"{day}\") {{ tier }} }} }}");
        self.ask(auditor(), &query).await.at("/partner/tier/tier").clone()
    }
}

fn ending(id: &Value, on: Option<&str>, key: &str) -> Value {
    json!({"id": id, "on": on, "reason": "references withdrawn", "idempotencyKey": key})
}

#[tokio::test]
async fn an_admission_is_ended_from_a_day_on_and_what_was_held_before_stays() {
    let (api, id) = Api::admitted().await;
    assert_eq!(api.end(of_partner("A"), ending(&id, None, "e1")).await, Err("FORBIDDEN".into()));
    let foreign = Actor { person: "us".into(), ..actor(Role::ChannelManager, RoleScope::Regions(vec!["US".into()])) };
    assert_eq!(api.end(foreign, ending(&id, None, "e2")).await, Err("NOT_FOUND".into()));
    assert_eq!(api.end(manager("ann"), ending(&id, Some("2020-05-31"), "e3")).await, Err("IN_THE_PAST".into()));
    assert_eq!(api.end(manager("ann"), ending(&id, None, "e4")).await, Err("EMPTY_SPAN".into()), "it was given today");
    let mut blank = ending(&id, Some("2020-06-10"), "e5");
    blank["reason"] = json!(" ");
    assert_eq!(api.end(manager("ann"), blank).await, Err("BLANK".into()));
    let mut stale = ending(&id, Some("2020-06-10"), "e6");
    stale["expectedVersion"] = json!(1);
    assert_eq!(api.end(manager("ann"), stale).await, Err("STALE".into()));
    // Ahead first, then earlier; never later.
    let ended = api.end(manager("ann"), ending(&id, Some("2020-06-20"), "e7")).await.unwrap();
    assert_eq!((&ended["state"], &ended["endedOn"]), (&json!("ACCEPTED"), &json!("2020-06-20")));
    assert_eq!(api.end(manager("ann"), ending(&id, Some("2020-06-20"), "e8")).await, Err("NOT_IN_FORCE".into()));
    assert_eq!(api.standing_of("A").await["tier"]["tier"], "GOLD");
    api.clock.set("2020-06-10T12:00:00Z".parse().unwrap());
    let ended = api.end(approver(), ending(&id, None, "e9")).await.unwrap();
    assert_eq!((&ended["state"], &ended["endedOn"], &ended["ended"]["reason"]), (&json!("ENDED"), &json!("2020-06-10"), &json!("references withdrawn")));
    assert_eq!(api.end(approver(), ending(&id, None, "e9")).await.unwrap()["id"], id, "the same key answers the same");
    // Lost at once, whatever the cadence; qualified but not granted.
    let standing = api.standing_of("A").await;
    assert_eq!((&standing["tier"]["tier"], steps(&standing, 0)), (&json!("SILVER"), vec!["GOLD APPLY".to_owned(), "PLATINUM AWAIT_INVITATION".to_owned()]));
    assert_eq!([api.held_on("2020-06-05").await, api.held_on("2020-06-09").await, api.held_on("2020-06-10").await], ["GOLD", "GOLD", "SILVER"]);
    let events = api.database.texts("SELECT kind FROM outbox_event WHERE kind LIKE 'tier.%' ORDER BY id").await;
    assert_eq!(&events[events.len() - 3..], ["tier.admission.ended", "tier.admission.ended", "tier.demoted"]);
    assert_eq!(api.database.number("SELECT COUNT(*) FROM audit_entry WHERE operation = 'admissionEnd' AND object_type = 'AdmissionRequest'").await, 2);
    let listed = api.ask(auditor(), "{ admissionRequests(filter: {states: [ENDED]}) { nodes { id } } }").await;
    assert_eq!(listed.at("/admissionRequests/nodes"), &json!([{"id": id}]));
    // It may apply again.
    let again = api.open(of_partner("A"), "tierApply", at("GOLD", "a2")).await;
    api.reply(manager("ann"), "Accept", &again["id"], None).await.unwrap();
    assert_eq!(api.standing_of("A").await["tier"]["tier"], "GOLD");
    assert_eq!(api.end(manager("ann"), ending(&json!("QWRtaXNzaW9uUmVxdWVzdDow"), None, "e10")).await, Err("NOT_FOUND".into()));
}

#[tokio::test]
async fn who_invited_does_not_end_the_invitation_and_an_end_ahead_is_a_review_of_that_day() {
    let api = Api::entered().await;
    let invited = api.open(manager("ann"), "tierInvite", at("PLATINUM", "i1")).await;
    assert_eq!(api.end(manager("bob"), ending(&invited["id"], Some("2020-06-20"), "e1")).await, Err("NOT_IN_FORCE".into()), "nobody accepted it yet");
    api.reply(of_partner("A"), "Accept", &invited["id"], None).await.unwrap();
    assert_eq!(api.end(manager("ann"), ending(&invited["id"], Some("2020-06-20"), "e2")).await, Err("SEGREGATION_OF_DUTIES".into()));
    api.end(manager("bob"), ending(&invited["id"], Some("2020-06-20"), "e3")).await.unwrap();
    api.evaluate_on("2020-06-19", "r1").await;
    assert_eq!(api.standing_of("A").await["tier"]["tier"], "PLATINUM");
    api.clock.set("2020-06-20T12:00:00Z".parse().unwrap());
    api.evaluate_on("2020-06-20", "r2").await;
    assert_eq!([api.held_on("2020-06-19").await, api.held_on("2020-06-20").await], ["PLATINUM", "GOLD"], "a tier below the one on record is open");
}

#[tokio::test]
async fn an_admission_lapses_by_the_versions_terms_and_another_may_be_asked_for() {
    let api = Api::new().await;
    let mut document = entered();
    document["ladders"][0]["tiers"][2]["admission"] = json!({"validMonths": 3});
    api.publish(&document).await;
    api.furnish(&["A", "B"]).await;
    api.evaluate_on("2020-06-01", "e1").await;
    let application = api.open(of_partner("A"), "tierApply", at("GOLD", "a1")).await;
    api.reply(manager("ann"), "Accept", &application["id"], None).await.unwrap();
    api.clock.set("2020-08-31T12:00:00Z".parse().unwrap());
    assert_eq!(api.not_opened(of_partner("A"), "tierApply", at("GOLD", "a2")).await[0].0, "ALREADY_ADMITTED");
    api.clock.set("2020-09-01T12:00:00Z".parse().unwrap());
    let standing = api.standing_of("A").await;
    assert_eq!(standing["standing"]["ladders"][0]["decision"]["reasons"], json!(["AWAITS_ADMISSION", "ADMISSION_ENDED"]));
    api.evaluate_on("2020-09-01", "e2").await;
    assert_eq!([api.held_on("2020-08-31").await, api.held_on("2020-09-01").await], ["GOLD", "SILVER"]);
    let again = api.open(of_partner("A"), "tierApply", at("GOLD", "a3")).await;
    api.reply(manager("ann"), "Accept", &again["id"], None).await.unwrap();
    assert_eq!(api.standing_of("A").await["tier"]["tier"], "GOLD");
    for (terms, code) in [(json!({}), "EMPTY"), (json!({"validMonths": 0}), "OUT_OF_RANGE")] {
        document["ladders"][0]["tiers"][2]["admission"] = terms;
        let input = json!({"document": document.to_string(), "idempotencyKey": api.key()});
        let faults = api.refused(designer(), "programApply", "ProgramApplyInput", "outcome", input).await;
        assert!(faults.iter().any(|(found, path)| found == code && path.contains("tiers.2.admission")), "{faults:?}");
    }
}
