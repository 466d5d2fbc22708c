//! Tiers on record (semantics 6): at most one per partner, ladder and region on any date; decisions take effect on their date, a
//! second one that day replaces the first, and the past is never rewritten.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::AssignmentCause;
use sea_orm::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bulk::{self, Column, Kind};
use crate::convert::{Row, TextEnum, region_key, region_of_key};
use crate::fault::StoreError;
use crate::scope::within;
use crate::sql::{Parameters, for_update, is_one_of_uuids, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId, ReviewId, VersionId};

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAssignment {
    /// The partner.
    pub partner: PartnerId,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier; none takes it away.
    pub tier: Option<String>,
    /// The date of the decision, from which on it holds.
    pub on: Date,
    /// Why.
    pub cause: AssignmentCause,
    /// The review behind it.
    pub review: Option<ReviewId>,
    /// The version that was decided by.
    pub version: VersionId,
    /// Where an override holds the tier, what the review gives without it; empty for no tier.
    pub reviewed: Option<String>,
}

/// A tier on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAssignment {
    /// Its id.
    pub id: Uuid,
    /// The partner.
    pub partner_id: PartnerId,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder asks for one.
    pub region: Option<String>,
    /// The tier; none while none is held.
    pub tier: Option<String>,
    /// First day.
    pub from: Date,
    /// First day after it; still held when empty.
    pub until: Option<Date>,
    /// Why.
    pub cause: AssignmentCause,
    /// The review behind it.
    pub review_id: Option<ReviewId>,
    /// The version that was decided by.
    pub version_id: VersionId,
    /// What the review of that day gave, where an override took its place; empty for no tier.
    pub reviewed_tier: Option<String>,
}

impl StoredAssignment {
    /// Whether a decision gives what is held: the same tier, both or neither by an override. One that an override held and that the
    /// partner has by its own merit now is news, since the override ends; so is what else a review gives under one.
    fn is_as(&self, decision: &NewAssignment) -> bool {
        let by_override = |cause: AssignmentCause| cause == AssignmentCause::Override;
        let reviewed_anew = by_override(decision.cause) && decision.reviewed.is_some() && decision.reviewed != self.reviewed_tier;
        self.tier == decision.tier && by_override(self.cause) == by_override(decision.cause) && !reviewed_anew
    }
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssignmentOutcome {
    /// It is on record.
    Recorded,
    /// It replaced an earlier one of the same day.
    Replaced,
    /// The tier was held already.
    Unchanged,
    /// A later decision stands: the past is not rewritten.
    InThePast,
}

const SELECT: &str = "SELECT a.id, a.partner_id, a.ladder, a.region_key, a.tier, a.from_on, a.until_on, a.cause, a.review_id, a.version_id, a.reviewed_tier \
    FROM tier_assignment a";

fn assignment_of(row: &sea_orm::QueryResult) -> Result<StoredAssignment, StoreError> {
    let row = Row::new(row, "tier_assignment");
    Ok(StoredAssignment {
        id: row.get(0)?,
        partner_id: row.get(1)?,
        ladder: row.get(2)?,
        region: region_of_key(row.get(3)?),
        tier: row.get(4)?,
        from: row.date(5)?,
        until: row.maybe_date(6)?,
        cause: row.text_enum(7)?,
        review_id: row.get(8)?,
        version_id: row.get(9)?,
        reviewed_tier: row.get(10)?,
    })
}

pub(crate) const COLUMNS: [Column; 13] = [
    ("id", Kind::Uuid),
    ("program_id", Kind::Uuid),
    ("partner_id", Kind::Uuid),
    ("ladder", Kind::Text),
    ("region_key", Kind::Text),
    ("tier", Kind::Text),
    ("from_on", Kind::Date),
    ("until_on", Kind::Date),
    ("cause", Kind::Text),
    ("review_id", Kind::Uuid),
    ("version_id", Kind::Uuid),
    ("recorded_at", Kind::Time),
    ("reviewed_tier", Kind::Text),
];

type Key = (PartnerId, String, String);

impl ReadTx {
    /// The tier history of partners in a program, by ladder, region and date.
    pub async fn assignments_many(
        &self,
        scope: &Scope,
        program: ProgramId,
        partners: &[PartnerId],
    ) -> Result<BTreeMap<PartnerId, Vec<StoredAssignment>>, StoreError> {
        self.assignments_where(scope, program, partners, |_| "TRUE".to_owned()).await
    }

