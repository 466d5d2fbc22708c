//! Disputes. Finders demand a [`Scope`]; states move by one conditional UPDATE, so that whoever comes second matches no row.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::money::{Currency, Money};
use sea_orm::QueryResult;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::convert::{Row, TextEnum, text_enum};
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId, StatementId};

/// A dispute.
pub type DisputeId = Uuid;

/// How far a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DisputeState {
    /// Nobody has answered yet.
    Open,
    /// Finance has explained the figure; the partner may let it rest.
    Answered,
    /// Accepted: the next run posts the adjustment.
    Accepted,
    /// Rejected.
    Rejected,
    /// The partner has taken it back.
    Withdrawn,
}

text_enum!(DisputeState { Open = "OPEN", Answered = "ANSWERED", Accepted = "ACCEPTED", Rejected = "REJECTED", Withdrawn = "WITHDRAWN" });

impl DisputeState {
    /// As it is written.
    pub fn name(self) -> &'static str {
        self.text()
    }
}

/// What is questioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputeSubject {
    /// The statement as a whole.
    Statement,
    /// One of its lines, by its place, from 0.
    Line(i64),
    /// A sale line that counted, by source and id.
    Sale(String, String),
    /// A sale line that should have counted, by source and id.
    MissingSale(String, String),
}

impl DisputeSubject {
    /// Its kind, as it is stored.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Statement => "STATEMENT",
            Self::Line(_) => "LINE",
            Self::Sale(..) => "SALE",
            Self::MissingSale(..) => "MISSING_SALE",
        }
    }

    /// What tells it apart from others of its statement. A sale that is there and a sale that is missing are one thing.
    fn key(&self) -> String {
        match self {
            Self::Statement => "STATEMENT".to_owned(),
            Self::Line(no) => format!("LINE {no}"),
            Self::Sale(source, id) | Self::MissingSale(source, id) => format!("SALE {}", serde_json::json!([source, id])),
        }
    }

    const fn line(&self) -> Option<i64> {
        if let Self::Line(no) = self { Some(*no) } else { None }
    }

    fn sale(&self) -> Option<(&str, &str)> {
        match self {
            Self::Sale(source, id) | Self::MissingSale(source, id) => Some((source, id)),
            Self::Statement | Self::Line(_) => None,
        }
    }
}

/// A dispute to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDispute {
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// The statement.
    pub statement: StatementId,
    /// What is questioned.
    pub subject: DisputeSubject,
    /// What the partner says that it should be.
    pub claimed: Money,
    /// Why.
    pub reason: String,
}

/// A dispute on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDispute {
    /// Its id.
    pub id: DisputeId,
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// The statement.
    pub statement: StatementId,
    /// What is questioned.
    pub subject: DisputeSubject,
    /// What the partner says that it should be, in minor units.
    pub claimed: i64,
    /// The currency of the statement.
    pub currency: String,
    /// Why.
    pub reason: String,
    /// How far it is.
    pub state: DisputeState,
    /// Who opened it.
    pub opened_by: String,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// What finance says.
    pub answer: Option<String>,
    /// Who answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<DateTime<Utc>>,
    /// The adjustment of an accepted one.
    pub adjustment: Option<Uuid>,
    /// Its amount, in minor units.
    pub adjusted: Option<i64>,
    /// Rises with every change.
    pub row_version: i64,
}

impl StoredDispute {
    /// An amount in the currency of the statement.
    pub fn money(&self, minor: i64) -> Option<Money> {
        Some(Money::new(minor, self.currency.parse::<Currency>().ok()?))
    }
}

/// What finance decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeAnswer {
    /// ANSWERED, ACCEPTED or REJECTED.
    pub state: DisputeState,
    /// What finance says.
    pub text: String,
    /// The adjustment of an accepted one, with its amount in minor units.
    pub adjustment: Option<(Uuid, i64)>,
}

/// Which disputes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct DisputeFilter {
    /// Of this program.
    pub program: Option<ProgramId>,
    /// Of this partner.
    pub partner: Option<PartnerId>,
    /// About this statement.
    pub statement: Option<StatementId>,
    /// In any of these states; in any when empty.
    pub states: Vec<DisputeState>,
}

const COLUMNS: &str = "d.id, d.program_id, d.partner_id, d.statement_id, d.kind, d.line_no, d.source, d.external_id, d.claimed_minor, d.currency, d.reason, \
    d.state, d.opened_by, d.opened_at, d.answer, d.answered_by, d.answered_at, d.adjustment_id, d.adjusted_minor, d.row_version";

fn dispute_of(row: &QueryResult) -> Result<StoredDispute, StoreError> {
    let row = Row::new(row, "dispute");
    let sale = || -> Result<(String, String), StoreError> { Ok((row.text(6)?, row.text(7)?)) };
    let subject = match row.text(4)?.as_str() {
        "STATEMENT" => DisputeSubject::Statement,
        "LINE" => DisputeSubject::Line(row.get(5)?),
        "SALE" => sale().map(|(source, id)| DisputeSubject::Sale(source, id))?,
        "MISSING_SALE" => sale().map(|(source, id)| DisputeSubject::MissingSale(source, id))?,
        other => return Err(StoreError::corrupt("dispute", other.to_owned())),
    };
    Ok(StoredDispute {
        id: row.get(0)?,
        program: row.get(1)?,
        partner: row.get(2)?,
        statement: row.get(3)?,
        subject,
        claimed: row.get(8)?,
        currency: row.text(9)?,
        reason: row.text(10)?,
        state: row.text_enum(11)?,
        opened_by: row.text(12)?,
        opened_at: row.get(13)?,
        answer: row.maybe_text(14)?,
        answered_by: row.maybe_text(15)?,
        answered_at: row.get(16)?,
        adjustment: row.get(17)?,
        adjusted: row.get(18)?,
        row_version: row.get(19)?,
    })
}

