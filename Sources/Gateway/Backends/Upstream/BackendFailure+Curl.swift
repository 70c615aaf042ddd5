import Curl

extension BackendFailure {
    /// What a failed transfer means to the client, with the inside text for the log.
    init(_ failure: CurlFailure, redacting secrets: [[UInt8]]) {
        let kind: Kind =
            switch failure.phase {
            case .overloaded, .shutdown: .notReady(retryAfter: .seconds(1))
            case .resolve, .forbiddenAddress, .connect, .tls, .send, .receive, .invalidRequest,
                .internalError:
                .unreachable
            case .connectTimeout, .firstByteTimeout, .idleTimeout, .totalTimeout: .timedOut
            case .tooLarge, .protocolError: .malformed
            case .cancelled: .cancelled
            }
        let advice =
            failure.phase == .forbiddenAddress
            ? " is not permitted; the backend's keys allow_addresses and allow_private_addresses "
                + "say which are" : ""
        self.init(
            kind: kind,
            detail: LogExcerpt.make(of: failure.debugDescription.utf8, redacting: secrets) + advice)
    }
}

extension CurlBody {
    /// What arrives of a body whose content matters little: at most `most` bytes within `limit`,
    /// then the transfer is ended. Never fails; a body that breaks off gives what there was.
    func excerpt(atMost most: Int, within limit: Duration) async -> [UInt8] {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled once the body is read, and then there is nothing left to end.
                guard (try? await Task.sleep(for: limit)) != nil else { return }
                cancel()
            }
            var bytes: [UInt8] = []
            var iterator = makeAsyncIterator()
            // A failure only means that there is no more to quote.
            while bytes.count < most, let piece = try? await iterator.next() { bytes += piece }
            group.cancelAll()
            return Array(bytes.prefix(most))
        }
    }
}
