//! What is asked about many partners at once.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use guerdon_domain::benefit::Entitlement;
use guerdon_domain::facts::PartnerProfile;

use super::{EnrollmentsKey, EntitlementsKey, EstimateKey, HistoryKey, Lines, PartnerNode, ProfilesKey, Reader, StandingKey, TransactionsKey, by_question};
use crate::app::levelling::{self, PartnerStanding, TierHistory};
use crate::app::partners::{self, PartnerId, StoredEnrollment, StoredPartner};
use crate::app::rebates::{self, Estimate};
use crate::app::{entitlements, transactions};
use crate::graphql::error::GqlFault;

/// An answer that one partner may have and another not: one that fails does not take the others with it.
type Each<T> = Result<Arc<T>, GqlFault>;

fn ids_of<'k, K: 'k>(keys: &[&'k K], id: impl Fn(&'k K) -> PartnerId) -> Vec<PartnerId> {
    keys.iter().map(|key| id(key)).collect()
}

impl Loader<PartnerNode> for Reader {
    type Value = StoredPartner;
    type Error = GqlFault;

    async fn load(&self, keys: &[PartnerNode]) -> Result<HashMap<PartnerNode, StoredPartner>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = partners::partners_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, partner)| (PartnerNode(id), partner)).collect())
    }
}

impl Loader<ProfilesKey> for Reader {
    type Value = Arc<Vec<PartnerProfile>>;
    type Error = GqlFault;

    async fn load(&self, keys: &[ProfilesKey]) -> Result<HashMap<ProfilesKey, Arc<Vec<PartnerProfile>>>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = partners::profiles_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, profiles)| (ProfilesKey(id), Arc::new(profiles))).collect())
    }
}

impl Loader<EnrollmentsKey> for Reader {
    type Value = Arc<Vec<StoredEnrollment>>;
    type Error = GqlFault;

    async fn load(&self, keys: &[EnrollmentsKey]) -> Result<HashMap<EnrollmentsKey, Arc<Vec<StoredEnrollment>>>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = partners::enrollments_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, enrollments)| (EnrollmentsKey(id), Arc::new(enrollments))).collect())
    }
}

impl Loader<HistoryKey> for Reader {
    type Value = Arc<TierHistory>;
    type Error = GqlFault;

    async fn load(&self, keys: &[HistoryKey]) -> Result<HashMap<HistoryKey, Arc<TierHistory>>, GqlFault> {
        let mut found = HashMap::new();
        for (program, keys) in by_question(keys, |key| key.program.clone()) {
            let mut histories = levelling::histories_many(&self.app, &self.ctx, program.as_ref(), &ids_of(&keys, |key| key.partner)).await?;
            found.extend(keys.into_iter().filter_map(|key| Some((key.clone(), Arc::new(histories.remove(&key.partner)?)))));
        }
        Ok(found)
    }
}

impl Loader<StandingKey> for Reader {
    type Value = Each<PartnerStanding>;
    type Error = GqlFault;

    async fn load(&self, keys: &[StandingKey]) -> Result<HashMap<StandingKey, Each<PartnerStanding>>, GqlFault> {
        let mut found = HashMap::new();
        for ((program, as_of), keys) in by_question(keys, |key| (key.program.clone(), key.as_of)) {
            let ids = ids_of(&keys, |key| key.partner);
            let mut standings = levelling::standings_many(&self.app, &self.ctx, program.as_ref(), as_of, &ids).await?;
            for key in keys {
                if let Some(standing) = standings.remove(&key.partner) {
                    found.insert(key.clone(), standing.map(Arc::new).map_err(GqlFault::from));
                }
            }
        }
        Ok(found)
    }
}

impl Loader<EntitlementsKey> for Reader {
    type Value = Each<Vec<Entitlement>>;
    type Error = GqlFault;

    async fn load(&self, keys: &[EntitlementsKey]) -> Result<HashMap<EntitlementsKey, Each<Vec<Entitlement>>>, GqlFault> {
        let mut found = HashMap::new();
        for ((program, as_of, region), keys) in by_question(keys, |key| (key.program.clone(), key.as_of, key.region.clone())) {
            let question = entitlements::Question { program, as_of, region };
            let mut answers = entitlements::resolve_many(&self.app, &self.ctx, &question, &ids_of(&keys, |key| key.partner)).await?;
            for key in keys {
                if let Some(answer) = answers.remove(&key.partner) {
                    found.insert(key.clone(), answer.map(Arc::new).map_err(GqlFault::from));
                }
            }
        }
        Ok(found)
    }
}

impl Loader<EstimateKey> for Reader {
    type Value = Each<Estimate>;
    type Error = GqlFault;

    async fn load(&self, keys: &[EstimateKey]) -> Result<HashMap<EstimateKey, Each<Estimate>>, GqlFault> {
        let mut found = HashMap::new();
        for ((program, period, as_of), keys) in by_question(keys, |key| (key.program.clone(), key.period.clone(), key.as_of)) {
            let question = rebates::Question { program, period, as_of };
            let mut answers = rebates::estimates_many(&self.app, &self.ctx, &question, &ids_of(&keys, |key| key.partner)).await?;
            for key in keys {
                if let Some(answer) = answers.remove(&key.partner) {
                    found.insert(key.clone(), answer.map(Arc::new).map_err(GqlFault::from));
                }
            }
        }
        Ok(found)
    }
}

impl Loader<TransactionsKey> for Reader {
    type Value = Lines;
    type Error = GqlFault;

    async fn load(&self, keys: &[TransactionsKey]) -> Result<HashMap<TransactionsKey, Lines>, GqlFault> {
        let mut found = HashMap::new();
        for ((days, limit, after, backward), keys) in by_question(keys, |key| (key.days, key.page.limit, key.page.after.clone(), key.page.backward)) {
            let page = guerdon_domain::page::PageRequest { limit, after, backward };
            let mut pages = transactions::transactions_many(&self.app, &self.ctx, &ids_of(&keys, |key| key.partner), days, &page).await?;
            found.extend(keys.into_iter().filter_map(|key| Some((key.clone(), Arc::new(pages.remove(&key.partner)?)))));
        }
        Ok(found)
    }
}
