import Domain
import Ledger

/// An export under way: a page of records at a time, each read when the client has taken the one
/// before, so that an export of any length takes the memory of a page and a client that leaves ends
/// it.
actor AdminExport: AdminPieces {
    /// How records are written.
    enum Form: String, CaseIterable {
        case jsonl, csv

        var mediaType: String {
            switch self {
            case .jsonl: "application/jsonl"
            case .csv: "text/csv"
            }
        }

        /// With the letters that it is written in, where its kind does not say.
        var contentType: String { self == .csv ? mediaType + "; charset=utf-8" : mediaType }

        /// What stands before the first record.
        var heading: String {
            switch self {
            case .jsonl: ""
            case .csv: CSVText.file(names: ExportView.names, records: [])
            }
        }

        /// A record on its line.
        func line(_ record: ExportRecord) -> String {
            let fields = ExportView.record(record)
            return switch self {
            case .jsonl: JSONText.object(fields) + "\n"
            case .csv: CSVText.line(fields)
            }
        }
    }

    /// What is exported, as it was found when the export began.
    struct Plan: Sendable {
        let query: ExportQuery
        let form: Form
        /// How many records the books have of those hours, dropped ones included.
        let expected: Int64
    }

    /// Some of its lines.
    struct Page: Sendable {
        let bytes: [UInt8]
        /// Where the next page begins; nil after the last.
        let next: ExportPosition?
    }

    /// The header that says how many records there should be.
    static let countHeader = "x-turnpike-records"

    private var position: ExportPosition?
    private let read: @Sendable (ExportPosition) async -> Page?

    /// Makes the rest of an export that begins at `position`. `read` gives nil for a page that
    /// cannot be read.
    init(from position: ExportPosition?, read: @escaping @Sendable (ExportPosition) async -> Page?)
    {
        self.position = position
        self.read = read
    }

    func next() async -> AdminPiece {
        guard let place = position else { return .end }
        guard let page = await read(place) else { return .broken }
        position = page.next
        return .bytes(page.bytes)
    }
}

extension AdminAPIDesk {
    /// The page of an export at a position, for whoever may still ask for it.
    func page(
        of plan: AdminExport.Plan, at position: ExportPosition, for request: AdminRequest
    ) throws(AdminFault) -> AdminExport.Page {
        _ = try authenticate(request)
        let page: ExportPage
        do throws(AdminFailure) {
            page = try ledger.export(plan.query, from: position)
        } catch {
            throw AdminFault(error)
        }
        let text = page.records.reduce(into: "") { $0 += plan.form.line($1) }
        return AdminExport.Page(bytes: Array(text.utf8), next: page.next)
    }
}
