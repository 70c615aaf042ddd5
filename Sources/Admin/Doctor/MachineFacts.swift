import Foundation
import Glibc

/// What this machine says of itself.
struct MachineFacts: Sendable {
    /// A file or folder.
    struct Place: Sendable, Equatable {
        var isFolder: Bool
        /// The permission bits.
        var mode: UInt16
        /// The owner's number.
        var owner: UInt32
        /// In bytes.
        var size: Int64
    }

    /// The user who asks.
    var user: UInt32
    /// How many files a process of this user may have open; nil where the system does not say.
    var descriptors: Int?
    /// Memory that could be had, in bytes; nil likewise.
    var memory: Int64?
    /// Local ports that somebody listens on.
    var listening: Set<Int>

    /// Reads this machine's.
    static func read() -> MachineFacts {
        MachineFacts(
            user: geteuid(), descriptors: descriptors(contents("/proc/self/limits")),
            memory: memory(contents("/proc/meminfo")),
            listening: listening(contents("/proc/net/tcp") + contents("/proc/net/tcp6")))
    }

    /// What is at a path; nil where nothing is or it may not be looked at.
    static func place(_ path: String) -> Place? {
        // Whatever the reason, it is told as: cannot be looked at.
        guard let found = try? FileManager.default.attributesOfItem(atPath: path) else {
            return nil
        }
        return Place(
            isFolder: found[.type] as? FileAttributeType == .typeDirectory,
            mode: (found[.posixPermissions] as? NSNumber)?.uint16Value ?? 0o777,
            owner: (found[.ownerAccountID] as? NSNumber)?.uint32Value ?? .max,
            size: (found[.size] as? NSNumber)?.int64Value ?? 0)
    }

    /// Free bytes on the disk of a path; nil where the system does not say.
    static func freeBytes(_ path: String) -> Int64? {
        // Nothing is lost: the check says that it does not know.
        let found = try? FileManager.default.attributesOfFileSystem(forPath: path)
        return (found?[.systemFreeSize] as? NSNumber)?.int64Value
    }

    /// Writes a small file into a folder, waits for the disk and removes it; how long that took,
    /// nil when it failed.
    static func syncTime(_ folder: String) -> Duration? {
        let path = "\(folder)/.turnpike-doctor-\(getpid())"
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { return nil }
        // A file that stays behind is empty and says what made it.
        defer { try? FileManager.default.removeItem(atPath: path) }
        let began = ProcessInfo.processInfo.systemUptime
        do {
            try file.write(contentsOf: Data(repeating: 7, count: 4096))
            try file.synchronize()
            try file.close()
        } catch {
            return nil
        }
        return .seconds(ProcessInfo.processInfo.systemUptime - began)
    }

    /// `Max open files` of `/proc/self/limits` (proc(5)): the soft limit.
    static func descriptors(_ text: String) -> Int? {
        line("Max open files", of: text).flatMap { $0.first == "unlimited" ? Int.max : Int($0[0]) }
    }

    /// `MemAvailable` of `/proc/meminfo` (proc(5)), in kibibytes there.
    static func memory(_ text: String) -> Int64? {
        line("MemAvailable:", of: text).flatMap { Int64($0[0]) }.map { $0 * 1024 }
    }

    /// The local ports in state 0A (listening) of `/proc/net/tcp` (proc(5)).
    static func listening(_ text: String) -> Set<Int> {
        Set(
            text.split(separator: "\n").compactMap { line in
                let fields = line.split(separator: " ")
                guard fields.count > 3, fields[3] == "0A" else { return nil }
                return fields[1].split(separator: ":").last.flatMap { Int($0, radix: 16) }
            })
    }

    private static func line(_ beginning: String, of text: String) -> [Substring]? {
        text.split(separator: "\n").first { $0.hasPrefix(beginning) }
            .map { $0.dropFirst(beginning.count).split(separator: " ") }
            .flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func contents(_ path: String) -> String {
        // Not Linux, or hidden: the checks say that they do not know.
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }
}
