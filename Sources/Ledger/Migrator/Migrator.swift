import OpenSSL
public import Postgres

/// Brings a database to this program's schema, one file at a time, and tells whether it is there.
public struct Migrator: Sendable {
    /// What a migrator did.
    public struct Report: Sendable, Hashable {
        /// One file that was applied.
        public struct Step: Sendable, Hashable {
            /// The file's number.
            public let number: Int32
            /// The file's name, without number and ending.
            public let name: String
            /// How long it took, by the database's clock.
            public let duration: Duration
        }

        /// The files applied now, in order; empty when there was nothing to do.
        public let applied: [Step]
        /// The schema's version afterwards.
        public let version: Int32
    }

    /// The longest that one migration, and the wait for another migrator, may take.
    private static let patience: Duration = .seconds(3600)

    private let migrations: [Migration]

    /// Makes a migrator with the migrations of this program.
    public init() { self.init(migrations: Migration.all) }

    /// Makes a migrator with other migrations; they are numbered from 1 without gaps.
    init(migrations: [Migration]) {
        precondition(
            migrations.map(\.number) == (0..<migrations.count).map { Int32($0 + 1) },
            "migrations are numbered from 1 without gaps")
        self.migrations = migrations
    }

    /// The schema's version that this program needs.
    public var version: Int32 { migrations.last?.number ?? 0 }

    /// Sixteen hexadecimal digits that stand for all migrations of this program, their contents
    /// included.
    public var fingerprint: String {
        let digest = SHA256.hash(migrations.flatMap(\.checksum))
        let digits = Array("0123456789abcdef")
        return String(digest.prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// Compares the database's schema with this program's. Changes nothing.
    public func check(_ connection: PostgresConnection) throws(LedgerError) -> SchemaState {
        do throws(PostgresError) {
            let exists = try connection.execute(
                PostgresCommand(MigrationStatements.tableExists, []))
            let applied =
                try exists.rows.first?.bool(0) == true ? Self.applied(connection) : []
            return SchemaState(applied: applied, known: migrations)
        } catch {
            throw LedgerError(error)
        }
    }

    /// Applies what is missing, in order, and remembers each file with its checksum.
    ///
    /// Every file is one transaction with its record: after a failure the database stands at the
    /// last whole file. Several migrators may run at once: they take turns, and each file is
    /// applied by one of them. Refuses with `schema` a database that is newer than this program, or
    /// whose history differs from it.
    public func migrate(_ connection: PostgresConnection) throws(LedgerError) -> Report {
        var steps: [Report.Step] = []
        // One turn per file and one that finds nothing left; another migrator can only shorten
        // this.
        for _ in 0...migrations.count {
            switch try turn(connection) {
            case .applied(let step): steps.append(step)
            case .done: return Report(applied: steps, version: version)
            case .refused(let state): throw .schema(state)
            }
        }
        return Report(applied: steps, version: version)
    }

    private enum Turn {
        case applied(Report.Step)
        case done
        case refused(SchemaState)
    }

    /// Takes the lock and applies the next file, if there is one.
    private func turn(_ connection: PostgresConnection) throws(LedgerError) -> Turn {
        var current: Migration?
        do throws(PostgresError) {
            return try connection.transaction { connection throws(PostgresError) in
                _ = try connection.execute(PostgresCommand(MigrationStatements.unlimited, []))
                _ = try connection.execute(
                    PostgresCommand(MigrationStatements.lock, []), within: Self.patience)
                _ = try connection.execute(PostgresCommand(MigrationStatements.makeTable, []))
                let applied = try Self.applied(connection)
                let state = SchemaState(applied: applied, known: migrations)
                guard state.isMigratable else { return .refused(state) }
                guard applied.count < migrations.count else { return .done }
                let next = migrations[applied.count]
                current = next
                return .applied(try Self.apply(next, connection))
            }
        } catch {
            guard let current, case .server = error.kind else { throw LedgerError(error) }
            throw .migrationFailed(number: current.number, name: current.name, error)
        }
    }

    private static func apply(
        _ migration: Migration, _ connection: PostgresConnection
    ) throws(PostgresError) -> Report.Step {
        try connection.execute(script: migration.sql, within: patience)
        let recorded = try connection.execute(
            PostgresCommand(
                MigrationStatements.record,
                [.int4(migration.number), .text(migration.name), .bytes(migration.checksum)]))
        let took = try recorded.rows.first?.int8(0) ?? 0
        return Report.Step(
            number: migration.number, name: migration.name, duration: .microseconds(took))
    }

    private static func applied(
        _ connection: PostgresConnection
    ) throws(PostgresError) -> [AppliedMigration] {
        try connection.execute(PostgresCommand(MigrationStatements.applied, [])).rows.map {
            row throws(PostgresError) in
            AppliedMigration(
                number: try row.int4(0), name: try row.text(1), checksum: try row.bytes(2))
        }
    }
}
