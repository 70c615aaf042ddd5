import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct `A price that is set by command` {
        @Test(.timeLimit(.minutes(2)))
        func `is in force without a restart, stays when the gateway reloads, and prices the past`()
            async throws
        {
            try await onOwnThread {
                let gateway = try ServedGateway.start(withEngine: false)
                defer { gateway.discard() }
                let free = try gateway.makeKey()
                let limited = try gateway.makeKey(quota: ["--cost", "1usd/day"])
                let body = ServedGateway.prompt("Hi")
                #expect(try gateway.post(free, body).status == 200)
                let refused = try gateway.post(limited, body)
                #expect(refused.status == 403 && refused.code == "model_not_priced")
                func price(_ amounts: String...) throws -> String {
                    let end = try gateway.admin(
                        ["model", "price", "set", "scripted"] + amounts)
                    #expect(end.status == 0, "\(end.complaint)")
                    let rows = try JSONSerialization.jsonObject(with: Data(end.output.utf8))
                    let row = (rows as? [[String: Any]])?.first
                    return try #require(row?["price_version"] as? String)
                }
                let first = try price("--prompt", "1", "--completion", "2")
                _ = try eventually("the price is in force") {
                    try gateway.post(limited, body).status == 200 ? true : nil
                }
                let versions = "SELECT count(*) FROM usage WHERE price_version = \(first)"
                #expect(try gateway.count(versions) == 1)
                // The file has said nothing new.
                let before = gateway.program.written().complaint.count
                gateway.program.signal(SIGHUP)
                _ = try eventually("the catalog was reloaded") {
                    gateway.program.written().complaint.dropFirst(before)
                        .contains("the catalog was reloaded") ? true : nil
                }
                #expect(try gateway.post(limited, body).status == 200)
                let second = try price("--prompt", "3", "--completion", "4")
                let order = [
                    "model", "reprice", "scripted", "--since", "1d", "--price-version", second,
                ]
                let shown = try gateway.admin(order)
                #expect(
                    shown.status == 0 && shown.output.contains("difference_nanousd"), "\(shown)")
                for records in [3, 0] {
                    let done = try gateway.administer(order + ["--yes"])
                    #expect(done["records"] as? Int == records)
                }
                #expect(try gateway.admin(["audit", "--complete"]).status == 0)
            }
        }
    }
}
