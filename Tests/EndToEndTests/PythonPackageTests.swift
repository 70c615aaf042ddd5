import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite(.servedWithEngine) struct `The official Python package` {
        @Test(.timeLimit(.minutes(1)))
        func `twenty completions are right, and the usage report is the sum of their usage blocks`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let told = try gateway.python("complete", key)
                let texts = try #require(told["texts"] as? [String])
                for (index, text) in texts.enumerated() {
                    #expect(text.contains(index / 2 % 2 == 0 ? "Paris" : "Tokyo"), "\(text)")
                }
                #expect(told["ids"] as? Int == 20)
                let report =
                    try gateway.administer(
                        ["usage", "--by", "key", "--team", key.team])["rows"] as? [[String: Any]]
                let row = try #require(report?.first)
                #expect(report?.count == 1 && row["key"] as? String == key.id)
                #expect(row["requests"] as? Int == 20)
                for field in ["requests", "prompt_tokens", "completion_tokens", "total_tokens"] {
                    #expect(row[field] as? Int == told[field] as? Int, "\(field)")
                }
                let account = try AccountSampler.account(gateway, key)
                #expect(account.used == told["total_tokens"] as? Int && account.reserved == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `each error raises the class that a program written for OpenAI catches`() async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--requests", "1/day"])
                let told = try gateway.python("errors", key)
                func expect(
                    _ name: String, _ kind: String, _ status: Int, _ code: String?,
                    _ parameter: String?
                ) throws {
                    let error = try #require(told[name] as? [String: Any])
                    #expect(error["class"] as? String == kind, "\(name): \(error)")
                    #expect(error["status"] as? Int == status, "\(name)")
                    #expect(error["code"] as? String == code, "\(name)")
                    #expect(error["param"] as? String == parameter, "\(name)")
                    #expect((error["request_id"] as? String ?? "").hasPrefix("req_"), "\(name)")
                }
                try expect("key", "AuthenticationError", 401, "invalid_api_key", nil)
                try expect("model", "NotFoundError", 404, "model_not_found", "model")
                try expect(
                    "temperature", "BadRequestError", 400, "decimal_above_max_value", "temperature")
                try expect("messages", "BadRequestError", 400, "empty_array", "messages")
                try expect("store", "BadRequestError", 400, "unsupported_parameter", "store")
                try expect("quota", "RateLimitError", 429, "insufficient_quota", nil)
                #expect((told["served"] as? [String: Any])?["class"] is NSNull)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `twenty requests at once through the asynchronous client are all answered`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                #expect(try gateway.python("at_once", key)["right"] as? Int == 20)
                let report =
                    try gateway.administer(
                        ["usage", "--by", "key", "--team", key.team])["rows"] as? [[String: Any]]
                #expect(report?.first?["requests"] as? Int == 20)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a stream that the program closes is settled at no less than it was given`()
            async throws
        {
            let gateway = try ServedGateway.current()
            gateway.scripts.write("be cut") { _ in
                [.streamHead] + (0..<3).map { .say(" piece\($0)") } + [.silence]
            }
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let pieces = try gateway.python("cut", key, ["scripted", "be cut"])["pieces"]
                #expect((pieces as? [String])?.count == 3)
                let usage = try gateway.settled(key)
                #expect(usage["basis"] == "2" && usage["end_state"] == "3", "\(usage)")
                #expect(Int(usage["completion_tokens"] ?? "") ?? 0 >= 3)
                let account = try AccountSampler.account(gateway, key)
                #expect("\(account.used)" == usage["charged"] && account.reserved == 0)
            }
        }

        @Test(.timeLimit(.minutes(1)))
        func `a stream of the real engine can be closed early and leaves nothing open`()
            async throws
        {
            let gateway = try ServedGateway.current()
            try await onOwnThread {
                let key = try gateway.makeKey(quota: ["--tokens", "100000/day"])
                let pieces = try gateway.python(
                    "cut", key, ["demo", "What is the capital of France?"])["pieces"]
                #expect((pieces as? [String])?.count == 3)
                let usage = try gateway.settled(key)
                #expect(Int(usage["completion_tokens"] ?? "") ?? 0 >= 3)
                #expect(try AccountSampler.account(gateway, key).reserved == 0)
            }
        }
    }
}
