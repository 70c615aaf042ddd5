import Domain
import Ledger

/// What the lists of the admin HTTP API ask of the ledger: one page, however long the list is. Each
/// has at most as many rows as the page asks for, in an order that stays the same from page to page.
protocol PagingLedger {
    /// Organizations, in an order of their names; one alone where the page is bound to it.
    func organizations(_ page: AdminPage.Request) throws(AdminFailure) -> [OrganizationEntry]
    /// The organization's teams, in an order of their names.
    func teams(
        in organization: OrganizationEntry, _ page: AdminPage.Request
    ) throws(AdminFailure) -> [TeamEntry]
    /// The organization's keys, or one team's, in the order of their ids.
    func keys(
        in organization: OrganizationEntry, of team: TeamEntry?, _ selection: KeySelection,
        _ page: AdminPage.Request
    ) throws(AdminFailure) -> [KeyEntry]
    /// Keys of this API, or those of one organization, in the order of their ids.
    func adminKeys(
        of organization: OrganizationEntry?, isUsable: Bool, _ page: AdminPage.Request
    ) throws(AdminFailure) -> [AdminKeyEntry]
}

extension AdminPage.Request {
    /// The page of a list in an order of names.
    var byName: ListPage<String> { ListPage(after: after?.parts.first, limit: limit) }

    /// The page of a list in the order of keys' ids.
    var byKey: ListPage<KeyID> {
        ListPage(after: after?.parts.first.flatMap { KeyID($0) }, limit: limit)
    }
}

extension ConfiguredLedger {
    func organizations(_ page: AdminPage.Request) throws(AdminFailure) -> [OrganizationEntry] {
        if let own = page.only {
            guard page.byName.after != own, let found = try findOrganization(own) else {
                return []
            }
            return [found]
        }
        return try asking { store throws(LedgerError) in
            try store.organizations.page(page.byName)
        }.map(entry)
    }

    func teams(
        in organization: OrganizationEntry, _ page: AdminPage.Request
    ) throws(AdminFailure) -> [TeamEntry] {
        let owner = try value(organization)
        return try asking { store throws(LedgerError) in
            try store.teams.page(organization: owner, page.byName)
        }.map(entry)
    }

    func keys(
        in organization: OrganizationEntry, of team: TeamEntry?, _ selection: KeySelection,
        _ page: AdminPage.Request
    ) throws(AdminFailure) -> [KeyEntry] {
        let owner = try value(organization)
        let group = try team.map { team throws(AdminFailure) in try value(team, in: organization) }
        return try asking { store throws(LedgerError) in
            try store.keys.page(organization: owner, team: group, selection, page.byKey)
        }.map(Self.entry)
    }

    func adminKeys(
        of organization: OrganizationEntry?, isUsable: Bool, _ page: AdminPage.Request
    ) throws(AdminFailure) -> [AdminKeyEntry] {
        try named(
            try asking { store throws(LedgerError) in
                try store.adminKeys.page(
                    organization: organization?.id, isUsable: isUsable, page.byKey)
            })
    }
}