    /// The tiers that partners hold on `date`, one per ladder and region.
    pub async fn assignments_on_many(
        &self,
        scope: &Scope,
        program: ProgramId,
        partners: &[PartnerId],
        date: Date,
    ) -> Result<BTreeMap<PartnerId, Vec<StoredAssignment>>, StoreError> {
        self.assignments_where(scope, program, partners, |parameters| {
            let at = parameters.add(date.naive());
            format!("a.from_on <= {at} AND (a.until_on IS NULL OR a.until_on > {at})")
        })
        .await
    }

    async fn assignments_where(
        &self,
        scope: &Scope,
        program: ProgramId,
        partners: &[PartnerId],
        condition: impl Fn(&mut Parameters) -> String,
    ) -> Result<BTreeMap<PartnerId, Vec<StoredAssignment>>, StoreError> {
        let mut parameters = Parameters(vec![uuids(self.backend(), partners), program.into()]);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let condition = condition(&mut parameters);
        let sql = format!(
            "{SELECT} JOIN partner p ON p.id = a.partner_id WHERE {} AND a.program_id = $2 AND {within} AND {condition} \
             ORDER BY a.partner_id, a.ladder, a.region_key, a.from_on",
            is_one_of_uuids(self.backend(), "a.partner_id", 1)
        );
        let mut assignments: BTreeMap<PartnerId, Vec<StoredAssignment>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let assignment = assignment_of(&row)?;
            assignments.entry(assignment.partner_id).or_default().push(assignment);
        }
        Ok(assignments)
    }

    /// How many partners in scope hold each tier of a ladder on `date`: by region of the partner and tier.
    pub async fn count_tiers(
        &self,
        scope: &Scope,
        program: ProgramId,
        ladder: &str,
        date: Date,
    ) -> Result<Vec<(Option<String>, Option<String>, i64)>, StoreError> {
        let mut parameters = Parameters(vec![program.into(), ladder.into(), date.naive().into()]);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT p.region, a.tier, COUNT(*) FROM tier_assignment a JOIN partner p ON p.id = a.partner_id WHERE a.program_id = $1 AND a.ladder = $2 \
             AND a.from_on <= $3 AND (a.until_on IS NULL OR a.until_on > $3) AND {within} GROUP BY p.region, a.tier ORDER BY p.region, a.tier"
        );
        let rows = self.all(sql, parameters.0).await?;
        rows.iter().map(|row| Row::new(row, "tier_assignment")).map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
    }
}

impl ReadTx {
    /// How many partners in scope hold each tier of a program on `date`, by ladder and tier: those on record, and those of approved
    /// overrides that hold on it or will.
    pub async fn count_held_tiers(&self, scope: &Scope, program: ProgramId, date: Date) -> Result<Vec<(String, String, i64)>, StoreError> {
        let mut parameters = Parameters(vec![program.into(), date.naive().into()]);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT held.ladder, held.tier, COUNT(DISTINCT held.partner_id) FROM (\
             SELECT partner_id, ladder, tier FROM tier_assignment WHERE program_id = $1 AND from_on <= $2 AND (until_on IS NULL OR until_on > $2) UNION ALL \
             SELECT partner_id, ladder, tier FROM tier_override WHERE program_id = $1 AND state = 'APPROVED' AND until_on > $2) AS held \
             JOIN partner p ON p.id = held.partner_id WHERE held.tier IS NOT NULL AND {within} GROUP BY held.ladder, held.tier ORDER BY held.ladder, held.tier"
        );
        let rows = self.all(sql, parameters.0).await?;
        rows.iter().map(|row| Row::new(row, "tier_assignment")).map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
    }
}

/// What is done to the rows of one key.
#[derive(Default)]
struct Moves {
    close: BTreeMap<Date, Vec<Uuid>>,
    reopen: Vec<Uuid>,
    remove: Vec<Uuid>,
    insert: Vec<Vec<Value>>,
}

