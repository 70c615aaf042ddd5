import Foundation
import OpenSSL

/// The folder in which `turnpike up` keeps all its state.
///
/// ``` DIR/turnpike.yaml   the configuration it runs with      DIR/postgres/     the database (or a
/// link to it) DIR/pepper          mode 0600                           DIR/postgres.log
/// DIR/first-key       mode 0600                           DIR/run/          the database's socket
/// DIR/journal/        the gateway's journal               DIR/lock, DIR/ready ```
final class DataDirectory: Sendable {
    /// An absolute path.
    let path: String
    // Held open for the life of the process: closing it gives up the lock.
    private let lock: FileHandle

    /// The path of a file in it.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes the folder if need be and takes it for this process alone.
    init(path: String) throws(StartupFailure) {
        let path = URL(filePath: path).standardizedFileURL.path
        self.path = path
        let files = FileManager.default
        do {
            if !files.fileExists(atPath: path) {
                try files.createDirectory(
                    atPath: path, withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
            }
            let lockFile = "\(path)/lock"
            if !files.fileExists(atPath: lockFile) {
                try DataDirectory.write(Data(), to: lockFile)
            }
            lock = try FileHandle(forUpdating: URL(filePath: lockFile))
        } catch {
            throw StartupFailure(
                "the data directory \(path) cannot be used: \(FileFault.words(error))")
        }
        guard flock(lock.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StartupFailure(
                "another turnpike already runs on \(path); stop it, or give another --data-dir")
        }
        setReady(nil)
    }

    /// The usual place: the user's state folder. Root's is the system's own, since the database's
    /// account may not enter root's home.
    static func usual(environment: [String: String]) throws(StartupFailure) -> String {
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            return "\(state)/turnpike"
        }
        if geteuid() == 0 { return "/var/lib/turnpike" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw StartupFailure("HOME is not set; give --data-dir")
        }
        return "\(home)/.local/state/turnpike"
    }

    /// Makes the pepper unless it is there. Never replaced: every key's digest depends on it.
    func ensurePepper() throws(StartupFailure) {
        let path = file("pepper")
        if FileManager.default.fileExists(atPath: path) { return }
        do {
            try Self.write(Data(try SecureRandom.bytes(32)), to: path)
        } catch {
            throw StartupFailure("\(path) cannot be written: \(FileFault.words(error))")
        }
    }

    /// Makes a private folder in it unless it is there.
    func ensureFolder(_ name: String) throws(StartupFailure) {
        try FolderOwnership.ensurePrivate(file(name), account: nil)
    }

    /// Sets a log aside once it has grown large, so that two files of it at most are kept.
    func limitLog(_ name: String) {
        let files = FileManager.default
        let path = file(name)
        // A log that is not there has no size, and one that cannot be set aside goes on growing;
        // neither is a reason not to start.
        let size = (try? files.attributesOfItem(atPath: path)[.size] as? NSNumber)?.intValue ?? 0
        guard size > 10 << 20 else { return }
        try? files.removeItem(atPath: "\(path).1")
        try? files.moveItem(atPath: path, toPath: "\(path).1")
    }

    /// Writes a file of mode 0600 so that it appears whole or not at all.
    func write(_ text: String, to name: String) throws(StartupFailure) {
        do {
            try Self.write(Data(text.utf8), to: file(name))
        } catch {
            throw StartupFailure("\(file(name)) cannot be written: \(FileFault.words(error))")
        }
    }

    /// The text of a file; nil when there is none.
    func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: file(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a file is there.
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    /// Removes a file.
    func remove(_ name: String) {
        // Not being there is what is wanted; what cannot be removed is seen at the next start.
        try? FileManager.default.removeItem(atPath: file(name))
    }

    /// Creates `ready` with what a script may want to know, or removes it.
    func setReady(_ text: String?) {
        let path = file("ready")
        guard let text else {
            remove("ready")
            return
        }
        do { try Self.write(Data(text.utf8), to: path) } catch {
            FileHandle.standardError.write(
                Data("turnpike: \(path) cannot be written: \(FileFault.words(error))\n".utf8))
        }
    }

    private static func write(_ data: Data, to path: String) throws {
        let fresh = "\(path).new"
        let files = FileManager.default
        if files.fileExists(atPath: fresh) { try files.removeItem(atPath: fresh) }
        guard
            files.createFile(
                atPath: fresh, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteNoPermission) }
        let handle = try FileHandle(forWritingTo: URL(filePath: fresh))
        try handle.write(contentsOf: data)
        // On disk before it gets its name: a pepper that a power cut emptied would void every key.
        try handle.synchronize()
        try handle.close()
        try SystemCalls.rename(fresh, to: path)
    }
}
