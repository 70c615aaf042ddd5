public import Domain
import Postgres

/// The keys of the admin HTTP API in the directory.
public struct AdminKeyStore {
    /// What every admin key begins with, so that people and scanners tell it from an API key. No
    /// API key may be given this prefix.
    public static let prefix = APIKeyFormat.adminPrefix

    let connection: PostgresConnection
    let recorder: ActionRecorder

    var random: LedgerRandom { recorder.random }

    /// A new key: its record, and its secret, which exists nowhere else.
    public struct Minted: ~Copyable {
        /// What is stored.
        public let record: AdminKeyRecord
        /// What is shown once. Its bytes are overwritten when it goes.
        public let secret: APIKeySecret

        /// Hands over the secret alone.
        public consuming func takeSecret() -> APIKeySecret { secret }
    }

    /// Makes a key of 256 random bits and stores its digest under `pepper`.
    ///
    /// Throws `invalid` for a name that breaks a rule, and with a claim what ``LedgerError`` says
    /// of repetitions.
    public func mint(
        name: String, role: AdminRole, organization: OrganizationID?, expires: Timestamp?,
        pepper: Pepper, claim: CreationClaim?
    ) throws(LedgerError) -> Minted {
        try DirectoryName.check(name, of: "an admin key")
        let shard = AdminKeyStatements.shard
        let fresh = FreshSecret(
            shard: shard, prefix: Self.prefix, pepper: pepper, random: random)
        let id = fresh.id
        let parameters: [PostgresValue] = [
            .int2(shard.rawValue), .int8(id.databaseValue), .text(name), .int2(role.code),
            organization.map { .int8($0.rawValue) } ?? .null, .bytes(fresh.digest),
            .int2(pepper.id), .text(fresh.last4),
            expires.map { .timestamp($0.microseconds) } ?? .null,
        ]
        enum Outcome {
            case made(AdminKeyRecord?), repeated(CreationClaim.Earlier)
        }
        let outcome = try DirectoryTransaction.change(shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) -> Outcome in
            if let earlier = try claim?.earlier(in: shard, connection) {
                return .repeated(earlier)
            }
            _ = try connection.execute(PostgresCommand(AdminKeyStatements.insert, parameters))
            try claim?.note(id.databaseValue, in: shard, connection)
            guard let made = try Self.read(id, connection) else { return .made(nil) }
            log.note(.adminKeyCreate, of: nil, made)
            return .made(made)
        }
        switch outcome {
        case .made(let record?): return Minted(record: record, secret: fresh.takeSecret())
        case .made(nil): throw .missing(what: "admin key", name: id.description)
        case .repeated(let earlier): throw LedgerError(earlier)
        }
    }

    /// Every key, or those of one organization, the oldest first; revoked and expired ones too.
    public func list(organization: OrganizationID?) throws(LedgerError) -> [AdminKeyRecord] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let command = PostgresCommand(
                AdminKeyStatements.list,
                [
                    .int2(AdminKeyStatements.shard.rawValue),
                    organization.map { .int8($0.rawValue) } ?? .null,
                ])
            return try connection.execute(command).rows.map(AdminKeyRecord.init)
        }
    }

    /// Some keys, or some of one organization's, in the order of their ids; with `isUsable` those
    /// alone that may be used. Reads no more of the list than the page.
    public func page(
        organization: OrganizationID?, isUsable: Bool, _ page: ListPage<KeyID>
    ) throws(LedgerError) -> [AdminKeyRecord] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try PageStatements.rows(
                AdminKeyStatements.page(organization, isUsable: isUsable, page), connection
            ).map(AdminKeyRecord.init)
        }
    }

    /// The key with that id, if there is one.
    public func find(_ id: KeyID) throws(LedgerError) -> AdminKeyRecord? {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try Self.read(id, connection)
        }
    }

    /// Revokes a key for good and returns its record; nil when there is no such key. Repeating it
    /// changes nothing.
    public func revoke(_ id: KeyID) throws(LedgerError) -> AdminKeyRecord? {
        try DirectoryTransaction.change(AdminKeyStatements.shard, on: connection, by: recorder) {
            connection, log throws(PostgresError) in
            let before = try Self.read(id, connection)
            _ = try connection.execute(AdminKeyStatements.command(AdminKeyStatements.revoke, id))
            guard let after = try Self.read(id, connection) else { return nil }
            log.note(.adminKeyRevoke, of: before, after)
            return after
        }
    }

    /// The key whose secret is presented, if it may be used; notes its use. What is no admin key in
    /// form costs no look-up. The look-up is by primary key, and the digest is compared in the
    /// same time wherever it differs.
    public func authenticate(
        _ secret: borrowing APIKeySecret, peppers: [Pepper]
    ) throws(LedgerError) -> AdminKeyRecord? {
        let id: KeyID? = secret.withBytes { token in
            let start = Array(Self.prefix.utf8) + [UInt8(ascii: "_")]
            return token.starts(with: start) ? APIKeyFormat.parse(token) : nil
        }
        guard let id, id.shard == AdminKeyStatements.shard, let record = try find(id),
            let pepper = peppers.first(where: { $0.id == record.pepperID })
        else { return nil }
        let isRight = secret.withBytes { token in
            pepper.verify(token, against: record.digest)
        }
        guard isRight, record.isUsable else { return nil }
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            _ = try connection.execute(AdminKeyStatements.command(AdminKeyStatements.use, id))
        }
        return record
    }

    private static func read(
        _ id: KeyID, _ connection: PostgresConnection
    ) throws(PostgresError) -> AdminKeyRecord? {
        try connection.execute(AdminKeyStatements.command(AdminKeyStatements.find, id)).rows.first
            .map(AdminKeyRecord.init)
    }
}
