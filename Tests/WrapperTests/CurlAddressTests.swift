import Curl
import Synchronization
import Testing

@Suite struct CurlAddresses {
    private func answering() -> LoopbackServer {
        LoopbackServer { connection in
            while let request = connection.readRequest() { connection.respond(request.body) }
        }
    }

    private func failure(_ client: CurlClient, _ request: CurlRequest) async -> CurlFailure? {
        await #expect(throws: CurlFailure.self) {
            _ = try await client.execute(request).body.collect()
        }
    }

    @Test func `an address that is not permitted is never connected to`() async throws {
        let server = answering()
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        request.permitsAddress = { $0 != [127, 0, 0, 1] }
        let failure = await failure(client, request)
        #expect(failure?.phase == .forbiddenAddress)
        #expect(failure?.receivedResponse == false)
        #expect(failure?.debugDescription.contains("127.0.0.1") == true)
        #expect(failure?.description.contains("127.0.0.1") == false)
        #expect(server.acceptedConnections == 0)
        request.permitsAddress = { $0 == [127, 0, 0, 1] }
        _ = try await client.execute(request).body.collect()
        #expect(server.acceptedConnections == 1)
        await client.shutdown()
    }

    @Test func `a name is judged by what it resolves to, every address of it`() async throws {
        let server = answering()
        let client = try makeCurlClient()
        let asked = Mutex<[[UInt8]]>([])
        var request = CurlRequest(to: server)
        request.url = server.url.replacing("127.0.0.1", with: "localhost")
        request.permitsAddress = { address in
            asked.withLock { $0.append(address) }
            return false
        }
        #expect(await failure(client, request)?.phase == .forbiddenAddress)
        #expect(asked.withLock { $0 }.contains([127, 0, 0, 1]))
        // One that is permitted is enough.
        request.permitsAddress = { $0 == [127, 0, 0, 1] }
        _ = try await client.execute(request).body.collect()
        await client.shutdown()
    }

    @Test func `another way to write an address gains nothing`() async throws {
        let server = answering()
        let client = try makeCurlClient()
        for host in ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::ffff:127.0.0.1]"] {
            var request = CurlRequest(to: server)
            request.url = server.url.replacing("127.0.0.1", with: host)
            request.permitsAddress = { address in
                address != [127, 0, 0, 1] && address.prefix(10).contains { $0 != 0 }
            }
            #expect(await failure(client, request)?.phase == .forbiddenAddress, "\(host)")
        }
        #expect(server.acceptedConnections == 0)
        await client.shutdown()
    }

    @Test func `a pooled connection serves only requests that permit its address`() async throws {
        let server = answering()
        let client = try makeCurlClient()
        var request = CurlRequest(to: server, body: "free")
        _ = try await client.execute(request).body.collect()
        request.permitsAddress = { _ in false }
        #expect(await failure(client, request)?.phase == .forbiddenAddress)
        request.permitsAddress = { _ in true }
        let again = try await client.execute(request)
        #expect(try await again.body.collect() == Array("free".utf8))
        await client.shutdown()
    }

    @Test func `a Unix socket is not asked about`() async throws {
        let path = "/tmp/turnpike-address-\(UInt32.random(in: 0 ... .max))"
        let server = LoopbackServer(unixSocketPath: path) { connection in
            if connection.readRequest() != nil { connection.respond([]) }
        }
        let client = try makeCurlClient()
        var request = CurlRequest(to: server)
        request.permitsAddress = { _ in false }
        #expect(try await client.execute(request).status == 200)
        await client.shutdown()
    }
}
