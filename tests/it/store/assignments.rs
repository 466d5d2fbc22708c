//! Tiers on record: semantics 6.

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::AssignmentCause;
use guerdon_store::{AssignmentOutcome, NewAssignment, NewReview, NewStanding, PartnerId, ProgramId, StoreError, VersionId};
use sea_orm::ConnectionTrait;

use crate::harness::build::{date, partner, partners, program, write};
use crate::harness::{TestDatabase, fresh};

struct Case {
    database: TestDatabase,
    program: ProgramId,
    version: VersionId,
    partner: PartnerId,
}

impl Case {
    async fn new() -> Self {
        let database = fresh().await;
        let (program, version) = program(&database.store, "PR").await;
        let partner = partners(&database.store, &[partner("P", "DE")]).await[0];
        Self { database, program, version, partner }
    }

    fn decision(&self, tier: &str, on: &str) -> NewAssignment {
        NewAssignment {
            partner: self.partner,
            ladder: "MAIN".to_owned(),
            region: None,
            tier: (!tier.is_empty()).then(|| tier.to_owned()),
            on: date(on),
            cause: AssignmentCause::Promotion,
            review: None,
            version: self.version,
            reviewed: None,
        }
    }

    async fn decide(&self, tier: &str, on: &str) -> AssignmentOutcome {
        let decision = self.decision(tier, on);
        write(&self.database.store, async |tx| tx.record_assignments(self.program, std::slice::from_ref(&decision)).await).await.unwrap()[0]
    }

    async fn history(&self) -> Vec<String> {
        let all = self.database.store.read(async |tx| tx.assignments_many(&Scope::All, self.program, &[self.partner]).await).await.unwrap();
        let shown = |from: Date, until: Option<Date>| format!("{from}..{}", until.map(|until| until.to_string()).unwrap_or_default());
        all.get(&self.partner)
            .into_iter()
            .flatten()
            .map(|held| format!("{} {}", held.tier.clone().unwrap_or("-".to_owned()), shown(held.from, held.until)))
            .collect()
    }
}

#[tokio::test]
async fn decisions_follow_each_other() {
    let case = Case::new().await;
    assert_eq!(case.decide("SILVER", "2024-01-01").await, AssignmentOutcome::Recorded);
    assert_eq!(case.decide("SILVER", "2024-02-01").await, AssignmentOutcome::Unchanged);
    assert_eq!(case.decide("GOLD", "2024-03-01").await, AssignmentOutcome::Recorded);
    assert_eq!(case.decide("", "2024-04-01").await, AssignmentOutcome::Recorded);
    assert_eq!(case.history().await, vec!["SILVER 2024-01-01..2024-03-01", "GOLD 2024-03-01..2024-04-01", "- 2024-04-01.."]);
    assert_eq!(case.decide("GOLD", "2024-03-31").await, AssignmentOutcome::InThePast);
    assert_eq!(case.history().await.len(), 3);
    let on = async |day: &str| {
        let held = case.database.store.read(async |tx| tx.assignments_on_many(&Scope::All, case.program, &[case.partner], date(day)).await).await.unwrap();
        held.get(&case.partner).and_then(|held| held[0].tier.clone())
    };
    assert_eq!(on("2024-02-29").await, Some("SILVER".to_owned()));
    assert_eq!(on("2024-03-01").await, Some("GOLD".to_owned()));
    assert_eq!((on("2024-04-01").await, on("2023-12-31").await), (None, None));
}

#[tokio::test]
async fn a_second_decision_of_a_day_replaces_the_first() {
    let case = Case::new().await;
    case.decide("SILVER", "2024-01-01").await;
    case.decide("GOLD", "2024-03-01").await;
    assert_eq!(case.decide("PLATINUM", "2024-03-01").await, AssignmentOutcome::Replaced);
    assert_eq!(case.history().await, vec!["SILVER 2024-01-01..2024-03-01", "PLATINUM 2024-03-01.."]);
    assert_eq!(case.decide("SILVER", "2024-03-01").await, AssignmentOutcome::Replaced);
    assert_eq!(case.history().await, vec!["SILVER 2024-01-01.."], "back to what it was");
}

#[tokio::test]
async fn ladders_and_regions_are_apart_and_a_key_has_one_open_tier() {
    let case = Case::new().await;
    let regional = |region: &str| NewAssignment { region: Some(region.to_owned()), ..case.decision("GOLD", "2024-01-01") };
    let other = NewAssignment { ladder: "SPECIAL".to_owned(), ..case.decision("EXPERT", "2024-01-01") };
    let decisions = [case.decision("GOLD", "2024-01-01"), regional("DE"), regional("FR"), other];
    let outcomes = write(&case.database.store, async |tx| tx.record_assignments(case.program, &decisions).await).await.unwrap();
    assert_eq!(outcomes, vec![AssignmentOutcome::Recorded; 4]);
    let twice = [case.decision("BRONZE", "2024-02-01"), case.decision("SILVER", "2024-02-01")];
    let error = write(&case.database.store, async |tx| tx.record_assignments(case.program, &twice).await).await.unwrap_err();
    assert!(matches!(&error, StoreError::Conflict { constraint } if constraint.starts_with("tier_assignment_")), "{error:?}");
    let counted = case.database.store.read(async |tx| tx.count_tiers(&Scope::All, case.program, "MAIN", date("2024-06-01")).await).await.unwrap();
    assert_eq!(counted, vec![(Some("DE".to_owned()), Some("GOLD".to_owned()), 3)]);
    let open = "INSERT INTO tier_assignment (id, program_id, partner_id, ladder, region_key, tier, from_on, cause, version_id, recorded_at) \
        SELECT program_id, program_id, partner_id, ladder, region_key, tier, '2025-01-01', cause, version_id, recorded_at FROM tier_assignment WHERE ladder = 'SPECIAL'";
    assert!(case.database.beside().await.execute_unprepared(open).await.is_err(), "the database itself refuses a second open one");
}

#[tokio::test]
async fn the_latest_standing_is_found() {
    let case = Case::new().await;
    for (as_of, tier) in [("2024-01-01", "SILVER"), ("2024-06-01", "GOLD"), ("2024-03-01", "BRONZE")] {
        let review = NewReview { program: case.program, version: case.version, as_of: date(as_of), cause: "REQUESTED".to_owned() };
        let standing = NewStanding {
            partner: case.partner,
            ladder: "MAIN".to_owned(),
            region: None,
            tier: Some(tier.to_owned()),
            qualified_tier: None,
            index: guerdon_store::StandingIndex::default(),
            standing: format!("{{\"asOf\":\"{as_of}\"}}"),
        };
        write(&case.database.store, async |tx| tx.record_review(&review, std::slice::from_ref(&standing), 1).await).await.unwrap();
    }
    let latest = async |scope: Scope| case.database.store.read(async |tx| tx.latest_standings_many(&scope, case.program, &[case.partner]).await).await.unwrap();
    let found = latest(Scope::All).await;
    assert_eq!((found[&case.partner].len(), found[&case.partner][0].tier.as_deref()), (1, Some("GOLD")));
    assert_eq!(found[&case.partner][0].standing, "{\"asOf\":\"2024-06-01\"}");
    assert!(latest(Scope::Partners(vec!["Q".to_owned()])).await.is_empty());
}
