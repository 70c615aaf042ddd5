import Curl
import Glibc
import Logging
import Testing

/// A client for a test, with its own thread and connections.
func makeCurlClient(_ configuration: CurlConfiguration = CurlConfiguration()) throws -> CurlClient {
    try CurlClient(configuration: configuration, logger: Logger(label: "curl-tests"))
}

extension CurlRequest {
    /// A POST to a test's server.
    init(to server: LoopbackServer, path: String = "/", body: String = "") {
        self.init(method: .post, url: server.url + path, body: Array(body.utf8))
        unixSocketPath = server.unixSocketPath
    }
}

@Suite struct CurlExchange {
    @Test func `a post arrives as it was given and its answer comes back`() async throws {
        let arrived = Arrival<ServedConnection.Request>()
        let server = LoopbackServer { connection in
            guard let request = connection.readRequest() else { return }
            arrived.fulfil(request)
            connection.respond(request.body, status: "201 Made", fields: "X-Mixed-Case:  a b \r\n")
        }
        let client = try makeCurlClient()
        var request = CurlRequest(to: server, path: "/v1/x?q=1", body: "hello")
        request.headers = [("Authorization", "Bearer s"), ("X-Empty", ""), ("X-Spaced", "a;  b")]
        let response = try await client.execute(request)
        #expect(response.status == 201)
        #expect(response.header("x-mixed-case") == "a b")
        #expect(try await response.body.collect() == Array("hello".utf8))

        let seen = await arrived.value
        #expect(seen.line == "POST /v1/x?q=1 HTTP/1.1")
        #expect(seen.fields.contains("Authorization: Bearer s"))
        #expect(seen.fields.contains("X-Empty:"))
        #expect(seen.fields.contains("X-Spaced: a;  b"))
        #expect(seen.fields.contains("Content-Length: 5"))
        #expect(seen.fields.contains("Accept-Encoding: identity"))
        let names = seen.fields.map { $0.prefix { $0 != ":" }.lowercased() }
        #expect(!names.contains("expect") && !names.contains("content-type"))
        await client.shutdown()
    }

    @Test func `a body of two mebibytes is sent and received whole`() async throws {
        let server = LoopbackServer(handler: echo)
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        request.body = (0..<2 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await client.execute(request).body.collect() == request.body)
        await client.shutdown()
    }

    @Test func `a get has no body and an empty post has a length of zero`() async throws {
        let server = LoopbackServer { connection in
            while let request = connection.readRequest() {
                connection.respond(Array(([request.line] + request.fields).joined().utf8))
            }
        }
        let client = try makeCurlClient()
        let get = try await client.execute(CurlRequest(method: .get, url: server.url + "/g"))
        let gotten = String(decoding: try await get.body.collect(), as: UTF8.self)
        #expect(gotten.hasPrefix("GET /g HTTP/1.1") && !gotten.contains("Content-Length"))
        let post = try await client.execute(CurlRequest(to: server))
        let posted = String(decoding: try await post.body.collect(), as: UTF8.self)
        #expect(posted.contains("Content-Length: 0"))
        await client.shutdown()
    }

    @Test func `a chunk is delivered while the next one is not sent yet`() async throws {
        let gate = Gate()
        let server = LoopbackServer { connection in
            _ = connection.readRequest()
            connection.beginChunks()
            for number in 0..<5 {
                gate.pass()
                connection.sendChunk("chunk \(number)")
            }
            gate.pass()
            connection.send("0\r\nX-Trailer: ignored\r\n\r\n")
            _ = connection.waitForClose()
        }
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        var iterator = response.body.makeAsyncIterator()
        for number in 0..<5 {
            gate.open()
            let piece = try await iterator.next()
            #expect(piece.map { String(decoding: $0, as: UTF8.self) } == "chunk \(number)")
        }
        gate.open()
        #expect(try await iterator.next() == nil)
        #expect(try await iterator.next() == nil)
        #expect(response.header("x-trailer") == nil)
        await client.shutdown()
    }

    @Test func `informational heads are skipped`() async throws {
        let server = LoopbackServer { connection in
            _ = connection.readRequest()
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
            connection.send("HTTP/1.1 100 Continue\r\n\r\n")
            connection.respond([1])
        }
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        #expect(response.status == 200)
        #expect(response.headers.map(\.name) == ["content-length"])
        #expect(try await response.body.collect() == [1])
        await client.shutdown()
    }

    @Test func `a redirect is returned and not followed`() async throws {
        let server = LoopbackServer { connection in
            while connection.readRequest() != nil {
                connection.respond([], status: "302 Found", fields: "Location: /elsewhere\r\n")
            }
        }
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server))
        #expect(response.status == 302)
        #expect(response.header("location") == "/elsewhere")
        #expect(try await response.body.collect() == [])
        await client.shutdown()
    }

    @Test func `a unix socket is connected to instead of the host`() async throws {
        let path = "/tmp/turnpike-curl-\(getpid()).sock"
        unlink(path)
        defer { unlink(path) }
        let server = LoopbackServer(unixSocketPath: path, handler: echo)
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server, body: "through a file"))
        #expect(try await response.body.collect() == Array("through a file".utf8))
        await client.shutdown()
    }

    @Test func `a connection whose response was read whole serves the next request`() async throws {
        let server = LoopbackServer(handler: echo)
        let client = try makeCurlClient()
        for number in 0..<20 {
            let response = try await client.execute(CurlRequest(to: server, body: "\(number)"))
            #expect(response.usedPooledConnection == (number > 0))
            #expect(try await response.body.collect() == Array("\(number)".utf8))
        }
        #expect(server.acceptedConnections == 1)
        await client.shutdown()
    }

    @Test(arguments: [true, false])
    func `a fresh connection or one with no time to be idle is not shared`(
        isFresh: Bool
    ) async throws {
        let server = LoopbackServer(handler: echo)
        let client = try makeCurlClient()
        var request = CurlRequest(to: server, body: "x")
        if isFresh { request.connection = .fresh } else { request.maximumIdleAge = .zero }
        for _ in 0..<3 {
            let response = try await client.execute(request)
            #expect(!response.usedPooledConnection)
            _ = try await response.body.collect()
        }
        #expect(server.acceptedConnections == 3)
        await client.shutdown()
    }

    @Test func `a pooled connection that the upstream closed is not used for the next request`()
        async throws
    {
        let closed = Gate()
        let server = LoopbackServer { connection in
            _ = connection.readRequest()
            connection.respond([7])
            connection.close()
            closed.open()
        }
        let client = try makeCurlClient()
        for _ in 0..<3 {
            #expect(try await client.execute(CurlRequest(to: server)).body.collect() == [7])
            let isClosed = Arrival<Void>()
            startThread {
                closed.pass()
                isClosed.fulfil(())
            }
            await isClosed.value
        }
        #expect(server.acceptedConnections == 3)
        await client.shutdown()
    }
}
