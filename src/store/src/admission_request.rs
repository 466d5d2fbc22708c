//! Applications, invitations and approvals on their way to an admission: opened by one side, answered by another person.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::date::{Date, Span};
use guerdon_domain::facts::{AdmissionKind, TierAdmission};
use sea_orm::{EntityTrait, IntoActiveModel, QueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::bulk::{self, Column, Kind};
use crate::convert::{Row, TextEnum, region_key, region_of_key, text_enum};
use crate::entity::admission_request;
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::term::NewAdmission;
use crate::tier_override::Decided;
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId};

/// Where a request is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AdmissionState {
    /// It waits for an answer.
    Open,
    /// It was accepted: the partner may enter the tier.
    Accepted,
    /// It was refused or declined.
    Rejected,
    /// Whoever opened it took it back.
    Withdrawn,
    /// Nobody answered in time.
    Expired,
    /// It was accepted, and lets the partner in no more: somebody ended it.
    Ended,
}

text_enum!(AdmissionState { Open = "OPEN", Accepted = "ACCEPTED", Rejected = "REJECTED", Withdrawn = "WITHDRAWN", Expired = "EXPIRED", Ended = "ENDED" });

/// A request to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdmissionRequest {
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
    /// Application, invitation or approval.
    pub kind: AdmissionKind,
    /// The day.
    pub opened_on: Date,
    /// The first day on which it can be answered no more.
    pub answer_until: Option<Date>,
    /// What was written with it.
    pub text: Option<String>,
    /// Where the evidence is.
    pub evidence: Option<String>,
}

/// A request on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAdmissionRequest {
    /// Its id.
    pub id: Uuid,
    /// The program.
    pub program_id: ProgramId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The ladder.
    pub ladder: String,
    /// The region, where the ladder's scope is the partner in a region.
    pub region: Option<String>,
    /// The tier.
    pub tier: String,
    /// Application, invitation or approval.
    pub kind: AdmissionKind,
    /// Where it is on its way; one that nobody answered in time may still be [`AdmissionState::Open`] here.
    pub state: AdmissionState,
    /// The day on which it was opened.
    pub opened_on: Date,
    /// The first day on which it can be answered no more.
    pub answer_until: Option<Date>,
    /// What was written with it.
    pub text: Option<String>,
    /// Where the evidence is.
    pub evidence: Option<String>,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Who answered, or took it back.
    pub decided: Option<Decided>,
    /// The first day on which it lets the partner in, once it was accepted.
    pub admitted_from: Option<Date>,
    /// The first day on which it lets the partner in no more, where somebody ended it.
    pub ended_on: Option<Date>,
    /// Who ended it.
    pub ended: Option<Decided>,
    /// Counts its changes.
    pub row_version: i64,
}

impl StoredAdmissionRequest {
    /// Where it is on its way on a day: one that nobody answered in time is expired, one that somebody ended is over from that day on.
    pub fn state_on(&self, day: Date) -> AdmissionState {
        let reached = |from: Option<Date>| from.is_some_and(|from| day >= from);
        match self.state {
            AdmissionState::Open if reached(self.answer_until) => AdmissionState::Expired,
            AdmissionState::Accepted if reached(self.ended_on) => AdmissionState::Ended,
            state => state,
        }
    }
}

/// How far each kind may be seen; a kind that is left out is not seen at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdmissionReach(pub Vec<(AdmissionKind, Scope)>);

impl AdmissionReach {
    /// Every kind within one scope.
    pub fn all(scope: &Scope) -> Self {
        let kinds = [AdmissionKind::Invitation, AdmissionKind::Application, AdmissionKind::Approval];
        Self(kinds.into_iter().map(|kind| (kind, scope.clone())).collect())
    }

    fn condition(&self, tx: &ReadTx, parameters: &mut Parameters) -> String {
        let each: Vec<String> = self
            .0
            .iter()
            .map(|(kind, scope)| {
                let at = parameters.add(kind.text());
                format!("(e.kind = {at} AND {})", within(tx.backend(), "p", scope, parameters))
            })
            .collect();
        if each.is_empty() { "FALSE".to_owned() } else { format!("({})", each.join(" OR ")) }
    }
}

