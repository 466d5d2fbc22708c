//! Overrides on their way: proposed by one person, decided by another, perhaps ended early. Only approved ones come with the facts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::{OverrideKind, TierOverride};
use sea_orm::{EntityTrait, IntoActiveModel, QueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{Row, TextEnum, region_key, region_of_key, text_enum};
use crate::entity::tier_override;
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId};

/// What an override rests on: a status that the partner has elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusMatch {
    /// In which program of whom.
    pub program: String,
    /// Which status.
    pub status: String,
    /// Where that can be seen.
    pub evidence: Option<String>,
}

/// An override for a partner. One that somebody proposed and nobody approved has no effect yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOverride {
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// The override.
    pub fact: TierOverride,
    /// The status elsewhere that it rests on.
    pub status_match: Option<StatusMatch>,
}

/// Where an override is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OverrideState {
    /// It waits for another person; no effect yet.
    Proposed,
    /// It holds on its days.
    Approved,
    /// Another person refused it.
    Rejected,
    /// It was taken back before it held.
    Withdrawn,
}

text_enum!(OverrideState { Proposed = "PROPOSED", Approved = "APPROVED", Rejected = "REJECTED", Withdrawn = "WITHDRAWN" });

/// Who decided, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// An override on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOverride {
    /// Its id.
    pub id: Uuid,
    /// The program.
    pub program_id: ProgramId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The override.
    pub fact: TierOverride,
    /// Where it is on its way.
    pub state: OverrideState,
    /// The status elsewhere that it rests on.
    pub status_match: Option<StatusMatch>,
    /// When it was proposed.
    pub created_at: DateTime<Utc>,
    /// Who approved, rejected or withdrew it.
    pub decided: Option<Decided>,
    /// Who ended it early.
    pub ended: Option<Decided>,
    /// The end that was planned, where it was ended early.
    pub planned_until: Option<Date>,
    /// Counts its changes.
    pub row_version: i64,
}

/// Which overrides. What is left out does not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OverrideFilter {
    /// Of this program.
    pub program: Option<ProgramId>,
    /// Of this partner.
    pub partner: Option<PartnerId>,
    /// In this ladder.
    pub ladder: Option<String>,
    /// Of any of these kinds.
    pub kinds: Vec<OverrideKind>,
    /// In any of these states.
    pub states: Vec<OverrideState>,
    /// Of partners in any of these regions; expanded by whoever asks.
    pub regions: Vec<String>,
    /// Whose days hold this one.
    pub holding_on: Option<Date>,
}

/// How an override is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideDecision {
    /// Into which state.
    pub state: OverrideState,
    /// Why.
    pub reason: Option<String>,
    /// An approval takes effect on this day at the earliest.
    pub not_before: Date,
    /// The row version that the caller has seen.
    pub expected: i64,
}

const SELECT: &str = "SELECT o.id, o.program_id, o.partner_id, o.ladder, o.region_key, o.kind, o.tier, o.from_on, o.until_on, o.reason, o.proposed_by, \
    o.approved_by, o.state, o.match_program, o.match_status, o.match_evidence, o.created_at, o.decided_by, o.decided_at, o.decision_reason, o.ended_by, \
    o.ended_at, o.end_reason, o.planned_until, o.row_version FROM tier_override o JOIN partner p ON p.id = o.partner_id";

fn decided(row: &Row<'_>, at: usize) -> Result<Option<Decided>, StoreError> {
    let (by, when): (Option<String>, Option<DateTime<Utc>>) = (row.get(at)?, row.get(at + 1)?);
    Ok(match (by, when) {
        (Some(by), Some(when)) => Some(Decided { by, at: when, reason: row.get(at + 2)? }),
        _ => None,
    })
}

fn override_of(row: &QueryResult) -> Result<StoredOverride, StoreError> {
    let row = Row::new(row, "tier_override");
    let status_match = match (row.maybe_text(13)?, row.maybe_text(14)?) {
        (Some(program), Some(status)) => Some(StatusMatch { program, status, evidence: row.get(15)? }),
        _ => None,
    };
    Ok(StoredOverride {
        id: row.get(0)?,
        program_id: row.get(1)?,
        partner_id: row.get(2)?,
        fact: TierOverride {
            ladder: row.get(3)?,
            region: region_of_key(row.get(4)?),
            kind: row.text_enum(5)?,
            tier: row.get(6)?,
            span: row.span(7)?,
            reason: row.get(9)?,
            proposed_by: row.get(10)?,
            approved_by: row.get(11)?,
        },
        state: row.text_enum(12)?,
        status_match,
        created_at: row.get(16)?,
        decided: decided(&row, 17)?,
        ended: decided(&row, 20)?,
        planned_until: row.maybe_date(23)?,
        row_version: row.get(24)?,
    })
}

