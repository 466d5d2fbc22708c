//! The policy, as data. What is not in the table is not allowed.

use super::words::{Action, Resource, Role};

/// How far a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As far as the assignment: the own company, the regions or partners given, or all.
    Assigned,
    /// The resource belongs to no partner; everybody with the right sees the same.
    Common,
}

/// What a right asks for besides the role. The use case keeps it, and says so when it asks for the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Only what is posted.
    PostedOnly,
    /// Only without internal notes.
    WithoutInternalNotes,
    /// Only roles of a partner's company may be given.
    PartnerRolesOnly,
    /// Not his own rights.
    NotOwnRights,
    /// Up to the amount that he may decide about.
    UpToLimit,
    /// Not what he asked for himself, and up to the amount that he may decide about.
    NotOwnRequestUpToLimit,
    /// Not what he prepared or edited.
    NotPreparer,
    /// A second approver above an amount.
    SecondApproverAboveLimit,
    /// Two approvers.
    TwoApprovers,
    /// Only a change that moves no money.
    MovesNoMoney,
    /// Kept apart until approved.
    Quarantined,
    /// Only actions of users of the own company.
    UserActionsOnly,
    /// Only keys of his own or of his company.
    OwnKeys,
    /// Only with other facts of his own company, and the rules as they are.
    OwnFactsOnly,
}

impl Condition {
    /// As the printed matrix says it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::PostedOnly => "posted only",
            Self::WithoutInternalNotes => "without internal notes",
            Self::PartnerRolesOnly => "partner roles only",
            Self::NotOwnRights => "not own rights",
            Self::UpToLimit => "up to limit",
            Self::NotOwnRequestUpToLimit => "not own request, up to limit",
            Self::NotPreparer => "not the preparer",
            Self::SecondApproverAboveLimit => "second approver above limit",
            Self::TwoApprovers => "two approvers",
            Self::MovesNoMoney => "moves no money",
            Self::Quarantined => "quarantined",
            Self::UserActionsOnly => "user actions only",
            Self::OwnKeys => "own keys",
            Self::OwnFactsOnly => "own facts only",
        }
    }
}

/// One right of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub role: Role,
    /// How far.
    pub reach: Reach,
    /// Under which condition.
    pub condition: Option<Condition>,
}

/// Who may do one action on one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it is done to.
    pub resource: Resource,
    /// What is done.
    pub action: Action,
    /// By whom.
    pub grants: &'static [Grant],
}

const fn assigned(role: Role) -> Grant {
    Grant { role, reach: Reach::Assigned, condition: None }
}

const fn common(role: Role) -> Grant {
    Grant { role, reach: Reach::Common, condition: None }
}

const fn under(grant: Grant, condition: Condition) -> Grant {
    Grant { condition: Some(condition), ..grant }
}

const VIEWER: Role = Role::PartnerViewer;
const PARTNER: Role = Role::PartnerAdmin;
const CHANNEL: Role = Role::ChannelManager;
const DESIGNER: Role = Role::ProgramDesigner;
const PREPARER: Role = Role::FinancePreparer;
const APPROVER: Role = Role::FinanceApprover;
const CONTENT: Role = Role::ContentService;
const PUBLISHER: Role = Role::AssetPublisher;
const IMPORTER: Role = Role::ImportService;
const AUDITOR: Role = Role::Auditor;
const ADMIN: Role = Role::Admin;
const SYSTEM: Role = Role::System;

macro_rules! row {
    ($resource:ident $action:ident: $($grant:expr),+ $(,)?) => {
        Row { resource: Resource::$resource, action: Action::$action, grants: &[$($grant,)+ common(SYSTEM)] }
    };
}

