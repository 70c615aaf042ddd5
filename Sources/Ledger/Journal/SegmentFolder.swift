import Glibc

/// The journal's files on disk: segments named by the sequence of their first record, in one
/// folder.
struct SegmentFolder: Sendable {
    let path: String
    /// The size of a segment.
    let segmentBytes: Int

    /// Makes the folder where it is missing.
    init(_ path: String, segmentBytes: Int) throws(LedgerStartError) {
        self.path = path
        self.segmentBytes = segmentBytes
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw LedgerStartError("the journal's folder \(path) cannot be made")
        }
    }

    /// The first sequences of all segments, oldest first.
    func firstSequences() throws(LedgerStartError) -> [UInt64] {
        guard let folder = unsafe opendir(path) else {
            throw LedgerStartError("the journal's folder \(path) cannot be read")
        }
        defer { unsafe closedir(folder) }
        var found: [UInt64] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { characters in
                    unsafe String(cString: characters)
                }
            }
            guard name.hasSuffix(".log"), let sequence = UInt64(name.dropLast(4)) else { continue }
            found.append(sequence)
        }
        return found.sorted()
    }

    /// Opens a segment, or makes it.
    func open(_ sequence: UInt64) throws(LedgerStartError) -> MappedFile {
        try MappedFile(path: file(sequence), count: segmentBytes)
    }

    func remove(_ sequence: UInt64) { _ = unsafe unlink(file(sequence)) }

    /// Keeps a segment that cannot be read, under a name that no replay looks at.
    func setAside(_ sequence: UInt64) {
        _ = unsafe rename(file(sequence), file(sequence) + ".unreadable")
    }

    private func file(_ sequence: UInt64) -> String {
        let digits = String(sequence)
        return "\(path)/\(String(repeating: "0", count: 20 - digits.utf8.count))\(digits).log"
    }
}
