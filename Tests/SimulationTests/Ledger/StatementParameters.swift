import Postgres

/// The parameters of a command, counted from 1 as in its text. A parameter of another type than
/// the statement has is a mistake of the fake, so it traps.
struct StatementParameters {
    private let values: [PostgresValue]

    init(_ command: PostgresCommand) { values = command.parameters }

    func int8(_ number: Int) -> Int64 {
        switch values[number - 1] {
        case .int8(let value): value
        case .int2(let value): Int64(value)
        case .int4(let value), .date(let value): Int64(value)
        default: preconditionFailure("$\(number) is not a number")
        }
    }

    func int2(_ number: Int) -> Int16 { Int16(int8(number)) }

    func bool(_ number: Int) -> Bool {
        guard case .bool(let value) = values[number - 1] else {
            preconditionFailure("$\(number) is not a bool")
        }
        return value
    }

    func bools(_ number: Int) -> [Bool] {
        guard case .bools(let values) = values[number - 1] else {
            preconditionFailure("$\(number) is not a bool[]")
        }
        return values
    }

    func uuid(_ number: Int) -> UInt128 {
        guard case .uuid(let value) = values[number - 1] else {
            preconditionFailure("$\(number) is not a uuid")
        }
        return value
    }

    func uuids(_ number: Int) -> [UInt128] {
        guard case .uuids(let values) = values[number - 1] else {
            preconditionFailure("$\(number) is not a uuid[]")
        }
        return values
    }

    func int8s(_ number: Int) -> [Int64] {
        switch values[number - 1] {
        case .int8s(let values), .timestamps(let values): values
        case .optionalInt8s(let values): values.map { $0 ?? 0 }
        default: preconditionFailure("$\(number) is not an int8[]")
        }
    }

    func int4s(_ number: Int) -> [Int32] {
        guard case .int4s(let values) = values[number - 1] else {
            preconditionFailure("$\(number) is not an int4[]")
        }
        return values
    }

    func int2s(_ number: Int) -> [Int16] {
        guard case .int2s(let values) = values[number - 1] else {
            preconditionFailure("$\(number) is not an int2[]")
        }
        return values
    }
}
