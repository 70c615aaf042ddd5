import Curl
import ServiceLifecycle

/// Keeps the upstreams' shared HTTP client until the gateway shuts down, and then ends what is
/// still open.
struct UpstreamClientService: Service {
    let client: CurlClient

    func run() async throws {
        // Ends by shutdown or by cancellation; both mean the same here.
        try? await gracefulShutdown()
        await client.shutdown()
    }
}
