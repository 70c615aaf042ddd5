import Domain
import Foundation
import TestSupport
import Testing

@testable import Ledger

/// A server that is there and has no time.
@Suite struct `A busy database` {
    /// Accepts one connection, is silent for `silence`, and says that it is starting up.
    private static func serve(in folder: String, silence: TimeInterval) throws {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: Array("\(folder)/.s.PGSQL.5432".utf8))
        }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(listener, 1) == 0)
        Thread {
            let client = accept(listener, nil, nil)
            var poll = pollfd(fd: listener, events: 0, revents: 0)
            _ = Glibc.poll(&poll, 1, Int32(silence * 1000))
            // ErrorResponse: severity, code, message.
            var fields = Data("SFATAL\0C57P03\0Mis starting up at last\0\0".utf8)
            let length = UInt32(fields.count + 4).bigEndian
            fields = Data("E".utf8) + withUnsafeBytes(of: length) { Data($0) } + fields
            _ = fields.withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
            close(client)
            close(listener)
        }.start()
    }

    /// The program's own wait for a pool's connection is two seconds.
    @Test(.timeLimit(.minutes(1))) func `is waited for by a command`() throws {
        // A socket's path is short.
        let folder = "/tmp/turnpike-busy-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.serve(in: folder, silence: 3.2)
        let error = #expect(throws: LedgerError.self) {
            try DirectoryStore(
                url: "postgres:///x?host=\(folder)", random: LedgerRandom { 4 },
                author: .test)
        }
        #expect("\(error.debugDescription)".contains("is starting up at last"))
    }
}
