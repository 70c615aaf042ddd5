import Dispatch
import Foundation

/// Signals as a sequence, from the making of this on for the life of the process.
// Unchecked: a dispatch source may be used from any thread, which its type does not say; after
// `init` nothing here changes.
final class SignalSequence: @unchecked Sendable {
    /// Each time a signal comes, its number.
    let numbers: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    /// Catches the signals with these numbers.
    init(_ caught: [Int32]) {
        let (stream, continuation) = AsyncStream<Int32>.makeStream(
            bufferingPolicy: .bufferingOldest(4))
        numbers = stream
        sources = caught.map { number in
            // A handler that does nothing, not SIG_IGN: children would inherit that and never end.
            signal(number) { _ in }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }
}
