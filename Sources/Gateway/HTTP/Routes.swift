/// The whole surface, without logic: what stands at which path, and by which method.
enum Routes {
    /// What a path of the main listener leads to.
    enum Endpoint: Sendable, Equatable {
        case chatCompletions
        case models
        /// One model, by its alias.
        case model(String)
        /// What the key used.
        case usage
        /// What it has left.
        case quota
        /// The reference of the API, for machines.
        case reference
        /// The same for people.
        case referencePage
    }

    /// What a path of the admin listener leads to.
    enum AdminEndpoint: Sendable, Equatable {
        /// 200 while the process lives.
        case healthz
        /// 200 while it can serve.
        case readyz
        /// What it has counted, for Prometheus.
        case metrics
    }

    /// The main listener: for clients.
    static func find(_ method: String, _ path: Substring) throws(GatewayFailure) -> Endpoint {
        for route in Route.allCases {
            for known in route.paths {
                if let endpoint = endpoint(of: route, at: known, path) {
                    return try only(route.method, method, endpoint)
                }
            }
        }
        throw .pathUnknown
    }

    private static func endpoint(
        of route: Route, at known: String, _ path: Substring
    ) -> Endpoint? {
        switch route {
        case .chatCompletions: path == known ? .chatCompletions : nil
        case .models: path == known ? .models : nil
        case .model:
            path.hasPrefix(known) && path.count > known.count
                ? .model(PercentEncoding.decode(path.dropFirst(known.count))) : nil
        case .usage: path == known ? .usage : nil
        case .quota: path == known ? .quota : nil
        case .reference: path == known ? .reference : nil
        case .referencePage: path == known ? .referencePage : nil
        }
    }

    /// The admin listener: for operators.
    static func findAdmin(
        _ method: String, _ path: Substring
    ) throws(GatewayFailure) -> AdminEndpoint {
        switch path {
        case "/healthz": return try only("GET", method, .healthz)
        case "/readyz": return try only("GET", method, .readyz)
        case "/metrics": return try only("GET", method, .metrics)
        default: throw .pathUnknown
        }
    }

    /// The path of a request's target, without its query. A target with a scheme and host, as for a
    /// proxy, is taken too (RFC 9112 §3.2.2).
    static func path(of target: String) -> Substring {
        let path = target.prefix { $0 != "?" }
        if path.utf8.first == UInt8(ascii: "/") { return path }
        guard let scheme = path.firstRange(of: "://") else { return path }
        return path[scheme.upperBound...].drop { $0 != "/" }
    }

    private static func only<Endpoint>(
        _ allowed: String, _ method: String, _ endpoint: Endpoint
    ) throws(GatewayFailure) -> Endpoint {
        guard method == allowed else { throw .methodNotAllowed(allowed: allowed) }
        return endpoint
    }
}
