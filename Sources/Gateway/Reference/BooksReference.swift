import Domain

/// What is told of `GET /v1/usage` and `GET /v1/quota`.
enum BooksReference {
    /// What is told of usage.
    static let usageDescription =
        "The key's own usage, from the books that it is charged by. Free, counted against no quota, "
        + "and at most 60 times a minute."
    /// What is told of quotas.
    static let quotaDescription =
        "Every quota and rate limit that applies to the key. Of a quota that it shares with others, "
        + "its team's or organization's, the limit and what is left are told, and not who used the "
        + "rest. Free, and at most 60 times a minute with usage together."

    /// The parameters of a usage report: in a switch without `default`, so that none is forgotten.
    static let parameters: [(name: String, schema: ReferenceSchema)] =
        UsageQuestionReader.Parameter.allCases.map { parameter in
            let days = UsageQuestionReader.usualDays
            let schema: ReferenceSchema =
                switch parameter {
                case .since:
                    instant.saying(
                        "The beginning, as a day or a time in UTC; a time within an hour counts the "
                            + "whole hour. At most 92 days before the end, by hour 31."
                    ).defaulting(inWords: "today and the \(days - 1) days before it; by hour today")
                case .until:
                    instant.saying("The end, likewise; its own instant is left out.")
                        .defaulting(inWords: "now")
                case .by:
                    .words(OwnUsageQuestion.Grouping.self).saying(
                        "What a row stands for. Days and months are in UTC."
                    ).defaulting(to: .string("day"))
                }
            return (parameter.rawValue, schema)
        }

    private static let instant: ReferenceSchema = {
        var schema = ReferenceSchema.string
        schema.pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z)?$"
        return schema
    }()

    /// The objects of the answers.
    static let objects: [RequestReference.Named] = [
        ("KeyUsage", usage), ("UsageTotals", .object(counts, isClosed: true)),
        ("UsageRow", row), ("KeyQuota", quota), ("QuotaLine", line), ("RateLimitLine", rate),
    ]

    private static let keyID = ReferenceSchema.string.saying(
        "The part of the key that is safe to show.")
    private static let time = ReferenceSchema.string.saying("As in `2026-11-22T08:00:00Z`.")

    private static let usage = ReferenceSchema.object(
        [
            .required("object", .words(["usage"])), .required("key_id", keyID),
            .required("since", time), .required("until", time),
            .required("by", .words(OwnUsageQuestion.Grouping.self)),
            .required("total", .named("UsageTotals")),
            .required("data", .array(.named("UsageRow"))),
        ], isClosed: true
    ).saying(
        "What this key used, and a key that replaces it or that it replaces. Rows without usage are "
            + "left out; a request belongs to the hour in which it was admitted.")

    private static let counts: [ReferenceSchema.Property] = [
        .required("requests", .count.saying("Charged requests.")),
        .required("failed_requests", .count.saying("Those that came to nothing, uncharged.")),
        .required("prompt_tokens", .count), .required("cached_tokens", .count.saying("Of them.")),
        .required("cache_write_tokens", .count.saying("Of them.")),
        .required("completion_tokens", .count),
        .required("reasoning_tokens", .count.saying("Of them.")),
        .required("total_tokens", .count.saying("Of prompts and completions.")),
        .required("charged_tokens", .count.saying("What counted against token quotas.")),
        .required("cost_usd", .string.saying("Exact, as in `0.0000013`.")),
    ]

    private static let row = ReferenceSchema.object(
        [
            .sometimes("hour", time.saying("By hour: when it begins.")),
            .sometimes("day", .string.saying("By day: `2026-11-22`.")),
            .sometimes("month", .string.saying("By month: `2026-11`.")),
            .sometimes("model", .string.saying("By model: its name.")),
        ] + counts, isClosed: true)

    private static let quota = ReferenceSchema.object(
        [
            .required("object", .words(["quota"])), .required("key_id", keyID),
            .required("as_of", time), .required("quotas", .array(.named("QuotaLine"))),
            .required("rate_limits", .array(.named("RateLimitLine"))),
        ], isClosed: true)

    private static let subject = ReferenceSchema.words(
        [Subject.Kind.organization, .team, .key].map(\.name)
    ).saying("Whose it is: the key's own, or one that the key shares with others.")

    private static let model = ReferenceSchema.string.orNull.saying(
        "The model whose requests alone it counts; null for all models. A request must pass both.")

    private static let line = ReferenceSchema.object(
        [
            .required("subject", subject), .required("model", model),
            .required("resource", .words(Resource.allCases.map(\.name))),
            .required(
                "unit",
                .words(Resource.allCases.map(QuotaEndpoint.unit)).saying(
                    "What the numbers count; nano-dollars for cost.")),
            .required("period", .words(Period.allCases.map(\.name)).saying("In UTC.")),
            .required("limit", .count),
            .required(
                "soft", .bool.saying("Whether it only warns: nothing is refused by it.")),
            .sometimes("used", .count.saying("Of the key's own quotas only.")),
            .sometimes(
                "reserved",
                .count.saying("Held by requests that still run. Of the key's own quotas only.")),
            .required(
                "left", .count.saying("The limit less what is used or held, by all who share it.")),
            .required("resets_at", time.orNull.saying("Null for a quota in total.")),
        ], isClosed: true)

    private static let rate = ReferenceSchema.object(
        [
            .required("subject", subject), .required("model", model),
            .required("dimension", .words(RateLimit.Dimension.allCases.map(\.name))),
            .required("limit", .count.saying("What is left of it is in the headers.")),
        ], isClosed: true)

    // MARK: Examples

    private static let key = KeyID(rawValue: 1 << 40)
    private static let day = CalendarDay(year: 2026, month: 11, day: 21)

    /// A report of one day.
    static let usageExample: [UInt8] = {
        var sums = UsageSums()
        sums.requests = 3
        sums.promptTokens = 54
        sums.completionTokens = 39
        sums.chargedTokens = 93
        sums.costNanoUSD = 525_000
        return UsageEndpoint.answer(
            OwnUsageQuestion(
                since: day.start, until: day.next.start, grouping: .day),
            [OwnUsageRow(group: .day(day), sums: sums)], to: key)
    }()

    /// A key's own quota, and two of its team, of which one is of one model.
    static let quotaExample = QuotaEndpoint.answer(
        OwnQuotas(
            asOf: day.start + .seconds(8 * 3600),
            lines: [
                OwnQuotas.Line(
                    quota: Quota(
                        subject: Subject(kind: .team, id: 1), resource: .tokens, period: .month,
                        limit: 50_000_000), used: 12_000_000, reserved: 0,
                    resetsAt: day.firstOfNextMonth.start),
                OwnQuotas.Line(
                    quota: Quota(
                        subject: Subject(kind: .team, id: -1), resource: .tokens, period: .day,
                        limit: 2_000_000, model: "gpt-4o"), used: 150_000, reserved: 4096,
                    resetsAt: day.next.start),
                OwnQuotas.Line(
                    quota: Quota(
                        subject: Subject(kind: .key, id: 1), resource: .tokens, period: .day,
                        limit: 1_000_000), used: 93, reserved: 512, resetsAt: day.next.start),
            ]),
        [
            RateLimit(
                subject: Subject(kind: .key, id: 1), dimension: .requestsPerMinute, limit: 600)
        ], to: key)
}
