import Curl
import Testing

/// What a test's server saw of the end of a connection.
private struct Closing: Sendable {
    var wasSeen: Bool
    var at: ContinuousClock.Instant
}

/// A server that begins an answer, goes on for ever, and tells when it was left.
private func endlessServer(_ closing: Arrival<Closing>) -> LoopbackServer {
    LoopbackServer { connection in
        guard connection.readRequest() != nil else { return }
        if connection.number > 1 { return connection.respond([UInt8(connection.number)]) }
        connection.beginChunks()
        connection.sendChunk("begun")
        let wasSeen = connection.waitForClose()
        closing.fulfil(Closing(wasSeen: wasSeen, at: .now))
    }
}

@Suite struct CurlCancellation {
    private static let allowed = Duration.milliseconds(100)

    /// Expects that the upstream was left soon after `start` and that its connection is not reused.
    private func expectLeft(
        _ closing: Arrival<Closing>, since start: ContinuousClock.Instant, _ server: LoopbackServer,
        _ client: CurlClient
    ) async throws {
        let seen = await closing.value
        #expect(seen.wasSeen)
        #expect(seen.at - start < Self.allowed)
        let next = try await client.execute(CurlRequest(to: server))
        #expect(!next.usedPooledConnection)
        #expect(try await next.body.collect() == [2])
        #expect(server.acceptedConnections == 2)
        await client.shutdown()
    }

    @Test func `cancelling a body closes its connection at once`() async throws {
        let closing = Arrival<Closing>()
        let server = endlessServer(closing)
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        var iterator = response.body.makeAsyncIterator()
        #expect(try await iterator.next() == Array("begun".utf8))
        let start = ContinuousClock.now
        response.body.cancel()
        let failure = await #expect(throws: CurlFailure.self) { try await iterator.next() }
        #expect(failure?.phase == .cancelled)
        #expect(failure?.receivedResponse == true)
        try await expectLeft(closing, since: start, server, client)
    }

    @Test func `dropping an unread body closes its connection at once`() async throws {
        let closing = Arrival<Closing>()
        let server = endlessServer(closing)
        let client = try makeCurlClient()
        var response: CurlResponse? = try await client.execute(CurlRequest(to: server))
        #expect(response?.status == 200)
        let start = ContinuousClock.now
        response = nil
        try await expectLeft(closing, since: start, server, client)
    }

    @Test func `leaving the loop over a body closes its connection at once`() async throws {
        let closing = Arrival<Closing>()
        let server = endlessServer(closing)
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        for try await piece in response.body {
            #expect(piece == Array("begun".utf8))
            break
        }
        let start = ContinuousClock.now
        try await expectLeft(closing, since: start, server, client)
        withExtendedLifetime(response) {}
    }

    @Test func `cancelling the consuming task closes its connection at once`() async throws {
        let closing = Arrival<Closing>()
        let begun = Arrival<Void>()
        let server = endlessServer(closing)
        let client = try makeCurlClient()
        let consumer = Task {
            let response = try await client.execute(CurlRequest(to: server))
            for try await _ in response.body { begun.fulfil(()) }
        }
        await begun.value
        let start = ContinuousClock.now
        consumer.cancel()
        let failure = await #expect(throws: CurlFailure.self) { try await consumer.value }
        #expect(failure?.phase == .cancelled)
        try await expectLeft(closing, since: start, server, client)
    }

    @Test func `cancelling while the head is awaited closes the connection at once`() async throws {
        let closing = Arrival<Closing>()
        let asked = Arrival<Void>()
        let server = LoopbackServer { connection in
            guard connection.readRequest() != nil else { return }
            if connection.number > 1 { return connection.respond([UInt8(connection.number)]) }
            asked.fulfil(())
            let wasSeen = connection.waitForClose()
            closing.fulfil(Closing(wasSeen: wasSeen, at: .now))
        }
        let client = try makeCurlClient()
        let call = Task { try await client.execute(CurlRequest(to: server)).status }
        await asked.value
        let start = ContinuousClock.now
        call.cancel()
        let failure = await #expect(throws: CurlFailure.self) { try await call.value }
        #expect(failure?.phase == .cancelled)
        #expect(failure?.receivedResponse == false)
        try await expectLeft(closing, since: start, server, client)
    }

    @Test func `a task that is cancelled before it calls sends nothing`() async throws {
        let server = LoopbackServer(handler: echo)
        let client = try makeCurlClient()
        let call = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.execute(CurlRequest(to: server)).status
        }
        let failure = await #expect(throws: CurlFailure.self) { try await call.value }
        #expect(failure?.phase == .cancelled)
        #expect(server.acceptedConnections == 0)
        await client.shutdown()
    }

    @Test func `dropping a transfer that is held back closes its connection`() async throws {
        let closing = Arrival<Closing>()
        let isFull = Arrival<Void>()
        let server = LoopbackServer { connection in
            guard connection.readRequest() != nil else { return }
            if connection.number > 1 { return connection.respond([UInt8(connection.number)]) }
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            fill(connection)
            isFull.fulfil(())
            while connection.send([UInt8](repeating: 0, count: 65536)) {}
            closing.fulfil(Closing(wasSeen: true, at: .now))
        }
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        await isFull.value
        let start = ContinuousClock.now
        response.body.cancel()
        try await expectLeft(closing, since: start, server, client)
    }
}

/// Sends until the client has not read for so long that it must be holding back, or has left.
/// Returns how many bytes it took.
@discardableResult
func fill(_ connection: ServedConnection) -> Int {
    let piece = [UInt8](repeating: 0x61, count: 65536)
    var taken = 0
    while connection.waitUntilWritable(milliseconds: 300) {
        let count = connection.sendWithoutWaiting(piece)
        guard count > 0 else { break }
        taken += count
    }
    return taken
}
