internal import CCurl

/// Why a transfer did not give a complete response.
public struct CurlFailure: Error, Sendable, Equatable {
    /// How far the transfer had come.
    public enum Phase: String, Sendable, CaseIterable {
        /// The request was refused before anything was sent.
        case invalidRequest
        /// The client already runs as many transfers as it may; nothing was sent.
        case overloaded
        /// The host's name was not found.
        case resolve
        /// The host has no address that may be connected to; nothing was sent.
        case forbiddenAddress
        /// No connection could be made.
        case connect
        /// Resolving, connecting and the TLS handshake took too long together.
        case connectTimeout
        /// The TLS handshake failed or the certificate was not accepted.
        case tls
        /// The request could not be written in full.
        case send
        /// The response head did not arrive in time.
        case firstByteTimeout
        /// The body stopped arriving.
        case idleTimeout
        /// The transfer as a whole took too long.
        case totalTimeout
        /// The connection was reset or closed before the response was complete.
        case receive
        /// The response is larger than the caller accepts.
        case tooLarge
        /// What arrived is not a valid HTTP response.
        case protocolError
        /// The caller ended the transfer.
        case cancelled
        /// The client was shut down.
        case shutdown
        /// libcurl or the system ran out of something; the request may have been sent.
        case internalError
    }

    /// How far the transfer had come.
    public let phase: Phase
    /// libcurl's code (`CURLcode`), or 0 if the failure is not libcurl's.
    public let curlCode: Int
    /// Whether any part of a response had arrived. If not, and the phase is `send` or `receive`,
    /// the upstream closed the connection without answering.
    public let receivedResponse: Bool
    /// The inside text: may name hosts and addresses, never header values or the URL.
    let detail: String

    /// Makes a failure that is not libcurl's.
    init(_ phase: Phase, receivedResponse: Bool = false, detail: String = "") {
        self.init(phase, curlCode: 0, receivedResponse: receivedResponse, detail: detail)
    }

    /// Makes a failure out of all its parts.
    init(_ phase: Phase, curlCode: Int, receivedResponse: Bool, detail: String) {
        self.phase = phase
        self.curlCode = curlCode
        self.receivedResponse = receivedResponse
        self.detail = detail
    }

    /// The request was refused for the reason given, before anything was sent.
    static func invalidRequest(_ reason: String) -> CurlFailure {
        CurlFailure(.invalidRequest, detail: reason)
    }
}

extension CurlFailure: CustomStringConvertible, CustomDebugStringConvertible {
    /// One sentence that names no host, no address and no URL: safe to show to anybody.
    public var description: String {
        switch phase {
        case .invalidRequest: "The upstream request is not valid."
        case .overloaded: "Too many upstream requests are running."
        case .resolve: "The upstream's name could not be resolved."
        case .forbiddenAddress: "The upstream's address is not permitted."
        case .connect: "The upstream could not be reached."
        case .connectTimeout: "The upstream did not accept a connection in time."
        case .tls: "No secure connection to the upstream could be made."
        case .send: "The request could not be sent to the upstream."
        case .firstByteTimeout: "The upstream did not answer in time."
        case .idleTimeout: "The upstream stopped sending its answer."
        case .totalTimeout: "The upstream's answer took too long."
        case .receive: "The connection to the upstream was lost."
        case .tooLarge: "The upstream's answer is too large."
        case .protocolError: "The upstream's answer is not valid HTTP."
        case .cancelled: "The upstream request was cancelled."
        case .shutdown: "The upstream client was shut down."
        case .internalError: "The upstream request failed inside the client."
        }
    }

    /// The phase with libcurl's code and message, for logs.
    public var debugDescription: String {
        "CurlFailure(\(phase.rawValue), code \(curlCode), "
            + "\(receivedResponse ? "response begun" : "no response")): \(detail)"
    }
}

extension CurlFailure.Phase {
    /// The phase in which a transfer was when libcurl ended it with `code`.
    ///
    /// The only timeout libcurl is given is the one for connecting, so `CURLE_OPERATION_TIMEDOUT`
    /// has one meaning. `CURLE_UNSUPPORTED_PROTOCOL` is how it reports an answer without a status
    /// line (HTTP/0.9); schemes were checked before.
    init(_ code: CURLcode) {
        self =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .resolve
            case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED: .connect
            case CURLE_OPERATION_TIMEDOUT: .connectTimeout
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
                CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE,
                CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
                CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
                CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
                .tls
            case CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND, CURLE_READ_ERROR: .send
            case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2_STREAM,
                CURLE_SSL_SHUTDOWN_FAILED:
                .receive
            case CURLE_FILESIZE_EXCEEDED: .tooLarge
            case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP3,
                CURLE_BAD_CONTENT_ENCODING, CURLE_HTTP_RETURNED_ERROR:
                .protocolError
            case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED: .invalidRequest
            default: .internalError
            }
    }
}
