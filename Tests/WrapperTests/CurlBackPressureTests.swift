import Curl
import Testing

@Suite struct CurlBackPressure {
    @Test func `a consumer that does not read stops the upstream from sending`() async throws {
        let taken = Arrival<Int>()
        let total = 64 << 20
        let server = LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let before = fill(connection)
            taken.fulfil(before)
            connection.send([UInt8](repeating: 0x61, count: total - before))
        }
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        // The kernel's two socket buffers are part of it, a few mebibytes on loopback.
        #expect(await taken.value < 16 << 20)

        var received = 0
        var largest = 0
        for try await piece in response.body {
            received += piece.count
            largest = max(largest, piece.count)
        }
        #expect(received == total)
        #expect(largest <= 256 * 1024 + 2 * 16 * 1024)
        await client.shutdown()
    }

    @Test func `what piled up is handed over in one piece`() async throws {
        let isFull = Arrival<Void>()
        let server = LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(8 << 20)\r\n\r\n")
            let before = fill(connection)
            isFull.fulfil(())
            connection.send([UInt8](repeating: 0x61, count: (8 << 20) - before))
        }
        let client = try makeCurlClient(
            CurlConfiguration(highWatermark: 100_000, lowWatermark: 10_000))
        var request = CurlRequest(to: server)
        // Held back for longer than this, the upstream must still not be blamed.
        request.idleTimeout = .milliseconds(200)
        let response = try await client.execute(request)
        await isFull.value
        var iterator = response.body.makeAsyncIterator()
        let first = try await iterator.next()
        #expect((100_000...132_768).contains(first?.count ?? 0))
        var received = first?.count ?? 0
        while let piece = try await iterator.next() { received += piece.count }
        #expect(received == 8 << 20)
        await client.shutdown()
    }

    @Test func `a limit passed by what was kept during a pause ends the transfer`() async throws {
        let limit = 150_000
        let isFull = Arrival<Void>()
        let server = LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n\r\n")
            fill(connection)
            isFull.fulfil(())
            _ = connection.waitForClose()
        }
        // The pause comes with the limit inside the piece that libcurl keeps.
        let client = try makeCurlClient(
            CurlConfiguration(highWatermark: limit - 10_000, lowWatermark: 10_000))
        var request = CurlRequest(to: server)
        request.maximumResponseBytes = limit
        let response = try await client.execute(request)
        await isFull.value
        var received = 0
        let failure = await #expect(throws: CurlFailure.self) {
            for try await piece in response.body { received += piece.count }
        }
        #expect(failure?.phase == .tooLarge)
        #expect(received <= limit)
        await client.shutdown()
    }

    @Test func `two hundred streams at once each get their own answer although some are cancelled`()
        async throws
    {
        let server = LoopbackServer { connection in
            while let request = connection.readRequest() {
                connection.beginChunks()
                let nonce = String(decoding: request.body, as: UTF8.self)
                for number in 0..<20 where !connection.sendChunk("\(nonce)-\(number);") { return }
                connection.send("0\r\n\r\n")
            }
        }
        let client = try makeCurlClient()
        let outcomes = await withTaskGroup(of: Bool?.self) { group in
            for number in 0..<1000 {
                if number >= 200 { _ = await group.next() }
                group.addTask {
                    await Self.exchange("nonce\(number)", cancels: number % 20 == 7, client, server)
                }
            }
            var outcomes: [Bool?] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        #expect(outcomes.count == 200)
        #expect(outcomes.allSatisfy { $0 == true })
        // Cancelled ones cost a connection each; all others are shared.
        #expect(server.acceptedConnections <= 300)
        await client.shutdown()
    }

    /// Whether the stream carried its own nonce and nothing else; nil if it failed.
    private static func exchange(
        _ nonce: String, cancels: Bool, _ client: CurlClient, _ server: LoopbackServer
    ) async -> Bool? {
        do {
            let response = try await client.execute(CurlRequest(to: server, body: nonce))
            var received = ""
            for try await piece in response.body {
                received += String(decoding: piece, as: UTF8.self)
                if cancels { break }
            }
            let expected = (0..<20).map { "\(nonce)-\($0);" }.joined()
            return cancels ? expected.hasPrefix(received) : received == expected
        } catch {
            Issue.record(error)
            return nil
        }
    }
}
