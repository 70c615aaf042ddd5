import Domain
import Ledger

@testable import Admin

/// Pages of lists that the fake holds whole.
extension FakeAdminLedger {
    private func page<Entry>(
        _ all: [Entry], _ page: AdminPage.Request, by key: (Entry) -> String
    ) -> [Entry] {
        let after = page.after?.parts.first
        return Array(
            all.filter { entry in after.map { $0 < key(entry) } ?? true }
                .sorted { key($0) < key($1) }.prefix(page.limit))
    }

    func organizations(_ page: AdminPage.Request) throws(AdminFailure) -> [OrganizationEntry] {
        let all = try organizations().filter { page.only == nil || $0.name == page.only }
        return self.page(all, page, by: \.name)
    }

    func teams(
        in organization: OrganizationEntry, _ page: AdminPage.Request
    ) throws(AdminFailure) -> [TeamEntry] {
        self.page(try teams(in: organization), page, by: \.name)
    }

    func keys(
        in organization: OrganizationEntry, of team: TeamEntry?, _ selection: KeySelection,
        _ page: AdminPage.Request
    ) throws(AdminFailure) -> [KeyEntry] {
        let all = try keys(in: organization, of: team).filter {
            selection.has($0.state, pepper: $0.pepper)
        }
        return self.page(all, page, by: \.id.description)
    }

    func adminKeys(
        of organization: OrganizationEntry?, isUsable: Bool, _ page: AdminPage.Request
    ) throws(AdminFailure) -> [AdminKeyEntry] {
        let all = try adminKeys(of: organization).filter { !isUsable || $0.isUsable }
        return self.page(all, page, by: \.id.description)
    }
}