impl WriteTx {
    /// Puts decisions on record, at most one per partner, ladder and region in one call. Answers what became of each, in order.
    /// Partners are locked, so that two reviews do not cross.
    pub async fn record_assignments(&self, program: ProgramId, decisions: &[NewAssignment]) -> Result<Vec<AssignmentOutcome>, StoreError> {
        let partners: BTreeSet<PartnerId> = decisions.iter().map(|decision| decision.partner).collect();
        let partners: Vec<PartnerId> = partners.into_iter().collect();
        let mut latest = self.latest_assignments(program, &partners).await?;
        let mut moves = Moves::default();
        let mut outcomes = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let key = (decision.partner, decision.ladder.clone(), region_key(decision.region.as_deref()));
            // Taken out: a second decision for the same key in one call would not see the first.
            let history = latest.remove(&key).unwrap_or_default();
            outcomes.push(self.decide(program, decision, &history, &mut moves));
        }
        self.make_moves(moves).await?;
        Ok(outcomes)
    }

    /// The last two assignments of each key, newest first.
    async fn latest_assignments(&self, program: ProgramId, partners: &[PartnerId]) -> Result<BTreeMap<Key, Vec<StoredAssignment>>, StoreError> {
        let condition = is_one_of_uuids(self.backend(), "p.id", 1);
        if !for_update(self.backend()).is_empty() {
            let lock = format!("SELECT p.id FROM partner p WHERE {condition} ORDER BY p.code FOR NO KEY UPDATE");
            self.all(lock, vec![uuids(self.backend(), partners)]).await?;
        }
        let mut latest: BTreeMap<Key, Vec<StoredAssignment>> = BTreeMap::new();
        for assignment in self.assignments_many(&Scope::All, program, partners).await?.into_values().flatten() {
            let key = (assignment.partner_id, assignment.ladder.clone(), region_key(assignment.region.as_deref()));
            let kept = latest.entry(key).or_default();
            kept.insert(0, assignment);
            kept.truncate(2);
        }
        Ok(latest)
    }

    fn decide(&self, program: ProgramId, decision: &NewAssignment, history: &[StoredAssignment], moves: &mut Moves) -> AssignmentOutcome {
        let Some(held) = history.first() else {
            moves.insert.push(self.row(program, decision, decision.reviewed.clone()));
            return AssignmentOutcome::Recorded;
        };
        let latest_change = held.until.unwrap_or(held.from).max(held.from);
        if latest_change > decision.on {
            return AssignmentOutcome::InThePast;
        }
        if held.until.is_none() && held.is_as(decision) {
            return AssignmentOutcome::Unchanged;
        }
        if held.from == decision.on {
            moves.remove.push(held.id);
            let before = history.get(1).filter(|before| before.until == Some(decision.on) && before.is_as(decision));
            if let Some(before) = before {
                // Back to what it was before the first decision of the day.
                moves.reopen.push(before.id);
                return AssignmentOutcome::Replaced;
            }
            if decision.cause == AssignmentCause::Override {
                // The override's end goes back to what the review of this day gave.
                let of_review = (held.cause != AssignmentCause::Override).then(|| held.tier.clone().unwrap_or_default());
                let reviewed = decision.reviewed.clone().or(of_review).or_else(|| held.reviewed_tier.clone());
                moves.insert.push(self.row(program, decision, reviewed));
                return AssignmentOutcome::Replaced;
            }
            moves.insert.push(self.row(program, decision, None));
            return AssignmentOutcome::Replaced;
        }
        if held.until.is_none() {
            moves.close.entry(decision.on).or_default().push(held.id);
        }
        moves.insert.push(self.row(program, decision, decision.reviewed.clone()));
        AssignmentOutcome::Recorded
    }

    fn row(&self, program: ProgramId, decision: &NewAssignment, reviewed: Option<String>) -> Vec<Value> {
        vec![
            self.new_id().into(),
            program.into(),
            decision.partner.into(),
            decision.ladder.clone().into(),
            region_key(decision.region.as_deref()).into(),
            decision.tier.clone().into(),
            decision.on.naive().into(),
            Value::ChronoDate(None),
            decision.cause.text().into(),
            decision.review.into(),
            decision.version.into(),
            self.now().into(),
            reviewed.into(),
        ]
    }

    async fn make_moves(&self, moves: Moves) -> Result<(), StoreError> {
        let of_ids = is_one_of_uuids(self.backend(), "id", 1);
        if !moves.remove.is_empty() {
            self.execute(format!("DELETE FROM tier_assignment WHERE {of_ids}"), vec![uuids(self.backend(), &moves.remove)]).await?;
        }
        if !moves.reopen.is_empty() {
            self.execute(format!("UPDATE tier_assignment SET until_on = NULL WHERE {of_ids}"), vec![uuids(self.backend(), &moves.reopen)]).await?;
        }
        for (until, ids) in moves.close {
            let sql = format!("UPDATE tier_assignment SET until_on = $2 WHERE {of_ids} AND until_on IS NULL");
            self.execute(sql, vec![uuids(self.backend(), &ids), until.naive().into()]).await?;
        }
        if !moves.insert.is_empty() {
            bulk::insert(self, "tier_assignment", &COLUMNS, moves.insert, "").await?;
        }
        Ok(())
    }
}
