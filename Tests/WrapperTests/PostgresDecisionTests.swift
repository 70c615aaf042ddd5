import Testing

@testable import Postgres

@Suite struct PostgresCommitPoints {
    static let effects: [(String, TransactionEffect)] = [
        ("BEGIN", .begins), (" begin isolation level serializable", .begins),
        ("START TRANSACTION", .begins), ("COMMIT", .commits), ("commit;", .commits),
        ("END", .commits), ("COMMIT AND CHAIN", .commits), ("PREPARE TRANSACTION 'x'", .commits),
        ("ROLLBACK", .rollsBack), ("Abort", .rollsBack), ("SELECT 1", .none), ("", .none),
        ("-- BEGIN\n/* x /* COMMIT */ y */ ; COMMIT", .commits), ("/* open COMMIT", .none),
        ("-- COMMIT", .none), ("committed", .none), ("WITH x AS (SELECT 1) TABLE x", .none),
        ("\u{FEFF}COMMIT", .none),
    ]

    @Test(arguments: effects.indices)
    func `the first word tells what a statement does to its transaction`(_ index: Int) {
        let (sql, effect) = Self.effects[index]
        #expect(TransactionEffect(sql: sql) == effect)
    }

    static let points: [(statements: [String], inside: Bool, index: Int?)] = [
        (["BEGIN", "INSERT", "COMMIT"], false, 2), (["INSERT"], false, 1),
        (["INSERT", "UPDATE"], false, 2), (["INSERT"], true, nil),
        (["INSERT", "COMMIT"], true, 1), (["BEGIN", "INSERT"], false, nil),
        (["BEGIN", "INSERT", "ROLLBACK"], false, nil),
        (["BEGIN", "ROLLBACK", "INSERT"], false, 3), (["ROLLBACK", "INSERT"], true, 2),
        (["BEGIN", "COMMIT", "BEGIN", "COMMIT"], false, 1), ([], false, nil),
        (["INSERT", "BEGIN", "UPDATE"], false, 3),
    ]

    @Test(arguments: points.indices)
    func `the first point that may commit is found`(_ index: Int) {
        let (texts, inside, expected) = Self.points[index]
        let statements = texts.map { PostgresStatement(name: nil, sql: $0) }
        let point = CommitPoint(of: statements, insideTransaction: inside)
        #expect(point.index == expected)
    }

    @Test func `statements that only read commit nothing`() {
        let read = PostgresStatement(name: nil, sql: "SELECT 1", isReadOnly: true)
        let commit = PostgresStatement(name: nil, sql: "COMMIT", isReadOnly: true)
        #expect(CommitPoint(of: [read, read], insideTransaction: false).index == nil)
        #expect(CommitPoint(of: [read, commit], insideTransaction: true).index == nil)
    }

    static func fault(_ sqlState: String, from function: String?) -> PostgresServerFault {
        PostgresServerFault(
            sqlState: sqlState, severity: "FATAL", message: "", sourceFunction: function)
    }

    @Test func `only the server's own words before the commit prove that it did not happen`() {
        let batch = ["BEGIN", "INSERT", "COMMIT"].map { PostgresStatement(name: nil, sql: $0) }
        let point = CommitPoint(of: batch, insideTransaction: false)
        let own = Self.fault("57P01", from: "ProcessInterrupts")
        #expect(!point.mayHaveHappened(endedAt: 1, by: own))
        #expect(point.mayHaveHappened(endedAt: 2, by: own))
        #expect(point.mayHaveHappened(endedAt: 3, by: own))
        #expect(point.mayHaveHappened(endedAt: 1, by: Self.fault("57P01", from: nil)))
        #expect(point.mayHaveHappened(endedAt: 0, by: Self.fault("08P01", from: "x")))
        let open = CommitPoint(of: Array(batch.dropLast()), insideTransaction: false)
        #expect(!open.mayHaveHappened(endedAt: 0, by: Self.fault("08P01", from: nil)))
    }
}

@Suite struct PostgresErrors {
    static let retryable = [
        ("40001", true), ("40P01", true), ("57P01", true), ("57P02", true), ("57P03", true),
        ("08006", true), ("08000", true), ("57014", false), ("23505", false), ("22012", false),
        ("40002", false), ("53300", false),
    ]

    @Test(arguments: retryable)
    func `what may be retried is decided by the code`(_ sqlState: String, _ expected: Bool) {
        let fault = PostgresServerFault(sqlState: sqlState, message: "")
        #expect(PostgresError(kind: .server(fault)).isRetryable == expected)
        #expect(PostgresError(kind: .ambiguous(reason: "", fault: fault)).isRetryable == false)
        #expect(PostgresError(kind: .connection(reason: "", fault: fault)).isRetryable)
        #expect(PostgresError(kind: .server(fault)).sqlState == sqlState)
    }

    @Test func `only the warning about synchronous replication is taken for it`() {
        func notice(_ severity: String, _ message: String, _ function: String?) -> Bool {
            PostgresNotice(
                severity: severity, sqlState: "01000", message: message, sourceFunction: function
            ).saysReplicationWasNotConfirmed
        }
        #expect(
            notice("WARNING", "Warten auf synchrone Replikation abgebrochen", "SyncRepWaitForLSN"))
        #expect(
            notice("WARNING", "canceling wait for synchronous replication due to user request", nil)
        )
        #expect(
            notice(
                "WARNING",
                "canceling the wait for synchronous replication and terminating connection", nil))
        #expect(!notice("NOTICE", "canceling wait for synchronous replication", "f"))
        #expect(!notice("WARNING", "there is no transaction in progress", "EndTransactionBlock"))
    }
}

@Suite struct PostgresLimits {
    @Test func `durations become whole milliseconds, rounded up and never negative`() {
        #expect(Duration.zero.wholeMilliseconds == 0)
        #expect(Duration.nanoseconds(1).wholeMilliseconds == 1)
        #expect(Duration.milliseconds(1500).wholeMilliseconds == 1500)
        #expect(Duration.seconds(-5).wholeMilliseconds == 0)
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == 3_155_760_000_000)
    }

    @Test func `a deadline in the past has passed and one far away has not`() {
        #expect(Deadline(after: .zero).hasPassed)
        #expect(Deadline(after: .seconds(Int64.min)).hasPassed)
        #expect(Deadline(after: .zero).millisecondsLeft == 0)
        let far = Deadline(after: .seconds(Int64.max))
        #expect(!far.hasPassed && far.millisecondsLeft == .max)
        #expect(Deadline(after: .zero) < far)
    }

    @Test(arguments: [Int64.min, Int64.min + 1, -1, 0, 1, Int64.max - 1, Int64.max])
    func `translating an instant there and back gives it again or nothing`(_ value: Int64) {
        let back = PostgresEpoch.microseconds(wire: PostgresEpoch.wire(microseconds: value))
        #expect(back == value || PostgresEpoch.wire(microseconds: value) == .min + 1)
        #expect(PostgresEpoch.microseconds(wire: .max - 1) == nil)
    }
}
