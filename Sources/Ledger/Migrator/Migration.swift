import OpenSSL

/// One step of the schema: a file of `db/migrations`, built into the program.
struct Migration: Sendable, Hashable {
    /// Counted from 1 without gaps.
    let number: Int32
    /// What it does, as in the file's name.
    let name: String
    /// The script.
    let sql: String

    /// SHA-256 of the file: a migration that was released never changes.
    var checksum: [UInt8] { SHA256.hash(Array(sql.utf8)) }

    /// The file's name without its ending, as people know the migration.
    var label: String { Self.label(number, name) }

    /// A migration's number in four digits, and its name.
    static func label(_ number: Int32, _ name: String) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_" + name
    }
}

extension Migration {
    /// Every migration of this program, in order. The build embeds the files, so that the program
    /// can be moved and never meets files of another version. A new file is added here; a test
    /// compares this list with the folder.
    static let all: [Migration] = [
        Migration(1, "directory", PackageResources._001_directory_sql),
        Migration(2, "ledger", PackageResources._002_ledger_sql),
        Migration(3, "seals", PackageResources._003_seals_sql),
        Migration(4, "outage", PackageResources._004_outage_sql),
        Migration(5, "rate_buckets", PackageResources._005_rate_buckets_sql),
        Migration(6, "lane_counts", PackageResources._006_lane_counts_sql),
        Migration(7, "open_requests", PackageResources._007_open_requests_sql),
        Migration(8, "lane_timeline", PackageResources._008_lane_timeline_sql),
        Migration(9, "idempotency", PackageResources._009_idempotency_sql),
        Migration(10, "row_order", PackageResources._010_row_order_sql),
        Migration(11, "mirror_reasoning", PackageResources._011_mirror_reasoning_sql),
        Migration(12, "claim_timeline", PackageResources._012_claim_timeline_sql),
        Migration(13, "attempts", PackageResources._013_attempts_sql),
        Migration(14, "prices", PackageResources._014_prices_sql),
        Migration(15, "key_life", PackageResources._015_key_life_sql),
        Migration(16, "users", PackageResources._016_users_sql),
        Migration(17, "subject_model", PackageResources._017_subject_model_sql),
        Migration(18, "admin_api", PackageResources._018_admin_api_sql),
        Migration(19, "admin_actions", PackageResources._019_admin_actions_sql),
        Migration(20, "quota_events", PackageResources._020_quota_events_sql),
        Migration(21, "sealed_ends", PackageResources._021_sealed_ends_sql),
        Migration(22, "soft_quotas", PackageResources._022_soft_quotas_sql),
    ]

    private init(_ number: Int32, _ name: String, _ file: [UInt8]) {
        self.init(number: number, name: name, sql: String(decoding: file, as: UTF8.self))
    }
}
