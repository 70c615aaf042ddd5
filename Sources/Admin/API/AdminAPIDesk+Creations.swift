import Domain
import Ledger

extension AdminAPIDesk {
    // MARK: Creations that are made once

    /// The client's word that a creation is to take effect once; nil without one.
    func claim(
        _ request: AdminRequest, _ caller: AdminKeyEntry
    ) throws(AdminFault) -> CreationClaim? {
        let names = request.values(of: "idempotency-key")
        guard let name = names.first else { return nil }
        guard names.count == 1, (1...255).contains(name.utf8.count),
            name.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw .invalid(
                "invalid_idempotency_key",
                "An Idempotency-Key is one header of 1 to 255 visible ASCII characters.",
                "A random UUID is a good one.")
        }
        return CreationClaim(
            author: caller.id, name: Array(name.utf8),
            request: Array("\(request.method) \(request.path)\n".utf8) + request.body)
    }

    /// What a creation made that is repeated: the thing as it is now, and never its secret.
    func repeated(
        _ id: Int64, _ question: AdminQuestion
    ) throws(AdminFault) -> AdminResponse {
        let found: Record?
        do throws(AdminFailure) {
            found = try made(id, question)
        } catch {
            throw AdminFault(error)
        }
        guard var record = found else {
            throw AdminFault(
                status: 409, code: "creation_is_gone",
                message: "This Idempotency-Key made something that was deleted since.",
                advice: "Nothing was made. Use another Idempotency-Key to make it anew.")
        }
        if question.route.creation == .key || question.route.creation == .adminKey {
            record.fields.insert(("key", .missing), at: 1)
            record.fields.append(
                (
                    AdminRoutes.secretNote,
                    .text(
                        "The secret was told once, in the answer to the first request. If that "
                            + "was lost, rotate or revoke this key.")
                ))
        }
        return AdminResponse(
            status: 200, headers: [("idempotent-replayed", "true")],
            body: AdminJSON.record(record).bytes)
    }

    private func made(
        _ id: Int64, _ question: AdminQuestion
    ) throws(AdminFailure) -> Record? {
        let keyID = KeyID(rawValue: UInt64(bitPattern: id))
        if question.route.creation == .organization {
            return try ledger.findOrganization(OrganizationID(rawValue: id)).map(
                OrganizationCommand.record)
        }
        if question.route.creation == .adminKey {
            return try ledger.findAdminKey(keyID).map(AdminKeyView.record)
        }
        guard let organization = try ledger.findOrganization(question.names["organization"] ?? "")
        else { return nil }
        if question.route.creation == .team {
            return try ledger.teams(in: organization).first { $0.id.rawValue == id }.map {
                TeamCommand.record($0, organization)
            }
        }
        return try ledger.findKey(keyID, in: organization).map {
            KeyView.record($0, organization)
        }
    }
}
