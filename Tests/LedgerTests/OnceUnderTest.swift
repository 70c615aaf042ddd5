import Domain
import Ledger
import OpenSSL
import Postgres
import TestSupport

@testable import Ledger

/// A node's claims on clients' `Idempotency-Key`s, with what a test needs around them.
struct OnceUnderTest: Sendable {
    let node: PostgresUnderTest
    let claims: PostgresIdempotencyLedger

    /// The claims of a node that runs.
    init(_ node: PostgresUnderTest, replays: Bool = false) throws {
        self.node = node
        var settings = LedgerSettings(
            databaseURL: node.database.url, dataDirectory: "", models: [], backends: [],
            prices: [:])
        settings.acceptanceWait = .seconds(10)
        settings.usesPreparedStatements = TestDatabase.ownsSessions
        claims = try PostgresIdempotencyLedger(
            settings, of: node.node, replaysAnswers: replays, time: SystemTime(), logger: .quiet)
    }

    /// A request that can be admitted, and its claim on a name; `body` is what it asks for.
    func request(
        _ principal: Principal, _ name: String, body: String = "body"
    ) -> (AdmissionRequest, IdempotencyClaim) {
        let request = node.request(principal, prompt: 50, completion: 50)
        return (
            request,
            IdempotencyClaim(
                shard: principal.shard, key: principal.key,
                nameDigest: SHA256.hash(Array(name.utf8)),
                fingerprint: SHA256.hash(Array(body.utf8)), requestID: request.requestID)
        )
    }

    /// What the ledger says to a new request with a name.
    func verdict(
        _ principal: Principal, _ name: String, body: String = "body"
    ) async throws -> IdempotencyVerdict {
        try await claims.claim(request(principal, name, body: body).1)
    }

    /// Claims, is accepted and confirmed, and hands the open request to `body`, which settles it.
    @discardableResult
    func open(
        _ principal: Principal, _ name: String,
        _ body: (consuming Reservation) async throws -> Void
    ) async throws -> IdempotencyClaim {
        let (request, claim) = request(principal, name)
        guard try await claims.claim(claim) == .claimed else { throw Unexpected() }
        switch try await node.ledger.admit(request) {
        case .denied: throw Unexpected()
        case .admitted(let reservation):
            guard try await node.ledger.acceptance(of: reservation) == .accepted,
                try await claims.confirm(claim)
            else { throw Unexpected() }
            try await body(reservation)
        }
        return claim
    }

    /// The same to a good end with `usage`.
    @discardableResult
    func serve(
        _ principal: Principal, _ name: String, _ usage: TokenUsage
    ) async throws -> IdempotencyClaim {
        try await open(principal, name) { reservation in
            _ = try await node.ledger.settle(reservation, as: .finished(usage))
        }
    }

    struct Unexpected: Error {}
}

extension Settlement {
    static func finished(_ usage: TokenUsage) -> Settlement {
        Settlement(
            usage: usage, basis: .reported, endState: .finished, timeToFirstToken: nil,
            duration: .milliseconds(1))
    }
}
