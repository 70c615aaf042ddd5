import Domain
import NIOCore
import NIOHTTP1

extension ConnectionHandler {
    private static let ping = ByteBuffer(string: ": ping\n\n")

    /// Sees to it that the earliest deadline is looked at. One alarm per connection, which is set
    /// anew only for an earlier deadline: one that was put off is found too early, looked at, and
    /// set again. So a busy connection pays nothing.
    func arm() {
        guard let context, let earliest = deadlines.earliest else { return }
        if let alarm {
            if alarm.at <= earliest { return }
            alarm.task.cancel()
        }
        let wait = max(Duration.milliseconds(1), earliest - time.uptime)
        let task = context.eventLoop.assumeIsolated().scheduleTask(
            in: .microseconds(wait.microseconds)
        ) { self.ring() }
        alarm = (earliest, task)
    }

    private func ring() {
        alarm = nil
        guard let context else { return }
        switch deadlines.due(at: time.uptime) {
        case .requestTimeout: refuse(.requestTimeout, nil)
        case .stalled: leave(context)
        case .idle, .linger:
            deadlines = ConnectionDeadlines()
            context.close(promise: nil)
        case .ping:
            deadlines.ping = time.uptime + limits.pingTime
            if context.channel.isWritable {
                if let makeHead = expectedHead {
                    (expectedHead, isHeadSent) = (nil, true)
                    context.write(wrapOutboundOut(.head(makeHead())), promise: nil)
                }
                context.writeAndFlush(
                    wrapOutboundOut(.body(.byteBuffer(Self.ping))), promise: nil)
            }
        case nil: break
        }
        arm()
    }
}
