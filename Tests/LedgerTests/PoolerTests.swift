import Foundation
import Postgres
import TestSupport
import Testing

/// Runs only where `TURNPIKE_TEST_POSTGRES` names a pooler.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["TURNPIKE_TEST_POOLED"] != nil
            && TestDatabase.ownsSessions == nil, "no pooler that shares sessions is given"))
struct `Through a pooler` {
    private func setting(_ connection: PostgresConnection) throws -> String {
        let show = PostgresStatement(
            name: "show", sql: "SELECT current_setting('synchronous_commit')", isReadOnly: true)
        return try connection.execute(PostgresCommand(show, [])).rows[0].text(0)
    }

    @Test func `a connection finds out that its session is shared, and keeps its settings apart`()
        throws
    {
        let database = try TestDatabase.make()
        let plain = try database.connection()
        defer { plain.close() }
        var options = TestDatabase.options
        options.settings = [("synchronous_commit", "local")]
        let other = try PostgresConnection(url: database.url, options: options)
        defer { other.close() }
        #expect(!plain.ownsSession && !other.ownsSession)
        // The pooler has one server session for both, as neither is inside a transaction.
        for _ in 0..<3 {
            #expect(try setting(other) == "local")
            #expect(try setting(plain) == "on")
        }
    }
}
