//! Programs and their versions.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use guerdon_domain::program::Program;

use super::{CompiledKey, ProgramNode, Reader, VersionNode, VersionsKey};
use crate::app::programs::{self, StoredProgram, VersionHead};
use crate::graphql::error::GqlFault;

impl Loader<ProgramNode> for Reader {
    type Value = StoredProgram;
    type Error = GqlFault;

    async fn load(&self, keys: &[ProgramNode]) -> Result<HashMap<ProgramNode, StoredProgram>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = programs::programs_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, program)| (ProgramNode(id), program)).collect())
    }
}

impl Loader<VersionNode> for Reader {
    type Value = VersionHead;
    type Error = GqlFault;

    async fn load(&self, keys: &[VersionNode]) -> Result<HashMap<VersionNode, VersionHead>, GqlFault> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = programs::versions_many(&self.app, &self.ctx, &ids).await?;
        Ok(found.into_iter().map(|(id, version)| (VersionNode(id), version)).collect())
    }
}

impl Loader<VersionsKey> for Reader {
    type Value = Arc<Vec<VersionHead>>;
    type Error = GqlFault;

    /// One call per program: a vendor runs a handful.
    async fn load(&self, keys: &[VersionsKey]) -> Result<HashMap<VersionsKey, Arc<Vec<VersionHead>>>, GqlFault> {
        let mut found = HashMap::new();
        for key in keys {
            found.insert(*key, Arc::new(programs::list_versions(&self.app, &self.ctx, key.0).await?));
        }
        Ok(found)
    }
}

impl Loader<CompiledKey> for Reader {
    type Value = Arc<Program>;
    type Error = GqlFault;

    /// One call per version; compiled versions are kept.
    async fn load(&self, keys: &[CompiledKey]) -> Result<HashMap<CompiledKey, Arc<Program>>, GqlFault> {
        let mut found = HashMap::new();
        for key in keys {
            found.insert(*key, programs::get_compiled(&self.app, &self.ctx, key.0).await?);
        }
        Ok(found)
    }
}
