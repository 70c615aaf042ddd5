import Foundation
import Ledger

/// A provider's export in a file: read in pieces, never whole.
enum ExportFile {
    private static let pieceBytes = 65_536

    /// Adds up the file; `-` is standard input.
    static func read(
        _ path: String, step: BackendUsageQuery.Step
    ) throws -> ExportTally {
        let file: FileHandle
        if path == "-" {
            file = .standardInput
        } else {
            do {
                file = try FileHandle(forReadingFrom: URL(filePath: path))
            } catch {
                throw AdminFailure.refused(
                    "The file \(QuotedText.quoted(path)) cannot be read.",
                    advice: "Does it exist, and may you read it? Give - for standard input.")
            }
        }
        return try read(step: step) { try file.read(upToCount: pieceBytes).map { [UInt8]($0) } }
    }

    /// Adds up a file that is there.
    static func read(_ bytes: [UInt8], step: BackendUsageQuery.Step) throws -> ExportTally {
        var rest = bytes[...]
        return try read(step: step) {
            defer { rest = rest.dropFirst(pieceBytes) }
            return Array(rest.prefix(pieceBytes))
        }
    }

    /// Adds up what `next` gives, piece by piece until nil or nothing.
    static func read(
        step: BackendUsageQuery.Step, _ next: () throws -> [UInt8]?
    ) throws -> ExportTally {
        var tally = ExportTally(step: step)
        var bytes = try piece(next) ?? []
        // UTF-8's byte order mark, which spreadsheets write.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        let first = bytes.first { ![32, 9, 10, 13].contains($0) }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            var reader = JSONExportReader()
            while true {
                try reader.read(bytes, into: &tally)
                guard let more = try piece(next) else { break }
                bytes = more
            }
            try reader.finish(into: &tally)
        } else {
            var reader = CSVExportReader()
            while true {
                try reader.read(bytes, into: &tally)
                guard let more = try piece(next) else { break }
                bytes = more
            }
            try reader.finish(into: &tally)
        }
        return tally
    }

    private static func piece(_ next: () throws -> [UInt8]?) throws -> [UInt8]? {
        do {
            return try next().flatMap { $0.isEmpty ? nil : $0 }
        } catch let failure as AdminFailure {
            throw failure
        } catch {
            throw AdminFailure.refused(
                "The file could not be read to its end.", advice: "Is it a folder, or damaged?")
        }
    }
}
