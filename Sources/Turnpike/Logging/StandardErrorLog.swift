import Domain
import Foundation
import Logging

/// Writes every log event as one line to standard error.
struct StandardErrorLog: LogHandler {
    /// How a line is written.
    enum Form: Sendable { case text, json }

    let label: String
    let form: Form
    let time: any TimeSource
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, form: Form, level: Logger.Level, time: any TimeSource) {
        self.label = label
        self.form = form
        logLevel = level
        self.time = time
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = metadata
        if let provided = metadataProvider?.get() { fields.merge(provided) { _, new in new } }
        if let own = event.metadata { fields.merge(own) { _, new in new } }
        if let error = event.error { fields["error"] = "\(error)" }
        let sorted = fields.map { (key: $0.key, value: "\($0.value)") }.sorted { $0.key < $1.key }
        let write = form == .json ? LogLine.json : LogLine.text
        let line = write(
            Self.written(time.wall), event.level, label, "\(event.message)", sorted)
        // One write for a line, so that the lines of several threads do not mix. A log that nobody
        // reads any more is no reason to fail.
        try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    }

    /// RFC 3339 in UTC with milliseconds.
    static func written(_ instant: Timestamp) -> String {
        let milliseconds = (instant.microseconds - instant.day.start.microseconds) / 1000
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let seconds = milliseconds / 1000
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }
        return "\(instant.day)T\(clock.joined(separator: ":")).\(padded(milliseconds % 1000, 3))Z"
    }
}
