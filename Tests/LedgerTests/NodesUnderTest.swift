import Ledger
import TestSupport

/// Several nodes of one ledger in one process, over a database of their own.
struct NodesUnderTest: Sendable {
    let nodes: [PostgresUnderTest]

    subscript(index: Int) -> PostgresUnderTest { nodes[index] }

    /// Runs `body` with `count` nodes, and stops them all as a SIGTERM would.
    static func run(
        _ count: Int, change: @escaping (inout LedgerSettings) -> Void = { _ in },
        body: (NodesUnderTest) async throws -> Void
    ) async throws {
        let database = try TestDatabase.make()
        try await start(count, on: database, with: [], change: change, body: body)
        withExtendedLifetime(database) {}
    }

    private static func start(
        _ count: Int, on database: TestDatabase, with others: [PostgresUnderTest],
        change: @escaping (inout LedgerSettings) -> Void,
        body: (NodesUnderTest) async throws -> Void
    ) async throws {
        guard others.count < count else { return try await body(NodesUnderTest(nodes: others)) }
        try await PostgresUnderTest.run(on: database, change: change) { node in
            try await start(
                count, on: database, with: others + [node], change: change, body: body)
        }
    }
}
