import Domain
import Ledger

/// Judges what the database says of itself. Pure.
enum DatabaseChecks {
    /// The oldest version that the statements and tests are made for.
    static let oldestVersion: Int64 = 150_000
    /// The peppers that this program can use: one so far.
    static let pepper: Int16 = 1

    /// Everything about a database that answered. `earliest` and `latest` are this machine's clock
    /// before and after the question.
    static func all(
        _ facts: DatabaseFacts, earliest: Timestamp, latest: Timestamp
    ) -> [DoctorCheck] {
        [
            server(facts), durability(facts), replication(facts), connections(facts),
            clock(facts.time, earliest: earliest, latest: latest), schema(facts),
            privileges(facts), peppers(facts),
        ].compactMap(\.self)
    }

    private static func server(_ facts: DatabaseFacts) -> DoctorCheck {
        let version = "\(facts.version / 10_000).\(facts.version % 10_000)"
        if facts.isStandby {
            return .fault(
                "database", "it is a standby, which takes no writes",
                "Let `database` name the primary, or target_session_attrs=read-write.")
        }
        if facts.version < oldestVersion {
            return .fault(
                "database", "it is PostgreSQL \(version)",
                "Use PostgreSQL \(oldestVersion / 10_000) or newer.")
        }
        return .ok("database", "PostgreSQL \(version) answers as role \(facts.role)")
    }

    private static func durability(_ facts: DatabaseFacts) -> DoctorCheck {
        let name = "durability"
        guard facts.waitsForDisk, facts.repairsPages else {
            let setting = facts.waitsForDisk ? "full_page_writes" : "fsync"
            return .fault(
                name, "\(setting) is off: a crash of the server may destroy the books",
                "Set \(setting) = on in postgresql.conf and reload.")
        }
        if facts.synchronousCommit == "off" {
            return .warning(
                name, "synchronous_commit is off by default",
                "Set synchronous_commit = on for this role or database.")
        }
        return .ok(name, "the server waits for its disk")
    }

    private static func replication(_ facts: DatabaseFacts) -> DoctorCheck {
        let name = "replication"
        let standbys = facts.standbys ?? 0
        if facts.synchronousStandbys.isEmpty {
            return standbys == 0
                ? .warning(
                    name, "there is no standby: when the server is lost, so are the books",
                    "Add a synchronous standby, which has what is confirmed.")
                : .warning(
                    name, "no standby is synchronous: a failover may lose what was confirmed",
                    "Set synchronous_standby_names, or let Patroni do it.")
        }
        if standbys == 0 {
            return .fault(
                name, "a synchronous standby is demanded and none is connected: writes wait",
                "Bring the standby back, or change synchronous_standby_names.")
        }
        return .ok(name, "\(standbys) connected, synchronous: \(facts.synchronousStandbys)")
    }

    private static func connections(_ facts: DatabaseFacts) -> DoctorCheck {
        let left = facts.connectionLimit - facts.connections
        let finding = "\(facts.connections) of \(facts.connectionLimit) in use"
        return left < 20
            ? .warning(
                "connections", finding,
                "Raise max_connections: a gateway needs up to 20, and admin commands need one.")
            : .ok("connections", finding)
    }

    /// The difference that cannot be explained by the time the question took.
    static func clock(
        _ server: Timestamp, earliest: Timestamp, latest: Timestamp
    ) -> DoctorCheck {
        let name = "clock"
        let skew: Duration =
            server < earliest ? earliest - server : server > latest ? server - latest : .zero
        let milliseconds = skew.millisecondsRoundedUp
        let finding = "this machine's clock and the database's are \(milliseconds) ms apart"
        let advice = "Let NTP keep both: see `timedatectl` or `chronyc tracking`."
        // The ledger refuses requests that are an hour off its own time.
        if skew >= .seconds(600) { return .fault(name, finding, advice) }
        return skew >= .seconds(1)
            ? .warning(name, finding, advice)
            : .ok(name, milliseconds == 0 ? "the same as the database's" : finding)
    }

    private static func schema(_ facts: DatabaseFacts) -> DoctorCheck {
        if case .current(let version) = facts.schema {
            return .ok("schema", "it is at version \(version), this program's")
        }
        let advice =
            if case .tooOld = facts.schema {
                "Run `turnpike migrate --config FILE`."
            } else {
                "Use the program that wrote it, or a copy of the database that it wrote."
            }
        return .fault("schema", facts.schema.description, advice)
    }

    private static func privileges(_ facts: DatabaseFacts) -> DoctorCheck? {
        guard case .current = facts.schema else { return nil }
        guard let first = facts.missingPrivileges.first else {
            return .ok("privileges", "role \(facts.role) may do what a gateway does")
        }
        let all = facts.missingPrivileges.joined(separator: ", ")
        return .fault(
            "privileges", "role \(facts.role) lacks \(all)",
            "Let the tables' owner say: GRANT \(first) TO \(facts.role)")
    }

    private static func peppers(_ facts: DatabaseFacts) -> DoctorCheck? {
        guard case .current = facts.schema else { return nil }
        let others = facts.peppers.filter { $0.key != pepper }
        guard let other = others.keys.min() else {
            return .ok("keys", "\(facts.peppers[pepper] ?? 0) in force, all under this pepper")
        }
        return .fault(
            "keys", "\(others.values.reduce(0, +)) were made under pepper \(other)",
            "They cannot be used with the pepper of `pepper_file`: make new ones.")
    }
}
