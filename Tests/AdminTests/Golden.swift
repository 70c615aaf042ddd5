import Foundation
import Testing

/// Texts that people see, kept as files beside the tests: a change of them shows in the review.
///
/// `TURNPIKE_WRITE_GOLDEN=1` writes the files anew; look at the difference before it is committed.
enum Golden {
    /// Holds a text against the file of that name.
    static func check(
        _ text: String, is name: String, at location: SourceLocation = #_sourceLocation
    ) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
        let file = folder.appending(path: name + ".txt")
        if ProcessInfo.processInfo.environment["TURNPIKE_WRITE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        let kept = try String(decoding: Data(contentsOf: file), as: UTF8.self)
        #expect(text == kept, "\(name)", sourceLocation: location)
    }
}
