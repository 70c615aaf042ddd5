import ArgumentParser
import Domain
import Ledger
import Logging

/// Answers one request of the admin HTTP API on a thread that may wait for the ledger.
struct AdminAPIDesk {
    let ledger: ConfiguredLedger
    let peppers: [Ledger.Pepper]
    let logger: Logger

    /// The straight line: who asks, whether they may, what they ask, the command, its answer.
    func answer(
        _ request: AdminRequest, _ route: AdminRoute, _ values: [String]
    ) throws(AdminFault) -> AdminResponse {
        let caller = try authenticate(request)
        ledger.act(as: caller.author)
        try AdminAccess.check(caller, route)
        var question = try AdminQuestion(request, route, values: values)
        try AdminAccess.bind(&question, to: caller, ledger)
        if route.creation != nil { ledger.claim = try claim(request, caller) }
        do throws(Refusal) {
            return try respond(try run(question), to: question, caller)
        } catch {
            if case .repeated(let id) = error.failure.cause {
                return try repeated(id, question)
            }
            if error.failure.cause == .broken {
                logger.error(
                    "the ledger refused an administrator's request",
                    metadata: ["reason": "\(error.failure.advice ?? error.failure.message)"])
            }
            throw error.fault ?? AdminFault(error.failure)
        }
    }

    private func authenticate(_ request: AdminRequest) throws(AdminFault) -> AdminKeyEntry {
        let secret = try AdminBearer.secret(of: request)
        let found: AdminKeyEntry?
        do throws(AdminFailure) {
            found = try ledger.authenticate(secret, peppers: peppers)
        } catch {
            throw AdminFault(error)
        }
        guard let found else { throw AdminBearer.refused }
        return found
    }

    // MARK: The command

    /// What a command said, and how it ended when it said something before.
    private struct Outcome {
        let answer: AdminAnswer
        let failure: AdminFailure?
    }

    /// Why a command said nothing.
    private struct Refusal: Error {
        let failure: AdminFailure
        var fault: AdminFault?
    }

    private func run(_ question: AdminQuestion) throws(Refusal) -> Outcome {
        let type = question.route.command
        let command: any AdminSubcommand
        do {
            command = try type.parse(question.words.all)
        } catch {
            throw Refusal(
                failure: .wrongUsage("", advice: nil),
                fault: .invalid(
                    "invalid_value", AdminFault.restated(type.message(for: error)),
                    "Nothing was changed. GET /admin/openapi.json tells what is accepted."))
        }
        var said: AdminAnswer?
        let output = Output(
            width: 80, style: .plain, write: { _ in }, complain: { _ in }, ask: { _ in nil })
        var desk = AdminDesk(output: output, format: .json, ledger: ledger)
        desk.take = { said = $0 }
        do {
            try command.execute(desk)
        } catch let failure as AdminFailure {
            guard let said else { throw Refusal(failure: failure) }
            return Outcome(answer: said, failure: failure)
        } catch {
            // What is left is a value that a command reads only once it runs.
            throw Refusal(
                failure: .wrongUsage("", advice: nil),
                fault: .invalid(
                    "invalid_value", AdminFault.restated(type.message(for: error)),
                    "Nothing was changed."))
        }
        guard let said else {
            throw Refusal(failure: AdminFailure.refused("There is no answer.", advice: nil))
        }
        return Outcome(answer: said, failure: nil)
    }

    // MARK: The answer

    private func respond(
        _ outcome: Outcome, to question: AdminQuestion, _ caller: AdminKeyEntry
    ) throws(Refusal) -> AdminResponse {
        let route = question.route
        switch (route.answer, outcome.answer) {
        case (.one(let fields), .one(var record)):
            if fields.contains(AdminRoutes.secretNote) {
                record.fields.append((AdminRoutes.secretNote, .missing))
            }
            let status = route.creation == nil ? 200 : 201
            return AdminResponse(status: status, body: AdminJSON.record(record).bytes)
        case (.page(_, let by), .many(var records)):
            if route.reach == .organizations, caller.organization != nil {
                let own = Record.Value.optional(caller.organizationName)
                records = records.filter { $0.fields.first?.value == own }
            }
            let page = AdminPage(
                of: records, by: by, limit: question.limit, after: question.after)
            return Self.rows(
                page.rows,
                [
                    ("has_more", .flag(page.next != nil)),
                    ("next", page.next.map(AdminJSON.text) ?? .null),
                ])
        case (.rows, .many(let records)): return Self.rows(records, [])
        case (.verdict, .many(let records)):
            return Self.rows(
                records,
                [
                    ("passes", .flag(outcome.failure == nil)),
                    (
                        "reason",
                        outcome.failure.map {
                            .text(
                                [$0.message, $0.advice].compactMap(\.self).joined(separator: " "))
                        } ?? .null
                    ),
                ])
        case (.one, .many), (.page, .one), (.rows, .one), (.verdict, .one):
            throw Refusal(failure: .refused("The answer has another form.", advice: nil))
        }
    }

    private static func rows(
        _ records: [Record], _ more: [(String, AdminJSON)]
    ) -> AdminResponse {
        AdminResponse(
            status: 200, body: AdminJSON.object([("data", .records(records))] + more).bytes)
    }

    // MARK: Creations that are made once

    /// The client's word that a creation is to take effect once; nil without one.
    private func claim(
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
    private func repeated(
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
            return try ledger.adminKeys(of: nil).first { $0.id == keyID }.map(AdminKeyView.record)
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
