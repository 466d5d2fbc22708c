//! The policy, printed.

use std::fmt::Write as _;

use super::policy::{Condition, POLICY, Reach};
use super::words::{Resource, Role};

/// The whole policy as text: one line per resource and action, one column per role. `A` reaches as far as the role was
/// assigned, `*` is common to all, `-` is nothing; a number is a condition, named below the table.
pub fn matrix() -> String {
    let roles: Vec<Role> = Role::ALL.to_vec();
    let conditions: Vec<Condition> = conditions();
    let mut text = String::new();
    let head: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    let _ = writeln!(text, "{:<32}{}", "", head.iter().map(|word| format!("{word:<18}")).collect::<String>().trim_end());
    for row in POLICY {
        let cell = |role: &Role| {
            row.grants.iter().find(|grant| grant.role == *role).map_or_else(
                || "-".to_owned(),
                |grant| {
                    let reach = match grant.reach {
                        Reach::Assigned => "A",
                        Reach::Common => "*",
                    };
                    let number = grant.condition.and_then(|one| conditions.iter().position(|other| *other == one)).map(|at| format!(" ({})", at + 1));
                    format!("{reach}{}", number.unwrap_or_default())
                },
            )
        };
        let cells: String = roles.iter().map(|role| format!("{:<18}", cell(role))).collect();
        let _ = writeln!(text, "{:<32}{}", format!("{} {}", row.resource, row.action), cells.trim_end());
    }
    let _ = writeln!(text, "\nA: as far as the role was assigned. *: common to all partners. -: nothing. Conditions:");
    for (at, condition) in conditions.iter().enumerate() {
        let _ = writeln!(text, "({}) {}", at + 1, condition.words());
    }
    let silent: Vec<&str> = Resource::ALL.iter().filter(|one| POLICY.iter().all(|row| row.resource != **one)).map(|one| one.word()).collect();
    if !silent.is_empty() {
        let _ = writeln!(text, "Closed to everybody: {}", silent.join(", "));
    }
    text
}

