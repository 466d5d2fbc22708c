//! What a run knew stays what it knew: whatever is recorded later about partners, a posted run is computed again as it was, and only
//! later runs see it (semantics 6 and 20).

use guerdon::app::Ctx;
use guerdon::app::rebates::proof::find_derivation;
use guerdon::app::rebates::runs::verify_run;
use guerdon_domain::access::Scope;
use guerdon_domain::date::Span;
use guerdon_domain::facts::{AssignmentCause, OverrideKind, TierOverride};
use guerdon_domain::rebate::proof::verify;
use guerdon_store::{NewAssignment, NewEnrollment, NewOverride, PartnerId, ProgramId, StoreError, VersionId};
use serde_json::{Value, json};

use super::{
    approved, calculate, calculated, go_to, line, look, move_run, posted, preparer, program_with, refusal, row, sell, service, sound, statements, try_move,
};
use crate::api::{Api, approver};
use crate::harness::build::{date, profile, write};

/// One percent, two for SILVER, four for GOLD; of the last day's tier.
fn by_tier() -> Value {
    json!({
        "key": "quarterly",
        "period": {"quarter": {}},
        "method": {"flat": {"rate": {"default": "1 %", "tiers": {"SILVER": "2 %", "GOLD": "4 %"}}}},
    })
}

/// Writes what is decided about partners.
struct Decisions<'a> {
    api: &'a Api,
    program: ProgramId,
    version: VersionId,
}

impl<'a> Decisions<'a> {
    async fn new(api: &'a Api) -> Self {
        let found = api.database.store.read(async |tx| {
            let program = tx.find_program("P").await?.unwrap().id;
            let version = tx.find_version_in_force(program, date("2020-01-01")).await?.unwrap().id;
            Ok::<_, StoreError>((program, version))
        });
        let (program, version) = found.await.unwrap();
        Self { api, program, version }
    }

    async fn partner(&self, code: &str) -> PartnerId {
        self.api.database.store.read(async |tx| tx.partners_by_code_many(&Scope::All, &[code.to_owned()]).await).await.unwrap()[code].id
    }

    async fn tier(&self, partner: &str, tier: &str, on: &str) {
        let decision = NewAssignment {
            partner: self.partner(partner).await,
            ladder: "MAIN".into(),
            region: None,
            tier: Some(tier.into()),
            on: date(on),
            cause: AssignmentCause::Promotion,
            review: None,
            version: self.version,
            reviewed: None,
        };
        write(&self.api.database.store, async |tx| tx.record_assignments(self.program, std::slice::from_ref(&decision)).await).await.unwrap();
    }

    async fn pin(&self, partner: &str, tier: &str, from: &str, until: &str) -> uuid::Uuid {
        let new = NewOverride {
            program: self.program,
            partner: self.partner(partner).await,
            fact: TierOverride {
                ladder: "MAIN".into(),
                region: None,
                kind: OverrideKind::Pin,
                tier: Some(tier.into()),
                span: Span::new(date(from), date(until)),
                reason: "agreed".into(),
                proposed_by: Some("one".into()),
                approved_by: Some("other".into()),
            },
            status_match: None,
        };
        write(&self.api.database.store, async |tx| tx.insert_override(&new).await).await.unwrap()
    }

    async fn end_enrollment(&self, partner: &str, until: &str) {
        let id = self.partner(partner).await;
        let held = self.api.database.store.read(async |tx| tx.enrollments_many(&Scope::All, &[id], Some(self.program)).await).await.unwrap();
        let own = held[&id][0].clone();
        write(&self.api.database.store, async |tx| tx.end_enrollment(own.id, own.row_version, date(until)).await).await.unwrap();
    }
}

/// A run is computed again, from its lines, and every statement derived: both as they were.
pub async fn reproduced(api: &Api, run: &Value) {
    let id = guerdon::graphql::node::decode_as(guerdon::graphql::node::NodeKind::RebateRun, run["id"].as_str().unwrap()).unwrap();
    let ctx = Ctx::new(preparer(), "request-1", guerdon::clock::Clock::now(&api.clock));
    for chunk in [1, 1_000] {
        let proof = verify_run(&api.app, &ctx, id, chunk).await.unwrap();
        assert!(proof.holds() && proof.statements > 0, "{proof:?}");
    }
    let asked = guerdon::app::rebates::statements::StatementsAsked { run: Some(id), ..Default::default() };
    let page = guerdon::app::rebates::statements::list_statements(&api.app, &ctx, &asked, &guerdon_domain::page::PageRequest::first(100)).await.unwrap();
    for (_, statement) in page.rows {
        let (_, text) = find_derivation(&api.app, &ctx, statement.id).await.unwrap_or_else(|error| panic!("{statement:?}: {error:?}")).unwrap();
        let proven = verify(&text).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(proven.content_hash, statement.content_hash);
    }
}

