import Foundation

/// What the tests find on the machine: the built program and what it works with.
enum Installation {
    /// The program under test.
    static func program() throws -> String { try path("TURNPIKE_BINARY") }
    /// The engine that the local backend supervises.
    static func engine() throws -> String { try path("TURNPIKE_LLAMA_SERVER") }
    /// The model that the engine loads.
    static func model() throws -> String { try path("TURNPIKE_DEMO_MODEL") }
    /// A Python with the official `openai` package.
    static func python() throws -> String { try path("TURNPIKE_TEST_PYTHON") }

    /// The scripts that drive the official package.
    static let scripts = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Python").path

    /// A variable that `deploy/test` sets is not there, or names nothing.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private static func path(_ variable: String) throws -> String {
        guard let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty else {
            throw Missing(description: "\(variable) is not set: run the tests with deploy/test")
        }
        guard FileManager.default.isExecutableFile(atPath: path) || path.hasSuffix(".gguf") else {
            throw Missing(
                description: "\(variable) is \(path), which is not there: run deploy/test")
        }
        return path
    }
}
