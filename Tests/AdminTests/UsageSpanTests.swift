import Domain
import Ledger
import Testing

@testable import Admin

/// Days, months and hours of places, and spans set against the ones before.
@Suite struct `Usage in time zones` {
    private static let now = FakeAdminLedger.now

    private static func instant(_ text: String) -> Timestamp {
        Timestamp(utc: text) ?? Timestamp(microseconds: .min)
    }

    private static func tokens(_ count: Int128) -> UsageSums {
        var sums = UsageSums()
        sums.promptTokens = count
        return sums
    }

    private static func hours(_ from: String, _ count: Int64) -> [UsageRow] {
        (0..<count).map { hour in
            UsageRow(group: .hour(instant(from) + .seconds(hour * 3600)), sums: tokens(1))
        }
    }

    @Test(arguments: [
        ("Europe/Berlin", "2026-11-21", "2026-11-20T23:00:00Z"),
        ("Europe/Berlin", "2026-07-01", "2026-06-30T22:00:00Z"),
        ("America/New_York", "2026-11-21", "2026-11-21T05:00:00Z"),
        ("Asia/Kolkata", "2026-11-21", "2026-11-20T18:30:00Z"),
        ("Asia/Kathmandu", "2026-11-21", "2026-11-20T18:15:00Z"),
        ("Pacific/Kiritimati", "2026-11-21", "2026-11-20T10:00:00Z"),
        ("Pacific/Pago_Pago", "2026-11-21", "2026-11-21T11:00:00Z"),
        // Summer begins at midnight: the day's first second is one o'clock.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
        ("UTC", "2026-11-21", "2026-11-21T00:00:00Z"),
    ])
    func `a day begins where its calendar says`(
        _ name: String, _ day: String, _ start: String
    ) throws {
        let place = try #require(LocalTime(name))
        #expect(TimeText.iso(place.start(of: Self.instant(day).day)) == start)
        #expect(place.day(of: Self.instant(start)) == Self.instant(day).day)
        #expect(place.day(of: Self.instant(start) + .seconds(-1)) < Self.instant(day).day)
    }

    @Test func `days of 23 and 25 hours have their own hours`() throws {
        let berlin = try #require(LocalTime("Europe/Berlin"))
        let spring = UsageLine.fold(Self.hours("2026-03-28T23:00Z", 47), to: .day, in: berlin)
        #expect(spring.map(\.sums.promptTokens) == [23, 24])
        let autumn = UsageLine.fold(Self.hours("2026-10-24T22:00Z", 49), to: .day, in: berlin)
        #expect(autumn.map(\.sums.promptTokens) == [25, 24])
        #expect(
            autumn.map(\.group) == [
                .day(Self.instant("2026-10-25").day), .day(Self.instant("2026-10-26").day),
            ])
        let months = UsageLine.fold(Self.hours("2026-10-31T22:00Z", 2), to: .month, in: berlin)
        #expect(
            months.map(\.group) == [
                .month(Self.instant("2026-10-01").day), .month(Self.instant("2026-11-01").day),
            ])
    }

    @Test
    func `where midnight is within an hour of UTC, that hour counts for the day it begins in`()
        throws
    {
        let india = try #require(LocalTime("Asia/Kolkata"))
        let rows = UsageLine.fold(Self.hours("2026-11-20T17:00Z", 4), to: .day, in: india)
        // 17:00 and 18:00 UTC begin at 22:30 and 23:30, 19:00 at 00:30.
        #expect(rows.map(\.sums.promptTokens) == [2, 2])
        // So a span that begins with that day begins an hour of UTC after its midnight.
        let since = TimeArgument.date(Self.instant("2026-11-21").day)
        #expect(TimeText.iso(since.before(Self.now, in: india)) == "2026-11-20T19:00:00Z")
        #expect(TimeText.iso(since.end(before: Self.now, in: india)) == "2026-11-20T19:00:00Z")
    }

    @Test func `a report in a place asks for hours from its midnight on and shows its days`() throws
    {
        let ledger = FakeAdminLedger()
        ledger.change { $0.usage = Self.hours("2026-11-19T22:00Z", 26) }
        let run = CommandRun.of(
            "usage --since 2d --time-zone Europe/Berlin", with: ledger)
        try Golden.check(run.output, is: "usage-berlin")
        let query = try #require(ledger.change { $0.queries }.first)
        #expect(TimeText.iso(query.since) == "2026-11-18T23:00:00Z")
        #expect(query.grouping == .hour && query.until == nil)
        let india = CommandRun.of("usage --since 2d --time-zone Asia/Kolkata", with: ledger)
        let text = india.output.replacing("\n", with: " ")
        #expect(text.contains("each hour of UTC counts for the day in which it begins"))
    }

    @Test(arguments: [
        // Seven days and what has passed of today: eight days back.
        ("7d", "", "day", "2026-11-06T00:00:00Z", "2026-11-13T09:00:00Z"),
        ("2026-11-01", "2026-11-08", "day", "2026-10-25T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("24h", "", "hour", "2026-11-19T07:00:00Z", "2026-11-20T08:00:00Z"),
        ("2026-09-01", "2026-11-01", "month", "2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z"),
        ("2026-10-01", "", "month", "2026-08-01T00:00:00Z", "2026-09-21T09:00:00Z"),
    ])
    func `the span before is as long, and lies day upon day`(
        _ since: String, _ until: String, _ grouping: String, _ begin: String, _ end: String
    ) throws {
        let span = UsageSpan(
            begin: try TimeArgument.parse(since).before(Self.now, in: .utc),
            end: until.isEmpty
                ? nil : try TimeArgument.parse(until).end(before: Self.now, in: .utc),
            now: Self.now, place: .utc)
        let before = span.before(try #require(UsageQuery.Grouping(rawValue: grouping)))
        #expect(TimeText.iso(before.begin) == begin)
        #expect(before.end.map(TimeText.iso) == end)
    }

    @Test func `the span before a change of clocks is of whole days all the same`() throws {
        let berlin = try #require(LocalTime("Europe/Berlin"))
        let span = UsageSpan(
            begin: Self.instant("2026-10-24T22:00Z"), end: Self.instant("2026-10-26T23:00Z"),
            now: Self.now, place: berlin)
        let before = span.before(.day)
        #expect(TimeText.iso(before.begin) == "2026-10-22T22:00:00Z")
        #expect(before.end.map(TimeText.iso) == "2026-10-24T22:00:00Z")
        let day = Self.instant("2026-10-23").day
        #expect(
            span.counterpart(of: .day(day), shift: span.shift(.day))
                == .day(Self.instant("2026-10-25").day))
    }
}
