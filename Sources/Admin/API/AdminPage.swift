import Foundation

/// A page of a list: those behind a cursor, in the order of some of their fields, so that what is
/// made or deleted meanwhile neither repeats nor hides another row.
struct AdminPage {
    /// The most rows of a page.
    static let most = 200
    /// The rows of a page where the request names no number.
    static let usual = 50

    /// The rows.
    let rows: [Record]
    /// Where the next page begins; nil behind the last one.
    let next: String?

    /// Takes a page of all rows.
    init(of all: [Record], by fields: [String], limit: Int, after: Cursor?) {
        let keyed = all.map { (key: Cursor($0, fields), row: $0) }
            .filter { one in after.map { $0 < one.key } ?? true }
            .sorted { $0.key < $1.key }
        rows = keyed.prefix(limit).map(\.row)
        next = keyed.count > limit ? keyed[limit - 1].key.text : nil
    }

    /// The place of a row.
    struct Cursor: Comparable {
        private let parts: [String]

        /// The place of a row in the order of `fields`.
        init(_ row: Record, _ fields: [String]) {
            parts = fields.map { name in
                guard case .text(let text) = row.fields.first(where: { $0.name == name })?.value
                else { return "" }
                return text
            }
        }

        /// Reads what ``text`` wrote; nil for anything else.
        init?(_ text: String, count: Int) {
            let plain = text.replacing("-", with: "+").replacing("_", with: "/")
            let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
            guard let data = Data(base64Encoded: padded),
                let joined = String(validating: data, as: UTF8.self)
            else { return nil }
            parts = joined.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(
                String.init)
            guard parts.count == count else { return nil }
        }

        /// The place in letters that a URL takes as they are. Opaque: its form may change.
        var text: String {
            Data(parts.joined(separator: "\u{1F}").utf8).base64EncodedString()
                .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }

        static func < (one: Cursor, other: Cursor) -> Bool {
            for (left, right) in zip(one.parts, other.parts) where left != right {
                return left.utf8.lexicographicallyPrecedes(right.utf8)
            }
            return false
        }
    }
}
