import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

/// Looks at a key's token account again and again while requests run.
final class AccountSampler: Sendable {
    private let samples = Mutex<[Int]>([])
    private let isOver = Mutex(false)
    private let finished = DispatchSemaphore(value: 0)

    /// Begins to look.
    init(_ gateway: ServedGateway, _ key: ServedGateway.IssuedKey) throws {
        let thread = Thread { [self] in
            defer { finished.signal() }
            // Without a connection there are no samples, which the test sees.
            guard let connection = try? gateway.database.connection() else { return }
            defer { connection.close() }
            while !isOver.withLock({ $0 }) {
                // A sample that fails is missing from the count, which the test checks.
                guard let account = try? Self.account(key, over: connection) else { continue }
                samples.withLock {
                    $0.append(max(account.used + account.reserved, account.granted))
                }
            }
        }
        thread.start()
    }

    /// Stops, and returns the greatest of used and reserved, or granted to nodes, at each look.
    func stop() -> [Int] {
        isOver.withLock { $0 = true }
        finished.wait()
        return samples.withLock { $0 }
    }

    /// The numbers of a key's only account, at one instant.
    static func account(
        _ gateway: ServedGateway, _ key: ServedGateway.IssuedKey
    ) throws -> (used: Int, reserved: Int, granted: Int) {
        let connection = try gateway.database.connection()
        defer { connection.close() }
        return try account(key, over: connection)
    }

    private static func account(
        _ key: ServedGateway.IssuedKey, over connection: PostgresConnection
    ) throws -> (used: Int, reserved: Int, granted: Int) {
        let row = try ServedGateway.rows(
            """
            SELECT a.granted, a.used + coalesce(sum(l.settled), 0) AS used,
                coalesce(sum(l.reserved), 0) AS reserved
            FROM account a JOIN api_key k ON k.subject_id = a.subject_id
                LEFT JOIN lease l ON l.account_id = a.account_id
            WHERE a.subject_kind = 3 AND k.name = '\(key.name)' GROUP BY a.granted, a.used
            """, over: connection
        ).first
        func number(_ name: String) -> Int { row?[name].flatMap { Int($0) } ?? 0 }
        return (number("used"), number("reserved"), number("granted"))
    }
}
