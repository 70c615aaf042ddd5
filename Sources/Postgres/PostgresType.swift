/// The object identifiers of Postgres' built-in types, which are the same on every server.
struct PostgresType: Hashable, Sendable {
    let oid: UInt32

    static let unspecified = PostgresType(oid: 0)
    static let bool = PostgresType(oid: 16)
    static let bytea = PostgresType(oid: 17)
    static let char = PostgresType(oid: 18)
    static let name = PostgresType(oid: 19)
    static let int8 = PostgresType(oid: 20)
    static let int2 = PostgresType(oid: 21)
    static let int4 = PostgresType(oid: 23)
    static let text = PostgresType(oid: 25)
    static let json = PostgresType(oid: 114)
    static let unknown = PostgresType(oid: 705)
    static let float8 = PostgresType(oid: 701)
    static let bpchar = PostgresType(oid: 1042)
    static let varchar = PostgresType(oid: 1043)
    static let date = PostgresType(oid: 1082)
    static let timestamptz = PostgresType(oid: 1184)
    static let uuid = PostgresType(oid: 2950)

    static let boolArray = PostgresType(oid: 1000)
    static let byteaArray = PostgresType(oid: 1001)
    static let int2Array = PostgresType(oid: 1005)
    static let int4Array = PostgresType(oid: 1007)
    static let textArray = PostgresType(oid: 1009)
    static let varcharArray = PostgresType(oid: 1015)
    static let int8Array = PostgresType(oid: 1016)
    static let float8Array = PostgresType(oid: 1022)
    static let dateArray = PostgresType(oid: 1182)
    static let timestamptzArray = PostgresType(oid: 1185)
    static let uuidArray = PostgresType(oid: 2951)

    /// Types whose binary form is the text itself.
    static let textual: Set<PostgresType> = [
        .text, .varchar, .bpchar, .name, .char, .json, .unknown,
    ]
    /// Array types whose elements' binary form is the text itself.
    static let textualElements: Set<PostgresType> = [.text, .varchar, .bpchar, .name]
}

/// Postgres counts dates and times from 2000-01-01; this program counts from 1970-01-01.
enum PostgresEpoch {
    /// Microseconds between the two.
    static let microseconds: Int64 = 946_684_800_000_000
    /// Days between the two.
    static let days: Int32 = 10_957

    /// Translates microseconds since 1970 for the wire.
    ///
    /// The largest and smallest numbers mean `infinity` and `-infinity` on both sides. A number so
    /// small that Postgres cannot hold it becomes the smallest finite one, which the server refuses
    /// by name (22008): wrapping around could make it a valid time instead.
    static func wire(microseconds: Int64) -> Int64 {
        if microseconds == .max || microseconds == .min { return microseconds }
        let (wire, overflow) = microseconds.subtractingReportingOverflow(Self.microseconds)
        return overflow ? .min + 1 : wire
    }

    /// Translates days since 1970 for the wire, with the same rules as `wire(microseconds:)`.
    static func wire(days: Int32) -> Int32 {
        if days == .max || days == .min { return days }
        let (wire, overflow) = days.subtractingReportingOverflow(Self.days)
        return overflow ? .min + 1 : wire
    }

    /// Translates a time from the wire; nil when it is too late to be counted from 1970 in 64 bits.
    static func microseconds(wire: Int64) -> Int64? {
        if wire == .max || wire == .min { return wire }
        let (result, overflow) = wire.addingReportingOverflow(microseconds)
        return overflow || result == .max ? nil : result
    }

    /// Translates a date from the wire; nil when it is too late to be counted from 1970 in 32 bits.
    static func days(wire: Int32) -> Int32? {
        if wire == .max || wire == .min { return wire }
        let (result, overflow) = wire.addingReportingOverflow(days)
        return overflow || result == .max ? nil : result
    }
}
