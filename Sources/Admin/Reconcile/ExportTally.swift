import Domain
import Ledger

/// What an export adds up to: as large as its days and models are many, however many rows it has.
struct ExportTally {
    /// What is counted together.
    struct Group: Hashable {
        /// The beginning of the day or hour.
        let start: Timestamp
        /// The provider's name of the model; nil where the export does not tell models apart.
        let model: String?
    }

    /// A row that cannot be counted.
    struct BadRow: Equatable {
        /// Its line, from 1.
        let line: Int
        /// What is wrong with it.
        let fault: String
    }

    /// The most groups, so that a wrong column cannot fill the memory.
    static let mostGroups = 200_000
    /// The most bad rows that are named.
    static let mostNamed = 20

    /// How long the time of a group is.
    let step: BackendUsageQuery.Step
    /// Which provider's, and of what; nil before the first row.
    private(set) var format: ExportFormat?
    private(set) var amounts: [Group: UsageAmounts] = [:]
    /// What the export counts at all.
    private(set) var classes: Set<UsageClass> = []
    /// Rows that were counted.
    private(set) var rows = 0
    /// Rows that could not be counted.
    private(set) var badRows = 0
    /// The first of them.
    private(set) var named: [BadRow] = []
    /// The first instant that it is about.
    private(set) var since: Timestamp?
    /// The first instant after what it is about.
    private(set) var until: Timestamp?
    /// Whether the last page of an API's answer says that more follow.
    var isIncomplete = false

    /// Makes an empty tally.
    init(step: BackendUsageQuery.Step) { self.step = step }

    /// Notes what the export is. Throws when it is two things.
    mutating func note(_ format: ExportFormat) throws(AdminFailure) {
        if let known = self.format, known != format {
            throw .refused(
                "The file holds \(known.rawValue) and \(format.rawValue).",
                advice: "Compare one after the other.")
        }
        self.format = format
    }

    /// Notes the time of a row or of an empty bucket.
    mutating func cover(_ time: ExportTime) throws(ExportFault) {
        if step == .hour, time.end - time.start > .seconds(3600) {
            throw ExportFault(message: "it is of a whole day and cannot be compared by the hour")
        }
        since = min(since ?? time.start, time.start)
        until = max(until ?? time.end, time.end)
    }

    /// Counts a row of a time that is covered.
    mutating func add(
        _ found: UsageAmounts, model: String?, at time: ExportTime
    ) throws(AdminFailure) {
        guard !found.isEmpty else { return }
        rows += 1
        classes.formUnion(found.keys)
        let start = step == .day ? time.start.day.start : time.start.startOfHour
        amounts[Group(start: start, model: model), default: [:]].add(found)
        guard amounts.count <= Self.mostGroups else {
            throw .refused(
                "The export has more than \(Self.mostGroups) days and models.",
                advice: "Is it an export of usage by model? Compare a shorter time.")
        }
    }

    /// Counts a row that cannot be read.
    mutating func reject(line: Int, _ fault: ExportFault) {
        badRows += 1
        if named.count < Self.mostNamed { named.append(BadRow(line: line, fault: fault.message)) }
    }
}
