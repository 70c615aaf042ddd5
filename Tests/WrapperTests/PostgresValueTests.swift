import Testing

@testable import Postgres

@Suite struct PostgresValues {
    /// Sends `value` as a parameter and reads it back with `read`.
    private func echo<Value>(
        _ value: PostgresValue, _ cast: String, _ read: (PostgresRow) throws -> Value
    ) throws -> Value {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        return try read(connection.execute(sql("SELECT $1::\(cast)", value)).rows[0])
    }

    /// What the server itself makes of a parameter, as text.
    private func text(_ value: PostgresValue, _ cast: String) throws -> String {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        return try connection.execute(sql("SELECT ($1::\(cast))::text", value)).rows[0].text(0)
    }

    @Test func `whole numbers keep their value to the extremes`() throws {
        for value in [Int16.min, -1, 0, 1, .max] {
            #expect(try echo(.int2(value), "int2") { try $0.int2(0) } == value)
        }
        for value in [Int32.min, -1, 0, 1, .max] {
            #expect(try echo(.int4(value), "int4") { try $0.int4(0) } == value)
        }
        for value in [Int64.min, -1, 0, 1, .max] {
            #expect(try echo(.int8(value), "int8") { try $0.int8(0) } == value)
            #expect(try text(.int8(value), "int8") == String(value))
        }
    }

    @Test(arguments: [
        -Double.greatestFiniteMagnitude, -0.0, 0.1, .leastNonzeroMagnitude, .infinity,
    ])
    func `fractions keep every bit`(_ value: Double) throws {
        let back = try echo(.float8(value), "float8") { try $0.float8(0) }
        #expect(back.bitPattern == value.bitPattern)
    }

    @Test(arguments: [
        "", "plain", "it's \"quoted\" \\ {braces} , NULL", "\u{1F680} zażółć \u{10FFFF}",
        "\n\t\u{7F}",
    ])
    func `text arrives unchanged whatever it holds`(_ value: String) throws {
        #expect(try echo(.text(value), "text") { try $0.text(0) } == value)
        #expect(try echo(.text(value), "varchar") { try $0.text(0) } == value)
        let values = [value, value + "x", ""]
        #expect(try echo(.texts(values), "text[]") { try $0.texts(0) } == values)
    }

    @Test func `bytes, truth and identifiers arrive unchanged`() throws {
        let all = (0...255).map(UInt8.init)
        for value in [[], [0], all] {
            #expect(try echo(.bytes(value), "bytea") { try $0.bytes(0) } == value)
        }
        for value in [true, false] {
            #expect(try echo(.bool(value), "bool") { try $0.bool(0) } == value)
        }
        for value in [UInt128.min, 1, .max, 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF] {
            #expect(try echo(.uuid(value), "uuid") { try $0.uuid(0) } == value)
        }
        let known = PostgresValue.uuid(0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF)
        #expect(try text(known, "uuid") == "00112233-4455-6677-8899-aabbccddeeff")
    }

    /// Microseconds since 1970 and what the server, set to UTC, calls them.
    static let instants: [(Int64, String)] = [
        (0, "1970-01-01 00:00:00+00"), (-1, "1969-12-31 23:59:59.999999+00"),
        (946_684_800_000_000, "2000-01-01 00:00:00+00"),
        (1_700_000_000_123_456, "2023-11-14 22:13:20.123456+00"),
        (-210_866_803_200_000_000, "4714-11-24 00:00:00+00 BC"),
        (.max, "infinity"), (.min, "-infinity"),
    ]

    @Test(arguments: instants.indices)
    func `an instant means the same here and there`(_ index: Int) throws {
        let (value, name) = Self.instants[index]
        #expect(try echo(.timestamp(value), "timestamptz") { try $0.timestamp(0) } == value)
        let connection = try ScratchPostgres.connect { $0.settings = [("timezone", "UTC")] }
        defer { connection.close() }
        let cast = sql("SELECT ($1::timestamptz)::text", .timestamp(value))
        #expect(try connection.execute(cast).rows[0].text(0) == name)
    }

    /// Days since 1970 and what the server calls them.
    static let days: [(Int32, String)] = [
        (0, "1970-01-01"), (-1, "1969-12-31"), (10_957, "2000-01-01"), (19_675, "2023-11-14"),
        (.max, "infinity"), (.min, "-infinity"),
    ]

    @Test(arguments: days.indices)
    func `a day means the same here and there`(_ index: Int) throws {
        let (value, name) = Self.days[index]
        #expect(try echo(.date(value), "date") { try $0.date(0) } == value)
        #expect(try text(.date(value), "date") == name)
    }

    @Test(arguments: [Int64.min + 1, -210_866_803_200_000_001])
    func `an instant Postgres cannot hold is refused and never becomes another`(
        _ value: Int64
    ) throws {
        let error = postgresError {
            try echo(.timestamp(value), "timestamptz") { try $0.timestamp(0) }
        }
        #expect(error?.sqlState == "22008")
    }

