import ArgumentParser
import Domain
import Ledger

/// `admin explain`.
struct ExplainCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Tell one request's story.",
        discussion: """
            Takes the id of the x-request-id header (req_…), the id of an answer (chatcmpl-…), or a bare UUID.

            Example:
              turnpike admin explain req_019a9f3e-7c41-7cc2-b3a4-2f0d8a1b9c55
            """)

    @Argument(
        help: ArgumentHelp("The request.", valueName: "request-id"),
        transform: { text in
            guard let id = ExplainCommand.read(text) else {
                throw ValidationError("give an id such as req_019a9f3e-7c41-7cc2-b3a4-2f0d8a1b9c55")
            }
            return id
        })
    var request: RequestID
    @OptionGroup var tenant: OrganizationOption
    @OptionGroup var options: AdminOptions

    func execute(_ desk: AdminDesk) throws {
        let organization = try desk.organization(tenant.organization)
        switch try desk.ledger.explain(request, in: organization) {
        case .unknown(let mayBeDropped):
            throw AdminFailure.notFound(
                "request", "req_\(request)", in: organization,
                advice: mayBeDropped
                    ? "Records from its time were dropped; only their totals are kept."
                    : "A request that was refused has no record.")
        case .story(let story):
            let view = ExplainView(story: story, organization: organization)
            try desk.answer(view.record) {
                DetailFormatter(width: desk.output.width, style: desk.output.style)
                    .lines(view.details)
            }
        }
    }

    /// Reads a request id in any of the forms that clients see: the same 128 bits.
    static func read(_ text: String) -> RequestID? {
        if text.hasPrefix("req_") { return RequestID(text.dropFirst(4)) }
        guard text.hasPrefix("chatcmpl-") else { return RequestID(text) }
        let digits = text.dropFirst(9)
        guard digits.utf8.count == 32, digits.allSatisfy(\.isHexDigit) else { return nil }
        return UInt128(digits, radix: 16).map(RequestID.init(rawValue:))
    }
}
