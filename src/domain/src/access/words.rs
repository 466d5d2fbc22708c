//! The words of the policy: roles, actions and resources.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Writes an enum whose values have one spelling, in capitals, with a list of all of them.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $value:ident = $word:literal),+ $(,)? }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$inner])* #[serde(rename = $word)] $value),+
        }

        impl $name {
            /// All of them, in the order of the policy.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// The one spelling.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word),+
                }
            }

            /// The value with this spelling.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// A role. Held together with a scope.
    Role {
        /// Reads what belongs to its own company.
        PartnerViewer = "PARTNER_VIEWER",
        /// Also acts for its own company.
        PartnerAdmin = "PARTNER_ADMIN",
        /// Looks after the partners of regions.
        ChannelManager = "CHANNEL_MANAGER",
        /// Drafts and simulates the rules.
        ProgramDesigner = "PROGRAM_DESIGNER",
        /// Prepares what moves money.
        FinancePreparer = "FINANCE_PREPARER",
        /// Approves what moves money, and publishes the rules.
        FinanceApprover = "FINANCE_APPROVER",
        /// A machine that asks whether a partner may see something.
        ContentService = "CONTENT_SERVICE",
        /// A machine that keeps the catalogue of assets.
        AssetPublisher = "ASSET_PUBLISHER",
        /// A machine that brings facts.
        ImportService = "IMPORT_SERVICE",
        /// Reads all, writes nothing.
        Auditor = "AUDITOR",
        /// Configuration and users, no money decisions.
        Admin = "ADMIN",
        /// The service itself. No token and no key can carry it.
        System = "SYSTEM",
    }
}

impl Role {
    /// Whether it belongs to a partner's company, so that it reaches named partners and nothing else.
    pub const fn is_partner_role(self) -> bool {
        matches!(self, Self::PartnerViewer | Self::PartnerAdmin)
    }

    /// Whether a token or a key may carry it.
    pub const fn is_assignable(self) -> bool {
        !matches!(self, Self::System)
    }
}

words! {
    /// What is done.
    Action {
        /// Looks.
        Read = "READ",
        /// Makes, changes or ends.
        Write = "WRITE",
        /// Prepares what another one decides.
        Propose = "PROPOSE",
        /// Decides what another one prepared.
        Approve = "APPROVE",
        /// Puts into force for everybody: rules, or entries in the books.
        Publish = "PUBLISH",
        /// Makes undone by an opposite entry, or opens again what was closed.
        Reverse = "REVERSE",
    }
}

words! {
    /// What it is done to.
    Resource {
        /// Code, name, type, region, parent, status of a partner.
        Partner = "PARTNER",
        /// Contact data of a partner.
        PartnerContact = "PARTNER_CONTACT",
        /// Users of a partner's company, and their roles.
        CompanyUser = "COMPANY_USER",
        /// A partner in a program, and its track.
        Enrollment = "ENROLLMENT",
        /// Tier, tier history, standing, gaps.
        Tier = "TIER",
        /// A pin, floor or ceiling of a partner's tier.
        TierOverride = "TIER_OVERRIDE",
        /// A review: judging partners and recording their tiers.
        Review = "REVIEW",
        /// An application for a tier.
        Application = "APPLICATION",
        /// An invitation to a tier.
        Invitation = "INVITATION",
        /// The approval of a tier that is entered by approval.
        TierApproval = "TIER_APPROVAL",
        /// A contract with a partner.
        Contract = "CONTRACT",
        /// Published rules.
        Program = "PROGRAM",
        /// Rules not yet published.
        ProgramDraft = "PROGRAM_DRAFT",
        /// What would change if the rules or the facts changed.
        Simulation = "SIMULATION",
        /// Sale lines.
        Transaction = "TRANSACTION",
        /// Certifications, subscriptions, attestations, memberships.
        Holding = "HOLDING",
        /// Dated measurements.
        Activity = "ACTIVITY",
        /// Registered opportunities.
        Deal = "DEAL",
        /// A question about a transaction or a statement line.
        Dispute = "DISPUTE",
        /// A batch of facts: staged, sealed.
        ImportBatch = "IMPORT_BATCH",
        /// Products and their categories.
        Product = "PRODUCT",
        /// Targets and quotas of a partner.
        Target = "TARGET",
        /// Money set aside, and its cap.
        Budget = "BUDGET",
        /// A request for marketing money.
        MdfRequest = "MDF_REQUEST",
        /// A claim against a request, with its proof.
        MdfClaim = "MDF_CLAIM",
        /// What a partner has of marketing money.
        Fund = "FUND",
        /// A run over one period: draft, calculate, submit, approve, post, reverse.
        RebateRun = "REBATE_RUN",
        /// What an open period has earned so far.
        Estimate = "ESTIMATE",
        /// Statements and their lines.
        Statement = "STATEMENT",
        /// The catalogue of benefits.
        Benefit = "BENEFIT",
        /// What a partner is entitled to, and why.
        Entitlement = "ENTITLEMENT",
        /// A benefit given to, changed for or taken from one partner.
        EntitlementException = "ENTITLEMENT_EXCEPTION",
        /// Consuming and releasing an allowance.
        AllowanceUse = "ALLOWANCE_USE",
        /// The catalogue of assets and their gates.
        Asset = "ASSET",
        /// Whether a partner may see an asset, or do something: also over AuthZEN.
        AccessDecision = "ACCESS_DECISION",
        /// Exchange rates and rounding settings.
        ExchangeRate = "EXCHANGE_RATE",
        /// Addresses that events are delivered to.
        Webhook = "WEBHOOK",
        /// Keys of machines.
        ApiKey = "API_KEY",
        /// Who did what.
        AuditTrail = "AUDIT_TRAIL",
        /// Closing a period, and opening it again.
        PeriodLock = "PERIOD_LOCK",
        /// The balances and entries of the books.
        Ledger = "LEDGER",
        /// Background work and its progress.
        Job = "JOB",
        /// The schema, by introspection.
        Schema = "SCHEMA",
    }
}
