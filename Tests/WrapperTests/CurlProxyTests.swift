import Curl
import Glibc
import Testing

@Suite(.serialized) struct CurlProxies {
    /// A proxy that grants every tunnel and is the upstream behind it, too.
    private func makeProxy(
        _ tunnel: Arrival<ServedConnection.Request>, _ inside: Arrival<ServedConnection.Request>
    ) -> LoopbackServer {
        LoopbackServer { connection in
            guard let request = connection.readRequest() else { return }
            tunnel.fulfil(request)
            guard request.line.hasPrefix("CONNECT ") else { return connection.respond([]) }
            connection.send("HTTP/1.1 200 Connected\r\nX-From: proxy\r\n\r\n")
            guard let request = connection.readRequest() else { return }
            inside.fulfil(request)
            connection.respond(request.body, fields: "X-From: upstream\r\n")
        }
    }

    @Test func `a proxy that is given carries the request in a tunnel, and sees nothing of it`()
        async throws
    {
        let (tunnel, inside) = (
            Arrival<ServedConnection.Request>(), Arrival<ServedConnection.Request>()
        )
        let server = makeProxy(tunnel, inside)
        let client = try makeCurlClient()
        var request = CurlRequest(
            method: .post, url: "http://upstream.invalid/v1/x",
            headers: [("Authorization", "Bearer secret")], body: Array("hello".utf8))
        request.proxy = server.url
        // The proxy resolves the name: there is no address to be asked about.
        request.permitsAddress = { _ in false }
        let response = try await client.execute(request)
        #expect(response.status == 200)
        #expect(response.header("x-from") == "upstream")
        #expect(try await response.body.collect() == Array("hello".utf8))
        let connect = await tunnel.value
        #expect(connect.line == "CONNECT upstream.invalid:80 HTTP/1.1")
        #expect(!connect.fields.joined().contains("secret"))
        let seen = await inside.value
        #expect(seen.line == "POST /v1/x HTTP/1.1")
        #expect(seen.fields.contains("Authorization: Bearer secret"))
        await client.shutdown()
    }

    @Test func `the environment's proxies are never used`() async throws {
        let proxy = LoopbackServer { _ in }
        let names = ["http_proxy", "https_proxy", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"]
        for name in names { setenv(name, proxy.url, 1) }
        defer { for name in names { unsetenv(name) } }
        let server = LoopbackServer { connection in
            if let request = connection.readRequest() { connection.respond(request.body) }
        }
        let client = try makeCurlClient()
        let response = try await client.execute(CurlRequest(to: server, body: "straight"))
        #expect(try await response.body.collect() == Array("straight".utf8))
        #expect(proxy.acceptedConnections == 0)
        await client.shutdown()
    }

    @Test(arguments: ["socks5://127.0.0.1:1", "127.0.0.1:1", "http://a b", "http://a\r\nX: y"])
    func `a proxy that is none is refused before anything is sent`(proxy: String) async throws {
        let client = try makeCurlClient()
        var request = CurlRequest(method: .get, url: "http://127.0.0.1:1/")
        request.proxy = proxy
        do {
            _ = try await client.execute(request)
            Issue.record("it was sent")
        } catch {
            #expect(error.phase == .invalidRequest)
        }
        await client.shutdown()
    }
}