impl ReadTx {
    /// Overrides by id.
    pub async fn overrides_by_id_many(&self, scope: &Scope, ids: &[Uuid]) -> Result<BTreeMap<Uuid, StoredOverride>, StoreError> {
        let found = self.overrides_where(scope, &is_one_of_uuids(self.backend(), "o.id", 1), vec![uuids(self.backend(), ids)]).await?;
        Ok(found.into_iter().map(|one| (one.id, one)).collect())
    }

    /// The override, if it is there and its partner in scope.
    pub async fn find_override(&self, scope: &Scope, id: Uuid) -> Result<Option<StoredOverride>, StoreError> {
        Ok(self.overrides_by_id_many(scope, &[id]).await?.remove(&id))
    }

    /// The overrides of partners, in whatever state, newest first; of one program where it is named.
    pub async fn overrides_many(
        &self,
        scope: &Scope,
        program: Option<ProgramId>,
        partners: &[PartnerId],
    ) -> Result<BTreeMap<PartnerId, Vec<StoredOverride>>, StoreError> {
        let mut parameters = vec![uuids(self.backend(), partners)];
        let of_program = if let Some(program) = program {
            parameters.push(program.into());
            " AND o.program_id = $2"
        } else {
            ""
        };
        let condition = format!("{}{of_program}", is_one_of_uuids(self.backend(), "o.partner_id", 1));
        let mut overrides: BTreeMap<PartnerId, Vec<StoredOverride>> = BTreeMap::new();
        for one in self.overrides_where(scope, &condition, parameters).await? {
            overrides.entry(one.partner_id).or_default().push(one);
        }
        Ok(overrides)
    }

    async fn overrides_where(&self, scope: &Scope, condition: &str, parameters: Vec<sea_orm::Value>) -> Result<Vec<StoredOverride>, StoreError> {
        let mut parameters = Parameters(parameters);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!("{SELECT} WHERE {condition} AND {within} ORDER BY o.id DESC");
        self.all(sql, parameters.0).await?.iter().map(override_of).collect()
    }

    /// One page of the overrides in scope that the filter takes, newest first.
    pub async fn list_overrides(&self, scope: &Scope, filter: &OverrideFilter, page: &PageRequest) -> Result<Page<StoredOverride>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = vec![within(self.backend(), "p", scope, &mut parameters)];
        self.override_conditions(filter, &mut parameters, &mut conditions);
        page.newest_first("o.id", &mut parameters, &mut conditions)?;
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!("{SELECT} WHERE {} ORDER BY o.id {direction} LIMIT {}", conditions.join(" AND "), page.limit());
        let rows: Result<Vec<_>, StoreError> = self.all(sql, parameters.0).await?.iter().map(override_of).collect();
        Ok(Page::cut(page, rows?.into_iter().map(|one| (Cursor::of_id(one.id), one)).collect()))
    }

    fn override_conditions(&self, filter: &OverrideFilter, parameters: &mut Parameters, conditions: &mut Vec<String>) {
        for (column, id) in [("o.program_id", filter.program), ("o.partner_id", filter.partner)] {
            conditions.extend(id.map(|id| format!("{column} = {}", parameters.add(id))));
        }
        conditions.extend(filter.ladder.clone().map(|ladder| format!("o.ladder = {}", parameters.add(ladder))));
        if let Some(day) = filter.holding_on {
            let at = parameters.add(day.naive());
            conditions.push(format!("o.from_on <= {at} AND o.until_on > {at}"));
        }
        let kinds: Vec<&str> = filter.kinds.iter().map(TextEnum::text).collect();
        let states: Vec<&str> = filter.states.iter().map(TextEnum::text).collect();
        let regions: Vec<&str> = filter.regions.iter().map(String::as_str).collect();
        for (column, list) in [("o.kind", kinds), ("o.state", states), ("p.region", regions)] {
            if !list.is_empty() {
                let number = parameters.number(texts(self.backend(), list));
                conditions.push(is_one_of_texts(self.backend(), column, number));
            }
        }
    }
}