/// A program with this schedule alone, whose tiers nobody reviews but these tests.
fn unreviewed(schedule: Value) -> Value {
    let mut document = program_with(schedule);
    document["ladders"][0]["review"] = json!({"cadenceUp": "NEVER", "cadenceDown": "NEVER"});
    document
}

async fn four_partners(schedule: Value) -> Api {
    let api = service(&unreviewed(schedule), &["A", "B", "C", "D"], "2020-04-10").await;
    let sold: Vec<Value> = ["A", "B", "C", "D"].iter().map(|code| line(code, code, "2020-02-20", "1000.00")).collect();
    sell(&api, &sold).await;
    api
}

#[tokio::test]
async fn what_is_recorded_later_rewrites_no_posted_run_and_counts_in_the_next() {
    for tier_at in ["PERIOD_END", "TRANSACTION_DATE", "BEST_IN_PERIOD"] {
        let mut schedule = by_tier();
        schedule["tierAt"] = json!(tier_at);
        let api = four_partners(schedule).await;
        let decisions = Decisions::new(&api).await;
        decisions.tier("A", "SILVER", "2019-06-01").await;
        decisions.tier("B", "SILVER", "2020-02-01").await;
        decisions.tier("D", "REGISTERED", "2018-01-01").await;
        let pinned = decisions.pin("D", "SILVER", "2020-01-15", "2020-06-01").await;
        let first = posted(&api, "2020-Q1", "ORIGINAL").await;
        let of_first = statements(&api, &first).await;
        assert_eq!(of_first.iter().map(|row| row.2.as_str()).collect::<Vec<_>>(), ["20.00", "20.00", "10.00", "20.00"], "{tier_at}");
        reproduced(&api, &first).await;

        // A review dated inside the period and held after the run; a second decision of the same day; an override that is ended
        // early; an enrollment that is ended before the period; a profile that is corrected; somebody who was enrolled all along.
        go_to(&api, "2020-05-10");
        decisions.tier("A", "GOLD", "2020-02-10").await;
        decisions.tier("B", "GOLD", "2020-02-01").await;
        write(&api.database.store, async |tx| tx.end_override(pinned, 1, date("2020-01-20"), None).await).await.unwrap();
        decisions.end_enrollment("C", "2019-12-01").await;
        api.enroll(&["E"]).await;
        sell(&api, &[line("E", "E", "2020-02-20", "1000.00")]).await;
        reproduced(&api, &first).await;
        assert_eq!(statements(&api, &first).await, of_first);

        go_to(&api, "2020-07-10");
        let second = posted(&api, "2020-Q2", "ORIGINAL").await;
        let expected = [
            row("A", "2020-Q1", "40.00", "20.00", "20.00"),
            row("B", "2020-Q1", "40.00", "20.00", "20.00"),
            row("C", "2020-Q1", "0.00", "10.00", "-10.00"),
            row("D", "2020-Q1", "10.00", "20.00", "-10.00"),
            row("E", "2020-Q1", "10.00", "0.00", "10.00"),
        ];
        // The best tier of the period was SILVER for five days.
        let kept = |row: &&(String, String, String, String, String)| tier_at != "BEST_IN_PERIOD" || row.0 != "D";
        assert_eq!(statements(&api, &second).await.iter().collect::<Vec<_>>(), expected.iter().filter(kept).collect::<Vec<_>>(), "{tier_at}");
        reproduced(&api, &second).await;

        // Back again: the first decision of the day is undone, the history before it stands.
        decisions.tier("A", "REGISTERED", "2020-02-10").await;
        decisions.tier("B", "REGISTERED", "2020-02-01").await;
        reproduced(&api, &first).await;
        reproduced(&api, &second).await;
        go_to(&api, "2020-10-10");
        let third = posted(&api, "2020-Q3", "ORIGINAL").await;
        // The best tier of A was SILVER until that day.
        let (worth, taken_back) = if tier_at == "BEST_IN_PERIOD" { ("20.00", "-20.00") } else { ("10.00", "-30.00") };
        let expected = [row("A", "2020-Q1", worth, "40.00", taken_back), row("B", "2020-Q1", "10.00", "40.00", "-30.00")];
        assert_eq!(statements(&api, &third).await, expected, "{tier_at}");
        for run in [&first, &second, &third] {
            reproduced(&api, run).await;
        }
        sound(&api).await;
    }
}

