/// Counts the rows of a CSV export: the header says what it is.
struct CSVExportReader {
    private var scanner = CSVScanner()
    private var columns: [String: Int] = [:]
    private var width = 0
    private var format: ExportFormat?

    /// Counts what the next bytes complete.
    mutating func read(_ bytes: some Sequence<UInt8>, into tally: inout ExportTally) throws {
        // The scanner is lent out while its records are counted.
        var scanner = scanner
        try scanner.scan(bytes) { try take($0, into: &tally) }
        self.scanner = scanner
    }

    /// Counts the last row of a file that does not end with a line's end.
    mutating func finish(into tally: inout ExportTally) throws {
        var scanner = scanner
        try scanner.finish { try take($0, into: &tally) }
        guard format != nil else { throw Self.unknown([]) }
    }

    private mutating func take(
        _ record: CSVScanner.CSVRecord, into tally: inout ExportTally
    ) throws {
        guard let format else { return try takeHeader(record, into: &tally) }
        let columns = columns
        func value(_ name: String) -> String? { columns[name].flatMap { record[$0] } }
        do throws(ExportFault) {
            guard record.count == width else {
                throw ExportFault(message: "it has \(record.count) fields, the header \(width)")
            }
            let time = try ExportTime.read(value)
            let amounts = try format.amounts(value)
            try tally.cover(time)
            found = (amounts, format.model(value), time)
        } catch {
            found = nil
            tally.reject(line: record.line, error)
        }
        if let found { try tally.add(found.0, model: found.1, at: found.2) }
    }

    /// The row that was read last.
    private var found: (UsageAmounts, String?, ExportTime)?

    private mutating func takeHeader(
        _ record: CSVScanner.CSVRecord, into tally: inout ExportTally
    ) throws(AdminFailure) {
        let names = record.texts.map { $0.trimmed.lowercased() }
        guard let found = ExportFormat.of(Set(names)) else { throw Self.unknown(names) }
        try tally.note(found)
        format = found
        width = names.count
        columns = Dictionary(zip(names, names.indices)) { first, _ in first }
    }

    private static func unknown(_ names: [String]) -> AdminFailure {
        let found =
            names.isEmpty
            ? "" : " It has the columns \(QuotedText.quoted(names.joined(separator: ", ")))."
        return .refused(
            "The file is no export that can be compared.\(found)",
            advice: "Take the CSV of OpenAI's or Anthropic's usage or cost page, or the JSON of"
                + " their administration API.")
    }
}

extension String {
    /// Without spaces around it.
    var trimmed: String {
        let start = drop { $0 == " " }
        return String(start.reversed().drop { $0 == " " }.reversed())
    }
}
