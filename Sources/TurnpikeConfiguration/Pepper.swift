import Foundation

/// The secret that is mixed into every key's digest. Cannot be printed; lent for hashing only.
public struct Pepper: ~Copyable, Sendable {
    /// The least number of bytes.
    public static let minimumBytes = 32
    private static let maximumBytes = 4096

    private var bytes: [UInt8]

    /// Takes the bytes of a pepper; nil when there are too few.
    public init?(bytes: consuming [UInt8]) {
        guard bytes.count >= Self.minimumBytes else { return nil }
        self.bytes = bytes
    }

    /// Reads the pepper that a configuration names for new keys.
    public init(for configuration: Configuration) throws(ConfigurationFailure) {
        try self.init(
            file: configuration.pepperFile, key: "pepper_file", of: configuration.file)
    }

    /// Reads a pepper's file. `key` is what names it in the configuration `source`.
    ///
    /// Refuses a file that is missing, short, or that others than its owner and group may read:
    /// whoever has the pepper and the database can test
    /// guesses at leisure.
    public init(
        file path: String, key: String, of source: String
    ) throws(ConfigurationFailure) {
        func failure(_ message: String) -> ConfigurationFailure {
            ConfigurationFailure(problems: [
                ConfigurationProblem(
                    file: source, line: nil, key: key, message: "\"\(path)\" \(message)")
            ])
        }
        let words = "give a file of at least \(Self.minimumBytes) random bytes"
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            // Nothing is lost: whatever the reason, the file cannot be looked at.
            throw failure("is not there or cannot be looked at; \(words)")
        }
        let mode = (attributes[.posixPermissions] as? NSNumber)?.uint16Value ?? 0o777
        guard mode & 0o007 == 0 else {
            throw failure("may be read by everybody; make it private: chmod 600 \(path)")
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw failure("cannot be read; \(words)")
        }
        guard data.count >= Self.minimumBytes else {
            throw failure("has only \(data.count) bytes; \(words)")
        }
        guard data.count <= Self.maximumBytes else {
            throw failure("has more than \(Self.maximumBytes) bytes; \(words)")
        }
        guard Set(data).count >= 8 else {
            throw failure("repeats the same few bytes; \(words)")
        }
        bytes = Array(data)
    }

    /// Lends the bytes, for hashing.
    public borrowing func withBytes<Result, Failure: Error>(
        _ body: (borrowing [UInt8]) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes)
    }
}
