import Dispatch
import Domain
import Foundation
import TurnpikeConfiguration

/// Watches a file however it is changed: written in place, replaced by a rename, or reached through
/// a link that is swapped. Watches from the making of this on.
// Unchecked: everything that changes is touched only by the handlers on the one serial queue, and by
// `init` before the first of them.
final class FileWatch: @unchecked Sendable {
    /// Each time the file may have changed and has been left alone since.
    let changes: AsyncStream<Void>
    /// Why changes are not seen; nil when they are.
    let failure: String?

    private let file: String
    private let time: any TimeSource
    private let news: AsyncStream<Void>.Continuation
    private let queue = DispatchQueue(label: "turnpike-file-watch")
    private var source: (any DispatchSourceRead)?
    private var settling = ChangeSettling()
    /// When it is looked at next; nil while there is nothing to look at.
    private var timedFor: Uptime?
    /// The places whose events matter, by the numbers of the watches on their folders.
    private var places: Set<WatchedPlace> = []

    private struct WatchedPlace: Hashable {
        let watch: Int32
        let name: String
    }

    /// Watches the file at `path`, which need not be there.
    init(_ path: String, time: any TimeSource) {
        file = path
        self.time = time
        // One that is waiting says as much as several.
        (changes, news) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let descriptor: Int32
        do {
            descriptor = try SystemCalls.openFileEvents()
            places = try Self.watch(FilePlaces(of: path), on: descriptor)
            failure = nil
        } catch {
            failure = error.localizedDescription
            return
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in self?.take(from: descriptor) }
        source.setCancelHandler { close(descriptor) }
        source.resume()
        self.source = source
    }

    deinit { source?.cancel() }

    private func take(from descriptor: Int32) {
        let events = SystemCalls.fileEvents(of: descriptor)
        let now = time.uptime
        var isMoved = false
        for event in events {
            // After too many events at once nobody knows what happened.
            let isOurs = places.contains(WatchedPlace(watch: event.watch, name: event.name))
            guard isOurs || event.isLoss else { continue }
            settling.note(event.isPartial ? .partly : .wholly, at: now)
            isMoved = isMoved || !event.isPartial
        }
        // The way may be another now. Where the file's folder is gone, the one above it tells of the
        // next.
        if isMoved, let fresh = try? Self.watch(FilePlaces(of: file), on: descriptor) {
            places = fresh
        }
        awaitSettling()
    }

    /// Has it looked at when it may have settled, which a later step may bring nearer.
    private func awaitSettling() {
        guard let due = settling.dueAt, timedFor.map({ due < $0 }) ?? true else { return }
        timedFor = due
        let wait = max(.zero, due - time.uptime)
        queue.asyncAfter(deadline: .now() + .microseconds(Int(wait.microseconds))) { [weak self] in
            guard let self else { return }
            if timedFor == due { timedFor = nil }
            if settling.settles(at: time.uptime) { news.yield() }
            awaitSettling()
        }
    }

    /// Watches all places. A folder above the file's that may not be watched is passed over.
    private static func watch(
        _ places: FilePlaces, on descriptor: Int32
    ) throws(POSIXError) -> Set<WatchedPlace> {
        var watched: Set<WatchedPlace> = []
        for place in places.way {
            // Less is seen then: that somebody replaces this folder or link.
            guard let watch = try? SystemCalls.watch(place.folder, forWrites: false, on: descriptor)
            else { continue }
            watched.insert(WatchedPlace(watch: watch, name: place.name))
        }
        if let end = places.end {
            let watch = try SystemCalls.watch(end.folder, forWrites: true, on: descriptor)
            watched.insert(WatchedPlace(watch: watch, name: end.name))
        }
        return watched
    }
}
