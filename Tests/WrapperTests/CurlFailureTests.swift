import Curl
import Glibc
import Logging
import Synchronization
import Testing

@Suite struct CurlFailures {
    /// The failure of a whole exchange, head and body.
    private func failure(
        of request: CurlRequest, _ client: CurlClient
    ) async -> CurlFailure? {
        await #expect(throws: CurlFailure.self) {
            _ = try await client.execute(request).body.collect()
        }
    }

    /// The failure of an exchange with a server that does this once it was asked.
    private func failure(
        _ change: (inout CurlRequest) -> Void = { _ in },
        of behaviour: @escaping LoopbackServer.Handler
    ) async throws -> CurlFailure? {
        let server = LoopbackServer { connection in
            if connection.readRequest() != nil { behaviour(connection) }
        }
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        change(&request)
        let failure = await failure(of: request, client)
        await client.shutdown()
        return failure
    }

    @Test func `a head that does not come ends with a first-byte timeout`() async throws {
        let failure = try await failure({ $0.firstByteTimeout = .milliseconds(50) }) {
            _ = $0.waitForClose()
        }
        #expect(failure?.phase == .firstByteTimeout)
        #expect(failure?.receivedResponse == false)
    }

    @Test func `half a head is not a first byte that counts`() async throws {
        let failure = try await failure({ $0.firstByteTimeout = .milliseconds(50) }) {
            $0.send("HTTP/1.1 200 OK\r\n")
            _ = $0.waitForClose()
        }
        #expect(failure?.phase == .firstByteTimeout)
        #expect(failure?.receivedResponse == true)
    }

    @Test func `a body that stops arriving ends with an idle timeout`() async throws {
        let failure = try await failure({ $0.idleTimeout = .milliseconds(50) }) {
            $0.beginChunks()
            $0.sendChunk("a")
            _ = $0.waitForClose()
        }
        #expect(failure?.phase == .idleTimeout)
        #expect(failure?.receivedResponse == true)
    }

    @Test func `a body that trickles for ever ends with a total timeout`() async throws {
        let failure = try await failure({ $0.totalTimeout = .milliseconds(100) }) {
            $0.beginChunks()
            while $0.sendChunk("drip") && !$0.waitForClose(milliseconds: 5) {}
        }
        #expect(failure?.phase == .totalTimeout)
    }

    @Test func `a refused connection is told apart from everything else`() async throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        // Bound and not listening: nobody else can have the port, and nobody answers at it.
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) + getsockname(listener, $0, &length)
            }
        }
        let url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/secret-path"
        let client = try makeCurlClient()
        let failure = await failure(of: CurlRequest(method: .post, url: url), client)
        #expect(failure?.phase == .connect)
        #expect(failure?.curlCode == 7)
        #expect(failure?.receivedResponse == false)
        #expect(failure?.description.contains("127.0.0.1") == false)
        #expect(failure?.debugDescription.contains("secret-path") == false)
        await client.shutdown()
    }

    @Test func `a name that does not exist fails in resolving`() async throws {
        let client = try makeCurlClient()
        let request = CurlRequest(method: .get, url: "http://does-not-exist.invalid/")
        let phase = await failure(of: request, client)?.phase
        // Without a network, the resolver may not come to an answer in time.
        #expect(phase == .resolve || phase == .connectTimeout)
        await client.shutdown()
    }

    @Test func `plain text where a handshake is expected fails in tls`() async throws {
        let server = LoopbackServer { connection in
            connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            _ = connection.waitForClose()
        }
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        request.url = "https" + server.url.dropFirst(4)
        #expect(await failure(of: request, client)?.phase == .tls)
        await client.shutdown()
    }

    @Test func `a body shorter than it was said to be is a failure`() async throws {
        let failure = try await failure {
            $0.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
        }
        #expect(failure?.phase == .receive)
        #expect(failure?.curlCode == 18)
        #expect(failure?.receivedResponse == true)
    }

    @Test func `what arrived before a failure can be read, and the failure stays`() async throws {
        let server = LoopbackServer { connection in
            _ = connection.readRequest()
            connection.beginChunks()
            connection.sendChunk("part")
        }
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        var iterator = response.body.makeAsyncIterator()
        #expect(try await iterator.next() == Array("part".utf8))
        for _ in 0..<2 {
            let failure = await #expect(throws: CurlFailure.self) { try await iterator.next() }
            #expect(failure?.phase == .receive)
        }
        await client.shutdown()
    }

    @Test func `a connection closed without an answer says that nothing was received`()
        async throws
    {
        let failure = try await failure { _ in }
        #expect(failure?.phase == .receive)
        #expect(failure?.receivedResponse == false)
    }

    @Test func `a request is sent twice at most where pooled connections break without an answer`()
        async throws
    {
        let warm = 6
        let arrived = Atomic(0)
        let sent = Atomic(0)
        let gate = Gate()
        let server = LoopbackServer { connection in
            guard connection.readRequest() != nil, connection.number <= warm else { return }
            // All of them at once, so that each has a connection of its own.
            if arrived.add(1, ordering: .relaxed).newValue == warm {
                for _ in 0..<warm { gate.open() }
            }
            gate.pass()
            connection.respond([])
            if connection.readRequest() != nil { sent.add(1, ordering: .relaxed) }
        }
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        // However slow the machine is, they are not too old.
        request.maximumIdleAge = .seconds(600)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<warm {
                group.addTask { [request] in
                    _ = try await client.execute(request).body.collect()
                }
            }
            try await group.waitForAll()
        }
        let failure = await failure(of: request, client)
        #expect(failure?.phase == .receive && failure?.receivedResponse == false)
        #expect(sent.load(ordering: .relaxed) == 2)
        await client.shutdown()
    }

    @Test func `a reset is a lost connection`() async throws {
        let failure = try await failure { $0.reset() }
        #expect(failure?.phase == .receive)
        #expect(failure?.receivedResponse == false)
    }

    @Test(arguments: ["garbage garbage garbage\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\nxx"])
    func `an answer that is not http is refused`(answer: String) async throws {
        let failure = try await failure {
            $0.send(answer)
            _ = $0.waitForClose()
        }
        #expect(failure?.phase == .protocolError)
    }

    @Test(arguments: [true, false])
    func `a body larger than accepted is refused, whether or not it says so`(
        isDeclared: Bool
    ) async throws {
        let failure = try await failure({ $0.maximumResponseBytes = 1000 }) { connection in
            if isDeclared { return connection.respond([UInt8](repeating: 0x61, count: 1001)) }
            connection.beginChunks()
            connection.sendChunk(String(repeating: "a", count: 1001))
            _ = connection.waitForClose()
        }
        #expect(failure?.phase == .tooLarge)
        #expect(failure?.receivedResponse == true)
    }

    @Test func `a body exactly as large as accepted is read`() async throws {
        let server = LoopbackServer(handler: echo)
        let client = try makeCurlClient()
        var request = CurlRequest(to: server, body: String(repeating: "a", count: 1000))
        request.maximumResponseBytes = 1000
        #expect(try await client.execute(request).body.collect().count == 1000)
        await client.shutdown()
    }

    @Test func `a head larger than accepted is refused`() async throws {
        let failure = try await failure({ $0.maximumHeaderBytes = 500 }) {
            $0.respond([], fields: "X-Large: \(String(repeating: "a", count: 500))\r\n")
            _ = $0.waitForClose()
        }
        #expect(failure?.phase == .tooLarge)
    }

    @Test(arguments: [
        ("X-A", "b\r\nX-Injected: 1"), ("X-A", "b\n"), ("X-A", "b\0"), ("X-A\r\n", "b"), ("", "b"),
        ("X A", "b"), ("X:A", "b"), ("Content-Length", "5"), ("transfer-encoding", "chunked"),
        ("Expect", "100-continue"),
    ])
    func `a header that would change the message is refused before anything is sent`(
        name: String, value: String
    ) async throws {
        let server = LoopbackServer(handler: echo)
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        request.headers = [(name, value)]
        let failure = await failure(of: request, client)
        #expect(failure?.phase == .invalidRequest)
        #expect(failure?.debugDescription.contains("Injected") == false)
        #expect(server.acceptedConnections == 0)
        await client.shutdown()
    }

    @Test(arguments: [
        "http://127.0.0.1/a\r\nb", "http://127.0.0.1/\0", "http://127.0.0.1/a b",
        "file:///etc/passwd",
        "ftp://127.0.0.1/", "127.0.0.1", "http://user:word@127.0.0.1/", "http://", "",
    ])
    func `a url that is not plainly http is refused`(url: String) async throws {
        let client = try makeCurlClient()
        let failure = await failure(of: CurlRequest(method: .get, url: url), client)
        #expect(failure?.phase == .invalidRequest)
        await client.shutdown()
    }

    @Test func `a scheme the caller does not allow is refused`() async throws {
        let server = LoopbackServer(handler: echo)
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        request.allowedSchemes = ["https"]
        #expect(await failure(of: request, client)?.phase == .invalidRequest)
        await client.shutdown()
    }

    @Test func `shutting down fails what runs and what comes later`() async throws {
        let asked = Arrival<Void>()
        let left = Arrival<Bool>()
        let server = LoopbackServer { connection in
            guard let request = connection.readRequest() else { return }
            guard request.body.isEmpty else {
                asked.fulfil(())
                return left.fulfil(connection.waitForClose())
            }
            connection.beginChunks()
            _ = connection.waitForClose()
        }
        let client = try makeCurlClient()
        let streaming = try await client.execute(CurlRequest(to: server))
        let waiting = Task { try await client.execute(CurlRequest(to: server, body: "w")).status }
        await asked.value
        async let first: Void = client.shutdown()
        async let second: Void = client.shutdown()
        _ = await (first, second)
        await client.shutdown()

        let ofWaiting = await #expect(throws: CurlFailure.self) { try await waiting.value }
        #expect(ofWaiting?.phase == .shutdown)
        let ofBody = await #expect(throws: CurlFailure.self) { try await streaming.body.collect() }
        #expect(ofBody?.phase == .shutdown)
        #expect(await left.value)
        #expect(await failure(of: CurlRequest(to: server), client)?.phase == .shutdown)
    }

    @Test func `one transfer more than allowed is refused, and a finished one makes room`()
        async throws
    {
        let server = LoopbackServer { connection in
            while connection.readRequest() != nil {
                connection.beginChunks()
                _ = connection.waitForClose()
            }
        }
        let client = try makeCurlClient(CurlConfiguration(maximumTransfers: 1))
        let running = try await client.execute(CurlRequest(to: server))
        #expect(await failure(of: CurlRequest(to: server), client)?.phase == .overloaded)
        running.body.cancel()
        var phase: CurlFailure.Phase? = .overloaded
        while phase == .overloaded {
            do throws(CurlFailure) {
                phase =
                    try await client.execute(CurlRequest(to: server)).status == 200 ? nil : .send
            } catch {
                phase = error.phase
            }
        }
        #expect(phase == nil)
        await client.shutdown()
    }
}
