//! Typed access to what a request carries. The only caller of `Context::data`.

use std::any::Any;

use async_graphql::Context;

use super::error::GqlFault;
use crate::app::{App, Ctx};
use crate::error::AppError;

/// What every request carries, with the types that a resolver asks for.
pub trait RequestData<'a> {
    /// The use cases' tools.
    fn app(&self) -> Result<&'a App, GqlFault>;
    /// Who asks, in which request, when.
    fn caller(&self) -> Result<&'a Ctx, GqlFault>;
    /// Something else that the transport put in, such as the loaders of the request.
    fn request<T: Any + Send + Sync>(&self) -> Result<&'a T, GqlFault>;
}

impl<'a> RequestData<'a> for Context<'a> {
    fn app(&self) -> Result<&'a App, GqlFault> {
        self.request()
    }

    fn caller(&self) -> Result<&'a Ctx, GqlFault> {
        self.request()
    }

    fn request<T: Any + Send + Sync>(&self) -> Result<&'a T, GqlFault> {
        self.data::<T>().map_err(|_| GqlFault::from(AppError::internal(format!("the request carries no {}", std::any::type_name::<T>()))))
    }
}
