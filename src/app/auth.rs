//! Roles as tokens and keys carry them, and the keys of machines: how one looks, how it is checked.

use guerdon_domain::access::{Actor, ActorKind, Role, RoleAssignment, RoleScope};
use guerdon_domain::date::Date;
use guerdon_domain::fault::{Fault, Faults, join};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::AppError;
use crate::idgen::IdGen;

/// A role as a token's claim or a key says it: `{"role": "CHANNEL_MANAGER", "regions": ["EMEA"], "until": "2027-01-01"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleClaim {
    /// The role, in capitals.
    pub role: String,
    /// The partners that it reaches, by code. Roles of a partner's company need them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partners: Vec<String>,
    /// The regions that it reaches, by key; regions below them are within.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// The sources that it may write facts of; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The benefits that it may ask for; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub benefits: Vec<String>,
    /// The first day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// The first day on which it holds no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// Roles of one credential at most.
const ROLES_MAX: usize = 50;
/// Members of one list of a role at most.
const MEMBERS_MAX: usize = 500;

impl RoleClaim {
    /// `role` without bounds.
    pub fn new(role: Role) -> Self {
        let role = role.word().to_owned();
        Self { role, partners: Vec::new(), regions: Vec::new(), sources: Vec::new(), benefits: Vec::new(), from: None, until: None }
    }

    /// The assignment. Refused: an unknown role, partners together with regions, a role that needs a bound without one.
    pub fn assignment(&self) -> Result<RoleAssignment, Faults> {
        let mut faults = Faults::new();
        let role = Role::from_word(&self.role).filter(|role| role.is_assignable());
        let lists = [("partners", &self.partners), ("regions", &self.regions), ("sources", &self.sources), ("benefits", &self.benefits)];
        for (name, _) in lists.iter().filter(|(_, list)| list.len() > MEMBERS_MAX) {
            faults.add("TOO_MANY", *name, format!("at most {MEMBERS_MAX}"));
        }
        let scope = match (self.partners.is_empty(), self.regions.is_empty()) {
            (true, true) => RoleScope::All,
            (false, true) => RoleScope::Partners(self.partners.clone()),
            (true, false) => RoleScope::Regions(self.regions.clone()),
            (false, false) => {
                faults.add("ROLE_SCOPE", "regions", "either partners or regions: give the role twice to have both");
                RoleScope::All
            }
        };
        match role {
            None => faults.add("UNKNOWN_ROLE", "role", format!("not a role: {}", assignable().join(", "))),
            Some(role) if role.is_partner_role() && !matches!(scope, RoleScope::Partners(_)) => {
                faults.add("ROLE_SCOPE", "partners", format!("{role} needs the codes of its partners"));
            }
            Some(Role::ChannelManager) if scope == RoleScope::All => faults.add("ROLE_SCOPE", "regions", "CHANNEL_MANAGER needs the keys of its regions"),
            Some(_) => {}
        }
        let assignment = RoleAssignment {
            role: role.unwrap_or(Role::PartnerViewer),
            scope,
            from: self.from,
            until: self.until,
            sources: self.sources.clone(),
            benefits: self.benefits.clone(),
        };
        faults.or(assignment)
    }
}

/// The roles that a token or a key may carry, by their words.
pub fn assignable() -> Vec<&'static str> {
    Role::ALL.iter().filter(|role| role.is_assignable()).map(|role| role.word()).collect()
}

/// The assignments of all claims, or every fault.
pub fn assignments(claims: &[RoleClaim]) -> Result<Vec<RoleAssignment>, Faults> {
    let mut faults = Faults::new();
    if claims.len() > ROLES_MAX {
        faults.add("TOO_MANY", "", format!("at most {ROLES_MAX} roles"));
    }
    let mut held = Vec::new();
    for (index, claim) in claims.iter().take(ROLES_MAX).enumerate() {
        match claim.assignment() {
            Ok(one) => held.push(one),
            Err(Faults(found)) => faults.0.extend(found.into_iter().map(|fault| Fault { path: join(&format!("[{index}]"), &fault.path), ..fault })),
        }
    }
    faults.or(held)
}

/// Whoever holds a role of a machine is one, and decides nothing.
pub fn kind_of(roles: &[RoleAssignment]) -> ActorKind {
    let machine = |role: Role| matches!(role, Role::ContentService | Role::AssetPublisher | Role::ImportService);
    if roles.iter().any(|held| machine(held.role)) { ActorKind::Service } else { ActorKind::Person }
}

