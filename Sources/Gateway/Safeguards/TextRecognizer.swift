/// Finds personal data in a text: the built-in `StructuredRecognizer`, or a service for what needs
/// a model, such as names.
public protocol TextRecognizer: Sendable {
    /// Whether it waits for somebody else, rather than using this machine's processors.
    var isRemote: Bool { get }

    /// What stands in `text`, in any order; findings may overlap.
    ///
    /// Throws when it cannot tell. Nothing found is an answer, a failure never is: the caller must
    /// refuse the request.
    func findings(in text: String) async throws(RecognizerFailure) -> [EntityFinding]

    /// What stands in each of several texts, in their order.
    func findings(
        inAll texts: [String]
    ) async throws(RecognizerFailure) -> [[EntityFinding]]
}

extension TextRecognizer {
    /// Most read the text themselves.
    public var isRemote: Bool { false }

    /// One text after the other.
    public func findings(
        inAll texts: [String]
    ) async throws(RecognizerFailure) -> [[EntityFinding]] {
        var findings: [[EntityFinding]] = []
        for text in texts { findings.append(try await self.findings(in: text)) }
        return findings
    }
}

/// A recogniser could not tell what stands in a text.
public struct RecognizerFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong, without a word of the text.
    public let reason: String

    /// A failure for that reason, which must not quote the text.
    public init(reason: String) { self.reason = reason }

    /// Safe to show to anybody.
    public var description: String { "personal data could not be looked for: \(reason)" }
}
