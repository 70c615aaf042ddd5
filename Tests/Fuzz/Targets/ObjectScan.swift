/// Where the objects of a JSON text and their members stand. Takes any bytes: what is no JSON has
/// objects that make little sense, and no harm is done.
struct ObjectScan {
    /// A member: its name with the quotes, and all of it.
    struct Member {
        var name: Range<Int>
        var whole: Range<Int>
    }

    /// An object: where what follows its brace begins, and its members.
    struct Object {
        var start: Int
        var members: [Member] = []
    }

    /// In the order of their ends.
    private(set) var objects: [Object] = []

    /// Finds the objects in `text`.
    init(_ text: [UInt8]) {
        /// What is open: an object, or nil for an array.
        var open: [Object?] = []
        var name: Range<Int>?
        var names: [Range<Int>?] = []
        var string: Range<Int>?
        var position = 0
        func endMember(at end: Int) {
            guard let whole = name, !open.isEmpty else { return }
            name = nil
            open[open.count - 1]?.members.append(
                Member(name: whole, whole: whole.lowerBound..<end))
        }
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""):
                let end = Self.stringEnd(in: text, from: position)
                string = position..<end
                position = end - 1
            case UInt8(ascii: ":"): name = name ?? string
            case UInt8(ascii: ","): endMember(at: position)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                names.append(name)
                name = nil
                open.append(
                    text[position] == UInt8(ascii: "{") ? Object(start: position + 1) : nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                endMember(at: position)
                if let ended = open.popLast() ?? nil { objects.append(ended) }
                name = names.popLast() ?? nil
            default: break
            }
            position += 1
        }
    }

    private static func stringEnd(in text: [UInt8], from start: Int) -> Int {
        var position = start + 1
        while position < text.count, text[position] != UInt8(ascii: "\"") {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(position + 1, text.count)
    }
}
