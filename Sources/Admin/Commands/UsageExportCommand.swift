import ArgumentParser
import Domain
import Ledger

/// `admin usage export`.
struct UsageExportCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write every record of a span, one line for each request.",
        discussion: """
            CSV unless --format json says otherwise: an array with an object on each line. Records stream: a month of any \
            size takes no more memory than a minute. Where standard error is a terminal it shows how far the export has \
            come. Records that retention has dropped are missing, and a note says so.

            Example:
              turnpike admin usage export --since 2026-11-01 > november.csv
              turnpike admin usage export --team research --since 24h --format json
            """)

    @OptionGroup var filter: UsageFilter
    /// Those of the report, which an export has none of: they are read to be refused.
    @OptionGroup(visibility: .hidden) var shape: UsageShape
    @OptionGroup var options: AdminOptions

    /// How often the progress is shown.
    private static let progressEvery = Duration.milliseconds(200)

    func validate() throws {
        guard let option = shape.firstGiven else { return }
        throw ValidationError(
            "An export has every record, and no \(option): leave it out, or leave out export.")
    }

    func execute(_ desk: AdminDesk) throws {
        let query = try query(at: desk)
        let expected = try desk.ledger.exportCount(query)
        let isJSON = desk.format == .json
        try desk.output.write(isJSON ? "[" : CSVText.file(names: ExportView.names, records: []))
        let written = try stream(query, expected, isJSON, desk)
        if isJSON { try desk.output.write(written > 0 ? "\n]\n" : "]\n") }
        guard written < expected else { return }
        try desk.output.complain(
            "\(NumberText.grouped(Int128(expected - written))) of "
                + "\(NumberText.grouped(Int128(expected))) records of that time are not kept any "
                + "more: retention has dropped them. Their sums are in `turnpike admin usage`.\n")
    }

    /// Which records are asked for.
    func query(at desk: AdminDesk) throws -> ExportQuery {
        let scope = try filter.find(at: desk)
        var query = ExportQuery(
            organization: scope.organization.id, team: scope.team?.id, key: scope.key?.id,
            since: scope.span.begin, until: scope.span.last)
        query.tags = scope.tags
        return query
    }

    /// Writes page by page and returns how many records there were.
    private func stream(
        _ query: ExportQuery, _ expected: Int64, _ isJSON: Bool, _ desk: AdminDesk
    ) throws -> Int64 {
        let clock = AdminEnvironment.current.clock
        let start = clock.elapsed()
        var shown = start
        var written: Int64 = 0
        var position: ExportPosition? = query.start
        defer { desk.output.progress?("") }
        while let place = position {
            let page = try desk.ledger.export(query, from: place)
            var text = ""
            for record in page.records {
                let fields = ExportView.record(record)
                if isJSON {
                    text += (written > 0 ? ",\n  " : "\n  ") + JSONText.object(fields)
                } else {
                    text += CSVText.line(fields)
                }
                written += 1
            }
            if !text.isEmpty { try desk.output.write(text) }
            position = page.next
            let now = clock.elapsed()
            if let progress = desk.output.progress, now - shown >= Self.progressEvery {
                shown = now
                progress(
                    ProgressText.line(
                        done: written, of: expected, elapsed: now - start,
                        width: desk.output.width))
            }
        }
        return written
    }
}
