import ArgumentParser
import Domain
import Ledger

/// `admin key update KEYID`.
struct KeyUpdateCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change what a key may do.",
        discussion: """
            What is not named stays as it is. Running gateways follow within two seconds. Both secrets of a key that is \
            being rotated change.

            Example:
              turnpike admin key update 3kTMd92Zx0q --models tiny --tag env=prod --expires 30d
            """)

    @Argument(help: "The key id.", transform: KeyArgument.init)
    var keyID: KeyArgument
    @Option(
        help: ArgumentHelp("The models it may use, separated by commas.", valueName: "names"))
    var models: String?
    @Flag(help: "It may use all models.")
    var allModels = false
    @Flag(help: "It may call everything.")
    var allEndpoints = false
    @Option(
        help: ArgumentHelp("When it stops being valid: a span or a date.", valueName: "when"),
        transform: TimeArgument.read)
    var expires: TimeArgument?
    @Flag(help: "It does not expire.")
    var neverExpires = false
    @Option(help: ArgumentHelp("Take the tag of this name away.", valueName: "name"))
    var untag: [String] = []
    @Flag(help: "Take its bound for requests that name none away.")
    var noMaxCompletionTokens = false
    @Flag(inversion: .prefixedNo, help: "End its streams with their usage, unasked too.")
    var streamUsage: Bool?
    @Flag(inversion: .prefixedNo, help: "Tell reasoning as reasoning too.")
    var mirrorReasoning: Bool?
    @Flag(
        inversion: .prefixedNo,
        help: "Lower max_completion_tokens to what is left of a quota instead of refusing.")
    var clamp: Bool?
    @OptionGroup var terms: KeyTermsOptions
    @OptionGroup var tenant: OrganizationOption
    @OptionGroup var options: AdminOptions

    func validate() throws {
        _ = try keyID.check()
        _ = try NameText.models(models)
        let pairs = [
            (models != nil && allModels, "--models and --all-models"),
            (terms.endpoints != nil && allEndpoints, "--endpoints and --all-endpoints"),
            (expires != nil && neverExpires, "--expires and --never-expires"),
            (
                terms.maxCompletionTokens != nil && noMaxCompletionTokens,
                "--max-completion-tokens and --no-max-completion-tokens"
            ),
        ]
        if let pair = pairs.first(where: \.0) {
            throw ValidationError("\(pair.1) exclude each other; name one.")
        }
        let isAny =
            models != nil || allModels || terms.endpoints != nil || allEndpoints || expires != nil
            || neverExpires || !terms.tag.isEmpty || !untag.isEmpty
            || terms.maxCompletionTokens != nil || noMaxCompletionTokens || streamUsage != nil
            || mirrorReasoning != nil || clamp != nil
        guard isAny else {
            throw ValidationError("Nothing to change: name what is to be different.")
        }
    }

    func execute(_ desk: AdminDesk) throws {
        let id = try keyID.check()
        let organization = try desk.organization(tenant.organization)
        _ = try desk.key(id, in: organization)
        let now = try desk.ledger.time()
        let expiresAt = expires?.after(now)
        if let expiresAt, expiresAt <= now {
            throw AdminFailure.wrongUsage(
                "--expires \(TimeText.short(expiresAt)) is past.",
                advice: "Nothing was changed. To end a key, revoke it.")
        }
        let (names, scopes) = (try NameText.models(models), try terms.endpointList())
        try desk.ledger.changeKey(id, in: organization) { key in
            if names != nil || allModels { key.models = names }
            if scopes != nil || allEndpoints { key.endpoints = scopes }
            if expiresAt != nil || neverExpires { key.expires = expiresAt }
            if terms.maxCompletionTokens != nil || noMaxCompletionTokens {
                key.defaultCompletionTokens = terms.maxCompletionTokens
            }
            if let streamUsage { key.alwaysUsage = streamUsage }
            if let mirrorReasoning { key.mirrorsReasoning = mirrorReasoning }
            if let clamp { key.clamps = clamp }
            key.tags = Self.tags(key.tags, adding: terms.tag, removing: untag)
        }
        let key = try desk.key(id, in: organization)
        try desk.answer(KeyView.record(key, organization)) {
            DetailFormatter(width: desk.output.width, style: desk.output.style)
                .lines(KeyView.details(key, organization))
        }
    }

    private static func tags(
        _ old: [String], adding new: [String], removing gone: [String]
    ) -> [String] {
        func name(_ tag: String) -> Substring { tag.prefix { $0 != "=" } }
        let replaced = Set(new.map(name)).union(gone.map { Substring($0) })
        return (old.filter { !replaced.contains(name($0)) } + new).sorted()
    }
}