    @Test func `an instant we cannot hold is a decoding error`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let last = try connection.execute(
            sql("SELECT '294276-12-31 23:59:59+00'::timestamptz")
        ).rows[0]
        #expect(postgresError { try last.timestamp(0) }?.isDecoding == true)
    }

    @Test func `arrays of every type arrive unchanged, empty and full`() throws {
        let many = 5000
        let longs = (0..<many).map { Int64.max / Int64($0 + 1) * ($0 % 2 == 0 ? 1 : -1) }
        for values in [[], [Int64.min, .max], longs] {
            #expect(try echo(.int8s(values), "int8[]") { try $0.int8s(0) } == values)
        }
        let ints = (0..<many).map { Int32($0) - 2500 }
        #expect(try echo(.int4s(ints), "int4[]") { try $0.int4s(0) } == ints)
        let shorts = (0..<many).map { Int16($0) - 2500 }
        #expect(try echo(.int2s(shorts), "int2[]") { try $0.int2s(0) } == shorts)
        let bools = (0..<many).map { $0 % 3 == 0 }
        #expect(try echo(.bools(bools), "bool[]") { try $0.bools(0) } == bools)
        let uuids = (0..<many).map { UInt128.max / UInt128($0 + 1) }
        #expect(try echo(.uuids(uuids), "uuid[]") { try $0.uuids(0) } == uuids)
        let instants = (0..<many).map { Int64($0) * 1_000_000_007 }
        #expect(
            try echo(.timestamps(instants), "timestamptz[]") { try $0.timestamps(0) } == instants)
        #expect(try echo(.dates(ints), "date[]") { try $0.dates(0) } == ints)
        let texts = (0..<many).map { String(repeating: "\"{,}\\'é", count: $0 % 5) }
        #expect(try echo(.texts(texts), "text[]") { try $0.texts(0) } == texts)
        let blobs = (0..<many).map { [UInt8](repeating: UInt8($0 % 256), count: $0 % 7) }
        #expect(try echo(.bytesArray(blobs), "bytea[]") { try $0.bytesArray(0) } == blobs)
        #expect(try echo(.texts([]), "text[]") { try $0.texts(0) } == [])
        #expect(try echo(.uuids([]), "uuid[]") { try $0.uuids(0) } == [])
    }

    @Test func `arrays keep their nulls`() throws {
        let longs: [Int64?] = [nil, 1, nil, .min]
        #expect(
            try echo(.optionalInt8s(longs), "int8[]") { try $0.optionalInt8s(0) } == longs)
        let ints: [Int32?] = [nil, nil]
        #expect(try echo(.optionalInt4s(ints), "int4[]") { try $0.optionalInt4s(0) } == ints)
        let texts: [String?] = ["NULL", nil, ""]
        #expect(
            try echo(.optionalTexts(texts), "text[]") { try $0.optionalTexts(0) } == texts)
        let uuids: [UInt128?] = [.max, nil]
        #expect(
            try echo(.optionalUUIDs(uuids), "uuid[]") { try $0.optionalUUIDs(0) } == uuids)
        let instants: [Int64?] = [nil, 5]
        #expect(
            try echo(.optionalTimestamps(instants), "timestamptz[]") {
                try $0.optionalTimestamps(0)
            } == instants)
        #expect(try text(.optionalInt8s([]), "int8[]") == "{}")
        #expect(try text(.optionalInt8s([1, nil]), "int8[]") == "{1,NULL}")
        #expect(
            postgresError { try echo(.optionalInt8s(longs), "int8[]") { try $0.int8s(0) } }?
                .isDecoding == true)
    }

    @Test func `a null is nil where it may be and an error where it may not`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let row = try connection.execute(
            sql("SELECT $1::int8, $2::text, $3::int8[], 1", .null, .null, .null)
        ).rows[0]
        #expect(try row.optionalInt8(0) == nil)
        #expect(try row.optionalText(1) == nil)
        #expect(try row.isNull(2))
        #expect(try row.isNull(3) == false)
        #expect(try row[0] == nil)
        #expect(try row[3] == [0, 0, 0, 1])
        #expect(postgresError { try row.int8(0) }?.isDecoding == true)
        #expect(postgresError { try row.int8s(2) }?.isDecoding == true)
    }
}

extension PostgresError {
    var isDecoding: Bool { if case .decoding = kind { true } else { false } }
    var isTimeout: Bool { if case .timeout = kind { true } else { false } }
    var isConnection: Bool { if case .connection = kind { true } else { false } }
    var isInvalid: Bool { if case .invalid = kind { true } else { false } }
    var isOverloaded: Bool { if case .overloaded = kind { true } else { false } }
    var isCancelled: Bool { if case .cancelled = kind { true } else { false } }
}
