import JSON

@testable import Gateway

/// The decoder of requests: JSON, then the contract's parameters.
enum RequestTarget: FuzzTarget {
    /// As the gateway is configured where nobody says otherwise.
    private static let limits = (bytes: 4 << 20, depth: 64, nodes: 100_000)

    static func run(_ input: [UInt8]) {
        let body = Repetition.expanded(input, most: limits.bytes + 64)
        do {
            let document = try Property.bounded(body.count, memory: 48) {
                () throws(JSONError) in
                try JSONParser(
                    maximumBytes: limits.bytes, maximumDepth: limits.depth,
                    maximumNodes: limits.nodes
                ).parse(body)
            }
            read(document.root, of: body)
        } catch {
            Property.require(
                "\(error)".utf8.count <= RequestFaultCheck.longestMessage,
                "a refused body is told at length")
        }
    }

    private static func read(_ root: JSONValue, of body: [UInt8]) {
        do throws(RequestFault) {
            let request = try Property.bounded(body.count, memory: 48) {
                () throws(RequestFault) in
                try ChatCompletionRequestReader.read(root, mostStops: 4, mostChoices: 128)
            }
            RequestRanges.check(request)
            RequestRoundTrip.check(request)
        } catch {
            RequestFaultCheck.check(error, root)
        }
    }
}
