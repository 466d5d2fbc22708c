//! Reviews, and the standing that each found: the decision as it was made, with its reasons.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use sea_orm::{EntityTrait, IntoActiveModel, Value};

use crate::bulk::{self, Column, Kind};
use crate::convert::{Row, region_key, region_of_key};
use crate::entity::review;
use crate::fault::StoreError;
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId, ReviewId, VersionId};

/// A review to be put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    /// The program.
    pub program: ProgramId,
    /// The version that was decided by.
    pub version: VersionId,
    /// The date as of which it was decided.
    pub as_of: Date,
    /// What caused it: `SCHEDULED`, `REQUESTED`, ...
    pub cause: String,
}

/// What a review found for one partner and ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStanding {
    /// The partner.
    pub partner: PartnerId,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier that was decided.
    pub tier: Option<String>,
    /// The tier whose requirement was met.
    pub qualified_tier: Option<String>,
    /// What lists and exports ask for.
    pub index: StandingIndex,
    /// The whole standing, as JSON.
    pub standing: String,
}

/// What lists and exports ask of a standing, beside its tiers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandingIndex {
    /// The tier on record before.
    pub from_tier: Option<String>,
    /// What was decided: `KEPT`, `PROMOTED`, ...
    pub change: Option<String>,
    /// The next tier up.
    pub next_tier: Option<String>,
    /// The part of the next tier's requirement that is met, in 10^-8.
    pub next_share: Option<i64>,
    /// The first day on which the tier is not met, if nothing more comes in.
    pub at_risk_on: Option<Date>,
    /// What fails then, as a JSON list of sentences.
    pub risk: Option<String>,
    /// From when on the grace period that runs warns.
    pub grace_warn_from: Option<Date>,
    /// When it ends.
    pub grace_until: Option<Date>,
    /// When the override that holds the tier ends.
    pub overridden_until: Option<Date>,
    /// Whether a higher tier is met, and nobody has admitted the partner.
    pub awaiting: bool,
}

/// A standing on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStanding {
    /// The review.
    pub review_id: ReviewId,
    /// The version that was decided by.
    pub version_id: VersionId,
    /// The date as of which it was decided.
    pub as_of: Date,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder asks for one.
    pub region: Option<String>,
    /// The tier that was decided.
    pub tier: Option<String>,
    /// The tier whose requirement was met.
    pub qualified_tier: Option<String>,
    /// The whole standing, as JSON.
    pub standing: String,
}

const COLUMNS: [Column; 16] = [
    ("review_id", Kind::Uuid),
    ("partner_id", Kind::Uuid),
    ("ladder", Kind::Text),
    ("region_key", Kind::Text),
    ("tier", Kind::Text),
    ("qualified_tier", Kind::Text),
    ("standing", Kind::Text),
    ("from_tier", Kind::Text),
    ("change", Kind::Text),
    ("next_tier", Kind::Text),
    ("next_share", Kind::Int),
    ("at_risk_on", Kind::Date),
    ("risk", Kind::Text),
    ("grace_until", Kind::Date),
    ("overridden_until", Kind::Date),
    ("awaiting", Kind::Int),
];

impl ReadTx {
    /// The latest standing of partners in a program, one per ladder and region.
    pub async fn latest_standings_many(
        &self,
        scope: &Scope,
        program: ProgramId,
        partners: &[PartnerId],
    ) -> Result<BTreeMap<PartnerId, Vec<StoredStanding>>, StoreError> {
        let mut parameters = Parameters(vec![uuids(self.backend(), partners), program.into()]);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT * FROM (SELECT s.partner_id, r.id, r.version_id, r.as_of, r.created_at, s.ladder, s.region_key, s.tier, s.qualified_tier, s.standing, \
             ROW_NUMBER() OVER (PARTITION BY s.partner_id, s.ladder, s.region_key ORDER BY r.as_of DESC, r.created_at DESC, r.id DESC) AS place \
             FROM review_standing s JOIN review r ON r.id = s.review_id JOIN partner p ON p.id = s.partner_id \
             WHERE {} AND r.program_id = $2 AND {within}) AS ranked WHERE place = 1 ORDER BY partner_id, ladder, region_key",
            is_one_of_uuids(self.backend(), "s.partner_id", 1)
        );
        let mut standings: BTreeMap<PartnerId, Vec<StoredStanding>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let row = Row::new(&row, "review_standing");
            let standing = StoredStanding {
                review_id: row.get(1)?,
                version_id: row.get(2)?,
                as_of: row.date(3)?,
                decided_at: row.get(4)?,
                ladder: row.get(5)?,
                region: region_of_key(row.get(6)?),
                tier: row.get(7)?,
                qualified_tier: row.get(8)?,
                standing: row.get(9)?,
            };
            standings.entry(row.get(0)?).or_default().push(standing);
        }
        Ok(standings)
    }
}

impl WriteTx {
    /// Puts a review with its standings on record; more may be added with [`WriteTx::record_standings`].
    pub async fn record_review(&self, new: &NewReview, standings: &[NewStanding], changed: u64) -> Result<ReviewId, StoreError> {
        let now = self.now();
        let row = review::Model {
            id: self.new_id(),
            program_id: new.program,
            version_id: new.version,
            as_of: new.as_of.naive(),
            cause: new.cause.clone(),
            partners: 0,
            changed: 0,
            created_at: now,
            created_by: self.context().actor.clone(),
            state: "DONE".to_owned(),
            slice: "{}".to_owned(),
            due: "BY_CALENDAR".to_owned(),
            job_id: None,
            base_id: None,
            differs: 0,
            promoted: 0,
            demoted: 0,
            kept: 0,
            failed: 0,
            in_the_past: 0,
            finished_at: Some(now),
        };
        let id = row.id;
        review::Entity::insert(row.into_active_model()).exec_without_returning(&self.tx).await.map_err(|error| self.fault(error))?;
        self.record_standings(id, standings, changed).await?;
        Ok(id)
    }

    /// Adds standings to a review, and counts them.
    pub async fn record_standings(&self, review: ReviewId, standings: &[NewStanding], changed: u64) -> Result<(), StoreError> {
        self.insert_standings(review, standings).await?;
        let partners: std::collections::BTreeSet<PartnerId> = standings.iter().map(|standing| standing.partner).collect();
        let sql = "UPDATE review SET partners = partners + $1, changed = changed + $2 WHERE id = $3";
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.execute_one(sql, vec![count(partners.len() as u64).into(), count(changed).into(), review.into()]).await
    }

    /// Adds standings to a review.
    pub async fn insert_standings(&self, review: ReviewId, standings: &[NewStanding]) -> Result<(), StoreError> {
        let rows: Vec<Vec<Value>> = standings
            .iter()
            .map(|standing| {
                vec![
                    review.into(),
                    standing.partner.into(),
                    standing.ladder.clone().into(),
                    region_key(standing.region.as_deref()).into(),
                    standing.tier.clone().into(),
                    standing.qualified_tier.clone().into(),
                    standing.standing.clone().into(),
                    standing.index.from_tier.clone().into(),
                    standing.index.change.clone().into(),
                    standing.index.next_tier.clone().into(),
                    standing.index.next_share.into(),
                    standing.index.at_risk_on.map(Date::naive).into(),
                    standing.index.risk.clone().into(),
                    standing.index.grace_until.map(Date::naive).into(),
                    standing.index.overridden_until.map(Date::naive).into(),
                    i64::from(standing.index.awaiting).into(),
                ]
            })
            .collect();
        bulk::insert(self, "review_standing", &COLUMNS, rows, "").await.map(drop)
    }
}
