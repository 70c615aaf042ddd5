import Ledger

/// One object of an answer for programs: its fields in order, under names that stay the same
/// between versions.
struct Record {
    /// A value of a field.
    enum Value: Equatable {
        case text(String)
        case integer(Int128)
        case flag(Bool)
        /// Names, in order.
        case names([String])
        /// Facts by name, in order: an object in JSON, and its text in CSV.
        case facts(ActionState)
        /// There is none: `null` in JSON, empty in CSV.
        case missing

        /// A text, or `missing` for nil.
        static func optional(_ text: String?) -> Value { text.map(Value.text) ?? .missing }
        /// A whole number, or `missing` for nil.
        static func optional(_ number: Int64?) -> Value {
            number.map { .integer(Int128($0)) } ?? .missing
        }
        /// A whole number.
        static func integer(_ number: Int64) -> Value { .integer(Int128(number)) }
    }

    /// The fields in the order in which they are written.
    var fields: [(name: String, value: Value)]

    /// Makes a record of its fields.
    init(_ fields: [(name: String, value: Value)]) { self.fields = fields }

    /// Makes a record of as many values as names.
    init(_ names: [String], _ values: [Value]) {
        precondition(names.count == values.count, "every field has a name and a value")
        fields = zip(names, values).map { (name: $0, value: $1) }
    }
}