/// Which requests. What is left out does not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdmissionFilter {
    /// Of this program.
    pub program: Option<ProgramId>,
    /// Of this partner.
    pub partner: Option<PartnerId>,
    /// In this ladder.
    pub ladder: Option<String>,
    /// To any of these tiers.
    pub tiers: Vec<String>,
    /// Of any of these kinds.
    pub kinds: Vec<AdmissionKind>,
    /// In any of these states, as of a day.
    pub states: Vec<AdmissionState>,
    /// Of partners in any of these regions; expanded by whoever asks.
    pub regions: Vec<String>,
}

const SELECT: &str = "SELECT e.id, e.program_id, e.partner_id, e.ladder, e.region_key, e.tier, e.kind, e.state, e.opened_on, e.answer_until, e.text, \
    e.evidence, e.opened_by, e.opened_at, e.decided_by, e.decided_at, e.decision_reason, e.row_version, \
    e.ended_on, e.ended_by, e.ended_at, e.end_reason, (SELECT a.from_on FROM tier_admission a WHERE a.id = e.admission_id) FROM admission_request e JOIN partner p ON p.id = e.partner_id";

fn request_of(row: &QueryResult) -> Result<StoredAdmissionRequest, StoreError> {
    let row = Row::new(row, "admission_request");
    let (by, at): (Option<String>, Option<DateTime<Utc>>) = (row.get(14)?, row.get(15)?);
    let reason: Option<String> = row.get(16)?;
    let (ended_by, ended_at): (Option<String>, Option<DateTime<Utc>>) = (row.get(19)?, row.get(20)?);
    let end_reason: Option<String> = row.get(21)?;
    Ok(StoredAdmissionRequest {
        id: row.get(0)?,
        program_id: row.get(1)?,
        partner_id: row.get(2)?,
        ladder: row.get(3)?,
        region: region_of_key(row.get(4)?),
        tier: row.get(5)?,
        kind: row.text_enum(6)?,
        state: row.text_enum(7)?,
        opened_on: row.date(8)?,
        answer_until: row.maybe_date(9)?,
        text: row.get(10)?,
        evidence: row.get(11)?,
        opened_by: row.get(12)?,
        opened_at: row.get(13)?,
        decided: by.zip(at).map(|(by, at)| Decided { by, at, reason }),
        row_version: row.get(17)?,
        admitted_from: row.maybe_date(22)?,
        ended_on: row.maybe_date(18)?,
        ended: ended_by.zip(ended_at).map(|(by, at)| Decided { by, at, reason: end_reason }),
    })
}

/// The columns of a request that an evaluation opens.
const EVALUATED: [Column; 13] = [
    ("id", Kind::Uuid),
    ("program_id", Kind::Uuid),
    ("partner_id", Kind::Uuid),
    ("ladder", Kind::Text),
    ("region_key", Kind::Text),
    ("tier", Kind::Text),
    ("kind", Kind::Text),
    ("state", Kind::Text),
    ("origin", Kind::Text),
    ("opened_on", Kind::Date),
    ("opened_by", Kind::Text),
    ("opened_at", Kind::Time),
    ("row_version", Kind::Int),
];

impl ReadTx {
    /// Requests by id.
    pub async fn admission_requests_by_id_many(&self, reach: &AdmissionReach, ids: &[Uuid]) -> Result<BTreeMap<Uuid, StoredAdmissionRequest>, StoreError> {
        let found = self.admission_requests_where(reach, &is_one_of_uuids(self.backend(), "e.id", 1), vec![uuids(self.backend(), ids)]).await?;
        Ok(found.into_iter().map(|one| (one.id, one)).collect())
    }

    /// The request, if it is there and its partner in scope.
    pub async fn find_admission_request(&self, reach: &AdmissionReach, id: Uuid) -> Result<Option<StoredAdmissionRequest>, StoreError> {
        Ok(self.admission_requests_by_id_many(reach, &[id]).await?.remove(&id))
    }

