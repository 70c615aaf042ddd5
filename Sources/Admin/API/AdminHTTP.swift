public import Domain
public import Ledger
public import Logging
public import TurnpikeConfiguration

/// The admin HTTP API over the ledger: the commands of `turnpike admin`, asked by other means.
///
/// All that waits for the database runs on the pool's threads. A key is looked up in the ledger
/// each time, so that one that is revoked is refused at once.
public final class AdminHTTP: AdminAPI, Sendable {
    private let configuration: Configuration
    private let peppers: [Ledger.Pepper]
    private let pool: AdministrationPool
    private let logger: Logger
    private let document: [UInt8]
    private let pause: @Sendable (Duration) async -> Void

    /// How often a page of an export is asked for again while there is no room for it, a second
    /// apart.
    private static let mostTries = 30

    /// Makes the API. `peppers` are those that admin keys may be under; `pause` waits, or less long
    /// when the task is cancelled.
    public init(
        configuration: Configuration, peppers: [Ledger.Pepper], pool: AdministrationPool,
        logger: Logger, pause: @escaping @Sendable (Duration) async -> Void
    ) {
        self.pause = pause
        self.configuration = configuration
        self.peppers = peppers
        self.pool = pool
        self.logger = logger
        document = AdminDocument.make(AdminRoutes.all).bytes
    }

    /// Answers a request; see ``AdminAPI``.
    public func respond(to request: AdminRequest) async -> AdminResponse {
        if request.path == AdminDocument.path {
            guard request.method == "GET" else {
                return AdminFault.methodNotAllowed(["GET"]).response
            }
            return AdminResponse(status: 200, body: document)
        }
        switch AdminRouter.find(request.method, request.path, in: AdminRoutes.all) {
        case .nothing: return AdminFault.pathUnknown.response
        case .otherMethods(let methods): return AdminFault.methodNotAllowed(methods).response
        case .route(let route, let values):
            do throws(AdminFault) {
                try AdminBearer.check(request)
            } catch {
                return error.response
            }
            return await answer(request, route, values)
        }
    }

    private func answer(
        _ request: AdminRequest, _ route: AdminRoute, _ values: [String]
    ) async -> AdminResponse {
        let answered = await atDesk { desk throws(AdminFault) in
            try desk.answer(request, route, values)
        }
        switch answered {
        case .success(.whole(let response)): return response
        case .success(.export(let plan, let first)): return export(plan, first, request)
        case .failure(let fault):
            if fault.status >= 500, fault != .busy {
                logger.warning(
                    "an administrator's request could not be done",
                    metadata: ["route": "\(route.operation)", "code": "\(fault.code)"])
            }
            return fault.response
        }
    }

    /// Runs `body` at a desk on one of the pool's threads.
    private func atDesk<Value: Sendable>(
        _ body: @escaping @Sendable (AdminAPIDesk) throws(AdminFault) -> Value
    ) async -> Result<Value, AdminFault> {
        do throws(AdministrationPool.Obstacle) {
            return try await pool.run { [configuration, peppers, logger] store in
                let ledger = ConfiguredLedger(configuration, store)
                do throws(AdminFault) {
                    return .success(
                        try body(AdminAPIDesk(ledger: ledger, peppers: peppers, logger: logger)))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            switch error {
            case .busy: return .failure(.busy)
            case .ledger(let error):
                return .failure(AdminFault(AdminFailure(error, configuration: configuration.file)))
            }
        }
    }

    // MARK: Exports

    private func export(
        _ plan: AdminExport.Plan, _ first: AdminExport.Page, _ request: AdminRequest
    ) -> AdminResponse {
        let rest = AdminExport(from: first.next) { [self] place in
            await page(of: plan, at: place, for: request)
        }
        return AdminResponse(
            status: 200, headers: [(AdminExport.countHeader, String(plan.expected))],
            contentType: plan.form.contentType,
            body: Array(plan.form.heading.utf8) + first.bytes, pieces: rest)
    }

    /// The page of an export at a position; nil when it cannot be read. It has begun, so that a
    /// moment without room is waited for.
    private func page(
        of plan: AdminExport.Plan, at position: ExportPosition, for request: AdminRequest
    ) async -> AdminExport.Page? {
        for _ in 0..<Self.mostTries {
            let read = await atDesk { desk throws(AdminFault) in
                try desk.page(of: plan, at: position, for: request)
            }
            switch read {
            case .success(let page): return page
            case .failure(.busy):
                await pause(.seconds(1))
                if Task.isCancelled { return nil }
            case .failure(let fault):
                logger.warning(
                    "an export broke off", metadata: ["code": "\(fault.code)"])
                return nil
            }
        }
        logger.warning("an export broke off", metadata: ["code": "\(AdminFault.busy.code)"])
        return nil
    }

    /// The answer to what the listener did not take; see ``AdminAPI``.
    public func refuse(status: Int, message: String) -> AdminResponse {
        let isTooLong = status == 413
        return AdminFault(
            status: status, code: isTooLong ? "body_too_large" : "malformed_request",
            message: message,
            advice: isTooLong
                ? "Nothing was changed. `max_body_bytes` of the configuration is the limit."
                : "Nothing was changed."
        ).response
    }
}

/// The key of a request.
enum AdminBearer {
    /// Refuses what can be no admin key, without asking the ledger.
    static func check(_ request: AdminRequest) throws(AdminFault) { _ = try secret(of: request) }

    /// The secret that a request shows.
    static func secret(of request: AdminRequest) throws(AdminFault) -> APIKeySecret {
        let fields = request.values(of: "authorization")
        guard fields.count <= 1 else {
            throw .invalid(
                "duplicate_header", "The request has more than one Authorization header.",
                "Send one.")
        }
        let parts = (fields.first ?? "").split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw .unauthorized("key_missing", "The request has no admin key.")
        }
        let token = Array(parts[1].utf8)
        guard token.starts(with: Array((AdminKeyStore.prefix + "_").utf8)) else {
            throw .unauthorized(
                "not_an_admin_key", "That is no admin key: those begin with turnpike-admin_.")
        }
        guard APIKeyFormat.parse(token) != nil else { throw refused }
        return APIKeySecret(bytes: token)
    }

    /// Unknown, expired and revoked keys are the same to whoever shows them.
    static let refused = AdminFault.unauthorized(
        "key_refused", "The admin key is not known, has expired or was revoked.")
}
