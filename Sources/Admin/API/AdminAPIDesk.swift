import ArgumentParser
import Domain
import Ledger
import Logging

/// Answers one request of the admin HTTP API on a thread that may wait for the ledger.
struct AdminAPIDesk {
    let ledger: ConfiguredLedger
    let peppers: [Ledger.Pepper]
    let logger: Logger

    /// What a request is answered.
    enum Answered: Sendable {
        case whole(AdminResponse)
        /// An export, which has just begun.
        case export(AdminExport.Plan, AdminExport.Page)
    }

    /// The straight line: who asks, whether they may, what they ask, the command, its answer.
    func answer(
        _ request: AdminRequest, _ route: AdminRoute, _ values: [String]
    ) throws(AdminFault) -> Answered {
        let caller = try authenticate(request)
        ledger.act(as: caller.author)
        try AdminAccess.check(caller, route)
        var question = try AdminQuestion(request, route, values: values)
        try AdminAccess.bind(&question, to: caller, ledger)
        if route.creation != nil { ledger.claim = try claim(request, caller) }
        do throws(Refusal) {
            if case .stream = route.answer { return try export(question, request) }
            return .whole(try respond(try run(question, caller), to: question))
        } catch {
            if case .repeated(let id) = error.failure.cause {
                return .whole(try repeated(id, question))
            }
            if error.failure.cause == .broken {
                logger.error(
                    "the ledger refused an administrator's request",
                    metadata: ["reason": "\(error.failure.advice ?? error.failure.message)"])
            }
            throw error.fault ?? AdminFault(error.failure)
        }
    }

    func authenticate(_ request: AdminRequest) throws(AdminFault) -> AdminKeyEntry {
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
        /// What it complained of beside.
        let complaint: String
    }

    /// Why a command said nothing.
    private struct Refusal: Error {
        let failure: AdminFailure
        var fault: AdminFault?

        init(failure: AdminFailure) { self.failure = failure }

        /// A value that a command cannot read.
        init(_ type: any AdminSubcommand.Type, _ error: any Error, _ advice: String) {
            failure = .wrongUsage("", advice: nil)
            fault = .invalid(
                "invalid_value", AdminFault.restated(type.message(for: error)), advice)
        }
    }

    private func parse(_ question: AdminQuestion) throws(Refusal) -> any AdminSubcommand {
        let type = question.route.command
        do {
            return try type.parse(question.words.all)
        } catch {
            throw Refusal(
                type, error,
                "Nothing was changed. GET /admin/openapi.json tells what is accepted.")
        }
    }

    private func desk(_ complain: @escaping (String) -> Void) -> AdminDesk {
        let output = Output(
            width: 80, style: .plain, write: { _ in }, complain: complain, ask: { _ in nil })
        return AdminDesk(output: output, format: .json, ledger: ledger)
    }

    private func run(
        _ question: AdminQuestion, _ caller: AdminKeyEntry
    ) throws(Refusal) -> Outcome {
        let command = try parse(question)
        var (said, complaint): (AdminAnswer?, String) = (nil, "")
        var desk = desk { complaint += $0 }
        desk.take = { said = $0 }
        desk.file = question.file
        if case .page = question.route.answer {
            let isBound = question.route.reach == .organizations && caller.organization != nil
            desk.page = AdminPage.Request(
                limit: question.limit + 1, after: question.after,
                only: isBound ? caller.organizationName ?? "" : nil)
        }
        var failure: AdminFailure?
        do {
            try command.execute(desk)
        } catch let refused as AdminFailure {
            failure = refused
        } catch {
            // What is left is a value that a command reads only once it runs.
            throw Refusal(question.route.command, error, "Nothing was changed.")
        }
        guard let said else {
            var refusal = Refusal(
                failure: failure ?? .refused("There is no answer.", advice: nil))
            if question.file != nil, let failure, failure.status == .refused,
                failure.cause == .usual
            {
                refusal.fault = AdminFault(
                    status: 422, code: "file_refused",
                    message: AdminFault.restated(failure.message),
                    advice: AdminFault.advice(failure.advice))
            }
            throw refusal
        }
        return Outcome(answer: said, failure: failure, complaint: complaint)
    }

    /// Begins an export: finds what it is of and its first page, so that what is wrong from the
    /// start has a status of its own.
    private func export(
        _ question: AdminQuestion, _ request: AdminRequest
    ) throws(Refusal) -> Answered {
        guard request.takesPieces else {
            var refusal = Refusal(failure: .refused("", advice: nil))
            refusal.fault = AdminFault(
                status: 400, code: "http_version",
                message: "An export takes HTTP/1.1: before, nobody can tell its end from a break.",
                advice: "Ask with HTTP/1.1.")
            throw refusal
        }
        guard let command = try parse(question) as? UsageExportCommand else {
            throw Refusal(failure: .refused("The answer has another form.", advice: nil))
        }
        do {
            let query = try command.query(at: desk { _ in })
            let plan = AdminExport.Plan(
                query: query, form: question.form, expected: try ledger.exportCount(query))
            return .export(plan, try page(of: plan, at: query.start, for: request))
        } catch let failure as AdminFailure {
            throw Refusal(failure: failure)
        } catch let fault as AdminFault {
            var refusal = Refusal(failure: .refused("", advice: nil))
            refusal.fault = fault
            throw refusal
        } catch {
            throw Refusal(question.route.command, error, "Nothing was changed.")
        }
    }

    // MARK: The answer

    private func respond(
        _ outcome: Outcome, to question: AdminQuestion
    ) throws(Refusal) -> AdminResponse {
        let route = question.route
        switch (route.answer, outcome.answer) {
        case (.one(let fields), .one(var record)):
            if fields.contains(AdminRoutes.secretNote) {
                record.fields.append((AdminRoutes.secretNote, .missing))
            }
            let status = route.creation == nil ? 200 : 201
            return AdminResponse(status: status, body: AdminJSON.record(record).bytes)
        case (.page(_, let by), .many(let records)):
            let page = AdminPage(of: records, by: by, limit: question.limit)
            return Self.rows(
                page.rows,
                [
                    ("has_more", .flag(page.next != nil)),
                    ("next", page.next.map(AdminJSON.text) ?? .null),
                ])
        case (.rows, .many(let records)): return Self.rows(records, [])
        case (.verdict, .many(let records)):
            let reason = outcome.failure.map {
                [$0.message, outcome.complaint.replacing("\n", with: " "), $0.advice ?? ""]
                    .filter { !$0.isEmpty }.joined(separator: " ")
            }
            return Self.rows(
                records,
                [
                    ("passes", .flag(outcome.failure == nil)),
                    ("reason", reason.map(AdminJSON.text) ?? .null),
                ])
        case (.one, .many), (.page, .one), (.rows, .one), (.verdict, .one), (.stream, _):
            throw Refusal(failure: .refused("The answer has another form.", advice: nil))
        }
    }

    private static func rows(
        _ records: [Record], _ more: [(String, AdminJSON)]
    ) -> AdminResponse {
        AdminResponse(
            status: 200, body: AdminJSON.object([("data", .records(records))] + more).bytes)
    }
}
