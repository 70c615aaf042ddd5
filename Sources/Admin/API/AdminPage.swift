import Domain
import Foundation

/// A page of a list: those behind a cursor, in the order of some of their fields, so that what is
/// made or deleted meanwhile neither repeats nor hides another row.
struct AdminPage {
    /// The most rows of a page.
    static let most = 200
    /// The rows of a page where the request names no number.
    static let usual = 50

    /// What a page asks of the ledger, which finds it without reading the rest of the list.
    struct Request {
        /// At most so many rows: one more than the page shows, to tell whether more follow.
        let limit: Int
        /// Only what comes after this; nil for the beginning.
        let after: Cursor?
        /// The name of the one organization that may be shown; nil for all.
        let only: String?
    }

    /// The rows.
    let rows: [Record]
    /// Where the next page begins; nil behind the last one.
    let next: String?

    /// Makes a page of what the ledger found for it: up to `limit` rows, and one more where it is
    /// not the last. `fields` are those that the list is in the order of.
    init(of found: [Record], by fields: [String], limit: Int) {
        rows = Array(found.prefix(limit))
        next = found.count > limit ? rows.last.map { Cursor($0, fields).text } : nil
    }

    /// The place of a row.
    struct Cursor {
        /// The values of the fields that the list is in the order of.
        let parts: [String]

        /// The place of a row in the order of `fields`.
        init(_ row: Record, _ fields: [String]) {
            parts = fields.map { name in
                guard case .text(let text) = row.fields.first(where: { $0.name == name })?.value
                else { return "" }
                return text
            }
        }

        /// Reads what ``text`` wrote for a list in the order of `fields`; nil for anything else.
        init?(_ text: String, _ fields: [String]) {
            let plain = text.replacing("-", with: "+").replacing("_", with: "/")
            let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
            guard let data = Data(base64Encoded: padded),
                let joined = String(validating: data, as: UTF8.self), !joined.contains("\0")
            else { return nil }
            parts = joined.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(
                String.init)
            guard parts.count == fields.count else { return nil }
            for (field, part) in zip(fields, parts) where field.hasSuffix("key_id") {
                guard KeyID(part) != nil else { return nil }
            }
        }

        /// The place in letters that a URL takes as they are. Opaque: its form may change.
        var text: String {
            Data(parts.joined(separator: "\u{1F}").utf8).base64EncodedString()
                .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
    }
}
