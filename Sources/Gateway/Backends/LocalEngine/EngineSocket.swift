import Foundation

/// Where the engine listens: a Unix socket in a folder that nobody else can enter, so that neither
/// another user of the machine nor a web page reaches the engine.
enum EngineSocket {
    /// The longest path that a socket's address holds, with some room for systems that hold less
    /// than Linux.
    static let longestPath = 100

    /// Makes the folder and returns the socket's path, after removing what an earlier engine left
    /// there.
    static func prepare(in directory: String, backend name: String) throws(EngineFault) -> String {
        let file = "engine-\(shortName(of: name)).sock"
        var folder = directory
        if folder.utf8.count + 1 + file.utf8.count > longestPath {
            // One folder for each long one, so that two gateways of one user do not meet.
            folder = "/tmp/turnpike-\(getuid())-\(shortName(of: directory))"
        }
        try makePrivateFolder(folder)
        let path = folder + "/" + file
        let files = FileManager.default
        // What has no attributes does not exist; what exists unseen would make the engine's start
        // fail.
        guard let attributes = try? files.attributesOfItem(atPath: path) else { return path }
        guard attributes[.type] as? FileAttributeType == .typeSocket else {
            throw EngineFault("\(path) is in the way of the engine's socket")
        }
        do {
            try files.removeItem(atPath: path)
        } catch {
            throw EngineFault("\(path), left by an earlier engine, cannot be removed: \(error)")
        }
        return path
    }

    private static func makePrivateFolder(_ folder: String) throws(EngineFault) {
        let files = FileManager.default
        do {
            if !files.fileExists(atPath: folder) {
                try files.createDirectory(
                    atPath: folder, withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
            }
            // A folder that somebody else made in /tmp under this name is not trusted.
            let attributes = try files.attributesOfItem(atPath: folder)
            guard attributes[.type] as? FileAttributeType == .typeDirectory,
                (attributes[.ownerAccountID] as? NSNumber)?.uint32Value == getuid()
            else { throw EngineFault("\(folder) is not a folder of this user") }
            try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
        } catch let fault as EngineFault {
            throw fault
        } catch {
            throw EngineFault("the folder \(folder) for the engine's socket: \(error)")
        }
    }

    /// Sixteen digits that stand for a name of any length and any characters (FNV-1a, 64 bits).
    private static func shortName(of name: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
