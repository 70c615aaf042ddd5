import Foundation

/// What the header of a model's file says about the size of its context: GGUF 2 and 3, from
/// `ggml/docs/gguf.md`.
struct GGUFHeader {
    /// Keys and values of one token in every layer, at two bytes each, as llama-server keeps them
    /// unless told otherwise; nil where the file does not tell.
    let bytesPerToken: Int64?

    /// What is read of the file: what it is asked for stands before the vocabulary.
    private static let readBytes = 1 << 20

    /// Reads a file's beginning; nil where it cannot be read or is no GGUF file.
    init?(file: String) {
        guard let handle = FileHandle(forReadingAtPath: file),
            let data = try? handle.read(upToCount: Self.readBytes)
        else { return nil }
        self.init(Array(data))
    }

    /// Reads the beginning of a file.
    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard reader.take(4) == Array("GGUF".utf8)[...], let version = reader.whole(4),
            (2...3).contains(version), reader.whole(8) != nil, let pairs = reader.whole(8),
            pairs >= 0
        else { return nil }
        var numbers: [String: Int64] = [:]
        var architecture: String?
        for _ in 0..<min(pairs, 4096) {
            guard let name = reader.text(), let type = reader.whole(4),
                let value = reader.value(of: type)
            else { break }
            switch value {
            case .text(let text) where name == "general.architecture": architecture = text
            case .number(let number): numbers[name] = number
            case .text, .other: break
            }
        }
        guard let architecture else { return nil }
        func number(_ name: String) -> Int64? {
            // No model is near it, and nothing overflows below.
            numbers["\(architecture).\(name)"].flatMap { (1...1 << 20).contains($0) ? $0 : nil }
        }
        guard let layers = number("block_count"), let heads = number("attention.head_count") else {
            bytesPerToken = nil
            return
        }
        let width = number("embedding_length").map { $0 / heads }
        guard let key = number("attention.key_length") ?? width,
            let value = number("attention.value_length") ?? width
        else {
            bytesPerToken = nil
            return
        }
        let (all, isTooMuch) = layers.multipliedReportingOverflow(
            by: (number("attention.head_count_kv") ?? heads) * (key + value))
        bytesPerToken = isTooMuch || all > 1 << 40 ? nil : all * 2
    }

    private enum Value {
        case text(String), number(Int64), other
    }

    /// Takes little-endian values one after the other; nil at the end of what was read.
    private struct Reader {
        let bytes: [UInt8]
        var place = 0

        mutating func take(_ count: Int64) -> ArraySlice<UInt8>? {
            guard count >= 0, count <= Int64(bytes.count - place) else { return nil }
            defer { place += Int(count) }
            return bytes[place..<place + Int(count)]
        }

        mutating func whole(_ count: Int64) -> Int64? {
            take(count).map { piece in
                Int64(bitPattern: piece.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            }
        }

        mutating func text() -> String? {
            whole(8).flatMap { take($0) }.map { String(decoding: $0, as: UTF8.self) }
        }

        mutating func value(of type: Int64) -> Value? {
            switch type {
            case 0, 1, 7: whole(1).map { .number($0) }
            case 2, 3: whole(2).map { .number($0) }
            case 4, 5: whole(4).map { .number($0) }
            case 6: take(4).map { _ in .other }
            case 8: text().map { .text($0) }
            case 9: array().map { .other }
            case 10, 11: whole(8).map { .number($0) }
            case 12: take(8).map { _ in .other }
            default: nil
            }
        }

        private mutating func array() -> Void? {
            guard let type = whole(4), let count = whole(8) else { return nil }
            // No arrays of arrays are in use: nothing recurses.
            guard type != 9 else { return nil }
            for _ in 0..<max(0, count) {
                guard value(of: type) != nil else { return nil }
            }
            return ()
        }
    }
}
