/// Counts the results in the answers of a provider's administration API: `data` of buckets, each
/// with its time and `results`. A bucket's results are added up by model until its time is known,
/// which may stand behind them.
struct JSONExportReader {
    private typealias Fields = [String: String]

    private struct Found {
        var amounts: UsageAmounts
        let line: Int
    }

    private var scanner = JSONScanner()
    private var bucket = Fields()
    private var result = Fields()
    private var found: [String?: Found] = [:]
    private var bucketLine = 1
    private var resultLine = 1
    private var buckets = 0

    /// Counts what the next bytes complete.
    mutating func read(_ bytes: some Sequence<UInt8>, into tally: inout ExportTally) throws {
        // The scanner is lent out while its events are counted.
        var scanner = scanner
        try scanner.scan(bytes) { try take($0, line: $1, into: &tally) }
        self.scanner = scanner
    }

    /// Throws when the file ends within its JSON, or holds no bucket.
    mutating func finish(into tally: inout ExportTally) throws {
        var scanner = scanner
        try scanner.finish { try take($0, line: $1, into: &tally) }
        guard buckets > 0 else {
            throw AdminFailure.refused(
                "The JSON holds no `data` with buckets of usage.",
                advice: "Save the whole answer of the provider's usage or cost API.")
        }
    }

    private mutating func take(
        _ event: JSONScanner.Event, line: Int, into tally: inout ExportTally
    ) throws {
        switch event {
        case .value(let value, let path):
            guard let value else { return }
            if path == "has_more" {
                tally.isIncomplete = value == "true"
            } else if let field = Self.field(path, below: ["data.results.", "data.result."]) {
                result[field] = value
            } else if let field = Self.field(path, below: ["data."]) {
                bucket[field] = value
            }
        case .began(let path):
            if path == "data" { (bucket, bucketLine, found) = ([:], line, [:]) }
            if Self.isResult(path) { (result, resultLine) = ([:], line) }
        case .ended(let path):
            if Self.isResult(path) { try endResult(into: &tally) }
            if path == "data" { try endBucket(into: &tally) }
        }
    }

    private static func isResult(_ path: String) -> Bool {
        path == "data.results" || path == "data.result"
    }

    private static func field(_ path: String, below prefixes: [String]) -> String? {
        prefixes.first(where: path.hasPrefix).map { String(path.dropFirst($0.utf8.count)) }
    }

    private mutating func endResult(into tally: inout ExportTally) throws {
        guard let format = ExportFormat.of(Set(result.keys)) else {
            return tally.reject(
                line: resultLine,
                ExportFault(
                    message: "it is no result of usage or costs"
                        + (result["object"].map { ", but \(QuotedText.quoted($0))" } ?? "")))
        }
        try tally.note(format)
        do throws(ExportFault) {
            let amounts = try format.amounts { result[$0] }
            let model = format.model { result[$0] }
            found[model, default: Found(amounts: [:], line: resultLine)].amounts.add(amounts)
        } catch {
            tally.reject(line: resultLine, error)
        }
    }

    private mutating func endBucket(into tally: inout ExportTally) throws {
        buckets += 1
        let time: ExportTime
        do throws(ExportFault) {
            time = try ExportTime.read { bucket[$0] }
            try tally.cover(time)
        } catch {
            return tally.reject(line: bucketLine, error)
        }
        for (model, sum) in found { try tally.add(sum.amounts, model: model, at: time) }
        found = [:]
    }
}
