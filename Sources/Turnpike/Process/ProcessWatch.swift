import Foundation

/// Waits and looks at processes that are not our children.
enum ProcessWatch {
    /// Looks every 20 ms until `isDone` or `limit` has passed; says whether it was done.
    @discardableResult
    static func waits(for limit: Duration, until isDone: () async -> Bool) async -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while !(await isDone()) {
            if clock.now >= end { return false }
            // A cancelled wait gives up at once, like one that has lasted its time.
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return await isDone() }
        }
        return true
    }

    /// Whether a process with this id runs; one that has ended and was not collected does not.
    static func isRunning(_ id: Int32) -> Bool {
        guard id > 0, kill(id, 0) == 0 || errno == EPERM else { return false }
        guard let status = FileManager.default.contents(atPath: "/proc/\(id)/stat") else {
            return true
        }
        // `PID (NAME) STATE …`, where the name may hold anything, so the last parenthesis counts.
        let text = String(decoding: status, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return true }
        return text[end...].dropFirst(2).first != "Z"
    }

    /// The processes that work in a folder, as far as the system shows them to us; nil where it
    /// shows none at all.
    static func running(inFolder folder: String) -> [Int32]? {
        let files = FileManager.default
        guard let names = try? files.contentsOfDirectory(atPath: "/proc") else { return nil }
        return names.compactMap(Int32.init).filter { id in
            // Not a process any more, or not ours to look at: then it is not one that we could have
            // left.
            let place = try? files.destinationOfSymbolicLink(atPath: "/proc/\(id)/cwd")
            return place == folder && isRunning(id)
        }
    }
}
