import Domain
import Testing

@Suite struct `Instants as text` {
    @Test(arguments: [
        ("1970-01-01", 0), ("2026-11-21", 1_795_219_200), ("2026-11-21T00:00Z", 1_795_219_200),
        ("2026-11-21T23:59:59Z", 1_795_305_599), ("2024-02-29", 1_709_164_800),
        ("9999-12-31", 253_402_214_400),
    ])
    func `a day or a time in UTC is read to the second`(_ text: String, _ seconds: Int64) {
        #expect(Timestamp(utc: text)?.seconds == seconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-11-2", "2026-13-01", "2026-00-01", "2026-02-29", "2026-11-31",
        "2026-11-21T", "2026-11-21Z", "2026-11-21T24:00Z", "2026-11-21T08:60Z",
        "2026-11-21T08:00", "2026-11-21T08:00:00+01:00", "2026-11-21T08:00:00.5Z", "1969-12-31",
        "２０２６-11-21", " 2026-11-21", "2026-11-21 08:00Z", "-026-11-21", "2026-11-211",
    ])
    func `anything else is not`(_ text: String) { #expect(Timestamp(utc: text) == nil) }

    @Test func `hours begin on the hour, before 1970 too`() {
        let hour = Timestamp(microseconds: -3_600_000_000)
        #expect(Timestamp(microseconds: -1).startOfHour == hour)
        #expect(Timestamp(microseconds: -1).endOfHour == Timestamp(microseconds: 0))
        #expect(hour.startOfHour == hour && hour.endOfHour == hour)
    }
}