/// The policy. One row per resource and action; the rows of a resource stand together.
pub const POLICY: &[Row] = &[
    row!(Partner Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Partner Write: assigned(CHANNEL), assigned(ADMIN)),
    row!(PartnerContact Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(PartnerContact Write: assigned(PARTNER), assigned(CHANNEL), assigned(ADMIN)),
    row!(CompanyUser Read: assigned(PARTNER), assigned(CHANNEL), assigned(AUDITOR), assigned(ADMIN)),
    row!(CompanyUser Write: under(assigned(PARTNER), Condition::PartnerRolesOnly), under(assigned(ADMIN), Condition::NotOwnRights)),
    row!(Enrollment Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Enrollment Write: assigned(CHANNEL), assigned(ADMIN)),
    row!(Tier Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(TierOverride Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(TierOverride Propose: assigned(CHANNEL)),
    row!(TierOverride Approve: under(assigned(APPROVER), Condition::NotPreparer)),
    row!(Review Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Review Write: assigned(CHANNEL), assigned(DESIGNER)),
    row!(Application Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Application Write: assigned(PARTNER)),
    row!(Application Approve: assigned(CHANNEL)),
    row!(Application Reverse: under(assigned(CHANNEL), Condition::NotPreparer), under(assigned(APPROVER), Condition::NotPreparer)),
    row!(Invitation Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Invitation Write: assigned(CHANNEL)),
    row!(Invitation Approve: assigned(PARTNER)),
    row!(Invitation Reverse: under(assigned(CHANNEL), Condition::NotPreparer), under(assigned(APPROVER), Condition::NotPreparer)),
    row!(TierApproval Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(TierApproval Propose: assigned(CHANNEL)),
    row!(TierApproval Approve: under(assigned(CHANNEL), Condition::NotPreparer), under(assigned(APPROVER), Condition::NotPreparer)),
    row!(TierApproval Reverse: under(assigned(CHANNEL), Condition::NotPreparer), under(assigned(APPROVER), Condition::NotPreparer)),
    row!(Contract Read: under(assigned(VIEWER), Condition::WithoutInternalNotes), under(assigned(PARTNER), Condition::WithoutInternalNotes), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Contract Write: assigned(CHANNEL)),
    row!(Contract Approve: under(assigned(APPROVER), Condition::NotPreparer)),
    row!(Program Read: common(VIEWER), common(PARTNER), common(CHANNEL), common(DESIGNER), common(PREPARER), common(APPROVER), common(CONTENT), common(PUBLISHER), common(IMPORTER), common(AUDITOR), common(ADMIN)),
    row!(Program Publish: common(APPROVER), under(common(DESIGNER), Condition::MovesNoMoney)),
    row!(ProgramDraft Read: common(DESIGNER), common(PREPARER), common(APPROVER), common(AUDITOR), common(ADMIN)),
    row!(ProgramDraft Write: common(DESIGNER)),
    row!(ProgramDraft Approve: under(common(APPROVER), Condition::NotPreparer)),
    row!(Simulation Read: under(assigned(VIEWER), Condition::OwnFactsOnly), under(assigned(PARTNER), Condition::OwnFactsOnly), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(Transaction Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Transaction Write: assigned(IMPORTER)),
    row!(Holding Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Holding Write: assigned(IMPORTER)),
    row!(Activity Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Activity Write: assigned(IMPORTER)),
    row!(Deal Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Deal Propose: assigned(PARTNER), assigned(CHANNEL)),
    row!(Deal Approve: assigned(CHANNEL)),
    row!(Deal Write: assigned(IMPORTER)),
    row!(Dispute Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(Dispute Write: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL)),
    row!(Dispute Approve: assigned(PREPARER), assigned(APPROVER)),
    row!(ImportBatch Read: assigned(PREPARER), assigned(APPROVER), assigned(IMPORTER), assigned(AUDITOR), assigned(ADMIN)),
    row!(ImportBatch Write: assigned(PREPARER), assigned(APPROVER), assigned(IMPORTER)),
    row!(Product Read: common(VIEWER), common(PARTNER), common(CHANNEL), common(DESIGNER), common(PREPARER), common(APPROVER), common(IMPORTER), common(AUDITOR), common(ADMIN)),
    row!(Product Write: common(DESIGNER), common(IMPORTER), common(ADMIN)),
    row!(Target Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Target Write: assigned(CHANNEL)),
    row!(Target Approve: under(assigned(APPROVER), Condition::NotPreparer)),
    row!(Budget Read: assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(Budget Propose: assigned(PREPARER)),
    row!(Budget Approve: under(assigned(APPROVER), Condition::NotPreparer)),
    row!(MdfRequest Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(MdfRequest Write: assigned(PARTNER), assigned(CHANNEL)),
    row!(MdfRequest Approve: under(assigned(CHANNEL), Condition::NotOwnRequestUpToLimit), under(assigned(PREPARER), Condition::UpToLimit), under(assigned(APPROVER), Condition::NotPreparer)),
    row!(MdfClaim Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(MdfClaim Write: assigned(PARTNER)),
    row!(MdfClaim Approve: under(assigned(CHANNEL), Condition::NotOwnRequestUpToLimit), under(assigned(PREPARER), Condition::UpToLimit), under(assigned(APPROVER), Condition::NotPreparer)),
    row!(MdfClaim Publish: under(assigned(APPROVER), Condition::SecondApproverAboveLimit)),
    row!(Fund Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(Fund Propose: assigned(PREPARER)),
    row!(Fund Approve: under(assigned(APPROVER), Condition::NotPreparer)),
    row!(RebateRun Read: under(assigned(CHANNEL), Condition::PostedOnly), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(RebateRun Write: assigned(PREPARER)),
    row!(RebateRun Approve: under(assigned(APPROVER), Condition::NotPreparer)),
    row!(RebateRun Publish: under(assigned(APPROVER), Condition::SecondApproverAboveLimit)),
    row!(RebateRun Reverse: under(assigned(APPROVER), Condition::SecondApproverAboveLimit)),
    row!(Estimate Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(Statement Read: under(assigned(VIEWER), Condition::PostedOnly), under(assigned(PARTNER), Condition::PostedOnly), under(assigned(CHANNEL), Condition::PostedOnly), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(Benefit Read: common(VIEWER), common(PARTNER), common(CHANNEL), common(DESIGNER), common(PREPARER), common(APPROVER), common(CONTENT), common(PUBLISHER), common(AUDITOR), common(ADMIN)),
    row!(Benefit Write: common(DESIGNER), common(ADMIN)),
    row!(Entitlement Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(CONTENT), assigned(AUDITOR), assigned(ADMIN)),
    row!(EntitlementException Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(EntitlementException Propose: assigned(CHANNEL)),
    row!(EntitlementException Approve: under(assigned(APPROVER), Condition::NotPreparer)),
    row!(AllowanceUse Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(CONTENT), assigned(AUDITOR)),
    row!(AllowanceUse Write: assigned(PARTNER), assigned(CHANNEL), assigned(CONTENT)),
    row!(Asset Read: common(CHANNEL), common(DESIGNER), common(CONTENT), common(PUBLISHER), common(AUDITOR), common(ADMIN)),
    row!(Asset Write: common(PUBLISHER), common(ADMIN)),
    row!(AccessDecision Read: assigned(VIEWER), assigned(PARTNER), assigned(CHANNEL), assigned(DESIGNER), assigned(PREPARER), assigned(APPROVER), assigned(CONTENT), assigned(AUDITOR), assigned(ADMIN)),
    row!(ExchangeRate Read: common(CHANNEL), common(DESIGNER), common(PREPARER), common(APPROVER), common(IMPORTER), common(AUDITOR), common(ADMIN)),
    row!(ExchangeRate Propose: common(PREPARER)),
    row!(ExchangeRate Approve: under(common(APPROVER), Condition::NotPreparer)),
    row!(ExchangeRate Write: under(common(IMPORTER), Condition::Quarantined)),
    row!(Webhook Read: assigned(PARTNER), assigned(AUDITOR), assigned(ADMIN)),
    row!(Webhook Write: assigned(PARTNER), assigned(ADMIN)),
    row!(ApiKey Read: under(assigned(PARTNER), Condition::OwnKeys), under(common(CHANNEL), Condition::OwnKeys), under(common(PREPARER), Condition::OwnKeys), under(common(APPROVER), Condition::OwnKeys), assigned(AUDITOR), assigned(ADMIN)),
    row!(ApiKey Write: under(assigned(PARTNER), Condition::OwnKeys), under(common(CHANNEL), Condition::OwnKeys), under(common(PREPARER), Condition::OwnKeys), under(common(APPROVER), Condition::OwnKeys), under(assigned(ADMIN), Condition::NotOwnRights)),
    row!(AuditTrail Read: under(assigned(PARTNER), Condition::UserActionsOnly), assigned(CHANNEL), assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR), assigned(ADMIN)),
    row!(PeriodLock Read: common(PREPARER), common(APPROVER), common(AUDITOR)),
    row!(PeriodLock Write: common(PREPARER)),
    row!(PeriodLock Reverse: under(common(APPROVER), Condition::TwoApprovers)),
    row!(Ledger Read: assigned(PREPARER), assigned(APPROVER), assigned(AUDITOR)),
    row!(Job Read: common(DESIGNER), common(PREPARER), common(APPROVER), common(IMPORTER), common(AUDITOR), common(ADMIN)),
    row!(Schema Read: common(ADMIN)),
];
