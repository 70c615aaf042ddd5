import Foundation
import Synchronization

/// The file that keeps what the engine prints: bounded, with one predecessor.
///
/// Never fails: a full disk costs lines of the log, not the engine, which would wait for its output
/// to be taken.
final class EngineLog: Sendable {
    /// The file's largest size; beyond it, it becomes the predecessor.
    static let maximumBytes = 10 << 20

    private struct State {
        var handle: FileHandle?
        var size = 0
        /// The last line with something on it, cut; the reason if the engine ends by itself.
        var lastLine: [UInt8] = []
        var currentLine: [UInt8] = []
    }

    private let path: String
    private let maximumBytes: Int
    private let state = Mutex(State())

    /// A log at `path`, which is opened when the first line comes.
    init(path: String, maximumBytes: Int) {
        self.path = path
        self.maximumBytes = maximumBytes
    }

    /// The last line that was printed, fit for another log.
    var lastLine: String {
        let line = state.withLock { $0.currentLine.isEmpty ? $0.lastLine : $0.currentLine }
        return LogExcerpt.make(of: line, redacting: [])
    }

    /// Takes over what the engine printed.
    func append(_ bytes: [UInt8]) {
        state.withLock { state in
            noteLines(bytes, &state)
            if state.handle == nil { open(&state) }
            if state.size > 0, state.size + bytes.count > maximumBytes { rotate(&state) }
            guard let handle = state.handle else { return }
            do {
                try handle.write(contentsOf: Data(bytes))
                state.size += bytes.count
            } catch {
                // A disk that is full now may have room later: opened again for the next bytes.
                state.handle = nil
            }
        }
    }

    private func noteLines(_ bytes: [UInt8], _ state: inout State) {
        for byte in bytes {
            if byte != UInt8(ascii: "\n") {
                guard state.currentLine.count < LogExcerpt.maximumBytes else { continue }
                state.currentLine.append(byte)
            } else if !state.currentLine.isEmpty {
                state.lastLine = state.currentLine
                state.currentLine.removeAll(keepingCapacity: true)
            }
        }
    }

    private func open(_ state: inout State) {
        let files = FileManager.default
        if !files.fileExists(atPath: path) {
            // Prompts may end up in it at some verbosity, so it is for the owner only.
            _ = files.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        let handle = FileHandle(forWritingAtPath: path)
        // Without an end to seek to (a pipe, a terminal), the size stays 0 and nothing is rotated.
        state.size = Int(clamping: (try? handle?.seekToEnd()) ?? 0)
        state.handle = handle
    }

    private func rotate(_ state: inout State) {
        state.handle = nil
        let files = FileManager.default
        // Either step may fail on a full or foreign disk; then the file is appended to and tried
        // again.
        try? files.removeItem(atPath: path + ".1")
        try? files.moveItem(atPath: path, toPath: path + ".1")
        open(&state)
    }
}
