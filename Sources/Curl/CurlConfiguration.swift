/// What holds for every transfer of one `CurlClient`.
public struct CurlConfiguration: Sendable {
    /// How many transfers may be open at once, waiting ones included. Beyond it `execute` fails
    /// with the phase `overloaded` before anything is sent.
    public var maximumTransfers: Int

    /// How many connections libcurl keeps open after their transfers ended. libcurl counts the
    /// connections in use as well, so set it above the number of transfers expected at once:
    /// below it, connections are closed instead of kept.
    public var maximumIdleConnections: Int

    /// How many buffered body bytes of one response pause its transfer. Memory per response is
    /// bounded by this plus two of libcurl's receive buffers (16 KiB each).
    public var highWatermark: Int

    /// The paused transfer runs again once no more than this many bytes are buffered.
    public var lowWatermark: Int

    /// How many finished easy handles are kept for the next transfers.
    public var maximumSpareHandles: Int

    /// Makes a configuration; the defaults suit a gateway in front of a few upstreams.
    public init(
        maximumTransfers: Int = 4096,
        maximumIdleConnections: Int = 1024,
        highWatermark: Int = 256 * 1024,
        lowWatermark: Int = 64 * 1024,
        maximumSpareHandles: Int = 256
    ) {
        precondition(maximumTransfers > 0, "a client must be able to run a transfer")
        precondition(lowWatermark >= 0 && lowWatermark < highWatermark, "low must be below high")
        self.maximumTransfers = maximumTransfers
        self.maximumIdleConnections = maximumIdleConnections
        self.highWatermark = highWatermark
        self.lowWatermark = lowWatermark
        self.maximumSpareHandles = maximumSpareHandles
    }
}