#[tokio::test]
async fn profiles_and_versions_are_read_as_the_run_knew_them() {
    let mut schedule = by_tier();
    schedule["scope"] = json!({"partnerTypes": ["VAR"]});
    let document = unreviewed(schedule);
    let api = service(&document, &["A", "B"], "2020-04-10").await;
    sell(&api, &[line("1", "A", "2020-02-20", "1000.00"), line("2", "B", "2020-02-20", "1000.00")]).await;
    let first = posted(&api, "2020-Q1", "ORIGINAL").await;
    let corrected = [guerdon_store::PartnerUpsert {
        code: "A".into(),
        profile: guerdon_domain::facts::PartnerProfile { partner_type: Some("MSP".into()), ..profile("Partner A", "DE", "2018-01-01") },
        expected: None,
    }];
    write(&api.database.store, async |tx| tx.upsert_partners(&Scope::All, &corrected, date("2020-04-10")).await).await.unwrap();
    reproduced(&api, &first).await;
    let second = posted(&api, "2020-Q1", "ADJUSTMENT").await;
    assert_eq!(statements(&api, &second).await, [row("A", "2020-Q1", "0.00", "10.00", "-10.00")]);
    // A version that is published later and takes effect before the period governs it from now on, and rewrites nothing.
    let mut later = document.clone();
    later["version"] = json!({"label": "corrected", "effectiveOn": "2019-01-01"});
    later["rebateSchedules"][0]["method"] = json!({"flat": {"rate": "3 %"}});
    api.publish(&later).await;
    reproduced(&api, &first).await;
    reproduced(&api, &second).await;
    let third = posted(&api, "2020-Q1", "ADJUSTMENT").await;
    assert_eq!(statements(&api, &third).await, [row("B", "2020-Q1", "30.00", "10.00", "20.00")]);
    for run in [&first, &second, &third] {
        reproduced(&api, run).await;
    }
}

#[tokio::test]
async fn a_run_that_did_not_know_a_tier_of_its_period_is_not_approved() {
    let api = four_partners(by_tier()).await;
    let decisions = Decisions::new(&api).await;
    decisions.tier("A", "SILVER", "2019-06-01").await;
    let run = calculated(&api, "2020-Q1", "ORIGINAL").await;
    // What ends after the period is the same for it, and so is what begins after it.
    decisions.tier("A", "GOLD", "2020-04-02").await;
    decisions.pin("B", "GOLD", "2020-04-01", "2020-05-01").await;
    decisions.end_enrollment("C", "2020-04-01").await;
    let run = approved(&api, &run).await;
    decisions.pin("B", "SILVER", "2020-03-01", "2020-03-15").await;
    // Approved is approved: it is true-up.
    move_run(&api, approver(), "rebateRunPost", json!({"runId": run["id"], "contentHash": run["contentHash"]})).await;
    let late = calculated(&api, "2020-Q1", "ADJUSTMENT").await;
    let refused = async |what: &str| {
        let hash = look(&api, &late).await["contentHash"].clone();
        let answer = try_move(&api, preparer(), "rebateRunSubmit", json!({"runId": late["id"], "contentHash": hash})).await;
        assert_eq!(refusal(&answer), "CONTENT_CHANGED");
        assert!(answer.at("/payload/userErrors/0/message").as_str().unwrap().contains(what), "{}", answer.at("/payload/userErrors"));
        calculate(&api, &late).await;
    };
    decisions.tier("D", "GOLD", "2020-03-31").await;
    refused("tiers").await;
    decisions.pin("D", "SILVER", "2020-03-01", "2020-04-15").await;
    refused("overrides").await;
    decisions.end_enrollment("D", "2020-03-01").await;
    refused("enrollments").await;
    let moved = [guerdon_store::PartnerUpsert { code: "A".into(), profile: profile("Partner A", "US", "2020-03-01"), expected: None }];
    write(&api.database.store, async |tx| tx.upsert_partners(&Scope::All, &moved, date("2020-04-10")).await).await.unwrap();
    refused("partner profiles").await;
    let enrolled = [NewEnrollment { partner: decisions.partner("D").await, since: date("2020-03-20"), track: None, region: None }];
    write(&api.database.store, async |tx| tx.enroll_partners(decisions.program, &enrolled).await).await.unwrap();
    refused("enrollments").await;
    approved(&api, &look(&api, &late).await).await;
}

#[tokio::test]
async fn a_reversal_of_an_adjustment_is_derived_from_the_file_alone() {
    let mut schedule = by_tier();
    schedule["trueUp"] = json!({"negative": "CARRY_FORWARD"});
    let api = four_partners(schedule).await;
    posted(&api, "2020-Q1", "ORIGINAL").await;
    let late = json!({"externalId": "R", "partner": "A", "date": "2020-03-02", "kind": "RETURN", "amount": {"amount": "400.00", "currency": "USD"}});
    sell(&api, &[late, line("L", "B", "2020-03-02", "500.00")]).await;
    let adjustment = posted(&api, "2020-Q1", "ADJUSTMENT").await;
    assert_eq!(statements(&api, &adjustment).await, [row("A", "2020-Q1", "6.00", "10.00", "0.00"), row("B", "2020-Q1", "15.00", "10.00", "5.00")]);
    let reversal = move_run(&api, approver(), "rebateRunReverse", json!({"runId": adjustment["id"], "reason": "too early"})).await;
    guerdon::jobs::run_due(&api.app).await.unwrap();
    let reversal = look(&api, &reversal).await;
    assert_eq!(statements(&api, &reversal).await, [row("A", "2020-Q1", "10.00", "6.00", "0.00"), row("B", "2020-Q1", "10.00", "15.00", "-5.00")]);
    reproduced(&api, &reversal).await;
}
