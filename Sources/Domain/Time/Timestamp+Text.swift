extension Timestamp {
    /// Reads an instant in UTC: `2026-11-21`, `2026-11-21T08:00Z` or `2026-11-21T08:00:00Z`; nil for
    /// anything else, days that do not exist included.
    public init?(utc text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let date = Self.numbers(bytes.prefix(10), [4, 2, 2], between: "-"),
            (1970...9999).contains(date[0]), (1...12).contains(date[1])
        else { return nil }
        let day = CalendarDay(year: date[0], month: date[1], day: date[2])
        // A day past its month's end has become one of the next month.
        guard day.civil == (date[0], date[1], date[2]) else { return nil }
        if bytes.count == 10 {
            self = day.start
            return
        }
        let clock = bytes.dropFirst(11).dropLast()
        guard bytes[10] == UInt8(ascii: "T"), bytes.last == UInt8(ascii: "Z"),
            let parts = Self.numbers(clock, [2, 2, 2], between: ":")
                ?? Self.numbers(clock, [2, 2], between: ":"),
            parts[0] < 24, parts.dropFirst().allSatisfy({ $0 < 60 })
        else { return nil }
        self = day.start + .seconds(zip(parts, [3600, 60, 1]).reduce(0) { $0 + $1.0 * $1.1 })
    }

    /// The beginning of the UTC hour that holds the instant.
    public var startOfHour: Timestamp {
        Timestamp(microseconds: Int64.floorDivide(microseconds, Self.hour) * Self.hour)
    }

    /// The first full UTC hour that is not before the instant.
    public var endOfHour: Timestamp {
        let start = startOfHour
        return start == self ? self : Timestamp(microseconds: start.microseconds + Self.hour)
    }

    private static let hour: Int64 = 3_600_000_000

    /// Reads numbers of fixed widths between separators.
    private static func numbers(
        _ bytes: some Collection<UInt8>, _ widths: [Int], between separator: Unicode.Scalar
    ) -> [Int]? {
        let parts = bytes.split(
            separator: UInt8(ascii: separator), omittingEmptySubsequences: false)
        guard parts.count == widths.count else { return nil }
        var numbers: [Int] = []
        for (part, width) in zip(parts, widths) {
            guard part.count == width, part.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            numbers.append(part.reduce(0) { $0 * 10 + Int($1 - 48) })
        }
        return numbers
    }
}
