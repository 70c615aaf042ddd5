public import Domain
import Postgres

/// A tenant.
public struct Organization: Sendable, Hashable {
    /// Its id, which also says its shard.
    public let id: OrganizationID
    /// Its name, unique in the ledger.
    public let name: String
    /// When it was created.
    public let createdAt: Timestamp
    /// Since when it is suspended, if it is.
    public var suspendedAt: Timestamp?
    /// Why, in the administrator's words. For administrators only.
    public var suspendReason: String?
}

/// The tenants in the directory.
///
/// A name lives in shard 0 and its organization in a shard of its own, and no transaction may span
/// the two. So a name counts only while its organization says the same name: every change writes
/// the organization in one transaction, and a crash before or after leaves at most a name that
/// counts for nothing and is taken over by whoever asks for it next.
public struct OrganizationStore {
    let connection: PostgresConnection
    let recorder: ActionRecorder

    var random: LedgerRandom { recorder.random }

    /// Creates an organization. A crash between its two steps is finished by creating it again.
    /// Throws `exists` when there is one of that name.
    ///
    /// With a claim, what was made under it before is `repeated`, and nothing is made. The id then
    /// follows from the claim, so that a repetition knows where to look.
    public func create(
        name: String, claim: CreationClaim? = nil
    ) throws(LedgerError) -> Organization {
        try DirectoryName.check(name, of: "an organization")
        let id = OrganizationID(rawValue: claim?.derivedID ?? random.positive())
        if let claim {
            let earlier = try DirectoryTransaction.run(on: connection) {
                connection throws(PostgresError) in
                try claim.earlier(in: id.shard, connection)
            }
            if let earlier { throw LedgerError(earlier) }
        }
        let holder = try reserve(name, for: id)
        enum Outcome {
            case created(Organization), exists, repeated(CreationClaim.Earlier)
        }
        let outcome = try DirectoryTransaction.change(holder.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) -> Outcome in
            if let earlier = try claim?.earlier(in: holder.shard, connection) {
                return .repeated(earlier)
            }
            let row = try connection.execute(
                OrganizationStatements.insert(name, holder)
            ).rows.first
            guard let row else { return .exists }
            try claim?.note(holder.rawValue, in: holder.shard, connection)
            let made = Organization(
                id: holder, name: name,
                createdAt: Timestamp(microseconds: try row.timestamp(0)))
            log.note(.organizationCreate, of: nil, made)
            return .created(made)
        }
        switch outcome {
        case .created(let organization): return organization
        case .exists: throw .exists(what: "organization", name: name)
        case .repeated(let earlier): throw LedgerError(earlier)
        }
    }

    /// The organization of that id, if there is one.
    public func find(_ id: OrganizationID) throws(LedgerError) -> Organization? { try read(id) }

    /// Every organization, by name.
    public func list() throws(LedgerError) -> [Organization] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let names = try connection.execute(OrganizationStatements.list).rows.map(Self.name)
            var found: [Organization] = []
            for start in stride(from: 0, to: names.count, by: 1000) {
                let part = names[start..<min(start + 1000, names.count)]
                found += try Self.read(Array(part), connection)
            }
            return found
        }
    }

    /// Some organizations in the order that the database gives to their names; fewer than the
    /// page's limit at the end of them alone. Reads no more names than the page, but for those that
    /// a crash left behind.
    public func page(_ page: ListPage<String>) throws(LedgerError) -> [Organization] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            var (found, after): ([Organization], String?) = ([], page.after)
            while found.count < page.limit {
                let missing = page.limit - found.count
                let names = try PageStatements.rows(
                    OrganizationStatements.names(ListPage(after: after, limit: missing)), connection
                ).map(Self.name)
                found += try Self.read(names, connection)
                guard names.count == missing, let last = names.last else { break }
                after = last.name
            }
            return found
        }
    }

    private static func name(
        _ row: PostgresRow
    ) throws(PostgresError) -> (name: String, id: OrganizationID) {
        (name: try row.text(1), id: OrganizationID(rawValue: try row.int8(0)))
    }

    /// The organizations of these names that exist, each from its own shard: at most a pipeline's
    /// worth.
    private static func read(
        _ names: [(name: String, id: OrganizationID)], _ connection: PostgresConnection
    ) throws(PostgresError) -> [Organization] {
        let results = try connection.pipeline(names.map { OrganizationStatements.read($0.id) })
        var found: [Organization] = []
        for (entry, result) in zip(names, results) {
            guard let row = result.rows.first else { continue }
            let organization = try Self.organization(entry.id, row)
            if organization.name == entry.name { found.append(organization) }
        }
        return found
    }

    /// The organization of that name, if there is one.
    public func find(name: String) throws(LedgerError) -> Organization? {
        guard let id = try holder(of: name) else { return nil }
        let found = try read(id)
        return found?.name == name ? found : nil
    }

    /// Suspends an organization until it is resumed: all its keys are refused. A new reason takes
    /// the place of the first; the time stays. Nil when it is gone.
    public func suspend(
        _ id: OrganizationID, reason: String?
    ) throws(LedgerError) -> Organization? {
        try change(
            id, .organizationSuspend, OrganizationStatements.suspend,
            [try DirectoryReason.value(reason)])
    }

    /// Ends a suspension. Teams and keys that are suspended themselves stay so.
    public func resume(_ id: OrganizationID) throws(LedgerError) -> Organization? {
        try change(id, .organizationResume, OrganizationStatements.resume, [])
    }

    /// Gives an organization another name, which it has from the moment of one transaction on;
    /// repeating it finishes what a crash left. Throws `exists` when the name is taken, and
    /// `refused` for the organization that every installation has.
    public func rename(_ id: OrganizationID, to name: String) throws(LedgerError) -> Organization {
        try DirectoryName.check(name, of: "an organization")
        try Self.checkChangeable(id)
        guard let old = try read(id) else {
            throw .missing(what: "organization", name: name)
        }
        guard try reserve(name, for: id) == id else {
            throw .exists(what: "organization", name: name)
        }
        let renamed = try change(
            id, .organizationRename, OrganizationStatements.rename, [.text(name)])
        guard let renamed else {
            throw .missing(what: "organization", name: old.name)
        }
        guard try holder(of: name) == id else {
            // Whoever asked for the name meanwhile took it over: what was is put back.
            _ = try change(
                id, .organizationRename, OrganizationStatements.rename, [.text(old.name)])
            throw .exists(what: "organization", name: name)
        }
        if old.name != name { try free(old.name, of: id) }
        return renamed
    }

    /// Deletes an organization for good, and with `contents` its teams and their keys with it; what
    /// they used stays in the books, and the name may be used again.
    ///
    /// Throws `refused` when it has teams and `contents` is false, and for the organization that
    /// every installation has.
    public func delete(_ id: OrganizationID, contents: Bool) throws(LedgerError) {
        try Self.checkChangeable(id)
        guard let organization = try read(id) else { return }
        let parameters: [PostgresValue] = [.int2(id.shard.rawValue), .int8(id.rawValue)]
        let teams = try DirectoryTransaction.change(id.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) -> Int64 in
            let found = try connection.execute(
                PostgresCommand(OrganizationStatements.countTeams, parameters))
            let count = try found.rows.first?.int8(0) ?? 0
            if count > 0, !contents { return count }
            let before = try Self.read(id, connection)
            let keys = try connection.execute(
                PostgresCommand(KeyStatements.list, parameters + [.null])
            ).rows.map(KeyRecord.init)
            for statement in OrganizationStatements.deletion {
                _ = try connection.execute(PostgresCommand(statement, parameters))
            }
            if let before { log.deleted(before, teams: count, keys: keys) }
            return 0
        }
        guard teams == 0 else {
            throw .refused("the organization has \(teams) team\(teams == 1 ? "" : "s")")
        }
        try free(organization.name, of: id)
    }

    private static func checkChangeable(_ id: OrganizationID) throws(LedgerError) {
        guard id != .default else {
            throw .refused(
                "the organization \"default\" is every installation's and keeps its name")
        }
    }

    // MARK: Names

    /// Reserves a name for an organization and returns who has it: that one, or another that
    /// exists, or one that a crash left half made.
    private func reserve(
        _ name: String, for id: OrganizationID
    ) throws(LedgerError) -> OrganizationID {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            _ = try connection.execute(OrganizationStatements.reserve(name, id))
        }
        guard let holder = try holder(of: name) else { return id }
        // Who is called otherwise, or was deleted, does not need it.
        guard holder != id, let state = try rawState(holder), state.isDeleted || state.name != name
        else { return holder }
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            _ = try connection.execute(
                OrganizationStatements.takeOver(name, from: holder, to: id))
        }
        return try self.holder(of: name) ?? id
    }

    private func free(_ name: String, of id: OrganizationID) throws(LedgerError) {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            _ = try connection.execute(OrganizationStatements.free(name, id))
        }
    }

    private func holder(of name: String) throws(LedgerError) -> OrganizationID? {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(OrganizationStatements.find(name)).rows.first.map {
                row throws(PostgresError) in OrganizationID(rawValue: try row.int8(0))
            }
        }
    }

    private func rawState(
        _ id: OrganizationID
    ) throws(LedgerError) -> (name: String, isDeleted: Bool)? {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try connection.execute(OrganizationStatements.state(id)).rows.first.map {
                row throws(PostgresError) in (try row.text(0), try row.bool(1))
            }
        }
    }

    // MARK: Rows

    private func change(
        _ id: OrganizationID, _ action: AdminAction, _ statement: PostgresStatement,
        _ more: [PostgresValue]
    ) throws(LedgerError) -> Organization? {
        try DirectoryTransaction.change(id.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) in
            let before = try Self.read(id, connection)
            _ = try connection.execute(
                PostgresCommand(
                    statement, [.int2(id.shard.rawValue), .int8(id.rawValue)] + more))
            guard let after = try Self.read(id, connection) else { return nil }
            log.note(action, of: before, after)
            return after
        }
    }

    private func read(_ id: OrganizationID) throws(LedgerError) -> Organization? {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try Self.read(id, connection)
        }
    }

    private static func read(
        _ id: OrganizationID, _ connection: PostgresConnection
    ) throws(PostgresError) -> Organization? {
        try connection.execute(OrganizationStatements.read(id)).rows.first.map {
            row throws(PostgresError) in try organization(id, row)
        }
    }

    private static func organization(
        _ id: OrganizationID, _ row: PostgresRow
    ) throws(PostgresError) -> Organization {
        Organization(
            id: id, name: try row.text(0),
            createdAt: Timestamp(microseconds: try row.timestamp(1)),
            suspendedAt: try row.optionalTimestamp(2).map(Timestamp.init(microseconds:)),
            suspendReason: try row.optionalText(3))
    }
}