    /// The requests of partners, newest first; of one program where it is named.
    pub async fn admission_requests_many(
        &self,
        reach: &AdmissionReach,
        program: Option<ProgramId>,
        partners: &[PartnerId],
    ) -> Result<BTreeMap<PartnerId, Vec<StoredAdmissionRequest>>, StoreError> {
        let mut parameters = vec![uuids(self.backend(), partners)];
        let of_program = if let Some(program) = program {
            parameters.push(program.into());
            " AND e.program_id = $2"
        } else {
            ""
        };
        let condition = format!("{}{of_program}", is_one_of_uuids(self.backend(), "e.partner_id", 1));
        let mut requests: BTreeMap<PartnerId, Vec<StoredAdmissionRequest>> = BTreeMap::new();
        for one in self.admission_requests_where(reach, &condition, parameters).await? {
            requests.entry(one.partner_id).or_default().push(one);
        }
        Ok(requests)
    }

    async fn admission_requests_where(
        &self,
        reach: &AdmissionReach,
        condition: &str,
        parameters: Vec<sea_orm::Value>,
    ) -> Result<Vec<StoredAdmissionRequest>, StoreError> {
        let mut parameters = Parameters(parameters);
        let within = reach.condition(self, &mut parameters);
        let sql = format!("{SELECT} WHERE {condition} AND {within} ORDER BY e.id DESC");
        self.all(sql, parameters.0).await?.iter().map(request_of).collect()
    }

    /// One page of the requests in scope that the filter takes, newest first. States are those of `today`.
    pub async fn list_admission_requests(
        &self,
        reach: &AdmissionReach,
        filter: &AdmissionFilter,
        today: Date,
        page: &PageRequest,
    ) -> Result<Page<StoredAdmissionRequest>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = vec![reach.condition(self, &mut parameters)];
        self.request_conditions(filter, today, &mut parameters, &mut conditions);
        page.newest_first("e.id", &mut parameters, &mut conditions)?;
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!("{SELECT} WHERE {} ORDER BY e.id {direction} LIMIT {}", conditions.join(" AND "), page.limit());
        let rows: Result<Vec<_>, StoreError> = self.all(sql, parameters.0).await?.iter().map(request_of).collect();
        Ok(Page::cut(page, rows?.into_iter().map(|one| (Cursor::of_id(one.id), one)).collect()))
    }

    fn request_conditions(&self, filter: &AdmissionFilter, today: Date, parameters: &mut Parameters, conditions: &mut Vec<String>) {
        for (column, id) in [("e.program_id", filter.program), ("e.partner_id", filter.partner)] {
            conditions.extend(id.map(|id| format!("{column} = {}", parameters.add(id))));
        }
        conditions.extend(filter.ladder.clone().map(|ladder| format!("e.ladder = {}", parameters.add(ladder))));
        let kinds: Vec<&str> = filter.kinds.iter().map(TextEnum::text).collect();
        let tiers: Vec<&str> = filter.tiers.iter().map(String::as_str).collect();
        let regions: Vec<&str> = filter.regions.iter().map(String::as_str).collect();
        for (column, list) in [("e.kind", kinds), ("e.tier", tiers), ("p.region", regions)] {
            if !list.is_empty() {
                let number = parameters.number(texts(self.backend(), list));
                conditions.push(is_one_of_texts(self.backend(), column, number));
            }
        }
        if !filter.states.is_empty() {
            let at = parameters.add(today.naive());
            let state = format!(
                "CASE WHEN e.state = 'OPEN' AND e.answer_until <= {at} THEN 'EXPIRED' WHEN e.state = 'ACCEPTED' AND e.ended_on <= {at} THEN 'ENDED' \
                 ELSE e.state END"
            );
            let number = parameters.number(texts(self.backend(), filter.states.iter().map(TextEnum::text)));
            conditions.push(is_one_of_texts(self.backend(), &state, number));
        }
    }
}

