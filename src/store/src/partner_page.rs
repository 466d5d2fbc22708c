//! One page of partners, filtered and ordered.

use guerdon_domain::access::Scope;
use guerdon_domain::facts::PartnerStatus;

use crate::convert::{Row, TextEnum};
use crate::fault::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::partner::{COLUMNS, StoredPartner, partner_of};
use crate::scope::within;
use crate::sql::{Parameters, anywhere, is_one_of_texts, texts};
use crate::tx::ReadTx;
use crate::{PartnerId, ProgramId};

/// Which partners. What is left out does not filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnerFilter {
    /// Part of the code or the name, whatever the case of its letters.
    pub search: Option<String>,
    /// Any of these types.
    pub types: Vec<String>,
    /// Any of these regions; expanded by whoever asks.
    pub regions: Vec<String>,
    /// Any of these states.
    pub statuses: Vec<PartnerStatus>,
    /// Children of this partner.
    pub parent: Option<PartnerId>,
    /// Enrolled in this program at present.
    pub enrolled_in: Option<ProgramId>,
    /// Holding, at present, any of these tiers of a ladder: program, ladder, tiers.
    pub tier: Option<(ProgramId, String, Vec<String>)>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartnerOrder {
    /// By code.
    #[default]
    Code,
    /// By name, whatever the case of its letters.
    Name,
}

impl PartnerOrder {
    const fn column(self) -> &'static str {
        match self {
            Self::Code => "p.code",
            Self::Name => "p.name_folded",
        }
    }
}

impl ReadTx {
    /// One page of the partners in scope that the filter takes; `descending` turns the order round.
    pub async fn list_partners(
        &self,
        scope: &Scope,
        filter: &PartnerFilter,
        order: PartnerOrder,
        descending: bool,
        page: &PageRequest,
    ) -> Result<Page<StoredPartner>, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = vec![within(self.backend(), "p", scope, &mut parameters)];
        self.filter_conditions(filter, &mut parameters, &mut conditions);
        let key = order.column();
        for (cursor, later) in [(&page.after, true), (&page.before, false)] {
            if let Some(cursor) = cursor {
                let id: PartnerId = cursor.id.parse().map_err(|_| StoreError::NotFound)?;
                let operator = if later == descending { "<" } else { ">" };
                let (key_at, id_at) = (parameters.add(cursor.key.clone()), parameters.add(id));
                conditions.push(format!("({key}, p.id) {operator} ({key_at}, {id_at})"));
            }
        }
        let direction = if descending == page.from_end { "ASC" } else { "DESC" };
        let limit = page.limit();
        let sql =
            format!("SELECT {COLUMNS}, {key} FROM partner p WHERE {} ORDER BY {key} {direction}, p.id {direction} LIMIT {limit}", conditions.join(" AND "));
        let mut rows = Vec::new();
        for row in self.all(sql, parameters.0).await? {
            let partner = partner_of(&row)?;
            let cursor = Cursor { key: Row::new(&row, "partner").get(12)?, id: partner.id.to_string() };
            rows.push((cursor, partner));
        }
        Ok(Page::cut(page, rows))
    }

    /// How many partners in scope the filter takes.
    pub async fn count_partners(&self, scope: &Scope, filter: &PartnerFilter) -> Result<i64, StoreError> {
        let mut parameters = Parameters::default();
        let mut conditions = vec![within(self.backend(), "p", scope, &mut parameters)];
        self.filter_conditions(filter, &mut parameters, &mut conditions);
        let row = self.one(format!("SELECT COUNT(*) FROM partner p WHERE {}", conditions.join(" AND ")), parameters.0).await?;
        row.map_or(Ok(0), |row| Row::new(&row, "partner").get(0))
    }

    fn filter_conditions(&self, filter: &PartnerFilter, parameters: &mut Parameters, conditions: &mut Vec<String>) {
        if let Some(search) = &filter.search {
            let pattern = parameters.add(anywhere(&search.to_lowercase()));
            conditions.push(format!("(lower(p.code) LIKE {pattern} ESCAPE '\\' OR p.name_folded LIKE {pattern} ESCAPE '\\')"));
        }
        let statuses: Vec<&str> = filter.statuses.iter().map(TextEnum::text).collect();
        let types: Vec<&str> = filter.types.iter().map(String::as_str).collect();
        let regions: Vec<&str> = filter.regions.iter().map(String::as_str).collect();
        for (column, list) in [("p.partner_type", types), ("p.region", regions), ("p.status", statuses)] {
            if !list.is_empty() {
                let number = parameters.number(texts(self.backend(), list));
                conditions.push(is_one_of_texts(self.backend(), column, number));
            }
        }
        if let Some(parent) = filter.parent {
            conditions.push(format!("p.parent_id = {}", parameters.add(parent)));
        }
        if let Some(program) = filter.enrolled_in {
            let at = parameters.add(program);
            conditions.push(format!("EXISTS (SELECT 1 FROM enrollment e WHERE e.partner_id = p.id AND e.program_id = {at} AND e.until_on IS NULL)"));
        }
        if let Some((program, ladder, tiers)) = &filter.tier {
            let (program, ladder) = (parameters.add(*program), parameters.add(ladder.clone()));
            let number = parameters.number(texts(self.backend(), tiers.iter().map(String::as_str)));
            let any = is_one_of_texts(self.backend(), "a.tier", number);
            conditions.push(format!(
                "EXISTS (SELECT 1 FROM tier_assignment a WHERE a.partner_id = p.id AND a.program_id = {program} AND a.ladder = {ladder} AND a.until_on IS NULL AND {any})"
            ));
        }
    }
}
