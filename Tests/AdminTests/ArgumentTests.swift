import Domain
import Testing

@testable import Admin

@Suite struct `Amounts and times as people type them` {
    @Test(arguments: [
        ("0", 0), ("1", 1), ("1000000", 1_000_000), ("1_000_000", 1_000_000), ("1000k", 1_000_000),
        ("1000K", 1_000_000), ("2M", 2_000_000), ("3G", 3_000_000_000), ("007", 7),
        ("9223372036854775807", Int64.max), ("9223372036854775k", 9_223_372_036_854_775_000),
    ])
    func `an amount is read exactly`(text: String, value: Int64) {
        #expect(AmountText.parse(text) == value)
    }

    @Test(arguments: [
        "", " ", "k", "_", "1_", "_1", "1__0", "-1", "+1", "1.5M", "1e6", "1,000", "1m", "1B",
        "1kk", "١",
        "9223372036854775808", "9223372036854776k", "10000000000G", "1 000",
    ])
    func `what is no amount is refused and never guessed`(text: String) {
        #expect(AmountText.parse(text) == nil)
    }

    @Test func `an allowance names its resource, period and limit`() throws {
        #expect(try AllowanceText.tokens("1000000/day") == .quota(.tokens, .day, 1_000_000))
        #expect(try AllowanceText.tokens("0/total") == .quota(.tokens, .total, 0))
        #expect(try AllowanceText.requests("1k/month") == .quota(.requests, .month, 1000))
        #expect(try AllowanceText.requests("600/minute") == .rate(.requestsPerMinute, 600))
        #expect(try AllowanceText.tokensRate("200000/minute") == .rate(.tokensPerMinute, 200_000))
        #expect(try AllowanceText.cost("50usd/month") == .quota(.cost, .month, 50_000_000_000))
        #expect(try AllowanceText.cost("0.000000001USD/day") == .quota(.cost, .day, 1))
        #expect(try AllowanceText.concurrent("8") == .rate(.concurrentRequests, 8))
    }

    @Test(arguments: [
        ("2M", "it needs a period, such as 1000000/day"),
        ("5/minute", "tokens per minute are a rate: use --tokens-rate 5/minute"),
        ("5/week", "\"week\" is no period; give day, month or total, such as 1000000/day"),
        ("5/day/day", "give an amount and one period, such as 1000000/day"),
        ("/day", "\"\" is not a whole number such as"), ("-5/day", "\"-5\" is not a whole number"),
        ("9223372036854775808/day", "at most 9,223,372,036,854,775,807"),
    ])
    func `a wrong token quota is told with what is right`(text: String, message: String) {
        let error = #expect(throws: AllowanceText.Fault.self) { try AllowanceText.tokens(text) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `a rate of nothing is refused, since it could never be waited for`() {
        #expect(throws: AllowanceText.Fault.self) { try AllowanceText.requests("0/minute") }
        #expect(throws: AllowanceText.Fault.self) { try AllowanceText.tokensRate("0/minute") }
        #expect(throws: AllowanceText.Fault.self) { try AllowanceText.concurrent("0") }
        #expect(throws: AllowanceText.Fault.self) { try AllowanceText.tokensRate("5/day") }
    }

    @Test(arguments: [
        "50/month", "usd/month", "-1usd/day", "1.0000000001usd/day", "50eur/month", "50usd",
        "99999999999usd/day", "1e3usd/day",
    ])
    func `an amount of money is dollars, exact and not negative`(text: String) {
        #expect(throws: AllowanceText.Fault.self) { try AllowanceText.cost(text) }
    }

    @Test func `spans and dates mean instants in UTC`() throws {
        let now = FakeAdminLedger.now
        #expect(try TimeText.iso(TimeArgument.parse("90d").after(now)) == "2027-02-19T08:09:00Z")
        #expect(try TimeText.iso(TimeArgument.parse("24h").before(now)) == "2026-11-20T08:00:00Z")
        #expect(try TimeText.iso(TimeArgument.parse("30m").before(now)) == "2026-11-21T07:00:00Z")
        #expect(try TimeText.iso(TimeArgument.parse("7d").before(now)) == "2026-11-14T00:00:00Z")
        #expect(try TimeText.iso(TimeArgument.parse("2w").before(now)) == "2026-11-07T00:00:00Z")
        #expect(
            try TimeText.iso(TimeArgument.parse("2026-11-01").before(now)) == "2026-11-01T00:00:00Z"
        )
        #expect(
            try TimeText.iso(TimeArgument.parse("2024-02-29T23:59Z").before(now))
                == "2024-02-29T23:00:00Z")
        #expect(
            try TimeText.iso(TimeArgument.parse("2024-02-29T23:59:58Z").after(now))
                == "2024-02-29T23:59:58Z")
    }

    @Test(arguments: [
        "", "d", "0d", "-1d", "7", "7y", "1.5h", "7 d", "2026-13-01", "2026-02-29", "2026-00-10",
        "2026-11-31", "2026-1-1", "2026-11-01T24:00Z", "2026-11-01T08:60Z", "2026-11-01T08:00",
        "2026-11-01T08:00+01:00", "1969-12-31", "36526d", "9223372036854775808h", "876601h",
        "tomorrow",
    ])
    func `what is no time is refused`(text: String) {
        #expect(throws: TimeArgument.Fault.self) { try TimeArgument.parse(text) }
    }

    @Test func `the end of an hour is the hour itself when it is full`() {
        let full = CalendarDay(rawValue: 20_000).start
        #expect(full.endOfHour == full)
        #expect((full + .microseconds(1)).endOfHour == full + .seconds(3600))
        #expect((full + .microseconds(-1)).startOfHour == full + .seconds(-3600))
    }
}
