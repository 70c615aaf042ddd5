import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.served) struct `Gates of the ledger, seen by a client` {
        @Test(.timeLimit(.minutes(1)), arguments: [true, false])
        func `no byte reaches a client before the ledger has accepted its request`(
            isStreamed: Bool
        ) async throws {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let body = ServedGateway.prompt("first byte", more: #","stream":\#(isStreamed)"#)
                // The lease is there, so that only the opening has to wait.
                #expect(try gateway.post(key, body).status == 200)
                let lock = try TableLock(gateway, "SELECT 1 FROM node_lane FOR UPDATE")
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(key: key.secret, body: body)
                try lock.waitForVictim()
                #expect(connection.isSilent(for: 200))
                try lock.release()
                let reply = try connection.reply()
                #expect(reply.status == 200, "\(reply.text)")
                if isStreamed { #expect(reply.events.last == "[DONE]") }
            }
        }

        @Test(.timeLimit(.minutes(1)), arguments: [true, false])
        func `the end of an answer is not told before it is settled`(isStreamed: Bool) async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "10000/day"])
                let gate = ScriptedUpstream.Gate()
                gateway.scripts.write("the end \(isStreamed)") { request in
                    guard isStreamed else { return [.wait(gate)] + ScriptBook.short(request) }
                    return [.streamHead, .say("Good"), .say(" day."), .wait(gate)]
                        + .finish(prompt: 7, completion: 3)
                }
                let connection = try HTTPConnection(port: gateway.port)
                connection.send(
                    key: key.secret,
                    body: ServedGateway.prompt(
                        "the end \(isStreamed)", more: #","stream":\#(isStreamed)"#))
                if isStreamed {
                    #expect(try connection.head().status == 200)
                    try connection.read(until: " day.")
                } else {
                    _ = try eventually("the request is open") {
                        try gateway.count("SELECT count(*) FROM reservation") == 1 ? true : nil
                    }
                }
                let lock = try TableLock(gateway, "LOCK TABLE usage IN SHARE MODE")
                gate.open()
                try lock.waitForVictim()
                #expect(connection.isSilent(for: 200))
                try lock.release()
                let rest =
                    try isStreamed ? connection.read(until: "[DONE]") : connection.reply().text
                #expect(rest.contains(#""finish_reason":"stop""#), "\(rest)")
                // At this very moment, not eventually: the end is the proof of the record.
                let of = "JOIN api_key k USING (shard, key_id) WHERE k.name = '\(key.name)'"
                #expect(try gateway.count("SELECT count(*) FROM usage \(of)") == 1)
                #expect(try gateway.count("SELECT count(*) FROM reservation \(of)") == 0)
            }
        }
    }
}

/// A lock held by a session of its own, in the way of the gateway's.
final class TableLock {
    private let connection: PostgresConnection
    private let gateway: ServedGateway

    /// Takes the lock that `sql` takes.
    init(_ gateway: ServedGateway, _ sql: String) throws {
        self.gateway = gateway
        connection = try gateway.database.connection()
        try connection.execute(script: "BEGIN; \(sql);")
    }

    /// Waits until a session of the gateway waits for the lock.
    func waitForVictim() throws {
        let id = connection.backendProcessID
        _ = try eventually("the gateway waits for the lock") { () -> Bool? in
            let waiting = try gateway.count(
                "SELECT count(*) FROM pg_stat_activity WHERE \(id) = ANY(pg_blocking_pids(pid))")
            return waiting > 0 ? true : nil
        }
    }

    /// Lets go.
    func release() throws {
        try connection.execute(script: "COMMIT")
        connection.close()
    }
}