/// Every condition of the table, in the order in which it first occurs.
fn conditions() -> Vec<Condition> {
    let mut found = Vec::new();
    for condition in POLICY.iter().flat_map(|row| row.grants).filter_map(|grant| grant.condition) {
        if !found.contains(&condition) {
            found.push(condition);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Action, Actor, ActorKind, Asked, RoleAssignment, RoleScope, Scope, authorize, authorize_under};
    use super::*;
    use crate::date::Date;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn person(roles: Vec<RoleAssignment>) -> Actor {
        Actor { person: "p".into(), credential: "c".into(), kind: ActorKind::Person, roles }
    }

    fn held(role: Role, scope: RoleScope) -> RoleAssignment {
        RoleAssignment::new(role, scope)
    }

    #[test]
    fn every_row_stands_once_and_every_role_in_it_once() {
        for (at, row) in POLICY.iter().enumerate() {
            assert!(!POLICY.iter().skip(at + 1).any(|other| (other.resource, other.action) == (row.resource, row.action)), "{} {}", row.resource, row.action);
            for (at, grant) in row.grants.iter().enumerate() {
                assert!(!row.grants.iter().skip(at + 1).any(|other| other.role == grant.role), "{} {} {}", row.resource, row.action, grant.role);
            }
        }
    }

    #[test]
    fn auditors_write_nothing_and_admins_decide_nothing_about_money() {
        let rights = |role: Role| POLICY.iter().filter(move |row| row.grants.iter().any(|grant| grant.role == role));
        assert!(rights(Role::Auditor).all(|row| row.action == Action::Read));
        assert!(rights(Role::Admin).all(|row| matches!(row.action, Action::Read | Action::Write)));
        let money = [Resource::RebateRun, Resource::MdfClaim, Resource::MdfRequest, Resource::Budget, Resource::Fund, Resource::Transaction, Resource::Ledger];
        assert!(rights(Role::Admin).all(|row| row.action == Action::Read || !money.contains(&row.resource)));
    }

    #[test]
    fn whoever_writes_a_run_does_not_approve_it_without_a_condition() {
        let actor = person(vec![held(Role::FinancePreparer, RoleScope::All), held(Role::FinanceApprover, RoleScope::All)]);
        let asked = Asked::new(Action::Approve, Resource::RebateRun);
        assert!(authorize(&actor, asked, day("2026-01-01")).is_err());
        assert_eq!(authorize_under(&actor, asked, day("2026-01-01"), &[Condition::NotPreparer]), Ok(Scope::All));
    }

    #[test]
    fn rights_are_judged_per_pair_and_joined_not_multiplied() {
        let actor =
            person(vec![held(Role::ChannelManager, RoleScope::Regions(vec!["EMEA".into()])), held(Role::PartnerViewer, RoleScope::Partners(vec!["X".into()]))]);
        let on = day("2026-01-01");
        let read = authorize(&actor, (Action::Read, Resource::Partner), on).unwrap();
        assert!(read.contains("X", Some("APAC")) && read.contains("Y", Some("EMEA")) && !read.contains("Y", Some("APAC")));
        let write = authorize(&actor, (Action::Write, Resource::Partner), on).unwrap();
        assert_eq!(write, Scope::Regions(vec!["EMEA".into()]));
    }

    #[test]
    fn roles_end_and_regions_expand() {
        let mut role = held(Role::ChannelManager, RoleScope::Regions(vec!["EMEA".into()]));
        role.until = Some(day("2026-02-01"));
        let actor = person(vec![role]).expand_regions(|key| vec![format!("{key}-DE")]);
        let read = (Action::Read, Resource::Tier);
        assert_eq!(authorize(&actor, read, day("2026-01-31")), Ok(Scope::Regions(vec!["EMEA".into(), "EMEA-DE".into()])));
        assert!(authorize(&actor, read, day("2026-02-01")).is_err());
    }

    #[test]
    fn without_a_scope_partner_roles_and_channel_managers_reach_nobody() {
        for role in [Role::PartnerViewer, Role::PartnerAdmin, Role::ChannelManager] {
            for scope in [RoleScope::All, RoleScope::Partners(vec![]), RoleScope::Regions(vec![])] {
                assert!(authorize(&person(vec![held(role, scope)]), (Action::Read, Resource::Partner), day("2026-01-01")).is_err());
            }
        }
        let by_region = person(vec![held(Role::PartnerViewer, RoleScope::Regions(vec!["EMEA".into()]))]);
        assert!(authorize(&by_region, (Action::Read, Resource::Partner), day("2026-01-01")).is_err());
    }

    #[test]
    fn sources_and_benefits_bound_a_right() {
        let mut importer = held(Role::ImportService, RoleScope::All);
        importer.sources = vec!["erp".into()];
        let actor = Actor { kind: ActorKind::Service, ..person(vec![importer]) };
        let asked = Asked::new(Action::Write, Resource::Transaction);
        let on = day("2026-01-01");
        assert_eq!(authorize(&actor, asked.of_source("erp"), on), Ok(Scope::All));
        assert!(authorize(&actor, asked.of_source("crm"), on).is_err());
        assert!(authorize(&actor, asked, on).is_err());
    }

    #[test]
    fn machines_approve_nothing_and_nobody_is_the_system_by_claim() {
        let on = day("2026-01-01");
        let service = Actor { kind: ActorKind::Service, ..person(vec![held(Role::FinanceApprover, RoleScope::All)]) };
        assert!(authorize(&service, (Action::Publish, Resource::Program), on).is_err());
        let forged = person(vec![held(Role::System, RoleScope::All)]);
        assert!(authorize(&forged, (Action::Read, Resource::Partner), on).is_err());
        assert_eq!(authorize(&Actor::system("test"), (Action::Write, Resource::Transaction), on), Ok(Scope::All));
    }
}
