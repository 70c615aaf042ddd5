import JSON

/// Reads `moderation` of a backend's answer.
enum ModerationReader {
    /// The most texts, and kinds of harm, that are believed.
    private static let most = 256

    /// The report of an answer or a chunk; nil when there is none of the published shape. What is
    /// said beside it is left out.
    static func report(in root: JSONValue) -> ModerationReport? {
        guard let value = root["moderation"], value.kind == .object,
            let input = side(value["input"]), let output = side(value["output"])
        else { return nil }
        return ModerationReport(input: input, output: output)
    }

    private static func side(_ value: JSONValue?) -> ModerationReport.Side? {
        guard let value, value.kind == .object else { return nil }
        if value["type"]?.isString("error") == true {
            return .failed
        }
        guard let list = value["results"], list.kind == .array, list.count <= most else {
            return nil
        }
        return .results(
            model: value["model"]?.string ?? "", list.elements.compactMap(finding))
    }

    private static func finding(_ value: JSONValue) -> ModerationReport.Finding? {
        guard let flagged = value["flagged"]?.bool, let flags = value["categories"],
            flags.kind == .object, flags.count <= most
        else { return nil }
        var categories: [ModerationReport.Finding.Category] = []
        var names: Set<String> = []
        for member in flags.members {
            guard let isFlagged = member.value.bool, names.insert(member.key).inserted else {
                continue
            }
            let types = value["category_applied_input_types"]?[member.key]
            categories.append(
                ModerationReport.Finding.Category(
                    name: member.key, isFlagged: isFlagged,
                    score: value["category_scores"]?[member.key]?.double ?? 0,
                    inputTypes: inputTypes(types)))
        }
        return ModerationReport.Finding(
            isFlagged: flagged, model: value["model"]?.string ?? "", categories: categories)
    }

    private static func inputTypes(_ value: JSONValue?) -> [String] {
        guard let value, value.kind == .array else { return [] }
        return value.elements.compactMap(\.string).filter { $0 == "text" || $0 == "image" }
    }
}
