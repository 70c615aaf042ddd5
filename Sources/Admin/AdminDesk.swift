import Domain

/// What a command answers programs.
enum AdminAnswer {
    /// One thing.
    case one(Record)
    /// Rows.
    case many([Record])
}

/// What a running command works with: the ledger, and where and how to answer.
struct AdminDesk {
    let output: Output
    let format: OutputFormat
    let ledger: any AdminLedger
    /// Takes the answers as they are, for the admin HTTP API; nil where they are printed.
    var take: ((AdminAnswer) -> Void)?
    /// The part of a list that is asked for; nil for all of it.
    var page: AdminPage.Request?
    /// The file that came with a request, in place of one that a command names; nil without one.
    var file: [UInt8]?

    /// Answers with rows: an array for programs, `table` for people.
    func answer(_ records: [Record], names: [String], table: () -> [String]) throws {
        if let take { return take(.many(records)) }
        switch format {
        case .json: try output.line(JSONText.array(records))
        case .csv: try output.write(CSVText.file(names: names, records: records))
        case .table: try output.lines(table())
        }
    }

    /// Answers with one thing: an object for programs, `table` for people.
    func answer(_ record: Record, table: () -> [String]) throws {
        if let take { return take(.one(record)) }
        switch format {
        case .json: try output.line(JSONText.object(record))
        case .csv:
            try output.write(CSVText.file(names: record.fields.map(\.name), records: [record]))
        case .table: try output.lines(table())
        }
    }

    /// Lays out a table for the output's width.
    var tables: TableFormatter { TableFormatter(width: output.width, style: output.style) }

    /// The organization of that name.
    func organization(_ name: String) throws(AdminFailure) -> OrganizationEntry {
        guard let found = try ledger.findOrganization(name) else {
            throw .notFound(
                "organization", name, advice: "See `turnpike admin org list` for those there are.")
        }
        return found
    }

    /// The organization's team of that name.
    func team(_ name: String, in organization: OrganizationEntry) throws(AdminFailure) -> TeamEntry
    {
        guard let found = try ledger.findTeam(name, in: organization) else {
            throw .notFound(
                "team", name, in: organization,
                advice: "See `turnpike admin team list\(flag(organization))`.")
        }
        return found
    }

    /// The organization's key of that id.
    func key(_ id: KeyID, in organization: OrganizationEntry) throws(AdminFailure) -> KeyEntry {
        guard let found = try ledger.findKey(id, in: organization) else {
            throw .notFound(
                "key", id.description, in: organization,
                advice: "See `turnpike admin key list --all\(flag(organization))`.")
        }
        return found
    }

    /// Asks before something is destroyed; without a terminal, `--yes` must have said so.
    func confirm(_ question: String, isConfirmed: Bool) throws(AdminFailure) {
        if isConfirmed { return }
        guard let answer = output.ask(DisplayWidth.printable(question) + " [y/N] ") else {
            throw .wrongUsage(
                "This needs a confirmation and there is no terminal to ask.",
                advice: "Nothing was changed. Add --yes.")
        }
        guard ["y", "yes"].contains(answer.lowercased()) else {
            throw .refused("Nothing was changed.", advice: nil)
        }
    }

    /// How to name the organization on a command line; nothing for the default one.
    func flag(_ organization: OrganizationEntry) -> String {
        organization.id == .default
            ? "" : " --organization \(ShellWord.of(organization.name))"
    }
}
