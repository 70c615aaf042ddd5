internal import CCurl
internal import Glibc
public import Logging

/// An HTTP client over libcurl's multi interface, with one thread of its own.
///
/// Responses stream: a consumer that does not read holds its upstream back, and one that stops
/// reading, by cancelling its task or dropping the body, has the connection closed at once.
public final class CurlClient: Sendable {
    private let configuration: CurlConfiguration
    private let inbox: TransferInbox
    private let thread: LoopThread

    /// Starts the client's thread. Throws `internalError` if the system has no thread, descriptor
    /// or memory left.
    public convenience init(
        configuration: CurlConfiguration = CurlConfiguration(), logger: Logger
    ) throws(CurlFailure) {
        try self.init(configuration: configuration, logger: logger, clock: Self.readClock)
    }

    /// Starts the client's thread with a clock for the time limits.
    init(
        configuration: CurlConfiguration, logger: Logger,
        clock: @escaping @Sendable () -> MonotonicInstant
    ) throws(CurlFailure) {
        guard Self.libraryResult == CURLE_OK else {
            throw CurlFailure(.internalError, detail: "curl_global_init failed")
        }
        let inbox = try TransferInbox(maximumTransfers: configuration.maximumTransfers)
        let poller = try Poller(reading: inbox.descriptor)
        guard let multi = unsafe curl_multi_init() else {
            poller.close()
            throw CurlFailure(.internalError, detail: "curl_multi_init failed")
        }
        let parts = TransferLoopParts(
            configuration: configuration, inbox: inbox, poller: poller,
            multi: unsafe .init(pointer: multi), logger: logger, clock: clock)
        do throws(CurlFailure) {
            thread = try LoopThread(parts)
        } catch {
            unsafe curl_multi_cleanup(multi)
            poller.close()
            throw error
        }
        self.configuration = configuration
        self.inbox = inbox
    }

    /// A client that is dropped ends its running transfers, as `shutdown` does, but nobody waits.
    deinit { inbox.requestClose() }

    /// Sends a request and returns once the final response head is complete.
    ///
    /// Throws `invalidRequest` or `overloaded` before anything is sent. Cancelling the task ends
    /// the transfer with `cancelled`. If a pooled connection turns out to have been closed by the
    /// upstream without any byte of a response, libcurl itself sends the request once more on a new
    /// connection; use a `fresh` one where that must not be.
    public func execute(_ request: CurlRequest) async throws(CurlFailure) -> CurlResponse {
        try request.validate()
        let transfer = Transfer(
            request, inbox: inbox, lowWatermark: configuration.lowWatermark)
        let head = try await transfer.start()
        return CurlResponse(
            status: head.status, headers: head.headers,
            usedPooledConnection: head.usedPooledConnection,
            certificateExpiry: head.certificateExpiry, body: CurlBody(transfer))
    }

    /// Fails the running transfers and those that come later with `shutdown`, closes every
    /// connection and ends the thread. Repeating it changes nothing.
    public func shutdown() async {
        inbox.requestClose()
        await inbox.waitUntilClosed()
        thread.join()
    }

    /// Set up once for the process; libcurl counts, and is never taken down.
    private static let libraryResult = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    private static let readClock: @Sendable () -> MonotonicInstant = {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(
            nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
