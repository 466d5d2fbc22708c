//! What is asked about many partners at once.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use guerdon_domain::benefit::Entitlement;
use guerdon_domain::facts::PartnerProfile;
use guerdon_domain::levelling::LadderRisk;

use super::{
    EnrollmentsKey, EntitlementsKey, EstimateKey, HistoryKey, Lines, PartnerNode, ProfilesKey, Reader, RisksKey, StandingKey, TransactionsKey, WhatIfKey,
    by_question,
};
use crate::app::levelling::{self, PartnerStanding, StandingQuestion, TierHistory};
use crate::app::partners::{self, PartnerId, StoredEnrollment, StoredPartner};
use crate::app::rebates::{self, Estimate};
use crate::app::simulation::{self, WhatIf};
use crate::app::{entitlements, transactions};
use crate::error::AppError;
use crate::graphql::error::GqlFault;

/// An answer that one key may have and another not: one that fails does not take the others with it.
pub(super) type Each<T> = Result<Arc<T>, GqlFault>;

/// Gives every key of a question its answer, or the question's failure. Partners without an answer have none.
pub(super) fn answer<K: Hash + Eq + Clone, T>(
    found: &mut HashMap<K, Each<T>>,
    keys: Vec<&K>,
    partner: impl Fn(&K) -> PartnerId,
    answers: Result<BTreeMap<PartnerId, Result<T, AppError>>, AppError>,
) {
    match answers {
        Ok(mut answers) => {
            for key in keys {
                if let Some(answer) = answers.remove(&partner(key)) {
                    found.insert(key.clone(), answer.map(Arc::new).map_err(GqlFault::from));
                }
            }
        }
        Err(error) => found.extend(keys.into_iter().map(|key| (key.clone(), Err(error.clone().into())))),
    }
}

/// Answers that cannot fail one by one.
pub(super) fn each<T>(answers: Result<BTreeMap<PartnerId, T>, AppError>) -> Result<BTreeMap<PartnerId, Result<T, AppError>>, AppError> {
    Ok(answers?.into_iter().map(|(partner, answer)| (partner, Ok(answer))).collect())
}

pub(super) fn ids_of<'k, K: 'k>(keys: &[&'k K], id: impl Fn(&'k K) -> PartnerId) -> Vec<PartnerId> {
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
    type Value = Each<TierHistory>;
    type Error = GqlFault;

    async fn load(&self, keys: &[HistoryKey]) -> Result<HashMap<HistoryKey, Each<TierHistory>>, GqlFault> {
        let mut found = HashMap::new();
        for (program, keys) in by_question(keys, |key| key.program.clone()) {
            let ids = ids_of(&keys, |key| key.partner);
            let histories = levelling::histories_many(&self.app, &self.ctx, program.as_ref(), &ids).await;
            answer(&mut found, keys, |key| key.partner, each(histories));
        }
        Ok(found)
    }
}

impl Loader<StandingKey> for Reader {
    type Value = Each<PartnerStanding>;
    type Error = GqlFault;

    async fn load(&self, keys: &[StandingKey]) -> Result<HashMap<StandingKey, Each<PartnerStanding>>, GqlFault> {
        let mut found = HashMap::new();
        for (question, keys) in by_question(keys, |key| StandingQuestion { program: key.program.clone(), as_of: key.as_of, ahead: key.ahead }) {
            let ids = ids_of(&keys, |key| key.partner);
            let standings = levelling::standings_many(&self.app, &self.ctx, &question, &ids).await;
            answer(&mut found, keys, |key| key.partner, standings);
        }
        Ok(found)
    }
}

impl Loader<RisksKey> for Reader {
    type Value = Each<Vec<LadderRisk>>;
    type Error = GqlFault;

    async fn load(&self, keys: &[RisksKey]) -> Result<HashMap<RisksKey, Each<Vec<LadderRisk>>>, GqlFault> {
        let mut found = HashMap::new();
        for ((program, as_of, months), keys) in by_question(keys, |key| (key.program.clone(), key.as_of, key.months)) {
            let ids = ids_of(&keys, |key| key.partner);
            let risks = levelling::risks_many(&self.app, &self.ctx, &program, as_of, months, &ids).await;
            answer(&mut found, keys, |key| key.partner, risks);
        }
        Ok(found)
    }
}

impl Loader<EntitlementsKey> for Reader {
    type Value = Each<Vec<Arc<Entitlement>>>;
    type Error = GqlFault;

    async fn load(&self, keys: &[EntitlementsKey]) -> Result<HashMap<EntitlementsKey, Each<Vec<Arc<Entitlement>>>>, GqlFault> {
        let mut found = HashMap::new();
        let asked = |key: &EntitlementsKey| (key.program.clone(), key.as_of, key.region.clone(), key.benefits.clone(), key.unlocks);
        for ((program, as_of, region, benefits, unlocks), keys) in by_question(keys, asked) {
            let question = entitlements::Question { program, as_of, region, benefits, unlocks };
            let ids = ids_of(&keys, |key| key.partner);
            let answers = entitlements::resolve_many(&self.app, &self.ctx, &question, &ids).await;
            // Fields share what was resolved instead of copying it.
            let shared = |all: Result<Vec<Entitlement>, AppError>| all.map(|all| all.into_iter().map(Arc::new).collect());
            let answers = answers.map(|answers| answers.into_iter().map(|(partner, all)| (partner, shared(all))).collect());
            answer(&mut found, keys, |key| key.partner, answers);
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
            let ids = ids_of(&keys, |key| key.partner);
            let answers = rebates::estimates_many(&self.app, &self.ctx, &question, &ids).await;
            answer(&mut found, keys, |key| key.partner, answers);
        }
        Ok(found)
    }
}

impl Loader<TransactionsKey> for Reader {
    type Value = Each<Lines>;
    type Error = GqlFault;

    async fn load(&self, keys: &[TransactionsKey]) -> Result<HashMap<TransactionsKey, Each<Lines>>, GqlFault> {
        let mut found = HashMap::new();
        for ((days, limit, after, backward), keys) in by_question(keys, |key| (key.days, key.page.limit, key.page.after.clone(), key.page.backward)) {
            let page = guerdon_domain::page::PageRequest { limit, after, backward };
            let ids = ids_of(&keys, |key| key.partner);
            let pages = transactions::transactions_many(&self.app, &self.ctx, &ids, days, &page).await;
            answer(&mut found, keys, |key| key.partner, each(pages));
        }
        Ok(found)
    }
}

impl Loader<WhatIfKey> for Reader {
    type Value = Each<WhatIf>;
    type Error = GqlFault;

    async fn load(&self, keys: &[WhatIfKey]) -> Result<HashMap<WhatIfKey, Each<WhatIf>>, GqlFault> {
        let mut found = HashMap::new();
        for (_, keys) in by_question(keys, |key| Arc::clone(&key.spelled)) {
            let Some(question) = keys.first().map(|key| Arc::clone(&key.question)) else { continue };
            let ids = ids_of(&keys, |key| key.partner);
            let answers = simulation::what_if_many(&self.app, &self.ctx, &question, &ids).await;
            answer(&mut found, keys, |key| key.partner, answers);
        }
        Ok(found)
    }
}