impl WriteTx {
    /// Opens a request, as the person that writes. Those of the same kind that nobody answered in time are closed first.
    /// `admission_request_open_key` when one is open.
    pub async fn open_admission_request(&self, new: &NewAdmissionRequest) -> Result<Uuid, StoreError> {
        let key = region_key(new.region.as_deref());
        let expire = "UPDATE admission_request SET state = 'EXPIRED', row_version = row_version + 1 WHERE partner_id = $1 AND program_id = $2 AND ladder = $3 \
            AND region_key = $4 AND tier = $5 AND kind = $6 AND state = 'OPEN' AND answer_until <= $7";
        let values = vec![
            new.partner.into(),
            new.program.into(),
            new.ladder.clone().into(),
            key.clone().into(),
            new.tier.clone().into(),
            new.kind.text().into(),
            new.opened_on.naive().into(),
        ];
        self.execute(expire, values).await?;
        let row = admission_request::Model {
            id: self.new_id(),
            program_id: new.program,
            partner_id: new.partner,
            ladder: new.ladder.clone(),
            region_key: key,
            tier: new.tier.clone(),
            kind: new.kind.text().to_owned(),
            state: AdmissionState::Open.text().to_owned(),
            origin: "PERSON".to_owned(),
            opened_on: new.opened_on.naive(),
            answer_until: new.answer_until.map(Date::naive),
            text: new.text.clone(),
            evidence: new.evidence.clone(),
            opened_by: self.context().actor.clone(),
            opened_at: self.now(),
            decided_by: None,
            decided_at: None,
            decision_reason: None,
            admission_id: None,
            ended_on: None,
            ended_by: None,
            ended_at: None,
            end_reason: None,
            row_version: 1,
        };
        let id = row.id;
        let insert = admission_request::Entity::insert(row.into_active_model()).exec_without_returning(&self.tx).await;
        insert.map(|_| id).map_err(|error| self.fault(error))
    }

    /// Keeps the approvals that evaluations open in step with what an evaluation found: `wanted` are the tiers of the judged partners
    /// that are met and await an approval. Answers those that are opened; what is no longer met is taken back. Two statements, and
    /// one more for each of opening and taking back.
    pub async fn follow_approvals(
        &self,
        program: ProgramId,
        judged: &[PartnerId],
        wanted: &[NewAdmissionRequest],
    ) -> Result<Vec<(Uuid, NewAdmissionRequest)>, StoreError> {
        type Place = (PartnerId, String, String, String);
        let place = |one: &NewAdmissionRequest| -> Place { (one.partner, one.ladder.clone(), region_key(one.region.as_deref()), one.tier.clone()) };
        let of_judged = is_one_of_uuids(self.backend(), "partner_id", 1);
        let sql = format!(
            "SELECT partner_id, ladder, region_key, tier, id, origin FROM admission_request WHERE {of_judged} AND program_id = $2 AND kind = 'APPROVAL' \
             AND state = 'OPEN'"
        );
        let mut open: BTreeMap<Place, (Uuid, bool)> = BTreeMap::new();
        for row in self.all(sql, vec![uuids(self.backend(), judged), program.into()]).await? {
            let row = Row::new(&row, "admission_request");
            open.insert((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?), (row.get(4)?, row.text(5)? == "EVALUATION"));
        }
        let unknown = wanted.iter().filter(|one| open.remove(&place(one)).is_none());
        let new: Vec<(Uuid, NewAdmissionRequest)> = unknown.map(|one| (self.new_id(), one.clone())).collect();
        let lapsed: Vec<Uuid> = open.into_values().filter(|(_, by_evaluation)| *by_evaluation).map(|(id, _)| id).collect();
        if !lapsed.is_empty() {
            let sql = format!(
                "UPDATE admission_request SET state = 'WITHDRAWN', decided_by = $2, decided_at = $3, decision_reason = $4, row_version = row_version + 1 \
                 WHERE {} AND state = 'OPEN'",
                is_one_of_uuids(self.backend(), "id", 1)
            );
            let reason = "the tier is held, or no longer met";
            self.execute(sql, vec![uuids(self.backend(), &lapsed), self.context().actor.clone().into(), self.now().into(), reason.into()]).await?;
        }
        let rows: Vec<Vec<sea_orm::Value>> = new.iter().map(|(id, one)| self.evaluated_row(*id, one)).collect();
        if !rows.is_empty() {
            bulk::insert(self, "admission_request", &EVALUATED, rows, "ON CONFLICT DO NOTHING").await?;
        }
        Ok(new)
    }

