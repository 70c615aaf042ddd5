import Testing

@testable import Postgres

@Suite struct PostgresDecoding {
    @Test func `a wider accessor takes narrower whole numbers and no others`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let row = try connection.execute(
            sql("SELECT 1::int2, 2::int4, 3::int8, 4::numeric, 5::float8, '6'::text, sum(7::int8)")
        ).rows[0]
        #expect(try (0..<3).map { try row.int8($0) } == [1, 2, 3])
        #expect(try (0..<2).map { try row.int4($0) } == [1, 2])
        #expect(try row.int2(0) == 1)
        for column in 3..<7 {
            #expect(postgresError { try row.int8(column) }?.isDecoding == true)
        }
        #expect(postgresError { try row.int4(2) }?.isDecoding == true)
        #expect(postgresError { try row.int2(1) }?.isDecoding == true)
    }

    @Test func `a wrong type is named with its column and no value is quoted`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let row = try connection.execute(sql("SELECT 1, 'secret-value'::text AS token")).rows[0]
        let error = try #require(postgresError { try row.uuid(1) })
        #expect(error.debugDescription.contains("column 1 (token)"))
        #expect(!error.debugDescription.contains("secret-value"))
        #expect(!error.description.contains("token"))
    }

    @Test(arguments: [-1, 1, Int.max, Int.min])
    func `a column that does not exist is an error`(_ column: Int) throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let row = try connection.execute(sql("SELECT 1")).rows[0]
        #expect(row.count == 1)
        #expect(postgresError { try row.int4(column) }?.isDecoding == true)
    }

    @Test func `arrays of another element type or more dimensions are errors`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let row = try connection.execute(
            sql("SELECT '{1}'::int4[], '{{1,2},{3,4}}'::int8[], 1::int8, '[5:6]={7,8}'::int8[]")
        ).rows[0]
        for column in 0..<3 {
            #expect(postgresError { try row.int8s(column) }?.isDecoding == true)
        }
        #expect(try row.int8s(3) == [7, 8])
    }

    /// Arrays no honest server sends: each lies about something.
    static let lies: [[UInt8]] = [
        [], [0, 0, 0, 1], header(dimensions: 2, count: 1), header(dimensions: -1, count: 0),
        header(dimensions: 1, count: .max), header(dimensions: 1, count: -1),
        header(dimensions: 1, count: 1), header(dimensions: 1, count: 1) + [0, 0, 0, 8, 1],
        header(dimensions: 1, count: 1) + [0, 0, 0, 4, 0, 0, 0, 1],
        header(dimensions: 1, count: 1) + [255, 255, 255, 254],
        header(dimensions: 1, count: 0) + [0], header(dimensions: 0, count: 0),
        header(dimensions: 1, count: 1) + [127, 255, 255, 255],
    ]

    private static func header(dimensions: Int32, count: Int32) -> [UInt8] {
        [dimensions, 0, 20, count, 1].flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * Int32($0))) }
        }
    }

    @Test(arguments: lies.indices)
    func `a malformed array is refused without reading past its end`(_ index: Int) {
        let result = Self.lies[index].withUnsafeBytes { bytes -> [Int64?]? in
            var reader = BinaryReader(bytes)
            return reader.wholeArray(of: [.int8]) { $0.wholeNumber(Int64.self) }
        }
        #expect(result == nil)
    }

    @Test func `scalars of the wrong length are refused`() {
        for count in [0, 1, 3, 5, 7, 9, 15, 17] {
            [UInt8](repeating: 1, count: count).withUnsafeBytes { bytes in
                var reader = BinaryReader(bytes)
                #expect(reader.wholeNumber(Int64.self) == nil)
                #expect(reader.wholeNumber(Int32.self) == nil)
                #expect(reader.wholeNumber(UInt128.self) == nil)
                #expect(count == 1 || reader.wholeBool() == nil)
            }
        }
        [UInt8]([2]).withUnsafeBytes { bytes in
            var reader = BinaryReader(bytes)
            #expect(reader.wholeBool() == nil)
        }
        [UInt8]([0xFF, 0xFE]).withUnsafeBytes { bytes in
            var reader = BinaryReader(bytes)
            #expect(reader.wholeText() == nil)
        }
    }

    @Test func `a result outlives its connection`() throws {
        let rows: [PostgresRow]
        do {
            let connection = try ScratchPostgres.connect()
            rows = try connection.execute(sql("SELECT n, 'row ' || n FROM generate_series(1, 3) n"))
                .rows
            connection.close()
        }
        #expect(try rows.map { try $0.int4(0) } == [1, 2, 3])
        #expect(try rows.map { try $0.text(1) } == ["row 1", "row 2", "row 3"])
    }

    @Test func `results count what was touched and say what was done`() throws {
        let connection = try ScratchPostgres.connect()
        defer { connection.close() }
        let results = try connection.pipeline([
            sql("CREATE TEMPORARY TABLE t (n int)"),
            sql("INSERT INTO t SELECT * FROM generate_series(1, 5)"),
            sql("UPDATE t SET n = n + 1 WHERE n > 2"), sql("SELECT n FROM t WHERE n > 100"),
            sql("DELETE FROM t"), sql(""),
        ])
        #expect(results.map(\.affectedRows) == [0, 5, 3, 0, 5, 0])
        #expect(results[2].commandTag == "UPDATE 3")
        #expect(results[3].rows.isEmpty)
    }
}
