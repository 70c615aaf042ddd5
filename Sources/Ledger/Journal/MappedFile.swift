import Glibc

/// A file of fixed size, mapped: what is stored in it is in the page cache at once and survives the
/// death of the process. Its blocks are allocated when it is made, so that a full disk is an error
/// then and not a fault at a store.
///
/// Not Sendable: its owner guards it.
@safe struct MappedFile: ~Copyable {
    private let base: UnsafeMutableRawPointer
    /// The file, to bring it to the disk.
    let file: OpenFile
    /// Its size.
    let count: Int

    /// Opens the file, or makes it, with `count` bytes.
    init(path: String, count: Int) throws(LedgerStartError) {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("opened", path, errno) }
        let file = OpenFile(descriptor)
        let allocation = posix_fallocate(descriptor, 0, off_t(count))
        guard allocation == 0 else { throw Self.failure("allocated", path, allocation) }
        let mapping = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
            throw Self.failure("mapped", path, errno)
        }
        unsafe base = mapping
        self.file = file
        self.count = count
    }

    deinit { unsafe munmap(base, count) }

    /// Copies `bytes` to `offset`; traps outside of the file.
    func store(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + bytes.count <= count, "a store stays in its file")
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe (base + offset).copyMemory(from: start, byteCount: source.count)
        }
    }

    /// Clears everything from `offset` on.
    func clear(from offset: Int) {
        precondition(offset >= 0 && offset <= count, "a store stays in its file")
        unsafe memset(base + offset, 0, count - offset)
    }

    /// Stores one aligned word, never torn.
    func store(word: UInt64, index: Int) {
        precondition(index >= 0 && (index + 1) * 8 <= count, "a store stays in its file")
        unsafe base.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
    }

    /// Reads one aligned word.
    func word(_ index: Int) -> UInt64 {
        precondition(index >= 0 && (index + 1) * 8 <= count, "a read stays in its file")
        return unsafe base.load(fromByteOffset: index * 8, as: UInt64.self)
    }

    /// Everything in it.
    func contents() -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: base, count: count))
    }

    private static func failure(
        _ what: String, _ path: String, _ number: Int32
    ) -> LedgerStartError {
        let reason = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
        return LedgerStartError(
            "the journal file \(path) cannot be \(what): \(reason)",
            isFullDisk: number == ENOSPC || number == EDQUOT)
    }
}
