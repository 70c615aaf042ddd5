import ArgumentParser
import Domain

/// `admin key create`.
struct KeyCreateCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a key and show it, this once.",
        discussion: """
            The key is printed once and stored nowhere: the ledger keeps only a digest. With --secret-file it goes into a \
            new file that only you may read, and not to the terminal.

            Example:
              turnpike admin key create --team research --name ci --expires 90d \\
                --models tiny,gpt-4o --secret-file ci.key
            """)

    @Option(help: ArgumentHelp("The team it is for.", valueName: "name"))
    var team: String
    @Option(help: ArgumentHelp("What to call it, 1 to 64 bytes.", valueName: "name"))
    var name: String
    @Option(
        help: ArgumentHelp(
            "When it stops being valid: a span such as 90d, or a date (UTC). Default: never.",
            valueName: "when"),
        transform: TimeArgument.read)
    var expires: TimeArgument?
    @Option(
        help: ArgumentHelp(
            "The models it may use, separated by commas. Default: all.", valueName: "names"))
    var models: String?
    @Flag(help: "End its streams with their usage, also where no request asks for that.")
    var streamUsage = false
    @Flag(help: "Tell reasoning as reasoning too, beside reasoning_content.")
    var mirrorReasoning = false
    @Flag(help: "Lower max_completion_tokens to what is left of a quota instead of refusing.")
    var clamp = false
    @Option(help: ArgumentHelp("A new file (mode 0600) for the key.", valueName: "file"))
    var secretFile: String?
    @OptionGroup var terms: KeyTermsOptions
    @OptionGroup var tenant: OrganizationOption
    @OptionGroup var options: AdminOptions

    func validate() throws {
        try NameText.check(name)
        _ = try NameText.models(models)
    }

    func execute(_ desk: AdminDesk) throws {
        let organization = try desk.organization(tenant.organization)
        let owner = try desk.team(team, in: organization)
        let now = try desk.ledger.time()
        let expiresAt = expires?.after(now)
        if let expiresAt, expiresAt <= now {
            throw AdminFailure.wrongUsage(
                "--expires \(TimeText.short(expiresAt)) is past; the key could never be used.",
                advice: "Nothing was created. Give a later date or a span such as 90d.")
        }
        var order = KeyOrder(
            name: name, expiresAt: expiresAt, models: try NameText.models(models),
            streamsUsage: streamUsage, mirrorsReasoning: mirrorReasoning)
        order.endpoints = try terms.endpointList()
        order.tags = terms.tag.sorted()
        order.clamps = clamp
        order.defaultCompletionTokens = terms.maxCompletionTokens
        let handover = try SecretHandover(file: secretFile)
        let minted: MintedKeyEntry
        do throws(AdminFailure) {
            minted = try desk.ledger.mintKey(order, for: owner, in: organization)
        } catch {
            handover.discard()
            throw error
        }
        try handover.show(minted, desk, organization, more: [])
    }
}

extension TimeArgument {
    /// `parse` as the argument parser wants it.
    @Sendable static func read(_ text: String) throws -> TimeArgument { try parse(text) }
}