impl WriteTx {
    /// Holds a tier against the rules, or proposes to. `tier_override_overlap` when one of the same kind that is proposed or approved
    /// overlaps it (semantics 6); `tier_override_four_eyes` when one person proposed and approved it.
    pub async fn insert_override(&self, new: &NewOverride) -> Result<Uuid, StoreError> {
        self.lock_partner(new.partner).await?;
        let overlap = "SELECT 1 FROM tier_override WHERE partner_id = $1 AND program_id = $2 AND ladder = $3 AND region_key = $4 AND kind = $5 \
            AND from_on < $6 AND until_on > $7 AND state IN ('PROPOSED', 'APPROVED') LIMIT 1";
        let fact = &new.fact;
        let key = region_key(fact.region.as_deref());
        let values = vec![
            new.partner.into(),
            new.program.into(),
            fact.ladder.clone().into(),
            key.clone().into(),
            fact.kind.text().into(),
            fact.span.until.naive().into(),
            fact.span.from.naive().into(),
        ];
        if self.one(overlap, values).await?.is_some() {
            return Err(StoreError::conflict("tier_override_overlap"));
        }
        let state = if fact.in_effect() { OverrideState::Approved } else { OverrideState::Proposed };
        let matched = new.status_match.as_ref();
        let row = tier_override::Model {
            id: self.new_id(),
            program_id: new.program,
            partner_id: new.partner,
            ladder: fact.ladder.clone(),
            region_key: key,
            kind: fact.kind.text().to_owned(),
            tier: fact.tier.clone(),
            from_on: fact.span.from.naive(),
            until_on: fact.span.until.naive(),
            reason: fact.reason.clone(),
            proposed_by: fact.proposed_by.clone(),
            approved_by: fact.approved_by.clone(),
            created_at: self.now(),
            row_version: 1,
            state: state.text().to_owned(),
            decided_by: fact.approved_by.clone(),
            decided_at: fact.approved_by.as_ref().map(|_| self.now()),
            decision_reason: None,
            ended_by: None,
            ended_at: None,
            end_reason: None,
            planned_until: None,
            match_program: matched.map(|matched| matched.program.clone()),
            match_status: matched.map(|matched| matched.status.clone()),
            match_evidence: matched.and_then(|matched| matched.evidence.clone()),
        };
        let id = row.id;
        let insert = tier_override::Entity::insert(row.into_active_model()).exec_without_returning(&self.tx).await;
        insert.map(|_| id).map_err(|error| self.fault(error))
    }

    /// Decides a proposed override, as the person that writes. [`StoreError::Stale`] when it is proposed no more, or was changed;
    /// `tier_override_four_eyes` when he proposed it and approves it; `tier_override_span` when an approval comes after its days.
    pub async fn decide_override(&self, id: Uuid, decision: &OverrideDecision) -> Result<(), StoreError> {
        let approval = decision.state == OverrideState::Approved;
        let sql = "UPDATE tier_override SET state = $1, approved_by = $2, decided_by = $3, decided_at = $4, decision_reason = $5, \
            from_on = CASE WHEN $6 AND from_on < $7 THEN $7 ELSE from_on END, row_version = row_version + 1 \
            WHERE id = $8 AND row_version = $9 AND state = 'PROPOSED'";
        let actor = self.context().actor.clone();
        let values = vec![
            decision.state.text().into(),
            approval.then(|| actor.clone()).into(),
            actor.into(),
            self.now().into(),
            decision.reason.clone().into(),
            approval.into(),
            decision.not_before.naive().into(),
            id.into(),
            decision.expected.into(),
        ];
        self.execute_one(sql, values).await
    }

    /// Ends an override early; `until` is its first day without it.
    pub async fn end_override(&self, id: Uuid, expected: i64, until: Date, reason: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE tier_override SET planned_until = until_on, until_on = $1, ended_by = $2, ended_at = $3, end_reason = $4, \
            row_version = row_version + 1 WHERE id = $5 AND row_version = $6 AND until_on > $1 AND state = 'APPROVED'";
        let values =
            vec![until.naive().into(), self.context().actor.clone().into(), self.now().into(), reason.map(str::to_owned).into(), id.into(), expected.into()];
        self.execute_one(sql, values).await
    }

    /// Takes back an approved override that has not begun before `today`.
    pub async fn revoke_override(&self, id: Uuid, expected: i64, today: Date, reason: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE tier_override SET state = 'WITHDRAWN', ended_by = $1, ended_at = $2, end_reason = $3, row_version = row_version + 1 \
            WHERE id = $4 AND row_version = $5 AND from_on >= $6 AND state = 'APPROVED'";
        let values =
            vec![self.context().actor.clone().into(), self.now().into(), reason.map(str::to_owned).into(), id.into(), expected.into(), today.naive().into()];
        self.execute_one(sql, values).await
    }
}
