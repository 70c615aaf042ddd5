import Domain
import Foundation
import Ledger
import Postgres
import Synchronization
import TestSupport
import Testing

/// Commits that the server reports as done before its synchronous standby has them.
@Suite(.serialized) struct ReplicationTests {
    /// How a commit's wait for its standby ends early. In both the row is visible, and a failover
    /// would take it back.
    enum Interruption: String, CaseIterable, Sendable {
        /// Success, with a warning.
        case cancel = "pg_cancel_backend"
        /// The connection is lost.
        case terminate = "pg_terminate_backend"
    }

    /// Whether the request has been served.
    private final class Served: Sendable {
        private let state = Mutex(false)
        var isNoted: Bool { state.withLock { $0 } }
        func note() { state.withLock { $0 = true } }
    }

    /// The server as its administrator sees it; none of its own commits waits.
    private struct Administrator {
        private let connection: PostgresConnection

        init(_ server: TestServer.Own) throws {
            var options = PostgresConnectionOptions()
            options.settings = [("synchronous_commit", "local")]
            connection = try PostgresConnection(url: server.url, options: options)
        }

        /// Names the standbys that commits wait for: `*` is any, and there is none.
        func require(standbys: String) throws {
            try connection.execute(
                script: "ALTER SYSTEM SET synchronous_standby_names = '\(standbys)'")
            try connection.execute(script: "SELECT pg_reload_conf()")
        }

        /// The processes whose commits wait for a standby and whose last statement is like `text`.
        func waiting(_ application: String, _ text: String) throws -> [Int32] {
            let sql = """
                SELECT pid FROM pg_stat_activity WHERE application_name = $1
                    AND wait_event = 'SyncRep' AND query LIKE $2
                """
            return try connection.execute(
                PostgresCommand(
                    PostgresStatement(name: nil, sql: sql), [.text(application), .text(text)])
            ).rows.map { try $0.int4(0) }
        }

        func interrupt(_ process: Int32, by interruption: Interruption) throws {
            try connection.execute(script: "SELECT \(interruption.rawValue)(\(process))")
        }
    }

    @Test(arguments: Interruption.allCases)
    func `an opening is accepted only once the standby has it, whatever the commit said`(
        _ interruption: Interruption
    ) async throws {
        let server = try TestServer.Own()
        let database = try TestDatabase(of: server)
        let administrator = try Administrator(server)
        try await PostgresUnderTest.run(on: database, change: { $0.acceptanceWait = .seconds(60) })
        {
            test in
            let principal = try await test.principal(quotas: [], rateLimits: [])
            let isReady = try await eventually { test.node.isReady }
            #expect(isReady)
            try administrator.require(standbys: "*")
            let served = Served()
            async let receipt = {
                let receipt = try await test.serve(
                    test.request(principal, prompt: 1, completion: 1),
                    using: TokenUsage(prompt: 1, completion: 1))
                served.note()
                return receipt
            }()
            var process: Int32?
            let isCommitting = try await eventually {
                process = try administrator.waiting("turnpike lane", "COMMIT").first
                return process != nil
            }
            #expect(isCommitting)
            try administrator.interrupt(#require(process), by: interruption)
            // The lane asks for a commit of its own that the standby vouches for.
            let isAsking = try await eventually {
                try !administrator.waiting("turnpike lane", "%UPDATE node_lane SET heartbeat_at%")
                    .isEmpty
            }
            #expect(isAsking)
            #expect(try await test.number("SELECT count(*) FROM reservation") == 1)
            #expect(!served.isNoted)
            try administrator.require(standbys: "")
            #expect(try await receipt?.charge.tokens == 2)
            #expect(try await test.number(LedgerNodeTests.audit) == 0)
        }
    }
}
