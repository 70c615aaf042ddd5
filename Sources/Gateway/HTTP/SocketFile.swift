import Foundation
import NIOCore
import NIOPosix

/// A listener cannot take its place, with what to do about it.
public struct ListenerFailure: Error, CustomStringConvertible {
    /// One sentence for the operator.
    public let description: String
}

/// The file of a listener's socket: there while it listens, for its owner alone, and gone after.
struct SocketFile: Sendable {
    let path: String

    /// Makes room for the socket. What a process left that is dead is removed; a socket on which
    /// somebody answers, and a file that is none, are left alone and refused.
    func prepare(on group: any EventLoopGroup) async throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else {
            throw ListenerFailure(
                description: "the folder of the socket \(path) is not there; make it first")
        }
        // Not by the file manager's existence, which follows links.
        guard let found = try? FileManager.default.attributesOfItem(atPath: path) else { return }
        guard found[.type] as? FileAttributeType == .typeSocket else {
            throw ListenerFailure(
                description: "\(path) is there and is no socket; remove it or choose another path")
        }
        let isAnswered: Bool
        do {
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(.seconds(2))
                .connect(unixDomainSocketPath: path).get()
            try? await channel.close().get()
            isAnswered = true
        } catch {
            isAnswered = false
        }
        guard !isAnswered else {
            throw ListenerFailure(
                description: "\(path) is in use already: a process that lives listens there; "
                    + "stop it, or choose another path")
        }
        try FileManager.default.removeItem(atPath: path)
    }

    /// Leaves the socket to its owner alone, once it is bound.
    func protect() throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// Takes the file away, once nobody listens any more.
    func remove() {
        // One that is gone already needs nothing.
        try? FileManager.default.removeItem(atPath: path)
    }
}