impl DisputeFilter {
    fn conditions(&self, tx: &ReadTx, scope: &Scope, parameters: &mut Parameters) -> Vec<String> {
        let mut conditions = vec![within(tx.backend(), "p", scope, parameters)];
        let ids = [("d.program_id", self.program), ("d.partner_id", self.partner), ("d.statement_id", self.statement)];
        for (column, id) in ids.into_iter().filter_map(|(column, id)| Some((column, id?))) {
            conditions.push(format!("{column} = {}", parameters.add(id)));
        }
        if !self.states.is_empty() {
            let number = parameters.number(texts(tx.backend(), self.states.iter().map(TextEnum::text)));
            conditions.push(is_one_of_texts(tx.backend(), "d.state", number));
        }
        conditions
    }
}

impl ReadTx {
    /// Whether a partner has a sale line of this source and id.
    pub async fn has_sale(&self, partner: PartnerId, source: &str, external_id: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM transactions WHERE source = $1 AND external_id = $2 AND partner_id = $3 LIMIT 1";
        Ok(self.one(sql, vec![source.into(), external_id.into(), partner.into()]).await?.is_some())
    }

    /// Disputes by id, in scope.
    pub async fn disputes_many(&self, scope: &Scope, ids: &[DisputeId]) -> Result<BTreeMap<DisputeId, StoredDispute>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = DisputeFilter::default().conditions(self, scope, &mut parameters);
        let number = parameters.number(uuids(self.backend(), ids));
        conditions.push(is_one_of_uuids(self.backend(), "d.id", number));
        let sql = format!("SELECT {COLUMNS} FROM dispute d JOIN partner p ON p.id = d.partner_id WHERE {}", conditions.join(" AND "));
        self.all(sql, parameters.0).await?.iter().map(|row| dispute_of(row).map(|dispute| (dispute.id, dispute))).collect()
    }

    /// A page of disputes in scope, the latest first.
    pub async fn list_disputes(&self, scope: &Scope, filter: &DisputeFilter, page: &PageRequest) -> Result<Page<StoredDispute>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = filter.conditions(self, scope, &mut parameters);
        // Identities are made in the order of time, so they are the order.
        for (cursor, operator) in [(&page.after, "<"), (&page.before, ">")] {
            if let Some(cursor) = cursor {
                let id: DisputeId = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                conditions.push(format!("d.id {operator} {}", parameters.add(id)));
            }
        }
        let direction = if page.from_end { "ASC" } else { "DESC" };
        let sql = format!(
            "SELECT {COLUMNS} FROM dispute d JOIN partner p ON p.id = d.partner_id WHERE {} ORDER BY d.id {direction} LIMIT {}",
            conditions.join(" AND "),
            page.limit()
        );
        let rows: Result<Vec<_>, StoreError> = self.all(sql, parameters.0).await?.iter().map(|row| dispute_of(row).map(with_cursor)).collect();
        Ok(Page::cut(page, rows?))
    }
}

fn with_cursor(dispute: StoredDispute) -> (Cursor, StoredDispute) {
    (Cursor { key: String::new(), id: dispute.id.to_string() }, dispute)
}

impl WriteTx {
    /// Opens a dispute. `dispute_live_key` when the same is being questioned already.
    pub async fn insert_dispute(&self, new: &NewDispute) -> Result<DisputeId, StoreError> {
        let id = self.new_id();
        let sale = new.subject.sale();
        let sql = "INSERT INTO dispute (id, program_id, partner_id, statement_id, kind, subject, line_no, source, external_id, currency, claimed_minor, \
             reason, state, opened_by, opened_at, row_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'OPEN', $13, $14, 1)";
        let values = vec![
            id.into(),
            new.program.into(),
            new.partner.into(),
            new.statement.into(),
            new.subject.kind().into(),
            new.subject.key().into(),
            new.subject.line().into(),
            sale.map(|(source, _)| source.to_owned()).into(),
            sale.map(|(_, id)| id.to_owned()).into(),
            new.claimed.currency.code().into(),
            new.claimed.minor.into(),
            new.reason.clone().into(),
            self.context().actor.clone().into(),
            self.now().into(),
        ];
        self.execute(sql, values).await?;
        Ok(id)
    }

    /// Answers a dispute that is open or answered; `Stale` when it is neither any more. `dispute_four_eyes` when whoever opened it
    /// answers it.
    pub async fn answer_dispute(&self, id: DisputeId, answer: &DisputeAnswer) -> Result<(), StoreError> {
        let sql = "UPDATE dispute SET state = $1, answer = $2, answered_by = $3, answered_at = $4, adjustment_id = $5, adjusted_minor = $6, \
             row_version = row_version + 1 WHERE id = $7 AND state IN ('OPEN', 'ANSWERED')";
        let values = vec![
            answer.state.text().into(),
            answer.text.clone().into(),
            self.context().actor.clone().into(),
            self.now().into(),
            answer.adjustment.map(|(id, _)| id).into(),
            answer.adjustment.map(|(_, minor)| minor).into(),
            id.into(),
        ];
        self.execute_one(sql, values).await
    }

    /// Takes a dispute back that is open or answered; `Stale` when it is neither any more.
    pub async fn withdraw_dispute(&self, id: DisputeId) -> Result<(), StoreError> {
        let sql = "UPDATE dispute SET state = 'WITHDRAWN', row_version = row_version + 1 WHERE id = $1 AND state IN ('OPEN', 'ANSWERED')";
        self.execute_one(sql, vec![id.into()]).await
    }
}
