/// A schema in words, for the page.
extension ReferenceSchema {
    /// What kind of value it is; a part that is the name of another schema is handed to `link`.
    func kind(link: (String) -> String) -> String {
        if let reference { return link(reference) }
        if !choices.isEmpty {
            var kinds: [String] = []
            for kind in choices.map({ $0.kind(link: link) }) where !kinds.contains(kind) {
                kinds.append(kind)
            }
            return kinds.joined(separator: " or ")
        }
        if let items = items.first { return "array of \(items.kind(link: link))" }
        return type ?? "any value"
    }

    /// What range it has, in short pieces; a value is handed to `code`.
    func limits(code: (String) -> String) -> [String] {
        var limits: [String] = []
        if !values.isEmpty {
            limits.append(values.map { code($0.text) }.joined(separator: ", "))
        }
        switch (minimum?.text, maximum?.text) {
        case (let least?, let most?):
            limits.append(excludesMinimum ? "above \(least), to \(most)" : "\(least) to \(most)")
        case (let least?, nil): limits.append("at least \(least)")
        case (nil, let most?): limits.append("at most \(most)")
        case (nil, nil): break
        }
        let unit = ["string": "characters", "array": "items", "object": "entries"][type ?? ""]
        if let unit {
            switch (atLeast, atMost) {
            case (let least?, let most?): limits.append("\(least) to \(most) \(unit)")
            case (1, nil): limits.append("not empty")
            case (let least?, nil): limits.append("at least \(least) \(unit)")
            case (nil, 0): limits.append("empty")
            case (nil, let most?): limits.append("at most \(most) \(unit)")
            case (nil, nil): break
            }
        }
        for pattern in [pattern, namePattern].compactMap({ $0 }) {
            limits.append((pattern == namePattern ? "names match " : "matches ") + code(pattern))
        }
        limits += items.first?.limits(code: code).map { "each: \($0)" } ?? []
        limits += others.first?.limits(code: code).map { "values: \($0)" } ?? []
        for choice in choices {
            let own = choice.limits(code: code)
            if !own.isEmpty {
                limits.append("\(choice.type ?? "value"): " + own.joined(separator: ", "))
            }
        }
        return limits
    }
}
