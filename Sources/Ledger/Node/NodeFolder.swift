import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The node's own folder: who it is, and the proof that it is there once.
///
/// A node keeps its number across restarts, so that it finds its own lanes again. The lock makes
/// sure that two processes never use one folder; it goes with the process, however that ends.
final class NodeFolder: Sendable {
    /// This node's number in the ledger.
    let node: Int64
    private let lock: Mutex<Int32?>

    /// Opens the folder, which must exist; makes the node's number on the first start.
    ///
    /// Throws when the folder cannot be written or another process uses it.
    init(_ directory: String, random: LedgerRandom) throws(LedgerStartError) {
        guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw LedgerStartError(
                "data_dir \(directory) does not exist and cannot be made: \(Self.reason(errno))")
        }
        let lockPath = directory + "/node.lock"
        let file = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw LedgerStartError("\(lockPath) cannot be written: \(Self.reason(errno))")
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw LedgerStartError(
                "\(directory) is in use by another running gateway; give each its own data_dir")
        }
        do {
            node = try Self.number(in: directory, random: random)
        } catch {
            close(file)
            throw error
        }
        lock = Mutex(file)
    }

    deinit { release() }

    /// Lets another process use the folder. Nothing of this node may be at work any more.
    func release() {
        let file = lock.withLock { file in
            defer { file = nil }
            return file
        }
        if let file { close(file) }
    }

    private static func number(
        in directory: String, random: LedgerRandom
    ) throws(LedgerStartError) -> Int64 {
        let path = directory + "/node-id"
        if let text = read(path) {
            guard let number = Int64(text.filter(\.isNumber)), number > 0 else {
                throw LedgerStartError("\(path) does not hold a node's number; restore it")
            }
            return number
        }
        let number = random.positive()
        try write("\(number)\n", to: path)
        return number
    }

    private static func read(_ path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe Glibc.read(file, $0.baseAddress, 64)
        }
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }

    /// Written beside and renamed, so that a crash leaves the old file or the new one, never half
    /// of it.
    private static func write(_ text: String, to path: String) throws(LedgerStartError) {
        let fresh = path + ".new"
        let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw LedgerStartError("\(fresh) cannot be written: \(reason(errno))")
        }
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.write(file, $0.baseAddress, bytes.count)
        }
        let isKept = count == bytes.count && fsync(file) == 0
        close(file)
        guard isKept, unsafe rename(fresh, path) == 0 else {
            throw LedgerStartError("\(path) cannot be written: \(reason(errno))")
        }
    }

    private static func reason(_ number: Int32) -> String {
        guard let text = unsafe strerror(number) else { return "error \(number)" }
        return unsafe String(cString: text)
    }
}

/// The ledger cannot be started. The description says what to do and holds no secret.
public struct LedgerStartError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, for an operator.
    public let description: String

    /// Whether it is that the disk has no room.
    let isFullDisk: Bool

    init(_ description: String, isFullDisk: Bool = false) {
        self.description = description
        self.isFullDisk = isFullDisk
    }
}
