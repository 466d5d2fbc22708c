//! Whom a review is about.

use guerdon_domain::access::Scope;
use guerdon_domain::date::Date;
use guerdon_domain::fault::Faults;
use guerdon_store::{ProgramId, ReadTx, ReviewWalk};
use serde::{Deserialize, Serialize};

use super::StartReview;
use crate::app::programs::InForce;
use crate::error::AppError;

/// Whom a review is about: all that is given must hold. What is empty asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slice {
    /// Regions on the date, with what lies under them.
    pub regions: Vec<String>,
    /// Types on the date.
    pub types: Vec<String>,
    /// Codes.
    pub partners: Vec<String>,
    scope: Option<Scope>,
}

/// A slice as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Text {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    types: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    partners: Vec<String>,
    /// How far whoever asked may judge; everybody when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Reach>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Reach {
    partners: Vec<String>,
    regions: Vec<String>,
}

impl Slice {
    /// Everybody.
    pub(super) fn all() -> Self {
        Self::default()
    }

    /// These partners.
    pub(super) fn of_partners(partners: Vec<String>) -> Self {
        Self { partners, ..Self::default() }
    }

    /// What is asked for, as far as the caller may judge. Unknown regions, types and partners are faults.
    pub(super) async fn of(tx: &ReadTx, scope: &Scope, version: &InForce, input: &StartReview) -> Result<Self, AppError> {
        let mut faults = Faults::new();
        let program = &version.compiled;
        let tree = &program.geography.regions;
        for (at, region) in input.regions.iter().enumerate().filter(|(_, region)| !tree.contains(region)) {
            faults.add("UNKNOWN_REGION", format!("regions[{at}]"), format!("the program has no region {region}"));
        }
        for (at, key) in input.types.iter().enumerate().filter(|(_, key)| !program.document.partner_types.iter().any(|known| known.key == **key)) {
            faults.add("UNKNOWN_TYPE", format!("types[{at}]"), format!("the program has no partner type {key}"));
        }
        let found = tx.partners_by_code_many(scope, &input.partners).await?;
        for (at, _) in input.partners.iter().enumerate().filter(|(_, code)| !found.contains_key(*code)) {
            faults.add("UNKNOWN_PARTNER", format!("partners[{at}]"), "there is no such partner that you may judge");
        }
        faults.or(())?;
        let sorted = |keys: Vec<String>| {
            let set: std::collections::BTreeSet<String> = keys.into_iter().collect();
            set.into_iter().collect::<Vec<_>>()
        };
        let regions = input.regions.iter().flat_map(|region| tree.subtree(region)).collect();
        Ok(Self {
            regions: sorted(regions),
            types: sorted(input.types.clone()),
            partners: sorted(input.partners.clone()),
            scope: (!scope.is_all()).then(|| scope.clone()),
        })
    }

    /// Whether it is everybody.
    pub fn is_all(&self) -> bool {
        self.regions.is_empty() && self.types.is_empty() && self.partners.is_empty() && self.scope.is_none()
    }

    /// The partners that a review of this slice walks through.
    pub(super) fn walk(&self, program: ProgramId, as_of: Date) -> ReviewWalk<'_> {
        let scope = self.scope.as_ref().unwrap_or(&Scope::All);
        ReviewWalk { scope, program, as_of, regions: &self.regions, types: &self.types, partners: &self.partners }
    }

    /// As it is stored: the same slice has one spelling.
    pub(super) fn text(&self) -> Result<String, AppError> {
        let reach = |scope: &Scope| {
            let (partners, regions) = scope.spelled();
            Reach { partners, regions }
        };
        let text = Text { regions: self.regions.clone(), types: self.types.clone(), partners: self.partners.clone(), scope: self.scope.as_ref().map(reach) };
        serde_json::to_string(&text).map_err(AppError::internal)
    }

    /// What was stored.
    pub(super) fn read(text: &str) -> Result<Self, AppError> {
        let text: Text = serde_json::from_str(text).map_err(AppError::internal)?;
        let scope = text.scope.map(|reach| Scope::of_spelled(reach.partners, reach.regions));
        Ok(Self { regions: text.regions, types: text.types, partners: text.partners, scope })
    }
}

impl From<&super::StoredReview> for Slice {
    /// What cannot be read is nobody's.
    fn from(review: &super::StoredReview) -> Self {
        Self::read(&review.slice).unwrap_or_else(|_| Self { scope: Some(Scope::Nothing), ..Self::default() })
    }
}