/// The actor behind an API key of `person`: a machine, whatever its roles.
pub fn key_actor(person: &str, public_id: &str, roles: Vec<RoleAssignment>) -> Actor {
    Actor { person: person.to_owned(), credential: format!("key:{public_id}"), kind: ActorKind::Service, roles }
}

/// Every key begins with this, so that scanners find lost ones.
pub const KEY_PREFIX: &str = "gdn_";
const PUBLIC_CHARS: usize = 16;
const SECRET_CHARS: usize = 64;
const CHECKSUM_CHARS: usize = 8;

/// A new API key: shown once, and never again.
pub struct NewKey {
    /// The whole key, for its owner.
    pub key: String,
    /// What it is looked up by; no secret.
    pub public_id: String,
    /// What is kept of the secret.
    pub digest: [u8; 32],
}

/// Makes a key: `gdn_`, 16 characters to look it up by, 64 of secret (256 bits), 8 of checksum.
pub fn new_key(ids: &dyn IdGen) -> Result<NewKey, AppError> {
    let public: String = hex(&ids.secret()?).chars().take(PUBLIC_CHARS).collect();
    let secret = hex(&ids.secret()?);
    let body = format!("{KEY_PREFIX}{public}_{secret}");
    let key = format!("{body}{}", checksum(&body));
    Ok(NewKey { key, public_id: public, digest: digest(&secret) })
}

/// A key as it was sent, well-formed and not yet known to be right.
#[derive(Debug, PartialEq, Eq)]
pub struct SentKey {
    /// What it is looked up by.
    pub public_id: String,
    digest: [u8; 32],
}

impl SentKey {
    /// Takes a key apart; none if it is not spelled like one, or its checksum says that it was mistyped.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(KEY_PREFIX)?;
        let well_formed = rest.len() == PUBLIC_CHARS + 1 + SECRET_CHARS + CHECKSUM_CHARS && rest.is_ascii();
        let (public, tail) = if well_formed { rest.split_once('_')? } else { return None };
        let (secret, sum) = tail.split_at_checked(SECRET_CHARS)?;
        if public.len() != PUBLIC_CHARS || checksum(&format!("{KEY_PREFIX}{public}_{secret}")) != sum {
            return None;
        }
        Some(Self { public_id: public.to_owned(), digest: digest(secret) })
    }

    /// Whether it is the key of which `kept` is kept; compared in constant time.
    pub fn matches(&self, kept: &[u8]) -> bool {
        self.digest.as_slice().ct_eq(kept).into()
    }
}

fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn checksum(body: &str) -> String {
    hex(&digest(body)).chars().take(CHECKSUM_CHARS).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idgen::SystemIds;

    #[test]
    fn a_key_matches_itself_and_nothing_else() {
        let (one, other) = (new_key(&SystemIds).unwrap(), new_key(&SystemIds).unwrap());
        let sent = SentKey::read(&one.key).unwrap();
        assert_eq!(sent.public_id, one.public_id);
        assert!(sent.matches(&one.digest) && !sent.matches(&other.digest) && !sent.matches(&[]));
        assert!(!one.key.contains(&hex(&one.digest)));
    }

    #[test]
    fn a_mistyped_key_is_no_key() {
        let key = new_key(&SystemIds).unwrap().key;
        let swapped = if key.ends_with('0') { "1" } else { "0" };
        for bad in ["", "gdn_", "x", &key[1..], &format!("{}{swapped}", &key[..key.len() - 1]), &format!("{key}0"), &key.replace("gdn_", "gdn-")] {
            assert_eq!(SentKey::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn claims_are_judged_whole() {
        let claims: Vec<RoleClaim> = serde_json::from_str(
            r#"[{"role":"SYSTEM"},{"role":"PARTNER_VIEWER"},{"role":"CHANNEL_MANAGER"},{"role":"AUDITOR","partners":["a"],"regions":["b"]},{"role":"ADMIN"}]"#,
        )
        .unwrap();
        let paths: Vec<String> = assignments(&claims).unwrap_err().0.into_iter().map(|fault| fault.path).collect();
        assert_eq!(paths, ["[0].role", "[1].partners", "[2].regions", "[3].regions"]);
        assert!(serde_json::from_str::<RoleClaim>(r#"{"role":"ADMIN","everything":true}"#).is_err());
    }

    #[test]
    fn machines_are_known_by_their_roles() {
        let roles = |role: Role| assignments(&[RoleClaim::new(role), RoleClaim::new(Role::Auditor)]).unwrap();
        assert_eq!(kind_of(&roles(Role::ImportService)), ActorKind::Service);
        assert_eq!(kind_of(&roles(Role::FinanceApprover)), ActorKind::Person);
    }
}
