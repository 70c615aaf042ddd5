import Glibc

/// An open file or folder, closed with its last owner.
final class OpenFile: Sendable {
    let descriptor: CInt

    /// Takes over a descriptor.
    init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens a folder, so that the names in it can be brought to the disk.
    static func folder(_ path: String) throws(LedgerStartError) -> OpenFile {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw LedgerStartError("the journal's folder \(path) cannot be opened")
        }
        return OpenFile(descriptor)
    }
}
