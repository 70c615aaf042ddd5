import Domain
import Foundation
import Logging
import TestSupport

@testable import Gateway

extension BackendCall {
    /// A call that asks one question.
    static func ask(
        _ question: String, bound: Int64 = 64, streams: Bool = true,
        change: (inout ChatCompletionRequest) -> Void = { _ in }
    ) -> BackendCall {
        var request = ChatCompletionRequest(
            model: "alias", messages: [ChatMessage(role: .user, content: .text(question))])
        request.temperature = 0
        request.streams = streams
        change(&request)
        return BackendCall(
            request: request, upstreamModel: "demo", completionBound: bound,
            requestID: RequestID(rawValue: 7))
    }
}

/// The body that a dialect sends for a call that asks `hi` and sets only what `change` sets, with a
/// bound of 77.
func forwardedBody(
    _ dialect: Dialect, streams: Bool = true,
    change: (inout ChatCompletionRequest) -> Void = { _ in }
) throws -> [String: Any] {
    let call = BackendCall.ask("hi", bound: 77) { request in
        request.temperature = nil
        change(&request)
    }
    let bytes = ForwardedBody.make(call, in: dialect, streams: streams)
    let value = try JSONSerialization.jsonObject(with: Data(bytes))
    guard let body = value as? [String: Any] else { throw CocoaError(.coderReadCorrupt) }
    return body
}

/// A whole answer, put together.
struct WholeAnswer {
    var text = ""
    var events: [BackendEvent] = []
    var finishReason: FinishReason?
    var usage: TokenUsage?

    /// Reads an answer to its end.
    init(_ answer: any BackendAnswer) async throws {
        while let events = try await answer.next() {
            for event in events { add(event) }
        }
    }

    private mutating func add(_ event: BackendEvent) {
        events.append(event)
        usage = event.usage ?? usage
        for delta in event.deltas {
            text += delta.content ?? ""
            finishReason = delta.finishReason ?? finishReason
        }
    }
}

/// The failure that a piece of work ends with; nil if it does not fail.
func failure(_ work: () async throws -> Void) async -> BackendFailure? {
    do { try await work() } catch { return error as? BackendFailure }
    return nil
}

/// The real engine that the tests run against.
enum TestEngine {
    /// Why the tests cannot run.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// The value of a variable that names a file.
    private static func path(_ variable: String) throws -> String {
        guard let path = ProcessInfo.processInfo.environment[variable],
            FileManager.default.isReadableFile(atPath: path)
        else {
            throw Missing(
                description: "set \(variable) to run these tests (deploy/test does): "
                    + "TURNPIKE_LLAMA_SERVER names a llama-server, TURNPIKE_DEMO_MODEL demo.gguf")
        }
        return path
    }

    /// An engine in a folder of its own, not yet run.
    static func configuration(
        in folder: TemporaryFolder, slots: Int = 2
    ) throws -> LocalEngineConfiguration {
        LocalEngineConfiguration(
            name: "local", command: try path("TURNPIKE_LLAMA_SERVER"),
            modelFile: try path("TURNPIKE_DEMO_MODEL"), alias: "demo", slots: slots,
            contextTokensPerSlot: 1024, threads: 1,
            environment: ProcessInfo.processInfo.environment,
            logFile: folder.path + "/engine.log", socketDirectory: folder.path + "/run")
    }

    /// Runs an engine until `body` is done, then kills it.
    static func run<Result: Sendable>(
        _ configuration: LocalEngineConfiguration,
        _ body: (LocalEngine) async throws -> Result
    ) async throws -> Result {
        let engine = LocalEngine(
            configuration, residency: nil, logger: .quiet, time: SystemTime(),
            random: { UInt64.random(in: .min ... .max) })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            do {
                let result = try await body(engine)
                group.cancelAll()
                try await group.waitForAll()
                return result
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }
}

extension Logger {
    /// A logger that says nothing.
    static var quiet: Logger { Logger(label: "quiet") { _ in SwiftLogNoOpLogHandler() } }
}

/// A folder that goes when the last reference to it does.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "turnpike-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // What is left of it is in a folder for what may be left.
        try? FileManager.default.removeItem(atPath: path)
    }
}
