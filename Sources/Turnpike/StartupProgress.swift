import Foundation

/// Tells the person at the terminal what is being done, one line a step, on standard error.
struct StartupProgress {
    /// Does one step and says how long it took.
    func step<Result>(
        _ words: String, _ body: () async throws -> Result
    ) async throws -> Result {
        say("\(words) … ", ending: "")
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let result = try await body()
            say("done (\(Self.seconds(clock.now - start)))")
            return result
        } catch {
            say("failed")
            throw error
        }
    }

    /// Says something.
    func say(_ words: String, ending: String = "\n") {
        FileHandle.standardError.write(Data((words + ending).utf8))
    }

    /// `0.8 s`.
    static func seconds(_ duration: Duration) -> String {
        let tenths =
            (duration.components.seconds * 10)
            + duration.components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
