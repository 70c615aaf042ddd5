import Domain
import NIOCore

/// Collects an answer as it goes out, where it is to be kept for a retry; does nothing elsewhere.
struct AnswerRecorder: Sendable {
    private let claim: IdempotencyClaim?
    private let contentType: String
    /// Nil where nothing is recorded, and once there is more than is kept.
    private var body: [UInt8]?

    /// Begins with nothing; without a claim nobody could ask for the answer again.
    init(_ claim: IdempotencyClaim?, contentType: String, in core: GatewayCore) {
        self.claim = claim
        self.contentType = contentType
        body = claim != nil && core.configuration.storesAnswers ? [] : nil
    }

    /// Takes the next bytes.
    mutating func take(_ bytes: some Collection<UInt8>) {
        guard let count = body?.count else { return }
        if count + bytes.count > StoredAnswer.mostBytes {
            body = nil
        } else {
            body?.append(contentsOf: bytes)
        }
    }

    /// Keeps the whole answer, before its client sees the end: whoever loses the connection at that
    /// moment finds it.
    func keep(in ledger: any IdempotencyLedger) async {
        guard let claim, let body else { return }
        await ledger.keep(StoredAnswer(contentType: contentType, body: body), of: claim)
    }
}
