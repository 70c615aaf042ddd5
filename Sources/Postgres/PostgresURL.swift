import CPostgres

/// A connection URL as libpq understands it, checked and split before anything is opened.
struct PostgresURL {
    /// The text as given. Holds the password: never shown.
    let text: String
    /// The password inside, if any.
    let password: String?
    /// The names of the server settings that the URL's `options` set.
    let settingNames: Set<String>

    /// Parses `text` without connecting.
    ///
    /// The error says nothing of libpq's own message: for a password with an unescaped `:` or `@`
    /// it quotes part of the password.
    init(_ text: String) throws(PostgresError) {
        guard !text.utf8.contains(0), Self.isConnectionText(text), Self.isUnambiguous(text),
            let options = Self.parse(text), Self.arePorts(options["port"] ?? "")
        else {
            throw PostgresError(
                kind: .invalid(
                    reason: "the connection URL cannot be parsed; it looks like"
                        + " postgres://user@host/database, with reserved characters such as"
                        + " @ : / in the password percent-encoded"))
        }
        self.text = text
        password = options["password"]
        settingNames = Self.settingNames(inOptions: options["options"] ?? "")
    }

    /// Removes the password from a text of libpq's, in case it should ever quote it.
    func redacting(_ message: String) -> String {
        guard let password, !password.isEmpty else { return message }
        return message.split(separator: password, omittingEmptySubsequences: false)
            .joined(separator: "***")
    }

    /// libpq takes any other text for the name of a database.
    private static func isConnectionText(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") || text.contains("=")
    }

    /// Whether a URL has at most one `@`, and that before the path.
    ///
    /// libpq would take the rest of an unescaped password for a host, a port or a database, and say
    /// so in its errors.
    private static func isUnambiguous(_ text: String) -> Bool {
        guard let scheme = text.firstRange(of: "://"), text.hasPrefix("postgres") else {
            return true
        }
        let parts = text[scheme.upperBound...].prefix { $0 != "?" }.split(
            separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let ats = parts.map { part in part.count { $0 == "@" } }
        return ats[0] <= 1 && ats.dropFirst().allSatisfy { $0 == 0 }
    }

    /// Whether `ports`, one for each host, are numbers or missing. libpq checks, and quotes, them
    /// late.
    private static func arePorts(_ ports: String) -> Bool {
        ports.split(separator: ",").allSatisfy { UInt16($0).map { $0 > 0 } ?? false }
    }

    /// The options the text sets itself, by keyword; nil when libpq cannot parse it.
    private static func parse(_ text: String) -> [String: String]? {
        var message: UnsafeMutablePointer<CChar>?
        let parsed = unsafe PQconninfoParse(text, &message)
        defer {
            unsafe PQfreemem(message)
            unsafe PQconninfoFree(parsed)
        }
        guard var option = unsafe parsed else { return nil }
        var options: [String: String] = [:]
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe options[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        return options
    }

    /// Finds the names in `-c name=value`, `-cname=value` and `--name=value`.
    ///
    /// The server takes `-` for `_` in the last form, and letters of either case.
    private static func settingNames(inOptions options: String) -> Set<String> {
        var names: Set<String> = []
        var previous = ""
        for word in options.split(separator: " ").map(String.init) {
            defer { previous = word }
            var assignment = Substring(word)
            if word.hasPrefix("--") || (word.hasPrefix("-c") && word.count > 2) {
                assignment = word.dropFirst(2)
            } else if previous != "-c" {
                continue
            }
            let name = assignment.prefix { $0 != "=" }.lowercased()
            names.insert(String(name.map { $0 == "-" ? "_" : $0 }))
        }
        return names
    }
}
