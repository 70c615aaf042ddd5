import ArgumentParser
import Domain
import Ledger

/// What a key may be given when it is made and later: the same words in both commands.
struct KeyTermsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What it may call, separated by commas: chat, models, usage. Default: everything.",
            valueName: "names"))
    var endpoints: String?
    @Option(
        help: ArgumentHelp(
            "A tag such as env=prod; repeat it for more, at most 16.", valueName: "name=value"))
    var tag: [String] = []
    @Option(
        help: ArgumentHelp(
            "The bound on completion tokens where a request names none.", valueName: "count"))
    var maxCompletionTokens: Int64?

    func validate() throws {
        _ = try endpointList()
        if let bound = maxCompletionTokens, bound < 1 {
            throw ValidationError("--max-completion-tokens is at least 1.")
        }
        let names = tag.map { $0.prefix { $0 != "=" } }
        guard tag.allSatisfy({ $0.contains("=") && !$0.hasPrefix("=") }) else {
            throw ValidationError("--tag is a name and a value, such as env=prod.")
        }
        guard tag.count <= KeyStore.Terms.mostTags, Set(names).count == names.count else {
            throw ValidationError("A key has at most 16 tags, each name once.")
        }
        guard tag.allSatisfy({ $0.utf8.count <= 128 && DisplayWidth.printable($0) == $0 }) else {
            throw ValidationError("A tag has at most 128 bytes and no control characters.")
        }
    }

    /// The endpoints; nil where none are named.
    func endpointList() throws(ValidationError) -> [String]? {
        guard let endpoints else { return nil }
        let names = endpoints.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0.drop { $0 == " " })
        }
        guard names.allSatisfy({ KeyScope(rawValue: $0) != nil }), Set(names).count == names.count
        else {
            let known = KeyScope.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--endpoints is a list of \(known), such as chat,models.")
        }
        return names
    }
}
