import Domain
import Postgres

/// What a change tells of itself, to be written with it in one transaction.
struct ActionLog {
    /// One action of the change.
    struct Note {
        let action: AdminAction
        let subject: ActionSubject
        let owner: ActionOwner?
        let before: ActionState?
        let after: ActionState?
    }

    private(set) var notes: [Note] = []

    /// Notes what was done. What left everything as it was is no action: nothing is noted.
    mutating func note(
        _ action: AdminAction, _ subject: ActionSubject, of owner: ActionOwner?,
        before: ActionState?, after: ActionState?
    ) {
        if before == after { return }
        notes.append(
            Note(action: action, subject: subject, owner: owner, before: before, after: after))
    }
}

/// Whose action it is to see: the organization, and the team where there is one.
struct ActionOwner {
    let organization: OrganizationID
    let name: String
    let team: TeamID?

    init(_ organization: Organization, team: TeamID?) {
        self.init(organization.id, organization.name, team: team)
    }

    init(_ organization: OrganizationID, _ name: String, team: TeamID?) {
        self.organization = organization
        self.name = name
        self.team = team
    }
}

/// Who acts, and the pen: writes actions down in the transaction of what they changed.
struct ActionRecorder: Sendable {
    let author: ActionAuthor
    let random: LedgerRandom

    /// Where actions are kept that are of no organization.
    static let common = Shard(rawValue: 0)

    /// Writes what a change of the directory noted, under the revision that it raised.
    func write(
        _ log: ActionLog, in shard: Shard, revision: Int64, _ connection: PostgresConnection
    ) throws(PostgresError) {
        for note in log.notes { try write(note, shard, revision, connection) }
    }

    /// Writes an action that is no change of the directory and of no organization. To be called in
    /// the transaction of what it changed, or where there is none before the first and after the
    /// last of its steps.
    func write(
        _ action: AdminAction, _ subject: ActionSubject, before: ActionState?, after: ActionState?,
        _ connection: PostgresConnection
    ) throws(PostgresError) {
        let note = ActionLog.Note(
            action: action, subject: subject, owner: nil, before: before, after: after)
        try write(note, Self.common, nil, connection)
    }

    private func write(
        _ note: ActionLog.Note, _ shard: Shard, _ revision: Int64?,
        _ connection: PostgresConnection
    ) throws(PostgresError) {
        func text(_ text: String?) -> PostgresValue { text.map(PostgresValue.text) ?? .null }
        func number(_ number: Int64?) -> PostgresValue { number.map(PostgresValue.int8) ?? .null }
        let id = ActionID(shard: shard, random: random.bits())
        _ = try connection.execute(
            PostgresCommand(
                ActionStatements.insert,
                [
                    .int2(shard.rawValue), .int8(id.databaseValue), number(revision),
                    .text(author.way.rawValue), .text(author.name), .text(note.action.rawValue),
                    number(note.owner?.organization.rawValue), text(note.owner?.name),
                    number(note.owner?.team?.rawValue), .text(note.subject.kind.rawValue),
                    number(note.subject.id), .text(note.subject.name), text(note.before?.json),
                    text(note.after?.json),
                ]))
    }
}
