import JSON

/// Reads single values of a request, each with the contract's error for a wrong type or range.
enum ParameterReading {
    /// The largest count a client may name: the range of a 32-bit signed integer.
    static let largestCount: Int64 = 2_147_483_647

    /// A number within a closed range.
    static func decimal(
        _ value: JSONValue, _ name: String, in range: ClosedRange<Double>
    ) throws(RequestFault) -> Double {
        guard let number = value.double else { throw .type(name, expected: "a number") }
        if number > range.upperBound {
            throw RequestFault(
                "Invalid '\(name)': must be at most \(plain(range.upperBound)).", parameter: name,
                code: .decimalAboveMaxValue)
        }
        if number < range.lowerBound {
            throw RequestFault(
                "Invalid '\(name)': must be at least \(plain(range.lowerBound)).", parameter: name,
                code: .decimalBelowMinValue)
        }
        return number
    }

    /// A whole number within a closed range; `3.0` is whole.
    static func integer(
        _ value: JSONValue, _ name: String, in range: ClosedRange<Int64>
    ) throws(RequestFault) -> Int64 {
        // Beyond 64 bits signed, yet a whole number: too large rather than of a wrong type.
        guard let number = value.exactInteger ?? (value.kind == .unsigned ? Int64.max : nil) else {
            // Doubles beyond 2^53 are whole too.
            if let double = value.double, double.magnitude >= 0x1p53 {
                throw double > 0 ? above(name, range.upperBound) : below(name, range.lowerBound)
            }
            throw .type(name, expected: "an integer")
        }
        if number > range.upperBound || value.kind == .unsigned {
            throw above(name, range.upperBound)
        }
        if number < range.lowerBound { throw below(name, range.lowerBound) }
        return number
    }

    /// A truth value.
    static func bool(_ value: JSONValue, _ name: String) throws(RequestFault) -> Bool {
        guard let bool = value.bool else { throw .type(name, expected: "a boolean") }
        return bool
    }

    /// A string.
    static func string(_ value: JSONValue, _ name: String) throws(RequestFault) -> String {
        guard let string = value.string else { throw .type(name, expected: "a string") }
        return string
    }

    /// One of a set of words.
    static func word<Word: RawRepresentable<String> & CaseIterable>(
        _ value: JSONValue, _ name: String
    ) throws(RequestFault) -> Word {
        guard let word = Word(rawValue: try string(value, name)) else {
            let known = Word.allCases.map { "'\($0.rawValue)'" }
            throw .value(name, expected: "one of \(known.joined(separator: ", "))")
        }
        return word
    }

    /// A name of a function or a schema: `[A-Za-z0-9_-]{1,64}`.
    static func name(_ value: JSONValue?, _ path: String) throws(RequestFault) -> String {
        guard let value, !value.isNull else { throw .missing(path) }
        let name = try string(value, path)
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, ParameterLimits.nameLength.contains(name.utf8.count) else {
            throw .value(path, expected: "1 to 64 letters, digits, underscores and hyphens")
        }
        return name
    }

    /// One stop sequence or a list of them, none empty.
    static func stops(
        _ value: JSONValue, _ name: String, atMost most: Int
    ) throws(RequestFault) -> [String] {
        if let text = value.string {
            guard !text.isEmpty else { throw .value(name, expected: "a string that is not empty") }
            return [text]
        }
        guard value.kind == .array else {
            throw .type(name, expected: "a string or an array of strings")
        }
        guard value.count > 0 else {
            throw RequestFault(
                "Invalid '\(name)': expected at least one item.", parameter: name, code: .emptyArray
            )
        }
        guard value.count <= most else {
            throw RequestFault(
                "Invalid '\(name)': expected at most \(most) items.", parameter: name,
                code: .arrayAboveMaxLength)
        }
        var stops: [String] = []
        for (position, element) in value.elements.enumerated() {
            let text = try string(element, "\(name)[\(position)]")
            guard !text.isEmpty else {
                throw .value("\(name)[\(position)]", expected: "a string that is not empty")
            }
            stops.append(text)
        }
        return stops
    }

    private static func above(_ name: String, _ most: Int64) -> RequestFault {
        RequestFault(
            "Invalid '\(name)': must be at most \(most).", parameter: name,
            code: .integerAboveMaxValue)
    }

    private static func below(_ name: String, _ least: Int64) -> RequestFault {
        RequestFault(
            "Invalid '\(name)': must be at least \(least).", parameter: name,
            code: .integerBelowMinValue)
    }

    /// A bound as people write it: every bound of the range sheet is whole.
    private static func plain(_ bound: Double) -> String {
        Int64(exactly: bound).map(String.init) ?? bound.description
    }
}
