//! Partners as they are today, and what they were. Whoever asks shows a scope.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::facts::{PartnerProfile, PartnerStatus};
use guerdon_domain::money::Currency;
use sea_orm::QueryResult;
use serde::{Deserialize, Serialize};

use crate::PartnerId;
use crate::convert::Row;
use crate::fault::StoreError;
use crate::scope::within;
use crate::sql::{Parameters, is_one_of_texts, is_one_of_uuids, texts, uuids};
use crate::tx::ReadTx;

/// A partner with its present profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPartner {
    /// Its id.
    pub id: PartnerId,
    /// The vendor's own id.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub partner_type: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Its parent.
    pub parent_id: Option<PartnerId>,
    /// The currency it is paid in.
    pub currency: Option<Currency>,
    /// Whether it takes part.
    pub status: PartnerStatus,
    /// Since when the present profile holds.
    pub profile_from: Date,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// Counts its changes.
    pub row_version: i64,
}

/// The columns of a partner, of the table named `p`.
pub(crate) const COLUMNS: &str =
    "p.id, p.code, p.name, p.partner_type, p.region, p.parent_id, p.currency, p.status, p.profile_from, p.created_at, p.updated_at, p.row_version";

pub(crate) fn partner_of(row: &QueryResult) -> Result<StoredPartner, StoreError> {
    let row = Row::new(row, "partner");
    Ok(StoredPartner {
        id: row.get(0)?,
        code: row.get(1)?,
        name: row.get(2)?,
        partner_type: row.get(3)?,
        region: row.get(4)?,
        parent_id: row.get(5)?,
        currency: row.maybe_currency(6)?,
        status: row.text_enum(7)?,
        profile_from: row.date(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        row_version: row.get(11)?,
    })
}

impl ReadTx {
    /// The partner of this id.
    pub async fn find_partner(&self, scope: &Scope, id: PartnerId) -> Result<Option<StoredPartner>, StoreError> {
        Ok(self.partners_many(scope, &[id]).await?.remove(&id))
    }

    /// The partner of this code.
    pub async fn find_partner_by_code(&self, scope: &Scope, code: &str) -> Result<Option<StoredPartner>, StoreError> {
        let mut parameters = Parameters::default();
        let condition = format!("p.code = {}", parameters.add(code));
        Ok(self.partners_where(scope, &condition, parameters).await?.pop())
    }

    /// Partners by id.
    pub async fn partners_many(&self, scope: &Scope, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, StoredPartner>, StoreError> {
        let mut parameters = Parameters::default();
        let number = parameters.number(uuids(self.backend(), ids));
        let condition = is_one_of_uuids(self.backend(), "p.id", number);
        let found = self.partners_where(scope, &condition, parameters).await?;
        Ok(found.into_iter().map(|partner| (partner.id, partner)).collect())
    }

    /// Partners by code.
    pub async fn partners_by_code_many(&self, scope: &Scope, codes: &[String]) -> Result<BTreeMap<String, StoredPartner>, StoreError> {
        let mut parameters = Parameters::default();
        let number = parameters.number(texts(self.backend(), codes.iter().map(String::as_str)));
        let condition = is_one_of_texts(self.backend(), "p.code", number);
        let found = self.partners_where(scope, &condition, parameters).await?;
        Ok(found.into_iter().map(|partner| (partner.code.clone(), partner)).collect())
    }

    /// Children by parent, by code; at most `each` of every parent.
    pub async fn children_many(&self, scope: &Scope, parents: &[PartnerId], each: u32) -> Result<BTreeMap<PartnerId, Vec<StoredPartner>>, StoreError> {
        let mut parameters = Parameters::default();
        let number = parameters.number(uuids(self.backend(), parents));
        let of_parents = is_one_of_uuids(self.backend(), "p.parent_id", number);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT * FROM (SELECT {COLUMNS}, ROW_NUMBER() OVER (PARTITION BY p.parent_id ORDER BY p.code) AS place FROM partner p \
             WHERE {of_parents} AND {within}) AS ranked WHERE place <= {each} ORDER BY parent_id, place"
        );
        let mut children: BTreeMap<PartnerId, Vec<StoredPartner>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let partner = partner_of(&row)?;
            if let Some(parent) = partner.parent_id {
                children.entry(parent).or_default().push(partner);
            }
        }
        Ok(children)
    }

    async fn partners_where(&self, scope: &Scope, condition: &str, mut parameters: Parameters) -> Result<Vec<StoredPartner>, StoreError> {
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!("SELECT {COLUMNS} FROM partner p WHERE {condition} AND {within}");
        self.all(sql, parameters.0).await?.iter().map(partner_of).collect()
    }

    /// Everything that partners were and will be, in date order.
    pub async fn profiles_many(&self, scope: &Scope, ids: &[PartnerId]) -> Result<BTreeMap<PartnerId, Vec<PartnerProfile>>, StoreError> {
        let mut parameters = Parameters::default();
        let number = parameters.number(uuids(self.backend(), ids));
        let of_partners = is_one_of_uuids(self.backend(), "p.id", number);
        let within = within(self.backend(), "p", scope, &mut parameters);
        let sql = format!(
            "SELECT f.partner_id, f.from_on, f.name, f.partner_type, f.region, parent.code, f.currency, f.status, f.attributes \
             FROM partner p JOIN partner_profile f ON f.partner_id = p.id LEFT JOIN partner parent ON parent.id = f.parent_id \
             WHERE {of_partners} AND {within} ORDER BY f.partner_id, f.from_on"
        );
        let mut profiles: BTreeMap<PartnerId, Vec<PartnerProfile>> = BTreeMap::new();
        for row in self.all(sql, parameters.0).await? {
            let row = Row::new(&row, "partner_profile");
            let profile = PartnerProfile {
                from: row.date(1)?,
                name: row.get(2)?,
                partner_type: row.get(3)?,
                region: row.get(4)?,
                parent: row.get(5)?,
                currency: row.maybe_currency(6)?,
                status: row.text_enum(7)?,
                attributes: row.attributes(8)?,
            };
            profiles.entry(row.get(0)?).or_default().push(profile);
        }
        Ok(profiles)
    }
}
