//! Who may do what: roles with scopes, the policy as a table, and the one function that turns a right into a [`Scope`].
//!
//! Deny is the default. A right is the pair (role, scope): every pair is judged on its own, and what several pairs allow is a
//! union, never a product (a manager of EMEA who may also view partner X does not manage X). Nothing here loads anything: a
//! finder takes the scope that comes out of [`authorize`] and adds it to its query, so that what lies outside is not found.

mod actor;
mod authorize;
mod matrix;
mod policy;
mod scope;
mod words;

pub use actor::{Actor, ActorKind, RoleAssignment, RoleScope};
pub use authorize::{Asked, Denied, authorize, authorize_under};
pub use matrix::matrix;
pub use policy::{Condition, Grant, POLICY, Reach, Row};
pub use scope::Scope;
pub use words::{Action, Resource, Role};
