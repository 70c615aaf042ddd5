import Foundation
import Glibc

/// A new file that only its owner may read, made before a secret is minted, so that a secret never
/// lacks its place.
struct SecretFile {
    /// Where it is, as it was named.
    let path: String

    /// Makes the empty file with mode 0600. Refuses a path that exists already, whatever it is.
    static func reserve(_ path: String) throws(AdminFailure) -> SecretFile {
        // A new file's mode is what the mask leaves of 0666: nobody else ever has it, not even
        // while it is empty.
        let mask = umask(0o077)
        defer { umask(mask) }
        do {
            try Data().write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch {
            throw .refused(
                "The file \(QuotedText.quoted(path)) cannot be made: \(reason(error)).",
                advice:
                    "Nothing was created. Name a file that is not there yet, in a folder you may"
                    + " write to.")
        }
        return SecretFile(path: path)
    }

    /// Writes the secret and a line end, and returns once the disk has them.
    func fill(_ secret: String) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.write(contentsOf: Data((secret + "\n").utf8))
        try handle.synchronize()
        try handle.close()
    }

    /// Removes the file again when nothing was minted.
    func discard() {
        // What remains is an empty file; the failure that led here is the one to tell.
        try? FileManager.default.removeItem(atPath: path)
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileWriteFileExists: "it exists already"
        case .fileNoSuchFile: "its folder does not exist"
        case .fileWriteNoPermission: "this user may not write there"
        case .fileWriteOutOfSpace: "the disk is full"
        default: "the system refuses"
        }
    }
}
