import Domain

/// The query of `GET /v1/usage`, checked.
enum UsageQuestionReader {
    /// A parameter of the query.
    enum Parameter: String, CaseIterable {
        case since, until, by
    }

    /// How many days are reported where the query does not say since when, today included.
    static let usualDays: Int64 = 30

    /// Reads the query of a request's target; names that are not ours are ignored.
    ///
    /// - Parameter now: where a report without an end stops.
    static func read(
        _ target: String, at now: Timestamp
    ) throws(GatewayFailure) -> OwnUsageQuestion {
        let values = try parameters(target)
        var grouping = OwnUsageQuestion.Grouping.day
        if let text = values[.by] {
            guard let known = OwnUsageQuestion.Grouping(rawValue: text) else {
                let words = OwnUsageQuestion.Grouping.allCases.map { "'\($0.rawValue)'" }
                throw fault(.by, "must be one of \(words.joined(separator: ", ")).")
            }
            grouping = known
        }
        // Midnight UTC; rounded outwards, since the books are kept by the hour.
        let until = try instant(.until, values)?.endOfHour ?? now.endOfHour
        let days = grouping == .hour ? 1 : usualDays
        let usual = (until + .microseconds(-1)).day.start + .seconds(-(days - 1) * 86_400)
        let since = try instant(.since, values)?.startOfHour ?? usual
        guard since < until else { throw fault(.since, "must be before the end of the report.") }
        let most = grouping.mostHours
        guard until.microseconds - since.microseconds <= most * 3_600_000_000 else {
            throw fault(
                .since,
                "must be at most \(most / 24) days before the end of a report by "
                    + "\(grouping.rawValue).")
        }
        return OwnUsageQuestion(since: since, until: until, grouping: grouping)
    }

    private static func instant(
        _ parameter: Parameter, _ values: [Parameter: String]
    ) throws(GatewayFailure) -> Timestamp? {
        guard let text = values[parameter] else { return nil }
        guard let instant = Timestamp(utc: text) else {
            throw fault(
                parameter,
                "must be a day or a time in UTC, such as 2026-11-01 or "
                    + "2026-11-01T08:00Z.")
        }
        return instant
    }

    private static func parameters(
        _ target: String
    ) throws(GatewayFailure) -> [Parameter: String] {
        guard let mark = target.firstIndex(of: "?") else { return [:] }
        var values: [Parameter: String] = [:]
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let parameter = Parameter(rawValue: PercentEncoding.decode(parts[0])) else {
                continue
            }
            let value = parts.count == 2 ? PercentEncoding.decode(parts[1]) : ""
            // Two readers might take different ones.
            guard values.updateValue(value, forKey: parameter) == nil else {
                throw fault(parameter, "is given more than once.")
            }
        }
        return values
    }

    private static func fault(_ parameter: Parameter, _ rule: String) -> GatewayFailure {
        .invalidRequest(
            RequestFault(
                "'\(parameter.rawValue)' \(rule)", parameter: parameter.rawValue,
                code: .invalidValue))
    }
}
