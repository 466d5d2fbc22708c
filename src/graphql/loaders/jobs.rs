//! Background work.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;

use super::{JobNode, Reader};
use crate::app::jobs::{self, Job};
use crate::graphql::error::GqlFault;

impl Loader<JobNode> for Reader {
    type Value = Job;
    type Error = GqlFault;

    async fn load(&self, keys: &[JobNode]) -> Result<HashMap<JobNode, Job>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = jobs::jobs_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, job)| (JobNode(id), job)).collect())
    }
}
