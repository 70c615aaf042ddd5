import Foundation
import Testing

/// Texts that are public surface, kept beside the tests.
///
/// Run the tests with `TURNPIKE_RECORD_GOLDEN=1` to write what is said now, and read the difference
/// before it is committed. Nothing is ever written where `CI` is set.
struct GoldenFiles {
    /// The folder of the files.
    let folder: URL
    let isRecording: Bool

    init(_ name: String, environment: [String: String] = ProcessInfo.processInfo.environment) {
        folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Golden/\(name)")
        isRecording =
            environment["TURNPIKE_RECORD_GOLDEN"] == "1" && (environment["CI"] ?? "").isEmpty
    }

    /// Compares a text with its file, or writes it.
    func expect(_ text: String, in name: String) throws {
        let file = folder.appending(path: name)
        if isRecording {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            return try Data(text.utf8).write(to: file)
        }
        let kept = FileManager.default.contents(atPath: file.path)
            .map { String(decoding: $0, as: UTF8.self) }
        guard text != kept else { return }
        Issue.record(
            """
            \(name) \(kept == nil ? "is missing" : "is not what is said now"): look at the difference, \
            then record it with TURNPIKE_RECORD_GOLDEN=1. Now:
            \(text)
            """)
    }

    /// The files that nothing was compared with are of nothing that is left.
    func expectNoOthers(than names: Set<String>) throws {
        let found = Set(try FileManager.default.contentsOfDirectory(atPath: folder.path))
        for name in found.subtracting(names).sorted() {
            if isRecording {
                try FileManager.default.removeItem(at: folder.appending(path: name))
            } else {
                Issue.record(
                    "\(name) is of a command that is gone: record with TURNPIKE_RECORD_GOLDEN=1")
            }
        }
    }
}
