import Domain

/// What a key accepts: how its text is read, and the words for it in an error.
struct Accepted<Value>: Sendable {
    /// Ends the sentence "give …".
    let words: String
    /// The value of a text; nil when it is not accepted.
    let read: @Sendable (String) -> Value?
    /// Whether the text may be a secret, so that no error quotes it.
    var isSecret = false
}

extension Accepted where Value == String {
    /// Any text that is not empty and has no control characters.
    static func text(_ words: String) -> Accepted {
        Accepted(words: words) { isPlain($0) ? $0 : nil }
    }

    /// Text that may hold a password.
    static func secretText(_ words: String, where test: @escaping @Sendable (String) -> Bool)
        -> Accepted
    {
        Accepted(words: words, read: { isPlain($0) && test($0) ? $0 : nil }, isSecret: true)
    }

    /// A path; a relative one counts from the folder of the configuration file.
    static func path(from folder: String) -> Accepted {
        Accepted(words: "a path") { text in
            guard isPlain(text) else { return nil }
            return text.hasPrefix("/") || folder.isEmpty ? text : "\(folder)/\(text)"
        }
    }

    /// The name of an environment variable.
    static let environmentName = Accepted(
        words: "the name of an environment variable, such as OPENAI_API_KEY"
    ) { EnvironmentText.isName($0) ? $0 : nil }

    /// The prefix of the keys that are minted.
    static let keyPrefix = Accepted(
        words: "2 to 16 of a-z, 0-9 and \"-\", beginning with a letter, such as sk-acme, and not "
            + "\(adminKeyPrefix), which admin keys have"
    ) { $0 != adminKeyPrefix && APIKeyFormat.isPrefix(Array($0.utf8)) ? $0 : nil }

    private static let adminKeyPrefix = APIKeyFormat.adminPrefix

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 4096
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

extension Accepted where Value == Int64 {
    /// A whole number in decimal digits.
    static func whole(_ range: ClosedRange<Int64>) -> Accepted {
        Accepted(words: "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            return Int64(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension Accepted where Value == Int64 {
    /// A temperature in decimal digits, as thousandths.
    static let temperature = Accepted(
        words: "a number from 0 to 2 with at most three decimals, such as 1.5"
    ) { text in
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : "0"
        guard parts.count <= 2, parts[0].utf8.count == 1, (1...3).contains(fraction.utf8.count),
            (parts[0] + fraction).utf8.allSatisfy({ (48...57).contains($0) }),
            let thousandths = Int64(
                parts[0] + fraction + String(repeating: "0", count: 3 - fraction.utf8.count)),
            thousandths <= ModelRoute.usualMaximumTemperature
        else { return nil }
        return thousandths
    }
}

extension Accepted where Value == Bool {
    /// `true` or `false`, and none of YAML's other spellings.
    static let yesOrNo = Accepted(words: "true or false") { text in
        switch text {
        case "true": true
        case "false": false
        default: nil
        }
    }
}

extension Accepted where Value == Duration {
    /// A number and its unit: `250ms`, `30s`, `5m`.
    static func duration(_ range: ClosedRange<Duration>) -> Accepted {
        let least = words(range.lowerBound)
        let most = words(range.upperBound)
        return Accepted(words: "a time from \(least) to \(most), written as 250ms, 30s or 5m") {
            text in
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            guard let count = Int64(digits), count <= 1_000_000_000 else { return nil }
            let duration: Duration
            switch text.dropFirst(digits.count) {
            case "ms": duration = .milliseconds(count)
            case "s": duration = .seconds(count)
            case "m": duration = .seconds(count * 60)
            default: return nil
            }
            return range.contains(duration) ? duration : nil
        }
    }

    private static func words(_ duration: Duration) -> String {
        let milliseconds = duration.microseconds / 1000
        if milliseconds % 60_000 == 0, milliseconds > 0 { return "\(milliseconds / 60_000)m" }
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}

extension Accepted where Value == NanoUSD {
    /// An exact number of dollars, at most a million.
    static let dollars = Accepted(
        words: "dollars from 0 to 1000000 with at most nine decimals, such as 2.50"
    ) { text in
        NanoUSD(dollars: text).flatMap { $0.rawValue <= 1_000_000 * 1_000_000_000 ? $0 : nil }
    }
}

extension Accepted where Value == ListenAddress {
    /// Where a listener listens.
    static let address = Accepted(
        words: "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, with a port from 0 to 65535"
    ) { ListenAddress($0) }

    /// Where operators come in.
    static let adminAddress = Accepted(
        words: "HOST:PORT, such as 127.0.0.1:8081, or unix:/PATH with at most "
            + "\(ListenAddress.longestSocketPath) bytes of path"
    ) { ListenAddress($0) ?? ListenAddress(socket: $0) }
}

extension Accepted
where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// One of a few words.
    static var word: Accepted {
        Accepted(words: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", ")) {
            Value(rawValue: $0)
        }
    }
}
