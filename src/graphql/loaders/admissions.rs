//! Overrides, applications, invitations and approvals, of many partners or by id.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use super::partners::{Each, answer, each, ids_of};
use super::{AdmissionNode, AdmissionsKey, OverrideNode, OverridesKey, Reader, by_question};
use crate::app::admissions::{self, StoredAdmissionRequest};
use crate::app::overrides::{self, StoredOverride};
use crate::graphql::error::GqlFault;

impl Loader<OverridesKey> for Reader {
    type Value = Each<Vec<StoredOverride>>;
    type Error = GqlFault;

    async fn load(&self, keys: &[OverridesKey]) -> Result<HashMap<OverridesKey, Each<Vec<StoredOverride>>>, GqlFault> {
        let mut found = HashMap::new();
        for (program, keys) in by_question(keys, |key| key.program.clone()) {
            let ids = ids_of(&keys, |key| key.partner);
            let answers = overrides::overrides_many(&self.app, &self.ctx, program.as_ref(), &ids).await;
            answer(&mut found, keys, |key| key.partner, each(answers));
        }
        Ok(found)
    }
}

impl Loader<AdmissionsKey> for Reader {
    type Value = Each<Vec<StoredAdmissionRequest>>;
    type Error = GqlFault;

    async fn load(&self, keys: &[AdmissionsKey]) -> Result<HashMap<AdmissionsKey, Each<Vec<StoredAdmissionRequest>>>, GqlFault> {
        let mut found = HashMap::new();
        for (program, keys) in by_question(keys, |key| key.program.clone()) {
            let ids = ids_of(&keys, |key| key.partner);
            let answers = admissions::admissions_many(&self.app, &self.ctx, program.as_ref(), &ids).await;
            answer(&mut found, keys, |key| key.partner, each(answers));
        }
        Ok(found)
    }
}

impl Loader<OverrideNode> for Reader {
    type Value = StoredOverride;
    type Error = GqlFault;

    async fn load(&self, keys: &[OverrideNode]) -> Result<HashMap<OverrideNode, StoredOverride>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = overrides::overrides_by_id_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, one)| (OverrideNode(id), one)).collect())
    }
}

impl Loader<AdmissionNode> for Reader {
    type Value = StoredAdmissionRequest;
    type Error = GqlFault;

    async fn load(&self, keys: &[AdmissionNode]) -> Result<HashMap<AdmissionNode, StoredAdmissionRequest>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = admissions::admissions_by_id_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, one)| (AdmissionNode(id), one)).collect())
    }
}
