//! Contracts, as far as the engines ask for them; their life cycle comes with contract lifecycle.

use std::collections::BTreeMap;

use guerdon_domain::access::Scope;
use guerdon_domain::date::Span;
use guerdon_domain::facts::Contract;
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::convert::{Row, TextEnum};
use crate::fault::StoreError;
use crate::run_chunk::enrolled;
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_uuids, uuids};
use crate::state::as_of_record;
use crate::tx::{ReadTx, WriteTx};
use crate::{PartnerId, ProgramId};

/// A contract of a partner, as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractUpsert {
    /// The program.
    pub program: ProgramId,
    /// The partner.
    pub partner: PartnerId,
    /// The contract; its key is its number.
    pub fact: Contract,
    /// The row version that the caller has seen; none when it is new.
    pub expected: Option<i64>,
}

/// A contract on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContract {
    /// Its id.
    pub id: Uuid,
    /// The program.
    pub program_id: ProgramId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The contract.
    pub fact: Contract,
    /// Counts its changes.
    pub row_version: i64,
}

impl ReadTx {
    /// The contracts of partners, by program and number.
    pub async fn contracts_many(&self, scope: &Scope, partners: &[PartnerId]) -> Result<BTreeMap<PartnerId, Vec<StoredContract>>, StoreError> {
        let mut parameters = Parameters(vec![uuids(self.backend(), partners)]);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT c.id, c.program_id, c.partner_id, c.number, c.template, c.status, c.from_on, c.until_on, c.terms, c.row_version \
             FROM contract c JOIN partner p ON p.id = c.partner_id WHERE {} AND {within} ORDER BY c.partner_id, c.program_id, c.number",
            is_one_of_uuids(self.backend(), "c.partner_id", 1)
        );
        let mut contracts: BTreeMap<PartnerId, Vec<StoredContract>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let row = Row::new(&row, "contract");
            let fact = Contract { key: row.get(3)?, template: row.get(4)?, status: row.text_enum(5)?, span: row.span(6)?, terms: row.json(8)? };
            let contract = StoredContract { id: row.get(0)?, program_id: row.get(1)?, partner_id: row.get(2)?, fact, row_version: row.get(9)? };
            contracts.entry(contract.partner_id).or_default().push(contract);
        }
        Ok(contracts)
    }

    /// The active contracts on some day of `days` that have terms about rebates, or with `templates` follow one, of partners that a run
    /// over these days is about; as it was on record after change number `records`. By the codes of the partners.
    pub async fn active_contracts(&self, program: ProgramId, days: Span, records: i64, templates: bool) -> Result<Vec<(String, Contract)>, StoreError> {
        let of_partners = enrolled(records);
        let follows = if templates { "OR s.template IS NOT NULL" } else { "" };
        let [now, past] = as_of_record("contract", records).map(|(table, known)| {
            format!(
                "SELECT p.code, s.number, s.template, s.status, s.from_on, s.until_on, s.terms FROM {table} s JOIN partner p ON p.id = s.partner_id \
                 WHERE s.program_id = $1 AND s.from_on < $3 AND s.until_on > $2 AND s.status = 'ACTIVE' \
                 AND (s.terms LIKE '%\"rebateRates\"%' {follows}) AND {known} AND {of_partners}"
            )
        });
        let values = vec![program.into(), days.from.naive().into(), days.until.naive().into()];
        let rows = self.all(format!("{now} UNION ALL {past} ORDER BY 1, 2"), values).await?;
        let contract = |row: &QueryResult| {
            let row = Row::new(row, "contract");
            let fact = Contract { key: row.get(1)?, template: row.get(2)?, status: row.text_enum(3)?, span: row.span(4)?, terms: row.json(6)? };
            Ok((row.get(0)?, fact))
        };
        rows.iter().map(contract).collect()
    }
}

impl WriteTx {
    /// Makes a contract, or changes it. `contract_number_key` when the number is taken; [`StoreError::Stale`] when it was changed
    /// since the caller saw it.
    pub async fn upsert_contract(&self, contract: &ContractUpsert) -> Result<Uuid, StoreError> {
        let fact = &contract.fact;
        let terms = serde_json::to_string(&fact.terms).map_err(|_| StoreError::corrupt("contract", &fact.key))?;
        let shared = || {
            vec![
                fact.template.clone().into(),
                fact.status.text().into(),
                fact.span.from.naive().into(),
                fact.span.until.naive().into(),
                terms.clone().into(),
                self.now().into(),
                contract.program.into(),
                fact.key.clone().into(),
                contract.partner.into(),
            ]
        };
        let mut values: Vec<sea_orm::Value> = shared();
        let row = if let Some(expected) = contract.expected {
            values.push(expected.into());
            let sql = "UPDATE contract SET template = $1, status = $2, from_on = $3, until_on = $4, terms = $5, updated_at = $6, \
                row_version = row_version + 1 WHERE program_id = $7 AND number = $8 AND partner_id = $9 AND row_version = $10 RETURNING id";
            self.one(sql, values).await?.ok_or(StoreError::Stale)?
        } else {
            values.push(self.new_id().into());
            let sql = "INSERT INTO contract (template, status, from_on, until_on, terms, updated_at, program_id, number, partner_id, id, created_at, \
                row_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $6, 1) RETURNING id";
            self.one(sql, values).await?.ok_or(StoreError::NotFound)?
        };
        Row::new(&row, "contract").get(0)
    }
}
