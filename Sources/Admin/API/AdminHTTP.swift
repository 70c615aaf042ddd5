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

    /// Makes the API. `peppers` are those that admin keys may be under.
    public init(
        configuration: Configuration, peppers: [Ledger.Pepper], pool: AdministrationPool,
        logger: Logger
    ) {
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
        let outcome: Result<AdminResponse, AdminFault>
        do throws(AdministrationPool.Obstacle) {
            outcome = try await pool.run { [configuration, peppers, logger] store in
                let ledger = ConfiguredLedger(configuration, store)
                do throws(AdminFault) {
                    let desk = AdminAPIDesk(ledger: ledger, peppers: peppers, logger: logger)
                    return .success(try desk.answer(request, route, values))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            switch error {
            case .busy: outcome = .failure(.busy)
            case .ledger(let error):
                outcome = .failure(
                    AdminFault(AdminFailure(error, configuration: configuration.file)))
            }
        }
        switch outcome {
        case .success(let response): return response
        case .failure(let fault):
            if fault.status >= 500, fault != .busy {
                logger.warning(
                    "an administrator's request could not be done",
                    metadata: ["route": "\(route.operation)", "code": "\(fault.code)"])
            }
            return fault.response
        }
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
