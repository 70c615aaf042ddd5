import ArgumentParser
import Domain
import Ledger

/// `admin audit`.
struct AuditCommand: AdminSubcommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Prove the books from the tables alone.",
        discussion: """
            Compares accounts, leases, open requests, usage records, corrections and rollups with each other, in one \
            snapshot of each shard, while gateways go on. Names every row that differs and ends with status 4 when one \
            does. Warnings (requests that wait for a sweep, leases kept for a dead node, overage) leave the status 0.

            --incremental trusts the totals of closed days that an earlier audit proved; when anything differs it reads \
            everything before it says so. --complete reads every record.

            A record in the default partition is moved by a gateway within an hour, or when one starts: audit again then.

            Not checked, because the tables do not hold it: that a settled request stayed within its bound.

            Example:
              turnpike admin audit
              turnpike admin audit --complete --format json
            """)

    @Option(
        help: ArgumentHelp(
            "Only the shard that holds this organization, neighbours included. Default: everything.",
            valueName: "name"))
    var organization: String?
    @Flag(help: "Read every record.")
    var complete = false
    @Flag(help: "Read what was not proved yet: the default.")
    var incremental = false
    @OptionGroup var options: AdminOptions

    func validate() throws {
        guard !(complete && incremental) else {
            throw ValidationError("--complete and --incremental are two audits; name one.")
        }
    }

    func execute(_ desk: AdminDesk) throws {
        let owner = try organization.map { name throws(AdminFailure) in
            try desk.organization(name)
        }
        let report = try desk.ledger.audit(owner, depth: complete ? .complete : .incremental)
        try desk.answer(report.findings.map(AuditView.record), names: AuditView.names) {
            AuditView.lines(report, desk)
        }
        let count = report.differences.count
        guard count > 0 else { return }
        throw AdminFailure.difference(
            "The books differ in \(count) \(count == 1 ? "row" : "rows").",
            advice: "Change nothing by hand; keep a copy of the database.")
    }
}

/// An audit as people and programs see it.
enum AuditView {
    /// The fields of a finding for programs.
    static let names = ["weight", "rule", "table", "shard", "row", "found", "expected"]

    /// A finding for programs.
    static func record(_ finding: AuditFinding) -> Record {
        Record(
            names,
            [
                .text(finding.weight.rawValue), .text(finding.rule), .text(finding.table),
                .integer(Int64(finding.shard.rawValue)), .text(finding.row), .text(finding.found),
                .text(finding.expected),
            ])
    }

    /// What was read, and every finding.
    static func lines(_ report: AuditReport, _ desk: AdminDesk) -> [String] {
        func count(_ number: Int64, _ one: String, _ many: String) -> String {
            NumberText.grouped(Int128(number)) + " " + (number == 1 ? one : many)
        }
        let extent = report.extent
        let read =
            "Audited \(count(extent.shards, "shard", "shards")): "
            + "\(count(extent.accounts, "account", "accounts")), "
            + "\(count(extent.reservations, "open request", "open requests")), "
            + "\(count(extent.records, "usage record", "usage records")) read, "
            + "\(NumberText.grouped(Int128(extent.sealedRecords))) under seals."
        return TextWrap.lines(read, width: desk.output.width) + findings(report.findings, desk)
            + (report.differences.isEmpty ? ["Everything adds up."] : [])
    }

    /// The findings, each with its row, what stands there and what should.
    static func findings(_ findings: [AuditFinding], _ desk: AdminDesk) -> [String] {
        let style = desk.output.style
        let details = DetailFormatter(width: desk.output.width, style: style)
        return findings.flatMap { finding -> [String] in
            let isDifference = finding.weight == .difference
            let title = isDifference ? style.alarm("Difference") : style.bold("Warning")
            return ["", "\(title): \(finding.rule)"]
                + details.lines([
                    ("  Row", "\(finding.table) shard=\(finding.shard.rawValue) \(finding.row)"),
                    ("  Found", finding.found), ("  Expected", finding.expected),
                ])
        } + (findings.isEmpty ? [] : [""])
    }
}
