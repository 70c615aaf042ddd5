import JSON

/// A JSON value as a tree of Swift values: what the tests compare.
indirect enum JSONModel: Equatable {
    case object([Member])
    case array([JSONModel])
    case string(String)
    case integer(Int64)
    case unsigned(UInt64)
    case double(UInt64)
    case bool(Bool)
    case null

    struct Member: Equatable {
        let key: String
        let value: JSONModel
    }

    /// Reads a parsed value. Strings are compared as Unicode scalars, doubles bit by bit.
    init(_ value: JSONValue) {
        switch value.kind {
        case .object:
            self = .object(value.members.map { Member(key: $0.key, value: JSONModel($0.value)) })
        case .array: self = .array(value.elements.map(JSONModel.init))
        case .string: self = .string(value.string ?? "")
        case .integer: self = .integer(value.integer ?? 0)
        case .unsigned: self = .unsigned(value.unsigned ?? 0)
        case .double: self = .double(value.double?.bitPattern ?? 0)
        case .bool: self = .bool(value.bool ?? false)
        case .null: self = .null
        }
    }

    static func random(depth: Int, using random: inout JSONSplitMix64) -> JSONModel {
        switch UInt8.random(in: 0..<(depth > 0 ? 10 : 7), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2:
            return .integer(
                Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
        case 3: return .unsigned(random.next() | 1 << 63)
        case 4:
            let value = Double(bitPattern: random.next())
            return .double((value.isFinite ? value : 0.5).bitPattern)
        case 5, 6: return .string(randomText(using: &random))
        case 7:
            return .array(
                (0..<Int.random(in: 0..<8, using: &random)).map { _ in
                    .random(depth: depth - 1, using: &random)
                })
        default:
            // The position makes names distinct; one object in some has more members than are
            // compared in pairs.
            let count = Int.random(in: 0..<(depth == 1 ? 40 : 8), using: &random)
            return .object(
                (0..<count).map { position in
                    Member(
                        key: "\(randomText(using: &random))\(position)",
                        value: .random(depth: depth - 1, using: &random))
                })
        }
    }

    private static func randomText(using random: inout JSONSplitMix64) -> String {
        let special: [Unicode.Scalar] = [
            "\"", "\\", "\u{2028}", "\u{2029}", "\u{2027}", "é", "😀", "\u{10FFFF}", "\u{0}",
            "\u{7F}",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<24, using: &random) {
            switch UInt8.random(in: 0..<4, using: &random) {
            case 0: text.append(special.randomElement(using: &random) ?? "x")
            case 1:
                text.append(Unicode.Scalar(UInt32.random(in: 0..<0x11_0000, using: &random)) ?? "x")
            default: text.append(Unicode.Scalar(UInt8.random(in: 0..<0x80, using: &random)))
            }
        }
        return String(text)
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .object(let members):
            writer.beginObject()
            for member in members {
                writer.key(member.key)
                member.value.write(to: &writer)
            }
            writer.endObject()
        case .array(let elements):
            writer.beginArray()
            for element in elements { element.write(to: &writer) }
            writer.endArray()
        case .string(let text): writer.string(text)
        case .integer(let value): writer.integer(value)
        case .unsigned(let value): writer.unsigned(value)
        case .double(let bits): writer.double(Double(bitPattern: bits))
        case .bool(let value): writer.bool(value)
        case .null: writer.null()
        }
    }
}
