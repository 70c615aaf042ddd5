import Domain
import Ledger
import Logging
import OpenSSL
import Postgres
import Synchronization
import TestSupport

/// A ledger, real or in memory, with what a test needs around it.
protocol LedgerUnderTest: Sendable {
    var ledger: any QuotaLedger { get }
    /// A new team and key with these quotas and rate limits.
    func principal(
        quotas: [(Subject.Kind, Resource, Period, Int64)],
        rateLimits: [(RateLimit.Dimension, Int64)]
    ) async throws -> Principal
    /// What an account has used, once everything is settled.
    func used(_ account: AccountKey) async throws -> Int64
    /// The most that the ledger ever held and used of an account, as far as it can tell.
    func peak(_ account: AccountKey) async throws -> Int64
    func revoke(_ key: KeyID) async throws
    /// The account of a quota now.
    func account(_ quota: Quota) -> AccountKey
}

/// Which ledger a contract test runs against.
enum LedgerKind: String, CaseIterable, Sendable {
    case inMemory
    case postgres

    /// Runs `body` with a fresh ledger and stops it afterwards.
    func withLedger(_ body: (any LedgerUnderTest) async throws -> Void) async throws {
        switch self {
        case .inMemory: try await body(InMemoryUnderTest())
        case .postgres: try await PostgresUnderTest.run { try await body($0) }
        }
    }
}

final class InMemoryUnderTest: LedgerUnderTest {
    private let memory: InMemoryQuotaLedger
    private let time = SystemTime()
    private let counter = Mutex<Int64>(1)

    init() { memory = InMemoryQuotaLedger(time: time) }

    var ledger: any QuotaLedger { memory }

    func principal(
        quotas: [(Subject.Kind, Resource, Period, Int64)],
        rateLimits: [(RateLimit.Dimension, Int64)]
    ) async throws -> Principal {
        let id = counter.withLock {
            $0 += 10; return $0
        }
        return TestPrincipal.make(id: id, quotas: quotas, rateLimits: rateLimits)
    }

    func account(_ quota: Quota) -> AccountKey { quota.account(at: time.wall) }
    func used(_ account: AccountKey) async throws -> Int64 { memory.numbers(of: account).used }
    func peak(_ account: AccountKey) async throws -> Int64 { memory.numbers(of: account).peak }
    func revoke(_ key: KeyID) async throws { memory.revoke(key) }
}

/// Principals for tests. Ids are derived from one number.
enum TestPrincipal {
    static func make(
        id: Int64, quotas: [(Subject.Kind, Resource, Period, Int64)],
        rateLimits: [(RateLimit.Dimension, Int64)]
    ) -> Principal {
        let shard = OrganizationID.default.shard
        func subject(_ kind: Subject.Kind) -> Subject {
            switch kind {
            case .organization: Subject(kind: kind, id: OrganizationID.default.rawValue)
            case .team: Subject(kind: kind, id: id + 1)
            case .key: Subject(kind: kind, id: id + 2)
            }
        }
        return Principal(
            shard: shard, organization: .default, team: TeamID(rawValue: id + 1),
            key: KeyID(shard: shard, random: UInt64(id) &* 0x9E37_79B9_7F4A_7C15),
            keySubject: id + 2, allowedModels: nil, defaultCompletionTokens: nil,
            alwaysShowsUsage: false,
            quotas: quotas.map {
                Quota(subject: subject($0.0), resource: $0.1, period: $0.2, limit: $0.3)
            },
            rateLimits: rateLimits.map {
                RateLimit(subject: subject(.key), dimension: $0.0, limit: $0.1)
            })
    }
}

extension LedgerUnderTest {
    func request(
        _ principal: Principal, prompt: Int64, completion: Int64, price: Price? = nil
    ) -> AdmissionRequest {
        var random = SystemRandomNumberGenerator()
        return AdmissionRequest(
            requestID: RequestID(
                at: SystemTime().wall, random: (random.next(), random.next())),
            principal: principal, bound: TokenBound(prompt: prompt, completion: completion),
            model: "demo", backend: "local", price: price)
    }

    /// Sends one request through the ledger. Nil when it was denied.
    func serve(
        _ request: AdmissionRequest, using usage: TokenUsage, basis: UsageBasis = .reported
    ) async throws -> Receipt? {
        switch try await ledger.admit(request) {
        case .denied: return nil
        case .admitted(let reservation):
            let acceptance: Acceptance
            do {
                acceptance = try await ledger.acceptance(of: reservation)
            } catch {
                _ = try? await ledger.settle(reservation, as: .void)
                throw error
            }
            let isAccepted = acceptance == .accepted
            return try await ledger.settle(
                reservation,
                as: Settlement(
                    usage: isAccepted ? usage : .none, basis: isAccepted ? basis : .void,
                    endState: isAccepted && basis != .void ? .finished : .failedBeforeFirstByte,
                    timeToFirstToken: .milliseconds(5), duration: .milliseconds(20)))
        }
    }

    /// Why a request is denied; nil when it is admitted, and then settled as void.
    func denial(of request: AdmissionRequest) async throws -> Denial? {
        switch try await ledger.admit(request) {
        case .denied(let denial): return denial
        case .admitted(let reservation):
            _ = try await ledger.settle(reservation, as: .void)
            return nil
        }
    }
}

extension Settlement {
    static let void = Settlement(
        usage: .none, basis: .void, endState: .failedBeforeFirstByte, timeToFirstToken: nil,
        duration: .milliseconds(1))
}