    fn evaluated_row(&self, id: Uuid, one: &NewAdmissionRequest) -> Vec<sea_orm::Value> {
        vec![
            id.into(),
            one.program.into(),
            one.partner.into(),
            one.ladder.clone().into(),
            region_key(one.region.as_deref()).into(),
            one.tier.clone().into(),
            one.kind.text().into(),
            AdmissionState::Open.text().into(),
            "EVALUATION".into(),
            one.opened_on.naive().into(),
            self.context().actor.clone().into(),
            self.now().into(),
            1_i64.into(),
        ]
    }

    /// Accepts an open request, as the person that writes: from `today` on the partner may enter the tier. [`StoreError::Stale`] when it
    /// is open no more or its time is over; `admission_request_four_eyes` when that person opened it.
    pub async fn accept_admission_request(&self, request: &StoredAdmissionRequest, today: Date, reason: Option<&str>) -> Result<(), StoreError> {
        self.lock_partner(request.partner_id).await?;
        let fact = TierAdmission {
            ladder: request.ladder.clone(),
            region: request.region.clone(),
            tier: request.tier.clone(),
            kind: request.kind,
            span: Span::new(today, Date::MAX),
        };
        let admission = self.insert_admission(&NewAdmission { program: request.program_id, partner: request.partner_id, fact }).await?;
        self.close_admission_request(request, AdmissionState::Accepted, Some(admission), today, reason).await
    }

    /// Closes an open request without admitting. [`StoreError::Stale`] when it is open no more or its time is over.
    pub async fn refuse_admission_request(
        &self,
        request: &StoredAdmissionRequest,
        state: AdmissionState,
        today: Date,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        self.close_admission_request(request, state, None, today, reason).await
    }

    /// Ends an accepted one, as the person that writes: from `on` on it lets the partner in no more. [`StoreError::Stale`] when it was changed
    /// since, or ends by then anyway.
    pub async fn end_admission(&self, request: &StoredAdmissionRequest, on: Date, reason: &str) -> Result<(), StoreError> {
        let sql = "UPDATE admission_request SET ended_on = $1, ended_by = $2, ended_at = $3, end_reason = $4, row_version = row_version + 1 \
            WHERE id = $5 AND row_version = $6 AND state = 'ACCEPTED'";
        let (by, at) = (self.context().actor.clone(), self.now());
        let values = vec![on.naive().into(), by.into(), at.into(), reason.into(), request.id.into(), request.row_version.into()];
        self.execute_one(sql, values).await?;
        let sql = "UPDATE tier_admission SET until_on = $1, row_version = row_version + 1 \
            WHERE id = (SELECT admission_id FROM admission_request WHERE id = $2) AND until_on > $1 AND from_on < $1";
        self.execute_one(sql, vec![on.naive().into(), request.id.into()]).await
    }

    async fn close_admission_request(
        &self,
        request: &StoredAdmissionRequest,
        state: AdmissionState,
        admission: Option<Uuid>,
        today: Date,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE admission_request SET state = $1, admission_id = $2, decided_by = $3, decided_at = $4, decision_reason = $5, row_version = row_version + 1 \
            WHERE id = $6 AND row_version = $7 AND state = 'OPEN' AND (answer_until IS NULL OR answer_until > $8)";
        let values = vec![
            state.text().into(),
            admission.into(),
            self.context().actor.clone().into(),
            self.now().into(),
            reason.map(str::to_owned).into(),
            request.id.into(),
            request.row_version.into(),
            today.naive().into(),
        ];
        self.execute_one(sql, values).await
    }
}
